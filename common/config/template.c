#include "config/template.h"

/* Reads "{family-name}" at the start of v: its length, or 0 when there is no variable. */
static size_t variable(struct view v, struct template_part *part)
{
    size_t dash = 1;
    size_t end;

    while (dash < v.len && v.ptr[dash] >= 'a' && v.ptr[dash] <= 'z')
        dash++;
    if (dash == 1 || dash >= v.len || v.ptr[dash] != '-')
        return 0;
    end = dash + 1;
    while (end < v.len && v.ptr[end] != '{' && v.ptr[end] != '}')
        end++;
    if (end == dash + 1 || end >= v.len || v.ptr[end] != '}')
        return 0;
    part->family = view_of(v.ptr + 1, dash - 1);
    part->name = view_of(v.ptr + dash + 1, end - dash - 1);
    return end + 1;
}

bool template_next(struct view *rest, struct template_part *part)
{
    struct view all = *rest;

    *part = (struct template_part){.text = all};
    *rest = view_of(NULL, 0);
    for (size_t i = 0; i < all.len; i++) {
        size_t n = all.ptr[i] == '{' ? variable(view_of(all.ptr + i, all.len - i), part) : 0;
        if (!n)
            continue;
        part->text.len = i;
        *rest = view_of(all.ptr + i + n, all.len - i - n);
        break;
    }
    return all.len > 0;
}
