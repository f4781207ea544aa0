/*
 * A view: bytes that another owner holds (pointer, length).
 *
 * A view never outlives the buffer it points into and is not ended by a NUL. Functions take views
 * by value; a view with len 0 may have any ptr, also NULL.
 */
#ifndef CTIBUS_BASE_VIEW_H
#define CTIBUS_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
    const char *ptr;
    size_t len;
};

/* The view of a string literal. */
#define VIEW(literal) ((struct view){(literal), sizeof(literal) - 1})

/* printf("%.*s", VIEW_ARG(v)) */
#define VIEW_ARG(v) (int)(v).len, (v).ptr ? (v).ptr : ""

static inline struct view view_of(const void *ptr, size_t len)
{
    return (struct view){(const char *)ptr, len};
}

/* The view of a C string; NULL gives the empty view. */
static inline struct view view_cstr(const char *s)
{
    return (struct view){s, s ? strlen(s) : 0};
}

static inline bool view_eq(struct view a, struct view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool view_starts(struct view v, struct view prefix)
{
    return v.len >= prefix.len && (prefix.len == 0 || memcmp(v.ptr, prefix.ptr, prefix.len) == 0);
}

/* Equal without regard to the case of ASCII letters. */
bool view_ieq(struct view a, struct view b);

/* <0, 0, >0 in byte order, as memcmp, the shorter first. */
int view_cmp(struct view a, struct view b);

/* Where `needle` first stands in `v`, or -1. */
ptrdiff_t view_find(struct view v, struct view needle);

/* Without blanks (space and tab) at both ends. */
struct view view_trim(struct view v);

/* Cuts off and returns what stands before the first `sep`; *rest becomes what follows it. Without a
 * `sep` the whole of *rest is returned and *rest becomes empty. */
struct view view_cut(struct view *rest, char sep);

/* The whole view as a decimal number. 0, or -EINVAL (not a number) or -ERANGE. */
int view_to_i64(struct view v, int64_t *out);
int view_to_u64(struct view v, uint64_t *out);

/* A NUL-ended copy (caller frees with free()), or NULL without memory. */
char *view_dup(struct view v);

/* How many letters differ between two names: one other, one missing, one too many, or two
 * neighbours exchanged count as one each. Of names under 64 bytes; 64 for longer ones. */
unsigned view_distance(struct view a, struct view b);

#endif
