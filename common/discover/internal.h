/* Private to discover/. */
#ifndef CTIBUS_DISCOVER_INTERNAL_H
#define CTIBUS_DISCOVER_INTERNAL_H

#include "discover/discover.h"

/* What was told, by kind: objects of objects of texts, by the key of each thing. */
enum found {
    FOUND_DEVICES, /* PJSIP/1001: driver, name, context, callerid_name, callerid_num, mailbox, host
                    */
    FOUND_REGISTRATIONS, /* at other places. PJSIP/NAME of an endpoint, and for SIP and IAX2
                            SIP/HOST, SIP/USER: host */
    FOUND_HINTS,         /* 1001@ext-local: exten, context, devices */
    FOUND_QUEUES,        /* support: exten, context; real: app_queue has it */
    FOUND_ROOMS,         /* 4001: context */
    FOUND_LOTS,          /* default: start, stop, exten, context */
    FOUND_AGENTS,        /* 2001: name */
    FOUND_BOXES,         /* 1001@default: mailbox, context, name, email */
    FOUND_NAMES,         /* 1001: name, as FreePBX keeps it */
    FOUND_COUNT
};

struct refusal {
    size_t step;
    char *message;
};

struct discovery {
    enum ami_charset charset;
    struct json_object *found[FOUND_COUNT];
    struct json_object *asked; /* array of keys of devices that are asked about one by one */
    size_t next_step, next_device;
    size_t answered, given;
    uint32_t known, failed; /* a bit for each list: it was answered; refused, or not answered */
    size_t dropped;
    struct refusal *refusals;
    size_t n_refusals;
    bool from_queue;      /* a queue has a member Local/1001@from-queue/n, as FreePBX makes them */
    uint32_t lacking;     /* bits of the steps whose action this Asterisk does not have */
    bool stop_devices[2]; /* by kind of question: it is not permitted */
    struct buf text;      /* scratch */
};

/* Is it a telephone's driver in a hint, and no state of the dialplan's own? */
bool discover_is_device(struct view device);
/* The key in FOUND_DEVICES of a device as a hint writes it. False: it is too long. */
bool discover_key(char out[512], struct view device);
/* A text of a thing; empty: it has none. */
struct view discover_text(struct json_object *thing, const char *name);

#endif
