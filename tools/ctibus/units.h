/*
 * The units of systemd that start services of this machine, as far as they decide what a service
 * finds: its user, and its environment. Read from their files, also where systemd does not run.
 */
#ifndef CTIBUS_TOOL_UNITS_H
#define CTIBUS_TOOL_UNITS_H

#include <json-c/json.h>
#include <stdbool.h>

struct unit {
    char name[160]; /* ctibus-ami-gw@xivo.service */
    char user[64], group[64];
    bool dynamic;               /* its user is made for it, and owns nothing but state_dirs */
    struct json_object *groups; /* array: SupplementaryGroups */
    struct json_object *dirs;   /* array of names below /var/lib that are made its user's */
    struct json_object *env;    /* NAME -> {value, from}: of ctibus, and the file that says it; and
                                 * STATE_DIRECTORY, of dirs */
    struct json_object *lost;   /* array of EnvironmentFile that must be there, and is not */
};

/* The unit ctibus-SERVICE.service, or ctibus-SERVICE@INSTANCE.service where `instance` is not NULL,
 * with its drop-ins, as systemd would put them together; `root` stands before all paths ("": this
 * machine). Specifiers: %i, %I, %n, %E, %S, %t, %%. False: there is none (unit_free is not needed).
 * What cannot be read is left out. */
bool unit_read(struct unit *u, const char *root, const char *service, const char *instance);
void unit_free(struct unit *u);

#endif
