/* Actions on the Asterisk as a whole: its database, its modules, its console, and NOTIFY to phones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "office/actions.h"

/* The key of the map, "family/key"; false after an error was said. */
static bool entry_of(const struct ask *a, struct buf *key)
{
    struct view family = ami_get(a->b, "Family"), name = ami_get(a->b, "Key");

    buf_init(key, 4096);
    if (family.len == 0 || name.len == 0) {
        say_error(a->out, a->id, family.len ? "No key specified." : "No family specified.");
        return false;
    }
    buf_append_view(key, family);
    buf_append_char(key, '/');
    buf_append_view(key, name);
    return !key->failed;
}

static void db_put(const struct ask *a)
{
    struct buf path;

    if (entry_of(a, &path)) {
        if (database_put(ask_office(a), buf_view(&path), ami_get(a->b, "Val")))
            say_success(a->out, a->id, "Updated database successfully");
        else
            say_error(a->out, a->id, "Failed to update entry");
    }
    buf_free(&path);
}

static void db_get(const struct ask *a)
{
    const char *value;
    struct buf path;

    if (entry_of(a, &path)) {
        value = database_get(ask_office(a), buf_view(&path));
        if (!value) {
            say_error(a->out, a->id, "Database entry not found");
        } else {
            ask_list(a, "Result will follow");
            say(a->out, "Event", "DBGetResponse");
            say_header(a->out, VIEW("Family"), ami_get(a->b, "Family"));
            say_header(a->out, VIEW("Key"), ami_get(a->b, "Key"));
            say(a->out, "Val", value);
            if (a->id.len)
                say_header(a->out, VIEW("ActionID"), a->id);
            say_end(a->out);
            ask_list_end(a, "DBGetComplete", 1, false);
        }
    }
    buf_free(&path);
}

static void db_item(const struct ask *a, struct view path, const char *entry)
{
    buf_printf(a->out, "Event: DBGetTreeResponse\r\nKey: /%.*s\r\n", VIEW_ARG(path));
    say(a->out, "Val", entry + path.len + 1);
    if (a->id.len)
        say_header(a->out, VIEW("ActionID"), a->id);
    say_end(a->out);
}

static void db_get_tree(const struct ask *a)
{
    struct view family = ami_get(a->b, "Family"), path;
    unsigned items = 0;
    size_t pos = 0;
    void *entry;

    ask_list(a, "Result will follow");
    while (map_next(ask_office(a)->database, &pos, &path, &entry)) {
        struct view rest = path;
        if (family.len && !view_eq(view_cut(&rest, '/'), family))
            continue;
        db_item(a, path, entry);
        items++;
    }
    ask_list_end(a, "DBGetTreeComplete", items, false);
}

static void db_del(const struct ask *a)
{
    struct buf path;

    if (entry_of(a, &path)) {
        if (database_del(ask_office(a), buf_view(&path)))
            say_success(a->out, a->id, "Key deleted successfully");
        else
            say_error(a->out, a->id,
                      ask_office(a)->old ? "Database entry not found"
                                         : "Database entry could not be deleted");
    }
    buf_free(&path);
}

static void reload(const struct ask *a)
{
    struct view module = ami_get(a->b, "Module");
    struct office *o = ask_office(a);
    struct buf *out;

    say_success(a->out, a->id, "Module Reloaded");
    out = tell_begin(o, "Reload", "system");
    say_header(out, VIEW("Module"), module.len ? module : VIEW("All"));
    if (o->old)
        say(out, "Message", "Reload");
    else
        say(out, "Status", "0");
    tell_end(o);
}

static void module_load(const struct ask *a)
{
    if (view_ieq(ami_get(a->b, "LoadType"), VIEW("reload")))
        reload(a);
    else
        say_success(a->out, a->id, "Module loaded successfully.");
}

/* What a NOTIFY asks of the phone. */
static bool wants(const struct ask *a, const char *what)
{
    for (unsigned i = 0; i < a->b->n; i++) {
        struct view rest = a->b->headers[i].value;
        if (view_ieq(a->b->headers[i].name, VIEW("Variable")) &&
            view_ieq(view_trim(view_cut(&rest, '=')), VIEW("Event")) &&
            view_ieq(view_trim(rest), view_cstr(what)))
            return true;
    }
    return false;
}

static struct leg *find(const struct person *p, bool rings)
{
    struct leg *l;

    LIST_FOREACH(l, &p->legs, of_person)
    if (rings ? l->job == JOB_RINGS : l->state == STATE_UP && link_peer(l))
        break;
    return l;
}

/* With one call up and another that rings, the first goes on hold, as phones do. */
static void talk(struct person *p)
{
    struct leg *ringing = find(p, true), *up = find(p, false);

    if (!ringing) {
        if (up && up->holds)
            leg_hold(up, false);
        return;
    }
    if (up && !up->holds)
        leg_hold(up, true);
    dial_answer(ringing);
}

static void notify(const struct ask *a)
{
    struct office *o = ask_office(a);
    struct view name = ami_get(a->b, o->old ? "Channel" : "Endpoint");
    struct person *p;
    struct leg *up;
    char device[96];

    snprintf(device, sizeof(device), "%s%s%.*s", view_find(name, VIEW("/")) < 0 ? o->tech : "",
             view_find(name, VIEW("/")) < 0 ? "/" : "", VIEW_ARG(name));
    p = office_device(o, view_cstr(device));
    if (name.len == 0 || !p) {
        say_error(a->out, a->id, "Unable to retrieve endpoint %.*s", VIEW_ARG(name));
        return;
    }
    say_success(a->out, a->id, "NOTIFY sent");
    if (wants(a, "talk")) {
        talk(p);
    } else if (wants(a, "hold")) {
        up = find(p, false);
        if (up)
            leg_hold(up, !up->holds);
    }
}

static void core_settings(const struct ask *a)
{
    const struct office *o = ask_office(a);

    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "AMIversion", o->world->capture.version);
    say(a->out, "AsteriskVersion", o->old ? "1.8.0-office" : "20.0.0-office");
    say(a->out, "SystemName", "");
    say(a->out, "CoreMaxCalls", "0");
    say(a->out, "CoreMaxLoadAvg", "0.000000");
    say(a->out, "CoreCDRenabled", "Yes");
    say(a->out, "CoreHTTPenabled", "No");
    say_end(a->out);
}

static void core_status(const struct ask *a)
{
    const struct office *o = ask_office(a);
    time_t began = (time_t)o->epoch_s;
    struct tm tm;

    gmtime_r(&began, &tm);
    say_response(a->out, "Success", a->id, NULL);
    for (int i = 0; i < 2; i++) {
        const char *what = i ? "Reload" : "Startup";
        buf_printf(a->out, "Core%sDate: %04d-%02d-%02d\r\nCore%sTime: %02d:%02d:%02d\r\n", what,
                   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, what, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
    }
    say_number(a->out, "CoreCurrentCalls", (int64_t)(o->n_legs + 1) / 2);
    if (!o->old)
        say_number(a->out, "CoreProcessedCalls", (int64_t)o->calls);
    say_end(a->out);
}

static void module_check(const struct ask *a)
{
    say_success(a->out, a->id, NULL);
}

static void command(const struct ask *a)
{
    struct view text = ami_get(a->b, "Command");

    console_command(a);
    if (view_starts(text, VIEW("channel request hangup "))) {
        struct leg *l = office_leg(ask_office(a), view_of(text.ptr + 23, text.len - 23));
        if (l)
            leg_after(l, 0, leg_done);
    }
}

const struct office_row office_site_rows[] = {
    {{"DBPut", db_put, false}, BOTH},
    {{"DBGet", db_get, false}, BOTH},
    {{"DBGetTree", db_get_tree, false}, ONLY_NEW},
    {{"DBDel", db_del, false}, BOTH},
    {{"Reload", reload, false}, BOTH},
    {{"ModuleLoad", module_load, false}, BOTH},
    {{"ModuleCheck", module_check, false}, BOTH},
    {{"ModuleReload", reload, false}, BOTH},
    {{"PJSIPNotify", notify, false}, ONLY_NEW},
    {{"SIPnotify", notify, false}, ONLY_OLD},
    {{"CoreSettings", core_settings, false}, BOTH},
    {{"CoreStatus", core_status, false}, BOTH},
    {{"ListCommands", office_list_commands, false}, BOTH},
    {{"Command", command, false}, BOTH},
};
const size_t office_n_site_rows = ARRAY_SIZE(office_site_rows);
