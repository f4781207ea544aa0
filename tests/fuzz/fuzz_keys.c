/* Key files, certificates or the older form: the server's key, a pair of one's own and the list of
 * who may come in, separated by NUL bytes. Whatever is in them, they are read or refused with a
 * reason; a certificate that was read has a key, and says its role again. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/cert.h"
#include "bus/keystore.h"

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
    if (k && (!bus_keys_is_key(k->own_public) || !bus_keys_is_key(k->server)))
        abort();
    bus_keys_destroy(&k);
}

static void parse(const uint8_t *data, size_t size)
{
    char why[256] = "";
    char *text = strndup((const char *)data, size);
    zcert_t *cert = text ? cert_parse(text, why, sizeof(why)) : NULL;
    struct keystore *k = keystore_new(NULL);

    if (!text || !k || (!cert && !*why))
        abort();
    if (cert && (keystore_add(k, zcert_public_txt(cert), cert_role(cert)) < 0 ||
                 keystore_role(k, zcert_public_txt(cert)) != cert_role(cert)))
        abort();
    keystore_destroy(&k);
    zcert_destroy(&cert);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FILES][64];
    int fd[FILES];

    for (int i = 0; i < FILES; i++) {
        const uint8_t *end = i + 1 < FILES && size ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        fd[i] = put(data, n, path[i]);
        parse(data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    load(path[0], path[1], path[2]);
    load(path[0], path[1], NULL);
    for (int i = 0; i < FILES; i++)
        close(fd[i]);
    return 0;
}
