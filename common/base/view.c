#include "base/view.h"

#include <errno.h>
#include <stdlib.h>

static inline char lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

bool view_ieq(struct view a, struct view b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int view_cmp(struct view a, struct view b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (c != 0)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

ptrdiff_t view_find(struct view v, struct view needle)
{
    const void *at;

    if (needle.len == 0)
        return 0;
    if (v.len < needle.len)
        return -1;
    at = memmem(v.ptr, v.len, needle.ptr, needle.len);
    return at ? (const char *)at - v.ptr : -1;
}

struct view view_trim(struct view v)
{
    while (v.len && (v.ptr[0] == ' ' || v.ptr[0] == '\t')) {
        v.ptr++;
        v.len--;
    }
    while (v.len && (v.ptr[v.len - 1] == ' ' || v.ptr[v.len - 1] == '\t'))
        v.len--;
    return v;
}

struct view view_cut(struct view *rest, char sep)
{
    const char *at = rest->len ? memchr(rest->ptr, sep, rest->len) : NULL;
    struct view head = *rest;

    if (!at) {
        *rest = view_of(rest->len ? rest->ptr + rest->len : rest->ptr, 0);
        return head;
    }
    head.len = (size_t)(at - head.ptr);
    rest->ptr = at + 1;
    rest->len -= head.len + 1;
    return head;
}

int view_to_u64(struct view v, uint64_t *out)
{
    uint64_t n = 0;

    if (v.len == 0)
        return -EINVAL;
    for (size_t i = 0; i < v.len; i++) {
        unsigned d = (unsigned)(v.ptr[i] - '0');
        if (d > 9)
            return -EINVAL;
        if (n > (UINT64_MAX - d) / 10)
            return -ERANGE;
        n = n * 10 + d;
    }
    *out = n;
    return 0;
}

int view_to_i64(struct view v, int64_t *out)
{
    bool neg = v.len > 0 && v.ptr[0] == '-';
    uint64_t n;
    int rc = view_to_u64(neg ? view_of(v.ptr + 1, v.len - 1) : v, &n);

    if (rc < 0)
        return rc;
    if (n > (uint64_t)INT64_MAX + (neg ? 1 : 0))
        return -ERANGE;
    *out = neg ? (int64_t)(0 - n) : (int64_t)n;
    return 0;
}

char *view_dup(struct view v)
{
    char *s = malloc(v.len + 1);

    if (s) {
        if (v.len)
            memcpy(s, v.ptr, v.len);
        s[v.len] = '\0';
    }
    return s;
}

/* Rows are kept modulo three: an exchange looks two back. */
unsigned view_distance(struct view a, struct view b)
{
    unsigned rows[3][64];

    if (a.len >= 64 || b.len >= 64)
        return 64;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        const unsigned *two_back = rows[(i + 1) % 3];
        const unsigned *above = rows[(i - 1) % 3];
        unsigned *row = rows[i % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = above[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                two_back[j - 2] + 1 < best)
                best = two_back[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a.len % 3][b.len];
}
