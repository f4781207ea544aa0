/* Lists and objects, from the copy of xod. */
#include <stdio.h>
#include <stdlib.h>

#include "access/masked.h"
#include "internal.h"

#define DEFAULT_LIMIT 100
#define MAX_LIMIT 1000

/* ---- objects ---- */

void read_put_object(struct buf *out, const struct xod_obj *o, uint64_t fields, bool masked)
{
    const struct schema_list *l = schema_list(xod_obj_list(o));

    buf_append_cstr(out, "{\"ipbx\":");
    json_put_string(out, xod_ipbx_name(xod_obj_ipbx(o)));
    buf_append_cstr(out, ",\"id\":");
    json_put_string(out, xod_obj_id(o));
    for (fields &= schema_client_mask(xod_obj_list(o)); fields; fields &= fields - 1) {
        unsigned f = (unsigned)__builtin_ctzll(fields);
        buf_append_cstr(out, ",\"");
        buf_append_view(out, l->fields[f].vname); /* no name needs escaping */
        buf_append_cstr(out, "\":");
        if (masked)
            masked_put_field(out, o, f);
        else
            value_put_json(out, xod_get(o, f));
    }
    buf_append_char(out, '}');
}

/* The list of a path; LIST_COUNT: there is none (answered). */
static enum xod_list list_of(struct request *rq)
{
    int list = schema_list_find(view_cstr(rq->segment[0]));

    if (list >= 0)
        return (enum xod_list)list;
    request_fail(rq, 404, "no_such_list", "There is no list %.60s: see GET /v1.", rq->segment[0]);
    return LIST_COUNT;
}

/* The bits of `fields=a,b`; all of them without. False: one is unknown (answered). */
static bool fields_of(struct request *rq, enum xod_list list, uint64_t *fields)
{
    uint64_t known = schema_client_mask(list);
    const char *text;
    struct view rest;
    struct buf scratch;
    bool good;

    buf_init(&scratch, 4096);
    good = request_query(rq, "fields", &scratch, &text);
    *fields = good && text ? 0 : known;
    rest = view_cstr(good ? text : NULL);
    while (good && rest.len > 0) {
        struct view name = view_cut(&rest, ',');
        int f = schema_field_find(list, name);
        good = f >= 0 && known & ((uint64_t)1 << f);
        if (good)
            *fields |= (uint64_t)1 << f;
        else
            request_fail(rq, 400, "unknown_field", "The list %s has no field %.*s.",
                         schema_list(list)->name, (int)(name.len > 60 ? 60 : name.len), name.ptr);
    }
    buf_free(&scratch);
    return good;
}

static bool is_ready(struct request *rq)
{
    if (replica_is_ready(rq->g->replica, NULL))
        return true;
    request_fail(rq, 503, "not_ready",
                 "There is no complete copy of state's lists yet: try again.");
    return false;
}

struct xod_obj *read_find(struct request *rq, enum xod_list list, size_t n)
{
    struct xod_ipbx *ipbx;
    struct xod_obj *o;

    if (!is_ready(rq))
        return NULL;
    ipbx = xod_ipbx(replica_xod(rq->g->replica), view_cstr(rq->segment[n]), false);
    o = ipbx ? xod_find(ipbx, list, view_cstr(rq->segment[n + 1])) : NULL;
    if (o && token_sees(rq->token, o)) /* what is hidden and what is not there look the same */
        return o;
    request_fail(rq, 404, "not_found", "There is no such object in %s.", schema_list(list)->name);
    return NULL;
}

void read_object(struct request *rq)
{
    enum xod_list list = list_of(rq);
    uint64_t fields;
    struct xod_obj *o;

    if (list == LIST_COUNT || !fields_of(rq, list, &fields) || !(o = read_find(rq, list, 1)))
        return;
    read_put_object(&rq->g->out, o, fields, access_masks(&rq->token->access, o));
    request_answer(rq, 200);
}

/* ---- pages ---- */

#define MAX_FILTERS 8

/* One of `filter`: the text of a field is this. */
struct filter {
    unsigned field;
    struct view value; /* of page.filter */
};

struct page {
    char ipbx[64]; /* empty: all */
    struct buf filter;
    struct filter filters[MAX_FILTERS];
    size_t n_filters;
    uint64_t limit, site, pos;
    uint64_t fields;
};

static bool read_limit(struct request *rq, struct page *p, struct buf *scratch)
{
    const char *text;

    buf_reset(scratch);
    if (!request_query(rq, "limit", scratch, &text))
        return false;
    if (!text ||
        (view_to_u64(view_cstr(text), &p->limit) == 0 && p->limit >= 1 && p->limit <= MAX_LIMIT))
        return true;
    request_fail(rq, 400, "bad_limit", "limit is a number from 1 to %d.", MAX_LIMIT);
    return false;
}

static bool read_cursor(struct request *rq, struct page *p, struct buf *scratch)
{
    const char *text;
    struct view rest, site;

    buf_reset(scratch);
    if (!request_query(rq, "cursor", scratch, &text))
        return false;
    rest = view_cstr(text);
    site = view_cut(&rest, '.');
    if (!text || (view_to_u64(site, &p->site) == 0 && view_to_u64(rest, &p->pos) == 0))
        return true;
    request_fail(rq, 400, "bad_cursor", "cursor is `next` of the answer before.");
    return false;
}

static bool read_filter(struct request *rq, enum xod_list list, struct page *p)
{
    const char *text;
    struct view rest;

    if (!request_query(rq, "filter", &p->filter, &text))
        return false;
    rest = view_cstr(text);
    while (rest.len > 0) {
        struct view value = view_cut(&rest, ';');
        struct view name = view_cut(&value, ':');
        int f = schema_field_find(list, name);
        if (f < 0 || !(schema_client_mask(list) & ((uint64_t)1 << f)) ||
            p->n_filters == MAX_FILTERS) {
            request_fail(rq, 400, "bad_filter",
                         "filter is FIELD:VALUE, of fields of %s, at most %d of them.",
                         schema_list(list)->name, MAX_FILTERS);
            return false;
        }
        p->filters[p->n_filters++] = (struct filter){(unsigned)f, value};
    }
    return true;
}

static bool passes(const struct page *p, const struct xod_obj *o)
{
    char scratch[32];

    for (size_t i = 0; i < p->n_filters; i++) {
        const struct value *v = xod_get(o, p->filters[i].field);
        struct view text =
            v->type == V_BOOL ? view_cstr(v->b ? "true" : "false") : value_text(v, scratch);
        if (!view_eq(text, p->filters[i].value))
            return false;
    }
    return true;
}

/* False: a parameter is wrong, and answered. */
static bool read_page(struct request *rq, enum xod_list list, struct page *p)
{
    const char *ipbx;
    struct buf scratch;
    bool good;

    *p = (struct page){.limit = DEFAULT_LIMIT};
    buf_init(&p->filter, 4096);
    buf_init(&scratch, 1024);
    good = request_query(rq, "ipbx", &scratch, &ipbx);
    if (good)
        snprintf(p->ipbx, sizeof(p->ipbx), "%s", ipbx ? ipbx : "");
    good = good && read_limit(rq, p, &scratch) && read_cursor(rq, p, &scratch) &&
           read_filter(rq, list, p);
    buf_free(&scratch);
    return good;
}

/* The objects of one IPBX from the page's place on. How many; the place is behind the last. */
static uint64_t put_some(struct request *rq, enum xod_list list, struct xod_ipbx *ipbx,
                         struct page *p, uint64_t have)
{
    struct buf *out = &rq->g->out;
    size_t pos = (size_t)p->pos;
    struct xod_obj *o;

    while (have < p->limit && (o = xod_next(ipbx, list, &pos))) {
        p->pos = pos;
        if (!passes(p, o) || !token_sees(rq->token, o))
            continue;
        if (have++)
            buf_append_char(out, ',');
        read_put_object(out, o, p->fields, access_masks(&rq->token->access, o));
    }
    return have;
}

static bool is_end(struct xod_ipbx *ipbx, enum xod_list list, size_t pos)
{
    return !xod_next(ipbx, list, &pos);
}

static void put_page(struct request *rq, enum xod_list list, struct page *p)
{
    struct xod *xod = replica_xod(rq->g->replica);
    struct buf *out = &rq->g->out;
    struct xod_ipbx *ipbx;
    uint64_t n = 0;

    buf_append_cstr(out, "{\"items\":[");
    for (; (ipbx = xod_site_at(xod, (size_t)p->site)); p->site++, p->pos = 0) {
        if (*p->ipbx && !view_eq(xod_ipbx_name(ipbx), view_cstr(p->ipbx)))
            continue;
        n = put_some(rq, list, ipbx, p, n);
        if (n == p->limit && !is_end(ipbx, list, (size_t)p->pos))
            break;
    }
    buf_append_cstr(out, "],\"next\":");
    if (ipbx)
        buf_printf(out, "\"%llu.%llu\"}", (unsigned long long)p->site, (unsigned long long)p->pos);
    else
        buf_append_cstr(out, "null}");
}

void read_list(struct request *rq)
{
    enum xod_list list = list_of(rq);
    struct page p;
    uint64_t fields;

    if (list == LIST_COUNT || !fields_of(rq, list, &fields))
        return;
    if (read_page(rq, list, &p) && is_ready(rq)) {
        p.fields = fields;
        put_page(rq, list, &p);
        request_answer(rq, 200);
    }
    buf_free(&p.filter);
}

/* ---- what there is ---- */

void read_index(struct request *rq)
{
    struct buf *out = &rq->g->out;

    buf_append_cstr(out, "{\"product\":\"ctibus\",\"version\":");
    json_put_string(out, view_cstr(CTIBUS_VERSION));
    buf_append_cstr(out, ",\"lists\":[");
    for (int l = 0; l < LIST_COUNT; l++)
        buf_printf(out, "%s\"%s\"", l ? "," : "", schema_list((enum xod_list)l)->name);
    buf_append_cstr(out, "],\"scopes\":[");
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", api_scope(i)->name);
    buf_append_cstr(out, "],\"events\":[");
    for (int i = 0; i < EVENT_KINDS; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", event_name((enum event_kind)i));
    buf_append_cstr(out, "]}");
    request_answer(rq, 200);
}

void read_me(struct request *rq)
{
    const struct token *k = rq->token;
    struct buf *out = &rq->g->out;
    const char *sep = "";

    buf_append_cstr(out, "{\"ipbx\":");
    json_put_string(out, view_cstr(k->ipbx));
    buf_append_cstr(out, ",\"user\":");
    json_put_string(out, view_cstr(k->user_id));
    buf_append_cstr(out, ",\"login\":");
    json_put_string(out, view_cstr(k->login));
    buf_append_cstr(out, ",\"profile\":");
    json_put_string(out, view_cstr(k->profile));
    buf_append_cstr(out, ",\"token\":");
    json_put_string(out, view_cstr(k->id));
    buf_append_cstr(out, ",\"scopes\":[");
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (!(k->scopes & (1u << i)))
            continue;
        buf_printf(out, "%s\"%s\"", sep, api_scope(i)->name);
        sep = ",";
    }
    buf_append_cstr(out, "]}");
    request_answer(rq, 200);
}
