/* Sheets that wait for what programs know. */
#include <stdlib.h>

#include "base/map.h"
#include "sheets/call.h"
#include "sheets/programs.h"
#include "sheets/rules.h"
#include "xod/value.h"
#include "json/json.h"

struct waiting;
struct answer {
    struct waiting *of;
    struct json_object *fields; /* NULL: none, or none yet */
};

/* A sheet of a line. One that asks nothing waits behind those that do. */
struct waiting {
    TAILQ_ENTRY(waiting) line;
    struct line *in;
    struct sheet *sheet;
    size_t n, pending;
    bool missed;                             /* a program has not answered */
    struct answer answers[WORKER_MAX_ASKED]; /* by priority */
};

/* The sheets of a channel. */
struct line {
    struct programs *p;
    char *key;
    TAILQ_HEAD(, waiting) sheets;
    size_t n;
};

/* ---- the line of a channel ---- */

/* Of a UserEvent that names no channel: a line of its own for the IPBX, whose name has no slash. */
static struct view key_of(const struct sheet *sheet, char scratch[SITE_KEY])
{
    struct view key = site_key(sheet->ipbx, sheet_value(sheet, "channel"), scratch);

    return key.len ? key : xod_ipbx_name(sheet->ipbx);
}

static struct line *line_new(struct programs *p, struct view key)
{
    struct line *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->p = p;
    TAILQ_INIT(&l->sheets);
    l->key = view_dup(key);
    if (l->key && map_put(p->lines, view_cstr(l->key), l) == 0)
        return l;
    free(l->key);
    free(l);
    return NULL;
}

static void line_free(struct line *l)
{
    map_del(l->p->lines, view_cstr(l->key));
    free(l->key);
    free(l);
}

/* ---- answers ---- */

/* What is no text, number or truth value is left out. */
static void take_field(struct json_object *fields, struct view name, const msgpack_object *o)
{
    struct value v;
    char scratch[32];

    if (o->type == MSGPACK_OBJECT_MAP || o->type == MSGPACK_OBJECT_ARRAY ||
        value_from_msg(&v, o) < 0)
        return;
    call_set(fields, name, value_text(&v, scratch));
    value_clear(&v);
}

/* NULL: the answer is not as the schema says, or there is no memory. */
static struct json_object *read_fields(const msgpack_object *body)
{
    const msgpack_object *map = msg_get(body, "fields");
    struct json_object *fields;

    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    fields = json_object_new_object();
    for (uint32_t i = 0;
         fields && i < map->via.map.size && json_object_object_length(fields) < CALL_MAX_VARIABLES;
         i++)
        take_field(fields, msg_str(&map->via.map.ptr[i].key), &map->via.map.ptr[i].val);
    return fields;
}

/* Of two programs that know the same, the one with the higher priority counts. */
static void put_fields(struct waiting *w)
{
    struct json_object *all = json_object_new_object();

    for (size_t i = 0; all && i < w->n; i++) {
        if (!w->answers[i].fields)
            continue;
        json_object_object_foreach(w->answers[i].fields, name, value)
        {
            if (!json_get(all, name))
                call_set(all, view_cstr(name), json_view(value));
        }
    }
    if (all)
        json_object_object_add(w->sheet->values, "program", all);
}

static void finish(struct waiting *w)
{
    struct programs *p = w->in->p;
    struct sheet *sheet = w->sheet;

    TAILQ_REMOVE(&w->in->sheets, w, line);
    w->in->n--;
    p->waiting--;
    put_fields(w);
    if (w->missed)
        metric_add(p->unanswered, 1);
    for (size_t i = 0; i < w->n; i++)
        json_object_put(w->answers[i].fields);
    free(w);
    p->send(p->arg, sheet);
}

/* In order: what is complete waits for those before it. */
static void send_complete(struct line *l)
{
    struct waiting *w;

    while ((w = TAILQ_FIRST(&l->sheets)) && w->pending == 0)
        finish(w);
    if (!w)
        line_free(l);
}

static void on_answer(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct answer *answer = arg;
    struct waiting *w = answer->of;

    if (status == BUS_more)
        return; /* there is no such answer: the last one counts */
    if (status == BUS_ok && body)
        answer->fields = read_fields(body);
    w->missed = w->missed || !answer->fields;
    w->pending--;
    send_complete(w->in);
}

/* ---- the question ---- */

/* Texts of a dialplan need not be UTF-8, which programs expect. */
static void put_pair(struct buf *out, const char *key, struct view text)
{
    msg_put_cstr(out, key);
    sheet_put_text(out, text);
}

static void put_family(struct buf *out, const struct sheet *sheet, const char *family)
{
    struct json_object *values = json_get_object(sheet->values, family);
    size_t mark, n = 0;

    msg_put_cstr(out, family);
    mark = msg_map_begin(out);
    if (values) {
        json_object_object_foreach(values, name, value)
        {
            sheet_put_text(out, view_cstr(name));
            sheet_put_text(out, json_view(value));
            n++;
        }
    }
    msg_map_end(out, mark, n);
}

static void put_users(struct buf *out, const struct sheet *sheet)
{
    msg_put_cstr(out, "users");
    msg_put_array(out, sheet->to.n);
    for (size_t i = 0; i < sheet->to.n; i++)
        msg_put_cstr(out, sheet->to.ids[i]);
}

static void put_wanted(struct buf *out, struct json_object *wanted)
{
    msg_put_cstr(out, "fields");
    msg_put_array(out, (size_t)json_object_object_length(wanted));
    json_object_object_foreach(wanted, name, unused)
    {
        (void)unused;
        sheet_put_text(out, view_cstr(name));
    }
}

static size_t put_question(struct buf *out, const struct sheet *sheet, struct json_object *wanted)
{
    put_pair(out, "ipbx", xod_ipbx_name(sheet->ipbx));
    put_pair(out, "event", sheet_value(sheet, "where"));
    put_pair(out, "channel", sheet_value(sheet, "channel"));
    put_pair(out, "number", sheet_value(sheet, "calleridnum"));
    put_pair(out, "name", sheet_value(sheet, "calleridname"));
    put_pair(out, "queue", sheet_value(sheet, "queuename"));
    put_pair(out, "context", view_cstr(sheet->context));
    put_pair(out, "user", view_cstr(sheet->user_id));
    put_users(out, sheet);
    put_wanted(out, wanted);
    put_family(out, sheet, "xivo");
    put_family(out, sheet, "dp");
    put_family(out, sheet, "db");
    return 13;
}

static void ask(struct waiting *w, struct json_object *wanted)
{
    struct programs *p = w->in->p;
    struct program *one;
    struct buf pairs;
    size_t n;

    buf_init(&pairs, 0);
    n = put_question(&pairs, w->sheet, wanted);
    TAILQ_FOREACH(one, &p->all, all)
    {
        struct answer *answer = &w->answers[w->n];
        if (w->n == WORKER_MAX_ASKED || !program_is_for(one, w->sheet))
            continue;
        w->n++;
        answer->of = w;
        if (!pairs.failed &&
            bus_server_ask(p->s->server, one->worker.peer, METHOD_sheet_call, n, buf_view(&pairs),
                           one->worker.deadline_ms, on_answer, answer))
            w->pending++;
        else
            w->missed = true;
    }
    buf_free(&pairs);
}

/* ---- sheets ---- */

static bool anybody_is_for(const struct programs *p, const struct sheet *sheet)
{
    const struct program *one;

    TAILQ_FOREACH(one, &p->all, all)
    if (program_is_for(one, sheet))
        return true;
    return false;
}

/* At the end of the line; NULL: it is too long, or there is no memory. */
static struct waiting *enter(struct programs *p, struct line *l, struct sheet *sheet)
{
    char scratch[SITE_KEY];
    struct waiting *w;

    if (p->waiting == PROGRAMS_MAX_WAITING || (l && l->n == PROGRAMS_MAX_SHEETS))
        return NULL;
    w = calloc(1, sizeof(*w));
    if (w && !l)
        l = line_new(p, key_of(sheet, scratch));
    if (!w || !l) {
        free(w);
        return NULL;
    }
    w->in = l;
    w->sheet = sheet;
    TAILQ_INSERT_TAIL(&l->sheets, w, line);
    l->n++;
    p->waiting++;
    return w;
}

bool programs_take(struct programs *p, struct sheet *sheet)
{
    char scratch[SITE_KEY];
    struct line *l = map_count(p->lines) ? map_get(p->lines, key_of(sheet, scratch)) : NULL;
    struct json_object *wanted = NULL;
    struct waiting *w = NULL;

    if (anybody_is_for(p, sheet))
        wanted = rules_display_variables(sheet->display, VIEW("program"));
    if (wanted && json_object_object_length(wanted) == 0) {
        json_object_put(wanted);
        wanted = NULL;
    }
    if (l || wanted)
        w = enter(p, l, sheet);
    if (w && wanted)
        ask(w, wanted);
    else if (wanted)
        metric_add(p->unanswered, 1);
    json_object_put(wanted);
    if (w)
        send_complete(w->in);
    return w != NULL;
}
