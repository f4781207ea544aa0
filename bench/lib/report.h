/* The line of a load generator about the times that it measured. */
#ifndef CTIBUS_BENCH_REPORT_H
#define CTIBUS_BENCH_REPORT_H

#include <stddef.h>
#include <stdint.h>

/* Sorts v (n times in microseconds) and prints median, 99th percentile and maximum in milliseconds;
 * nothing if n is 0. */
void bench_report(const char *what, uint32_t *v, size_t n);

#endif
