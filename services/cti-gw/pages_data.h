/* The files of the web client, as web/CMakeLists.txt embeds them. */
#ifndef CTIBUS_WEB_PAGES_DATA_H
#define CTIBUS_WEB_PAGES_DATA_H

#include <stddef.h>

struct page_data {
    const char *path;          /* "/app.js" */
    const char *type;          /* for Content-Type */
    const char *etag;          /* with its quotes; changes with the contents */
    const unsigned char *data; /* as it is */
    size_t len;
    const unsigned char *gzip; /* the same, compressed */
    size_t gzip_len;
};

/* Ends with a row whose path is NULL. Empty when the client could not be built. */
extern const struct page_data pages_data[];

#endif
