/*
 * The last file descriptors of a process are for the process itself: files, health checks, the
 * connections it makes. Connections that others make do not get them.
 */
#ifndef CTIBUS_BASE_DESCRIPTORS_H
#define CTIBUS_BASE_DESCRIPTORS_H

#include <stdbool.h>

/* The first descriptor that is kept: of the limit (RLIMIT_NOFILE) an eighth, at most 32; half of
 * that before a port that must answer. The kernel gives the lowest that is free: a connection that
 * got one at or above this number shows that all below are in use. INT_MAX without a limit. */
int descriptors_first_kept(bool vital);

#endif
