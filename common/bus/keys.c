#include "bus/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

bool bus_keys_is_key(const char *s)
{
    uint8_t raw[32];

    return strlen(s) == KEY_SIZE - 1 && zmq_z85_decode(raw, s) != NULL;
}

/* Calls fn for each line "word key [rest]" of a file; lines that are empty or begin with # are left
 * out. 0, or -1 and a sentence in why. */
static int each_line(const char *path, int (*fn)(struct bus_keys *, const char *, const char *),
                     struct bus_keys *k, char *why, size_t why_size)
{
    char line[512];
    char word[32];
    char key[64];
    FILE *f = fopen(path, "r");
    int no = 0;
    int rc = 0;

    if (!f) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    while (rc == 0 && fgets(line, sizeof(line), f)) {
        no++;
        if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
            continue;
        if (sscanf(line, "%31s %63s", word, key) != 2 || !bus_keys_is_key(key) ||
            fn(k, word, key) < 0) {
            snprintf(why, why_size, "%s:%d: not a key line", path, no);
            rc = -1;
        }
    }
    fclose(f);
    return rc;
}

static int own_line(struct bus_keys *k, const char *word, const char *key)
{
    char *at = strcmp(word, "public") == 0   ? k->own_public
               : strcmp(word, "secret") == 0 ? k->own_secret
                                             : NULL;

    if (at)
        memcpy(at, key, KEY_SIZE);
    return at ? 0 : -1;
}

static int server_line(struct bus_keys *k, const char *word, const char *key)
{
    if (strcmp(word, "public") == 0)
        memcpy(k->server, key, KEY_SIZE);
    return strcmp(word, "public") == 0 || strcmp(word, "secret") == 0 ? 0 : -1;
}

static int allow_line(struct bus_keys *k, const char *word, const char *key)
{
    enum bus_role role = strcmp(word, "gateway") == 0   ? ROLE_GATEWAY
                         : strcmp(word, "monitor") == 0 ? ROLE_MONITOR
                                                        : ROLE_NONE;

    return role == ROLE_NONE ? -EINVAL : bus_keys_allow(k, key, role);
}

int bus_keys_allow(struct bus_keys *k, const char *key, enum bus_role role)
{
    struct bus_allowed *more;

    if (!bus_keys_is_key(key))
        return -EINVAL;
    more = realloc(k->allowed, (k->n_allowed + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    k->allowed = more;
    memcpy(more[k->n_allowed].key, key, KEY_SIZE);
    more[k->n_allowed++].role = role;
    return 0;
}

struct bus_keys *bus_keys_own(const char *own_key, const char *server, char *why, size_t why_size)
{
    struct bus_keys *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    if (each_line(own_key, own_line, k, why, why_size) < 0) {
        bus_keys_destroy(&k);
        return NULL;
    }
    if (!server) /* to itself, as state is */
        memcpy(k->server, k->own_public, KEY_SIZE);
    else if (bus_keys_is_key(server))
        memcpy(k->server, server, KEY_SIZE);
    if (*k->own_public && *k->own_secret && *k->server)
        return k;
    snprintf(why, why_size, "%s: a public and a secret key are needed, and the key of the other",
             own_key);
    bus_keys_destroy(&k);
    return NULL;
}

struct bus_keys *bus_keys_load(const char *server_key, const char *own_key, const char *allow,
                               char *why, size_t why_size)
{
    struct bus_keys *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    if (each_line(own_key, own_line, k, why, why_size) == 0 &&
        each_line(server_key, server_line, k, why, why_size) == 0 &&
        (!allow || each_line(allow, allow_line, k, why, why_size) == 0)) {
        if (*k->own_public && *k->own_secret && *k->server)
            return k;
        snprintf(why, why_size, "%s: a public and a secret key are needed, and %s: a public one",
                 own_key, server_key);
    }
    bus_keys_destroy(&k);
    return NULL;
}

void bus_keys_destroy(struct bus_keys **k)
{
    if (!k || !*k)
        return;
    explicit_bzero((*k)->own_secret, KEY_SIZE);
    free((*k)->allowed);
    free(*k);
    *k = NULL;
}

static int write_file(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    size_t n = strlen(text);
    int rc;

    if (fd < 0)
        return -errno;
    rc = write(fd, text, n) == (ssize_t)n ? 0 : -EIO;
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

int bus_keys_make(const char *path)
{
    char pub[KEY_SIZE];
    char sec[KEY_SIZE];
    char text[256];
    char pub_path[4096];
    int rc;

    if (snprintf(pub_path, sizeof(pub_path), "%s.pub", path) >= (int)sizeof(pub_path))
        return -ENAMETOOLONG;
    if (zmq_curve_keypair(pub, sec) < 0)
        return -zmq_errno();
    snprintf(text, sizeof(text), "public %s\nsecret %s\n", pub, sec);
    rc = write_file(path, 0600, text);
    explicit_bzero(sec, sizeof(sec));
    explicit_bzero(text, sizeof(text));
    if (rc < 0)
        return rc;
    snprintf(text, sizeof(text), "public %s\n", pub);
    return write_file(pub_path, 0644, text);
}

enum bus_role bus_keys_role(const struct bus_keys *k, const char *key)
{
    for (size_t i = 0; i < k->n_allowed; i++)
        if (strcmp(k->allowed[i].key, key) == 0)
            return k->allowed[i].role;
    return ROLE_NONE;
}
