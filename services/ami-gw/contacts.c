#include "contacts.h"

#include <stdlib.h>

#include "base/map.h"

#define MAX_OF_A_LINE 32
#define MAX_CONTACTS 131072

struct contact {
    char *name;
    enum contact_state state;
};

struct line {
    unsigned n;
    struct contact contact[MAX_OF_A_LINE]; /* in the order of their changes */
    char name[];
};

struct contacts {
    struct map *lines;
    size_t n;
};

struct contacts *contacts_new(void)
{
    struct contacts *c = calloc(1, sizeof(*c));

    if (c && !(c->lines = map_new()))
        contacts_destroy(&c);
    return c;
}

static void line_free(struct contacts *c, struct line *l)
{
    for (unsigned i = 0; i < l->n; i++)
        free(l->contact[i].name);
    c->n -= l->n;
    free(l);
}

void contacts_clear(struct contacts *c)
{
    size_t pos = 0;
    struct view key;
    void *v;

    while (map_next(c->lines, &pos, &key, &v)) {
        map_del(c->lines, key);
        line_free(c, v);
    }
}

void contacts_destroy(struct contacts **c)
{
    if (!c || !*c)
        return;
    if ((*c)->lines)
        contacts_clear(*c);
    map_destroy(&(*c)->lines);
    free(*c);
    *c = NULL;
}

static struct line *line_new(struct contacts *c, struct view name)
{
    struct line *l = calloc(1, sizeof(*l) + name.len + 1);

    if (!l)
        return NULL;
    if (name.len)
        memcpy(l->name, name.ptr, name.len);
    if (map_put(c->lines, view_of(l->name, name.len), l) < 0) {
        free(l);
        return NULL;
    }
    return l;
}

static unsigned find(const struct line *l, struct view contact)
{
    unsigned i = 0;

    while (i < l->n && !view_eq(view_cstr(l->contact[i].name), contact))
        i++;
    return i;
}

static void take_out(struct line *l, unsigned at)
{
    memmove(&l->contact[at], &l->contact[at + 1], (l->n - at - 1) * sizeof(l->contact[0]));
    l->n--;
}

static bool forget(struct contacts *c, struct view line, struct view contact)
{
    struct line *l = map_get(c->lines, line);
    unsigned at = l ? find(l, contact) : 0;

    if (!l || at == l->n)
        return false;
    free(l->contact[at].name);
    take_out(l, at);
    c->n--;
    if (l->n == 0) {
        map_del(c->lines, line);
        line_free(c, l);
    }
    return true;
}

static bool add(struct contacts *c, struct line *l, struct contact contact)
{
    if (!contact.name || l->n == MAX_OF_A_LINE) {
        free(contact.name);
        return false;
    }
    l->contact[l->n++] = contact;
    c->n++;
    return true;
}

bool contacts_set(struct contacts *c, struct view line, struct view contact,
                  enum contact_state state)
{
    struct line *l;
    struct contact moved;
    unsigned at;

    if (line.len == 0 || contact.len == 0)
        return false;
    if (state == CONTACT_GONE)
        return forget(c, line, contact);
    l = map_get(c->lines, line);
    at = l ? find(l, contact) : 0;
    if (l && at < l->n) {
        moved = l->contact[at];
        if (moved.state == state)
            return true;
        moved.state = state;
        take_out(l, at);
        l->contact[l->n++] = moved;
        return true;
    }
    if (c->n >= MAX_CONTACTS || (!l && !(l = line_new(c, line))))
        return false;
    return add(c, l, (struct contact){view_dup(contact), state});
}

void contacts_all_away(struct contacts *c, struct view line)
{
    struct line *l = map_get(c->lines, line);

    for (unsigned i = 0; l && i < l->n; i++)
        l->contact[i].state = CONTACT_AWAY;
}

bool contacts_has(const struct contacts *c, struct view line, struct view contact)
{
    const struct line *l = map_get(c->lines, line);

    return l && find(l, contact) < l->n;
}

enum contact_state contacts_best(const struct contacts *c, struct view line, struct view *contact)
{
    const struct line *l = map_get(c->lines, line);
    enum contact_state best = CONTACT_GONE;

    *contact = view_of(NULL, 0);
    for (unsigned i = 0; l && i < l->n; i++)
        if (l->contact[i].state >= best) {
            best = l->contact[i].state;
            *contact = view_cstr(l->contact[i].name);
        }
    return best;
}
