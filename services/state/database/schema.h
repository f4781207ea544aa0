/* The tables of the database, as a row of steps: a file of version N has had the first N. */
#ifndef CTIBUS_STATE_DATABASE_SCHEMA_H
#define CTIBUS_STATE_DATABASE_SCHEMA_H

#include <sqlite3.h>

/* Brings the file up to date. 0; -EPROTO: it is of a later version of ctibus; -EIO with the message
 * in sqlite3_errmsg. */
int schema_upgrade(sqlite3 *sql);

#endif
