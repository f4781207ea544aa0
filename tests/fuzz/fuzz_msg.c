/* What comes over the bus: the bytes up to the first line end are a topic, the rest is a body. What
 * msg_check lets pass must be parsed and taken in without harm, and be written as it was read. */
#include <stdlib.h>

#include "model/tel.h"
#include "replica/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_doc(struct view body)
{
    struct msg_doc doc;
    bool good = msg_check(body) == 0;
    struct value v;
    struct value again;
    struct buf out;

    if (msg_doc_init(&doc) < 0)
        abort();
    buf_init(&out, 0);
    if (msg_parse(&doc, body) == 0) {
        if (!good)
            abort();
        if (value_from_msg(&v, &doc.root) == 0) {
            value_pack(&out, &v);
            if (msg_parse(&doc, buf_view(&out)) < 0 || value_from_msg(&again, &doc.root) < 0 ||
                !value_eq(&v, &again))
                abort();
            value_put_json(&out, &v);
            value_clear(&v);
            value_clear(&again);
        }
    }
    buf_free(&out);
    msg_doc_fini(&doc);
}

static void use_change(struct xod *x, struct view topic, struct view body)
{
    struct wire_change c;
    struct msg_doc doc;
    struct buf scratch;

    buf_init(&scratch, 4096);
    if (msg_doc_init(&doc) < 0)
        abort();
    if (wire_read_topic(&scratch, topic, &c) == 0 && msg_parse(&doc, body) == 0)
        wire_apply(x, &c, &doc.root);
    xod_commit(x, NULL, NULL);
    msg_doc_fini(&doc);
    buf_free(&scratch);
}

static void use_snapshot(struct xod *x, struct view body)
{
    const msgpack_object *objects;
    struct xod_obj *made;
    struct msg_doc doc;
    struct buf out;

    if (msg_doc_init(&doc) < 0)
        abort();
    buf_init(&out, 0);
    objects = msg_parse(&doc, body) == 0 ? msg_get(&doc.root, "objects") : NULL;
    if (objects && objects->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < objects->via.array.size; i++)
            if (wire_read_object(x, &objects->via.array.ptr[i], body.len % 2, &made) == 0 && made) {
                buf_reset(&out);
                wire_object(&out, made, UINT64_MAX);
                if (msg_check(buf_view(&out)) < 0)
                    abort();
            }
    xod_commit(x, NULL, NULL);
    buf_free(&out);
    msg_doc_fini(&doc);
}

static void use_event(struct view topic, struct view body)
{
    struct bus_msg m = {.topic = topic, .body = body, .time = 1};
    struct msg_doc doc;
    struct view ipbx;
    struct buf scratch;
    struct tel t;

    buf_init(&scratch, 4096);
    if (msg_doc_init(&doc) < 0)
        abort();
    if (tel_read(&t, &m, &doc, &scratch, &ipbx) == 0 && (t.event < 0 || t.event >= TEL_EVENT_COUNT))
        abort();
    msg_doc_fini(&doc);
    buf_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* so that a sanitizer sees any byte read beside it */
    struct view body;
    struct view topic;
    struct xod *x = xod_new();

    if (!copy || !x)
        abort();
    memcpy(copy, data, size);
    body = view_of(copy, size);
    topic = view_cut(&body, '\n');
    use_doc(body);
    use_change(x, topic, body);
    use_snapshot(x, body);
    use_event(topic, body);
    xod_destroy(&x);
    free(copy);
    return 0;
}
