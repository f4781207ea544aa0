/*
 * Waiting for a PostgreSQL database that another process owns.
 *
 * A thread asks the server for the owner's lock. The server gives it when the owner's connection
 * has ended, for whatever reason. An owner that holds it and has written nothing for some time (it
 * stands still, or its machine is gone) loses its connection to pg_terminate_backend(). What it
 * would still write is refused, since the term has grown (postgres.c).
 */
#ifndef CTIBUS_DATABASE_CLAIM_H
#define CTIBUS_DATABASE_CLAIM_H

#include "database/db.h"

struct db_claim;

struct db_claim_status {
    bool reachable; /* the server answers */
    bool won;       /* the database is ours: db_open_claimed() */
    char owner[64]; /* the name of the process that has it, or empty */
    int64_t term;   /* its term; 0: not known */
    char why[240];  /* while it is not reachable: the server's words */
};
/* Something of the status is another now. On the loop. */
typedef void db_claim_fn(void *arg, const struct db_claim_status *now);

/* uri: postgresql://... name: ours, for others to see. silent_ms: after so long without a sign of
 * life the owner is replaced; at least 2000, since it gives one each second. NULL and *err: -EINVAL
 * where the URI is none (logged), -ENOMEM, or that of a thread. */
struct db_claim *db_claim_new(struct loop *loop, const char *uri, const char *name,
                              uint32_t silent_ms, db_claim_fn *told, void *arg, struct log *log,
                              int *err);
/* Waits for the thread: 2 s at most when the server says nothing. */
void db_claim_destroy(struct db_claim **c);

/* As db_open(), of a claim that is won; ends the claim in any case. */
struct db *db_open_claimed(struct loop *loop, struct db_claim **claim,
                           const struct db_schema *schema, struct metrics *metrics, struct log *log,
                           int *err);

#endif
