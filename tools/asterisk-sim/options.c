#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OPT_LISTEN = 1,
    OPT_STATUS,
    OPT_FAGI,
    OPT_CAPTURE,
    OPT_LISTING,
    OPT_PACE,
    OPT_LOOPS,
    OPT_WAIT,
    OPT_USERNAME,
    OPT_PASSWORD,
    OPT_READ,
    OPT_WRITE,
    OPT_WITHOUT,
    OPT_REFUSE,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_OFFICE,
    OPT_DIALECT,
    OPT_PEOPLE,
    OPT_RATE,
    OPT_SEED,
    OPT_GUESTS,
    OPT_ANSWER,
    OPT_LISTS,
    OPT_LOG_LEVEL,
    OPT_HELP,
    OPT_VERSION
};

static const struct option longs[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"status", required_argument, NULL, OPT_STATUS},
    {"fagi", required_argument, NULL, OPT_FAGI},
    {"capture", required_argument, NULL, OPT_CAPTURE},
    {"listing", required_argument, NULL, OPT_LISTING},
    {"pace", required_argument, NULL, OPT_PACE},
    {"loops", required_argument, NULL, OPT_LOOPS},
    {"wait-login", no_argument, NULL, OPT_WAIT},
    {"username", required_argument, NULL, OPT_USERNAME},
    {"password", required_argument, NULL, OPT_PASSWORD},
    {"read", required_argument, NULL, OPT_READ},
    {"write", required_argument, NULL, OPT_WRITE},
    {"without", required_argument, NULL, OPT_WITHOUT},
    {"refuse", no_argument, NULL, OPT_REFUSE},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"office", no_argument, NULL, OPT_OFFICE},
    {"office-dialect", required_argument, NULL, OPT_DIALECT},
    {"office-people", required_argument, NULL, OPT_PEOPLE},
    {"office-guests", required_argument, NULL, OPT_GUESTS},
    {"office-answer", required_argument, NULL, OPT_ANSWER},
    {"rate", required_argument, NULL, OPT_RATE},
    {"seed", required_argument, NULL, OPT_SEED},
    {"write-lists", required_argument, NULL, OPT_LISTS},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: ctibus-asterisk-sim --capture FILE [options]\n"
    "       ctibus-asterisk-sim --office [options]\n"
    "\n"
    "Plays a recorded manager session of Asterisk over real AMI connections, loop after loop\n"
    "with fresh ids, and answers actions as that Asterisk would.\n"
    "With --office it simulates a company instead, on which actions take effect.\n"
    "\n"
    "  --capture FILE       .ami or .ami.gz; may come again: played one after the other\n"
    "  --listing FILE       recorded listing answers, NAME.ami with its NAME.sent\n"
    "                       (default: 01-login-listing.ami beside the first capture)\n"
    "  --listen HOST:PORT   AMI address (default: 127.0.0.1:5038; port 0: any free one)\n"
    "  --pace PACE          real, xN (N times faster), N/s (events a second, evenly) or max\n"
    "                       (as fast as clients read) (default: real)\n"
    "  --loops N            how often everything is played, 0 for ever (default: 0)\n"
    "  --wait-login         start playing when the first client with events has logged in\n"
    "  --username NAME      (default: ctibus)\n"
    "  --password SECRET    (default: secret)\n"
    "  --read CLASSES       of events that the user gets (default: all)\n"
    "  --write CLASSES      of actions that it may use (default: all)\n"
    "  --without MODULES    that this Asterisk has not: app_queue, app_confbridge,\n"
    "                       app_voicemail, res_pjsip, chan_sip\n"
    "  --refuse             closes each connection at once, as a firewall does\n"
    "  --tls-cert FILE      AMI over TLS with this certificate (PEM)\n"
    "  --tls-key FILE       its private key (default: in the same file)\n"
    "  --status HOST:PORT   each connection there is told in JSON what was played and is live\n"
    "  --fagi HOST:PORT     calls the FastAGI server there for each AGI(agi://...) that is played\n"
    "  --office             a company of 30 people (config/office) instead of a recording\n"
    "  --office-dialect V   20 (PJSIP) or 1.8 (SIP) (default: 20)\n"
    "  --office-people N    2 to 8999 (default: 30)\n"
    "  --office-guests LIST logins, by comma, whose phones are played by people at a panel\n"
    "                       (default: alice,bob)\n"
    "  --office-answer N    they answer by themselves after N seconds (default: 15)\n"
    "  --rate N             calls a minute, or N/s a second (default: 4)\n"
    "  --seed N             the same number, the same day (default: 1)\n"
    "  --write-lists DIR    writes ctibus.json and the lists of the company there, and ends\n"
    "  --log-level LEVEL    error, warning, notice, info or debug (default: warning)\n"
    "  --help, --version\n"
    "\n"
    "SIGUSR1 cuts all AMI connections. SIGUSR2 stops the timeline, the next one lets it go on. "
    "SIGTERM and SIGINT shut down as Asterisk does.\n";

static int wrong(const char *what, const char *value)
{
    fprintf(stderr, "ctibus-asterisk-sim: %s: %s (see --help)\n", what, value);
    return -EINVAL;
}

static int add_capture(struct options *o, const char *path)
{
    if (o->n_captures == MAX_CAPTURES)
        return wrong("too many captures", path);
    o->captures[o->n_captures++] = path;
    return 0;
}

/* "12" a minute, "0.5/s" a second. */
static int set_rate(struct office_options *o, const char *value)
{
    char *end;
    double n = strtod(value, &end);

    if (strcmp(end, "/s") == 0)
        n *= 60;
    else if (*end)
        return wrong("bad --rate", value);
    if (end == value || !(n >= 0 && n <= 6e6))
        return wrong("bad --rate", value);
    o->per_minute = n;
    return 0;
}

static int set_answer(struct office_options *o, const char *value)
{
    uint64_t n;

    if (view_to_u64(view_cstr(value), &n) < 0 || n > 3600)
        return wrong("bad --office-answer", value);
    o->answer_s = (unsigned)n;
    return 0;
}

static int set_people(struct office_options *o, const char *value)
{
    uint64_t n;

    if (view_to_u64(view_cstr(value), &n) < 0 || n < OFFICE_MIN_PEOPLE || n > OFFICE_MAX_PEOPLE)
        return wrong("bad --office-people", value);
    o->people = (unsigned)n;
    return 0;
}

static int set_office(struct options *o, int option, const char *value)
{
    switch (option) {
    case OPT_OFFICE:
        o->is_office = true;
        return 0;
    case OPT_DIALECT:
        o->office.old = strcmp(value, "1.8") == 0;
        return o->office.old || strcmp(value, "20") == 0 ? 0 : wrong("bad --office-dialect", value);
    case OPT_PEOPLE:
        return set_people(&o->office, value);
    case OPT_RATE:
        return set_rate(&o->office, value);
    case OPT_SEED:
        return view_to_u64(view_cstr(value), &o->office.seed) < 0 ? wrong("bad --seed", value) : 0;
    case OPT_GUESTS:
        o->office.guests = value;
        return 0;
    case OPT_ANSWER:
        return set_answer(&o->office, value);
    default:
        o->write_lists = value;
        return 0;
    }
}

static int set_permission(struct options *o, int option, const char *value)
{
    if (option == OPT_READ)
        o->permissions.read = value;
    else if (option == OPT_WRITE)
        o->permissions.write = value;
    else if (option == OPT_WITHOUT)
        o->permissions.without = value;
    else
        o->refuse = true;
    return permissions_are_known(&o->permissions) ? 0 : wrong("no such class or module", value);
}

static int set(struct options *o, int option, const char *value)
{
    switch (option) {
    case OPT_LISTEN:
        o->listen = value;
        return 0;
    case OPT_STATUS:
        o->status = value;
        return 0;
    case OPT_FAGI:
        o->fagi = value;
        return 0;
    case OPT_CAPTURE:
        return add_capture(o, value);
    case OPT_LISTING:
        o->listing = value;
        return 0;
    case OPT_PACE:
        return pace_parse(&o->pace, value) < 0 ? wrong("bad --pace", value) : 0;
    case OPT_LOOPS:
        return view_to_u64(view_cstr(value), &o->loops) < 0 ? wrong("bad --loops", value) : 0;
    case OPT_WAIT:
        o->wait_login = true;
        return 0;
    case OPT_USERNAME:
        o->username = value;
        return 0;
    case OPT_PASSWORD:
        o->password = value;
        return 0;
    case OPT_READ:
    case OPT_WRITE:
    case OPT_WITHOUT:
    case OPT_REFUSE:
        return set_permission(o, option, value);
    case OPT_TLS_CERT:
        o->tls_cert = value;
        return 0;
    case OPT_TLS_KEY:
        o->tls_key = value;
        return 0;
    case OPT_OFFICE:
    case OPT_DIALECT:
    case OPT_PEOPLE:
    case OPT_RATE:
    case OPT_SEED:
    case OPT_GUESTS:
    case OPT_ANSWER:
    case OPT_LISTS:
        return set_office(o, option, value);
    case OPT_LOG_LEVEL:
        return log_level_parse(view_cstr(value), &o->level) < 0 ? wrong("bad --log-level", value)
                                                                : 0;
    case OPT_HELP:
        fputs(help, stdout);
        return 1;
    case OPT_VERSION:
        puts("ctibus-asterisk-sim " CTIBUS_VERSION);
        return 1;
    default:
        return -EINVAL; /* getopt has said why */
    }
}

int sim_options_parse(struct options *o, int argc, char **argv)
{
    int option, rc = 0;

    *o = (struct options){
        .listen = "127.0.0.1:5038",
        .username = "ctibus",
        .password = "secret",
        .permissions = {.read = "all", .write = "all"},
        .pace = {.kind = PACE_TIMES, .factor = 1},
        .office = {.people = 30, .per_minute = 4, .seed = 1, .guests = "alice,bob", .answer_s = 15},
        .level = LOG_WARNING};
    while (rc == 0 && (option = getopt_long(argc, argv, "", longs, NULL)) != -1)
        rc = set(o, option, optarg);
    if (rc != 0)
        return rc;
    if (optind < argc)
        return wrong("unexpected argument", argv[optind]);
    if (o->is_office && o->n_captures > 0)
        return wrong("not with --office", "--capture");
    if (o->is_office || o->write_lists)
        return 0;
    return o->n_captures > 0 ? 0 : wrong("missing", "--capture");
}
