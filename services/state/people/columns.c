#include "people/columns.h"

#include <errno.h>

#include "directory/catalog.h"
#include "msg/msg.h"
#include "json/json.h"

#define BUILT_IN                                                                                   \
    "{\"1\":[\"Name\",\"name\",\"\",\"{db-fullname}\"],"                                           \
    "\"2\":[\"Number\",\"number\",\"\",\"{db-phone}\"]}"

static int open_built_in(struct display *d)
{
    struct json_object *def = json_tokener_parse(BUILT_IN);
    int rc = display_open(d, def);

    json_object_put(def);
    return rc < 0 ? -ENOMEM : 0;
}

int people_display_open(struct display *d, const struct config *cfg, const char *name,
                        struct view context)
{
    struct json_object *displays = config_section(cfg, "displays");
    struct view own = json_get_view(context_of(cfg, context), "display");

    if (display_open(d, json_get(displays, name)) == 0)
        return 0;
    if (own.len && display_open(d, json_member(displays, own)) == 0)
        return 0;
    return open_built_in(d);
}

int people_name_column(const struct display *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (view_eq(d->columns[i].type, VIEW("name")))
            return (int)i;
    for (size_t i = 0; i < d->n; i++)
        if (d->columns[i].type.len == 0)
            return (int)i;
    return -1;
}

struct view people_type(const struct display *d, size_t i)
{
    struct view type = d->columns[i].type;

    if (view_eq(type, VIEW("phone")))
        return VIEW("number");
    return (int)i == people_name_column(d) ? VIEW("name") : type;
}

void people_put_headers(struct buf *out, const struct display *d)
{
    msg_put_cstr(out, "column_headers");
    msg_put_array(out, d->n);
    for (size_t i = 0; i < d->n; i++)
        msg_put_str(out, d->columns[i].title);
    msg_put_cstr(out, "column_types");
    msg_put_array(out, d->n);
    for (size_t i = 0; i < d->n; i++) {
        struct view type = people_type(d, i);
        if (type.len)
            msg_put_str(out, type);
        else
            msg_put_nil(out);
    }
}
