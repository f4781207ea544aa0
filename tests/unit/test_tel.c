/* A message of the plane tel/ as the domain reads it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/tel.h"

struct reading {
    struct msg_doc doc;
    struct buf body, scratch;
    struct tel tel;
    struct view ipbx;
};

static int setup(void **state)
{
    struct reading *r = calloc(1, sizeof(*r));

    buf_init(&r->body, 4096);
    buf_init(&r->scratch, 4096);
    *state = r;
    return msg_doc_init(&r->doc);
}

static int teardown(void **state)
{
    struct reading *r = *state;

    msg_doc_fini(&r->doc);
    buf_free(&r->body);
    buf_free(&r->scratch);
    free(r);
    return 0;
}

static int read_of(struct reading *r, const char *topic)
{
    struct bus_msg m = {.topic = view_cstr(topic), .body = buf_view(&r->body), .time = 7};

    return tel_read(&r->tel, &m, &r->doc, &r->scratch, &r->ipbx);
}

static void test_fields_are_taken_by_their_names(void **state)
{
    struct reading *r = *state;

    msg_put_map(&r->body, 4);
    msg_put_pair(&r->body, "mailbox", VIEW("1001@default"));
    msg_put_pair_u64(&r->body, "new_count", 2);
    msg_put_pair(&r->body, "old_count", VIEW("text")); /* of another type */
    msg_put_pair(&r->body, "later", VIEW("x"));        /* of a later version */
    assert_int_equal(read_of(r, "tel/xivo/voicemail/waiting/"), 0);
    assert_true(view_eq(r->ipbx, VIEW("xivo")));
    assert_int_equal(r->tel.event, TEL_voicemail_waiting);
    assert_true(view_eq(r->tel.str[TELF_mailbox], VIEW("1001@default")));
    assert_int_equal(r->tel.num[TELF_new_count], 2);
    assert_false(tel_has(&r->tel, TELF_old_count));
    assert_int_equal(tel_set_count(&r->tel.set), 2);
    assert_int_equal(read_of(r, "tel/xivo/voicemail/nothing/"), -ENOENT);
}

/* During an upgrade a gateway may still be of before. */
static void test_former_names_of_numbers_are_known(void **state)
{
    struct reading *r = *state;

    msg_put_map(&r->body, 3);
    msg_put_pair_u64(&r->body, "new", 2);
    msg_put_pair_u64(&r->body, "old", 3);
    msg_put_pair_u64(&r->body, "reason", 4);
    assert_int_equal(read_of(r, "tel/xivo/voicemail/waiting/"), 0);
    assert_int_equal(r->tel.num[TELF_new_count], 2);
    assert_int_equal(r->tel.num[TELF_old_count], 3);
    assert_int_equal(r->tel.num[TELF_reason_code], 4);
    assert_false(tel_has(&r->tel, TELF_new_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields_are_taken_by_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_former_names_of_numbers_are_known, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
