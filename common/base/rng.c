#include "base/rng.h"

#include <stdlib.h>
#include <sys/random.h>

void rng_bytes(void *p, size_t n)
{
    char *at = p;

    while (n > 0) {
        ssize_t got = getrandom(at, n > 256 ? 256 : n, 0);
        if (got < 0)
            continue; /* EINTR: the only failure of a blocking read of 256 bytes */
        at += got;
        n -= (size_t)got;
    }
}

uint64_t rng_u64(void)
{
    uint64_t v;

    rng_bytes(&v, sizeof(v));
    return v;
}

void rng_alnum(char *s, size_t n)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char b;

    for (size_t i = 0; i < n;) {
        rng_bytes(&b, 1);
        if (b < 248) /* 4 * 62: no letter more likely than another */
            s[i++] = set[b % 62];
    }
    s[n] = '\0';
}
