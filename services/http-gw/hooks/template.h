/* What webhooks send: an event as a form, in the words of Zammad, or as a text with {{fields}}. */
#ifndef CTIBUS_HTTP_GW_TEMPLATE_H
#define CTIBUS_HTTP_GW_TEMPLATE_H

#include <json-c/json.h>

#include "base/buf.h"

enum template_escape { ESCAPE_NONE, ESCAPE_JSON, ESCAPE_URL, ESCAPE_XML };

/* How fields are written into a text of this Content-Type. */
enum template_escape template_escape_of(const char *type);
/* Appends the text; {{call.caller_number}} becomes the field at that path of the event (nothing
 * where there is nothing; of an object or array its JSON). In ESCAPE_JSON it is written to stand
 * inside of quotes. */
void template_put_text(struct buf *out, struct view text, struct json_object *event,
                       enum template_escape escape);
/* What is wrong with a text, in words, or NULL. */
const char *template_fault(struct view text);

/* Every scalar of the event as KEY=VALUE of a form: event=call.started&call.caller_number=... */
void template_put_form(struct buf *out, struct json_object *event);
/* As Zammad's generic CTI takes it: newCall (at call.ringing), answer, hangup. Source:
 * https://docs.zammad.org/en/latest/api/generic-cti/ False: none of them. */
bool template_put_zammad(struct buf *out, struct json_object *event);

#endif
