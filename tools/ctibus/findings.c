#include "findings.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "tool.h"
#include "json/json.h"

static const char *const names[] = {"note", "warning", "fault"};

const char *finding_level_name(enum finding_level level)
{
    return names[level];
}

void findings_init(struct findings *f)
{
    *f = (struct findings){.list = json_object_new_array()};
}

void findings_free(struct findings *f)
{
    json_object_put(f->list);
    *f = (struct findings){0};
}

static void put(struct json_object *o, const char *name, const char *text)
{
    json_object_object_add(o, name, json_object_new_string(text));
}

void findings_add(struct findings *f, enum finding_level level, const char *id, const char *why,
                  const char *remedy, const char *what, ...)
{
    struct json_object *o = json_object_new_object();
    char text[1024];
    va_list ap;

    va_start(ap, what);
    vsnprintf(text, sizeof(text), what, ap);
    va_end(ap);
    f->count[level]++;
    put(o, "id", id);
    put(o, "level", names[level]);
    put(o, "what", text);
    put(o, "why", why);
    put(o, "remedy", remedy);
    json_object_array_add(f->list, o);
}

static struct view field(const struct findings *f, size_t i, const char *name)
{
    return json_get_view(json_object_array_get_idx(f->list, i), name);
}

bool findings_have(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < json_object_array_length(f->list); i++)
        if (view_eq(field(f, i, "id"), view_cstr(id)))
            return true;
    return false;
}

static enum finding_level level_of(struct view name)
{
    enum finding_level level = FINDING_note;

    while (level < FINDING_fault && !view_eq(name, view_cstr(names[level])))
        level++;
    return level;
}

/* ---- joining ---- */

/* NAME of the id GROUP.NAME; empty: it is of another. */
static struct view name_in(struct view id, const char *group)
{
    struct view v = id;

    if (!view_starts(id, view_cstr(group)))
        return view_of(NULL, 0);
    v.ptr += strlen(group);
    v.len -= strlen(group);
    return v.len > 1 && *v.ptr == '.' ? view_of(v.ptr + 1, v.len - 1) : view_of(NULL, 0);
}

/* Splits a sentence at `NAME` into the parts before and after it. False: the name is not in it. */
static bool split(struct view what, struct view name, struct view *before, struct view *after)
{
    char quoted[80];
    ptrdiff_t at;

    snprintf(quoted, sizeof(quoted), "`%.*s`", VIEW_ARG(name));
    at = view_find(what, view_cstr(quoted));
    if (at < 0)
        return false;
    *before = view_of(what.ptr, (size_t)at);
    *after = view_of(what.ptr + at + strlen(quoted), what.len - (size_t)at - strlen(quoted));
    return true;
}

/* Does finding i, of the group, say the same as these parts but for its name? */
static bool is_alike(const struct findings *f, size_t i, const char *group, struct view before,
                     struct view after)
{
    struct view name = name_in(field(f, i, "id"), group);
    struct view b, a;

    return name.len && split(field(f, i, "what"), name, &b, &a) && view_eq(b, before) &&
           view_eq(a, after);
}

/* Finding `first` and those after it that are alike, as one. */
static struct json_object *joined(const struct findings *f, size_t first, const char *group,
                                  struct view before, struct view after)
{
    struct json_object *o = json_object_new_object();
    enum finding_level worst = FINDING_note;
    struct buf what, why;
    bool any = false;

    buf_init(&what, 4096);
    buf_init(&why, 4096);
    buf_append_view(&what, before);
    for (size_t i = first; i < json_object_array_length(f->list); i++) {
        struct view name = name_in(field(f, i, "id"), group);
        if (!is_alike(f, i, group, before, after))
            continue;
        if (level_of(field(f, i, "level")) > worst)
            worst = level_of(field(f, i, "level"));
        buf_printf(&what, "%s`%.*s`", any ? ", " : "", VIEW_ARG(name));
        buf_printf(&why, "%s%.*s: %.*s", any ? "\n" : "", VIEW_ARG(name),
                   VIEW_ARG(field(f, i, "why")));
        any = true;
    }
    buf_append_view(&what, after);
    put(o, "id", group);
    put(o, "level", names[worst]);
    put(o, "what", buf_cstr(&what));
    put(o, "why", buf_cstr(&why));
    put(o, "remedy", field(f, first, "remedy").ptr);
    buf_free(&what);
    buf_free(&why);
    return o;
}

/* The others of its kind are in finding `first` now. */
static void take_out(struct findings *f, size_t first, const char *group, struct view before,
                     struct view after)
{
    for (size_t i = json_object_array_length(f->list) - 1; i > first; i--)
        if (is_alike(f, i, group, before, after)) {
            f->count[level_of(field(f, i, "level"))]--;
            json_object_array_del_idx(f->list, i, 1);
        }
}

void findings_join(struct findings *f, const char *group)
{
    for (size_t i = 0; i < json_object_array_length(f->list); i++) {
        struct view before, after;
        struct json_object *one;
        size_t n = 0;
        if (!split(field(f, i, "what"), name_in(field(f, i, "id"), group), &before, &after))
            continue;
        for (size_t k = i; k < json_object_array_length(f->list); k++)
            n += is_alike(f, k, group, before, after);
        if (n < 2)
            continue;
        one = joined(f, i, group, before, after);
        take_out(f, i, group, before, after);
        f->count[level_of(field(f, i, "level"))]--;
        f->count[level_of(json_get_view(one, "level"))]++;
        json_object_array_put_idx(f->list, i, one);
    }
}

/* ---- printing ---- */

/* Lines after the first one stand below it. */
static void print_part(FILE *to, const char *title, struct view text)
{
    while (text.len) {
        struct view line = view_cut(&text, '\n');
        tool_say(to, "    %s%.*s", title, VIEW_ARG(line));
        title = "";
    }
}

/* The worst first. */
static void each(const struct findings *f, FILE *to, enum finding_level least,
                 void (*print)(const struct findings *f, FILE *to, size_t i))
{
    for (int level = FINDING_LEVELS - 1; level >= (int)least; level--)
        for (size_t i = 0; i < json_object_array_length(f->list); i++)
            if ((int)level_of(field(f, i, "level")) == level)
                print(f, to, i);
}

static void print_text(const struct findings *f, FILE *to, size_t i)
{
    tool_say(to, "%.*s: %.*s", VIEW_ARG(field(f, i, "level")), VIEW_ARG(field(f, i, "what")));
    print_part(to, "why: ", field(f, i, "why"));
    print_part(to, "do: ", field(f, i, "remedy"));
}

void findings_print(const struct findings *f, FILE *to, enum finding_level least)
{
    each(f, to, least, print_text);
}

static void print_json(const struct findings *f, FILE *to, size_t i)
{
    fprintf(
        to, "%s\n",
        json_object_to_json_string_ext(json_object_array_get_idx(f->list, i),
                                       JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void findings_print_json(const struct findings *f, FILE *to)
{
    each(f, to, FINDING_note, print_json);
}
