/*
 * The last good copy of a list on disk: a first line of JSON with what the server wants to hear in
 * a conditional request, then the list as it came. One file, written beside its place and renamed:
 * it is there as a whole or not at all. Only its owner may read it, for lists carry passwords.
 */
#ifndef CTIBUS_HTTP_COPY_H
#define CTIBUS_HTTP_COPY_H

#include <json-c/json.h>

#include "base/view.h"

/* Where in `dir` the copy of a URI is; the caller frees it. NULL without memory. */
char *fetch_copy_path(const char *dir, const char *uri);

/* 0 or a negative errno: then what was there is still there. etag and modified may be NULL. A
 * folder that is not there is made. */
int fetch_copy_write(const char *path, const char *etag, const char *modified, struct view body);

/* The array of the copy, for the caller to put, and its etag and modified for the caller to free
 * (NULL: none). 0; -ENOENT: there is none; -EINVAL: not such a file; another negative errno. */
int fetch_copy_read(const char *path, size_t max_bytes, struct json_object **list, char **etag,
                    char **modified);

#endif
