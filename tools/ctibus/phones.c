/* Is there a phone with this number? As far as state, if it runs, can tell. */
#include <string.h>

#include "metrics/health.h"
#include "tool.h"
#include "json/json.h"

struct looking {
    struct view number, context; /* context empty: any */
    size_t phones;
    bool found;
};

/* Lists may have numbers as numbers, too. */
static bool is(struct json_object *phone, const char *field, struct view text)
{
    struct json_object *value = json_get(phone, field);

    return value && view_eq(view_cstr(json_object_get_string(value)), text);
}

static void on_phone(void *arg, struct view text)
{
    struct looking *l = arg;
    struct json_object *o = NULL;
    struct json_parser p;

    if (json_parser_init(&p) < 0)
        return;
    if (json_parse(&p, text, &o) == 0) {
        l->phones++;
        l->found = l->found || (is(o, "number", l->number) &&
                                (l->context.len == 0 || is(o, "context", l->context)));
        json_object_put(o);
    }
    json_parser_fini(&p);
}

/* Asks for the health of state first: a request on the bus would wait for its deadline where state
 * does not run. */
static bool state_runs(const struct config *cfg)
{
    const char *addr = config_str(cfg, "ctibus.http.state");
    struct buf body;
    bool runs;

    buf_init(&body, 65536);
    runs = addr && *addr && health_probe(addr, &body) == 0;
    buf_free(&body);
    return runs;
}

bool tool_lacks_phone(struct tool *t, struct config *cfg, const char *number)
{
    struct looking l = {.context = view_cstr(number)};
    int code = t->exit_code;

    l.number = view_cut(&l.context, '@');
    if (!state_runs(cfg))
        return false;
    t->cfg = cfg;
    if (tool_bus_open(t))
        tool_snapshot(t, "phones", NULL, on_phone, &l);
    tool_bus_close(t);
    t->cfg = NULL;
    t->exit_code = code;
    return l.phones > 0 && !l.found;
}
