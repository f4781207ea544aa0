/* sheet: what a user does with a sheet is told to the others who have it. */
#include "base/array.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "core/notify.h"
#include "sessions/sessions.h"
#include "sheets/sheets.h"

#define MAX_TEXT 4096

/* What a client may do, and what it is for the others. */
static const struct {
    const char *function, *others;
    bool text;
} functions[] = {
    {"addentry", "entryadded", true},
    {"getownership", "loseownership", false}, /* it is one's alone */
    {"loseownership", "loseownership", false},
};

static void answer(struct deferred_reply *l, const char *key, const char *word)
{
    struct buf pairs;

    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, key, view_cstr(word));
    deferred_reply_pairs(&l, 1, &pairs);
    buf_free(&pairs);
}

/* The clients' own sheets have the same class: the function tells an answer from one. */
static void answer_done(struct deferred_reply *l, const char *function, struct view channel)
{
    struct buf pairs;

    buf_init(&pairs, 0);
    msg_put_pair(&pairs, "function", view_cstr(function));
    msg_put_pair(&pairs, "channel", channel);
    deferred_reply_pairs(&l, 2, &pairs);
    buf_free(&pairs);
}

static void tell_others(struct state *s, const struct session *se, const struct recipients *viewers,
                        const char *function, struct view channel, const struct view *text)
{
    for (size_t i = 0; i < viewers->n; i++) {
        struct notification t;
        if (view_eq(view_cstr(viewers->ids[i]), view_cstr(se->user_id)))
            continue;
        notify_begin(&t, "sheet");
        notify_str(&t, "function", view_cstr(function));
        notify_str(&t, "channel", channel);
        if (text)
            notify_str(&t, "text", *text);
        notify_user(s, se->ipbx, view_cstr(viewers->ids[i]), &t);
    }
}

static void sheet(struct state *s, struct session *se, struct deferred_reply *l,
                  const msgpack_object *message)
{
    struct view function = msg_get_str(message, "function");
    struct view channel = msg_get_str(message, "channel");
    struct view text = msg_get_str(message, "text");
    const struct recipients *viewers = viewers_of(sheets_viewers(s->sheets), se->ipbx, channel);
    size_t n = ARRAY_SIZE(functions);
    size_t i = 0;

    while (i < n && !view_eq(function, view_cstr(functions[i].function)))
        i++;
    if (i == n) {
        answer(l, "error_string", "function");
    } else if (channel.len == 0) {
        answer(l, "error_string", "missing:channel");
    } else if (functions[i].text && !msg_get(message, "text")) {
        answer(l, "error_string", "missing:text");
    } else if (text.len > MAX_TEXT) {
        answer(l, "warning_string", "text_too_long");
    } else if (!viewers || !viewers_has(viewers, view_cstr(se->user_id))) {
        answer(l, "warning_string", "no_such_sheet");
    } else {
        tell_others(s, se, viewers, functions[i].others, channel, functions[i].text ? &text : NULL);
        answer_done(l, functions[i].function, channel);
    }
}

const struct command command_sheet = {"sheet", sheet, false};
