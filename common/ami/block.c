#include "ami/ami.h"

/* Most names are written as asked for, and most others differ in length or in the last letter: so
 * the slow comparison is rare. */
static bool same_name(struct view a, struct view b)
{
    if (a.len != b.len || ((a.ptr[a.len - 1] ^ b.ptr[b.len - 1]) & ~0x20))
        return false;
    return memcmp(a.ptr, b.ptr, a.len) == 0 || view_ieq(a, b);
}

struct view ami_get_n(const struct ami_block *b, struct view name, unsigned nth)
{
    if (name.len == 0)
        return view_of(NULL, 0);
    for (unsigned i = 0; i < b->n; i++)
        if (same_name(b->headers[i].name, name) && nth-- == 0)
            return b->headers[i].value;
    return view_of(NULL, 0);
}

struct view ami_get_view(const struct ami_block *b, struct view name)
{
    return ami_get_n(b, name, 0);
}
