/* Reading whole files, plain or gzipped. */
#ifndef SIM_FILE_H
#define SIM_FILE_H

#include "base/buf.h"

/* Appends all of the file at `path` to out. 0, -ENOENT and the like, -EIO (bad gzip), -ENOMEM, or
 * -ENOBUFS when out would pass its bound. */
int file_read(const char *path, struct buf *out);

/* Writes into out (of size n) `path` with its ending (.ami or .ami.gz) replaced by `ending`. False
 * when it does not fit or has no such ending. */
bool file_beside(const char *path, const char *ending, char *out, size_t n);

#endif
