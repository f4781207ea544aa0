/*
 * Programs on the bus that know something of a call: what they answer are the values {program-...}
 * of a sheet.
 *
 * A program registers (worker.register, kind sheet) for events and contexts. A sheet whose display
 * names such values is a request sheet.call to every program that it concerns, all at once; it is
 * sent when all have answered, or their time is over.
 *
 *   programs.c      who registered
 *   program_wait.c  sheets that wait for them
 */
#ifndef CTIBUS_STATE_SHEETS_PROGRAMS_H
#define CTIBUS_STATE_SHEETS_PROGRAMS_H

#include "core/worker.h"
#include "sheets/sheet.h"

#define PROGRAMS_MAX_WAITING 1024 /* sheets at a time: what comes then is sent without */
#define PROGRAMS_MAX_SHEETS 16    /* the same of one channel */

struct programs;
/* Sends a sheet; takes it. */
typedef void programs_send_fn(void *arg, struct sheet *sheet);

/* NULL without memory. */
struct programs *programs_new(struct state *s, programs_send_fn *send, void *arg);
/* Nothing may be asked any more: after bus_server_destroy. */
void programs_destroy(struct programs **p);

/* The request worker.register with kind sheet: answered. It replaces what the peer said before,
 * unless it says `more`. */
void programs_register(struct programs *p, struct bus_peer *peer, uint64_t id,
                       const msgpack_object *body);
void programs_peer_gone(struct programs *p, const struct bus_peer *peer);

/* False: the sheet can be sent at once. True: it is taken, and given to send(arg, sheet) with what
 * the programs know, after those of its channel that wait already. */
bool programs_take(struct programs *p, struct sheet *sheet);

/* ---- between the two files ---- */

struct program {
    TAILQ_ENTRY(program) all;
    struct worker worker;
    struct json_object *events, *contexts; /* arrays; an empty one narrows nothing */
};

struct programs {
    struct state *s;
    TAILQ_HEAD(, program) all; /* the highest priority first, of equals the first that came */
    size_t n;
    struct map *lines; /* site/channel -> sheets that wait, in their order */
    size_t waiting;
    programs_send_fn *send;
    void *arg;
    struct metric *unanswered;
};

/* Does the program want to be asked for this sheet? */
bool program_is_for(const struct program *one, const struct sheet *sheet);

#endif
