/* What the extensions do. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

#define RING_SECONDS 20
#define MAX_HOPS 5

/* A number outside: a '+' or at least six digits. */
static bool is_outside(struct view exten)
{
    if (exten.len && exten.ptr[0] == '+')
        return true;
    for (size_t i = 0; i < exten.len; i++)
        if (exten.ptr[i] < '0' || exten.ptr[i] > '9')
            return false;
    return exten.len >= 6;
}

static struct queue *queue_of(struct office *o, struct view exten, bool did)
{
    for (size_t i = 0; i < COMPANY_QUEUES; i++) {
        const struct company_queue *is = o->queues[i].is;
        if (view_eq(exten, view_cstr(did ? is->did : is->number)))
            return &o->queues[i];
    }
    return NULL;
}

static bool is_space(struct view exten, unsigned *space)
{
    uint64_t n;

    if (exten.len != 3 || view_to_u64(exten, &n) < 0 || n < COMPANY_LOT_FIRST ||
        n >= COMPANY_LOT_FIRST + COMPANY_LOT_SPACES)
        return false;
    *space = (unsigned)n;
    return true;
}

/* What comes behind a service code, when the extension begins with it. */
static bool has_code(struct view exten, const char *code, struct view *rest)
{
    if (!view_starts(exten, view_cstr(code)))
        return false;
    *rest = view_of(exten.ptr + strlen(code), exten.len - strlen(code));
    return true;
}

bool dialplan_knows(struct office *o, struct view context, struct view exten)
{
    unsigned space;

    if (view_eq(context, VIEW("from-extern")))
        return queue_of(o, exten, true) || (exten.len == 10 && exten.ptr[0] == '0');
    if (view_eq(context, VIEW("parkedcalls")))
        return is_space(exten, &space);
    if (!view_eq(context, VIEW("default")))
        return view_eq(context, VIEW("txfax"));
    return office_person(o, exten) || queue_of(o, exten, false) || is_space(exten, &space) ||
           view_eq(exten, VIEW(COMPANY_ROOM)) || view_eq(exten, VIEW(COMPANY_LOT_EXTEN)) ||
           is_outside(exten) || (exten.len > 1 && exten.ptr[0] == '*');
}

static void own_caller_id(struct leg *l)
{
    const char *how = leg_variable(l, VIEW("XIVO_ORIGAPPLI"));

    if (!l->person || !how || strcmp(how, "OrigDial") != 0)
        return;
    snprintf(l->num, sizeof(l->num), "%s", l->person->is.number);
    snprintf(l->caller, sizeof(l->caller), "%s", l->person->full);
    tell_caller_id(l);
}

static void tell_user(struct leg *l, const struct person *p)
{
    const char *action = leg_variable(l, VIEW("XIVO_ORIGACTIONID"));
    const char *how = leg_variable(l, VIEW("XIVO_ORIGAPPLI"));
    char user[16] = "";

    if (l->person)
        snprintf(user, sizeof(user), "%u", l->person->id);
    tell_user_event(l, "User",
                    "UNIQUEID: %s\r\nCHANNEL: %s\r\nXIVO_USERID: %s\r\nXIVO_LINEID: %u\r\n"
                    "XIVO_DSTID: %u\r\nXIVO_SRCNUM: %s\r\nXIVO_DSTNUM: %s\r\n"
                    "XIVO_CALLORIGIN: %s\r\nXIVO_CONTEXT: default\r\n",
                    l->uniqueid, l->name, user, p->id, p->id, l->num, p->is.number,
                    l->person ? "intern" : "extern");
    leg_place(l, "user", "s", 9);
    tell_user_event(
        l, "LocalCall",
        "XIVO_ORIGACTIONID: %s\r\nXIVO_ORIGAPPLI: %s\r\nCHANNEL: %s\r\nUNIQUEID: %s\r\n",
        action ? action : "", how ? how : "", l->name, l->uniqueid);
}

static void to_person(struct leg *l, struct person *p)
{
    own_caller_id(l);
    leg_place(l, "user", "s", 6);
    tell_user(l, p);
    leg_place(l, "user", "s", 10);
    if (l->office->world->newexten)
        leg_app(l, "AGI", "agi://127.0.0.1:5002/callerid_forphones,%u", p->id);
    if (*p->unconditional && l->hops++ < MAX_HOPS) {
        dialplan_go(l, "default", p->unconditional);
        return;
    }
    if (p->dnd) {
        leg_app(l, "Goto", "BUSY,1");
        leg_place(l, "user", "BUSY", 2);
        mailbox_speak(l, p, "b");
        return;
    }
    leg_place(l, "user", "s", 11);
    dial(l, p, NULL, RING_SECONDS);
}

static void to_queue(struct leg *l, struct queue *q)
{
    char user[16] = "";

    own_caller_id(l);
    if (l->person)
        snprintf(user, sizeof(user), "%u", l->person->id);
    leg_place(l, "queue", "s", 2);
    tell_user_event(l, "Queue",
                    "UNIQUEID: %s\r\nCHANNEL: %s\r\nXIVO_USERID: %s\r\nXIVO_DSTID: %d\r\n"
                    "XIVO_SRCNUM: %s\r\nXIVO_DSTNUM: %s\r\nXIVO_CONTEXT: default\r\n",
                    l->uniqueid, l->name, user, (int)(q - l->office->queues) + 1, l->num,
                    q->is->number);
    leg_place(l, "queue", "s", 3);
    leg_app(l, "Answer", "%s", "");
    leg_set_state(l, STATE_UP);
    leg_place(l, "queue", "s", 4);
    leg_app(l, "Queue", "%s,tTkKhHxX,,,%u", q->is->name, q->is->timeout_s);
    queue_join(l, q);
}

static void answered(struct leg *l, const char *context, const char *exten, int priority)
{
    leg_place(l, context, exten, priority);
    leg_app(l, "Answer", "%s", "");
    leg_set_state(l, STATE_UP);
    leg_place(l, context, exten, priority + 1);
}

static void to_room(struct leg *l)
{
    own_caller_id(l);
    answered(l, "meetme", "s", 2);
    if (l->office->old)
        leg_app(l, "MeetMe", "%s,d", COMPANY_ROOM);
    else
        leg_app(l, "ConfBridge", "%s,default_bridge,default_user", COMPANY_ROOM);
    room_join(l, false);
}

static void to_outside(struct leg *l, const char *number)
{
    own_caller_id(l);
    leg_place(l, "default", number, 2);
    dial(l, NULL, number, 60);
}

static void to_space(struct leg *l, unsigned space)
{
    leg_app(l, "ParkedCall", "default,%u", space);
    leg_set_state(l, STATE_UP);
    parking_fetch(l, space);
}

static void hangs_up(struct leg *l)
{
    leg_app(l, "Hangup", "%s", "");
    leg_after(l, 0, leg_done);
}

static void pick_up(struct leg *l, struct view number)
{
    struct person *p = office_person(l->office, number);
    struct leg *ringing = NULL;

    if (p)
        LIST_FOREACH(ringing, &p->legs, of_person)
    if (ringing->job == JOB_RINGS && ringing->other)
        break;
    leg_app(l, "Pickup", "%.*s", VIEW_ARG(number));
    if (ringing)
        dial_pick_up(l, ringing);
    else
        leg_after(l, 0, leg_done);
}

static void plays(struct leg *l, const char *sound)
{
    leg_app(l, "Playback", "%s", sound);
    l->job = JOB_APP;
    leg_after(l, 2 * SECONDS, leg_done);
}

static void agent_code(struct leg *l, struct view number)
{
    struct agent *a = office_agent(l->office, number);

    if (a && a->leg) {
        agent_log_off(a);
        plays(l, "agent-loggedoff");
    } else if (a) {
        agent_log_in(l, a);
    } else {
        plays(l, "agent-incorrect");
    }
}

static void service(struct leg *l, struct view exten)
{
    char code[48];
    struct view rest;
    struct person *p = NULL;

    snprintf(code, sizeof(code), "%.*s", VIEW_ARG(exten));
    if (has_code(exten, "*8", &rest)) {
        pick_up(l, rest);
        return;
    }
    answered(l, "default", code, 1);
    if (has_code(exten, "*99", &rest) || has_code(exten, "*97", &rest) ||
        has_code(exten, "*98", &rest))
        p = rest.len ? office_person(l->office, rest) : l->person;
    if (p && rest.len && (view_starts(exten, VIEW("*99")) || view_starts(exten, VIEW("*97"))))
        mailbox_speak(l, p, "s");
    else if (p)
        mailbox_listen(l, p);
    else if (has_code(exten, "*31", &rest) || has_code(exten, "*30", &rest) ||
             has_code(exten, "*32", &rest))
        agent_code(l, rest);
    else
        plays(l, database_code(l, exten) ? "beep" : "pbx-invalid");
}

static bool go_inside(struct leg *l, struct view exten, const char *text)
{
    struct office *o = l->office;
    struct person *p = office_person(o, exten);
    struct queue *q = queue_of(o, exten, false);
    unsigned space;

    if (p)
        to_person(l, p);
    else if (q)
        to_queue(l, q);
    else if (view_eq(exten, VIEW(COMPANY_ROOM)))
        to_room(l);
    else if (view_eq(exten, VIEW(COMPANY_LOT_EXTEN)))
        parking_park(l, view_cstr(l->person ? l->person->device : ""), 45 * SECONDS);
    else if (is_space(exten, &space))
        to_space(l, space);
    else if (is_outside(exten))
        to_outside(l, text);
    else if (exten.len > 1 && exten.ptr[0] == '*')
        service(l, exten);
    else
        return false;
    return true;
}

static struct person *person_of_did(struct office *o, struct view exten)
{
    uint64_t n;

    if (exten.len != 10 || !view_starts(exten, VIEW("012345")) ||
        view_to_u64(view_of(exten.ptr + 6, 4), &n) < 0 || n == 0 || n > o->n_people)
        return NULL;
    return &o->people[n - 1];
}

static bool go_from_outside(struct leg *l, struct view exten)
{
    struct queue *q = queue_of(l->office, exten, true);
    struct person *p = person_of_did(l->office, exten);

    if (!q && !p)
        return false;
    tell_user_event(l, "Did",
                    "XIVO_SRCNUM: %s\r\nXIVO_SRCNAME: %s\r\nXIVO_EXTENPATTERN: %.*s\r\n"
                    "CHANNEL: %s\r\nUNIQUEID: %s\r\nXIVO_SRCTON: 0\r\nXIVO_SRCRDNIS: \r\n",
                    l->num, *l->caller ? l->caller : l->num, VIEW_ARG(exten), l->name, l->uniqueid);
    if (l->office->world->newexten)
        leg_app(l, "AGI", "agi://127.0.0.1:5002/callerid_extend");
    tell_user_event(
        l, "LookupDirectory",
        "XIVO_SRCNUM: %s\r\nXIVO_SRCNAME: %s\r\nXIVO_CONTEXT: default\r\nCHANNEL: %s\r\n", l->num,
        *l->caller ? l->caller : l->num, l->name);
    if (q)
        to_queue(l, q);
    else
        to_person(l, p);
    return true;
}

void dialplan_go(struct leg *l, const char *context, const char *exten)
{
    char text[48];

    snprintf(text, sizeof(text), "%s", exten);
    l->pbx = true;
    l->job = JOB_NONE;
    leg_place(l, context, text, 1);
    if (strcmp(context, "txfax") == 0)
        plays(l, "fax");
    else if (!(strcmp(context, "from-extern") == 0 ? go_from_outside(l, view_cstr(text))
                                                   : go_inside(l, view_cstr(text), text)))
        hangs_up(l);
}

struct leg *dialplan_call(struct office *o, struct person *p, const char *exten, const char *num,
                          const char *name)
{
    const char *context = p ? "default" : "from-extern";
    char trunk[48], id[16];
    struct leg *l;

    snprintf(trunk, sizeof(trunk), "%s/%s", o->tech, COMPANY_TRUNK);
    l = leg_create(o, p, p ? p->device : trunk, context, exten, NULL, false);
    if (!l)
        return NULL;
    l->pbx = true;
    if (!p) {
        snprintf(l->num, sizeof(l->num), "%s", num);
        snprintf(l->caller, sizeof(l->caller), "%s", name);
    }
    o->calls++;
    tell_new_channel(l);
    leg_update(l);
    if (p) {
        snprintf(id, sizeof(id), "%u", p->id);
        leg_set_variable(l, VIEW("XIVO_USERID"), view_cstr(id));
    }
    leg_set_state(l, STATE_RING);
    dialplan_go(l, context, exten);
    return l;
}

/* An application that an Originate names. */
void dialplan_run_app(struct leg *l, const char *app, const char *data)
{
    struct view name = view_cstr(app), rest = view_cstr(data), first = view_cut(&rest, ',');
    struct agent *a;

    l->pbx = true;
    l->job = JOB_NONE;
    leg_place(l, "default", "", 1);
    if (view_ieq(name, VIEW("AgentLogin")) && (a = office_agent(l->office, first))) {
        agent_log_in(l, a);
    } else if (view_ieq(name, VIEW("ChanSpy"))) {
        leg_app(l, app, "%s", data);
        l->job = JOB_APP;
        spy_begin(l, first);
    } else if (view_ieq(name, VIEW("Pickup"))) {
        pick_up(l, view_cut(&first, '@'));
    } else if (view_ieq(name, VIEW("ConfBridge")) || view_ieq(name, VIEW("MeetMe"))) {
        leg_app(l, app, "%s", data);
        room_join(l, false);
    } else {
        leg_app(l, app, "%s", data);
        l->job = JOB_APP;
        leg_after(l, 10 * SECONDS, leg_done);
    }
}
