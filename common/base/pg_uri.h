/*
 * The address of a PostgreSQL database: postgresql://USER:PASSWORD@HOST:PORT/DATABASE?NAME=VALUE...
 *
 * Read here and not by libpq, so that a fault is known before the server is asked, names that only
 * other programs know (XiVO's "encoding") do no harm, and nothing is taken from the environment.
 */
#ifndef CTIBUS_BASE_PG_URI_H
#define CTIBUS_BASE_PG_URI_H

#include "base/view.h"

/* Texts end with a NUL; an empty one was not given. */
struct pg_uri {
    char user[64], password[256], database[64];
    char host[256]; /* a name, an address, or the folder of a Unix socket, which begins with / */
    uint16_t port;
    char sslmode[16]; /* of libpq: disable, allow, prefer, require, verify-ca, verify-full */
    char sslrootcert[256], sslcert[256], sslkey[256]; /* files */
};

/* Reads a URI; names behind the ? other than ssl... above and `host` are passed over. NULL, or what
 * is wrong with it in words that follow its name; they do not contain any of it, since it may hold
 * a password. *out is then not to be used. */
const char *pg_uri_read(struct pg_uri *out, struct view uri);
/* Does the text begin as such a URI does? */
bool pg_uri_is(struct view uri);
/* "USER@HOST:PORT/DATABASE" into out, cut at n bytes: as it may be logged. */
void pg_uri_public(const struct pg_uri *u, char *out, size_t n);

/* The words of libpq or of the server in one line, cut at n bytes; text NULL: "". May be in place.
 */
void pg_one_line(char *out, size_t n, const char *text);

/* What libpq is to be given to connect: everything that it would else ask the environment, files or
 * the system for. `names` and `values` end with NULL, as PQconnectStartParams() wants them. */
struct pg_parameters {
    const char *names[24], *values[24];
    char port[8];
};
/* Those of the URI. hostaddr: the address of the host, "" if libpq is to look it up. All is
 * borrowed. */
void pg_uri_parameters(struct pg_parameters *out, const struct pg_uri *u, const char *hostaddr);
/* One more; beyond the room that there is it is left out. */
void pg_parameters_add(struct pg_parameters *out, const char *name, const char *value);

#endif
