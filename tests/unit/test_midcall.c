/* A gateway that comes in the middle of calls, a queue call, a parked call and a conference learns
 * from the listings what another one has followed from the beginning; and a listing in the middle
 * changes nothing for who knew all. Real connections of both: one logged in before, one in the
 * middle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

static const char *const versions[] = {"1.8", "20"};

/* Which listing an answer belongs to. */
static const char *kind_of(const struct ami_block *b)
{
    static const struct {
        const char *event, *kind;
    } kinds[] = {{"CoreShowChannel", "channels"}, {"QueueParams", "queues"},
                 {"QueueMember", "queues"},       {"QueueEntry", "queues"},
                 {"ParkedCall", "parking"},       {"ConfbridgeList", "conferences"},
                 {"MeetmeList", "conferences"},   {"Agents", "agents"}};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (ami_is_event(b, kinds[i].event))
            return kinds[i].kind;
    return NULL;
}

struct reader {
    struct model_world *w;
    const char *kind;  /* of the listing to apply */
    bool bridges;      /* only look at the bridges */
    bool live;         /* past the listings: apply what is live */
    struct view until; /* stop at a block of these bytes */
    bool stopped;
    struct buf first_live;
};

/* Of the connection in the middle: one kind of its listings, or what came live. */
static bool listed(void *arg, const struct ami_block *b)
{
    struct reader *r = arg;
    const char *kind = b->kind == AMI_EVENT && ami_get(b, "ActionID").ptr ? kind_of(b) : NULL;

    if (r->bridges && ami_is_event(b, "BridgeListItem"))
        translator_bridge(r->w->t, b);
    else if (r->kind && kind && strcmp(kind, r->kind) == 0)
        translator_event(r->w->t, b->name, b, true);
    return true;
}

static bool live(void *arg, const struct ami_block *b)
{
    struct reader *r = arg;
    bool own = b->kind == AMI_EVENT && !ami_get(b, "ActionID").ptr &&
               !ami_is_event(b, "FullyBooted") && ami_get(b, "Privilege").ptr &&
               !ami_is_event(b, "Status");

    if (!own)
        return true;
    /* What comes before stands between the answers. */
    if (buf_len(&r->first_live) == 0 && view_starts(b->name, VIEW("MusicOnHold")))
        buf_append_view(&r->first_live, b->raw);
    if (r->live)
        translator_event(r->w->t, b->name, b, false);
    return true;
}

/* Of the connection from the beginning, up to where the other's first event stands. */
static bool before(void *arg, const struct ami_block *b)
{
    struct reader *r = arg;

    r->stopped = r->stopped || view_eq(b->raw, r->until);
    if (!r->stopped && b->kind == AMI_EVENT && !ami_get(b, "ActionID").ptr)
        translator_event(r->w->t, b->name, b, false);
    return true;
}

static void load(struct buf *out, const char *version, const char *which)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/33-midcall-login%s.ami", version, which);
    capture_load(out, path);
}

/* Applies the listings of the connection in the middle, as a resync does. */
static void apply_listings(struct model_world *w, struct view middle)
{
    static const char *const kinds[] = {"channels", "queues", "agents", "parking", "conferences"};

    world_mark(w, TEL_resync_begin, "all");
    translator_relist(w->t);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct reader r = {.w = w, .bridges = i == 0};
        world_mark(w, TEL_resync_begin, kinds[i]);
        if (r.bridges)
            capture_blocks(middle, 0, listed, &r);
        r.bridges = false;
        r.kind = kinds[i];
        capture_blocks(middle, 0, listed, &r);
        world_mark(w, TEL_resync_end, kinds[i]);
    }
    world_mark(w, TEL_resync_end, "all");
}

static void put(struct buf *out, struct model_world *w, enum xod_list list, unsigned field)
{
    struct xod_obj *o;
    char *lines[64];
    size_t n = 0;

    for (size_t pos = 0; n < 64 && (o = xod_next(w->ipbx, list, &pos));) {
        struct buf line;
        /* Who rings for whom is in no listing. */
        if (list == LIST_channels && view_eq(xod_get_str(o, XOD(channels, state)), VIEW("Ringing")))
            continue;
        char *since;
        buf_init(&line, 0);
        buf_printf(&line, "%s %s.%s=", schema_list(list)->name, xod_obj_id(o).ptr,
                   schema_list(list)->fields[field].name);
        value_put_json(&line, xod_get(o, field));
        since = strstr((char *)buf_cstr(&line), "\"parked\"");
        lines[n++] = strdup(since ? since : buf_cstr(&line));
        if (since && (since = strstr(lines[n - 1], ",\"parktime\"")))
            *since = '\0'; /* the moment differs, and 1.8 does not list who parked it */
        buf_free(&line);
    }
    for (size_t i = 0; i < n; i++) /* in the order of the names */
        for (size_t j = i + 1; j < n; j++)
            if (strcmp(lines[j], lines[i]) < 0) {
                char *swap = lines[i];
                lines[i] = lines[j];
                lines[j] = swap;
            }
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
}

/* What a listing can tell: not who of two called, nor since when. */
static void describe(struct buf *out, struct model_world *w)
{
    static const struct {
        enum xod_list list;
        unsigned field;
    } told[] = {{LIST_channels, XOD(channels, state)},
                {LIST_channels, XOD(channels, talkingto_kind)},
                {LIST_channels, XOD(channels, talkingto_id)},
                {LIST_channels, XOD(channels, parked)},
                {LIST_channels, XOD(channels, meetme_ismeetme)},
                {LIST_channels, XOD(channels, uniqueid)},
                {LIST_phones, XOD(phones, channels)},
                {LIST_trunks, XOD(trunks, channels)},
                {LIST_queues, XOD(queues, incalls)},
                {LIST_meetmes, XOD(meetmes, channels)},
                {LIST_parkinglots, XOD(parkinglots, bays)}};

    buf_init(out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(told); i++)
        put(out, w, told[i].list, told[i].field);
}

static void both_know_the_same(struct model_world *a, struct model_world *b, const char *version)
{
    struct buf x, y;

    describe(&x, a);
    describe(&y, b);
    for (struct view p = buf_view(&x), q = buf_view(&y); p.len || q.len;) {
        struct view one = view_cut(&p, '\n'), other = view_cut(&q, '\n');
        if (!view_eq(one, other))
            fail_msg("%s: by events '%.*s', by listings '%.*s'", version, VIEW_ARG(one),
                     VIEW_ARG(other));
    }
    buf_free(&x);
    buf_free(&y);
}

static void nothing_is_left(struct model_world *w)
{
    struct xod_obj *o = NULL;

    for (size_t pos = 0; (o = xod_next(w->ipbx, LIST_channels, &pos));)
        fail_msg("%s is left", xod_obj_id(o).ptr);
    for (size_t pos = 0; (o = xod_next(w->ipbx, LIST_queues, &pos));)
        assert_int_equal(xod_get(o, XOD(queues, incalls))->len, 0);
    for (size_t pos = 0; (o = xod_next(w->ipbx, LIST_meetmes, &pos));)
        assert_int_equal(xod_get(o, XOD(meetmes, channels))->len, 0);
    assert_string_equal(world_json(w, LIST_parkinglots, "1", XOD(parkinglots, bays)), "{}");
}

static void listings_tell_what_events_have_told(void **state)
{
    for (size_t v = 0; v < 2; v++) {
        struct model_world *early = world_new(), *late = world_new();
        struct buf from_start, middle;
        struct reader r = {.w = late}, s = {.w = early};
        buf_init(&r.first_live, 0);
        load(&from_start, versions[v], ".helper");
        load(&middle, versions[v], "");
        capture_blocks(buf_view(&middle), 0, live, &r); /* only finds the first live event */
        s.until = buf_view(&r.first_live);
        capture_blocks(buf_view(&from_start), 0, before, &s);
        translator_flush(early->t);
        assert_true(s.stopped);
        assert_true(xod_count(early->ipbx, LIST_channels) >= 7);
        apply_listings(late, buf_view(&middle));
        both_know_the_same(early, late, versions[v]);
        apply_listings(early, buf_view(&middle)); /* it knew all that */
        both_know_the_same(early, late, versions[v]);
        assert_non_null(strstr(world_json(early, LIST_parkinglots, "1", XOD(parkinglots, bays)),
                               "'parker':'Local/5006@default"));
        r.live = true;
        capture_blocks(buf_view(&middle), 0, live, &r);
        translator_flush(late->t);
        r.w = early;
        capture_blocks(buf_view(&middle), 0, live, &r);
        translator_flush(early->t);
        nothing_is_left(early);
        nothing_is_left(late);
        world_destroy(early);
        world_destroy(late);
        buf_free(&from_start);
        buf_free(&middle);
        buf_free(&r.first_live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listings_tell_what_events_have_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
