/* A sheet that is to be sent: composed when something happens to a call, sent at once or when it is
 * known whose number it is. */
#ifndef CTIBUS_STATE_SHEETS_SHEET_H
#define CTIBUS_STATE_SHEETS_SHEET_H

#include <json-c/json.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "core/context.h"
#include "sheets/forms.h"
#include "sheets/recipients.h"

#define SHEET_MAX_XML ((size_t)256 * 1024) /* rows that do not fit are left out */

struct sheet {
    TAILQ_ENTRY(sheet) waiting; /* of its reverse lookup */
    struct xod_ipbx *ipbx;
    struct json_object *display, *option; /* held: the configuration may go meanwhile */
    struct json_object *values;           /* families of texts, as the call was then */
    char context[80];                     /* of the main line of the called user, or of the call */
    char user_id[64];                     /* who is called, the first of them; empty: not known */
    struct recipients to;
};

/* Holds display and option, takes *to and *values (also on failure). NULL without memory. */
struct sheet *sheet_new(struct xod_ipbx *ipbx, struct json_object *display,
                        struct json_object *option, struct json_object **values,
                        struct recipients *to);
void sheet_destroy(struct sheet **sheet);
/* One of the family xivo of its values. */
struct view sheet_value(const struct sheet *sheet, const char *name);
/* Appends a text, which need not be UTF-8, as one of msgpack, which must be. */
void sheet_put_text(struct buf *out, struct view text);

/* Appends the XML. */
void sheet_put_xml(struct buf *out, const struct sheet *sheet, const struct forms *forms);
/* Appends the same as a map of msgpack: ipbxid, channel, where, focus, and `fields`, `systray`,
 * `actions`: arrays of rows with order, name, type, value. */
void sheet_put_object(struct buf *out, const struct sheet *sheet);
/* Appends what clients get of it: base64 of the XML, or (zip) of its length in 4 bytes, the highest
 * first, and the zlib stream. 0 or -ENOMEM. */
int sheet_put_payload(struct buf *out, struct view xml, bool zip);

#endif
