/*
 * The configuration: ctibus.json, overridden by the environment, overridden by flags.
 *
 * Everything that is wrong with it is reported at once, each fault with its file (or variable, or
 * flag), the path of the key and the reason. The keys of ours are in one table (config/keys.c) with
 * type, default, bounds and a sentence each; paths are written with points: "ctibus.bus.publish".
 */
#ifndef CTIBUS_CONFIG_CONFIG_H
#define CTIBUS_CONFIG_CONFIG_H

#include <json-c/json.h>

#include "base/buf.h"
#include "base/netaddr.h"

struct config;

/* Faults in the order in which they were found. */
struct config_error {
    char *file;   /* or "environment NAME", or "--set" */
    char *key;    /* path; empty when the file as a whole is meant */
    char *reason; /* a sentence without a point at its end */
};
struct config_errors {
    struct config_error *list;
    size_t count;
};

typedef void config_error_fn(void *arg, const struct config_error *e);
void config_each_error(const struct config_errors *errors, config_error_fn *fn, void *arg);
/* What is no fault, but surprises later: a file that is not there (yet), a kind of directory that
 * we do not have, a key of a XiVO that is not used. --check tells it, and the log at a start. */
void config_each_note(const struct config *cfg, config_error_fn *fn, void *arg);
/* Frees what is in it; it is empty and usable again. */
void config_errors_free(struct config_errors *errors);

/* What comes on top of the file; either may be NULL. The last of several for one key counts. */
struct config_overrides {
    char *const *env; /* as environ: CTIBUS__BUS__PUBLISH=..., CTIBUS_MAIN__LOGINTIMEOUT=... */
    const char *const *sets; /* "key=value", ends with NULL */
};

/* Reads, merges and checks; NULL when anything is wrong, which is then in *errors (start with {0}).
 * Keys of a XiVO that we do not know (anything outside of the section `ctibus`) are notes. */
struct config *config_load(const char *path, const struct config_overrides *overrides,
                           struct config_errors *errors);
/* The same, and what was read when something is wrong, too: for what else may be checked of it.
 * Values of the table's keys that are faulty are not in it then, so that the default is. NULL
 * without memory, and when it is no JSON object. */
struct config *config_read(const char *path, const struct config_overrides *overrides,
                           struct config_errors *errors);
/* As config_read, of a text that came from elsewhere: `name` is where it is from, for what is told,
 * and `dir` the folder to which relative names in it are relative. */
struct config *config_read_string(const char *name, const char *dir, struct view text,
                                  const struct config_overrides *overrides,
                                  struct config_errors *errors);
/* Only what the overrides say, unchecked: for what is to be known before the file is. NULL without
 * memory. */
struct config *config_of_overrides(const struct config_overrides *overrides);
void config_destroy(struct config **cfg);

/* The value of a key of the table, or its default. Strings are borrowed and live as long as cfg;
 * NULL when there is neither, or an address is turned off (null or ""). To ask for a key that is
 * not in the table, or for another type, is a mistake of the caller (assert). */
const char *config_str(const struct config *cfg, const char *key);
int64_t config_int(const struct config *cfg, const char *key);
bool config_bool(const struct config *cfg, const char *key);

/* The address of one of XiVO's listeners (["0.0.0.0", 5003, true]) as "HOST:PORT" in `addr`; false
 * when it is turned off. */
bool config_listen(const struct config *cfg, const char *key, char *addr, size_t n);

/* Is `word` in an array of strings, or in its default? */
bool config_lists(const struct config *cfg, const char *key, const char *word);

/* A list of the networks that may connect, added to *out. 0 or -ENOMEM. */
int config_networks(const struct config *cfg, const char *key, struct netlist *out);

/* Whatever stands at a path of the file, without defaults: borrowed, NULL when there is nothing. */
struct json_object *config_get(const struct config *cfg, const char *path);
/* A whole section, e.g. "profiles"; NULL when it is not there or no object. */
struct json_object *config_section(const struct config *cfg, const char *name);

/* Is this a class of CTI messages that every profile permits, unless `ctibus.deny` names it? The
 * others must be among its regcommands. */
bool config_class_is_open(struct view class);
/* Number i of them, or NULL. */
const char *config_open_class(size_t i);

/* The database with the table `userfeatures` of an IPBX with a link of its own, as written in the
 * configuration: postgresql://... with the password. NULL: `ctibus.features.publish` does not have
 * userfeatures, or the IPBX has no such database. */
const char *config_userfeatures_uri(const struct config *cfg, const char *ipbx);

/* The file where no --config names one: $CTIBUS_CONFIG, else config/ctibus.json below the working
 * directory, else, where that is not there, /etc/ctibus/ctibus.json. Borrowed. */
const char *config_default_file(void);
/* The same in words, for --help. */
#define CONFIG_DEFAULT_DOC "$CTIBUS_CONFIG, else config/ctibus.json, else /etc/ctibus/ctibus.json"

/* The folder of the file, to which relative file: URIs and paths in it are relative. */
const char *config_dir(const struct config *cfg);
/* The path of a file named in the configuration, with or without "file:" before it. The caller
 * frees it; NULL without memory. */
char *config_path(const struct config *cfg, struct view name);
/* What ctibus.database names: the path of its file, or the URI of a server (pg_uri_is), which may
 * hold a password. The caller frees it; NULL without memory. */
char *config_database(const struct config *cfg);

/* ---- ha.c: a site with two states (docs/ha.md) ---- */
#define CONFIG_HA_PEERS 4 /* at most */
/* Has it? */
bool config_ha(const struct config *cfg);
/* Which of the peers a state of this machine is, borrowed from cfg or from `host`; NULL: none. host
 * becomes the name of the machine up to the first dot. */
const char *config_ha_name(const struct config *cfg, char host[64]);
/* Of the n-th peer: its endpoint "publish", "subscribe" or "request"; `what` NULL: its name. NULL:
 * there are no more. Borrowed. */
const char *config_ha_peer(const struct config *cfg, size_t n, const char *what);
/* Where to connect to for "publish", "subscribe" or "request": one endpoint, or those of all peers
 * with a space between them. The caller frees it; NULL without memory. */
char *config_bus_endpoints(const struct config *cfg, const char *what);
/* Where state binds for it: ctibus.bus.*, where it is set or there are no peers, else its own
 * peer's endpoint. Borrowed from cfg. */
const char *config_bus_bind(const struct config *cfg, const char *what);

/* Calls fn for each key of the table whose value differs; `reloadable` says whether a running
 * service takes it. Keys of tables with free names (ipbxes) are not compared. */
typedef void config_change_fn(void *arg, const char *key, bool reloadable);
void config_each_change(const struct config *from, const struct config *to, config_change_fn *fn,
                        void *arg);

/* Calls fn for each row of the table, for documents and --help. */
typedef void config_key_fn(void *arg, const char *key, const char *type, const char *default_value,
                           bool reloadable, const char *doc);
void config_each_key(config_key_fn *fn, void *arg);
/* Appends the table as Markdown, or as lines for a terminal: keys with `part` in name or
 * description (empty: all). */
void config_put_keys(struct buf *out, struct view part, bool markdown);

/* The table as JSON Schema (2020-12); the caller releases it. */
struct json_object *config_schema(void);

/* Is it the name of a time zone that this system knows ("Europe/Paris", "UTC")? */
bool config_zone_is_known(const char *zone);
/* The same of the variable TZ, which may also be empty, hold a path, or rules ("CET-1CEST"). */
bool config_environment_zone_is_known(const char *tz);
/* Dates are told in `ctibus.timezone` from now on, where there is one. For the whole process:
 * before it has threads. */
void config_apply_timezone(const struct config *cfg);

#endif
