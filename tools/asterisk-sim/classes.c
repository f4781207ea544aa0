#include "classes.h"
#include "base/array.h"

static const char *const names[] = {
    "system", "call", "log",       "verbose",  "command",  "agent",     "user",
    "config", "dtmf", "reporting", "cdr",      "dialplan", "originate", "agi",
    "cc",     "aoc",  "test",      "security", "message",
};

#define N_NAMES ARRAY_SIZE(names)
#define UNKNOWN (1u << 31)

static uint32_t bit_of(struct view name)
{
    for (unsigned i = 0; i < N_NAMES; i++)
        if (view_ieq(name, view_cstr(names[i])))
            return 1u << i;
    return UNKNOWN;
}

uint32_t classes_of_event(struct view list)
{
    uint32_t bits = 0;

    while (list.len) {
        struct view name = view_trim(view_cut(&list, ','));
        if (!view_ieq(name, VIEW("all")))
            bits |= bit_of(name);
    }
    return bits;
}

static bool is_any(struct view v, const char *const *words)
{
    for (; *words; words++)
        if (view_ieq(v, view_cstr(*words)))
            return true;
    return false;
}

uint32_t classes_of_mask(struct view mask)
{
    static const char *const on[] = {"on", "yes", "true", "y", "all", "", NULL};
    static const char *const off[] = {"off", "no", "false", "n", "none", NULL};
    uint64_t number;
    uint32_t bits;

    mask = view_trim(mask);
    if (is_any(mask, on))
        return CLASSES_ALL;
    if (is_any(mask, off))
        return 0;
    if (view_to_u64(mask, &number) == 0)
        return (uint32_t)number;
    bits = classes_of_event(mask);
    return bits & ~UNKNOWN;
}
