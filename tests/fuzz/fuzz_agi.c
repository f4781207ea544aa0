/* FastAGI: an environment whole and byte by byte gives the same; whatever a value is, the command
 * made of it is one line; answers are read to the end. */
#include <stdlib.h>

#include "agi/agi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct view v, struct view whole)
{
    if (v.ptr && (v.ptr < whole.ptr || v.ptr + v.len > whole.ptr + whole.len))
        abort();
}

static void check_set(struct view name, struct view value)
{
    struct buf out;

    buf_init(&out, 0);
    if (agi_put_set(&out, name, value) == 0 &&
        (buf_len(&out) > AGI_MAX_COMMAND ||
         memchr(buf_data(&out), '\n', buf_len(&out)) != buf_data(&out) + buf_len(&out) - 1))
        abort();
    buf_free(&out);
}

static void check_env(struct view whole)
{
    static struct agi_env env;

    if (agi_env_read(&env, whole) < 0)
        return;
    for (unsigned i = 0; i < env.n; i++) {
        check_inside(env.vars[i].name, whole);
        check_inside(env.vars[i].value, whole);
        check_set(env.vars[i].name, env.vars[i].value);
    }
    for (unsigned i = 0; i < env.n_args; i++)
        check_inside(env.args[i], whole);
}

static void check_answers(struct view rest)
{
    struct agi_answers a = {0};

    while (rest.len)
        agi_answer_read(&a, view_cut(&rest, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* so that a sanitizer sees what is read behind it */
    size_t seen = 0, seen_part = 0;
    ssize_t len, part = 0;

    if (!copy)
        abort();
    memcpy(copy, data, size);
    len = agi_env_len(view_of(copy, size), &seen);
    for (size_t n = 1; n <= size && part == 0; n++)
        part = agi_env_len(view_of(copy, n), &seen_part);
    if (part != len || len > (ssize_t)size)
        abort();
    if (len > 0) {
        check_env(view_of(copy, (size_t)len));
        check_answers(view_of(copy + len, size - (size_t)len));
    }
    free(copy);
    return 0;
}
