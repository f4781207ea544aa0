/* Addresses of PostgreSQL databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/pg_uri.h"

static void all_parts(void **state)
{
    struct pg_uri u;
    char public[64];

    assert_null(pg_uri_read(&u, VIEW("postgresql://ast%65risk:pro:f%40rm@tique@db.example.org:5433/"
                                     "asterisk?encoding=utf8&sslmode=verify-full&sslrootcert=/etc/"
                                     "a%20b.pem&sslcert=c&sslkey=k")));
    assert_string_equal(u.user, "asterisk");
    assert_string_equal(u.password, "pro:f@rm@tique");
    assert_string_equal(u.host, "db.example.org");
    assert_int_equal(u.port, 5433);
    assert_string_equal(u.database, "asterisk");
    assert_string_equal(u.sslmode, "verify-full");
    assert_string_equal(u.sslrootcert, "/etc/a b.pem");
    assert_string_equal(u.sslcert, "c");
    assert_string_equal(u.sslkey, "k");
    pg_uri_public(&u, public, sizeof(public));
    assert_string_equal(public, "asterisk@db.example.org:5433/asterisk");
}

static void what_may_be_left_out(void **state)
{
    struct pg_uri u;

    assert_null(pg_uri_read(&u, VIEW("postgres://a@localhost/b")));
    assert_string_equal(u.password, "");
    assert_string_equal(u.sslmode, "");
    assert_int_equal(u.port, 5432);
}

static void addresses_and_sockets(void **state)
{
    struct pg_uri u;

    assert_null(pg_uri_read(&u, VIEW("postgresql://a:b@[2001:db8::1]:5/d")));
    assert_string_equal(u.host, "2001:db8::1");
    assert_int_equal(u.port, 5);
    assert_null(pg_uri_read(&u, VIEW("postgresql://a:b@[::1]/d")));
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 5432);
    assert_null(pg_uri_read(&u, VIEW("postgresql://a:b@/d?host=/run/postgresql")));
    assert_string_equal(u.host, "/run/postgresql");
    assert_null(pg_uri_read(&u, VIEW("postgresql://a:b@%2Frun%2fpg:5433/d")));
    assert_string_equal(u.host, "/run/pg");
    assert_int_equal(u.port, 5433);
}

static void faults_name_what_is_wrong_but_no_password(void **state)
{
    static const char *const table[][2] = {
        {"", "is no address"},
        {"mysql://a:secret@h/d", "is no address"},
        {"postgresql:/a:secret@h/d", "is no address"},
        {"postgresql://", "has no user"},
        {"postgresql://h/d", "has no user"},
        {"postgresql://:secret@h/d", "has no user"},
        {"postgresql://a:secret@/d", "has no host"},
        {"postgresql://a:secret@h", "has no database"},
        {"postgresql://a:secret@h/?encoding=utf8", "has no database"},
        {"postgresql://a:secret@h,i/d", "several hosts"},
        {"postgresql://a:secret@h:0/d", "a port"},
        {"postgresql://a:secret@h:65536/d", "a port"},
        {"postgresql://a:secret@h:x/d", "a port"},
        {"postgresql://a:secret@[::1/d", "has"},
        {"postgresql://a:secret@[]/d", "a host"},
        {"postgresql://a:secret@[::1]5/d", "a host"},
        {"postgresql://a:secret%2@h/d", "a user or password"},
        {"postgresql://a:secret%zz@h/d", "a user or password"},
        {"postgresql://a:secret%00@h/d", "a user or password"},
        {"postgresql://a:secret@h/d%1", "a database"},
        {"postgresql://a:secret@h/d?sslmode=secret", "an sslmode"},
        {"postgresql://a:secret@h/d?sslmode=no-such-mode-secret", "a parameter"},
    };
    struct pg_uri u;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *fault = pg_uri_read(&u, view_cstr(table[i][0]));
        if (!fault || (!strstr(fault, table[i][1])))
            fail_msg("%s: %s", table[i][0], fault ? fault : "no fault");
        assert_null(strstr(fault, "secret"));
    }
}

static void long_parts(void **state)
{
    char uri[1200];
    struct pg_uri u;

    snprintf(uri, sizeof(uri), "postgresql://a:%0*d@h/d", 255, 1);
    assert_null(pg_uri_read(&u, view_cstr(uri)));
    assert_int_equal(strlen(u.password), 255);
    snprintf(uri, sizeof(uri), "postgresql://a:%0*d@h/d", 256, 1);
    assert_non_null(pg_uri_read(&u, view_cstr(uri)));
    snprintf(uri, sizeof(uri), "postgresql://a:b@%0*d/d", 256, 1);
    assert_non_null(pg_uri_read(&u, view_cstr(uri)));
    snprintf(uri, sizeof(uri), "postgresql://a:b@h/%0*d", 64, 1);
    assert_non_null(pg_uri_read(&u, view_cstr(uri)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts),
        cmocka_unit_test(what_may_be_left_out),
        cmocka_unit_test(addresses_and_sockets),
        cmocka_unit_test(faults_name_what_is_wrong_but_no_password),
        cmocka_unit_test(long_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
