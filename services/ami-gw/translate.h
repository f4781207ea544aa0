/*
 * The translator: AMI events in, canonical events out. Pure: no sockets, no clock; it remembers
 * only what translation needs (who is in which bridge, who talked to whom in an old Asterisk).
 */
#ifndef CTIBUS_AMI_GW_TRANSLATE_H
#define CTIBUS_AMI_GW_TRANSLATE_H

#include "tel_encode.h"

/* Called for each canonical event; *t and its views live during the call. */
typedef void translate_fn(void *arg, const struct tel_out *t);

struct translator;
/* NULL without memory. */
struct translator *translator_new(translate_fn *emit, void *arg);
void translator_destroy(struct translator **t);
/* Forgets everything, also what was held back: the link was lost. */
void translator_reset(struct translator *t);

/* Is there a row for this event? */
bool translator_knows(const struct translator *t, struct view event);
/* Translates a block as the event of that name (an answer to ExtensionState reads as an
 * ExtensionStatus); from a listing if `resync`. False when no row matched. */
bool translator_event(struct translator *t, struct view name, const struct ami_block *b,
                      bool resync);
/* A listing of bridges said what kind one is. */
void translator_bridge(struct translator *t, const struct ami_block *b);
/* A listing of channels and bridges begins: what was remembered of them is told anew. */
void translator_relist(struct translator *t);

/* An Asterisk before 12 ends and begins the link of a call again around each feature digit. Such an
 * end is held back until the next event about one of the two channels; where the link begins again
 * both are left out. Tells what is held back now; the owner calls it when nothing came for a while.
 */
void translator_flush(struct translator *t);
bool translator_holds_back(const struct translator *t);

#endif
