/* Actions on the Asterisk as a whole: its database, its modules, its console, and NOTIFY to phones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "office/actions.h"

#define MAX_ENTRIES 100000

/* Families of the database that the dialplan looks at, by the number of the phone. */
static void obey(struct office *o, struct view family, struct view key, struct view value)
{
    struct person *p = office_person(o, key);

    if (!p)
        return;
    if (view_ieq(family, VIEW("DND")))
        p->dnd = value.len > 0 && !view_eq(value, VIEW("0")) && !view_ieq(value, VIEW("no"));
    else if (view_ieq(family, VIEW("CFIM")))
        snprintf(p->unconditional, sizeof(p->unconditional), "%.*s", VIEW_ARG(value));
    else if (view_ieq(family, VIEW("CFBS")))
        snprintf(p->busy, sizeof(p->busy), "%.*s", VIEW_ARG(value));
    else if (view_ieq(family, VIEW("CFNA")))
        snprintf(p->no_answer, sizeof(p->no_answer), "%.*s", VIEW_ARG(value));
}

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

static void forget(struct office *o, struct view key)
{
    free(map_del(o->database, key));
}

static void db_put(const struct ask *a)
{
    struct office *o = ask_office(a);
    struct view value = ami_get(a->b, "Val");
    struct buf key;
    char *entry;
    size_t len;

    if (!entry_of(a, &key))
        goto out;
    len = buf_len(&key);
    if (map_count(o->database) >= MAX_ENTRIES && !map_get(o->database, buf_view(&key))) {
        say_error(a->out, a->id, "Failed to update entry");
        goto out;
    }
    forget(o, buf_view(&key));
    buf_append_char(&key, '\0');
    buf_append_view(&key, value);
    entry = key.failed ? NULL : view_dup(buf_view(&key));
    if (!entry || map_put(o->database, view_of(entry, len), entry) < 0) {
        free(entry);
        say_error(a->out, a->id, "Failed to update entry");
        goto out;
    }
    obey(o, ami_get(a->b, "Family"), ami_get(a->b, "Key"), value);
    say_success(a->out, a->id, "Updated database successfully");
out:
    buf_free(&key);
}

static void db_get(const struct ask *a)
{
    struct office *o = ask_office(a);
    const char *entry;
    struct buf key;

    if (entry_of(a, &key)) {
        entry = map_get(o->database, buf_view(&key));
        if (!entry) {
            say_error(a->out, a->id, "Database entry not found");
        } else {
            ask_list(a, "Result will follow");
            ask_item(a, "DBGetResponse");
            say_header(a->out, VIEW("Family"), ami_get(a->b, "Family"));
            say_header(a->out, VIEW("Key"), ami_get(a->b, "Key"));
            say(a->out, "Val", entry + buf_len(&key) + 1);
            say_end(a->out);
            if (!o->old)
                ask_list_end(a, "DBGetComplete", 1, true);
        }
    }
    buf_free(&key);
}

static void db_del(const struct ask *a)
{
    struct office *o = ask_office(a);
    struct buf key;

    if (entry_of(a, &key)) {
        if (!map_get(o->database, buf_view(&key))) {
            say_error(a->out, a->id, "Database entry not found");
        } else {
            forget(o, buf_view(&key));
            obey(o, ami_get(a->b, "Family"), ami_get(a->b, "Key"), VIEW(""));
            say_success(a->out, a->id, "Key deleted successfully");
        }
    }
    buf_free(&key);
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
