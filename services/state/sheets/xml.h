/*
 * Writing XML 1.0: elements with attributes and text, whatever the text is.
 *
 * What XML does not allow (control characters, U+FFFE, U+FFFF) is left out, what is not UTF-8 is
 * mended. Failures are those of the buffer (base/buf.h).
 */
#ifndef CTIBUS_STATE_SHEETS_XML_H
#define CTIBUS_STATE_SHEETS_XML_H

#include "base/buf.h"

/* Appends v as the value of an attribute, without the quotes around it. */
void xml_put_attribute(struct buf *out, struct view v);
/* Appends v as CDATA sections: one, and one more for each "]]>" in it. */
void xml_put_cdata(struct buf *out, struct view v);

#endif
