/* The inside of config/: the table of keys, the tree being loaded, and its checks. */
#ifndef CTIBUS_CONFIG_INTERNAL_H
#define CTIBUS_CONFIG_INTERNAL_H

#include "base/buf.h"
#include "config/config.h"

/* Where the configuration is looked for, in this order. */
#define CONFIG_FILE_HERE "config/ctibus.json"
#define CONFIG_FILE_INSTALLED "/etc/ctibus/ctibus.json"

enum key_type {
    KEY_STRING,
    KEY_CHOICE, /* one of `choices`, which are separated by | */
    KEY_INT,    /* min..max */
    KEY_BOOL,
    KEY_ADDRESS,  /* HOST:PORT to listen at; null or "": not at all */
    KEY_ENDPOINT, /* of ZeroMQ */
    KEY_DATABASE, /* sqlite:FILE */
    KEY_STRINGS,  /* an array of strings */
    KEY_NETWORKS, /* an array of addresses and networks */
    KEY_LISTEN,   /* XiVO's [host, port, enabled] */
    KEY_ANY,      /* XiVO has it, we do not use it */
};

#define KEY_RELOADABLE 1
#define KEY_NEEDED 2  /* within an object that is there */
#define KEY_RENAMED 4 /* a former name: `choices` is the present one */

struct config_key {
    const char *path; /* "*" stands for any one name */
    enum key_type type;
    const char *default_value; /* the default: bare text for kinds of strings, JSON for others;
                                  NULL: none */
    int64_t min, max;
    int flags;
    const char *choices;
    const char *doc;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

const char *config_type_name(enum key_type type);
/* True for the kinds whose value is one string. */
bool config_type_is_text(enum key_type type);
/* The row of a path, or NULL. */
const struct config_key *config_key_find(const char *path);
/* True when rows begin with this path and a point. */
bool config_key_is_parent(const char *path);
/* The spelling in the table of the part that follows `parent` ("" at the top): letters without
 * regard to case, _ also for -. NULL when there is none. The result is in `out`. */
const char *config_key_spelling(const char *parent, struct view part, char *out, size_t n);
/* The row or the parent that is most like an unknown path; NULL when none is. In `out`. */
const char *config_key_nearest(const char *path, char *out, size_t n);

/* Where a value came from, when not from the file. */
struct config_origin {
    struct config_origin *next;
    char *path;
    char *name;
};

struct config {
    char *file;
    char *dir;
    struct json_object *root;
    struct config_origin *origins; /* the newest first */
    struct config_errors *errors;  /* while it is loaded */
    struct config_errors notes;
    struct json_object *faulty; /* paths of the table's keys whose values are; NULL: none */
    bool ours;                  /* the file has a section `ctibus`: it was written for us */
    bool out_of_memory;
};

/* Notes a fault of the value at `path`. */
void config_fault(struct config *cfg, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Notes what is no fault (config_each_note). */
void config_note(struct config *cfg, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The file, or a text, into cfg->root; what is wrong with it is noted. */
void config_read_file(struct config *cfg);
void config_read_text(struct config *cfg, struct view text);
/* Moves values of former names to the present ones, with a note for each. A value of an override
 * goes before one of the file; both names in the file are a fault. */
void config_rename(struct config *cfg);
/* Puts the overrides into cfg->root. */
void config_apply(struct config *cfg, const struct config_overrides *overrides);
/* Notes whatever is wrong. */
void config_check(struct config *cfg);
/* One value against its row. */
void config_check_value(struct config *cfg, const char *path, const struct config_key *key,
                        struct json_object *value);
bool config_is_endpoint(struct view v);
/* Absent, or an empty table as XiVO's web interface writes it: [], null, false or "". */
bool config_is_empty(struct json_object *o);
/* Is it an object? What is none is noted as a fault. */
bool config_is_object(struct config *cfg, const char *path, struct json_object *o);
/* What is wrong with an http: or https: URI, in words, or NULL. The URI itself is not to be told:
 * it can have a password in it. */
const char *config_web_fault(struct view uri);
/* check_directories.c: `directories`, `displays` and `contexts`. */
void config_check_directories(struct config *cfg);
/* check_sheets.c: `sheets`. */
void config_check_sheets(struct config *cfg);
/* check_features.c: `ctibus.features`. */
void config_check_features(struct config *cfg);
/* check_addresses.c: two listeners of one service at one address are a fault, of two a note. */
void config_check_addresses(struct config *cfg);
/* ha.c: the states of a site. */
void config_check_ha(struct config *cfg);

/* xivo.c: the connection to the Asterisk that early XiVOs write beside `ipbxes` goes to the IPBX
 * that it belongs to, with a note. Before the overrides. */
void config_adapt_xivo(struct config *cfg);
/* Gives the only IPBX the name of ctibus.ipbx.name. */
void config_name_ipbx(struct config *cfg);
/* Notes a key of a XiVO that we do not know, and the one that may be meant. */
void config_note_unknown(struct config *cfg, const char *path);
/* Notes the sections that nothing reads. */
void config_note_sections(struct config *cfg);

/* open_classes.c: `ctibus.deny` */
void config_check_deny(struct config *cfg);

/* timezone.c: is `ctibus.timezone` one? */
void config_check_timezone(struct config *cfg);

#endif
