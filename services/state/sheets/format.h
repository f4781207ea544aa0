/* Formats of sheets: texts in which {family-name} is replaced by a value of the call. */
#ifndef CTIBUS_STATE_SHEETS_FORMAT_H
#define CTIBUS_STATE_SHEETS_FORMAT_H

#include <json-c/json.h>

#include "base/buf.h"

#define SHEET_MAX_VALUE 8192 /* bytes of a formatted text */

/* Appends `format` with the values filled in. values: an object of families, each an object of
 * texts. An unknown variable is empty. When the format has variables and all of them are empty, or
 * nothing at all came out, it is `otherwise` that is appended. What is longer than SHEET_MAX_VALUE
 * ends there.
 *
 * url: the text is an address that a client opens. A value in it must not become another part of
 * the address than was meant, so it is percent-encoded, but for one that the format begins with. */
void sheet_format(struct buf *out, struct json_object *values, struct view format,
                  struct view otherwise, bool url);
/* Does the format have variables of this family, and (name not NULL) of this name? */
bool sheet_format_has(struct view format, struct view family, const struct view *name);

#endif
