/* INFO over TCP: who shows the token of the configuration may change something. */
#include <openssl/crypto.h>

#include "console/info/info.h"

/* In a time that tells nothing of where they differ. */
static bool same(struct view a, struct view b)
{
    return a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

enum info_end info_token(struct info *i, const struct info_words *w)
{
    struct view token = view_cstr(config_str(i->state->cfg, "ctibus.console.token"));

    if (token.len && same(w->word[1], token)) {
        i->trusted = true;
        log_notice(i->state->log, "INFO %s: has shown the token", i->line_client->peer);
        return INFO_OK;
    }
    metric_add(i->console->wrong_tokens, 1);
    log_warning(i->state->log, "INFO %s: cut off: a wrong token", i->line_client->peer);
    info_line(i, token.len ? "that is not the token" : "there is no token: ctibus.console.token");
    return INFO_NO;
}
