#include <errno.h>

#include "agi/agi.h"

#define PREFIX "agi_"

/* Is this the beginning of an environment, as far as it is there? */
static bool begins_well(struct view in)
{
    size_t n = in.len < strlen(PREFIX) ? in.len : strlen(PREFIX);

    return memcmp(in.ptr, PREFIX, n) == 0;
}

/* The place behind the line end that follows `at`, where the next line begins; 0: there is none. */
static size_t next_line(struct view in, size_t at)
{
    const char *nl = at < in.len ? memchr(in.ptr + at, '\n', in.len - at) : NULL;

    return nl ? (size_t)(nl - in.ptr) + 1 : 0;
}

static bool is_empty_line(struct view in, size_t at, size_t end)
{
    return end - at == 1 || (end - at == 2 && in.ptr[at] == '\r');
}

ssize_t agi_env_len(struct view in, size_t *seen)
{
    size_t end;

    if (in.len == 0)
        return 0;
    if (!begins_well(in))
        return -EBADMSG;
    for (; (end = next_line(in, *seen)); *seen = end)
        if (is_empty_line(in, *seen, end))
            return end <= AGI_MAX_ENV ? (ssize_t)end : -EBADMSG;
    return in.len < AGI_MAX_ENV ? 0 : -EBADMSG;
}

/* "arg_12" -> 12; 0: it is no argument. */
static int64_t arg_number(struct view name)
{
    int64_t n;

    if (!view_starts(name, VIEW(PREFIX "arg_")))
        return 0;
    return view_to_i64(view_of(name.ptr + 8, name.len - 8), &n) == 0 ? n : 0;
}

static int add_arg(struct agi_env *env, int64_t n, struct view value)
{
    if (n < 1 || n > AGI_MAX_ARGS)
        return -EBADMSG;
    for (; env->n_args < (unsigned)n; env->n_args++)
        env->args[env->n_args] = view_of(NULL, 0);
    env->args[n - 1] = value;
    return 0;
}

static int add_line(struct agi_env *env, struct view line)
{
    struct view value = line;
    struct view name = view_cut(&value, ':');
    int64_t arg;

    if (line.len && line.ptr[line.len - 1] == '\r' && value.len)
        value.len--;
    if (name.len == line.len || !view_starts(name, VIEW(PREFIX)))
        return -EBADMSG;
    if (value.len && *value.ptr == ' ') /* one: the others are the value's */
        value = view_of(value.ptr + 1, value.len - 1);
    arg = arg_number(name);
    if (arg)
        return add_arg(env, arg, value);
    if (env->n == AGI_MAX_VARS)
        return -EBADMSG;
    env->vars[env->n++] = (struct agi_var){name, value};
    return 0;
}

int agi_env_read(struct agi_env *env, struct view whole)
{
    env->n = env->n_args = 0;
    while (whole.len) {
        struct view line = view_cut(&whole, '\n');
        int rc;
        if (line.len == 0 || (line.len == 1 && *line.ptr == '\r'))
            return 0;
        rc = add_line(env, line);
        if (rc < 0)
            return rc;
    }
    return 0;
}

struct view agi_env_get(const struct agi_env *env, const char *name)
{
    struct view wanted = view_cstr(name);

    for (unsigned i = 0; i < env->n; i++) {
        struct view have = env->vars[i].name;
        if (have.len == wanted.len + strlen(PREFIX) &&
            memcmp(have.ptr + strlen(PREFIX), wanted.ptr, wanted.len) == 0)
            return env->vars[i].value;
    }
    return view_of(NULL, 0);
}
