/*
 * The schema: which lists, fields, events, requests and outcomes there are. One table each (the
 * .def files), from which come the enums below, what encoders write, what is accepted from the
 * wire, and the tables of docs/bus.md (`ctibus schema` prints them; a test compares).
 */
#ifndef CTIBUS_SCHEMA_SCHEMA_H
#define CTIBUS_SCHEMA_SCHEMA_H

#include "base/array.h"
#include "base/buf.h"

/* What a value may be. */
enum {
    T_NULL = 1 << 0,
    T_BOOL = 1 << 1,
    T_INT = 1 << 2,
    T_FLOAT = 1 << 3,
    T_STR = 1 << 4,
    T_LIST = 1 << 5,
    T_MAP = 1 << 6,
    T_SCALAR = T_NULL | T_BOOL | T_INT | T_FLOAT | T_STR,
    T_ANY = 0x7f
};

enum { F_CLIENT = 1, F_PEER = 2, F_INDEXED = 4, F_FOLD = 8, F_STATS = 16 };
enum xod_plane { PLANE_CONFIG, PLANE_STATUS };
enum schema_init { INIT_NULL_, INIT_FALSE_, INIT_ZERO_, INIT_STR_, INIT_LIST_, INIT_MAP_ };

struct schema_field {
    const char *name;
    struct view vname;
    uint8_t plane; /* enum xod_plane */
    uint8_t types; /* T_ bits */
    uint8_t flags; /* F_ bits */
    uint8_t init;  /* enum schema_init */
    const char *init_str;
    const char *doc;
};

struct schema_list {
    const char *name;
    struct view vname;
    unsigned rank;
    const char *doc;
    const struct schema_field *fields;
    unsigned n_fields; /* at most 63 */
};

enum xod_list {
#define LIST(list, rank, doc) LIST_##list,
#define LIST_END(list)
#define FIELD(list, ident, name, plane, types, flags, init, doc)
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
    LIST_COUNT
};

/* All fields of all lists in one row (ROW_), and within their list from 0: XOD(channels, state). */
enum {
#define LIST(list, rank, doc) ROW_##list##_BASE, ROW_##list##_RESET_ = ROW_##list##_BASE - 1,
#define LIST_END(list) ROW_##list##_LIMIT, ROW_##list##_NEXT_ = ROW_##list##_LIMIT - 1,
#define FIELD(list, ident, name, plane, types, flags, init, doc) ROW_##list##_##ident,
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
    ROW_COUNT
};
#define XOD(list, field) (ROW_##list##_##field - ROW_##list##_BASE)
#define XOD_BIT(list, field) ((uint64_t)1 << XOD(list, field))

/* The list at a number, by number or by name (-1: no such list). */
const struct schema_list *schema_list(enum xod_list list);
int schema_list_find(struct view name);
/* Number of a field of a list, or -1. */
int schema_field_find(enum xod_list list, struct view name);
/* Bits of the fields of a plane, and of those that CTI clients see. */
uint64_t schema_plane_mask(enum xod_list list, enum xod_plane plane);
uint64_t schema_client_mask(enum xod_list list);
/* The field that lists what an object is tied to (xod_relate), or -1. */
int schema_relations_field(enum xod_list list);
/* Bits of the fields that may go to another site. */
uint64_t schema_peer_mask(enum xod_list list);
/* Bits of the statistics: numbers that are published and shown together once one has changed. */
uint64_t schema_stats_mask(enum xod_list list);

enum tel_event {
#define TEL(ident, subject, verb, fields, doc) TEL_##ident,
#define TEL_FIELD(ident, name, type, doc)
#include "schema/tel.def"
#undef TEL
#undef TEL_FIELD
    TEL_EVENT_COUNT
};

enum tel_field {
#define TEL(ident, subject, verb, fields, doc)
#define TEL_FIELD(ident, name, type, doc) TELF_##ident,
#include "schema/tel.def"
#undef TEL
#undef TEL_FIELD
    TEL_FIELD_COUNT
};

/* A set of fields. */
struct tel_set {
    uint64_t word[(TEL_FIELD_COUNT + 63) / 64];
};

static inline bool tel_set_has(const struct tel_set *s, enum tel_field f)
{
    return (s->word[f / 64] >> (f % 64)) & 1;
}

static inline void tel_set_add(struct tel_set *s, enum tel_field f)
{
    s->word[f / 64] |= (uint64_t)1 << (f % 64);
}

/* The first field from `from` on that is in the set; TEL_FIELD_COUNT at the end. */
static inline unsigned tel_set_next(const struct tel_set *s, unsigned from)
{
    for (unsigned w = from / 64; w < ARRAY_SIZE(s->word); w++, from = w * 64) {
        uint64_t left = s->word[w] >> (from % 64);
        if (left)
            return from + (unsigned)__builtin_ctzll(left);
    }
    return TEL_FIELD_COUNT;
}

static inline unsigned tel_set_count(const struct tel_set *s)
{
    unsigned n = 0;

    for (size_t w = 0; w < ARRAY_SIZE(s->word); w++)
        n += (unsigned)__builtin_popcountll(s->word[w]);
    return n;
}

/* "channel/new/" ... : the end of the topic, with its slash. */
struct view schema_tel_topic(enum tel_event ev);
/* The event whose topic ends so (with the slash), or -1. */
int schema_tel_find(struct view subject_verb);
/* What it says, in words. */
const char *schema_tel_doc(enum tel_event ev);
/* The names of the fields that it may have beside resync and synthetic, with blanks between them.
 */
struct view schema_tel_fields(enum tel_event ev);
/* May the event have this field? */
bool schema_tel_may_have(enum tel_event ev, enum tel_field f);
struct view schema_tel_field_name(enum tel_field f);
const char *schema_tel_field_doc(enum tel_field f);
uint8_t schema_tel_field_type(enum tel_field f);
/* The field of that name, or -1. */
int schema_tel_field_find(struct view name);

enum bus_method {
#define METHOD(ident, name, from, doc) METHOD_##ident,
#define STATUS(ident, name, doc)
#include "schema/requests.def"
#undef METHOD
#undef STATUS
    METHOD_COUNT
};
enum bus_status {
#define METHOD(ident, name, from, doc)
#define STATUS(ident, name, doc) BUS_##ident,
#include "schema/requests.def"
#undef METHOD
#undef STATUS
    BUS_STATUS_COUNT
};
struct view schema_method_name(enum bus_method m);
const char *schema_method_doc(enum bus_method m);
int schema_method_find(struct view name); /* -1: none */
struct view schema_status_name(enum bus_status s);
int schema_status_find(struct view name); /* -1: none */

/* The tables in Markdown, as they stand in docs/bus.md. 0 or -ENOBUFS/-ENOMEM. */
int schema_markdown(struct buf *out);

#endif
