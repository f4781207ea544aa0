/*
 * What only people know of a site: a CSV file over the users that other lists name, as
 * "csv:people.csv" in urllist_users. Its first line names the columns, in any order:
 *
 *   number         whose row it is: the user with this number, or NUMBER@CONTEXT, the id of a user,
 *                  where several have it
 *   login          the login name; without a number it says whose row it is
 *   firstname, lastname, mobile, email
 *   password       in clear text, for clients of XiVO; or
 *   password_hash  as `ctibus passwd` makes it, for browsers
 *   profile        a name of the configuration's `profiles`
 *   agent          number of the agent that this person is
 *   groups         names of groups of people that the Asterisk does not know, with ; between them:
 *                  "Sales; Front desk"
 *   note           a remark of the administrator; not read
 */
#ifndef CTIBUS_CSV_STAFF_H
#define CTIBUS_CSV_STAFF_H

#include <json-c/json.h>

#include "base/buf.h"

#define STAFF_MAX_BYTES ((size_t)32 * 1024 * 1024)

/* What is wrong in the file, in words for people: of a column (line 1) or of a row. */
typedef void staff_fault_fn(void *arg, size_t line, const char *what);
/* The rows as items of urllist_users: number, loginclient, enableclient, firstname, lastname,
 * passwdclient, profileclient, mobilephonenumber, email, agentid, groups, of each what the row has;
 * and `line`, that of the file on which the row begins. Rows with neither number nor login are left
 * out, and a password_hash that is none is told and left out. NULL, after telling why, when nothing
 * can be read; fn may be NULL. */
struct json_object *staff_read(struct view file, staff_fault_fn *fn, void *arg);

#endif
