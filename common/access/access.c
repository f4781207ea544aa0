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

static void put_set(struct buf *out, const char *set, size_t len)
{
    uint64_t n = set ? len + 1 : 0;

    buf_append(out, &n, sizeof(n));
    if (set)
        buf_append(out, set, len);
}

void access_put_key(const struct access *a, struct buf *out)
{
    buf_append_char(out, (char)('0' + a->is_site + 2 * a->masked));
    put_set(out, a->contexts, a->len);
    put_set(out, a->own, a->own_len);
    put_set(out, a->seen, a->seen_len);
}

bool access_next_context(const struct access *a, size_t *pos, struct view *context)
{
    if (!a->contexts || *pos >= a->len)
        return false;
    *context = view_cstr(a->contexts + *pos);
    *pos += context->len + 1;
    return true;
}

static bool has_context(void *arg, struct view context)
{
    const struct access *a = arg;
    struct view own;
    size_t pos = 0;

    while (context.len && access_next_context(a, &pos, &own))
        if (view_eq(own, context))
            return true;
    return false;
}

static bool contexts_of_user(const struct xod_obj *user, access_context_fn *fn, void *arg)
{
    struct view context;
    char scratch[32];

    for (uint32_t i = 0; user_context(user, i, &context, scratch); i++)
        if (fn(arg, context))
            return true;
    return false;
}

/* A member is seen with its queue or group. */
static bool contexts_of_member(const struct xod_obj *member, access_context_fn *fn, void *arg)
{
    struct view name = xod_get_str(member, XOD(queuemembers, queue_name));
    struct xod_obj *queue =
        xod_lookup(xod_obj_ipbx(member), LIST_queues, XOD(queues, name), name, 0);

    if (!queue)
        queue = xod_lookup(xod_obj_ipbx(member), LIST_groups, XOD(groups, name), name, 0);
    return queue && access_contexts_of(queue, fn, arg);
}

/* A call is seen with any of its participants; that of a call that ends are gone before it. */
static bool contexts_of_call(const struct xod_obj *call, access_context_fn *fn, void *arg)
{
    const struct value *contexts = xod_get(call, XOD(calls, contexts));

    for (uint32_t i = 0; contexts->type == V_LIST && i < contexts->len; i++)
        if (fn(arg, value_view(&contexts->items[i])))
            return true;
    return false;
}

bool access_contexts_of(const struct xod_obj *o, access_context_fn *fn, void *arg)
{
    enum xod_list list = xod_obj_list(o);
    char scratch[32];

    switch (list) {
    case LIST_calls:
        return contexts_of_call(o, fn, arg);
    case LIST_contexts:
        return fn(arg, xod_obj_id(o));
    case LIST_queuemembers:
        return contexts_of_member(o, fn, arg);
    case LIST_users:
        return contexts_of_user(o, fn, arg);
    case LIST_ipbx:
        return false; /* everybody sees it */
    default:          /* in all other lists it is the field of that name */
        return fn(arg, value_text(xod_get(o, (unsigned)schema_field_find(list, VIEW("context"))),
                                  scratch));
    }
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
    if (xod_obj_list(o) == LIST_users && access_is_peer(xod_obj_id(o)))
        return false; /* it is no user that could be called */
    if (a->is_site)
        return site_sees(o);
    if (!access_within_limit(a, o))
        return false;
    return !a->contexts || xod_obj_list(o) == LIST_ipbx ||
           access_contexts_of(o, has_context, (void *)a);
}
