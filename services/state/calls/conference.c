/* meetme: what is done in a conference room. functionargs: the room (number or meetme id), the
 * number of the participant, that of the administrator. Of record: the room first
 * and start or stop last; the arguments between them, which clients of 2012 and 2015 fill in
 * differently, are not used. */
#include "base/array.h"
#include "calls/ipbx_command.h"

struct room {
    struct xod_obj *meetme;
    struct view number, application, channel; /* of the participant */
    char number_text[32];
    struct view usernum, adminnum;
    char usernum_text[32], adminnum_text[32];
};

/* Text of item i of functionargs, or of it when it is a single text. */
static struct view argument(const struct ipbx_command *o, uint32_t i, char room[32])
{
    const msgpack_object *args = msg_get(o->message, "functionargs");
    struct value v;
    struct view text = view_of(NULL, 0);

    if (!args)
        return text;
    if (args->type != MSGPACK_OBJECT_ARRAY)
        return i == 0 ? msg_str(args) : text;
    if (i >= args->via.array.size)
        return text;
    if (args->via.array.ptr[i].type == MSGPACK_OBJECT_STR)
        return msg_str(&args->via.array.ptr[i]);
    if (value_from_msg(&v, &args->via.array.ptr[i]) == 0 && v.type == V_INT)
        text = value_text(&v, room);
    value_clear(&v);
    return text;
}

static struct xod_obj *meetme_of(struct ipbx_command *o, struct view text)
{
    struct xod_obj *m = NULL;

    if (!memchr(text.len ? text.ptr : "", '/', text.len)) /* a number, else an id */
        m = xod_lookup(o->ipbx, LIST_meetmes, XOD(meetmes, confno), text, 0);
    return target_find(o->s, o->se, LIST_meetmes, m ? xod_obj_id(m) : text);
}

/* The channel of a participant, by number. */
static struct view channel_of(const struct xod_obj *meetme, struct view usernum)
{
    const struct value *all = xod_get(meetme, XOD(meetmes, channels));
    char room[32];

    for (uint32_t i = 0; all->type == V_MAP && usernum.len && i < all->len; i++) {
        const struct value *n = value_map_get(&all->items[2 * i + 1], VIEW("usernum"));
        if (n && view_eq(value_text(n, room), usernum))
            return value_view(&all->items[2 * i]);
    }
    return view_of(NULL, 0);
}

static bool read_room(struct ipbx_command *o, struct room *r)
{
    char room[32];

    *r = (struct room){0};
    r->meetme = meetme_of(o, argument(o, 0, room));
    if (!r->meetme) {
        ipbx_command_wrong(o, "functionargs", "no_such_room");
        return false;
    }
    r->number = value_text(xod_get(r->meetme, XOD(meetmes, confno)), r->number_text);
    r->application = xod_get_str(r->meetme, XOD(meetmes, application));
    r->usernum = argument(o, 1, r->usernum_text);
    r->adminnum = argument(o, 2, r->adminnum_text);
    r->channel = channel_of(r->meetme, r->usernum);
    return true;
}

/* Of one participant. */
static void on_participant(struct ipbx_command *o, const struct room *r, const char *action)
{
    if (r->channel.len == 0)
        ipbx_command_wrong(o, "functionargs", "no_such_participant");
    else
        ipbx_command_action(o, action, "room", r->number, "usernum", r->usernum, "adminnum",
                            r->adminnum, "channel", r->channel, "application", r->application,
                            NULL);
}

/* XiVO's own form is [room, participant, administrator, start], its clients leave out one. */
static struct view start_or_stop(const struct ipbx_command *o, char scratch[32])
{
    const msgpack_object *args = msg_get(o->message, "functionargs");
    uint32_t n = args && args->type == MSGPACK_OBJECT_ARRAY ? args->via.array.size : 0;

    return n > 1 ? argument(o, n - 1, scratch) : view_of(NULL, 0);
}

static void record(struct ipbx_command *o, const struct room *r)
{
    char text[32];
    struct view what = start_or_stop(o, text);
    struct buf file;

    buf_init(&file, 512);
    buf_printf(&file, "cti-meetme-%.*s-", VIEW_ARG(r->number));
    record_put_date(&file);
    if (view_eq(what, VIEW("start")) || what.len == 0)
        ipbx_command_action(o, "conference.record", "room", r->number, "channel",
                            xod_get_str(r->meetme, XOD(meetmes, pseudochan)), "application",
                            r->application, "file", buf_view(&file), NULL);
    else if (view_eq(what, VIEW("stop")))
        ipbx_command_action(o, "conference.unrecord", "room", r->number, "channel",
                            xod_get_str(r->meetme, XOD(meetmes, pseudochan)), "application",
                            r->application, NULL);
    else
        ipbx_command_wrong(o, "functionargs", "start_or_stop");
    buf_free(&file);
}

static void pause_room(struct ipbx_command *o, const struct room *r)
{
    bool paused = value_truth(xod_get(r->meetme, XOD(meetmes, paused)));
    char text[32];
    struct view wanted = argument(o, 1, text);
    bool on = wanted.len ? view_eq(wanted, VIEW("on")) || view_eq(wanted, VIEW("1")) : !paused;

    ipbx_command_action(o, "conference.pause", "room", r->number, "status",
                        on ? VIEW("on") : VIEW("off"), "application", r->application, NULL);
}

void ipbx_meetme(struct ipbx_command *o)
{
    static const struct {
        const char *function, *action;
    } of_participants[] = {{"MeetmeMute", "conference.mute"},
                           {"MeetmeUnmute", "conference.unmute"},
                           {"MeetmeKick", "conference.kick"},
                           {"MeetmeAccept", "conference.accept"},
                           {"MeetmeTalk", "conference.talk"}};
    struct view function = msg_get_str(o->message, "function");
    struct room r;

    if (!read_room(o, &r))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(of_participants); i++)
        if (view_eq(function, view_cstr(of_participants[i].function))) {
            on_participant(o, &r, of_participants[i].action);
            return;
        }
    if (view_eq(function, VIEW("MeetmePause")))
        pause_room(o, &r);
    else if (view_eq(function, VIEW("record")))
        record(o, &r);
    else
        ipbx_command_wrong(o, "function", "unknown_function");
}
