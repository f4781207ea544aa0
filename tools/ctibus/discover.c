/* ctibus discover: what an Asterisk has, as JSON or CSV. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asterisk.h"
#include "base/array.h"
#include "json/json.h"

/* The first Asterisk of the configuration, or the one called `ipbx`, where no --host is given. */
static bool from_config(struct tool *t, const char *ipbx, struct asterisk_options *o,
                        struct config **cfg)
{
    struct json_object *all;

    *cfg = tool_config(t);
    all = *cfg ? config_section(*cfg, "ipbxes") : NULL;
    if (!all)
        return false;
    json_object_object_foreach(all, name, section)
    {
        struct json_object *con = json_get(section, "ipbx_connection");
        if (!con || (ipbx && strcmp(ipbx, name) != 0))
            continue;
        asterisk_options_of(o, *cfg, con);
        return true;
    }
    tool_fail(t, "%s: no ipbx%s%s with an ipbx_connection: give --host, --user and --secret",
              t->config, ipbx ? " " : "", ipbx ? ipbx : "");
    return false;
}

void tool_put_csv(struct buf *out, struct view text)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++)
        quoted = quoted || (text.ptr[i] && strchr(",;\"\r\n", text.ptr[i]));
    if (quoted)
        buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, text.ptr[i]);
    }
    if (quoted)
        buf_append_char(out, '"');
}

/* What the row of a user is found by: the number, or the id where several have that. */
static struct view number_of(struct json_object *users, size_t n, struct json_object *user)
{
    struct view number = json_get_view(user, "number");
    size_t same = 0;

    for (size_t i = 0; i < n; i++)
        same += view_eq(json_get_view(json_object_array_get_idx(users, i), "number"), number);
    return same > 1 ? json_get_view(user, "id") : number;
}

/* What comes of an Asterisk may have anything in it. */
static void put_csv_plain(struct buf *out, struct view text)
{
    struct buf plain;

    buf_init(&plain, 0);
    tool_put_plain(&plain, text);
    tool_put_csv(out, buf_view(&plain));
    buf_free(&plain);
}

/* The names stand in a column that is not read: those of the Asterisk count until somebody writes
 * another into firstname or lastname. */
void tool_put_people(struct buf *out, struct json_object *lists)
{
    struct json_object *users = json_get(lists, "users");
    size_t n = json_object_is_type(users, json_type_array) ? json_object_array_length(users) : 0;
    char name[256];

    buf_append_cstr(out, "number,login,password_hash,profile,firstname,lastname,mobile,email,agent,"
                         "groups,note\n");
    for (size_t i = 0; i < n; i++) {
        struct json_object *u = json_object_array_get_idx(users, i);
        struct view last = json_get_view(u, "lastname");
        snprintf(name, sizeof(name), "%.*s%s%.*s", VIEW_ARG(json_get_view(u, "firstname")),
                 last.len ? " " : "", VIEW_ARG(last));
        put_csv_plain(out, number_of(users, n, u));
        buf_append_cstr(out, ",,,,,,,,,,");
        put_csv_plain(out, view_cstr(name));
        buf_append_char(out, '\n');
    }
}

static void print(struct tool *t, const struct asterisk *a, bool csv)
{
    struct buf out;

    buf_init(&out, 0);
    if (csv)
        tool_put_people(&out, a->lists);
    else
        buf_append_cstr(&out,
                        json_object_to_json_string_ext(
                            a->lists, t->json ? JSON_C_TO_STRING_PLAIN : JSON_C_TO_STRING_PRETTY));
    if (!csv)
        buf_append_char(&out, '\n');
    fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
}

static void discover(struct tool *t, const struct asterisk_options *o, bool csv)
{
    struct asterisk a;
    struct findings f;

    findings_init(&f);
    asterisk_read(o, &a);
    if (a.lists)
        print(t, &a, csv);
    else
        t->exit_code = 1;
    asterisk_find(&f, o->host, o, &a);
    findings_join(&f, "ami.write");
    findings_join(&f, "ami.read");
    findings_print(&f, stderr, FINDING_warning);
    findings_free(&f);
    asterisk_free(&a);
}

static int run(struct tool *t, int argc, char **argv)
{
    struct asterisk_options o = {0};
    struct config *cfg = NULL;
    const char *ipbx = NULL;
    bool csv = false;

    while (argc > 0) {
        if (tool_option(&argc, &argv, "csv", NULL))
            csv = true;
        else if (!tool_option(&argc, &argv, "ipbx", &ipbx) && !asterisk_option(&argc, &argv, &o))
            return tool_usage(t, &command_discover);
    }
    if (o.bad_port)
        return tool_wrong(t, &command_discover, ASTERISK_BAD_PORT, o.bad_port);
    if (o.host && (!o.user || !o.secret))
        tool_fail(t, "--host needs --user, and --secret or CTIBUS_AMI_SECRET");
    else if (o.host || from_config(t, ipbx, &o, &cfg))
        discover(t, &o, csv);
    asterisk_options_free(&o);
    config_destroy(&cfg);
    return t->exit_code;
}

const struct command command_discover = {
    .name = "discover",
    .args = "[--ipbx ID | --host H --user U --secret S ...] [--csv]",
    .help = "Prints what an Asterisk has: users, lines, trunks, queues, agents, rooms,\n"
            "mailboxes and parking lots, as the lists that \"asterisk:\" stands for. --csv:\n"
            "its people, as a beginning of people.csv. Without --host the Asterisk of the\n"
            "configuration. Others: --port N, --tls, --tls-ca FILE, --tls-name NAME,\n"
            "--no-verify; the secret also by CTIBUS_AMI_SECRET.",
    .examples =
        "$ ctibus discover --ipbx xivo | jq -c .queues[0]\n"
        "{\"id\":\"sales\",\"name\":\"sales\",\"displayname\":\"sales\",\"number\":\"3002\",...\n"
        "$ ctibus discover --host pbx.example.org --user ctibus --secret secret --csv\n"
        "number,login,password_hash,profile,firstname,lastname,mobile,email,agent,groups,note\n"
        "1001,,,,,,,,,,Alice Martin\n"
        "...",
    .run = run,
    .alone = true,
};
