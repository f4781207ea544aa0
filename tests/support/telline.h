/* A canonical event as a line of text: channel/new {"channel":"SIP/alice-00000000",...}. Its fields
 * are those that tel.def says it may have. */
#ifndef CTIBUS_TESTS_TELLINE_H
#define CTIBUS_TESTS_TELLINE_H

#include <stdio.h>
#include <stdlib.h>

#include "translate.h"
#include "xod/value.h"

static inline void tel_line(struct buf *out, const struct tel_out *t)
{
    struct view topic = schema_tel_topic(t->event);
    struct msg_doc doc;
    struct value v;
    struct buf body;

    for (unsigned f = tel_set_next(&t->set, 0); f < TEL_FIELD_COUNT;
         f = tel_set_next(&t->set, f + 1))
        if (!schema_tel_may_have(t->event, (enum tel_field)f)) {
            fprintf(stderr, "%.*s has %.*s: tel.def does not say so\n", VIEW_ARG(topic),
                    VIEW_ARG(schema_tel_field_name((enum tel_field)f)));
            abort();
        }
    buf_init(&body, 0);
    tel_out_body(&body, t, AMI_CHARSET_UTF8);
    if (msg_doc_init(&doc) < 0 || msg_parse(&doc, buf_view(&body)) < 0 ||
        value_from_msg(&v, &doc.root) < 0)
        abort();
    buf_append(out, topic.ptr, topic.len - 1);
    buf_append_char(out, ' ');
    value_put_json(out, &v);
    buf_append_char(out, '\n');
    value_clear(&v);
    msg_doc_fini(&doc);
    buf_free(&body);
}

#endif
