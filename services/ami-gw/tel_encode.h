/* A canonical event on its way out. */
#ifndef CTIBUS_AMI_GW_TEL_ENCODE_H
#define CTIBUS_AMI_GW_TEL_ENCODE_H

#include "ami/ami.h"
#include "schema/schema.h"

/* Views into the AMI block (not yet mended UTF-8) or into the translator. What is not in `set` is
 * not initialized: read with tel_out_str. */
struct tel_out {
    enum tel_event event;
    struct tel_set set;
    struct view str[TEL_FIELD_COUNT];
    int64_t num[TEL_FIELD_COUNT];
    const struct ami_block *block; /* that it was read from; NULL: from none */
    unsigned first_header;         /* of user/event: the field `headers` holds those from here on */
};

static inline void tel_out_init(struct tel_out *o, enum tel_event event)
{
    o->event = event;
    o->block = NULL;
    memset(&o->set, 0, sizeof(o->set));
}

static inline struct view tel_out_str(const struct tel_out *o, enum tel_field f)
{
    return tel_set_has(&o->set, f) ? o->str[f] : view_of(NULL, 0);
}

static inline void tel_out_put_num(struct tel_out *o, enum tel_field f, int64_t n)
{
    o->num[f] = n;
    tel_set_add(&o->set, f);
}

/* Also the empty view. */
static inline void tel_out_put(struct tel_out *o, enum tel_field f, struct view v)
{
    o->str[f] = v;
    tel_set_add(&o->set, f);
}

static inline void tel_out_drop(struct tel_out *o, enum tel_field f)
{
    o->set.word[f / 64] &= ~((uint64_t)1 << (f % 64));
}

/* Writes a text of Asterisk as a msgpack string, UTF-8 mended (ami_text). */
void tel_put_text(struct buf *out, struct view v, enum ami_charset charset);
/* Writes the body of an event: a msgpack map, UTF-8 mended. Names of people and values of variables
 * lose the backslashes that a newer Asterisk (seen of 20) puts before quotes. */
void tel_out_body(struct buf *out, const struct tel_out *t, enum ami_charset charset);

#endif
