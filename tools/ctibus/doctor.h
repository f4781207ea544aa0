/* What the parts of `ctibus doctor` share. */
#ifndef CTIBUS_TOOL_DOCTOR_H
#define CTIBUS_TOOL_DOCTOR_H

#include <json-c/json.h>

#include "asterisk.h"
#include "findings.h"
#include "tool.h"
#include "units.h"

/* What starts a service. */
struct doctor_unit {
    const char *service;
    struct unit unit;
};

#define DOCTOR_SOON_DAYS 30 /* before a certificate expires */

struct doctor {
    struct tool *t;
    const struct config *cfg;
    struct findings f;
    struct buf said;           /* by --check of the services */
    bool quiet;                /* no progress is shown */
    const char *root;          /* stands before the paths of systemd */
    struct doctor_unit *units; /* doctor_units.c */
    size_t n_units;
    struct json_object *closed; /* doctor_access.c: paths as keys that have been told */
    /* doctor_services.c: names of services as keys */
    struct json_object *heard;   /* on the bus */
    struct json_object *here;    /* of these, and of those that answer: on this machine */
    struct json_object *unready; /* of these, sources: those that are not ready */
    bool not_active; /* doctor_ha.c: of two states the one of this machine is not active */
    bool asked;      /* state has told its objects, which are: */
    struct json_object *objects; /* list -> array */
};

/* What is being done, on a terminal. */
void doctor_progress(const struct doctor *d, const char *what);

/* doctor_units.c: the units of systemd, their environment and what is wrong with that. */
void doctor_units(struct doctor *d);
void doctor_units_free(struct doctor *d);
/* The variables of a service, NAME -> {value, from}; NULL: there is no unit. Of several ami-gw
 * those of the first. */
struct json_object *doctor_environment(const struct doctor *d, const char *service);
/* Our own environment, and what all units have beside it: of one name the first counts. For
 * doctor_variables_free. */
char **doctor_variables(const struct doctor *d);
void doctor_variables_free(char **all);
/* doctor_access.c: what the users of services may not read or write. */
void doctor_access(struct doctor *d);
/* Of the database, for the user of state. False: who that is is not known, or its folder is not
 * there. */
bool doctor_database_access(struct doctor *d, const char *path, const char *folder);
/* doctor_open.c: what more can read or reach than should. */
void doctor_open(struct doctor *d);
/* doctor_check.c: each service's --check. */
void doctor_check(struct doctor *d);
/* doctor_services.c: which services run, their versions, and what state knows. */
void doctor_services(struct doctor *d);
/* As state says: no ami-gw is connected to it. */
bool doctor_link_is_down(const struct doctor *d, struct view ipbx);
/* Services that are not ready and Asterisks without a gateway, unless a finding tells the cause:
 * after each Asterisk. */
void doctor_links(struct doctor *d);
/* doctor_ha.c: of two states, which one is active, and could the other take over? With the bus
 * open. */
void doctor_ha(struct doctor *d);
/* doctor_ports.c: the addresses of the services. */
void doctor_ports(struct doctor *d);
/* A connection to HOST:PORT (or tcp://HOST:PORT), which does not block: its descriptor; -1: nobody
 * accepts one within a second. */
int doctor_connect(const char *addr);
bool doctor_connects(const char *addr);
/* doctor_tls.c: the certificate that an Asterisk shows. */
void doctor_certificate(struct doctor *d, const char *ipbx, const struct asterisk_options *o);
/* "has expired 2 days ago", "expires in 1 day". In `out`. */
const char *doctor_days(int days, char out[48]);
/* doctor_files.c: certificates and the database. */
void doctor_files(struct doctor *d);
/* doctor_lists.c: what lists an IPBX has: as state knows them if it runs, else of those that can be
 * read here. `a` (or NULL) is its Asterisk. Owned arrays. */
struct doctor_lists {
    struct json_object *phones, *trunks;
    struct json_object *users;  /* NULL: state does not run */
    struct json_object *agents; /* NULL: they are not known */
    struct json_object *people; /* users of files and of the Asterisk, and rows of CSV files */
    bool whole;                 /* phones and trunks: all were read */
    bool whole_people;
};
void doctor_lists_read(struct doctor *d, const char *ipbx, struct json_object *section,
                       const struct asterisk *a, struct doctor_lists *l);
void doctor_lists_free(struct doctor_lists *l);
/* Adds the items of a file (a path, "file:..." or "csv:...") to an array. What is wrong with it
 * doctor_check has told. */
void doctor_add_file(struct doctor *d, struct json_object *to, struct view uri);
/* Does a list of an IPBX come from the Asterisk ("asterisk:")? */
bool doctor_lists_ask(struct json_object *section, const char *key);
/* Of an array; 0 of anything else, and of NULL. */
size_t doctor_length(struct json_object *array);
/* The phones of one Asterisk, which has told its own, against it. */
void doctor_phones(struct doctor *d, const char *ipbx, struct json_object *section,
                   const struct asterisk *a);
/* doctor_people.c: logins; and whether the phones and agents of people are there. */
void doctor_users(struct doctor *d);
void doctor_people(struct doctor *d, const char *ipbx, struct json_object *section,
                   const struct asterisk *a);

/* Some names, for a finding. */
struct some {
    size_t n;
    char names[160];
    char said[400];
};
void some_add(struct some *s, struct view name);
/* "1 phone has no hint: A" or "12 phones have no hint, such as A, B, C, D": `one` and `many` are
 * what follows the number. Valid as long as `s`. */
const char *some_say(struct some *s, const char *one, const char *many);

#endif
