/* Key files: the server's key, a pair of one's own and the list of who may come in, separated by
 * NUL bytes. Whatever is in them, they are read or refused with a reason. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/keys.h"

#define FILES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory, and a path to it. */
static int put(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("keys", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size || fchmod(fd, 0600) < 0)
        abort();
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void load(const char *server, const char *own, const char *allow)
{
    char why[256] = "";
    struct bus_keys *k = bus_keys_load(server, own, allow, why, sizeof(why));

    if (!k && !*why)
        abort();
    if (k)
        for (size_t i = 0; i < k->n_allowed; i++)
            if (!bus_keys_is_key(k->allowed[i].key) ||
                bus_keys_role(k, k->allowed[i].key) == ROLE_NONE)
                abort();
    bus_keys_destroy(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FILES][64];
    int fd[FILES];

    for (int i = 0; i < FILES; i++) {
        const uint8_t *end = i + 1 < FILES && size ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        fd[i] = put(data, n, path[i]);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    load(path[0], path[1], path[2]);
    load(path[0], path[1], NULL);
    for (int i = 0; i < FILES; i++)
        close(fd[i]);
    return 0;
}
