/* A table of a document that is made from a table of the code: compared, or (UPDATE_DOCS=1) written
 * anew. Include after cmocka.h. */
#ifndef CTIBUS_TESTS_DOC_TABLE_H
#define CTIBUS_TESTS_DOC_TABLE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

/* What stands in the file between the two markers must be `table`. */
static inline void doc_table_check(const char *path, const char *begin_mark, const char *end_mark,
                                   struct view table)
{
    struct buf doc;
    struct view v;
    ptrdiff_t begin, end;
    FILE *f;

    buf_init(&doc, 0);
    assert_int_equal(buf_read_file(&doc, path), 0);
    v = buf_view(&doc);
    begin = view_find(v, view_cstr(begin_mark));
    end = view_find(v, view_cstr(end_mark));
    assert_true(begin >= 0 && end > begin);
    begin += (ptrdiff_t)strlen(begin_mark);
    if (getenv("UPDATE_DOCS")) {
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s%.*s%.*s", (int)begin, v.ptr, VIEW_ARG(table), (int)(v.len - (size_t)end),
                v.ptr + end);
        fclose(f);
    } else if (!view_eq(view_of(v.ptr + begin, (size_t)(end - begin)), table)) {
        fail_msg("%s is not as the code says: UPDATE_DOCS=1 writes it anew", path);
    }
    buf_free(&doc);
}

/* The whole file must be `text`. */
static inline void doc_file_check(const char *path, struct view text)
{
    struct buf doc;
    FILE *f;

    if (getenv("UPDATE_DOCS")) {
        f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%.*s", VIEW_ARG(text));
        fclose(f);
        return;
    }
    buf_init(&doc, 0);
    assert_int_equal(buf_read_file(&doc, path), 0);
    if (!view_eq(buf_view(&doc), text))
        fail_msg("%s is not as the code says: UPDATE_DOCS=1 writes it anew", path);
    buf_free(&doc);
}

#endif
