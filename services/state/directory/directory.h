/*
 * Directories: people and their numbers, looked up by a part of their name, or by a number.
 *
 *   catalog.c          what the configuration says of them
 *   source_*.c         where the entries are: users, phonebooks, CSV files, web servers
 *   table.c, csv.c     entries that are not objects of xod
 *   fold.c             how texts and numbers are compared
 *   format.c, rows.c   displays: entries as lines of a result
 *   identity.c         ids of entries that last
 *   lookup.c           lookups, which may wait for web servers
 *   search.c           lookups as lines of a display
 *   directory.c        all of it, and reading it anew
 */
#ifndef CTIBUS_STATE_DIRECTORY_DIRECTORY_H
#define CTIBUS_STATE_DIRECTORY_DIRECTORY_H

#include "core/context.h"
#include "format.h"
#include "rows.h"
#include "sources.h"

struct directories;
struct table;

/* Reads the configuration of `s` whenever it is needed; knows nothing before directories_load. NULL
 * without memory. */
struct directories *directories_new(struct state *s);
/* Lookups that wait end with a fault. */
void directories_destroy(struct directories **d);
/* Reads the sections of the configuration and all files. 0, or -EINVAL: a file could not be read
 * (logged), what was known of it stays. */
int directories_load(struct directories *d);
/* What is known of the phonebook of an IPBX, borrowed until the next change of it; NULL: nothing.
 */
const struct table *directories_phonebook_of(const struct directories *d,
                                             const struct xod_ipbx *ipbx);
/* What the list urllist_phonebook of an IPBX holds now. 0, or -EINVAL (logged): as above. */
int directories_phonebook(struct directories *d, const struct xod_ipbx *ipbx,
                          struct json_object *list);

/* Who looks what up. All of it is borrowed until the call returns. */
struct directory_ask {
    const struct xod_ipbx *ipbx; /* whose users and whose phonebook */
    struct view context;         /* of the user who searches; empty: none */
    struct view text;            /* a part of a name, or a number */
    struct view exten;           /* of a reverse lookup: what was dialled */
    bool by_number;              /* of directory_find: text is a number, which fits as a whole */
    sees_fn *sees;               /* NULL: all users and phones are seen */
    void *sees_arg;
};

/* An entry that was found, borrowed. False: no more of this directory are wanted. */
typedef bool directory_found_fn(void *arg, const struct directory *dir, const struct entry *e);
/* There are no more. fault: a word for the client; NULL: it went well. */
typedef void directory_end_fn(void *arg, const char *fault);
/* Looks a text up in the directories of a context; the empty one finds everything, unless it is a
 * number. Calls found for each entry, and end once: at once, or when the web servers have answered
 * or their time is over. Entries of directories that are not asked over the network come before
 * this returns. */
void directory_find(struct directories *d, const struct directory_ask *ask,
                    directory_found_fn *found, directory_end_fn *end, void *arg);

/* What came of a search. */
struct directory_answer {
    const char *fault; /* a word for the client; NULL: it went well */
    const struct display *display;
    const struct rows *rows;
};
typedef void directory_fn(void *arg, const struct directory_answer *a);

/* The same as lines of the display of the context; fn(arg, answer) is called once. */
void directory_search(struct directories *d, const struct directory_ask *ask, directory_fn *fn,
                      void *arg);

/* `fields` is an object of texts, borrowed: the fields of the first match by the order of the
 * directories, and `xivo-directory`; NULL: there is none. */
typedef void directory_reverse_fn(void *arg, struct json_object *fields);

/* Looks up whose number `text` is, in the directories that the context names for `exten`. fn is
 * called once, as above. */
void directory_reverse(struct directories *d, const struct directory_ask *ask,
                       directory_reverse_fn *fn, void *arg);
/* The same in the one directory of this name, whatever the context. 0, or -ENOENT: there is none of
 * that name, and fn is not called. */
int directory_reverse_in(struct directories *d, struct view name, const struct directory_ask *ask,
                         directory_reverse_fn *fn, void *arg);

#endif
