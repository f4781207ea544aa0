/* Actions on the conference room and the parking lot. */
#include <stdio.h>

#include "office/actions.h"

static struct room *room_of(const struct ask *a)
{
    struct room *r = &ask_office(a)->room;
    struct view name = ami_get(a->b, "Conference");

    if (name.len == 0)
        say_error(a->out, a->id, "No Conference name provided.");
    else if (!r->link)
        say_error(a->out, a->id, "No active conferences.");
    else if (!view_eq(name, view_cstr(r->number)))
        say_error(a->out, a->id, "No Conference by that name found.");
    else
        return r;
    return NULL;
}

/* A participant; NULL after an error was said. */
static struct leg *participant(const struct ask *a)
{
    struct leg *l = room_of(a) ? office_leg(ask_office(a), ami_get(a->b, "Channel")) : NULL;

    if (ask_office(a)->room.link &&
        view_eq(ami_get(a->b, "Conference"), view_cstr(ask_office(a)->room.number)) &&
        (!l || l->job != JOB_ROOM)) {
        say_error(a->out, a->id, "No Channel by that name found in Conference.");
        return NULL;
    }
    return l;
}

static void mute(const struct ask *a)
{
    struct leg *l = participant(a);

    if (!l)
        return;
    say_success(a->out, a->id, "User muted");
    room_mute(l, true);
}

static void unmute(const struct ask *a)
{
    struct leg *l = participant(a);

    if (!l)
        return;
    say_success(a->out, a->id, "User unmuted");
    room_mute(l, false);
}

static void put_out(struct leg *l)
{
    l->job = JOB_NONE;
    timer_stop(&l->office->timers, &l->will);
    room_leave(l, true);
    leg_place(l, l->context, l->exten, 4);
    leg_app(l, "Hangup", "%s", "");
    leg_after(l, 0, leg_done);
}

static void kick(const struct ask *a)
{
    struct view whom = ami_get(a->b, "Channel");
    struct room *r;
    struct leg *l, *next;

    if (!view_ieq(whom, VIEW("all"))) {
        l = participant(a);
        if (l) {
            say_success(a->out, a->id, "User kicked");
            put_out(l);
        }
        return;
    }
    r = room_of(a);
    if (!r)
        return;
    say_success(a->out, a->id, "All participants kicked");
    LIST_FOREACH_SAFE(l, &r->legs, in_room, next) put_out(l);
}

static void set_lock(const struct ask *a, bool on)
{
    struct room *r = room_of(a);

    if (!r)
        return;
    r->locked = on;
    say_success(a->out, a->id, on ? "Conference locked" : "Conference unlocked");
}

static void lock(const struct ask *a)
{
    set_lock(a, true);
}

static void unlock(const struct ask *a)
{
    set_lock(a, false);
}

static void start_record(const struct ask *a)
{
    struct room *r = room_of(a);

    if (!r)
        return;
    if (r->recorded) {
        say_error(a->out, a->id, "Conference is already being recorded.");
        return;
    }
    r->recorded = true;
    say_success(a->out, a->id, "Conference Recording Started.");
    tell_room(ask_office(a), NULL, "Record");
}

static void stop_record(const struct ask *a)
{
    struct room *r = room_of(a);

    if (!r)
        return;
    if (!r->recorded) {
        say_error(a->out, a->id, "Internal error while stopping recording.");
        return;
    }
    r->recorded = false;
    say_success(a->out, a->id, "Conference Recording Stopped.");
    tell_room(ask_office(a), NULL, "StopRecord");
}

static void list(const struct ask *a)
{
    struct room *r = room_of(a);
    const struct leg *l;

    if (!r)
        return;
    ask_list(a, "Confbridge user list will follow");
    LIST_FOREACH(l, &r->legs, in_room)
    {
        ask_item(a, "ConfbridgeList");
        say(a->out, "Conference", r->number);
        say(a->out, "Admin", l->admin ? "Yes" : "No");
        buf_printf(a->out, "MarkedUser: No\r\nWaitMarked: No\r\nEndMarked: No\r\n"
                           "EndMarkedAny: No\r\nWaiting: No\r\n");
        say(a->out, "Muted", l->muted ? "Yes" : "No");
        say(a->out, "Talking", "No");
        say_number(a->out, "AnsweredTime",
                   (int64_t)((l->office->timers.now_us - l->answered_us) / SECONDS));
        tell_leg(a->out, "", l);
        say_end(a->out);
    }
    ask_list_end(a, "ConfbridgeListComplete", r->n, true);
}

static void list_rooms(const struct ask *a)
{
    const struct room *r = &ask_office(a)->room;

    if (!r->link) {
        say_error(a->out, a->id, "No active conferences.");
        return;
    }
    ask_list(a, "Confbridge conferences will follow");
    ask_item(a, "ConfbridgeListRooms");
    say(a->out, "Conference", r->number);
    say_number(a->out, "Parties", r->n);
    say(a->out, "Marked", "0");
    say(a->out, "Locked", r->locked ? "Yes" : "No");
    say(a->out, "Muted", "No");
    say_end(a->out);
    ask_list_end(a, "ConfbridgeListRoomsComplete", 1, true);
}

/* MeetMe names its users by number. */
static struct leg *by_usernum(const struct ask *a)
{
    struct room *r = &ask_office(a)->room;
    struct leg *l = NULL;
    uint64_t n = 0;

    if (view_to_u64(ami_get(a->b, "Usernum"), &n) < 0)
        n = 0;
    if (view_eq(ami_get(a->b, "Meetme"), view_cstr(r->number)))
        LIST_FOREACH(l, &r->legs, in_room)
    if (l->usernum == n)
        break;
    if (!l)
        say_error(a->out, a->id, "User by that number not found");
    return l;
}

static void meetme_mute(const struct ask *a)
{
    struct leg *l = by_usernum(a);

    if (!l)
        return;
    say_success(a->out, a->id, "User muted");
    room_mute(l, true);
}

static void meetme_unmute(const struct ask *a)
{
    struct leg *l = by_usernum(a);

    if (!l)
        return;
    say_success(a->out, a->id, "User unmuted");
    room_mute(l, false);
}

static void meetme_list(const struct ask *a)
{
    const struct room *r = &ask_office(a)->room;
    const struct leg *l;

    if (r->n == 0) {
        say_error(a->out, a->id, "No active conferences.");
        return;
    }
    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "EventList", "start");
    say(a->out, "Message", "Meetme user list will follow");
    say_end(a->out);
    LIST_FOREACH(l, &r->legs, in_room)
    {
        ask_item(a, "MeetmeList");
        say(a->out, "Conference", r->number);
        say_number(a->out, "UserNumber", l->usernum);
        say(a->out, "CallerIDNum", l->num);
        say(a->out, "CallerIDName", l->caller);
        say(a->out, "ConnectedLineNum", "<unknown>");
        say(a->out, "ConnectedLineName", "<no name>");
        say(a->out, "Channel", l->name);
        say(a->out, "Admin", l->admin ? "Yes" : "No");
        say(a->out, "Role", "Talk and listen");
        say(a->out, "MarkedUser", "No");
        say(a->out, "Muted", l->muted ? "By admin" : "No");
        say(a->out, "Talking", "Not monitored");
        say_end(a->out);
    }
    ask_list_end(a, "MeetmeListComplete", r->n, true);
}

static void parked_item(const struct ask *a, const struct leg *l)
{
    unsigned lasted, left = parking_left(l, &lasted);

    ask_item(a, "ParkedCall");
    if (l->office->old) {
        say_number(a->out, "Exten", l->space);
        say(a->out, "Channel", l->name);
        say(a->out, "Parkinglot", "default");
        say(a->out, "From", l->parker);
        say_number(a->out, "Timeout", left);
        say(a->out, "CallerIDNum", l->num);
        say(a->out, "CallerIDName", l->caller);
        say(a->out, "ConnectedLineNum", l->conn_num);
        say(a->out, "ConnectedLineName", l->conn_name);
    } else {
        tell_leg(a->out, "Parkee", l);
        say(a->out, "ParkerDialString", l->parker);
        say(a->out, "Parkinglot", "default");
        say_number(a->out, "ParkingSpace", l->space);
        say_number(a->out, "ParkingTimeout", left);
        say_number(a->out, "ParkingDuration", lasted);
    }
    say_end(a->out);
}

static void parked_calls(const struct ask *a)
{
    const struct office *o = ask_office(a);
    unsigned n = 0;

    ask_list(a, "Parked calls will follow");
    for (size_t i = 0; i < COMPANY_LOT_SPACES; i++)
        if (o->spaces[i]) {
            parked_item(a, o->spaces[i]);
            n++;
        }
    ask_item(a, "ParkedCallsComplete");
    if (!o->old) {
        say(a->out, "EventList", "Complete");
        say_number(a->out, "ListItems", n);
    }
    say_number(a->out, "Total", n);
    say_end(a->out);
}

static void parkinglots(const struct ask *a)
{
    ask_list(a, "Parking lots will follow");
    ask_item(a, "Parkinglot");
    say(a->out, "Name", "default");
    say_number(a->out, "StartSpace", COMPANY_LOT_FIRST);
    say_number(a->out, "StopSpace", COMPANY_LOT_FIRST + COMPANY_LOT_SPACES - 1);
    say(a->out, "Timeout", "45");
    say_end(a->out);
    ask_list_end(a, "ParkinglotsComplete", 1, false);
}

const struct office_row office_room_rows[] = {
    {{"ConfbridgeMute", mute, false}, ONLY_NEW},
    {{"ConfbridgeUnmute", unmute, false}, ONLY_NEW},
    {{"ConfbridgeKick", kick, false}, ONLY_NEW},
    {{"ConfbridgeLock", lock, false}, ONLY_NEW},
    {{"ConfbridgeUnlock", unlock, false}, ONLY_NEW},
    {{"ConfbridgeStartRecord", start_record, false}, ONLY_NEW},
    {{"ConfbridgeStopRecord", stop_record, false}, ONLY_NEW},
    {{"ConfbridgeList", list, false}, ONLY_NEW},
    {{"ConfbridgeListRooms", list_rooms, false}, ONLY_NEW},
    {{"MeetmeMute", meetme_mute, false}, ONLY_OLD},
    {{"MeetmeUnmute", meetme_unmute, false}, ONLY_OLD},
    {{"MeetmeList", meetme_list, false}, ONLY_OLD},
    {{"ParkedCalls", parked_calls, false}, BOTH},
    {{"Parkinglots", parkinglots, false}, ONLY_NEW},
};
const size_t office_n_room_rows = ARRAY_SIZE(office_room_rows);
