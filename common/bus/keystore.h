/*
 * The keys that may come to the bus, each with its role: certificates *.key in a directory, a list
 * in a file (lines "gateway|monitor KEY [name]"), or keys that the program adds. What is on disk is
 * read again when it changes, so that a key is added or revoked while the process runs. Any thread
 * may ask; one thread refreshes.
 */
#ifndef CTIBUS_BUS_KEYSTORE_H
#define CTIBUS_BUS_KEYSTORE_H

#include <stdint.h>

#include "bus/keys.h"
#include "log/log.h"

/* An empty store; nothing is read yet. path (copied): a directory or a file, or NULL: only what is
 * added. NULL without memory. */
struct keystore *keystore_new(const char *path);
void keystore_destroy(struct keystore **k);
/* Lets a key (Z85) in. 0; -EINVAL: it is none; -EEXIST: it is there. Not for a store with a path:
 * it would be gone with the next change on disk. */
int keystore_add(struct keystore *k, const char *key, enum bus_role role);
/* ROLE_NONE: it may not come in. */
enum bus_role keystore_role(struct keystore *k, const char *key);

/* Reads from disk if that has changed since, or anyway with `force`. This may block as long as the
 * disk does. A certificate that is none is logged and not allowed. A directory, or a list, that
 * cannot be read leaves the keys as they were: logged, and a sentence in `why`. log and why may be
 * NULL. 1: read, 0: nothing has changed, or a negative errno. */
int keystore_refresh(struct keystore *k, bool force, struct log *log, char *why, size_t why_size);
/* How many times it has been read. */
uint64_t keystore_version(struct keystore *k);

#endif
