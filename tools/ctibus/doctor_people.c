/* People: their logins, phones and agents. */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "json/json.h"

static bool has(struct json_object *set, const char *key)
{
    return json_object_object_get_ex(set, key, NULL);
}

/* ---- logins ---- */

/* Of lists in files --check has told it. */
static bool is_said(const struct doctor *d, const char *what)
{
    return view_find(buf_view(&d->said), view_cstr(what)) >= 0;
}

static bool may_log_in(struct json_object *user)
{
    struct view enabled = json_get_text(user, "enableclient");

    return json_get_text(user, "loginclient").len && !view_eq(enabled, VIEW("0")) &&
           !view_eq(enabled, VIEW("false"));
}

void doctor_users(struct doctor *d)
{
    struct json_object *users = json_get(d->objects, "users");
    struct json_object *profiles = config_section(d->cfg, "profiles");
    struct json_object *logins = json_object_new_object();
    struct some twice = {0};
    struct some lost = {0};
    char key[512];

    for (size_t i = 0; i < doctor_length(users); i++) {
        struct json_object *user = json_object_array_get_idx(users, i);
        struct view login = json_get_text(user, "loginclient");
        struct view profile = json_get_text(user, "profileclient");
        if (!may_log_in(user))
            continue;
        snprintf(key, sizeof(key), "%.*s/%.*s", VIEW_ARG(json_get_view(user, "ipbx")),
                 VIEW_ARG(login));
        if (has(logins, key))
            some_add(&twice, login);
        json_object_object_add(logins, key, NULL);
        if (profile.len && !json_member(profiles, profile))
            some_add(&lost, login);
    }
    if (d->asked && json_object_object_length(logins) == 0)
        findings_add(&d->f, FINDING_warning, "users.none", "Nobody can log in.",
                     "ctibus passwd LOGIN --number NUMBER gives a person one.",
                     "nobody has a login");
    if (twice.n && !is_said(d, "is that of another user, too"))
        findings_add(
            &d->f, FINDING_fault, "users.twice", "Only one of the two can log in.",
            "Change one of them where the users come from.", "%s",
            some_say(&twice, "login is that of two users", "logins are those of two users"));
    if (lost.n && !is_said(d, "is none of `profiles`"))
        findings_add(&d->f, FINDING_fault, "users.profile", "They cannot log in.",
                     "Add the profile to `profiles` of ctibus.json, or give them another.", "%s",
                     some_say(&lost, "user has a profile that is not there",
                              "users have a profile that is not there"));
    json_object_put(logins);
}

/* ---- phones and agents ---- */

/* What a number, and what an owner, can be found by. */
struct reach {
    struct json_object *numbers; /* NUMBER and NUMBER@CONTEXT of phones, as keys */
    struct json_object *owners;  /* ids of users who have a phone, as keys */
};

static void add_number(struct reach *r, struct json_object *phone)
{
    struct view number = json_get_text(phone, "number");
    struct view context = json_get_text(phone, "context");
    char key[300];

    if (number.len == 0)
        return;
    json_object_object_add(r->numbers, number.ptr, NULL);
    snprintf(key, sizeof(key), "%.140s@%.140s", number.ptr, context.len ? context.ptr : "default");
    json_object_object_add(r->numbers, key, NULL);
}

static void add_phones(struct reach *r, struct json_object *phones)
{
    for (size_t i = 0; i < doctor_length(phones); i++) {
        struct json_object *phone = json_object_array_get_idx(phones, i);
        struct view owner = json_get_text(phone, "iduserfeatures");
        add_number(r, phone);
        if (owner.len)
            json_object_object_add(r->owners, owner.ptr, NULL);
    }
}

/* A row of a CSV file has a number and no id: it is that of the user with this number. */
static void add_owners(struct reach *r, struct json_object *people)
{
    for (size_t i = 0; i < doctor_length(people); i++) {
        struct json_object *user = json_object_array_get_idx(people, i);
        struct view id = json_get_text(user, "id");
        struct view number = json_get_text(user, "number");
        if (id.len && number.len && has(r->owners, id.ptr))
            json_object_object_add(r->numbers, number.ptr, NULL);
    }
}

/* LOGIN (WHAT) */
static void add_person(struct some *s, struct json_object *user, struct view what)
{
    struct view login = json_get_text(user, "loginclient");
    char text[128];

    if (login.len == 0) {
        some_add(s, what);
        return;
    }
    snprintf(text, sizeof(text), "%.60s (%.60s)", login.ptr, what.ptr);
    some_add(s, view_cstr(text));
}

/* Some listings were refused: what is missing may be there. */
static bool is_told(const struct asterisk *a)
{
    return a->lists && json_object_object_length(a->refused) == 0;
}

static void find_without_phone(struct doctor *d, const char *ipbx, const struct doctor_lists *l,
                               const struct asterisk *a)
{
    struct reach r = {json_object_new_object(), json_object_new_object()};
    struct some none = {0};

    add_phones(&r, l->phones);
    if (a) /* one in no list is told as that */
        add_phones(&r, json_get(a->lists, "lines"));
    add_owners(&r, l->people);
    for (size_t i = 0; i < doctor_length(l->people); i++) {
        struct json_object *user = json_object_array_get_idx(l->people, i);
        struct view id = json_get_text(user, "id");
        struct view number = json_get_text(user, "number");
        if (number.len && !has(r.numbers, number.ptr) && !has(r.owners, number.ptr) &&
            !(id.len && has(r.owners, id.ptr)))
            add_person(&none, user, number);
    }
    if (none.n)
        findings_add(&d->f, FINDING_warning, "users.no_phone",
                     "They can log in, and neither call by a click nor see their calls.",
                     "Correct the number where the users come from (people.csv), or add the phone "
                     "to urllist_lines; who has no phone needs no number. Then: ctibus reload",
                     "%s: %s", ipbx,
                     some_say(&none, "person has a number that no phone has",
                              "people have a number that no phone has"));
    json_object_put(r.numbers);
    json_object_put(r.owners);
}

static void find_without_agent(struct doctor *d, const char *ipbx, const struct doctor_lists *l)
{
    struct json_object *users = l->users ? l->users : l->people;
    struct json_object *ids = json_object_new_object();
    struct some none = {0};

    for (size_t i = 0; i < doctor_length(l->agents); i++)
        json_object_object_add(
            ids, json_get_text(json_object_array_get_idx(l->agents, i), "id").ptr, NULL);
    for (size_t i = 0; i < doctor_length(users); i++) {
        struct json_object *user = json_object_array_get_idx(users, i);
        struct view agent = json_get_text(user, "agentid");
        if (agent.len && !view_eq(agent, VIEW("0")) && !has(ids, agent.ptr))
            add_person(&none, user, agent);
    }
    if (none.n)
        findings_add(&d->f, FINDING_warning, "users.no_agent",
                     "They cannot log in as an agent, and are not shown as one.",
                     "Correct the agent where the users come from (people.csv): it is the id of "
                     "one of urllist_agents; or leave it empty. Then: ctibus reload",
                     "%s: %s", ipbx,
                     some_say(&none, "person is an agent that does not exist",
                              "people are agents that do not exist"));
    json_object_put(ids);
}

void doctor_people(struct doctor *d, const char *ipbx, struct json_object *section,
                   const struct asterisk *a)
{
    bool told = a && is_told(a);
    struct doctor_lists l;

    doctor_lists_read(d, ipbx, section, a, &l);
    /* where there are no phones at all that is the fault */
    if (doctor_length(l.phones) > 0 &&
        (told || !doctor_lists_ask(section, "urllist_lines") || d->asked) &&
        (d->asked || (l.whole && l.whole_people)))
        find_without_phone(d, ipbx, &l, a);
    if (l.agents &&
        (told || !doctor_lists_ask(section, "urllist_agents") || doctor_length(l.agents) > 0))
        find_without_agent(d, ipbx, &l);
    doctor_lists_free(&l);
}
