/* ctibus setup: from the address of an AMI to a configuration that runs. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "asterisk.h"
#include "base/array.h"
#include "csv/staff.h"
#include "setup_files.h"
#include "json/json.h"

#define MAX_ANSWER 256

/* What the configuration has beside the site itself: profiles, presences, sheets... */
__asm__(".pushsection .rodata\n"
        "setup_template:\n"
        ".incbin \"" CTIBUS_SITE_TEMPLATE "\"\n"
        "setup_template_end:\n"
        ".popsection\n");
extern const char setup_template[], setup_template_end[];

struct setup {
    struct tool *t;
    struct asterisk_options asterisk;
    const char *dir;  /* where the files are written */
    const char *name; /* of the IPBX */
    bool yes, force;
    char host[MAX_ANSWER], user[MAX_ANSWER], secret[MAX_ANSWER];
};

/* ---- asking ---- */

static bool echo(bool on)
{
    struct termios t;

    if (tcgetattr(STDIN_FILENO, &t) < 0)
        return false;
    t.c_lflag = on ? t.c_lflag | ECHO : t.c_lflag & ~(tcflag_t)ECHO;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &t) == 0;
}

bool tool_prompt(const char *what, const char *otherwise, bool secret, char *out, size_t size)
{
    /* before it is asked for: what is typed at once is neither shown nor lost */
    bool hidden = secret && echo(false);

    fprintf(stderr, "%s%s%s%s: ", what, otherwise ? " [" : "", otherwise ? otherwise : "",
            otherwise ? "]" : "");
    if (!fgets(out, (int)size, stdin))
        out[0] = '\0';
    if (hidden) {
        echo(true);
        fputc('\n', stderr);
    }
    out[strcspn(out, "\r\n")] = '\0';
    if (!*out && otherwise)
        snprintf(out, size, "%s", otherwise);
    return *out != '\0';
}

static bool need(struct setup *s, const char **value, const char *what, const char *otherwise,
                 bool secret, char *room)
{
    if (*value)
        return true;
    if (s->yes && otherwise) {
        *value = otherwise;
        return true;
    }
    if (!s->yes && isatty(STDIN_FILENO) && tool_prompt(what, otherwise, secret, room, MAX_ANSWER)) {
        *value = room;
        return true;
    }
    tool_fail(s->t, "%s is not given", what);
    return false;
}

/* Unlike the others it has a value that is right almost everywhere: without a terminal that counts.
 */
static bool ask_port(struct setup *s)
{
    char usual[8];
    char text[MAX_ANSWER];

    snprintf(usual, sizeof(usual), "%u", (unsigned)asterisk_port(&s->asterisk));
    if (s->asterisk.port || s->yes || !isatty(STDIN_FILENO))
        return true;
    tool_prompt("port of its manager interface (--port)", usual, false, text, sizeof(text));
    if (strcmp(text, usual) == 0 || asterisk_read_port(text, &s->asterisk.port))
        return true;
    tool_fail(s->t, ASTERISK_BAD_PORT, text);
    return false;
}

static bool ask(struct setup *s)
{
    return need(s, &s->asterisk.host, "host of the Asterisk (--host)", "127.0.0.1", false,
                s->host) &&
           ask_port(s) &&
           need(s, &s->asterisk.user, "user of its manager interface (--user)", "ctibus", false,
                s->user) &&
           need(s, &s->asterisk.secret, "secret (--secret, or CTIBUS_AMI_SECRET)", NULL, true,
                s->secret);
}

/* ---- showing ---- */

static size_t count(const struct asterisk *a, const char *list)
{
    struct json_object *o = json_get(a->lists, list);

    return o ? json_object_array_length(o) : 0;
}

/* The second only where it says more than the first. */
static void put_some(struct buf *out, const struct asterisk *a, const char *list, const char *field,
                     const char *more)
{
    struct json_object *all = json_get(a->lists, list);
    size_t n = count(a, list);

    for (size_t i = 0; i < n && i < 4; i++) {
        struct json_object *o = json_object_array_get_idx(all, i);
        struct view name = json_get_view(o, field);
        struct view extra = more ? json_get_view(o, more) : view_of(NULL, 0);
        buf_printf(out, "%s%.*s", i ? ", " : "", VIEW_ARG(name));
        if (extra.len && !view_eq(extra, name))
            buf_printf(out, " %.*s", VIEW_ARG(extra));
    }
    if (n > 4)
        buf_append_cstr(out, ", ...");
}

static void show(const struct setup *s, const struct asterisk *a)
{
    static const struct {
        const char *list, *one, *many, *field, *more;
    } rows[] = {
        {"users", "person", "people", "number", "firstname"},
        {"lines", "phone", "phones", "name", NULL},
        {"trunks", "trunk", "trunks", "name", NULL},
        {"queues", "queue", "queues", "name", "number"},
        {"agents", "agent", "agents", "number", NULL},
        {"meetmes", "conference room", "conference rooms", "confno", NULL},
        {"voicemails", "mailbox", "mailboxes", "uniqueid", NULL},
        {"parkinglot", "parking lot", "parking lots", "name", "extension"},
    };
    struct buf some;

    /* the greeting has the version of the interface, not that of Asterisk */
    if (*a->version)
        tool_say(stdout, "%s is Asterisk %s (%s). It has:", s->asterisk.host, a->version,
                 a->banner);
    else
        tool_say(stdout,
                 "%s answers as %s; the version of Asterisk is not shown to this user. It has:",
                 s->asterisk.host, a->banner);
    puts("");
    buf_init(&some, 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        size_t n = count(a, rows[i].list);
        buf_reset(&some);
        put_some(&some, a, rows[i].list, rows[i].field, rows[i].more);
        tool_say(stdout, n ? "  %6zu %-17s %s" : "  %6zu %s%s", n,
                 n == 1 ? rows[i].one : rows[i].many, n ? buf_cstr(&some) : "");
    }
    buf_free(&some);
}

/* ---- the files ---- */

static void put(struct json_object *o, const char *key, struct json_object *v)
{
    if (json_object_object_add(o, key, v) < 0)
        json_object_put(v);
}

static struct json_object *strings(const char *a, const char *b)
{
    struct json_object *array = json_object_new_array();

    json_object_array_add(array, json_object_new_string(a));
    if (b)
        json_object_array_add(array, json_object_new_string(b));
    return array;
}

static struct json_object *make_ipbx(const struct setup *s)
{
    static const char *const lists[] = {"users",  "lines",   "trunks",     "queues",
                                        "agents", "meetmes", "voicemails", "parkinglot"};
    const struct asterisk_options *o = &s->asterisk;
    struct json_object *con = json_object_new_object();
    struct json_object *urls = json_object_new_object();
    struct json_object *ipbx = json_object_new_object();
    char key[64];
    char ca[PATH_MAX];

    put(con, "ipaddress", json_object_new_string(o->host));
    if (o->port)
        put(con, "ipport", json_object_new_int(o->port));
    put(con, "username", json_object_new_string(o->user));
    put(con, "password", json_object_new_string(o->secret));
    if (o->tls)
        put(con, "tls", json_object_new_boolean(1));
    if (o->tls_ca) /* in the configuration it would be relative to that */
        put(con, "tls_ca", json_object_new_string(realpath(o->tls_ca, ca) ? ca : o->tls_ca));
    if (o->tls_name)
        put(con, "tls_name", json_object_new_string(o->tls_name));
    if (o->no_verify)
        put(con, "tls_verify", json_object_new_boolean(0));
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        snprintf(key, sizeof(key), "urllist_%s", lists[i]);
        put(urls, key, strings("asterisk:", i == 0 ? "csv:people.csv" : NULL));
    }
    put(ipbx, "ipbx_connection", con);
    put(ipbx, "urllists", urls);
    return ipbx;
}

/* One directory, of the colleagues, for everybody. */
static void set_directories(struct json_object *cfg)
{
    struct json_object *context = json_object_new_object();
    struct json_object *contexts = json_object_new_object();
    struct json_object *extens = json_object_new_object();

    json_object_object_del(json_get(cfg, "directories"), "contacts");
    put(extens, "*", strings("internal", NULL));
    put(context, "directories", strings("internal", NULL));
    put(context, "display", json_object_new_string("std"));
    put(context, "didextens", extens);
    put(contexts, "default", context);
    put(cfg, "contexts", contexts);
}

static struct json_object *make_config(const struct setup *s, const struct asterisk *a)
{
    struct json_object *cfg = NULL;
    struct json_object *ipbxes = json_object_new_object();
    struct json_object *features = json_object_new_object();
    struct json_object *own;
    struct json_parser p;

    if (json_parser_init(&p) < 0)
        return NULL;
    json_parse(&p,
               view_of(setup_template, (uintptr_t)setup_template_end - (uintptr_t)setup_template),
               &cfg);
    json_parser_fini(&p);
    put(ipbxes, s->name, make_ipbx(s));
    put(cfg, "ipbxes", ipbxes);
    set_directories(cfg);
    own = json_get(cfg, "ctibus");
    json_object_object_del(own, "agents");
    /* FreePBX keeps services in its database, and devices for them in its hints */
    put(features, "publish", a->is_freepbx ? strings("astdb", "devstate") : strings("agi", NULL));
    put(own, "features", features);
    return cfg;
}

static bool is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return *name && strlen(name) <= 64 && strspn(name, letters) == strlen(name);
}

/* They have their texts when these are known. */
static struct site_files files_of(const struct setup *s)
{
    return (struct site_files){.t = s->t,
                               .dir = s->dir,
                               .force = s->force,
                               .n = 2,
                               .files = {{.name = "ctibus.json"}, {.name = "people.csv"}}};
}

/* How many logins the file of the people that is there has; 0 also where it cannot be read. */
static size_t logins_there(const struct setup *s)
{
    struct json_object *people = NULL;
    char path[PATH_MAX];
    struct buf file;
    size_t n = 0;

    buf_init(&file, STAFF_MAX_BYTES);
    snprintf(path, sizeof(path), "%s/people.csv", s->dir);
    if (buf_read_file(&file, path) == 0)
        people = staff_read(buf_view(&file), NULL, NULL);
    for (size_t i = 0; people && i < json_object_array_length(people); i++)
        n += json_get_view(json_object_array_get_idx(people, i), "loginclient").len > 0;
    json_object_put(people);
    buf_free(&file);
    return n;
}

static void tell_next(const struct setup *s)
{
    struct buf path, word;

    buf_init(&path, 0);
    buf_init(&word, 0);
    buf_printf(&path, "%s/ctibus.json", s->dir);
    tool_put_word(&word, buf_cstr(&path));
    puts("\nNow give somebody a login, and start the services:\n");
    tool_say(stdout, "    ctibus --config %s passwd LOGIN --number NUMBER", buf_cstr(&word));
    tool_say(stdout, "    ctibus-state --config %s &", buf_cstr(&word));
    tool_say(stdout, "    ctibus-ami-gw --config %s &", buf_cstr(&word));
    tool_say(stdout, "    ctibus-cti-gw --config %s &", buf_cstr(&word));
    puts("\nand open http://127.0.0.1:5080/");
    buf_free(&word);
    buf_free(&path);
}

static void write_files(const struct setup *s, const struct asterisk *a)
{
    struct json_object *cfg = make_config(s, a);
    struct site_files files = files_of(s);
    size_t logins = logins_there(s);
    struct buf text, people;

    buf_init(&text, 0);
    buf_init(&people, 0);
    buf_append_cstr(&text, json_object_to_json_string_ext(cfg, JSON_C_TO_STRING_PRETTY |
                                                                   JSON_C_TO_STRING_NOSLASHESCAPE));
    buf_append_char(&text, '\n');
    tool_put_people(&people, a->lists);
    files.files[0].text = buf_view(&text);
    files.files[1].text = buf_view(&people);
    files.files[1].stays = logins > 0;
    puts("");
    if (site_files_write(&files)) {
        if (logins > 0)
            tool_say(stdout, "left %s/people.csv as it is: it has %zu login%s", s->dir, logins,
                     logins == 1 ? "" : "s");
        tell_next(s);
    }
    buf_free(&people);
    buf_free(&text);
    json_object_put(cfg);
}

/* ---- the command ---- */

static void setup(struct setup *s)
{
    struct asterisk a;
    struct findings f;

    findings_init(&f);
    asterisk_read(&s->asterisk, &a);
    asterisk_find(&f, s->asterisk.host, &s->asterisk, &a);
    findings_join(&f, "ami.write");
    findings_join(&f, "ami.read");
    if (a.lists) {
        show(s, &a);
        if (f.count[FINDING_fault] + f.count[FINDING_warning])
            puts("\nProblems found:\n");
        findings_print(&f, stdout, FINDING_warning);
        write_files(s, &a);
    } else {
        findings_print(&f, stderr, FINDING_warning);
        s->t->exit_code = 1;
    }
    findings_free(&f);
    asterisk_free(&a);
}

static int run(struct tool *t, int argc, char **argv)
{
    struct setup s = {.t = t, .dir = ".", .name = "xivo"};
    struct site_files files;

    while (argc > 0) {
        if (tool_option(&argc, &argv, "yes", NULL))
            s.yes = true;
        else if (tool_option(&argc, &argv, "force", NULL))
            s.force = true;
        else if (!tool_option(&argc, &argv, "dir", &s.dir) &&
                 !tool_option(&argc, &argv, "name", &s.name) &&
                 !asterisk_option(&argc, &argv, &s.asterisk))
            return tool_usage(t, &command_setup);
    }
    if (s.asterisk.bad_port)
        return tool_wrong(t, &command_setup, ASTERISK_BAD_PORT, s.asterisk.bad_port);
    files = files_of(&s);
    if (!is_name(s.name))
        tool_fail(t, "--name %s: a name has letters, digits, _ and -", s.name);
    else if (site_files_may(&files) && ask(&s))
        setup(&s);
    return t->exit_code;
}

const struct command command_setup = {
    .name = "setup",
    .args = "[--host H] [--port N] [--user U] [--secret S] [--dir DIR] [--yes] [--force]",
    .help = "Makes the configuration of a site: logs in to its Asterisk, shows what is there,\n"
            "says what the manager user may not do, and writes ctibus.json and people.csv into\n"
            "DIR (.). Files that are there stay; with --force they are kept as NAME.old beside\n"
            "new ones, and a people.csv with logins is left as it is. What is not given is\n"
            "asked for; --yes asks nothing and takes host 127.0.0.1, port 5038 (with TLS\n"
            "5039) and user ctibus. Others: --name ID (xivo) for the IPBX, --tls; --tls-ca\n"
            "FILE, --tls-name NAME (whom the certificate is for, if not the host) and\n"
            "--no-verify, which mean TLS, too; the secret also by CTIBUS_AMI_SECRET.",
    .examples = "$ ctibus setup --host pbx.example.org --user ctibus --dir site\n"
                "port of its manager interface (--port) [5038]:\n"
                "secret (--secret, or CTIBUS_AMI_SECRET):\n"
                "pbx.example.org is Asterisk 20.9.3 (Asterisk Call Manager/9.0.0). It has:\n"
                "...\n"
                "wrote site/ctibus.json\n"
                "wrote site/people.csv\n"
                "...",
    .run = run,
    .alone = true,
};
