/*
 * What another user of this machine may do with a file, by its mode, its owner and its groups:
 * nobody's privileges are taken or given up for it.
 */
#ifndef CTIBUS_TOOL_ACCESS_H
#define CTIBUS_TOOL_ACCESS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "units.h"

#define ACCOUNT_GROUPS 64
#define ACCOUNT_NAME 64

struct account {
    char name[ACCOUNT_NAME]; /* for people: of the user, or of the unit whose user is made for it */
    bool owns;               /* uid is known; else it owns nothing */
    uid_t uid;
    int n_groups;
    gid_t groups[ACCOUNT_GROUPS];
};

/* Whom the unit runs as. False: root, or a user or group that this machine does not have. */
bool account_of_unit(struct account *a, const struct unit *u);
/* A user by its name. False: there is none, or it is root. */
bool account_of_user(struct account *a, const char *user);

/* The name of a group and of a user in `out`, or its number where it has none; returns out. */
const char *account_group_name(gid_t gid, char out[ACCOUNT_NAME]);
const char *account_user_name(uid_t uid, char out[ACCOUNT_NAME]);

/* The mode bits, of R_OK, W_OK and X_OK, that `a` lacks at a file of these attributes. */
int account_lacks(const struct account *a, const struct stat *st);

/* Where it fails. */
struct access_fault {
    char path[4096]; /* the file, or a folder above it */
    int lacks;       /* R_OK, W_OK, X_OK */
    struct stat st;
};
/* May `a` do that (R_OK...) with the file, symbolic links followed? True also where it cannot be
 * known: the file is not there, the caller may not look, or the file has an access control list,
 * which says more than its mode. */
bool account_may(const struct account *a, const char *path, int want, struct access_fault *fault);

#endif
