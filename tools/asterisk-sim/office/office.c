#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "office/tell.h"

/* splitmix64: small, and the same everywhere. `below` 0: any number. */
uint64_t office_random(struct office *o, uint64_t below)
{
    uint64_t z = (o->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return below ? z % below : z;
}

uint64_t office_span(struct office *o, uint64_t from_us, uint64_t to_us)
{
    return (uint64_t)((double)(from_us + office_random(o, to_us - from_us)) * o->pace);
}

bool office_chance(struct office *o, unsigned percent)
{
    return office_random(o, 100) < percent;
}

uint64_t office_now_s(const struct office *o)
{
    return o->epoch_s + o->timers.now_us / SECONDS;
}

struct person *office_person(const struct office *o, struct view number)
{
    return number.len ? map_get(o->by_number, number) : NULL;
}

struct person *office_device(const struct office *o, struct view device)
{
    return device.len ? map_get(o->by_device, device) : NULL;
}

struct agent *office_agent(const struct office *o, struct view number)
{
    return number.len ? map_get(o->by_agent, number) : NULL;
}

struct leg *office_leg(const struct office *o, struct view name)
{
    return name.len ? map_get(o->by_name, name) : NULL;
}

static bool is_listed(const char *list, const char *login)
{
    struct view rest = view_cstr(list);

    while (rest.len)
        if (view_eq(view_trim(view_cut(&rest, ',')), view_cstr(login)))
            return true;
    return false;
}

static int add_person(struct office *o, unsigned i, const char *guests)
{
    struct person *p = &o->people[i];

    p->id = i + 1;
    p->office = o;
    company_person(i, &p->is);
    snprintf(p->full, sizeof(p->full), "%s %s", p->is.first, p->is.last);
    snprintf(p->device, sizeof(p->device), "%s/%s", o->tech, p->is.login);
    p->told = DEVICE_IDLE;
    p->guest = is_listed(guests, p->is.login);
    p->new_messages = i % 7 == 3;
    LIST_INIT(&p->legs);
    LIST_INIT(&p->memberships);
    if (p->guest) {
        o->guests[o->n_guests++] = p;
    } else {
        o->free_people[o->n_free++] = p;
        p->free_at = o->n_free;
    }
    return map_put(o->by_number, view_cstr(p->is.number), p) < 0 ||
                   map_put(o->by_device, view_cstr(p->device), p) < 0
               ? -ENOMEM
               : 0;
}

static int add_agent(struct office *o, struct person *p)
{
    struct agent *a = &o->agents[o->n_agents++];

    a->number = p->is.agent;
    a->person = p;
    a->told = DEVICE_UNAVAILABLE;
    LIST_INIT(&a->memberships);
    p->agent = a;
    snprintf(a->text, sizeof(a->text), "%u", a->number);
    return map_put(o->by_agent, view_cstr(a->text), a);
}

static int hire(struct office *o, const struct office_options *options)
{
    unsigned agents = 0;
    int rc = 0;

    for (unsigned i = 0; i < o->n_people && rc == 0; i++) {
        rc = add_person(o, i, options->guests ? options->guests : "");
        agents += o->people[i].is.agent > 0;
    }
    o->agents = calloc(agents + 1, sizeof(*o->agents));
    if (!o->agents)
        return -ENOMEM;
    for (unsigned i = 0; i < o->n_people && rc == 0; i++)
        if (o->people[i].is.agent)
            rc = add_agent(o, &o->people[i]);
    return rc;
}

/* The phones as they are, for the listings: nobody is connected yet. */
static void tell_phones(struct office *o)
{
    char device[24];

    for (unsigned i = 0; i < o->n_people; i++)
        tell_person(o, &o->people[i]);
    for (unsigned i = 0; i < o->n_agents; i++) {
        snprintf(device, sizeof(device), "Agent:%u", o->agents[i].number);
        tell_device(o, device, o->agents[i].told);
    }
}

static void staff_queues(struct office *o)
{
    char interface[40], state[24], name[24];

    for (unsigned i = 0; i < o->n_agents; i++) {
        struct agent *a = &o->agents[i];
        struct queue *q = &o->queues[a->person->is.queue];
        snprintf(name, sizeof(name), "Agent/%u", a->number);
        if (a->person->is.pool && !o->old) {
            snprintf(interface, sizeof(interface), "Local/%u@agents", a->number);
            snprintf(state, sizeof(state), "Agent:%u", a->number);
            queue_add(q, view_cstr(interface), view_cstr(state), view_cstr(name), 1, false, false);
        } else if (!a->person->guest) {
            agent_comes(o, a);
        }
    }
}

static void open_queues(struct office *o)
{
    for (size_t i = 0; i < COMPANY_QUEUES; i++) {
        o->queues[i].is = &company_queues[i];
        o->queues[i].office = o;
        LIST_INIT(&o->queues[i].members);
        STAILQ_INIT(&o->queues[i].callers);
    }
}

static int make(struct office *o, const struct office_options *options)
{
    int rc;

    o->people = calloc(o->n_people, sizeof(*o->people));
    o->free_people = calloc(o->n_people, sizeof(struct person *));
    o->guests = calloc(o->n_people, sizeof(struct person *));
    o->by_number = map_new();
    o->by_device = map_new();
    o->by_agent = map_new();
    o->by_name = map_new();
    o->database = map_new();
    if (!o->people || !o->free_people || !o->guests || !o->by_number || !o->by_device ||
        !o->by_agent || !o->by_name || !o->database)
        return -ENOMEM;
    open_queues(o);
    snprintf(o->room.number, sizeof(o->room.number), "%s", COMPANY_ROOM);
    rc = hire(o, options);
    if (rc < 0)
        return rc;
    tell_phones(o);
    staff_queues(o);
    traffic_start(o);
    return 0;
}

struct office *office_new(const struct office_options *options, struct world *world)
{
    struct office *o;

    if (options->people < OFFICE_MIN_PEOPLE || options->people > OFFICE_MAX_PEOPLE)
        return NULL;
    o = calloc(1, sizeof(*o));
    if (!o)
        return NULL;
    o->world = world;
    world->office = o;
    o->old = options->old;
    o->tech = options->old ? "SIP" : "PJSIP";
    o->random = options->seed;
    o->n_people = options->people;
    o->per_us = options->per_minute / 60e6;
    o->answer_s = options->answer_s ? options->answer_s : 15;
    o->epoch_s = options->epoch_s ? options->epoch_s : clock_wall_us() / 1000000;
    buf_init(&o->out, 0);
    world->capture.old = options->old;
    snprintf(world->capture.version, sizeof(world->capture.version), "%s",
             options->old ? "1.1" : "9.0.0");
    if (make(o, options) < 0)
        office_destroy(&o);
    return o;
}

static void free_database(struct map *m)
{
    struct view key;
    void *value;
    size_t pos = 0;

    while (m && map_next(m, &pos, &key, &value)) {
        map_del(m, key);
        free(value);
    }
}

static void free_queues(struct office *o)
{
    for (size_t i = 0; i < COMPANY_QUEUES; i++)
        while (!LIST_EMPTY(&o->queues[i].members)) {
            struct member *m = LIST_FIRST(&o->queues[i].members);
            LIST_REMOVE(m, of_queue);
            free(m);
        }
}

/* Every channel is hung up, as at the end of a real one. */
static void hang_up_all(struct office *o)
{
    while (!LIST_EMPTY(&o->legs))
        leg_hang_up(LIST_FIRST(&o->legs), 16, false);
}

void office_destroy(struct office **office)
{
    struct office *o = *office;

    if (!o)
        return;
    hang_up_all(o);
    if (o->by_name)
        free_queues(o);
    free_database(o->database);
    map_destroy(&o->by_number);
    map_destroy(&o->by_device);
    map_destroy(&o->by_agent);
    map_destroy(&o->by_name);
    map_destroy(&o->database);
    free(o->lot);
    free(o->pool);
    free(o->people);
    free(o->free_people);
    free(o->guests);
    free(o->agents);
    timers_free(&o->timers);
    buf_free(&o->out);
    o->world->office = NULL;
    free(o);
    *office = NULL;
}

bool office_run(struct office *o, uint64_t now_us, unsigned most)
{
    for (unsigned i = 0; most == 0 || i < most; i++)
        if (!timers_run_one(&o->timers, now_us))
            return false;
    return timers_next(&o->timers) <= now_us;
}

void office_set_variable(struct office *o, struct view uniqueid, struct view name,
                         struct view value)
{
    struct leg *l = office_leg(o, uniqueid);

    if (l && !leg_set_caller_id(l, name, value))
        leg_set_variable(l, name, value);
}

const char *office_variable(const struct office *o, struct view uniqueid, struct view name)
{
    const struct leg *l = office_leg(o, uniqueid);

    return l ? leg_variable(l, name) : NULL;
}

uint64_t office_next(const struct office *o)
{
    return timers_next(&o->timers);
}
