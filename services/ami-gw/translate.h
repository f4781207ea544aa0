/*
 * The translator: AMI events in, canonical events out. Pure: no sockets, no clock; it remembers
 * only what translation needs (who is in which bridge, which masquerade is under way).
 */
#ifndef CTIBUS_AMI_GW_TRANSLATE_H
#define CTIBUS_AMI_GW_TRANSLATE_H

#include "ami/ami.h"
#include "schema/schema.h"

/* A canonical event: views into the AMI block (not yet mended UTF-8) or into the translator. */
struct tel_out {
    enum tel_event event;
    uint64_t present; /* bits: enum tel_field */
    struct view str[TEL_FIELD_COUNT];
    int64_t num[TEL_FIELD_COUNT];
};

typedef void translate_fn(void *arg, const struct tel_out *t);

struct translator;
/* NULL without memory. */
struct translator *translator_new(translate_fn *emit, void *arg);
void translator_destroy(struct translator **t);
/* Forgets everything: the link was lost. */
void translator_reset(struct translator *t);

/* Is there a row for this event? */
bool translator_knows(const struct translator *t, struct view event);
/* Translates a block as the event of that name (an answer to ExtensionState reads as an
 * ExtensionStatus); from a listing if `resync`. False when no row matched. */
bool translator_event(struct translator *t, struct view name, const struct ami_block *b,
                      bool resync);
/* A listing of bridges said what kind one is. */
void translator_bridge(struct translator *t, const struct ami_block *b);
/* A listing of channels and bridges begins: what was remembered of bridges is told anew. */
void translator_relist(struct translator *t);

/* Writes the body of an event: a msgpack map, UTF-8 mended. */
void tel_out_body(struct buf *out, const struct tel_out *t, enum ami_charset charset);

#endif
