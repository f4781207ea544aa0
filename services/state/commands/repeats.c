#include "commands/repeats.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/map.h"

#define MAX_BODY 65536 /* bytes of an answer that is kept */

struct repeat {
    TAILQ_ENTRY(repeat) all; /* the oldest first */
    char *name;              /* owner and key */
    size_t name_len;
    char request[DIGEST_HEX];
    double since;
    bool done;
    enum bus_status status;
    struct buf body;
};

struct repeats {
    struct map *by_name;
    TAILQ_HEAD(repeat_list, repeat) all;
};

struct repeats *repeats_new(void)
{
    struct repeats *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    TAILQ_INIT(&r->all);
    r->by_name = map_new();
    if (!r->by_name)
        repeats_destroy(&r);
    return r;
}

static void repeat_free(struct repeat *one)
{
    buf_free(&one->body);
    free(one->name);
    free(one);
}

void repeat_forget(struct repeats *r, struct repeat *one)
{
    map_del(r->by_name, view_of(one->name, one->name_len));
    TAILQ_REMOVE(&r->all, one, all);
    repeat_free(one);
}

void repeats_destroy(struct repeats **rp)
{
    struct repeats *r = rp ? *rp : NULL;
    struct repeat *one;

    if (!r)
        return;
    *rp = NULL;
    while ((one = TAILQ_FIRST(&r->all)))
        repeat_forget(r, one);
    map_destroy(&r->by_name);
    free(r);
}

/* Those that are over, and the oldest where there are too many. One that is under way stays: its
 * answer is still to be noted. */
static void make_room(struct repeats *r, double now)
{
    struct repeat *one, *next;

    TAILQ_FOREACH_SAFE(one, &r->all, all, next)
    {
        bool is_old = now - one->since > REPEATS_S || now < one->since;
        if (!is_old && map_count(r->by_name) < REPEATS_MAX)
            break;
        if (one->done)
            repeat_forget(r, one);
    }
}

static struct repeat *add(struct repeats *r, struct view name, const char *digest, double now)
{
    struct repeat *one;

    make_room(r, now);
    one = map_count(r->by_name) < REPEATS_MAX ? calloc(1, sizeof(*one)) : NULL;
    if (!one)
        return NULL;
    buf_init(&one->body, MAX_BODY);
    one->since = now;
    snprintf(one->request, sizeof(one->request), "%s", digest);
    one->name = malloc(name.len);
    if (!one->name) {
        free(one);
        return NULL;
    }
    memcpy(one->name, name.ptr, name.len);
    one->name_len = name.len;
    if (map_put(r->by_name, view_of(one->name, one->name_len), one) < 0) {
        repeat_free(one);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&r->all, one, all);
    return one;
}

static enum repeat_kind look(struct repeats *r, struct view name, const char *digest, double now,
                             struct repeat **found)
{
    struct repeat *one = map_get(r->by_name, name);

    if (one && one->done && now - one->since > REPEATS_S) {
        repeat_forget(r, one);
        one = NULL;
    }
    *found = one ? one : add(r, name, digest, now);
    if (!*found)
        return REPEAT_NO_MEMORY;
    if (!one)
        return REPEAT_FIRST;
    if (strcmp(one->request, digest) != 0)
        return REPEAT_OTHER;
    return one->done ? REPEAT_DONE : REPEAT_UNDER_WAY;
}

enum repeat_kind repeats_look(struct repeats *r, struct view owner, struct view key,
                              struct view request, double now, struct repeat **found)
{
    enum repeat_kind kind = REPEAT_NO_MEMORY;
    char digest[DIGEST_HEX];
    struct buf name;

    buf_init(&name, 4096);
    buf_append_view(&name, owner);
    buf_append_char(&name, '\n');
    buf_append_view(&name, key);
    if (!name.failed && DIGEST_HEX_OF(EVP_sha256(), digest, request))
        kind = look(r, buf_view(&name), digest, now, found);
    buf_free(&name);
    return kind;
}

void repeat_done(void *arg, enum bus_status status, struct view body)
{
    struct repeat *one = arg;

    one->done = true;
    one->status = status;
    buf_append_view(&one->body, body); /* one that is too long is answered without its fields */
}

enum bus_status repeat_status(const struct repeat *one, struct view *body)
{
    *body = one->body.failed ? view_of(NULL, 0) : buf_view(&one->body);
    return one->status;
}
