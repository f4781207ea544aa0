#include "people/favorites.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

struct favorites {
    struct map *set; /* by SOURCE, a NUL, ENTRY; the value is the key's memory */
    db_done_fn *done;
    void *arg;
};

struct favorites *favorites_new(void)
{
    struct favorites *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->set = map_new();
    if (!f->set)
        favorites_destroy(&f);
    return f;
}

void favorites_destroy(struct favorites **fp)
{
    struct favorites *f = fp ? *fp : NULL;

    if (!f)
        return;
    map_destroy_with(&f->set, free);
    free(f);
    *fp = NULL;
}

static size_t put(char *out, struct view v)
{
    size_t n = v.len < FAVORITES_MAX_TEXT ? v.len : FAVORITES_MAX_TEXT;

    if (n)
        memcpy(out, v.ptr, n);
    return n;
}

struct view favorite_key(struct view source, struct view entry, char scratch[FAVORITE_KEY])
{
    size_t n = put(scratch, source);

    scratch[n] = '\0';
    return view_of(scratch, n + 1 + put(scratch + n + 1, entry));
}

static bool take_row(void *arg, const struct db_row *row)
{
    struct favorites *f = arg;
    char scratch[FAVORITE_KEY];
    struct view key = favorite_key(db_text(row, 0), db_text(row, 1), scratch);
    char *kept = view_dup(key);

    if (kept && (map_get(f->set, key) || map_put(f->set, view_of(kept, key.len), kept) < 0))
        free(kept);
    return true;
}

static void on_read(void *arg, int rc)
{
    struct favorites *f = arg;

    f->done(f->arg, rc);
}

int favorites_read(struct favorites *f, struct db *db, struct view ipbx, struct view user,
                   db_done_fn *done, void *arg)
{
    f->done = done;
    f->arg = arg;
    return db_read(db, "SELECT source, entry FROM people_favorite WHERE site = ? AND user = ?",
                   take_row, on_read, f, "ss", ipbx, user);
}

bool favorites_any(const struct favorites *f)
{
    return map_count(f->set) > 0;
}

bool favorites_has(const struct favorites *f, struct view source, struct view entry)
{
    char scratch[FAVORITE_KEY];

    return map_get(f->set, favorite_key(source, entry, scratch)) != NULL;
}

void favorites_add(struct db_txn *t, struct view ipbx, struct view user, struct view source,
                   struct view entry)
{
    db_add(t,
           "INSERT INTO people_favorite (site, user, source, entry) VALUES (?,?,?,?)"
           " ON CONFLICT DO NOTHING",
           "ssss", ipbx, user, source, entry);
}

void favorites_remove(struct db_txn *t, struct view ipbx, struct view user, struct view source,
                      struct view entry)
{
    db_add(t,
           "DELETE FROM people_favorite WHERE site = ? AND user = ? AND source = ? AND entry = ?",
           "ssss", ipbx, user, source, entry);
}

void favorites_remove_source(struct db_txn *t, struct view ipbx, struct view user,
                             struct view source)
{
    db_add(t, "DELETE FROM people_favorite WHERE site = ? AND user = ? AND source = ?", "sss", ipbx,
           user, source);
}
