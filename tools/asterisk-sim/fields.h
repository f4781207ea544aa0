/* Arrays of owned C strings that are never NULL. */
#ifndef SIM_FIELDS_H
#define SIM_FIELDS_H

#include "base/view.h"

/* All empty. 0, or -ENOMEM (fields_free is still due). */
int fields_init(char **field, size_t n);
void fields_free(char **field, size_t n);

/* Replaces one by a copy of v, of which a NUL byte ends it. 0, or -ENOMEM (nothing changed). */
int field_set(char **field, struct view v);

#endif
