/* Messages of classes that programs on the bus answer: state says in each IPBX which there are. */
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "internal.h"

#define MAX_CLASSES 4096 /* those of programs that are gone stay known by their names */

/* A row as state writes it: CLASS yes FIELD FIELD. */
static const struct value *row_of(const struct client *c, struct view class)
{
    const struct xod_obj *o = xod_find(c->ipbx, LIST_ipbx, xod_ipbx_name(c->ipbx));
    const struct value *rows = o ? xod_get(o, XOD(ipbx, handlers)) : NULL;

    for (uint32_t i = 0; rows && rows->type == V_LIST && i < rows->len; i++) {
        struct view row = value_view(&rows->items[i]);
        if (view_eq(view_cut(&row, ' '), class))
            return &rows->items[i];
    }
    return NULL;
}

/* The class as a text that lives as long as the gateway: an answer is told by it when the program
 * is gone, too. NULL without memory, and when there were too many. */
static const char *lasting(struct gateway *g, struct view class)
{
    char *text = map_get(g->handled, class);

    if (text)
        return text;
    text = map_count(g->handled) < MAX_CLASSES ? view_dup(class) : NULL;
    if (text && map_put(g->handled, view_cstr(text), text) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

bool handled(struct client *c, struct request *rq, bool *permission, struct buf *missing)
{
    const struct value *found = row_of(c, rq->class);
    struct view row, field;
    char name[128];

    if (!found)
        return false;
    row = value_view(found);
    view_cut(&row, ' ');
    *permission = !view_eq(view_cut(&row, ' '), VIEW("no"));
    while (row.len) {
        field = view_cut(&row, ' ');
        snprintf(name, sizeof(name), "%.*s", VIEW_ARG(field));
        if (!json_object_object_get_ex(rq->body, name, NULL))
            buf_printf(missing, "%s%s", buf_len(missing) ? "," : "", name);
    }
    return true;
}

void handled_relay(struct client *c, struct request *rq)
{
    const char *class = lasting(c->gw, rq->class);

    if (class)
        relay_class(c, rq, class);
    else
        client_answer(c, rq, "error_string", schema_status_name(BUS_busy));
}
