/* Listing everything anew: the listings that an Asterisk has, as canonical events between
 * resync/begin and resync/end of each kind, and of kind "all" around the whole. A kind whose
 * listings this Asterisk lacks, or does not permit, has no end: nothing is to be taken for gone. */
#ifndef CTIBUS_AMI_GW_RESYNC_H
#define CTIBUS_AMI_GW_RESYNC_H

#include "amilink/link.h"
#include "translate.h"

struct hint_place {
    char *exten;
    char *context;
};

struct resync_handler {
    void (*mark)(void *arg, enum tel_event begin_or_end, const char *kind);
    /* An event of a listing, or an answer that reads as the event of that name. */
    void (*item)(void *arg, struct view name, const struct ami_block *b);
    void (*bridge)(void *arg, const struct ami_block *b); /* a line of the list of bridges */
    void (*relist)(void *arg); /* channels and bridges are told anew from here on */
    void (*finished)(void *arg, bool complete);
};

struct resync;
/* timeout_ms: a listing that brings nothing for so long is given up; 0: 10 s. NULL without memory.
 */
struct resync *resync_new(struct ami_link *link, uint32_t timeout_ms,
                          const struct resync_handler *handler, void *arg, struct log *log);
void resync_destroy(struct resync **r);
/* Starts (over). hints: whose state is asked one by one where Asterisk cannot list them (1.8);
 * copied. */
void resync_start(struct resync *r, const struct hint_place *hints, size_t n_hints);
/* The link went down: it is not complete. */
void resync_abort(struct resync *r);
bool resync_running(const struct resync *r);

/* The answer says that this Asterisk has no such action, or does not permit it to us. */
bool response_is_missing(const struct ami_block *response);

#endif
