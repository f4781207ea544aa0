#include "access.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "json/json.h"

/* ---- who ---- */

#define ROOM 65536 /* of an entry: a group may have many members */

/* False: there is none of that name. */
static bool add_group(struct account *a, const char *name)
{
    struct group entry;
    struct group *g = NULL;
    char room[ROOM];

    if (getgrnam_r(name, &entry, room, sizeof(room), &g) != 0 || !g)
        return false;
    if (a->n_groups < ACCOUNT_GROUPS)
        a->groups[a->n_groups++] = g->gr_gid;
    return true;
}

const char *account_group_name(gid_t gid, char out[ACCOUNT_NAME])
{
    struct group entry;
    struct group *g = NULL;
    char room[ROOM];

    if (getgrgid_r(gid, &entry, room, sizeof(room), &g) == 0 && g)
        snprintf(out, ACCOUNT_NAME, "%s", g->gr_name);
    else
        snprintf(out, ACCOUNT_NAME, "%u", gid);
    return out;
}

const char *account_user_name(uid_t uid, char out[ACCOUNT_NAME])
{
    struct passwd entry;
    struct passwd *p = NULL;
    char room[ROOM];

    if (getpwuid_r(uid, &entry, room, sizeof(room), &p) == 0 && p)
        snprintf(out, ACCOUNT_NAME, "%s", p->pw_name);
    else
        snprintf(out, ACCOUNT_NAME, "%u", uid);
    return out;
}

bool account_of_user(struct account *a, const char *user)
{
    struct passwd entry;
    struct passwd *p = NULL;
    char room[ROOM];

    *a = (struct account){.owns = true, .n_groups = ACCOUNT_GROUPS};
    if (getpwnam_r(user, &entry, room, sizeof(room), &p) != 0 || !p || p->pw_uid == 0)
        return false;
    snprintf(a->name, sizeof(a->name), "%s", user);
    a->uid = p->pw_uid;
    if (getgrouplist(user, p->pw_gid, a->groups, &a->n_groups) < 0)
        a->n_groups = ACCOUNT_GROUPS; /* those that have room */
    return true;
}

bool account_of_unit(struct account *a, const struct unit *u)
{
    if (*u->user && !u->dynamic) {
        if (!account_of_user(a, u->user))
            return false;
    } else if (u->dynamic) {
        *a = (struct account){.owns = false};
        snprintf(a->name, sizeof(a->name), "a user made for %.45s", u->name);
    } else {
        return false;
    }
    if (*u->group && !add_group(a, u->group))
        return false;
    for (size_t i = 0; i < json_object_array_length(u->groups); i++)
        if (!add_group(a, json_object_get_string(json_object_array_get_idx(u->groups, i))))
            return false;
    return true;
}

/* ---- may it ---- */

int account_lacks(const struct account *a, const struct stat *st)
{
    unsigned shift = 0;

    for (int i = 0; i < a->n_groups; i++)
        if (a->groups[i] == st->st_gid)
            shift = 3;
    if (a->owns && a->uid == st->st_uid)
        shift = 6;
    return ~(int)(st->st_mode >> shift) & (R_OK | W_OK | X_OK);
}

static bool has_list(const char *path)
{
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* One step of the path. */
static bool step(const struct account *a, const char *path, int want, struct access_fault *fault)
{
    struct stat st;
    int lacks;

    if (stat(path, &st) < 0)
        return true;
    lacks = account_lacks(a, &st) & want;
    if (!lacks || has_list(path))
        return true;
    snprintf(fault->path, sizeof(fault->path), "%s", path);
    fault->lacks = lacks;
    fault->st = st;
    return false;
}

bool account_may(const struct account *a, const char *path, int want, struct access_fault *fault)
{
    char real[PATH_MAX];
    bool good;

    if (!realpath(path, real))
        return true;
    good = step(a, "/", X_OK, fault);
    for (char *p = strchr(real + 1, '/'); good && p; p = strchr(p + 1, '/')) {
        *p = '\0';
        good = step(a, real, X_OK, fault);
        *p = '/';
    }
    return good && step(a, real, want, fault);
}
