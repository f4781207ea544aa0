#include "base/crypt_text.h"

#include <string.h>

#define SHORTEST_HASH 22 /* of MD5 ($1$) */

static bool is_word(struct view v)
{
    static const char letters[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] == '\0' || !strchr(letters, v.ptr[i]))
            return false;
    return true;
}

bool crypt_text_is_hash(struct view text)
{
    struct view rest = text;
    struct view part = view_of(NULL, 0);
    unsigned n = 0;

    if (text.len == 0 || text.ptr[0] != '$')
        return false;
    for (; rest.len > 0; n++)
        part = view_cut(&rest, '$'); /* the first one is empty, the second one names the method */
    return n > 2 && part.len >= SHORTEST_HASH && is_word(part) && text.ptr[1] != '$';
}
