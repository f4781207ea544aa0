#include "sessions/list_reload.h"

#include <errno.h>

#include "core/remote_lists.h"
#include "lists/asterisk.h"
#include "lists/lists.h"
#include "sessions/sessions.h"

void lists_loaded(struct state *s)
{
    sessions_check_users(s->sessions);
    state_commit(s, false);
}

void list_changed(void *state, const char *uri)
{
    struct state *s = state;

    if (lists_load_uri(s, s->cfg, uri) < 0)
        loop_timer_start(s->lists_timer, LISTS_RETRY_MS, false);
    lists_loaded(s);
}

static bool has_urls(struct state *s, const char *key)
{
    for (size_t i = 0; i < s->n_ipbxes; i++)
        if (lists_url(s->cfg, &s->ipbxes[i], key, 0))
            return true;
    return false;
}

int list_reload(struct state *s, const char *key)
{
    const char *uri;
    int rc;

    if (!has_urls(s, key))
        return -ENOENT;
    rc = lists_load_key(s, s->cfg, key);
    if (rc < 0)
        loop_timer_start(s->lists_timer, LISTS_RETRY_MS, false);
    lists_loaded(s);
    asterisk_lists_refresh(s->asterisk_lists);
    for (size_t i = 0; i < s->n_ipbxes; i++)
        for (size_t n = 0; (uri = lists_url(s->cfg, &s->ipbxes[i], key, n)); n++)
            remote_lists_refresh_one(s->remote_lists, uri);
    return rc;
}
