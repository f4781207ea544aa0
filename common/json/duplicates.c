#include <errno.h>

#include "base/map.h"
#include "json/json.h"

/* The objects that are open at one place of the text. */
struct open_objects {
    struct map *keys[JSON_DEPTH];
    size_t n;
};

static int open_object(struct open_objects *o)
{
    if (o->n == JSON_DEPTH)
        return -E2BIG;
    o->keys[o->n] = map_new();
    if (!o->keys[o->n])
        return -ENOMEM;
    o->n++;
    return 0;
}

static void close_object(struct open_objects *o)
{
    if (o->n > 0)
        map_destroy(&o->keys[--o->n]);
}

/* The string that begins at text[at], without its quotes. */
static struct view string_at(struct view text, size_t at)
{
    size_t end = at + 1;

    while (end < text.len && text.ptr[end] != '"')
        end += text.ptr[end] == '\\' ? 2 : 1;
    return view_of(text.ptr + at + 1, (end < text.len ? end : text.len) - at - 1);
}

static bool colon_follows(struct view text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]))
        at++;
    return at < text.len && text.ptr[at] == ':';
}

/* 1: this object has the key already. */
static int take_key(struct open_objects *o, struct view key)
{
    struct map *keys = o->n ? o->keys[o->n - 1] : NULL;

    if (!keys)
        return -EINVAL;
    return map_get(keys, key) ? 1 : map_put(keys, key, keys);
}

int json_find_duplicate(struct view text, struct view *key)
{
    struct open_objects open = {.n = 0};
    int rc = 0;

    for (size_t i = 0; i < text.len && rc == 0; i++) {
        if (text.ptr[i] == '{') {
            rc = open_object(&open);
        } else if (text.ptr[i] == '}') {
            close_object(&open);
        } else if (text.ptr[i] == '"') {
            *key = string_at(text, i);
            i += key->len + 1;
            if (colon_follows(text, i + 1))
                rc = take_key(&open, *key);
        }
    }
    while (open.n > 0)
        close_object(&open);
    return rc;
}
