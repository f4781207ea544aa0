/* What a value of Asterisk's database means for a service of a user. */
#include "users/feature_take.h"

#include <errno.h>

#include "base/array.h"
#include "users/deferred_actions.h"
#include "users/features.h"

#define MAX_NUMBER 80 /* bytes of a destination */
#define MAX_KEY 512

static bool is_off(struct view value)
{
    static const struct view words[] = {{"", 0}, {"0", 1}, {"NO", 2}, {"OFF", 3}, {"FALSE", 5}};

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

/* What was set here, and is on its way to Asterisk, will be so there. */
static bool is_wanted(const struct state *s, const struct xod_obj *user, struct view key)
{
    struct buf subject;
    bool wanted;

    buf_init(&subject, MAX_KEY);
    feature_subject(&subject, key);
    wanted = deferred_actions_wanted(s, xod_obj_ipbx(user), buf_view(&subject));
    buf_free(&subject);
    return wanted;
}

int feature_take(struct state *s, struct xod_obj *user, const struct feature_key *k,
                 struct view key, struct view value)
{
    bool forward = k->destination != k->flag;
    bool on = forward ? value.len > 0 : !is_off(value);
    struct feature_change changes[2] = {{.field = k->flag, .on = on},
                                        {.field = k->destination, .to = value}};
    size_t n = forward && on ? 2 : 1;

    if (is_wanted(s, user, key) || !is_number(value))
        return 0;
    if (features_on_way(s->features, user, k->flag) ||
        features_on_way(s->features, user, k->destination))
        return -EAGAIN;
    n = features_differ(s->features, user, changes, n);
    return n ? features_change(s->features, user, FEATURE_READ, changes, n, NULL, NULL) : 0;
}
