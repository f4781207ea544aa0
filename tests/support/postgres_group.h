/* A PostgreSQL server for all tests of one program: it is made and removed by
 * cmocka_run_group_tests(tests, make_server, remove_server). */
#ifndef CTIBUS_TESTS_POSTGRES_GROUP_H
#define CTIBUS_TESTS_POSTGRES_GROUP_H

#include "support/postgres.h"

static struct postgres_server server;

static inline int make_server(void **state)
{
    postgres_make(&server);
    return 0;
}

static inline int remove_server(void **state)
{
    postgres_remove(&server);
    return 0;
}

#endif
