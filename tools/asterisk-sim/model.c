#include "model.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "fields.h"

/* The headers that tell about a channel, in both dialects. Extension of a Newexten of 2.x repeats
 * Exten; of one of 1.x it is all there is. */
static const struct {
    const char *header;
    enum chan_field field;
} channel_headers[] = {
    {"Linkedid", CH_LINKEDID},
    {"ChannelState", CH_STATE},
    {"ChannelStateDesc", CH_STATE_DESC},
    {"CallerIDNum", CH_NUM},
    {"CallerIDName", CH_CALLER},
    {"ConnectedLineNum", CH_CONNECTED_NUM},
    {"ConnectedLineName", CH_CONNECTED_NAME},
    {"Language", CH_LANGUAGE},
    {"AccountCode", CH_ACCOUNT},
    {"Context", CH_CONTEXT},
    {"Extension", CH_EXTEN},
    {"Exten", CH_EXTEN},
    {"Priority", CH_PRIORITY},
    {"Application", CH_APPLICATION},
    {"AppData", CH_DATA},
};

static const char *const bridge_headers[BR_FIELDS] = {
    "BridgeUniqueid", "BridgeType", "BridgeTechnology",
    "BridgeCreator",  "BridgeName", "BridgeVideoSourceMode",
};

static const struct {
    const char *event;
    enum model_op op;
} ops[] = {
    {"Newchannel", OP_NEW},
    {"Newstate", OP_UPDATE},
    {"NewCallerid", OP_UPDATE},
    {"NewConnectedLine", OP_UPDATE},
    {"NewAccountCode", OP_UPDATE},
    {"Newexten", OP_UPDATE},
    {"Hangup", OP_HANGUP},
    {"Rename", OP_RENAME},
    {"Masquerade", OP_MASQUERADE},
    {"Bridge", OP_LINK},
    {"Unlink", OP_UNLINK},
    {"BridgeCreate", OP_BRIDGE_CREATE},
    {"BridgeEnter", OP_ENTER},
    {"BridgeLeave", OP_LEAVE},
    {"ExtensionStatus", OP_HINT},
    {"BridgeDestroy", OP_BRIDGE_DESTROY},
    {"DeviceStateChange", OP_DEVICE},
};

enum model_op model_op_of(struct view event)
{
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
        if (view_ieq(event, view_cstr(ops[i].event)))
            return ops[i].op;
    return OP_NONE;
}

int model_init(struct model *m)
{
    *m = (struct model){
        .by_uniqueid = map_new(), .bridges = map_new(), .hints = map_new(), .devices = map_new()};
    if (m->by_uniqueid && m->bridges && m->hints && m->devices)
        return 0;
    model_free(m);
    return -ENOMEM;
}

static void chan_free(struct chan *c)
{
    fields_free(c->field, CH_FIELDS);
    free(c);
}

static void free_all(struct map **map, size_t strings)
{
    struct view key;
    void *value;
    size_t pos = 0;

    while (*map && map_next(*map, &pos, &key, &value)) {
        fields_free(value, strings); /* the strings come first in all of them */
        free(value);
    }
    map_destroy(map);
}

void model_free(struct model *m)
{
    for (size_t i = 0; i < m->n; i++)
        chan_free(m->chans[i]);
    free(m->chans);
    m->chans = NULL;
    m->n = m->cap = 0;
    map_destroy(&m->by_uniqueid);
    free_all(&m->bridges, BR_FIELDS);
    free_all(&m->hints, HINT_FIELDS);
    free_all(&m->devices, DEV_FIELDS);
}

static struct chan *by_uniqueid(const struct model *m, struct view uniqueid)
{
    return uniqueid.len ? map_get(m->by_uniqueid, uniqueid) : NULL;
}

struct chan *model_find(const struct model *m, struct view name)
{
    for (size_t i = 0; i < m->n; i++)
        if (view_ieq(name, view_cstr(m->chans[i]->field[CH_NAME])))
            return m->chans[i];
    return by_uniqueid(m, name);
}

struct bridge *model_bridge(const struct model *m, struct view uniqueid)
{
    return uniqueid.len ? map_get(m->bridges, uniqueid) : NULL;
}

static int update(struct chan *c, const struct ami_block *b)
{
    int rc = 0;

    for (size_t i = 0; i < ARRAY_SIZE(channel_headers); i++) {
        struct view v = ami_get(b, channel_headers[i].header);
        if (v.ptr && field_set(&c->field[channel_headers[i].field], v) < 0)
            rc = -ENOMEM;
    }
    return rc;
}

static struct chan *chan_new(struct view uniqueid, struct view name)
{
    struct chan *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->born_us = clock_mono_us();
    if (fields_init(c->field, CH_FIELDS) == 0 && field_set(&c->field[CH_UNIQUEID], uniqueid) == 0 &&
        field_set(&c->field[CH_NAME], name) == 0)
        return c;
    chan_free(c);
    return NULL;
}

static int keep(struct model *m, struct chan *c)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 64;
        struct chan **more = realloc(m->chans, cap * sizeof(*more));
        if (!more)
            return -ENOMEM;
        m->chans = more;
        m->cap = cap;
    }
    if (map_put(m->by_uniqueid, view_cstr(c->field[CH_UNIQUEID]), c) < 0)
        return -ENOMEM;
    c->index = m->n;
    m->chans[m->n++] = c;
    return 0;
}

static int on_new(struct model *m, const struct ami_block *b)
{
    struct view uniqueid = ami_get(b, "Uniqueid");
    struct chan *c = by_uniqueid(m, uniqueid);

    if (!c) {
        c = chan_new(uniqueid, ami_get(b, "Channel"));
        if (!c)
            return -ENOMEM;
        if (keep(m, c) < 0) {
            chan_free(c);
            return -ENOMEM;
        }
    }
    return update(c, b);
}

static void unlink_peer(struct chan *c)
{
    if (c && c->peer) {
        c->peer->peer = NULL;
        c->peer = NULL;
    }
}

static void leave(struct model *m, struct chan *c)
{
    struct bridge *br = model_bridge(m, view_cstr(c->field[CH_BRIDGE]));

    if (br && br->channels > 0)
        br->channels--;
    c->field[CH_BRIDGE][0] = '\0';
}

static void on_hangup(struct model *m, const struct ami_block *b)
{
    struct chan *c = by_uniqueid(m, ami_get(b, "Uniqueid"));

    if (!c)
        return;
    unlink_peer(c);
    leave(m, c);
    map_del(m->by_uniqueid, view_cstr(c->field[CH_UNIQUEID]));
    m->n--;
    memmove(&m->chans[c->index], &m->chans[c->index + 1], (m->n - c->index) * sizeof(*m->chans));
    for (size_t i = c->index; i < m->n; i++)
        m->chans[i]->index = i;
    chan_free(c);
}

static void swap(char **a, char **b)
{
    char *t = *a;

    *a = *b;
    *b = t;
}

/* The two swap what they are; the three Renames that follow swap the names. */
static void on_masquerade(struct model *m, const struct ami_block *b)
{
    static const enum chan_field swapped[] = {CH_STATE,  CH_STATE_DESC,    CH_NUM,
                                              CH_CALLER, CH_CONNECTED_NUM, CH_CONNECTED_NAME};
    struct chan *clone = model_find(m, ami_get(b, "Clone"));
    struct chan *original = model_find(m, ami_get(b, "Original"));

    if (!clone || !original)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(swapped); i++)
        swap(&clone->field[swapped[i]], &original->field[swapped[i]]);
}

static void on_link(struct model *m, const struct ami_block *b, bool link)
{
    struct chan *one = by_uniqueid(m, ami_get(b, "Uniqueid1"));
    struct chan *two = by_uniqueid(m, ami_get(b, "Uniqueid2"));

    unlink_peer(one);
    unlink_peer(two);
    if (link && one && two && one != two) {
        one->peer = two;
        two->peer = one;
    }
}

static int on_bridge_create(struct model *m, const struct ami_block *b)
{
    struct view uniqueid = ami_get(b, "BridgeUniqueid");
    struct bridge *br = model_bridge(m, uniqueid);
    int rc = 0;

    if (uniqueid.len == 0)
        return 0;
    if (!br) {
        br = calloc(1, sizeof(*br));
        if (!br)
            return -ENOMEM;
        if (fields_init(br->field, BR_FIELDS) < 0 ||
            field_set(&br->field[BR_UNIQUEID], uniqueid) < 0 ||
            map_put(m->bridges, view_cstr(br->field[BR_UNIQUEID]), br) < 0) {
            fields_free(br->field, BR_FIELDS);
            free(br);
            return -ENOMEM;
        }
    }
    for (int i = BR_TYPE; i < BR_FIELDS; i++)
        if (field_set(&br->field[i], ami_get(b, bridge_headers[i])) < 0)
            rc = -ENOMEM;
    return rc;
}

static void on_bridge_destroy(struct model *m, const struct ami_block *b)
{
    struct bridge *br = map_del(m->bridges, ami_get(b, "BridgeUniqueid"));

    if (br) {
        fields_free(br->field, BR_FIELDS);
        free(br);
    }
}

static int on_enter(struct model *m, const struct ami_block *b)
{
    struct chan *c = by_uniqueid(m, ami_get(b, "Uniqueid"));
    struct bridge *br;
    int rc = on_bridge_create(m, b); /* its technology may have changed; it may be unknown */

    if (!c || rc < 0)
        return rc;
    leave(m, c);
    br = model_bridge(m, ami_get(b, "BridgeUniqueid"));
    if (br)
        br->channels++;
    rc = field_set(&c->field[CH_BRIDGE], ami_get(b, "BridgeUniqueid"));
    return rc < 0 ? rc : update(c, b);
}

static void on_leave(struct model *m, const struct ami_block *b)
{
    struct chan *c = by_uniqueid(m, ami_get(b, "Uniqueid"));

    if (c && view_eq(view_cstr(c->field[CH_BRIDGE]), ami_get(b, "BridgeUniqueid")))
        leave(m, c);
}

static int on_channel(struct model *m, enum model_op op, const struct ami_block *b)
{
    struct chan *c = by_uniqueid(m, ami_get(b, "Uniqueid"));

    if (!c)
        return 0;
    if (op == OP_RENAME)
        return field_set(&c->field[CH_NAME], ami_get(b, "Newname"));
    return update(c, b);
}

int model_apply(struct model *m, enum model_op op, const struct ami_block *b)
{
    switch (op) {
    case OP_NEW:
        return on_new(m, b);
    case OP_UPDATE:
    case OP_RENAME:
        return on_channel(m, op, b);
    case OP_HANGUP:
        on_hangup(m, b);
        return 0;
    case OP_MASQUERADE:
        on_masquerade(m, b);
        return 0;
    case OP_LINK:
    case OP_UNLINK:
        on_link(m, b, op == OP_LINK && !view_ieq(ami_get(b, "Bridgestate"), VIEW("Unlink")));
        return 0;
    case OP_BRIDGE_CREATE:
        return on_bridge_create(m, b);
    case OP_BRIDGE_DESTROY:
        on_bridge_destroy(m, b);
        return 0;
    case OP_ENTER:
        return on_enter(m, b);
    case OP_LEAVE:
        on_leave(m, b);
        return 0;
    case OP_HINT:
        return model_set_hint(m, b);
    case OP_DEVICE:
        return model_set_device(m, b);
    default:
        return 0;
    }
}
