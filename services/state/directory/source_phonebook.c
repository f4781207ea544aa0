#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "sources.h"
#include "table.h"
#include "json/json.h"

struct phonebook {
    SLIST_ENTRY(phonebook) all;
    const struct xod_ipbx *ipbx;
    struct table *table;
};

struct phonebooks {
    SLIST_HEAD(, phonebook) all;
};

struct phonebooks *phonebooks_new(void)
{
    return calloc(1, sizeof(struct phonebooks));
}

void phonebooks_destroy(struct phonebooks **pp)
{
    struct phonebooks *p = pp ? *pp : NULL;
    struct phonebook *b;

    if (!p)
        return;
    while ((b = SLIST_FIRST(&p->all))) {
        SLIST_REMOVE_HEAD(&p->all, all);
        table_destroy(&b->table);
        free(b);
    }
    free(p);
    *pp = NULL;
}

static struct phonebook *find(const struct phonebooks *p, const struct xod_ipbx *ipbx)
{
    struct phonebook *b;

    SLIST_FOREACH(b, &p->all, all)
    if (b->ipbx == ipbx)
        return b;
    return NULL;
}

static struct phonebook *find_or_add(struct phonebooks *p, const struct xod_ipbx *ipbx)
{
    struct phonebook *b = find(p, ipbx);

    if (b)
        return b;
    b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->ipbx = ipbx;
    SLIST_INSERT_HEAD(&p->all, b, all);
    return b;
}

/* XiVO's directories name phonebook.fullname, which its web service does not always give. */
static struct json_object *full_name(struct json_object *person)
{
    struct view first = json_get_view(person, "firstname");
    struct view last = json_get_view(person, "lastname");
    struct json_object *full;
    struct buf b;

    buf_init(&b, 0);
    buf_append_view(&b, first);
    if (first.len && last.len)
        buf_append_char(&b, ' ');
    buf_append_view(&b, last);
    full =
        b.failed ? NULL : json_object_new_string_len(b.mem ? buf_data(&b) : "", (int)buf_len(&b));
    buf_free(&b);
    return full;
}

/* A list of our own, with the full names that are missing; the objects themselves are not ours to
 * change. NULL without memory. */
static struct json_object *with_full_names(struct json_object *list)
{
    struct json_object *out = NULL;

    if (json_object_deep_copy(list, &out, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < json_object_array_length(out); i++) {
        struct json_object *person =
            json_get_object(json_object_array_get_idx(out, i), "phonebook");
        if (person && json_get_view(person, "fullname").len == 0)
            json_object_object_add(person, "fullname", full_name(person));
    }
    return out;
}

int phonebooks_set(struct phonebooks *p, const struct xod_ipbx *ipbx, struct json_object *list,
                   const char **fault)
{
    struct phonebook *b = find_or_add(p, ipbx);
    struct json_object *full = b ? with_full_names(list) : NULL;
    struct table *t = full ? table_from_json(full, fault) : NULL;

    if (!full)
        *fault = "out of memory";
    json_object_put(full);
    if (!t)
        return -EINVAL;
    table_destroy(&b->table);
    b->table = t;
    return 0;
}

const struct table *phonebooks_get(const struct phonebooks *p, const struct xod_ipbx *ipbx)
{
    struct phonebook *b = find(p, ipbx);

    return b ? b->table : NULL;
}
