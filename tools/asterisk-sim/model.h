/*
 * What is live on the simulated Asterisk, as the events played so far say: channels, bridges, hints
 * and device states. It knows both dialects and nothing of sockets or time-outs.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "ami/ami.h"
#include "base/map.h"

/* What an event means for the model; found once by its name. */
enum model_op {
    OP_NONE,
    OP_NEW,
    OP_UPDATE,
    OP_HANGUP,
    OP_RENAME,
    OP_MASQUERADE,
    OP_LINK,   /* 1.x: Bridge, also with Bridgestate: Unlink */
    OP_UNLINK, /* 1.x */
    OP_BRIDGE_CREATE,
    OP_BRIDGE_DESTROY,
    OP_ENTER,
    OP_LEAVE,
    OP_HINT,
    OP_DEVICE
};

enum chan_field {
    CH_NAME,
    CH_UNIQUEID,
    CH_LINKEDID,
    CH_STATE,
    CH_STATE_DESC,
    CH_NUM,
    CH_CALLER,
    CH_CONNECTED_NUM,
    CH_CONNECTED_NAME,
    CH_LANGUAGE,
    CH_ACCOUNT,
    CH_CONTEXT,
    CH_EXTEN,
    CH_PRIORITY,
    CH_APPLICATION,
    CH_DATA,
    CH_BRIDGE, /* 2.x: unique id of the bridge, or empty */
    CH_FIELDS
};

struct chan {
    char *field[CH_FIELDS]; /* never NULL */
    struct chan *peer;      /* 1.x: whom it talks with, or NULL */
    uint64_t born_us;       /* clock_mono_us */
    size_t index;           /* in model.chans */
};

enum bridge_field { BR_UNIQUEID, BR_TYPE, BR_TECHNOLOGY, BR_CREATOR, BR_NAME, BR_VIDEO, BR_FIELDS };

struct bridge {
    char *field[BR_FIELDS];
    unsigned channels;
};

enum hint_field {
    HINT_KEY,
    HINT_EXTEN,
    HINT_CONTEXT,
    HINT_HINT,
    HINT_STATUS,
    HINT_TEXT,
    HINT_FIELDS
};

struct hint {
    char *field[HINT_FIELDS]; /* HINT_KEY: "exten@context" */
};

enum device_field { DEV_NAME, DEV_STATE, DEV_FIELDS };

struct device {
    char *field[DEV_FIELDS];
};

struct model {
    struct chan **chans; /* in order of birth, more or less */
    size_t n;
    size_t cap;
    struct map *by_uniqueid; /* struct chan */
    struct map *bridges;     /* struct bridge, by unique id */
    struct map *hints;       /* struct hint, by key */
    struct map *devices;     /* struct device, by name */
};

enum model_op model_op_of(struct view event);

/* 0 or -ENOMEM. */
int model_init(struct model *m);
void model_free(struct model *m);

/* Takes in an event. 0 or -ENOMEM (it is taken in as far as it went). */
int model_apply(struct model *m, enum model_op op, const struct ami_block *b);

/* A live channel by its name or its unique id, or NULL. */
struct chan *model_find(const struct model *m, struct view name);
struct bridge *model_bridge(const struct model *m, struct view uniqueid);
struct hint *model_hint(const struct model *m, struct view exten, struct view context);

/* Takes in the hint or the device state of a block that has the headers of ExtensionStatus or
 * DeviceStateChange. 0 or -ENOMEM. */
int model_set_hint(struct model *m, const struct ami_block *b);
int model_set_device(struct model *m, const struct ami_block *b);

/* Adds the hint of an ExtensionStatus as idle, when it is not yet known. 0 or -ENOMEM. */
int model_seed_hint(struct model *m, const struct ami_block *b);

#endif
