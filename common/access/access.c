#include "access/access.h"

#include <errno.h>
#include <stdlib.h>

#include "json/json.h"

#define MAX_CONTEXTS 32

bool access_is_separate(const struct config *cfg)
{
    return access_names(config_get(cfg, "main.parting_astid_context"), VIEW("context"), NULL);
}

bool access_names(struct json_object *array, struct view word, bool *any)
{
    size_t n =
        array && json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

    if (any)
        *any = n > 0;
    for (size_t i = 0; i < n; i++)
        if (view_eq(json_view(json_object_array_get_idx(array, i)), word))
            return true;
    return false;
}

/* Context number i of a user's lines; false at the end. */
static bool user_context(const struct xod_obj *user, uint32_t i, struct view *context,
                         char scratch[32])
{
    const struct value *lines = xod_get(user, XOD(users, linelist));
    struct xod_obj *phone;

    *context = view_of(NULL, 0);
    if (lines->type != V_LIST || i >= lines->len)
        return false;
    phone = xod_find(xod_obj_ipbx(user), LIST_phones, value_view(&lines->items[i]));
    if (phone)
        *context = value_text(xod_get(phone, XOD(phones, context)), scratch);
    return true;
}

static bool is_among(char *const *names, size_t n, struct view name)
{
    for (size_t i = 0; i < n; i++)
        if (view_eq(view_cstr(names[i]), name))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int access_init(struct access *a, const struct xod_obj *user, bool separate)
{
    char *names[MAX_CONTEXTS];
    size_t n = 0;
    struct buf out;
    char scratch[32];
    struct view v;

    *a = (struct access){.is_site = user && access_is_peer(xod_obj_id(user))};
    if (!separate || a->is_site)
        return 0;
    for (uint32_t i = 0; user && n < MAX_CONTEXTS && user_context(user, i, &v, scratch); i++)
        if (v.len && !is_among(names, n, v) && (names[n] = view_dup(v)))
            n++;
    qsort(names, n, sizeof(names[0]), by_name);
    buf_init(&out, 65536);
    buf_reserve(&out, 1); /* an empty set is a set, too */
    for (size_t i = 0; i < n; i++)
        buf_append(&out, names[i], strlen(names[i]) + 1);
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    a->contexts = out.mem;
    a->len = buf_len(&out);
    return a->contexts ? 0 : -ENOMEM;
}

void access_fini(struct access *a)
{
    free(a->contexts);
    free(a->seen);
    free(a->own);
    *a = (struct access){0};
}

static bool same_set(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return !a == !b && a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

bool access_eq(const struct access *a, const struct access *b)
{
    return a->is_site == b->is_site && a->masked == b->masked &&
           same_set(a->contexts, a->len, b->contexts, b->len) &&
           same_set(a->own, a->own_len, b->own, b->own_len) &&
           same_set(a->seen, a->seen_len, b->seen, b->seen_len);
}

static bool has_context(const struct access *a, struct view context)
{
    for (size_t at = 0; context.len && at < a->len; at += strlen(a->contexts + at) + 1)
        if (view_eq(view_cstr(a->contexts + at), context))
            return true;
    return false;
}

static bool sees_user(const struct access *a, const struct xod_obj *user)
{
    struct view context;
    char scratch[32];

    for (uint32_t i = 0; user_context(user, i, &context, scratch); i++)
        if (has_context(a, context))
            return true;
    return false;
}

/* A member is seen with its queue or group. */
static bool sees_member(const struct access *a, const struct xod_obj *member)
{
    struct view name = xod_get_str(member, XOD(queuemembers, queue_name));
    struct xod_obj *queue =
        xod_lookup(xod_obj_ipbx(member), LIST_queues, XOD(queues, name), name, 0);

    if (!queue)
        queue = xod_lookup(xod_obj_ipbx(member), LIST_groups, XOD(groups, name), name, 0);
    return queue && access_sees(a, queue);
}

/* A call is seen with any of its participants; that of a call that ends are gone before it. */
static bool sees_call(const struct access *a, const struct xod_obj *call)
{
    const struct value *contexts = xod_get(call, XOD(calls, contexts));

    for (uint32_t i = 0; contexts->type == V_LIST && i < contexts->len; i++)
        if (has_context(a, value_view(&contexts->items[i])))
            return true;
    return false;
}

bool access_is_peer(struct view user_id)
{
    return view_starts(user_id, VIEW("cs:"));
}

static bool site_sees(const struct xod_obj *o)
{
    const struct xod_ipbx *site = xod_obj_ipbx(o);
    const struct xod_obj *ipbx = xod_find(site, LIST_ipbx, xod_ipbx_name(site));

    switch (xod_obj_list(o)) {
    case LIST_users:
    case LIST_groups:
    case LIST_queues:
    case LIST_agents:
    case LIST_phones:
        return ipbx && !xod_get(ipbx, XOD(ipbx, remote))->b;
    default:
        return false;
    }
}

bool access_sees(const struct access *a, const struct xod_obj *o)
{
    char scratch[32];

    if (xod_obj_list(o) == LIST_users && access_is_peer(xod_obj_id(o)))
        return false; /* it is no user that could be called */
    if (a->is_site)
        return site_sees(o);
    if (!access_within_limit(a, o))
        return false;
    if (!a->contexts)
        return true;
    switch (xod_obj_list(o)) {
    case LIST_channels:
        return has_context(a, xod_get_str(o, XOD(channels, context)));
    case LIST_calls:
        return sees_call(a, o);
    case LIST_contexts:
        return has_context(a, xod_obj_id(o));
    case LIST_queuemembers:
        return sees_member(a, o);
    case LIST_users:
        return sees_user(a, o);
    case LIST_ipbx:
        return true;
    default: /* in all other lists it is the field of that name */
        return has_context(
            a, value_text(xod_get(o, (unsigned)schema_field_find(xod_obj_list(o), VIEW("context"))),
                          scratch));
    }
}
