/*
 * A hash map from bytes to pointers (open addressing, seeded against chosen keys).
 *
 * Keys are borrowed: what a key points at must live, unchanged, as long as its entry. Values are
 * not owned. Not for several threads.
 */
#ifndef CTIBUS_BASE_MAP_H
#define CTIBUS_BASE_MAP_H

#include "base/view.h"

struct map;

/* A new map, or NULL without memory. */
struct map *map_new(void);
void map_destroy(struct map **m);
/* The same, and `destroy` (free, for one) of each value. */
void map_destroy_with(struct map **m, void (*destroy)(void *value));

size_t map_count(const struct map *m);

/* The value, or NULL when there is none. */
void *map_get(const struct map *m, struct view key);

/* Stores `value` (not NULL) under `key`; an older value is replaced together with its key.
 * 0, or -ENOMEM (nothing changed). */
int map_put(struct map *m, struct view key, void *value);

/* Removes the entry; its value, or NULL when there was none. */
void *map_del(struct map *m, struct view key);

/* Walks all entries: start with *pos = 0; false at the end. The map must not change meanwhile, but
 * the entry just given may be removed. */
bool map_next(const struct map *m, size_t *pos, struct view *key, void **value);

/* The hash used, for those who need one of their own. */
uint64_t map_hash(uint64_t seed, struct view key);

#endif
