#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <zlib.h>

#define PIECE (1 << 18)

static int read_all(gzFile f, struct buf *out)
{
    for (;;) {
        char *p = buf_reserve(out, PIECE);
        int n;
        if (!p)
            return -ENOBUFS;
        n = gzread(f, p, PIECE);
        if (n < 0)
            return -EIO;
        if (n == 0)
            return 0;
        buf_commit(out, (size_t)n);
    }
}

int file_read(const char *path, struct buf *out)
{
    gzFile f;
    int rc;

    errno = 0;
    f = gzopen(path, "rb");
    if (!f)
        return errno ? -errno : -ENOMEM;
    rc = read_all(f, out);
    if (gzclose(f) != Z_OK && rc == 0)
        rc = -EIO;
    return rc;
}

static size_t ending_len(const char *path)
{
    static const char *const endings[] = {".ami.gz", ".ami"};
    size_t len = strlen(path);

    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(endings[i]);
        if (len > n && strcmp(path + len - n, endings[i]) == 0)
            return n;
    }
    return 0;
}

bool file_beside(const char *path, const char *ending, char *out, size_t n)
{
    size_t cut = ending_len(path);
    int len = (int)(strlen(path) - cut);

    return cut > 0 && (size_t)snprintf(out, n, "%.*s%s", len, path, ending) < n;
}
