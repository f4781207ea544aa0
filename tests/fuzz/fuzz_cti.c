/* A line of a client: whatever is in it, it is refused or read, matched, and can be written again.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "registry.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(struct json_object *body)
{
    struct request rq = {.body = body, .class = json_get_view(body, "class")};
    const struct cti_message *m;
    struct buf missing;
    size_t pos = 0;

    buf_init(&missing, 4096);
    while ((m = registry_match(&cti_messages, &rq, &pos)))
        registry_complete(m, body, &missing);
    buf_free(&missing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_object *body = NULL;
    struct json_parser p;
    struct buf out;

    if (json_parser_init(&p) < 0)
        abort();
    buf_init(&out, 1 << 22);
    if (json_parse(&p, view_of(data, size), &body) == 0) {
        if (json_object_is_type(body, json_type_object))
            match(body);
        if (json_put_object(&out, body) == 0) {
            struct json_object *again = NULL;
            if (!utf8_valid(buf_view(&out)) || json_parse(&p, buf_view(&out), &again) < 0)
                abort();
            json_object_put(again);
        }
        json_object_put(body);
    }
    buf_free(&out);
    json_parser_fini(&p);
    return 0;
}
