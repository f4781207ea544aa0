/*
 * What `ctibus top` counts: messages by topic and by source, what is late, what is lost, and what
 * the services say of themselves. Pure: it is told messages and the time.
 */
#ifndef CTIBUS_TOOL_TOPTABLE_H
#define CTIBUS_TOOL_TOPTABLE_H

#include "base/map.h"
#include "bus/bus.h"

#define TOP_MAX_ROWS 1000 /* of a kind; what comes after is counted as "(others)" */
#define TOP_NAME 96

struct top_row {
    char name[TOP_NAME];
    uint64_t total, bytes; /* since the start, or the last reset */
    uint64_t n;            /* in this interval */
    double lag_sum, lag_max;
    uint64_t lost;
    /* of the last whole interval */
    double rate, lag, worst;
};

struct top_service {
    char name[TOP_NAME]; /* SERVICE INSTANCE */
    char version[24];
    char more[256]; /* what else it says, "sessions=3 ..." */
    double uptime, heard;
    bool ready;
};

struct top_rows {
    struct map *by_name;
    struct top_row **list;
    size_t n;
};

struct toptable {
    struct top_rows topics, sources;
    struct map *by_service;
    struct top_service **services;
    size_t n_services;
    struct msg_doc doc;
    struct buf scratch;
    double began, since; /* of all, and of this interval */
    uint64_t lost;
};

/* 0 or -ENOMEM. */
int toptable_init(struct toptable *t, double now);
void toptable_free(struct toptable *t);
void toptable_message(struct toptable *t, const struct bus_msg *m, double now);
void toptable_lost(struct toptable *t, const struct bus_msg *m, uint64_t lost);
/* Ends an interval: the rates are those of it from now on; rows come by rate, services by name. */
void toptable_turn(struct toptable *t, double now);
/* Forgets totals. */
void toptable_reset(struct toptable *t, double now);

#endif
