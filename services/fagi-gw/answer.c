/* What is answered: variables, as commands for Asterisk, and told to the bus. */
#include <errno.h>
#include <math.h>

#include "bus/topic.h"
#include "internal.h"
#include "msg/msg.h"

const char *const outcome_names[OUTCOMES] = {"ok", "fail", "timeout", "gone", "malformed"};

#define MAX_VARIABLES 64

/* One variable; a number or a truth is written as text. False: it is none. */
static bool read_value(const msgpack_object *o, char scratch[32], struct view *out)
{
    switch (o->type) {
    case MSGPACK_OBJECT_STR:
        *out = msg_str(o);
        return true;
    case MSGPACK_OBJECT_NIL:
        *out = view_of(NULL, 0);
        return true;
    case MSGPACK_OBJECT_BOOLEAN:
        *out = o->via.boolean ? VIEW("1") : VIEW("0");
        return true;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(scratch, 32, "%llu", (unsigned long long)o->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(scratch, 32, "%lld", (long long)o->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        if (!isfinite(o->via.f64))
            return false;
        snprintf(scratch, 32, "%.15g", o->via.f64);
        break;
    default:
        return false;
    }
    *out = view_cstr(scratch);
    return true;
}

static void put_variable(struct session *s, const msgpack_object *name, const msgpack_object *value)
{
    struct fagi *f = s->f;
    char scratch[32];
    struct view text;
    int rc = -EINVAL;

    if (s->n_set < MAX_VARIABLES && read_value(value, scratch, &text))
        rc = agi_put_set(&f->line, msg_str(name), text);
    if (rc == 0) {
        msg_put_str(&s->set, msg_str(name));
        msg_put_str(&s->set, text);
        s->n_set++;
        return;
    }
    log_warning(f->log, "%s: script \"%s\" of %s: variable \"%.*s\" cannot be set: %s", s->ipbx,
                s->script, s->channel, VIEW_ARG(msg_str(name)),
                s->n_set == MAX_VARIABLES ? "too many of them"
                : rc == -EMSGSIZE         ? "too long"
                                          : "not a name, or not a text");
}

/* ---- calls of which a script failed ---- */

static bool call_name(const struct session *s, char out[96])
{
    int n = s->ipbx && s->uniqueid && *s->uniqueid
                ? snprintf(out, 96, "%s/%s", s->ipbx, s->uniqueid)
                : 0;

    return n > 0 && n < 96;
}

static bool take_failed(struct session *s)
{
    struct fagi_failed *f = &s->f->failed;
    char call[96];

    if (f->n == 0 || !call_name(s, call))
        return false;
    for (unsigned i = 0; i < FAILED_KEPT; i++)
        if (strcmp(f->call[i], call) == 0) {
            f->call[i][0] = '\0';
            f->n--;
            return true;
        }
    return false;
}

static void keep_failed(struct session *s)
{
    struct fagi_failed *f = &s->f->failed;
    char call[96];

    take_failed(s);
    if (!call_name(s, call))
        return;
    f->n += f->call[f->next][0] == '\0';
    memcpy(f->call[f->next], call, sizeof(call));
    f->next = (f->next + 1) % FAILED_KEPT;
}

/* Pairs keep their order, a map has none. The FAIL of an earlier script is no longer true. */
void answer_put(struct session *s, const msgpack_object *body)
{
    const msgpack_object *set = msg_get(body, "variables");

    if (take_failed(s) && agi_put_set(&s->f->line, VIEW("XIVO_CTI_AGI"), VIEW("OK")) == 0) {
        msg_put_pair(&s->set, "XIVO_CTI_AGI", VIEW("OK"));
        s->n_set++;
    }
    if (set && set->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < set->via.map.size; i++)
            put_variable(s, &set->via.map.ptr[i].key, &set->via.map.ptr[i].val);
    if (!set || set->type != MSGPACK_OBJECT_ARRAY)
        return;
    for (uint32_t i = 0; i < set->via.array.size; i++) {
        const msgpack_object *pair = &set->via.array.ptr[i];
        if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2)
            put_variable(s, &pair->via.array.ptr[0], &pair->via.array.ptr[1]);
    }
}

void answer_put_fail(struct session *s)
{
    keep_failed(s);
    agi_put_set(&s->f->line, VIEW("XIVO_CTI_AGI"), VIEW("FAIL"));
    buf_reset(&s->set);
    msg_put_pair(&s->set, "XIVO_CTI_AGI", VIEW("FAIL"));
    s->n_set = 1;
}

void answer_publish(struct session *s)
{
    struct fagi *f = s->f;

    if (!s->script || !s->channel || !s->uniqueid)
        return;
    buf_reset(&f->topic);
    buf_append_cstr(&f->topic, "fagi/");
    topic_put(&f->topic, view_cstr(s->ipbx));
    topic_put(&f->topic, *s->script ? view_cstr(s->script) : VIEW("-"));
    buf_reset(&f->body);
    msg_put_map(&f->body, 6);
    msg_put_pair(&f->body, "channel", view_cstr(s->channel));
    msg_put_pair(&f->body, "uniqueid", view_cstr(s->uniqueid));
    msg_put_cstr(&f->body, "variables");
    msg_put_map(&f->body, s->n_set);
    buf_append_view(&f->body, buf_view(&s->set));
    msg_put_pair_u64(&f->body, "us", s->took);
    msg_put_pair(&f->body, "outcome", view_cstr(outcome_names[s->outcome]));
    msg_put_pair_u64(&f->body, "errors", s->errors);
    if (!f->body.failed && !f->topic.failed && !s->set.failed)
        bus_pub_send(f->pub, buf_view(&f->topic), buf_view(&f->body));
}
