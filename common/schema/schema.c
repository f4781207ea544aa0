#include "schema/schema.h"

#define CONFIG PLANE_CONFIG
#define STATUS PLANE_STATUS
#define CLIENT F_CLIENT
#define PEER F_PEER
#define INDEXED F_INDEXED
#define FOLD F_FOLD
#define STATS F_STATS
#define STR (T_NULL | T_STR)
#define INT (T_NULL | T_INT)
#define FLOAT (T_NULL | T_FLOAT | T_INT)
#define BOOL (T_NULL | T_BOOL)
#define SCALAR T_SCALAR
#define LISTV (T_NULL | T_LIST)
#define MAPV (T_NULL | T_MAP)
#define ANY T_ANY
#define INIT_NULL INIT_NULL_, NULL
#define INIT_FALSE INIT_FALSE_, NULL
#define INIT_ZERO INIT_ZERO_, NULL
#define INIT_STR(s) INIT_STR_, s
#define INIT_LIST INIT_LIST_, NULL
#define INIT_MAP INIT_MAP_, NULL
/* The tables below are made by inclusion. */
/* clang-format off */
#define NAME(s) s, {s, sizeof(s) - 1}
static const struct schema_field rows[] = {
#define LIST(list, rank, doc)
#define LIST_END(list)
#define FIELD(list, ident, name, plane, types, flags, init, doc)                                   \
    {NAME(name), plane, types, flags, init, doc},
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
};

/* The bits of fields for which `what` is true are summed up by the preprocessor, list by list. */
#define LIST(list, rank, doc)                                                                      \
    enum { list##_count_ = ROW_##list##_LIMIT - ROW_##list##_BASE };                               \
    _Static_assert(list##_count_ <= 63, "a change is a bitset of 64");
#define LIST_END(list)
#define FIELD(list, ident, name, plane, types, flags, init, doc)
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD

static const uint64_t status_masks[] = {
#define LIST(list, rank, doc) 0
#define LIST_END(list) ,
#define FIELD(list, ident, name, plane, types, flags, init, doc)                                   \
    | ((plane) == PLANE_STATUS ? XOD_BIT(list, ident) : 0)
#include "schema/lists.def"
#undef FIELD
};

static const uint64_t client_masks[] = {
#define FIELD(list, ident, name, plane, types, flags, init, doc)                                   \
    | (((flags)&F_CLIENT) ? XOD_BIT(list, ident) : 0)
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
};

static const uint64_t peer_masks[] = {
#define LIST(list, rank, doc) 0
#define LIST_END(list) ,
#define FIELD(list, ident, name, plane, types, flags, init, doc)                                   \
    | (((flags)&F_PEER) ? XOD_BIT(list, ident) : 0)
#include "schema/lists.def"
#undef FIELD
};

static const uint64_t stats_masks[] = {
#define FIELD(list, ident, name, plane, types, flags, init, doc)                                   \
    | (((flags)&F_STATS) ? XOD_BIT(list, ident) : 0)
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
};

static const struct schema_list lists[] = {
#define LIST(list, rank, doc) {NAME(#list), rank, doc, &rows[ROW_##list##_BASE], list##_count_},
#define LIST_END(list)
#define FIELD(list, ident, name, plane, types, flags, init, doc)
#include "schema/lists.def"
#undef LIST
#undef LIST_END
#undef FIELD
};

struct named {
    struct view name;
    uint8_t type;
    struct view doc;
    struct view from; /* the sender of a request; the fields of an event */
};
#define V(s)                                                                                       \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

static const struct named tel_events[] = {
#define TEL(ident, subject, verb, fields, doc) {V(subject "/" verb "/"), 0, V(doc), V(fields)},
#define TEL_FIELD(ident, name, type, doc)
#include "schema/tel.def"
#undef TEL
#undef TEL_FIELD
};
static const struct named tel_fields[] = {
#define TEL(ident, subject, verb, fields, doc)
#define TEL_FIELD(ident, name, type, doc) {V(name), T_##type, V(doc), V(#type)},
#include "schema/tel.def"
#undef TEL
#undef TEL_FIELD
};
#undef STATUS
static const struct named methods[] = {
#define METHOD(ident, name, from, doc) {V(name), 0, V(doc), V(from)},
#define STATUS(ident, name, doc)
#include "schema/requests.def"
#undef METHOD
#undef STATUS
};
static const struct named statuses[] = {
#define METHOD(ident, name, from, doc)
#define STATUS(ident, name, doc) {V(name), 0, V(doc), V("")},
#include "schema/requests.def"
#undef METHOD
#undef STATUS
};
/* clang-format on */

uint64_t schema_client_mask(enum xod_list list)
{
    return client_masks[list];
}

int schema_relations_field(enum xod_list list)
{
    unsigned last = schema_list(list)->n_fields - 1;

    return view_eq(schema_list(list)->fields[last].vname, VIEW("relations")) ? (int)last : -1;
}

uint64_t schema_peer_mask(enum xod_list list)
{
    return peer_masks[list];
}

uint64_t schema_stats_mask(enum xod_list list)
{
    return stats_masks[list];
}

uint64_t schema_plane_mask(enum xod_list list, enum xod_plane plane)
{
    uint64_t all = ((uint64_t)1 << lists[list].n_fields) - 1;

    return plane == PLANE_STATUS ? status_masks[list] : all & ~status_masks[list];
}

const struct schema_list *schema_list(enum xod_list list)
{
    return &lists[list];
}

int schema_list_find(struct view name)
{
    for (int i = 0; i < LIST_COUNT; i++)
        if (view_eq(lists[i].vname, name))
            return i;
    return -1;
}

int schema_field_find(enum xod_list list, struct view name)
{
    for (unsigned i = 0; i < lists[list].n_fields; i++)
        if (view_eq(lists[list].fields[i].vname, name))
            return (int)i;
    return -1;
}

static int find_named(const struct named *table, int n, struct view name)
{
    for (int i = 0; i < n; i++)
        if (view_eq(table[i].name, name))
            return i;
    return -1;
}

struct view schema_tel_topic(enum tel_event ev)
{
    return tel_events[ev].name;
}

int schema_tel_find(struct view subject_verb)
{
    return find_named(tel_events, TEL_EVENT_COUNT, subject_verb);
}

const char *schema_tel_doc(enum tel_event ev)
{
    return tel_events[ev].doc.ptr;
}

struct view schema_tel_fields(enum tel_event ev)
{
    return tel_events[ev].from;
}

bool schema_tel_may_have(enum tel_event ev, enum tel_field f)
{
    struct view rest = tel_events[ev].from;

    if (f == TELF_resync || f == TELF_synthetic)
        return true;
    while (rest.len)
        if (view_eq(view_cut(&rest, ' '), tel_fields[f].name))
            return true;
    return false;
}

const char *schema_tel_field_doc(enum tel_field f)
{
    return tel_fields[f].doc.ptr;
}

struct view schema_tel_field_name(enum tel_field f)
{
    return tel_fields[f].name;
}

uint8_t schema_tel_field_type(enum tel_field f)
{
    return tel_fields[f].type;
}

int schema_tel_field_find(struct view name)
{
    return find_named(tel_fields, TEL_FIELD_COUNT, name);
}

const char *schema_method_doc(enum bus_method m)
{
    return methods[m].doc.ptr;
}

struct view schema_method_name(enum bus_method m)
{
    return methods[m].name;
}

int schema_method_find(struct view name)
{
    return find_named(methods, METHOD_COUNT, name);
}

struct view schema_status_name(enum bus_status s)
{
    return statuses[s].name;
}

int schema_status_find(struct view name)
{
    return find_named(statuses, BUS_STATUS_COUNT, name);
}

static void type_names(struct buf *out, unsigned types)
{
    static const char *const names[] = {"null", "bool", "int", "float", "string", "list", "map"};
    const char *sep = "";

    if ((types & T_SCALAR) == T_SCALAR) {
        buf_append_cstr(out, types == T_ANY ? "any" : "scalar");
        return;
    }
    for (unsigned i = 1; i < 7; i++)
        if (types & (1u << i)) {
            buf_printf(out, "%s%s", sep, names[i]);
            sep = " or ";
        }
}

static void initial(struct buf *out, const struct schema_field *f)
{
    static const char *const names[] = {"null", "false", "0", "", "[]", "{}"};

    if (f->init == INIT_STR_)
        buf_printf(out, "\"%s\"", f->init_str);
    else
        buf_append_cstr(out, names[f->init]);
}

static void markdown_lists(struct buf *out)
{
    for (unsigned i = 0; i < LIST_COUNT; i++) {
        const struct schema_list *l = &lists[i];
        buf_printf(out, "\n### `%s`: %s\n\n", l->name, l->doc);
        buf_append_cstr(out, "| field | plane | type | initial | clients | sites | meaning |\n"
                             "|---|---|---|---|---|---|---|\n");
        for (unsigned j = 0; j < l->n_fields; j++) {
            const struct schema_field *f = &l->fields[j];
            buf_printf(out, "| `%s` | %s | ", f->name,
                       f->plane == PLANE_STATUS ? "status" : "config");
            type_names(out, f->types);
            buf_append_cstr(out, " | ");
            initial(out, f);
            buf_printf(out, " | %s | %s | %s |\n", f->flags & F_CLIENT ? "yes" : "no",
                       f->flags & F_PEER ? "yes" : "no", f->doc);
        }
    }
}

static void markdown_named(struct buf *out, const char *title, const char *head, const char *third,
                           const struct named *table, int n)
{
    buf_printf(out, "\n## %s\n\n| %s |%s%s meaning |\n|---|%s---|\n", title, head, third,
               *third ? " |" : "", *third ? "---|" : "");
    for (int i = 0; i < n; i++) {
        buf_printf(out, "| `%.*s` |", VIEW_ARG(table[i].name));
        if (*third)
            buf_printf(out, " %.*s |", VIEW_ARG(table[i].from));
        buf_printf(out, " %.*s |\n", VIEW_ARG(table[i].doc));
    }
}

int schema_markdown(struct buf *out)
{
    buf_append_cstr(out, "## Lists of xod\n");
    markdown_lists(out);
    markdown_named(out, "Telephony events: tel/<ipbx>/...", "topic ends", " fields", tel_events,
                   TEL_EVENT_COUNT);
    markdown_named(out, "Fields of telephony events", "field", " type", tel_fields,
                   TEL_FIELD_COUNT);
    markdown_named(out, "Requests", "method", " from", methods, METHOD_COUNT);
    markdown_named(out, "Outcomes", "status", "", statuses, BUS_STATUS_COUNT);
    return out->failed ? -1 : 0;
}
