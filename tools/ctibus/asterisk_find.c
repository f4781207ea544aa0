/* What is wrong with an Asterisk that was read, and what its administrator can do. That it was not
 * reached: asterisk_login.c. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "asterisk.h"
#include "base/array.h"
#include "json/json.h"

#define CLOCK_S 2

/* ---- what is done for the manager user ---- */

static void put_line(struct buf *out, const struct asterisk *a, const struct asterisk_options *o,
                     const char *line)
{
    const struct discovery_manager *m = discovery_manager(a->is_freepbx);

    buf_printf(out, "in %s, %s%s%s: %s\nThen: %s", m->place, a->is_freepbx ? "user " : "section [",
               asterisk_user(o), a->is_freepbx ? "" : "]", line, m->then);
}

/* ---- permissions ---- */

/* A class is there if an action that needs it alone, and is in every Asterisk, is listed. Where
 * that action belongs to a module, another of the module is listed without any permission. */
static const struct {
    const char *class, *action, *with;
    enum finding_level level;
    const char *why;
} rights[] = {
    {"system", "DBPut", NULL, FINDING_fault,
     "Services that users set do not reach Asterisk, and its PJSIP endpoints cannot be listed."},
    {"call", "Redirect", NULL, FINDING_fault,
     "Nobody can transfer, pick up, hang up or park a call from the panel."},
    {"originate", "Originate", NULL, FINDING_fault, "Nobody can call by a click."},
    {"reporting", "ShowDialPlan", NULL, FINDING_fault,
     "Phones, mailboxes, rooms and the numbers of queues cannot be listed in full."},
    {"agent", "QueueAdd", "QueueStatus", FINDING_fault,
     "Agents cannot log in, log out or pause from the panel."},
    {"user", "UserEvent", NULL, FINDING_warning,
     "Asterisk and its dialplan are not told of services that users set."},
    {"command", "Command", NULL, FINDING_warning,
     "Web interfaces cannot run console commands, and what this user may read cannot be checked."},
};

static bool has(struct json_object *set, const char *key)
{
    return json_object_object_get_ex(set, key, NULL);
}

/* Was an action refused for want of this class? */
static const char *refused_for(const struct asterisk *a, const char *class)
{
    json_object_object_foreach(a->refused, action, permission)
    {
        if (strcmp(json_object_get_string(permission), class) == 0)
            return action;
    }
    return NULL;
}

static bool lacks(const struct asterisk *a, size_t i)
{
    bool told = has(a->actions, "Ping");

    if (refused_for(a, rights[i].class))
        return true;
    if (has(a->missing, rights[i].action))
        return false; /* nobody may use what is not there */
    return told && !has(a->actions, rights[i].action) &&
           (!rights[i].with || has(a->actions, rights[i].with));
}

static void find_write(struct findings *f, const char *name, const struct asterisk_options *o,
                       const struct asterisk *a)
{
    struct buf remedy;
    char id[64];

    buf_init(&remedy, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
        if (!lacks(a, i))
            continue;
        buf_reset(&remedy);
        put_line(&remedy, a, o, "write = " ASTERISK_WRITE);
        snprintf(id, sizeof(id), "ami.write.%s", rights[i].class);
        findings_add(f, rights[i].level, id, rights[i].why, buf_cstr(&remedy),
                     "%s: the manager user %s has no `%s` in write", name, asterisk_user(o),
                     rights[i].class);
    }
    buf_free(&remedy);
}

static bool has_class(const char *list, const char *class)
{
    struct view rest = view_cstr(list);

    while (rest.len) {
        struct view word = view_trim(view_cut(&rest, ','));
        if (view_eq(word, view_cstr(class)) || view_eq(word, VIEW("all")))
            return true;
    }
    return false;
}

static const struct {
    const char *class;
    enum finding_level level;
    const char *why;
} events[] = {
    {"system", FINDING_warning, "A restart or reload of Asterisk is not noticed at once."},
    {"call", FINDING_fault, "Calls and the states of phones are not seen."},
    {"agent", FINDING_fault, "Queues, their callers and agents are not seen as they change."},
    {"user", FINDING_warning, "What the dialplan tells with UserEvent is not heard."},
    {"originate", FINDING_warning, "The result of a call by a click is not known."},
    {"dialplan", FINDING_warning, "Variables of calls are not known: sheets lack what they show."},
    {"reporting", FINDING_warning, "Quality reports and some listings are not heard."},
};

static void find_read(struct findings *f, const char *name, const struct asterisk_options *o,
                      const struct asterisk *a)
{
    struct buf remedy;
    char id[64];

    if (!*a->read) {
        findings_add(f, FINDING_note, "ami.read", "Without a class its events do not come.",
                     "See that `read` has " ASTERISK_READ ", or add `command` to `write`.",
                     "%s: which events the manager user %s gets could not be seen", name,
                     asterisk_user(o));
        return;
    }
    buf_init(&remedy, 4096);
    for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
        if (has_class(a->read, events[i].class))
            continue;
        buf_reset(&remedy);
        put_line(&remedy, a, o, "read = " ASTERISK_READ);
        snprintf(id, sizeof(id), "ami.read.%s", events[i].class);
        findings_add(f, events[i].level, id, events[i].why, buf_cstr(&remedy),
                     "%s: the manager user %s has no `%s` in read", name, asterisk_user(o),
                     events[i].class);
    }
    buf_free(&remedy);
}

/* ---- modules and clock ---- */

static void find_modules(struct findings *f, const char *name, const struct asterisk *a)
{
    struct json_object *lines = json_get(a->lists, "lines");

    if (has(a->missing, "QueueStatus"))
        findings_add(f, FINDING_warning, "asterisk.app_queue", "There are no queues and no agents.",
                     "Where they are wanted, in modules.conf: load = app_queue.so\n"
                     "Then: asterisk -rx \"module load app_queue.so\"",
                     "%s: this Asterisk has not loaded app_queue", name);
    if (json_object_array_length(lines) > 0)
        return;
    if (has(a->missing, "PJSIPShowEndpoints") && has(a->missing, "SIPpeers"))
        findings_add(f, FINDING_fault, "asterisk.res_pjsip", "There are no SIP phones.",
                     "In modules.conf: load = res_pjsip.so and load = chan_pjsip.so (before 13: "
                     "chan_sip.so)\nThen restart Asterisk.",
                     "%s: this Asterisk has loaded neither res_pjsip nor chan_sip", name);
    else if (json_object_object_length(a->refused) == 0)
        findings_add(f, FINDING_warning, "asterisk.phones", "The panel stays empty.",
                     "Is this the right Asterisk? asterisk -rx \"pjsip show endpoints\"",
                     "%s: this Asterisk has no phones", name);
}

static void find_clock(struct findings *f, const char *name, const struct asterisk *a)
{
    if (a->has_clock && fabs(a->clock_ahead) > CLOCK_S)
        findings_add(f, FINDING_warning, "asterisk.clock",
                     "Durations of calls and times of the history are wrong by as much.",
                     "Set up NTP on both machines: timedatectl set-ntp true",
                     "%s: the clock of this Asterisk is %.0f s %s that of this machine", name,
                     fabs(a->clock_ahead), a->clock_ahead > 0 ? "ahead of" : "behind");
}

void asterisk_find(struct findings *f, const char *name, const struct asterisk_options *o,
                   const struct asterisk *a)
{
    if (!a->lists) {
        asterisk_find_login(f, name, o, a);
        return;
    }
    find_write(f, name, o, a);
    find_read(f, name, o, a);
    find_modules(f, name, a);
    find_clock(f, name, a);
}
