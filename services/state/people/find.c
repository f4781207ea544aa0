#include "people/find.h"

#include <stdlib.h>

#include "access/access.h"
#include "directory/catalog.h"
#include "directory/identity.h"
#include "users/relations.h"

struct finding {
    people_found_fn *found;
    directory_end_fn *end;
    void *arg;
    const struct access *access; /* while it is begun; users are found only then */
    unsigned left;               /* lookups that have not ended */
    const char *fault;
};

bool people_is_number(struct view text)
{
    size_t digits = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9')
            digits++;
        else if (!memchr("+ -.()/", c, 7))
            return false;
    }
    return digits >= 3;
}

static const struct xod_obj *if_seen(const struct finding *f, const struct xod_obj *o)
{
    return o && access_sees(f->access, o) ? o : NULL;
}

static bool on_found(void *arg, const struct directory *dir, const struct entry *e)
{
    struct finding *f = arg;
    struct person p = {.dir = dir, .entry = e, .source = directory_source(dir)};
    char id[ENTRY_ID];

    p.id = directory_entry_id(dir, e, id);
    if (dir->kind == DIRECTORY_INTERNAL) {
        p.user = internal_user(e);
        p.line = if_seen(f, relations_line(p.user));
        p.agent = if_seen(f, relations_agent(p.user));
    }
    return f->found(f->arg, &p);
}

static void on_end(void *arg, const char *fault)
{
    struct finding *f = arg;

    if (fault)
        f->fault = fault;
    if (--f->left > 0)
        return;
    f->end(f->arg, f->fault);
    free(f);
}

static bool sees(void *arg, const struct xod_obj *o)
{
    return access_sees(arg, o);
}

/* One lookup, or two. The first end must not be the last while the second is not begun. */
static void look(struct finding *f, struct state *s, struct directory_ask *ask)
{
    f->left = 1;
    if (context_of(s->cfg, ask->context)) {
        f->left++;
        directory_find(s->directories, ask, on_found, on_end, f);
        ask->by_number = people_is_number(ask->text);
        if (ask->by_number) {
            f->left++;
            directory_find(s->directories, ask, on_found, on_end, f);
        }
    }
    f->access = NULL;
    on_end(f, NULL);
}

void people_find(struct state *s, const struct xod_obj *user, struct view text,
                 people_found_fn *found, directory_end_fn *end, void *arg)
{
    struct directory_ask ask = {.ipbx = xod_obj_ipbx(user), .text = text, .sees = sees};
    struct finding *f = calloc(1, sizeof(*f));
    struct access access;
    char context[32];

    if (!f || access_init(&access, user, access_is_separate(s->cfg)) < 0) {
        free(f);
        end(arg, "no_memory");
        return;
    }
    *f = (struct finding){.found = found, .end = end, .arg = arg, .access = &access};
    ask.sees_arg = &access;
    ask.context = relations_context(user, context);
    look(f, s, &ask);
    access_fini(&access);
}
