/* featuresput: a user changes a service (value: true or false) or a forward (value: a map). */
#include "base/array.h"
#include "calls/dial_target.h"
#include "commands/commands.h"
#include "core/deferred_reply.h"
#include "users/features.h"

#define MAX_NUMBER 80

static const struct {
    const char *function;
    unsigned field;
} flags[] = {{"enablednd", XOD(users, enablednd)},
             {"incallfilter", XOD(users, incallfilter)},
             {"enablevoicemail", XOD(users, enablevoicemail)},
             {"callrecord", XOD(users, callrecord)},
             {"enablerecording", XOD(users, callrecord)}};

/* What a client's message asks for. */
struct feature_request {
    struct feature_change changes[6];
    char destinations[3][TARGET_TEXT];
    size_t n;
    const char *wrong; /* NULL: nothing */
};

/* true, 1, "1", "true", and their opposites. False: it is none of them. */
static bool read_flag(const msgpack_object *map, const char *key, bool *on)
{
    char scratch[32];
    struct view text = msg_get_text(map, key, scratch);

    *on = view_eq(text, VIEW("1")) || view_ieq(text, VIEW("true"));
    return *on || view_eq(text, VIEW("0")) || view_ieq(text, VIEW("false"));
}

/* Text or a number. False: it is neither, or too long. */
static bool read_destination(const msgpack_object *map, const char *key, char out[TARGET_TEXT],
                             struct view *number)
{
    const msgpack_object *o = msg_get(map, key);
    char scratch[32];
    struct view text = msg_get_text(map, key, scratch);
    bool empty = !dialled(text, out, TARGET_TEXT);

    *number = view_cstr(out);
    return (!empty || text.len <= MAX_NUMBER) && number->len <= MAX_NUMBER &&
           (o->type == MSGPACK_OBJECT_STR || o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
            o->type == MSGPACK_OBJECT_NIL);
}

static void read_forwards(struct feature_request *w, const msgpack_object *value)
{
    for (size_t i = 0; i < N_FORWARDS; i++) {
        struct view number = view_of(NULL, 0);
        bool on;
        if (msg_get(value, feature_forwards[i].flag)) {
            if (!read_flag(value, feature_forwards[i].flag, &on))
                w->wrong = feature_forwards[i].flag;
            w->changes[w->n++] =
                (struct feature_change){.field = feature_forwards[i].flag_field, .on = on};
        }
        if (msg_get(value, feature_forwards[i].destination)) {
            if (!read_destination(value, feature_forwards[i].destination, w->destinations[i],
                                  &number))
                w->wrong = feature_forwards[i].destination;
            w->changes[w->n++] = (struct feature_change){
                .field = feature_forwards[i].destination_field, .to = number};
        }
    }
    if (w->n == 0)
        w->wrong = "value";
}

static void read_request(struct feature_request *w, const msgpack_object *message)
{
    struct view function = msg_get_str(message, "function");
    bool on;

    *w = (struct feature_request){0};
    if (view_eq(function, VIEW("fwd"))) {
        read_forwards(w, msg_get(message, "value"));
        return;
    }
    w->wrong = "function";
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (view_eq(view_cstr(flags[i].function), function)) {
            w->wrong = read_flag(message, "value", &on) ? NULL : "value";
            w->changes[w->n++] = (struct feature_change){.field = flags[i].field, .on = on};
        }
}

/* What a field becomes by the request; NULL: nothing else than it is. */
static const struct feature_change *change_of(const struct feature_request *w, unsigned field)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->changes[i].field == field)
            return &w->changes[i];
    return NULL;
}

/* A forward that the request is about would be on and lead nowhere: calls would be lost. */
static bool leads_nowhere(const struct feature_request *w, const struct xod_obj *user)
{
    for (size_t i = 0; i < N_FORWARDS; i++) {
        const struct feature_forward *f = &feature_forwards[i];
        const struct feature_change *flag = change_of(w, f->flag_field);
        const struct feature_change *to = change_of(w, f->destination_field);
        char scratch[32];
        bool on = flag ? flag->on : value_truth(xod_get(user, f->flag_field));
        struct view number = to ? to->to : value_text(xod_get(user, f->destination_field), scratch);
        if ((flag || to) && on && number.len == 0)
            return true;
    }
    return false;
}

static void answer(struct deferred_reply *l, const char *status, const char *key, const char *text)
{
    struct buf pairs;

    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "status", view_cstr(status));
    if (key)
        msg_put_pair(&pairs, key, view_cstr(text));
    deferred_reply_pairs(&l, key ? 2 : 1, &pairs);
    buf_free(&pairs);
}

static void on_done(void *arg, int rc)
{
    if (rc == 0)
        answer(arg, "OK", NULL, NULL);
    else
        answer(arg, "KO", "error_string", "database");
}

static void featuresput(struct state *s, struct session *se, struct deferred_reply *l,
                        const msgpack_object *message)
{
    struct xod_obj *user = session_user(se);
    struct feature_request w;

    if (!command_is_self(se, message, "userid")) {
        deferred_reply_status(&l, BUS_unallowed);
        return;
    }
    read_request(&w, message);
    if (!w.wrong && leads_nowhere(&w, user))
        w.wrong = "destination";
    if (w.wrong) {
        answer(l, "KO", "error_string", w.wrong);
        return;
    }
    w.n = features_differ(s->features, user, w.changes, w.n);
    if (w.n == 0)
        answer(l, "OK", "warning_string", "no changes");
    else if (features_change(s->features, user, w.changes, w.n, on_done, l) < 0)
        answer(l, "KO", "error_string", "database");
}

const struct command command_featuresput = {"featuresput", featuresput, false};
