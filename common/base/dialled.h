/* Numbers as they are dialled. */
#ifndef CTIBUS_BASE_DIALLED_H
#define CTIBUS_BASE_DIALLED_H

#include "base/view.h"

/* Copies what can be dialled of a text that a user wrote, ended by a NUL: letters, digits, '#',
 * '*' and '+'; all else is left out. False, and out is empty: nothing is left, or it is longer than
 * size - 1 bytes. */
bool dialled(struct view text, char *out, size_t size);
/* The same without letters: a number of a machine, such as a fax. */
bool dialled_digits(struct view text, char *out, size_t size);

#endif
