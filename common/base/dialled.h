/* Numbers as they are dialled. */
#ifndef CTIBUS_BASE_DIALLED_H
#define CTIBUS_BASE_DIALLED_H

#include "base/view.h"

/* Copies what can be dialled of a text that a user wrote, ended by a NUL: letters, digits, '#',
 * '*' and '+'; all else is left out. Numbers are read as people write them: of tel:, callto: and
 * sip: URIs the number, without "(0)" after a country's prefix, and without an extension, a comment
 * or a second number behind it ("418-555-1234 x12", "01 23 45 67 89 (office)"). False, and out is
 * empty: nothing is left, or it is longer than size - 1 bytes. */
bool dialled(struct view text, char *out, size_t size);
/* The same without letters: a number of a machine, such as a fax. */
bool dialled_digits(struct view text, char *out, size_t size);

#endif
