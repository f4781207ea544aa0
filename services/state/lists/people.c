#include "lists/people.h"

#include <errno.h>
#include <stdlib.h>

#include "csv/staff.h"
#include "json/json.h"

#define SCHEME "csv:"

struct join {
    struct state *s;
    const struct config *cfg;
    const char *path;
    struct json_object *all;
    struct json_object *by_number, *by_login; /* -> place in all, plus 1 */
};

bool people_is(const char *uri)
{
    return strncmp(uri, SCHEME, strlen(SCHEME)) == 0;
}

/* ---- whose row it is ---- */

/* The first one with this key counts. */
static int index_user(struct json_object *by, struct view key, size_t i)
{
    return key.len && !json_get(by, key.ptr) ? json_set_i64(by, key.ptr, (int64_t)i + 1) : 0;
}

/* By number and, for NUMBER@CONTEXT, by id; and by login. */
static int index_users(struct join *j)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_object_array_length(j->all); i++) {
        struct json_object *user = json_object_array_get_idx(j->all, i);
        struct view id = json_get_text(user, "id");
        rc = index_user(j->by_number, json_get_text(user, "number"), i);
        if (rc == 0 && id.len && memchr(id.ptr, '@', id.len))
            rc = index_user(j->by_number, id, i);
        if (rc == 0)
            rc = index_user(j->by_login, json_get_text(user, "loginclient"), i);
    }
    return rc;
}

/* Its place in all, plus 1; 0: nobody has it. */
static int64_t whose_row(const struct join *j, struct json_object *row)
{
    struct view number = json_get_text(row, "number");

    return number.len ? json_get_i64(j->by_number, number.ptr, 0)
                      : json_get_i64(j->by_login, json_get_text(row, "loginclient").ptr, 0);
}

/* The user of a row, to be written into: what is known of an Asterisk is not. */
static struct json_object *own_copy(struct join *j, size_t i)
{
    struct json_object *copy = NULL;

    if (json_object_deep_copy(json_object_array_get_idx(j->all, i), &copy, NULL) < 0 ||
        json_object_array_put_idx(j->all, i, copy) < 0) {
        json_object_put(copy);
        return NULL;
    }
    return copy;
}

static struct json_object *new_user(struct join *j, struct json_object *row)
{
    struct json_object *o = json_object_new_object();
    struct view id = json_get_text(row, "number");

    if (id.len == 0)
        id = json_get_text(row, "loginclient");
    if (!o || json_set_text(o, "id", id) < 0 || json_object_array_add(j->all, o) < 0) {
        json_object_put(o);
        return NULL;
    }
    return o;
}

/* ---- joining ---- */

static int put_profile(struct join *j, struct json_object *user)
{
    struct json_object *profiles = config_section(j->cfg, "profiles");

    if (json_get(user, "profileclient") || !json_get(user, "enableclient") || !profiles)
        return 0;
    json_object_object_foreach(profiles, name, profile)
    {
        (void)profile;
        return json_set_text(user, "profileclient", view_cstr(name));
    }
    return 0;
}

static int join_row(struct join *j, struct json_object *row)
{
    int64_t at = whose_row(j, row);
    struct json_object *user = at ? own_copy(j, (size_t)at - 1) : new_user(j, row);

    if (!user)
        return -ENOMEM;
    json_object_object_foreach(
        row, name,
        value) if (json_object_object_add(user, name, json_object_get(value)) < 0) return -ENOMEM;
    return put_profile(j, user);
}

static void on_fault(void *arg, size_t line, const char *what)
{
    const struct join *j = arg;

    log_warning(j->s->log, "%s: line %zu: %s", j->path, line, what);
}

static int join_rows(struct join *j, struct view file)
{
    struct json_object *rows = staff_read(file, on_fault, j);
    int rc = rows ? index_users(j) : -EINVAL;

    if (!rows)
        log_error(j->s->log, "%s cannot be read: what is known of its people stays", j->path);
    for (size_t i = 0; rc == 0 && i < json_object_array_length(rows); i++)
        rc = join_row(j, json_object_array_get_idx(rows, i));
    json_object_put(rows);
    return rc;
}

int people_join(struct state *s, const struct config *cfg, const char *uri, bool users,
                struct json_object *all)
{
    struct join j = {.s = s,
                     .cfg = cfg,
                     .all = all,
                     .by_number = json_object_new_object(),
                     .by_login = json_object_new_object()};
    char *path = config_path(cfg, view_cstr(uri + strlen(SCHEME)));
    struct buf file;
    int rc = -ENOMEM;

    buf_init(&file, STAFF_MAX_BYTES);
    j.path = path;
    if (path && !users) {
        log_error(s->log, "csv:%s: only a list of users can be a CSV file", path);
        rc = -EINVAL;
    } else if (path && j.by_number && j.by_login) {
        rc = buf_read_file(&file, path);
        if (rc < 0)
            log_error(s->log, "%s: %s: what is known of its people stays", path, strerror(-rc));
        rc = rc < 0 ? -EINVAL : join_rows(&j, buf_view(&file));
    }
    json_object_put(j.by_login);
    json_object_put(j.by_number);
    buf_free(&file);
    free(path);
    return rc;
}
