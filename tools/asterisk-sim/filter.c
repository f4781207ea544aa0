#include "filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>

struct filter_rule {
    char *text;
    bool black;
    bool literal; /* no regular expression at all: searched as it is, which is much faster */
    regex_t re;
};

void filter_init(struct filter *f, uint32_t mask)
{
    *f = (struct filter){.mask = mask};
}

void filter_free(struct filter *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!f->rules[i].literal)
            regfree(&f->rules[i].re);
        free(f->rules[i].text);
    }
    free(f->rules);
    filter_init(f, f->mask);
}

static int compile(struct filter_rule *r)
{
    r->literal = !strpbrk(r->text, ".[]()*+?{}|^$\\");
    if (r->literal)
        return 0;
    return regcomp(&r->re, r->text, REG_EXTENDED | REG_NOSUB) == 0 ? 0 : -EINVAL;
}

int filter_add(struct filter *f, struct view rule)
{
    struct filter_rule *more = realloc(f->rules, (f->n + 1) * sizeof(*more));
    struct filter_rule *r;

    if (!more)
        return -ENOMEM;
    f->rules = more;
    r = &more[f->n];
    r->black = view_starts(rule, VIEW("!"));
    if (r->black)
        rule = view_of(rule.ptr + 1, rule.len - 1);
    r->text = view_dup(rule);
    if (!r->text)
        return -ENOMEM;
    if (compile(r) < 0) {
        free(r->text);
        return -EINVAL;
    }
    f->has_white = f->has_white || !r->black;
    f->n++;
    return 0;
}

/* The event ends with a NUL: not every checker of regexec knows REG_STARTEND. */
static bool matches(const struct filter_rule *r, struct view event)
{
    regmatch_t where = {.rm_so = 0, .rm_eo = (regoff_t)event.len};

    if (r->literal)
        return view_find(event, view_cstr(r->text)) >= 0;
    return regexec(&r->re, event.ptr, 1, &where, REG_STARTEND) == 0;
}

static bool rules_pass(const struct filter *f, struct view event)
{
    bool white = !f->has_white;

    for (size_t i = 0; i < f->n; i++) {
        if (!matches(&f->rules[i], event))
            continue;
        if (f->rules[i].black)
            return false;
        white = true;
    }
    return white;
}

bool filter_passes(const struct filter *f, struct view event, uint32_t classes)
{
    char *text;
    bool pass;

    if (classes != 0 && !(classes & f->mask))
        return false;
    if (f->n == 0)
        return true;
    text = view_dup(event);
    pass = text && rules_pass(f, view_of(text, event.len));
    free(text);
    return pass;
}
