#include "base/array.h"
#include "fold.h"
#include "sources.h"
#include "json/json.h"

#define MAX_COLUMNS 64

/* A field of a user, or of the phone. */
struct column {
    bool of_phone;
    unsigned field;
};

static bool visible(enum xod_list list, int field)
{
    return field >= 0 && schema_client_mask(list) >> field & 1;
}

static bool find_column(struct view name, struct column *out)
{
    static const struct {
        struct view prefix;
        bool of_phone;
    } tables[] = {{VIEW("user."), false},
                  {VIEW("userfeatures."), false},
                  {VIEW("linefeatures."), true},
                  {VIEW("extension."), true},
                  {VIEW("phone."), true}};
    bool phone_only = false;

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        if (view_starts(name, tables[i].prefix)) {
            phone_only = tables[i].of_phone;
            name = view_of(name.ptr + tables[i].prefix.len, name.len - tables[i].prefix.len);
            break;
        }
    if (view_eq(name, VIEW("exten")))
        name = VIEW("number");
    if (!phone_only && visible(LIST_users, schema_field_find(LIST_users, name))) {
        *out = (struct column){false, (unsigned)schema_field_find(LIST_users, name)};
        return true;
    }
    if (!view_eq(name, VIEW("number")) && !view_eq(name, VIEW("context")))
        return false;
    *out = (struct column){true, (unsigned)schema_field_find(LIST_phones, name)};
    return true;
}

static struct view read_column(const struct xod_obj *user, const struct xod_obj *phone,
                               const struct column *c, char scratch[32])
{
    const struct xod_obj *o = c->of_phone ? phone : user;

    return o ? value_text(xod_get(o, c->field), scratch) : view_of(NULL, 0);
}

static struct view get(const struct entry *e, struct view name, char scratch[32])
{
    struct column c;

    return find_column(name, &c) ? read_column(e->of, e->with, &c, scratch) : view_of(NULL, 0);
}

bool internal_is_remote(const struct xod_ipbx *ipbx)
{
    const struct xod_obj *o = xod_find(ipbx, LIST_ipbx, xod_ipbx_name(ipbx));

    return o && xod_get(o, XOD(ipbx, remote))->b;
}

const struct xod_obj *internal_user(const struct entry *e)
{
    return e->of;
}

const struct xod_obj *internal_phone(const struct entry *e)
{
    return e->with;
}

/* ---- walking ---- */

struct walk {
    const struct query *q;
    struct column columns[MAX_COLUMNS];
    size_t n;
    struct buf folded;
    sees_fn *sees; /* NULL: everything is seen */
    void *sees_arg;
    found_fn *found;
    void *arg;
};

static bool seen(const struct walk *w, const struct xod_obj *o)
{
    return !w->sees || w->sees(w->sees_arg, o);
}

static bool text_fits(struct walk *w, struct view text)
{
    if (w->q->reverse)
        return query_fits_number(w->q, text);
    buf_reset(&w->folded);
    return fold_text(&w->folded, text) == 0 && query_fits(w->q, buf_view(&w->folded));
}

/* One user with one phone (or none); false: no more are wanted. */
static bool offer(struct walk *w, const struct xod_obj *user, const struct xod_obj *phone)
{
    char scratch[32];

    for (size_t i = 0; i < w->n; i++)
        if (text_fits(w, read_column(user, phone, &w->columns[i], scratch)))
            return w->found(w->arg, &(struct entry){get, user, phone});
    return true;
}

/* A user stands without a number only where there is no phone at all: one whose phones are all
 * hidden would else pass for one who cannot be called. */
static bool offer_phones(struct walk *w, const struct xod_ipbx *ipbx, const struct xod_obj *user)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));
    uint32_t n = lines->type == V_LIST ? lines->len : 0;
    bool any = false;

    for (uint32_t i = 0; i < n; i++) {
        const struct xod_obj *phone = xod_find(ipbx, LIST_phones, value_view(&lines->items[i]));
        if (!phone)
            continue;
        any = true;
        if (seen(w, phone) && !offer(w, user, phone))
            return false;
    }
    return any || offer(w, user, NULL);
}

void internal_find(const struct xod_ipbx *ipbx, struct json_object *columns, const struct query *q,
                   sees_fn *sees, void *sees_arg, found_fn *found, void *arg)
{
    struct walk w = {.q = q, .sees = sees, .sees_arg = sees_arg, .found = found, .arg = arg};
    size_t n =
        json_object_is_type(columns, json_type_array) ? json_object_array_length(columns) : 0;
    struct xod_obj *user;
    size_t pos = 0;

    for (size_t i = 0; i < n && w.n < MAX_COLUMNS; i++)
        if (find_column(json_view(json_object_array_get_idx(columns, i)), &w.columns[w.n]))
            w.n++;
    buf_init(&w.folded, 0);
    while ((user = xod_next(ipbx, LIST_users, &pos)))
        if (seen(&w, user) && !offer_phones(&w, ipbx, user))
            break;
    buf_free(&w.folded);
}
