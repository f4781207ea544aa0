/*
 * The services of users in XiVO's own table `userfeatures`, which its dialplan, its feature codes
 * and its web interface read and write: a connection to the database of each IPBX that has one
 * (config_userfeatures_uri).
 *
 * What is to be written is kept as deferred actions; what is read goes to feature_take.h. Rows are
 * found by the user's id. All are read when the connection is there, and when the caller says so.
 */
#ifndef CTIBUS_STATE_USERS_FEATURE_TABLE_H
#define CTIBUS_STATE_USERS_FEATURE_TABLE_H

#include "core/context.h"
#include "database/pg.h"

struct feature_tables;
struct feature_tables *feature_tables_new(struct state *s); /* NULL without memory */
/* What was asked is lost: deferred actions must still be there. */
void feature_tables_destroy(struct feature_tables **t);
/* Connects to the databases that the configuration has, and leaves those that it has no more. Not
 * from within a callback of this file. */
void feature_tables_configure(struct state *s);

/* Do the services of this IPBX's users stand in such a table? */
bool feature_table_is_used(const struct state *s, const struct xod_ipbx *ipbx);
/* Can it be asked now? */
bool feature_table_is_up(const struct state *s, const struct xod_ipbx *ipbx);

/* Reads all rows, or that of one user, if the connection is there. */
void feature_table_all(struct state *s, const struct xod_ipbx *ipbx);
void feature_table_user(struct state *s, const struct xod_obj *user);

/* PG_LOST: it is to be written again when the database is back. */
typedef void feature_written_fn(void *arg, enum pg_outcome outcome);
/* Writes one service into the row of a user: `flag` is the name of its column, `on` "1" or "0",
 * `destination` for its other column, if it has one. 0; -ENOTCONN: the database is not there, all
 * that is deferred is asked for when it is; -ENOENT: there is no such service, or the table has no
 * columns for it; -ENOBUFS or -ENOMEM. done is called if 0 is returned. */
int feature_table_write(struct state *s, const struct xod_ipbx *ipbx, const char *user,
                        struct view flag, const char *on, const char *destination,
                        feature_written_fn *done, void *arg);

#endif
