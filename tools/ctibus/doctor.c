/* ctibus doctor: what is wrong with a site, why that matters, and what to do. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json/json.h"

void doctor_progress(const struct doctor *d, const char *what)
{
    if (!d->quiet)
        fprintf(stderr, "\r\033[K%s%s", what, *what ? "..." : "");
}

void some_add(struct some *s, struct view name)
{
    size_t at = strlen(s->names);

    if (s->n++ < 4 && at + name.len + 3 < sizeof(s->names))
        snprintf(s->names + at, sizeof(s->names) - at, "%s%.*s", at ? ", " : "", VIEW_ARG(name));
}

const char *some_say(struct some *s, const char *one, const char *many)
{
    if (s->n == 1)
        snprintf(s->said, sizeof(s->said), "1 %s: %s", one, s->names);
    else
        snprintf(s->said, sizeof(s->said), "%zu %s, such as %s", s->n, many, s->names);
    return s->said;
}

static void one_asterisk(struct doctor *d, const char *name, struct json_object *section)
{
    struct json_object *con = json_get_object(section, "ipbx_connection");
    struct asterisk_options o = {0};
    struct asterisk a;
    char what[128];

    if (!con) {
        doctor_people(d, name, section, NULL);
        return;
    }
    snprintf(what, sizeof(what), "the Asterisk %.64s", name);
    doctor_progress(d, what);
    asterisk_options_of(&o, d->cfg, con);
    if (o.host && *o.host && o.user && o.secret) { /* else that has been told */
        asterisk_read(&o, &a);
        asterisk_find(&d->f, name, &o, &a);
        doctor_certificate(d, name, &o);
        if (a.lists)
            doctor_phones(d, name, section, &a);
        doctor_people(d, name, section, &a);
        asterisk_free(&a);
    }
    asterisk_options_free(&o);
}

static void asterisks(struct doctor *d)
{
    struct json_object *ipbxes = config_section(d->cfg, "ipbxes");

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, section)
    {
        one_asterisk(d, name, section);
    }
}

static void add_reason(void *arg, const struct config_error *e)
{
    struct doctor *d = arg;
    bool missing = access(d->t->config, F_OK) < 0 && errno == ENOENT;

    findings_add(&d->f, FINDING_fault, "config", "No service starts without it.",
                 missing
                     ? "ctibus setup makes one from an Asterisk; --config FILE names one that is "
                       "elsewhere."
                     : "Run it as root, or as the user of the services.",
                 "%s: %s", e->file, e->reason);
}

/* No service could say more of it. Others than files are the services' to fetch. */
static bool is_there(struct doctor *d)
{
    struct config_errors errors = {0};
    struct config *cfg;

    if (strstr(d->t->config, "://") || access(d->t->config, R_OK) == 0)
        return true;
    cfg = config_read(d->t->config, NULL, &errors);
    config_each_error(&errors, add_reason, d);
    config_errors_free(&errors);
    config_destroy(&cfg);
    return d->f.count[FINDING_fault] == 0;
}

/* The faults of the file have been told by doctor_check; the rest of it may be examined. */
static void examine(struct doctor *d)
{
    struct config_overrides overrides = {0};
    struct config_errors errors = {0};
    struct config *cfg;
    char **variables;

    if (!is_there(d))
        return;
    doctor_units(d);
    doctor_check(d);
    variables = doctor_variables(d);
    overrides.env = variables;
    cfg = config_read(d->t->config, &overrides, &errors);
    config_errors_free(&errors);
    doctor_variables_free(variables);
    if (!cfg) {
        if (d->f.count[FINDING_fault] == 0)
            findings_add(&d->f, FINDING_fault, "config", "No service starts with it.",
                         "ctibus check tells what is wrong.", "%s cannot be used", d->t->config);
        return;
    }
    d->cfg = cfg;
    d->t->cfg = cfg;
    config_apply_timezone(cfg);
    doctor_services(d);
    doctor_ports(d);
    doctor_access(d);
    doctor_open(d);
    doctor_files(d);
    doctor_users(d);
    asterisks(d);
    doctor_links(d);
    findings_join(&d->f, "ami.write");
    findings_join(&d->f, "ami.read");
    d->t->cfg = NULL;
    config_destroy(&cfg);
}

static void report(struct doctor *d)
{
    static const char *const plural[] = {"s", "", "s"};
    unsigned faults = d->f.count[FINDING_fault];
    unsigned warnings = d->f.count[FINDING_warning];
    unsigned notes = d->f.count[FINDING_note];

    doctor_progress(d, "");
    if (d->t->json) {
        findings_print_json(&d->f, stdout);
    } else {
        findings_print(&d->f, stdout, FINDING_note);
        printf("%s%u fault%s, %u warning%s, %u note%s\n",
               faults + warnings ? "" : "Nothing is wrong: ", faults,
               plural[faults < 2 ? faults : 2], warnings, plural[warnings < 2 ? warnings : 2],
               notes, plural[notes < 2 ? notes : 2]);
    }
    d->t->exit_code = faults ? 2 : warnings ? 1 : 0;
}

static int run(struct tool *t, int argc, char **argv)
{
    struct doctor d = {.t = t,
                       .quiet = t->json || !isatty(STDERR_FILENO),
                       .root = "",
                       .closed = json_object_new_object(),
                       .heard = json_object_new_object(),
                       .here = json_object_new_object(),
                       .unready = json_object_new_object(),
                       .objects = json_object_new_object()};

    while (argc > 0 && tool_option(&argc, &argv, "root", &d.root))
        ;
    if (argc > 0) {
        tool_usage(t, &command_doctor);
    } else {
        buf_init(&d.said, 1 << 20);
        findings_init(&d.f);
        examine(&d);
        report(&d);
        findings_free(&d.f);
        doctor_units_free(&d);
        buf_free(&d.said);
    }
    json_object_put(d.closed);
    json_object_put(d.heard);
    json_object_put(d.here);
    json_object_put(d.unready);
    json_object_put(d.objects);
    return t->exit_code;
}

const struct command command_doctor = {
    .name = "doctor",
    .args = "[--root DIR]",
    .help = "Examines a site, running or stopped: configuration, services and their\n"
            "addresses, certificates, the database, each Asterisk's login, permissions,\n"
            "modules, phones, hints and clock, and the users' logins. Each finding says what\n"
            "is wrong, why it matters and what to do; with --json as a line of id, level,\n"
            "what, why, remedy. Exit code: 0 nothing, 1 warnings, 2 faults. Units of systemd\n"
            "are read for the services' users and variables, with --root those below DIR.",
    .examples = "$ ctibus doctor\n"
                "warning: /etc/ctibus/ctibus.json has passwords, and everybody may read it\n"
                "    why: Every user of this machine can read them.\n"
                "    do: chmod o= /etc/ctibus/ctibus.json\n"
                "0 faults, 1 warning, 0 notes",
    .run = run,
    .alone = true,
};
