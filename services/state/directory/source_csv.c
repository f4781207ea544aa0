#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sources.h"
#include "table.h"

static int read_file(const char *path, struct buf *text)
{
    FILE *f = fopen(path, "rbe");
    size_t n = 0;
    int rc = 0;

    if (!f)
        return -errno;
    for (char *room; (room = buf_reserve(text, 65536)) && (n = fread(room, 1, 65536, f)) > 0;)
        buf_commit(text, n);
    if (ferror(f))
        rc = errno ? -errno : -EIO;
    else if (!feof(f))
        rc = -EFBIG;
    fclose(f);
    return rc;
}

int csv_load(struct directory *dir, const struct config *cfg, const char **fault)
{
    char *path = config_path(cfg, directory_uri(dir));
    struct table *t = NULL;
    struct buf text;
    int rc;

    buf_init(&text, CSV_MAX_BYTES);
    rc = path ? read_file(path, &text) : -ENOMEM;
    if (rc < 0)
        *fault = strerror(-rc);
    else if (!(t = table_from_csv(buf_view(&text), directory_delimiter(dir), fault)))
        rc = -EINVAL;
    buf_free(&text);
    free(path);
    if (rc < 0)
        return rc;
    table_destroy(&dir->table);
    dir->table = t;
    return 0;
}
