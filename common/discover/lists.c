/* The lists, of what was found. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "discover/internal.h"
#include "json/json.h"

#define MAX_INTERNAL 6 /* digits of a caller id that may be an internal number */
#define MAX_BAYS 10000

static struct view nothing(void)
{
    return view_of(NULL, 0);
}

/* What is empty is left out. */
static void put(struct json_object *o, const char *name, struct view text)
{
    if (text.len)
        json_set_text(o, name, text);
}

/* Two texts with a sign between them; longer ones are cut. */
static struct view joined(char out[512], struct view a, const char *sign, struct view b)
{
    snprintf(out, 512, "%.*s%s%.*s", VIEW_ARG(a), sign, VIEW_ARG(b));
    return view_cstr(out);
}

static bool is_digits(struct view v, size_t most)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] < '0' || v.ptr[i] > '9')
            return false;
    return v.len > 0 && v.len <= most;
}

/* ---- in a fixed order ---- */

struct named {
    const char *key;
    struct json_object *thing;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->key, ((const struct named *)b)->key);
}

typedef void each_fn(void *arg, const char *key, struct json_object *thing);

/* Everything of a kind, ordered by its key. False: without memory, nothing. */
static bool each(struct json_object *all, each_fn *fn, void *arg)
{
    size_t n = (size_t)json_object_object_length(all);
    struct named *list = calloc(n ? n : 1, sizeof(*list));
    size_t i = 0;

    if (!list)
        return false;
    json_object_object_foreach(all, key, one)
    {
        list[i++] = (struct named){key, one};
    }
    qsort(list, n, sizeof(*list), by_key);
    for (i = 0; i < n; i++)
        fn(arg, list[i].key, list[i].thing);
    free(list);
    return true;
}

/* ---- numbers ---- */

/* A hint that names a device: of several the one with the fewest devices says best whose number it
 * is, then one of the number that the device itself has, then the shortest. */
struct place {
    struct view exten, context;
    unsigned position, devices;
};

struct making {
    const struct discovery *d;
    struct json_object *lists;
    struct json_object *places; /* PJSIP/1001 -> exten, context, position, devices */
    struct json_object *people; /* 1001@ext-local -> the user */
    struct json_object *boxes;  /* 1001 -> its only mailbox; empty: there are several */
};

/* The number of a device by itself: that of its caller id, of its mailbox, or its name. */
static struct view own_number(struct json_object *device)
{
    struct view box = discover_text(device, "mailbox");
    struct view callerid = discover_text(device, "callerid_num");
    struct view name = discover_text(device, "name");

    box = view_cut(&box, '@');
    if (is_digits(callerid, MAX_INTERNAL))
        return callerid;
    if (is_digits(box, MAX_INTERNAL))
        return box;
    return is_digits(name, MAX_INTERNAL) ? name : nothing();
}

static bool is_better(const struct place *a, struct json_object *b, struct view own)
{
    struct view exten = discover_text(b, "exten");
    int64_t devices = json_get_i64(b, "devices", 0);

    if (!b)
        return true;
    if (devices != a->devices)
        return a->devices < devices;
    if (view_eq(exten, own) != view_eq(a->exten, own))
        return view_eq(a->exten, own);
    return a->exten.len < exten.len; /* hints come in order: of two alike the first stays */
}

static void note_place(struct making *m, struct view device, const struct place *p)
{
    struct json_object *o;
    char key[512];

    if (!discover_key(key, device) ||
        !is_better(p, json_get(m->places, key),
                   own_number(json_get(m->d->found[FOUND_DEVICES], key))))
        return;
    o = json_object_new_object();
    put(o, "exten", p->exten);
    put(o, "context", p->context);
    json_set_i64(o, "position", p->position);
    json_set_i64(o, "devices", p->devices);
    if (o && json_object_object_add(m->places, key, o) < 0)
        json_object_put(o);
}

static void hint(void *arg, const char *key, struct json_object *thing)
{
    struct view all = discover_text(thing, "devices");
    struct view rest = all;
    struct place p = {discover_text(thing, "exten"), discover_text(thing, "context"), 0, 0};

    (void)key;
    while (rest.len)
        p.devices += discover_is_device(view_cut(&rest, '&'));
    while (all.len) {
        struct view device = view_cut(&all, '&');
        if (!discover_is_device(device))
            continue;
        p.position++;
        note_place(arg, device, &p);
    }
}

/* ---- people ---- */

/* As FreePBX, the voicemail, and the device call them. */
static struct view name_of(const struct discovery *d, struct json_object *device, struct view box,
                           struct view number)
{
    struct view name = discover_text(json_member(d->found[FOUND_NAMES], number), "name");

    if (name.len == 0)
        name = discover_text(json_member(d->found[FOUND_BOXES], box), "name");
    if (name.len == 0)
        name = discover_text(device, "callerid_name");
    return name.len ? name : number;
}

static void put_names(struct json_object *o, struct view name)
{
    struct view last = name;
    struct view first = view_cut(&last, ' ');

    put(o, "firstname", first);
    put(o, "lastname", last);
}

static struct json_object *list_of(struct making *m, const char *name)
{
    return json_get(m->lists, name);
}

static struct json_object *add(struct making *m, const char *list)
{
    struct json_object *o = json_object_new_object();

    if (o && json_object_array_add(list_of(m, list), o) < 0) {
        json_object_put(o);
        return NULL;
    }
    return o;
}

/* Mailbox 1001@default, or 1001 of the context default; of a device that names none that of its
 * number. */
static struct view box_of(const struct making *m, struct json_object *device, struct view number,
                          char scratch[512])
{
    struct view named = discover_text(device, "mailbox");
    struct view box = named.len ? named : number;

    if (!memchr(box.ptr, '@', box.len))
        box = joined(scratch, box, "@", VIEW("default"));
    if (json_member(m->d->found[FOUND_BOXES], box))
        return box;
    return named.len ? nothing() : json_view(json_member(m->boxes, number));
}

static struct json_object *person(struct making *m, struct json_object *device, struct view number,
                                  struct view id)
{
    struct json_object *o = json_member(m->people, id);
    char scratch[512];
    struct view box;

    if (o)
        return o;
    o = add(m, "users");
    box = box_of(m, device, number, scratch);
    put(o, "id", id);
    put_names(o, name_of(m->d, device, box, number));
    put(o, "number", number);
    put(o, "voicemailid", box);
    put(o, "email", discover_text(json_member(m->d->found[FOUND_BOXES], box), "email"));
    if (o && json_object_object_add(m->people, id.ptr, json_object_get(o)) < 0)
        json_object_put(o);
    return o;
}

/* ---- devices ---- */

static struct view lower(char out[512], struct view text)
{
    joined(out, text, "", nothing());
    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
    return view_cstr(out);
}

/* XiVO calls the driver of IAX2/... iax. */
static void put_device(struct json_object *o, struct json_object *device)
{
    struct view driver = discover_text(device, "driver");
    struct view name = discover_text(device, "name");
    char word[512];
    char id[512];

    lower(word, view_eq(driver, VIEW("IAX2")) ? VIEW("iax") : driver);
    put(o, "id", joined(id, view_cstr(word), "-", name));
    put(o, "protocol", view_cstr(word));
    put(o, "name", name);
}

/* Where it registers itself; empty: nowhere. */
static struct view registered_at(const struct discovery *d, struct json_object *device)
{
    struct view driver = discover_text(device, "driver");
    const struct view by[] = {discover_text(device, "name"), discover_text(device, "host")};
    char key[512];

    for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
        struct json_object *o =
            by[i].len ? json_member(d->found[FOUND_REGISTRATIONS], joined(key, driver, "/", by[i]))
                      : NULL;
        if (o)
            return discover_text(o, "host").len ? discover_text(o, "host") : by[i];
    }
    return nothing();
}

static void trunk(struct making *m, struct json_object *device, struct view at)
{
    struct json_object *o = add(m, "trunks");

    put_device(o, device);
    put(o, "host", at.len ? at : discover_text(device, "host"));
    put(o, "context", discover_text(device, "context"));
}

static void phone(struct making *m, struct json_object *device, struct json_object *place,
                  struct view number)
{
    struct json_object *o = add(m, "lines");
    struct view context = discover_text(device, "context");
    struct view at = discover_text(place, "context");
    struct json_object *user;
    char id[512];

    if (context.len == 0)
        context = at.len ? at : VIEW("default");
    /* by the hint, which does not need the permission to ask for the context of each device */
    user = person(m, device, number, joined(id, number, "@", at.len ? at : context));
    put_device(o, device);
    put(o, "number", number);
    put(o, "context", context);
    put(o, "iduserfeatures", discover_text(user, "id"));
    json_set_i64(o, "rules_order", json_get_i64(place, "position", 1));
    put(o, "firstname", discover_text(user, "firstname"));
    put(o, "lastname", discover_text(user, "lastname"));
}

/* What Asterisk, or a distribution of it, makes for itself. */
static bool is_builtin(struct view name)
{
    return view_eq(name, VIEW("anonymous")) || view_eq(name, VIEW("dpma_endpoint"));
}

/* What registers itself elsewhere and stands in no hint is a trunk, and so is what has no number.
 */
static void device(void *arg, const char *key, struct json_object *thing)
{
    struct making *m = arg;
    struct json_object *place = json_get(m->places, key);
    struct view number = place ? discover_text(place, "exten") : own_number(thing);
    struct view at = registered_at(m->d, thing);

    if (discover_text(thing, "name").len == 0 || is_builtin(discover_text(thing, "name")))
        return;
    if ((at.len && !place) || number.len == 0)
        trunk(m, thing, at);
    else
        phone(m, thing, place, number);
}

/* ---- the others ---- */

static void queue(void *arg, const char *key, struct json_object *thing)
{
    struct view number = discover_text(thing, "exten");
    struct json_object *o;

    if (discover_text(thing, "real").len == 0)
        return; /* the dialplan names it, app_queue does not have it */
    o = add(arg, "queues");
    if (number.len == 0 && is_digits(view_cstr(key), 20))
        number = view_cstr(key);
    put(o, "id", view_cstr(key));
    put(o, "name", view_cstr(key));
    put(o, "displayname", view_cstr(key));
    put(o, "number", number);
    put(o, "context", discover_text(thing, "context"));
}

static void agent(void *arg, const char *key, struct json_object *thing)
{
    struct json_object *o = add(arg, "agents");
    struct view name = discover_text(thing, "name");

    put(o, "id", view_cstr(key));
    put(o, "number", view_cstr(key));
    put_names(o, name.len ? name : view_cstr(key));
}

static void room(void *arg, const char *key, struct json_object *thing)
{
    struct json_object *o = add(arg, "meetmes");

    put(o, "id", view_cstr(key));
    put(o, "confno", view_cstr(key));
    put(o, "name", view_cstr(key));
    put(o, "context", discover_text(thing, "context"));
}

static void number_of_mailbox(void *arg, const char *key, struct json_object *thing)
{
    struct json_object *boxes = ((struct making *)arg)->boxes;
    struct view number = discover_text(thing, "mailbox");

    if (number.len)
        json_set_text(boxes, number.ptr, json_member(boxes, number) ? nothing() : view_cstr(key));
}

static void mailbox(void *arg, const char *key, struct json_object *thing)
{
    struct json_object *o = add(arg, "voicemails");

    put(o, "uniqueid", view_cstr(key));
    put(o, "mailbox", discover_text(thing, "mailbox"));
    put(o, "context", discover_text(thing, "context"));
    put(o, "fullname", discover_text(thing, "name"));
    put(o, "email", discover_text(thing, "email"));
}

static void lot(void *arg, const char *key, struct json_object *thing)
{
    struct json_object *o = add(arg, "parkinglot");
    uint64_t start = 0;
    uint64_t stop = 0;

    put(o, "id", view_cstr(key));
    put(o, "name", view_cstr(key));
    put(o, "extension", discover_text(thing, "exten"));
    put(o, "context", discover_text(thing, "context"));
    put(o, "duration", discover_text(thing, "timeout"));
    if (view_to_u64(discover_text(thing, "start"), &start) == 0 &&
        view_to_u64(discover_text(thing, "stop"), &stop) == 0 && stop >= start &&
        stop - start < MAX_BAYS)
        json_set_i64(o, "positions", (int64_t)(stop - start + 1));
}

static int by_id(const void *a, const void *b)
{
    struct json_object *const *one = a;
    struct json_object *const *other = b;

    return strcmp(json_object_get_string(json_get(*one, "id")),
                  json_object_get_string(json_get(*other, "id")));
}

struct json_object *discovery_lists(const struct discovery *d)
{
    static const char *const names[] = {"users",  "lines",   "trunks",     "queues",
                                        "agents", "meetmes", "voicemails", "parkinglot"};
    static const struct {
        enum found kind;
        each_fn *make;
    } makers[] = {{FOUND_HINTS, hint},     {FOUND_BOXES, number_of_mailbox},
                  {FOUND_DEVICES, device}, {FOUND_QUEUES, queue},
                  {FOUND_AGENTS, agent},   {FOUND_ROOMS, room},
                  {FOUND_BOXES, mailbox},  {FOUND_LOTS, lot}};
    struct making m = {d, json_object_new_object(), json_object_new_object(),
                       json_object_new_object(), json_object_new_object()};
    bool good;

    for (size_t i = 0; m.lists && i < ARRAY_SIZE(names); i++)
        json_object_object_add(m.lists, names[i], json_object_new_array());
    good = m.lists && m.places && m.people && m.boxes;
    for (size_t i = 0; good && i < ARRAY_SIZE(makers); i++)
        good = each(d->found[makers[i].kind], makers[i].make, &m);
    if (good) /* they were made in the order of their phones */
        json_object_array_sort(list_of(&m, "users"), by_id);
    json_object_put(m.places);
    json_object_put(m.people);
    json_object_put(m.boxes);
    if (good)
        return m.lists;
    json_object_put(m.lists);
    return NULL;
}
