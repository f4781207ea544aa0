/*
 * Reads the services of users that Asterisk's own database has (`ctibus.features.publish` has
 * astdb): all of them after a resync, those of one user when a device of the dialplan's own
 * (Custom:DND1001) changes, as feature codes at the phone do. What was set here and Asterisk has
 * not answered yet goes before what is read.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_READER_H
#define CTIBUS_STATE_USERS_FEATURE_READER_H

#include "core/context.h"
#include "model/tel.h"

struct feature_reader;
struct feature_reader *feature_reader_new(struct state *s); /* NULL without memory */
void feature_reader_destroy(struct feature_reader **r);

/* Reads all users of an IPBX, whose list may be another one. Nothing happens before the first
 * resync, nor while the link is down. */
void feature_reader_all(struct state *s, struct ipbx *ipbx);
/* The same when all of the IPBX is listed: that it is not permitted is told once from then on. */
void feature_reader_resynced(struct state *s, struct ipbx *ipbx);
/* An event was applied: it may say that a user's services have changed. */
void feature_reader_event(struct state *s, struct ipbx *ipbx, const struct tel *t);
/* Asterisk has refused an action: if it was about a key of the database, clients are to see what is
 * there instead. */
void feature_reader_refused(struct state *s, struct view ipbx, struct view subject);

#endif
