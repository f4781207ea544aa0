#include "http/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/rng.h"
#include "json/json.h"

#define HEAD_BYTES 8192

char *fetch_copy_path(const char *dir, const char *uri)
{
    char name[DIGEST_HEX];
    struct buf path;
    char *copy = NULL;

    if (!DIGEST_HEX_OF(EVP_sha256(), name, view_cstr(uri)))
        return NULL;
    buf_init(&path, 0);
    buf_printf(&path, "%s/%s.list", dir, name);
    if (!path.failed)
        copy = view_dup(buf_view(&path));
    buf_free(&path);
    return copy;
}

/* ---- writing ---- */

static void put_member(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_append_cstr(b, buf_len(b) > 1 ? "," : "");
    json_put_string(b, view_cstr(name));
    buf_append_char(b, ':');
    json_put_string(b, view_cstr(value));
}

static int write_all(int fd, struct view v)
{
    while (v.len > 0) {
        ssize_t n = write(fd, v.ptr, v.len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            v = view_of(v.ptr + n, v.len - (size_t)n);
    }
    return 0;
}

static int write_file(int fd, const char *etag, const char *modified, struct view body)
{
    struct buf head;
    int rc;

    buf_init(&head, HEAD_BYTES);
    buf_append_char(&head, '{');
    put_member(&head, "etag", etag);
    put_member(&head, "modified", modified);
    buf_append_cstr(&head, "}\n");
    rc = head.failed ? -ENOBUFS : write_all(fd, buf_view(&head));
    buf_free(&head);
    if (rc == 0)
        rc = write_all(fd, body);
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    return rc;
}

/* The folder of `path`, for the caller to free. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return view_dup(slash ? view_of(path, (size_t)(slash - path)) : VIEW("."));
}

/* Makes a rename last. What cannot be synced (some file systems refuse for folders) is there
 * nevertheless. */
static void sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

static int write_beside(const char *path, const char *folder, const char *etag,
                        const char *modified, struct view body)
{
    char temp[4096];
    char suffix[13];
    int fd;
    int rc;

    rng_alnum(suffix, sizeof(suffix) - 1);
    if (snprintf(temp, sizeof(temp), "%s.%s", path, suffix) >= (int)sizeof(temp))
        return -ENAMETOOLONG;
    /* not mkostemp, which ThreadSanitizer does not know to make a descriptor */
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_file(fd, etag, modified, body);
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && rename(temp, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(temp);
    else
        sync_folder(folder);
    return rc;
}

int fetch_copy_write(const char *path, const char *etag, const char *modified, struct view body)
{
    char *folder = folder_of(path);
    int rc = -ENOMEM;

    if (folder && mkdir(folder, 0700) < 0 && errno != EEXIST)
        rc = -errno;
    else if (folder)
        rc = write_beside(path, folder, etag, modified, body);
    free(folder);
    return rc;
}

/* ---- reading ---- */

/* What may go into a request: no control characters, which would end its line. */
static char *take_header(struct json_object *head, const char *name)
{
    struct view v = json_get_view(head, name);

    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] < 0x20)
            return NULL;
    return v.len ? view_dup(v) : NULL;
}

static int parse(struct view text, struct json_object **head, struct json_object **list)
{
    struct view first = view_cut(&text, '\n');
    struct json_parser p;
    int rc = json_parser_init(&p);

    if (rc < 0)
        return rc;
    rc = json_parse(&p, first, head);
    if (rc == 0)
        rc = json_parse(&p, text, list);
    json_parser_fini(&p);
    if (rc == 0 && !json_object_is_type(*list, json_type_array))
        rc = -EINVAL;
    return rc == -ENOMEM || rc == 0 ? rc : -EINVAL;
}

int fetch_copy_read(const char *path, size_t max_bytes, struct json_object **list, char **etag,
                    char **modified)
{
    struct json_object *head = NULL;
    struct buf text;
    int rc;

    *list = NULL;
    *etag = *modified = NULL;
    buf_init(&text, max_bytes + HEAD_BYTES + 65536); /* reading reserves more than it needs */
    rc = buf_read_file(&text, path);
    if (rc == 0)
        rc = parse(buf_view(&text), &head, list);
    buf_free(&text);
    if (rc == 0) {
        *etag = take_header(head, "etag");
        *modified = take_header(head, "modified");
    } else {
        json_object_put(*list);
        *list = NULL;
    }
    json_object_put(head);
    return rc;
}
