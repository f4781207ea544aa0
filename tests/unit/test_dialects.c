/* The same scenario told by an Asterisk 1.8 and by a 20: what clients see of each object, side by
 * side in tests/data/golden/dialects/. A line "=" is what both tell; where they differ each has a
 * line, and docs/asterisk.md says why. UPDATE_GOLDEN=1 writes the files anew: then read the
 * difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/golden.h"
#include "support/model_world.h"

static const char *const names[] = {
    "02-call-answered",       "03-noanswer-cancel", "05-hold",          "06-redirect-blind",
    "08-atxfer-ami",          "11-queue-answered",  "13-queue-members", "14-agent",
    "15-conference",          "16-parking",         "17-voicemail-mwi", "18-monitor",
    "19-userevents-features", "20-did-incoming",    "21-originate",     "24-nonascii",
    "28-hints-presence",      "39-hold-moh-iax"};

/* What is looked at. */
static const struct {
    enum xod_list list;
    unsigned field;
} watched[] = {
    {LIST_channels, XOD(channels, commstatus)},
    {LIST_channels, XOD(channels, talkingto_kind)},
    {LIST_channels, XOD(channels, holded)},
    {LIST_channels, XOD(channels, parked)},
    {LIST_channels, XOD(channels, monitored)},
    {LIST_channels, XOD(channels, meetme_usernum)},
    {LIST_channels, XOD(channels, peerdisplay)},
    {LIST_queuemembers, XOD(queuemembers, status)},
    {LIST_queuemembers, XOD(queuemembers, paused)},
    {LIST_queuemembers, XOD(queuemembers, penalty)},
    {LIST_queues, XOD(queues, incalls)},
    {LIST_groups, XOD(groups, incalls)},
    {LIST_meetmes, XOD(meetmes, channels)},
    {LIST_parkinglots, XOD(parkinglots, bays)},
    {LIST_voicemails, XOD(voicemails, newcount)},
    {LIST_voicemails, XOD(voicemails, old)},
    {LIST_voicemails, XOD(voicemails, waiting)},
    {LIST_agents, XOD(agents, status)},
    {LIST_agents, XOD(agents, phonenumber)},
    {LIST_agents, XOD(agents, availability)},
    {LIST_agents, XOD(agents, on_call_acd)},
    {LIST_agents, XOD(agents, on_call_nonacd)},
    {LIST_phones, XOD(phones, hintstatus)},
};

/* One object through a capture. A channel is called after its device and its turn: "SIP/bob #2". */
struct story {
    char *id;
    struct buf name;
    struct buf told;
    struct buf shown; /* peerdisplay: an Asterisk tells it sooner or later than the rest */
};

struct teller {
    struct story story[200];
    size_t n;
};

/* Names and times of their own make no difference: -0000001f and 1795425346.73 are told as "-". */
static void put_plain(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.len; i++) {
        size_t run = 0;
        while (i + run < v.len && strchr("0123456789abcdef", v.ptr[i + run]))
            run++;
        if (run >= 8 || (run >= 3 && i && v.ptr[i - 1] == '-')) {
            i += run - 1;
            continue;
        }
        buf_append_char(out, v.ptr[i]);
    }
}

static void name_story(struct teller *t, struct story *s, const struct xod_obj *o)
{
    unsigned turn = 1;

    buf_printf(&s->name, "%s ", schema_list(xod_obj_list(o))->name);
    put_plain(&s->name, xod_obj_id(o));
    if (xod_obj_list(o) != LIST_channels)
        return;
    for (struct story *other = t->story; other < s; other++)
        turn += view_starts(buf_view(&other->name), buf_view(&s->name));
    buf_printf(&s->name, " #%u", turn);
}

static struct story *story_of(struct teller *t, const struct xod_obj *o)
{
    struct story *s;
    char key[300];

    snprintf(key, sizeof(key), "%d %s", xod_obj_list(o), xod_obj_id(o).ptr);
    for (size_t i = t->n; i-- > 0;)
        if (t->story[i].id && strcmp(t->story[i].id, key) == 0)
            return &t->story[i];
    assert_true(t->n < ARRAY_SIZE(t->story));
    s = &t->story[t->n++];
    s->id = strdup(key);
    buf_init(&s->name, 1024);
    buf_init(&s->told, 0);
    buf_init(&s->shown, 0);
    name_story(t, s, o);
    return s;
}

/* parktime differs by moments. */
static void put_bays(struct buf *out, const struct value *bays)
{
    for (uint32_t i = 0; i < bays->len; i++) {
        const struct value *bay = &bays->items[2 * i + 1];
        buf_printf(out, "%s:", bays->items[2 * i].s);
        put_plain(out, value_view(value_map_get(bay, VIEW("parked"))));
        buf_printf(out, " by %s,", value_view(value_map_get(bay, VIEW("parker"))).ptr);
    }
}

static void put_field(struct buf *out, const struct xod_obj *o, unsigned f)
{
    struct buf json;

    buf_printf(out, " %s=", schema_list(xod_obj_list(o))->fields[f].name);
    if (xod_obj_list(o) == LIST_parkinglots) {
        put_bays(out, xod_get(o, f));
        return;
    }
    buf_init(&json, 0);
    value_put_json(&json, xod_get(o, f));
    put_plain(out, buf_view(&json));
    buf_free(&json);
}

static void note(void *arg, const struct xod_change *c)
{
    struct teller *t = arg;
    struct story *s = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
        if (watched[i].list != xod_obj_list(c->obj) || c->op == XOD_DEL)
            continue;
        if (!(c->fields >> watched[i].field & 1) || (c->op == XOD_ADD && s))
            continue; /* of a new object the first field will do */
        s = story_of(t, c->obj);
        put_field(watched[i].field == XOD(channels, peerdisplay) && c->op != XOD_ADD ? &s->shown
                                                                                     : &s->told,
                  c->obj, watched[i].field);
    }
    if (c->op == XOD_DEL &&
        (xod_obj_list(c->obj) == LIST_channels || xod_obj_list(c->obj) == LIST_queuemembers)) {
        s = story_of(t, c->obj);
        buf_append_cstr(&s->told, " gone");
        free(s->id); /* a name used again is another story */
        s->id = NULL;
    }
}

static struct teller *tell(const char *version, const char *name)
{
    struct teller *t = calloc(1, sizeof(*t));
    struct model_world *w = world_new();

    w->note = note;
    w->note_arg = t;
    world_play(w, version, name);
    world_destroy(w);
    for (size_t i = 0; i < t->n; i++)
        if (buf_view(&t->story[i].shown).len)
            buf_printf(&t->story[i].told, " |%s", buf_cstr(&t->story[i].shown));
    return t;
}

static void teller_free(struct teller *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->story[i].id);
        buf_free(&t->story[i].name);
        buf_free(&t->story[i].told);
        buf_free(&t->story[i].shown);
    }
    free(t);
}

static const struct story *same_name(const struct teller *t, const struct story *s)
{
    for (size_t i = 0; i < t->n; i++)
        if (view_eq(buf_view(&t->story[i].name), buf_view(&s->name)))
            return &t->story[i];
    return NULL;
}

static void put_both(struct buf *out, const struct story *old, const struct story *new)
{
    buf_printf(out, "%s\n", buf_cstr(&((struct story *)(old ? old : new))->name));
    if (old && new &&view_eq(buf_view(&old->told), buf_view(&new->told))) {
        buf_printf(out, "  =   %s\n", buf_cstr(&((struct story *)old)->told));
        return;
    }
    buf_printf(out, "  1.8 %s\n", old ? buf_cstr(&((struct story *)old)->told) : " -");
    buf_printf(out, "  20  %s\n", new ? buf_cstr(&((struct story *)new)->told) : " -");
}

static void both_tell_what_was_read_and_found_true(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct teller *old = tell("1.8", names[i]);
        struct teller *new = tell("20", names[i]);
        struct buf out;
        char path[64];
        buf_init(&out, 0);
        for (size_t s = 0; s < old->n; s++)
            put_both(&out, &old->story[s], same_name(new, &old->story[s]));
        for (size_t s = 0; s < new->n; s++)
            if (!same_name(old, &new->story[s]))
                put_both(&out, NULL, &new->story[s]);
        snprintf(path, sizeof(path), "dialects/%s.txt", names[i]);
        golden_compare(path, &out);
        buf_free(&out);
        teller_free(old);
        teller_free(new);
    }
}

/* Where nothing but the dialect differs, not a word may. */
static void calls_queues_and_mailboxes_are_told_alike(void **state)
{
    static const char *const alike[] = {"02-call-answered",  "05-hold",
                                        "06-redirect-blind", "11-queue-answered",
                                        "17-voicemail-mwi",  "20-did-incoming"};

    for (size_t i = 0; i < ARRAY_SIZE(alike); i++) {
        struct teller *old = tell("1.8", alike[i]);
        struct teller *new = tell("20", alike[i]);
        assert_int_equal(old->n, new->n);
        for (size_t s = 0; s < old->n; s++) {
            const struct story *other = same_name(new, &old->story[s]);
            if (!other || view_starts(buf_view(&old->story[s].name), VIEW("phones ")))
                continue; /* 20 tells a hint also as a device, sooner */
            assert_string_equal(buf_cstr(&old->story[s].told),
                                buf_cstr(&((struct story *)other)->told));
        }
        teller_free(old);
        teller_free(new);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_tell_what_was_read_and_found_true),
        cmocka_unit_test(calls_queues_and_mailboxes_are_told_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
