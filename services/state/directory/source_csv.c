#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sources.h"
#include "table.h"

int csv_load(struct directory *dir, const struct config *cfg, const char **fault)
{
    char *path = config_path(cfg, directory_uri(dir));
    struct table *t = NULL;
    struct buf text;
    int rc;

    buf_init(&text, CSV_MAX_BYTES);
    rc = path ? buf_read_file(&text, path) : -ENOMEM;
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
