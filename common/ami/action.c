#include <errno.h>

#include "ami/ami.h"

static bool one_line(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] == '\r' || v.ptr[i] == '\n' || v.ptr[i] == '\0')
            return false;
    return true;
}

static bool good_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == ':' || name.ptr[i] == ' ' || name.ptr[i] == '\t')
            return false;
    return name.len > 0 && one_line(name);
}

static int put_line(struct buf *out, struct view name, struct view value)
{
    size_t n = name.len + value.len + 4;
    char *p = buf_reserve(out, n);

    if (!p)
        return -ENOBUFS;
    memcpy(p, name.ptr, name.len);
    memcpy(p + name.len, ": ", 2);
    if (value.len)
        memcpy(p + name.len + 2, value.ptr, value.len);
    memcpy(p + n - 2, "\r\n", 2);
    buf_commit(out, n);
    return 0;
}

int ami_action_header(struct ami_action *a, struct view name, struct view value)
{
    int rc = -EINVAL;

    if (good_name(name) && one_line(value))
        rc = put_line(a->out, name, value);
    if (rc < 0 && a->err == 0)
        a->err = rc;
    return rc;
}

void ami_action_begin(struct ami_action *a, struct buf *out, struct view action)
{
    *a = (struct ami_action){.out = out, .start = buf_len(out)};
    if (action.len == 0)
        a->err = -EINVAL;
    else
        ami_action_header(a, VIEW("Action"), action);
}

int ami_action_end(struct ami_action *a)
{
    if (a->err == 0)
        a->err = buf_append_view(a->out, VIEW("\r\n"));
    if (a->err < 0)
        a->out->end = a->out->start + a->start;
    return a->err;
}
