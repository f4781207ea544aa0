#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void bench_report(const char *what, uint32_t *v, size_t n)
{
    size_t half = n / 2;
    size_t most = n * 99 / 100;

    if (n == 0)
        return;
    qsort(v, n, sizeof(*v), by_value);
    printf("%-28s n %8zu  median %8.3f ms  p99 %8.3f ms  max %8.3f ms\n", what, n, v[half] / 1e3,
           v[most] / 1e3, v[n - 1] / 1e3);
}
