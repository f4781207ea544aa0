/*
 * What the configuration says of directories: the sections `directories` and `contexts`.
 *
 * A directory is counted: a lookup that waits for a web server keeps the one it began with, also
 * when the configuration is read anew meanwhile.
 */
#ifndef CTIBUS_STATE_DIRECTORY_CATALOG_H
#define CTIBUS_STATE_DIRECTORY_CATALOG_H

#include "config/config.h"
#include "source.h"

struct table;

enum directory_kind {
    DIRECTORY_INTERNAL,
    DIRECTORY_PHONEBOOK,
    DIRECTORY_CSV,
    DIRECTORY_HTTP,
    DIRECTORY_NONE, /* of a kind that we do not have: it holds nothing */
};

struct directory {
    unsigned refs;
    enum directory_kind kind;
    char *name;              /* in the configuration */
    struct json_object *def; /* with what is not said there, but holds for its kind */
    struct table *table;     /* of DIRECTORY_CSV; NULL: it could not be read */
    char reason[96];         /* why it failed last, so that it is told once */
};

struct catalog;

/* Of a configuration that has been checked; NULL without memory. */
struct catalog *catalog_new(const struct config *cfg);
void catalog_destroy(struct catalog **c);
/* Directory number i, or NULL. */
struct directory *catalog_at(const struct catalog *c, size_t i);
struct directory *catalog_find(const struct catalog *c, struct view name);

struct directory *directory_ref(struct directory *dir);
void directory_unref(struct directory **dir);
/* What it is called in results. */
struct view directory_title(const struct directory *dir);
struct view directory_uri(const struct directory *dir);
/* Between the fields of its CSV. */
char directory_delimiter(const struct directory *dir);
/* The columns that are looked at, a JSON array of names or NULL. */
struct json_object *directory_columns(const struct directory *dir, bool reverse);
/* The field of a display: the first of its columns that is not empty. Empty when there is none. */
struct view directory_field(const struct directory *dir, const struct entry *e, struct view field,
                            char scratch[32]);
/* Adds all fields of an entry to a JSON object of texts, and `xivo-directory`, its title. 0 or
 * -ENOMEM. */
int directory_fields(const struct directory *dir, const struct entry *e, struct json_object *out);

/* What people of a context see: the entry of that name, else "*", else "default"; NULL: none. */
struct json_object *context_of(const struct config *cfg, struct view context);
/* The names of the directories for a number that was dialled there; a JSON array or NULL. */
struct json_object *context_reverse(struct json_object *context, struct view exten);

#endif
