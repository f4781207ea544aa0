/*
 * A webhook as the configuration says it (ctibus.webhooks.NAME): which events go to which URL, and
 * what is sent.
 */
#ifndef CTIBUS_HTTP_GW_HOOK_H
#define CTIBUS_HTTP_GW_HOOK_H

#include <json-c/json.h>

#include "base/buf.h"
#include "config/config.h"

#define HOOKS_MAX 100

enum hook_body { HOOK_JSON, HOOK_FORM, HOOK_ZAMMAD, HOOK_TEXT };

struct hook {
    char *name, *url;
    char *events;               /* patterns (event_fits) */
    char *ipbx;                 /* NULL: all */
    char *secret;               /* NULL: what is sent is not signed */
    char *type;                 /* Content-Type */
    char *text;                 /* of HOOK_TEXT: with {{fields}} */
    struct json_object *filter; /* {path: value or values}, or NULL */
    enum hook_body body;
    bool may_be_private; /* its host is in ctibus.webhook_hosts */
};

struct hook_list {
    struct hook *list;
    size_t n;
};

/* Reads them all. 0; -ENOMEM; or -EINVAL and `why` has a sentence for each fault. Free it in any
 * case. */
int hooks_read(const struct config *cfg, struct hook_list *hooks, struct buf *why);
void hooks_free(struct hook_list *hooks);
/* What one of them owns. */
void hook_clear(struct hook *h);

/* Does it want the event? name: call.started; event: as JSON (streams, event_put_json). */
bool hook_wants(const struct hook *h, struct view name, struct view ipbx,
                struct json_object *event);
/* Appends what is sent. False: it is not sent at all (an event that Zammad has no word for), or no
 * memory (out->failed). */
bool hook_put_body(const struct hook *h, struct json_object *event, struct buf *out);
/* Appends the value of the header Ctibus-Signature: t=SECONDS,v1=HEX, the HMAC-SHA256 of
 * "SECONDS.BODY" with the secret. 0 or -EIO. */
int hook_sign(const struct hook *h, int64_t seconds, struct view body, struct buf *out);

/* The value at a path ("call.caller_number"), or NULL. */
struct json_object *hook_path(struct json_object *event, struct view path);

#endif
