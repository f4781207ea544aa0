/* The files that `ctibus setup` writes: all of them, or none. */
#include "setup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define MAX_KEPT 10000 /* of one file */

static void path_of(char out[PATH_BYTES], const struct site_files *s, size_t i)
{
    snprintf(out, PATH_BYTES, "%s/%s", s->dir, s->files[i].name);
}

/* ---- before ---- */

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && (S_ISDIR(st.st_mode) || (errno = ENOTDIR, false));
}

/* The folder cannot be made: which part of its path is the cause? */
static void tell_dir(const struct site_files *s, int err)
{
    char path[PATH_BYTES];
    size_t len = strlen(s->dir);

    if ((err != ENOENT && err != ENOTDIR) || len == 0 || len >= sizeof(path)) {
        tool_fail(s->t, "%s: %s", len ? s->dir : "--dir", strerror(err));
        return;
    }
    memcpy(path, s->dir, len + 1);
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (!is_dir(path)) {
            if (errno == ENOENT)
                tool_fail(s->t, "%s: there is no folder %s: make it first", s->dir, path);
            else
                tool_fail(s->t, "%s: %s: %s", s->dir, path, strerror(errno));
            return;
        }
        *p = '/';
    }
    tool_fail(s->t, "%s: %s", s->dir, strerror(err));
}

static bool file_may(const struct site_files *s, size_t i)
{
    char path[PATH_BYTES];
    struct stat st;

    path_of(path, s, i);
    if (lstat(path, &st) < 0)
        return true; /* what else is wrong, writing tells */
    if (S_ISDIR(st.st_mode))
        tool_fail(s->t, "%s is a folder: remove it, or write elsewhere with --dir", path);
    else if (!s->force)
        tool_fail(s->t,
                  "%s is there already; --force writes a new one and keeps it beside that, --dir "
                  "writes elsewhere",
                  path);
    else
        return true;
    return false;
}

bool site_files_may(const struct site_files *s)
{
    int err;

    /* for a try: nothing is to be left of it while questions are asked */
    if (mkdir(s->dir, 0750) == 0) {
        rmdir(s->dir);
        return true;
    }
    err = errno;
    if (err == EEXIST)
        err = !is_dir(s->dir) || access(s->dir, W_OK | X_OK) < 0 ? errno : 0;
    if (err) {
        tell_dir(s, err);
        return false;
    }
    for (size_t i = 0; i < s->n; i++)
        if (!file_may(s, i))
            return false;
    return true;
}

/* ---- writing ---- */

/* What was there before, with --force, stays beside it under a name that nothing has: `old`. */
static bool put_aside(const struct site_files *s, size_t i, char old[PATH_BYTES])
{
    char path[PATH_BYTES];
    struct stat st;

    path_of(path, s, i);
    if (!s->force || lstat(path, &st) < 0)
        return false;
    for (unsigned n = 1; n <= MAX_KEPT; n++) {
        int len = n == 1 ? snprintf(old, PATH_BYTES, "%s.old", path)
                         : snprintf(old, PATH_BYTES, "%s.old.%u", path, n);
        if (len >= PATH_BYTES)
            return false;
        if (lstat(old, &st) < 0)
            return errno == ENOENT && rename(path, old) == 0;
    }
    return false; /* then it is in the way of the new one, which is told */
}

/* They hold secrets. False: nothing is left of it. */
static bool write_one(const struct site_files *s, size_t i)
{
    struct view text = s->files[i].text;
    char path[PATH_BYTES];
    ssize_t n;
    int fd;
    int err;

    path_of(path, s, i);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_EXCL, 0600);
    if (fd < 0) {
        tool_fail(s->t, "%s: %s", path, strerror(errno));
        return false;
    }
    n = write(fd, text.ptr, text.len);
    err = n < 0 ? errno : (size_t)n < text.len ? ENOSPC : 0;
    if (close(fd) < 0 && !err)
        err = errno;
    if (!err)
        return true;
    tool_fail(s->t, "%s: %s", path, strerror(err));
    unlink(path);
    return false;
}

struct done {
    bool written, aside;
    char old[PATH_BYTES];
};

static bool do_one(const struct site_files *s, size_t i, struct done *d)
{
    *d = (struct done){0};
    if (s->files[i].stays)
        return true;
    d->aside = put_aside(s, i, d->old);
    d->written = write_one(s, i);
    return d->written;
}

static void take_back(const struct site_files *s, size_t i, const struct done *d)
{
    char path[PATH_BYTES];

    path_of(path, s, i);
    if (d->written)
        unlink(path);
    if (d->aside)
        rename(d->old, path);
}

static void tell(const struct site_files *s, size_t i, const struct done *d)
{
    if (d->aside)
        tool_say(stdout, "kept %s", d->old);
    if (d->written)
        tool_say(stdout, "wrote %s/%s", s->dir, s->files[i].name);
}

bool site_files_write(const struct site_files *s)
{
    bool made = mkdir(s->dir, 0750) == 0; /* what else is wrong with it, the first file tells */
    struct done done[SITE_FILES];
    size_t n = 0;
    bool good = true;

    while (good && n < s->n) {
        good = do_one(s, n, &done[n]);
        n++;
    }
    for (size_t i = 0; i < n; i++)
        if (good)
            tell(s, i, &done[i]);
        else
            take_back(s, i, &done[i]);
    if (!good && made)
        rmdir(s->dir);
    return good;
}
