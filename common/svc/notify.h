/*
 * Tells systemd how the service is (sd_notify(3), units of Type=notify): READY, RELOADING,
 * STOPPING, a STATUS of a few words, and WATCHDOG from a timer of the loop, so that a loop that
 * stands still is found and ended. Belongs to svc/ alone.
 *
 * sd_notify may wait for systemd, hence a thread sends. Outside of systemd (no NOTIFY_SOCKET) there
 * is no notifier: NULL is taken everywhere and does nothing.
 */
#ifndef CTIBUS_SVC_NOTIFY_H
#define CTIBUS_SVC_NOTIFY_H

#include "base/buf.h"
#include "log/log.h"
#include "loop/loop.h"

struct notifier;

/* Appends to `out` how the service is, in a few words. */
typedef void notify_status_fn(void *arg, struct buf *out);

/* *out: NULL where systemd does not listen. 0 or a negative errno. */
int notifier_new(struct loop *loop, notify_status_fn *status, void *arg, struct log *log,
                 struct notifier **out);
/* Waits at most 500 ms until all is told. */
void notifier_destroy(struct notifier **n);

void notify_ready(struct notifier *n); /* started, or reloaded */
void notify_reloading(struct notifier *n);
void notify_stopping(struct notifier *n);

#endif
