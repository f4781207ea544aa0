#include "fields.h"

#include <errno.h>
#include <stdlib.h>

int fields_init(char **field, size_t n)
{
    memset(field, 0, n * sizeof(*field));
    for (size_t i = 0; i < n; i++) {
        field[i] = calloc(1, 1);
        if (!field[i])
            return -ENOMEM;
    }
    return 0;
}

void fields_free(char **field, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(field[i]);
        field[i] = NULL;
    }
}

int field_set(char **field, struct view v)
{
    size_t old = strlen(*field);
    char *copy;

    if (old >= v.len && v.len > 0) { /* most changes are small: no new memory */
        memcpy(*field, v.ptr, v.len);
        (*field)[v.len] = '\0';
        return 0;
    }
    copy = view_dup(v);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}
