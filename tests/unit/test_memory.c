/* What a peak has left behind goes back to the system. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/thread.h"
#include "support/bus.h"
#include "svc/memory.h"
#include "svc/process.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OTHER_MALLOC 1
#else
#define OTHER_MALLOC 0
#endif

#define N 100000

static void *blocks[N];
static int statm;

static void *peak(void *arg)
{
    for (int i = 0; i < N; i++) {
        blocks[i] = malloc(600);
        if (!blocks[i])
            abort();
        memset(blocks[i], 1, 600);
    }
    blocks[0] = realloc(blocks[0], 8); /* something stays at either end */
    for (int i = 1; i < N - 1; i++)
        free(blocks[i]);
    return NULL;
}

static void assert_given_back(struct loop *loop, double before)
{
    UNTIL(loop, process_resident_bytes(statm) < before + 16e6);
    free(blocks[0]);
    free(blocks[N - 1]);
}

static void a_peak_is_given_back_again_and_again(void **state)
{
    struct loop *loop;
    struct memory *m;
    double before;

    if (OTHER_MALLOC)
        skip();
    loop = loop_new();
    m = memory_new(loop, 20, &statm);
    before = process_resident_bytes(statm);
    for (int i = 0; i < 3; i++) {
        peak(NULL);
        assert_true(process_resident_bytes(statm) > before + 40e6);
        assert_given_back(loop, before);
    }
    memory_destroy(&m);
    loop_destroy(&loop);
}

static void so_is_that_of_another_thread(void **state)
{
    struct loop *loop;
    struct memory *m;
    double before;
    pthread_t thread;

    if (OTHER_MALLOC)
        skip();
    loop = loop_new();
    m = memory_new(loop, 20, &statm);
    before = process_resident_bytes(statm);
    assert_int_equal(thread_start(&thread, peak, NULL), 0);
    pthread_join(thread, NULL);
    assert_true(process_resident_bytes(statm) > before + 40e6);
    assert_given_back(loop, before);
    memory_destroy(&m);
    loop_destroy(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peak_is_given_back_again_and_again),
        cmocka_unit_test(so_is_that_of_another_thread),
    };

    memory_configure();
    statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
