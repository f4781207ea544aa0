#include "users/extensions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"

#define EXTEN_TEXT 32

static const struct {
    const char *name, *otherwise;
} features[EXTEN_COUNT] = {
    [EXTEN_OWN_MAILBOX] = {"vmusermsg", "*98"},
    [EXTEN_MAILBOX] = {"vmboxmsgslt", "*98"},
    [EXTEN_LEAVE_MESSAGE] = {"vmboxslt", "*97"},
    [EXTEN_ENABLE_DND] = {"enablednd", "*25"},
    [EXTEN_INCALL_FILTER] = {"incallfilter", "*27"},
    [EXTEN_ENABLE_VM] = {"enablevm", "*90"},
    [EXTEN_CALL_RECORD] = {"callrecord", "*26"},
    [EXTEN_FORWARD] = {"fwdunc", "*21"},
    [EXTEN_FORWARD_BUSY] = {"fwdbusy", "*23"},
    [EXTEN_FORWARD_RNA] = {"fwdrna", "*22"},
    [EXTEN_PHONE_PROGFUNCKEY] = {"phoneprogfunckey", "*735"},
};

struct site_extensions {
    const struct xod_ipbx *ipbx;
    bool any; /* is there a list at all? */
    char exten[EXTEN_COUNT][EXTEN_TEXT];
};

struct extensions {
    struct site_extensions ipbxes[MAX_IPBXES];
    size_t n;
};

struct extensions *extensions_new(void)
{
    return calloc(1, sizeof(struct extensions));
}

void extensions_destroy(struct extensions **e)
{
    if (!e || !*e)
        return;
    free(*e);
    *e = NULL;
}

/* "_*98." is *98, and what follows it. */
static void take(char out[EXTEN_TEXT], struct view text)
{
    size_t n = 0;

    for (size_t i = text.len && text.ptr[0] == '_' ? 1 : 0; i < text.len && n < EXTEN_TEXT - 1; i++)
        if (strchr("0123456789*#", text.ptr[i]))
            out[n++] = text.ptr[i];
        else
            break;
    out[n] = '\0';
}

static void take_item(struct site_extensions *se, struct json_object *item)
{
    struct view typed = json_get_view(item, "typeval");

    for (int i = 0; i < EXTEN_COUNT; i++) {
        struct json_object *named = json_get(item, features[i].name);
        if (view_eq(typed, view_cstr(features[i].name)))
            take(se->exten[i], json_get_view(item, "exten"));
        if (named && json_object_is_type(named, json_type_object))
            take(se->exten[i], json_get_view(named, "exten"));
        else if (named)
            take(se->exten[i], json_view(named));
    }
}

static struct site_extensions *of_site(struct extensions *e, const struct xod_ipbx *ipbx)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->ipbxes[i].ipbx == ipbx)
            return &e->ipbxes[i];
    if (e->n == MAX_IPBXES)
        return NULL;
    e->ipbxes[e->n].ipbx = ipbx;
    return &e->ipbxes[e->n++];
}

int extensions_set(struct extensions *e, const struct xod_ipbx *ipbx, struct json_object *array)
{
    struct site_extensions *se = of_site(e, ipbx);

    if (!se)
        return -ENOMEM;
    memset(se->exten, 0, sizeof(se->exten));
    se->any = json_object_array_length(array) > 0;
    for (size_t i = 0; i < json_object_array_length(array); i++)
        take_item(se, json_object_array_get_idx(array, i));
    return 0;
}

const char *extension_of(const struct state *s, const struct xod_ipbx *ipbx,
                         enum exten_feature feature)
{
    for (size_t i = 0; i < s->extensions->n; i++)
        if (s->extensions->ipbxes[i].ipbx == ipbx && *s->extensions->ipbxes[i].exten[feature])
            return s->extensions->ipbxes[i].exten[feature];
    return features[feature].otherwise;
}

bool extensions_known(const struct state *s, const struct xod_ipbx *ipbx)
{
    for (size_t i = 0; i < s->extensions->n; i++)
        if (s->extensions->ipbxes[i].ipbx == ipbx)
            return s->extensions->ipbxes[i].any;
    return false;
}
