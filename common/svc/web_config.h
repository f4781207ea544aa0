/*
 * A configuration behind http: or https:, as the web interface of a XiVO serves it: fetched at the
 * start and at each reload. What was good is kept in a file, for a start without the web server.
 * Belongs to svc/ alone.
 */
#ifndef CTIBUS_SVC_WEB_CONFIG_H
#define CTIBUS_SVC_WEB_CONFIG_H

#include "base/buf.h"
#include "config/config.h"
#include "loop/loop.h"

struct web_config;

bool web_config_is_uri(const char *name);

/* `uri` and what is in `over` are borrowed; before there is another thread. `over` says where
 * copies are (ctibus.config_copies, else the first of $STATE_DIRECTORY, else the working
 * directory), which CA to believe (ctibus.lists_ca) and how long the server may be silent
 * (main.sockettimeout). NULL without memory. */
struct web_config *web_config_new(const char *uri, const struct config_overrides *over);
/* What is being fetched ends without effect. */
void web_config_destroy(struct web_config **w);

/* The URI without user and password, for the log. */
const char *web_config_name(const struct web_config *w);
/* The folder of copies, to which relative names in the configuration are relative. */
const char *web_config_dir(const struct web_config *w);
const char *web_config_copy(const struct web_config *w);

/* Fetches it without a loop, for the start: blocks for WEB_CONFIG_S at most. 0, or a negative
 * errno with the reason in words. */
#define WEB_CONFIG_S 10
int web_config_fetch(struct web_config *w, struct buf *text, char reason[384]);

/* Fetches it beside `loop` (the same at each call); one that is under way is followed by another.
 * `reason` is NULL when it came. 0 or a negative errno. */
typedef void web_config_fn(void *arg, struct view text, const char *reason);
int web_config_ask(struct web_config *w, struct loop *loop, web_config_fn *fn, void *arg);

/* Keeps what was good, and reads it again. 0 or a negative errno. */
int web_config_keep(const struct web_config *w, struct view text);
int web_config_kept(const struct web_config *w, struct buf *text);

#endif
