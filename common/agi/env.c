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

/* Is the empty line at `at` one of the caller's name? Asterisk writes the account code behind all
 * that a caller can choose. */
static bool is_in_value(struct view in, size_t at)
{
    struct view head = view_of(in.ptr, at);

    return view_find(head, VIEW("\nagi_calleridname:")) >= 0 &&
           view_find(head, VIEW("\nagi_accountcode:")) < 0;
}

ssize_t agi_env_len(struct view in, size_t *seen)
{
    size_t end;

    if (in.len == 0)
        return 0;
    if (!begins_well(in))
        return -EBADMSG;
    for (; (end = next_line(in, *seen)); *seen = end)
        if (is_empty_line(in, *seen, end) && !is_in_value(in, *seen))
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

static struct agi_var *find_var(struct agi_env *env, struct view name)
{
    for (unsigned i = 0; i < env->n; i++)
        if (view_eq(env->vars[i].name, name))
            return &env->vars[i];
    return NULL;
}

/* A name that comes again: see agi.h. */
static void add_again(struct agi_env *env, struct agi_var *first, struct view value)
{
    const struct agi_var *callers = find_var(env, VIEW(PREFIX "calleridname"));

    if (callers && first > callers)
        first->value = value;
}

/* A line end in a value that the caller has chosen: the value goes on. */
static int add_rest(struct agi_env *env, struct view *last, struct view line)
{
    if (!last || !find_var(env, VIEW(PREFIX "calleridname")))
        return -EBADMSG;
    last->len = (size_t)(line.ptr + line.len - last->ptr);
    return 0;
}

static int add_line(struct agi_env *env, struct view line, struct view **last)
{
    struct view value = line;
    struct view name = view_cut(&value, ':');
    struct agi_var *again;
    int64_t arg;
    int rc;

    if (line.len && line.ptr[line.len - 1] == '\r' && value.len)
        value.len--;
    if (name.len == line.len || !view_starts(name, VIEW(PREFIX)))
        return add_rest(env, *last, line);
    if (value.len && *value.ptr == ' ') /* one: the others are the value's */
        value = view_of(value.ptr + 1, value.len - 1);
    arg = arg_number(name);
    if (arg) {
        rc = add_arg(env, arg, value);
        *last = rc == 0 ? &env->args[arg - 1] : NULL;
        return rc;
    }
    again = find_var(env, name);
    if (again) {
        add_again(env, again, value);
        *last = &again->value;
        return 0;
    }
    if (env->n == AGI_MAX_VARS)
        return -EBADMSG;
    env->vars[env->n] = (struct agi_var){name, value};
    *last = &env->vars[env->n++].value;
    return 0;
}

int agi_env_read(struct agi_env *env, struct view whole)
{
    struct view *last = NULL;

    env->n = env->n_args = 0;
    while (whole.len) {
        struct view line = view_cut(&whole, '\n');
        int rc;
        if (whole.len == 0 && (line.len == 0 || (line.len == 1 && *line.ptr == '\r')))
            return 0;
        rc = add_line(env, line, &last);
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
