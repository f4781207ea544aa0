/* Asterisk's database, the feature codes that change it, and the devices that show it. */
#include <stdio.h>
#include <stdlib.h>

#include "office/tell.h"

#define MAX_ENTRIES 100000

/* ---- entries ---- */

/* Families that the dialplan looks at, by the number of the phone: those of FreePBX. */
static void obey(struct office *o, struct view path, struct view value)
{
    struct view family = view_cut(&path, '/');
    struct person *p = office_person(o, path);

    if (!p)
        return;
    if (view_eq(family, VIEW("DND")))
        p->dnd = value.len > 0 && !view_eq(value, VIEW("0")) && !view_ieq(value, VIEW("no"));
    else if (view_eq(family, VIEW("CF")))
        snprintf(p->unconditional, sizeof(p->unconditional), "%.*s", VIEW_ARG(value));
    else if (view_eq(family, VIEW("CFB")))
        snprintf(p->busy, sizeof(p->busy), "%.*s", VIEW_ARG(value));
    else if (view_eq(family, VIEW("CFU")))
        snprintf(p->no_answer, sizeof(p->no_answer), "%.*s", VIEW_ARG(value));
}

const char *database_get(const struct office *o, struct view path)
{
    const char *entry = map_get(o->database, path);

    return entry ? entry + path.len + 1 : NULL;
}

bool database_del(struct office *o, struct view path)
{
    char *entry = map_del(o->database, path);

    if (!entry)
        return false;
    free(entry);
    obey(o, path, VIEW(""));
    return true;
}

bool database_put(struct office *o, struct view path, struct view value)
{
    char *entry;

    if (map_count(o->database) >= MAX_ENTRIES && !map_get(o->database, path))
        return false;
    entry = malloc(path.len + value.len + 2);
    if (!entry)
        return false;
    memcpy(entry, path.ptr, path.len);
    entry[path.len] = '\0';
    if (value.len)
        memcpy(entry + path.len + 1, value.ptr, value.len);
    entry[path.len + 1 + value.len] = '\0';
    free(map_del(o->database, path));
    if (map_put(o->database, view_of(entry, path.len), entry) < 0) {
        free(entry);
        return false;
    }
    obey(o, path, value);
    return true;
}

/* ---- devices ---- */

void device_set(struct office *o, struct view name, struct view state)
{
    const char *before;
    struct buf path;
    bool same;

    buf_init(&path, 512);
    buf_append_cstr(&path, "CustomDevstate/");
    buf_append_view(&path, name);
    before = path.failed ? NULL : database_get(o, buf_view(&path));
    same = before && view_eq(view_cstr(before), state);
    if (!path.failed && !same && database_put(o, buf_view(&path), state))
        tell_custom(o, name, state);
    buf_free(&path);
}

/* ---- codes ---- */

enum code_act { CODE_ON, CODE_OFF, CODE_TOGGLE, CODE_TO };

/* FreePBX's, whose dialplan sets a device, and XiVO's, whose dialplan says a UserEvent. */
static const struct code {
    const char *code;
    enum code_act act; /* CODE_TO: a number follows, none turns it off */
    const char *family;
    const char *device;   /* or NULL */
    const char *function; /* of the UserEvent, or NULL */
} codes[] = {
    {"*76", CODE_TOGGLE, "DND", "DND", NULL}, {"*78", CODE_ON, "DND", "DND", NULL},
    {"*79", CODE_OFF, "DND", "DND", NULL},    {"*72", CODE_TO, "CF", "CF", NULL},
    {"*73", CODE_OFF, "CF", "CF", NULL},      {"*90", CODE_TO, "CFB", NULL, NULL},
    {"*91", CODE_OFF, "CFB", NULL, NULL},     {"*52", CODE_TO, "CFU", NULL, NULL},
    {"*53", CODE_OFF, "CFU", NULL, NULL},     {"*25", CODE_TOGGLE, "DND", NULL, "dnd"},
    {"*21", CODE_TO, "CF", NULL, "unc"},      {"*22", CODE_TO, "CFU", NULL, "rna"},
    {"*23", CODE_TO, "CFB", NULL, "busy"},    {"*20", CODE_OFF, "CF", NULL, "unc"},
    {"*20", CODE_OFF, "CFU", NULL, "rna"},    {"*20", CODE_OFF, "CFB", NULL, "busy"},
};

static struct view value_of(const struct code *c, struct view path, struct view number,
                            const struct office *o)
{
    if (c->act == CODE_TO)
        return number;
    return c->act == CODE_ON || (c->act == CODE_TOGGLE && !database_get(o, path)) ? VIEW("YES")
                                                                                  : VIEW("");
}

static void say_feature(const struct leg *l, const struct code *c, struct view value)
{
    if (c->act == CODE_TO && value.len)
        tell_user_event(l, "Feature",
                        "XIVO_USERID: %u\r\nXIVO_CONTEXT: default\r\nCHANNEL: %s\r\n"
                        "Function: %s\r\nStatus: 1\r\n Value: %.*s\r\n",
                        l->person->id, l->name, c->function, VIEW_ARG(value));
    else
        tell_user_event(l, "Feature",
                        "XIVO_USERID: %u\r\nXIVO_CONTEXT: default\r\nCHANNEL: %s\r\n"
                        "Function: %s\r\nStatus: %d\r\n",
                        l->person->id, l->name, c->function, value.len > 0);
}

static void run_code(struct leg *l, const struct code *c, struct view number)
{
    struct office *o = l->office;
    char path[64], device[64];
    struct view value;

    snprintf(path, sizeof(path), "%s/%s", c->family, l->person->is.number);
    value = value_of(c, view_cstr(path), number, o);
    if (value.len)
        database_put(o, view_cstr(path), value);
    else
        database_del(o, view_cstr(path));
    if (c->device) {
        snprintf(device, sizeof(device), "%s%s", c->device, l->person->is.number);
        device_set(o, view_cstr(device), value.len ? VIEW("BUSY") : VIEW("NOT_INUSE"));
    }
    if (c->function)
        say_feature(l, c, value);
}

bool database_code(struct leg *l, struct view exten)
{
    bool found = false;

    for (size_t i = 0; l->person && i < sizeof(codes) / sizeof(*codes); i++) {
        struct view code = view_cstr(codes[i].code);
        if (!view_starts(exten, code) || (codes[i].act != CODE_TO && exten.len != code.len))
            continue;
        run_code(l, &codes[i], view_of(exten.ptr + code.len, exten.len - code.len));
        found = true;
    }
    return found;
}
