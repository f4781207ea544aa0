#include "base/hostport.h"

#include <errno.h>

static int bracketed(struct view addr, struct view *host, struct view *port)
{
    const char *end = memchr(addr.ptr, ']', addr.len);
    size_t n;

    if (!end)
        return -EINVAL;
    n = (size_t)(end - addr.ptr);
    if (n < 2 || addr.len < n + 2 || end[1] != ':')
        return -EINVAL;
    *host = view_of(addr.ptr + 1, n - 1);
    *port = view_of(end + 2, addr.len - n - 2);
    return 0;
}

int hostport_split(struct view addr, struct view *host, uint16_t *port)
{
    struct view number = addr;
    uint64_t n;

    if (addr.len == 0)
        return -EINVAL;
    if (addr.ptr[0] == '[') {
        if (bracketed(addr, host, &number) < 0)
            return -EINVAL;
    } else {
        if (!memchr(addr.ptr, ':', addr.len))
            return -EINVAL;
        *host = view_cut(&number, ':');
        if (view_eq(*host, VIEW("*")))
            *host = view_of(host->ptr, 0);
    }
    for (size_t i = 0; i < host->len; i++)
        if ((unsigned char)host->ptr[i] <= ' ' || host->ptr[i] == '/')
            return -EINVAL;
    if (view_to_u64(number, &n) < 0 || n > 65535)
        return -EINVAL;
    *port = (uint16_t)n;
    return 0;
}
