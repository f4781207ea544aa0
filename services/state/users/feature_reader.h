/*
 * Reads the services of users where calls find them: in Asterisk's own database
 * (`ctibus.features.publish` has astdb) all of them after a resync, those of one user when a device
 * of the dialplan's own (Custom:DND1001) changes, as feature codes at the phone do; in XiVO's table
 * (userfeatures) all of them also when its database is there, those of one user after a
 * UserEvent(Feature). What was set here and was not answered yet goes before what is read.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_READER_H
#define CTIBUS_STATE_USERS_FEATURE_READER_H

#include "core/context.h"
#include "model/tel.h"

struct feature_reader;
struct feature_reader *feature_reader_new(struct state *s); /* NULL without memory */
void feature_reader_destroy(struct feature_reader **r);

/* Reads all users of an IPBX, whose list may be another one. Of Asterisk's database nothing is read
 * before the first resync, nor while the link is down. */
void feature_reader_all(struct state *s, struct ipbx *ipbx);
/* The same when all of the IPBX is listed: that it is not permitted is told once from then on. */
void feature_reader_resynced(struct state *s, struct ipbx *ipbx);
/* An event was applied: it may say that a user's services have changed. */
void feature_reader_event(struct state *s, struct ipbx *ipbx, const struct tel *t);
/* An action is refused: if it was about a service, clients are to see what is there instead. */
void feature_reader_refused(struct state *s, struct view ipbx, struct view subject);

/* Reads one user soon; several calls within a tenth of a second are one. */
void feature_reader_user(struct state *s, const struct xod_obj *user);

/* ---- for those that read ---- */

/* What feature_take() said of something read of a user: reads it again where that is needed. */
void feature_reader_took(struct state *s, const struct xod_obj *user, int rc);
/* Something could not be read: all are read again in 10 s. */
void feature_reader_again(struct state *s);
/* There is room for more questions. */
void feature_reader_go_on(struct state *s);

#endif
