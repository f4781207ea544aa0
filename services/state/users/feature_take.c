/* What a value of Asterisk's database means for a service of a user. */
#include "users/feature_take.h"

#include <errno.h>

#include "base/array.h"
#include "users/deferred_actions.h"
#include "users/feature_publish.h"
#include "users/features.h"

#define MAX_NUMBER 80 /* bytes of a destination */
#define MAX_KEY 512

static bool is_off(struct view value)
{
    static const struct view words[] = {VIEW(""), VIEW("0"), VIEW("NO"), VIEW("OFF"),
                                        VIEW("FALSE")};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (view_ieq(value, words[i]))
            return true;
    return false;
}

static bool is_number(struct view value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return false;
    return value.len <= MAX_NUMBER;
}

int feature_take(struct state *s, struct xod_obj *user, const struct feature_key *k,
                 struct view subject, const struct feature_value *v)
{
    struct feature_change changes[2] = {{.field = k->flag, .on = v->on},
                                        {.field = k->destination, .to = v->destination}};
    size_t n = v->has_destination && k->destination != k->flag ? 2 : 1;

    /* what was set here, and is on its way, will be so there */
    if (deferred_actions_wanted(s, xod_obj_ipbx(user), subject) || !is_number(v->destination))
        return 0;
    if (features_on_way(s->features, user, k->flag) ||
        features_on_way(s->features, user, k->destination))
        return -EAGAIN;
    n = features_differ(s->features, user, changes, n);
    if (n && v->is_new)
        features_publish_phone(s, user, k, v->phone);
    return n && !v->is_new ? features_read(s->features, user, v->phone, changes, n) : 0;
}

int feature_take_key(struct state *s, struct xod_obj *user, const struct feature_key *k,
                     const struct xod_obj *phone, bool is_new, struct view key, struct view value)
{
    bool forward = k->destination != k->flag;
    const struct feature_value v = {.on = forward ? value.len > 0 : !is_off(value),
                                    .has_destination = forward && value.len > 0,
                                    .destination = value,
                                    .phone = phone,
                                    .is_new = is_new};
    struct buf subject;
    int rc;

    buf_init(&subject, MAX_KEY);
    feature_subject(&subject, key);
    rc = feature_take(s, user, k, buf_view(&subject), &v);
    buf_free(&subject);
    return rc;
}
