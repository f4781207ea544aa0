/* The copy of a list on disk: read or refused; what was read can be written and read again. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "http/copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_control(const char *s)
{
    for (; s && *s; s++)
        if ((unsigned char)*s < 0x20)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_object *list;
    char *etag;
    char *modified;
    char path[64];
    int fd = memfd_create("copy", MFD_CLOEXEC);
    int rc;

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    rc = fetch_copy_read(path, 1 << 20, &list, &etag, &modified);
    if ((rc == 0) != (list != NULL) || (rc == 0 && !json_object_is_type(list, json_type_array)) ||
        has_control(etag) || has_control(modified)) /* they go into the lines of a request */
        abort();
    json_object_put(list);
    free(etag);
    free(modified);
    close(fd);
    return 0;
}
