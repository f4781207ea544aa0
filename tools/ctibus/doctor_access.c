/* Files that the user of a service may not read or write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access.h"
#include "base/array.h"
#include "doctor.h"
#include "json/json.h"

static const char *const services[] = TOOL_SERVICES;

/* ---- as whom a service runs ---- */

/* Where there are units, the others are not installed; where there is none, and a user ctibus, that
 * is taken to be theirs. False: it is not known, or root. */
static bool account_of(const struct doctor *d, const char *service, struct account *a)
{
    for (size_t i = 0; i < d->n_units; i++)
        if (strcmp(d->units[i].service, service) == 0)
            return account_of_unit(a, &d->units[i].unit);
    return d->n_units == 0 && !*d->root && account_of_user(a, "ctibus");
}

/* systemd makes folders below /var/lib for it, and gives them to its user at each start. */
static bool is_made(const struct doctor *d, const char *service, const char *path)
{
    char folder[300];

    for (size_t i = 0; i < d->n_units; i++) {
        struct json_object *dirs = d->units[i].unit.dirs;
        if (strcmp(d->units[i].service, service) != 0)
            continue;
        for (size_t n = 0; n < json_object_array_length(dirs); n++) {
            snprintf(folder, sizeof(folder), "/var/lib/%.200s/",
                     json_object_get_string(json_object_array_get_idx(dirs, n)));
            if (strncmp(path, folder, strlen(folder)) == 0 ||
                (strlen(path) == strlen(folder) - 1 && strncmp(path, folder, strlen(path)) == 0))
                return true;
        }
    }
    return false;
}

/* ---- telling ---- */

static const char *word_of(int lacks)
{
    return lacks & W_OK ? "write" : lacks & R_OK ? "read" : "enter";
}

/* A group of its own is enough, and leaves the file closed for all others. */
static void put_remedy(struct buf *out, const struct account *a, const struct access_fault *f)
{
    const char *bits = f->lacks & W_OK && f->lacks & X_OK ? "rwx"
                       : f->lacks & W_OK                  ? "rw"
                       : f->lacks & X_OK                  ? "x"
                                                          : "r";
    char group[ACCOUNT_NAME];
    bool in_group = false;

    for (int i = 0; i < a->n_groups; i++)
        in_group = in_group || a->groups[i] == f->st.st_gid;
    if (in_group)
        buf_printf(out, "chmod g+%s %s", bits, f->path);
    else if (a->n_groups > 0)
        buf_printf(out, "chgrp %s %s && chmod g+%s %s", account_group_name(a->groups[0], group),
                   f->path, bits, f->path);
    else
        buf_printf(out, "Give its unit a group (SupplementaryGroups=), and the file that group.");
}

static void tell(struct doctor *d, const char *service, const struct account *a, const char *id,
                 const char *path, const char *key, const struct access_fault *f)
{
    struct buf remedy;
    char user[ACCOUNT_NAME];
    char group[ACCOUNT_NAME];

    if (json_object_object_get_ex(d->closed, f->path, NULL))
        return; /* one cause of several */
    json_object_object_add(d->closed, f->path, NULL);
    buf_init(&remedy, 16384);
    put_remedy(&remedy, a, f);
    findings_add(&d->f, FINDING_fault, id, "The service does not start, or does without it.",
                 buf_cstr(&remedy),
                 "ctibus-%s runs as %s, which may not %s %s (%s): %s is of %s:%s with mode %04o",
                 service, a->name, f->lacks == X_OK ? "reach" : word_of(f->lacks), path, key,
                 strcmp(f->path, path) == 0 ? "it" : f->path, account_user_name(f->st.st_uid, user),
                 account_group_name(f->st.st_gid, group), (unsigned)f->st.st_mode & 07777);
    buf_free(&remedy);
}

/* ---- what is looked at ---- */

static void look(struct doctor *d, const char *service, const char *id, const char *path,
                 const char *key, int want)
{
    struct access_fault f;
    struct account a;

    if (path && account_of(d, service, &a) && !is_made(d, service, path) &&
        !account_may(&a, path, want, &f))
        tell(d, service, &a, id, path, key, &f);
}

static void look_named(struct doctor *d, const char *service, struct view name, const char *key,
                       int want)
{
    char *path = name.len ? config_path(d->cfg, name) : NULL;

    look(d, service, "file.access", path, key, want);
    free(path);
}

static void of_key(struct doctor *d, const char *service, const char *key, int want)
{
    const char *text = config_str(d->cfg, key);

    look_named(d, service, view_cstr(text ? text : ""), key, want);
}

/* FILE_secret has the secret half; where it is not there FILE has both. */
static void of_secret(struct doctor *d, const char *service, const char *key)
{
    const char *text = config_str(d->cfg, key);
    char name[4096];

    if (!text)
        return;
    of_key(d, service, key, R_OK);
    snprintf(name, sizeof(name), "%.4000s_secret", text);
    look_named(d, service, view_cstr(name), key, R_OK);
}

static void of_lists(struct doctor *d, struct json_object *urllists)
{
    if (!urllists)
        return;
    json_object_object_foreach(urllists, key, uris)
    {
        size_t n = json_object_is_type(uris, json_type_array) ? json_object_array_length(uris) : 0;
        for (size_t i = 0; i < n; i++) {
            struct view uri = json_view(json_object_array_get_idx(uris, i));
            if (view_starts(uri, VIEW("csv:")))
                uri = view_of(uri.ptr + 4, uri.len - 4);
            if (!view_starts(uri, VIEW("http")) && !view_eq(uri, VIEW("asterisk:")))
                look_named(d, "state", uri, key, R_OK);
        }
    }
}

static void of_asterisks(struct doctor *d)
{
    struct json_object *ipbxes = config_section(d->cfg, "ipbxes");

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, section)
    {
        (void)name;
        look_named(d, "ami-gw",
                   json_get_view(json_get_object(section, "ipbx_connection"), "tls_ca"), "tls_ca",
                   R_OK);
        of_lists(d, json_get_object(section, "urllists"));
    }
}

bool doctor_database_access(struct doctor *d, const char *path, const char *folder)
{
    struct account a;

    if (!account_of(d, "state", &a) || (access(folder, F_OK) < 0 && !is_made(d, "state", folder)))
        return false;
    look(d, "state", "database.write", folder, "ctibus.database", W_OK | X_OK);
    look(d, "state", "database.write", path, "ctibus.database", R_OK | W_OK);
    return true;
}

void doctor_access(struct doctor *d)
{
    static const struct {
        const char *service, *key;
        int want;
    } rows[] = {{"state", "ctibus.lists_ca", R_OK},
                {"state", "ctibus.lists_cache", W_OK | X_OK},
                {"state", "ctibus.auth.ldap.ca", R_OK},
                {"cti-gw", "certfile", R_OK},
                {"cti-gw", "keyfile", R_OK},
                {"cti-gw", "ctibus.fax.spool", W_OK | X_OK}};

    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        look(d, services[i], "file.access", d->t->config, "the configuration", R_OK);
        of_secret(d, services[i], "ctibus.curve.own_key");
        of_key(d, services[i], "ctibus.curve.server_key", R_OK);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        of_key(d, rows[i].service, rows[i].key, rows[i].want);
    of_secret(d, "federation", "ctibus.federation.key");
    of_asterisks(d);
}
