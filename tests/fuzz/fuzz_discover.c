/* Listings of an Asterisk, in any order and with anything in them, and a file of people: what
 * becomes of them is lists whose texts are UTF-8, whose items have ids, and no two of one list the
 * same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "csv/staff.h"
#include "discover/discover.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *arg, const struct ami_block *b)
{
    struct discovery_ask ask;

    discovery_take(arg, b);
    if (discovery_next(arg, &ask))
        discovery_answered(arg, ask.step, b->kind != AMI_RESPONSE, b->raw);
    return true;
}

static void check_list(const char *name, struct json_object *list)
{
    const char *id = strcmp(name, "voicemails") == 0 ? "uniqueid" : "id";
    struct json_object *seen = json_object_new_object();

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        struct view v = json_get_view(item, id);
        if (v.len == 0 || json_get(seen, v.ptr)) {
            fprintf(stderr, "%s: \"%.*s\" is no id of its own\n", name, VIEW_ARG(v));
            abort();
        }
        json_set_i64(seen, v.ptr, 1);
        json_object_object_foreach(item, key, value)
        {
            (void)key;
            if (json_object_is_type(value, json_type_string) && !utf8_valid(json_view(value)))
                abort();
        }
    }
    json_object_put(seen);
}

static void discover(struct view in)
{
    struct discovery *d = discovery_new(AMI_CHARSET_UTF8);
    struct ami_parser *p = malloc(sizeof(*p));
    struct json_object *lists;

    ami_parser_init(p);
    ami_parse(p, in, take, d);
    lists = discovery_lists(d);
    json_object_object_foreach(lists, name, list)
    {
        check_list(name, list);
    }
    json_object_put(lists);
    discovery_destroy(&d);
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{

    discover(view_of(data, size));
    json_object_put(staff_read(view_of(data, size), NULL, NULL));
    return 0;
}
