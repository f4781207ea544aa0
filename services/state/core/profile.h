/* What a profile of the configuration permits. */
#ifndef CTIBUS_STATE_CORE_PROFILE_H
#define CTIBUS_STATE_CORE_PROFILE_H

#include "base/buf.h"
#include "config/config.h"

struct json_object;

struct json_object *profile_find(const struct config *cfg, struct view capaid);
/* The userstatus section that the profile names, or NULL. */
struct json_object *profile_userstatus(const struct config *cfg, struct view capaid);
/* What it says of one presence, or NULL. */
struct json_object *profile_status(const struct config *cfg, struct view capaid, struct view name);
/* May presence go from `from` to `to`? */
bool profile_presence_allowed(const struct config *cfg, struct view capaid, struct view from,
                              struct view to);
/* May clients of the profile send messages of this class (config_class_is_open)? */
bool profile_permits_class(const struct config *cfg, struct view capaid, struct view class);
/* Is `word` named by the section (regcommands, ipbxcommands...) of the profile? */
bool profile_permits(const struct config *cfg, struct view capaid, const char *section,
                     struct view word);
/* What limits whose calls its users see (access_limit), or NULL. */
struct json_object *profile_see(const struct config *cfg, struct view capaid);
/* Appends the JSON of `capas` and of `capaxlets`, as login_capas sends them. */
void profile_put_capas(struct buf *out, const struct config *cfg, struct view capaid);
void profile_put_xlets(struct buf *out, const struct config *cfg, struct view capaid);

#endif
