#include "listing.h"

#include <errno.h>
#include <stdlib.h>

#include "capture.h"
#include "file.h"
#include "say.h"

struct loading {
    struct listing *l;
    struct recorded *current; /* whose answer is being read */
    int rc;
};

/* Runs a parser of its own over `text`, which must be whole blocks. */
static int each_block(struct view text, ami_block_fn *fn, void *arg)
{
    struct ami_parser *p = malloc(sizeof(*p));

    if (!p)
        return -ENOMEM;
    ami_parser_init(p);
    ami_parse(p, text, fn, arg);
    free(p);
    return 0;
}

static bool on_sent(void *arg, const struct ami_block *b)
{
    struct loading *ld = arg;
    struct listing *l = ld->l;
    struct recorded *r;

    if (b->kind != AMI_ACTION)
        return true;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        struct recorded *more = realloc(l->items, cap * sizeof(*more));
        if (!more) {
            ld->rc = -ENOMEM;
            return false;
        }
        l->items = more;
        l->cap = cap;
    }
    r = &l->items[l->n++];
    buf_init(&r->asked, 0);
    buf_init(&r->answer, 0);
    buf_append_view(&r->asked, b->raw);
    buf_append_cstr(&r->asked, "\r\n");
    return true;
}

struct id_search {
    struct view id;
    bool found;
};

static bool has_id(void *arg, const struct ami_block *b)
{
    struct id_search *s = arg;

    s->found = view_eq(ami_get(b, "ActionID"), s->id);
    return false;
}

static struct recorded *by_id(struct listing *l, struct view id)
{
    for (size_t i = 0; i < l->n && id.len; i++) {
        struct id_search s = {.id = id};
        if (each_block(buf_view(&l->items[i].asked), has_id, &s) == 0 && s.found)
            return &l->items[i];
    }
    return NULL;
}

/* An answer is a Response and the events that follow it; what is said to everyone is not of it.
 * Some items have no ActionID: they come between their Response and the next. */
static bool on_received(void *arg, const struct ami_block *b)
{
    struct loading *ld = arg;

    if (b->kind == AMI_RESPONSE)
        ld->current = by_id(ld->l, ami_get(b, "ActionID"));
    if (b->kind == AMI_BANNER || !ld->current || capture_is_public(b) ||
        ami_is_event(b, "FullyBooted"))
        return true;
    buf_append_view(&ld->current->answer, b->raw);
    buf_append_cstr(&ld->current->answer, "\r\n");
    return true;
}

static int load_part(const char *path, ami_block_fn *fn, struct loading *ld)
{
    struct buf text;
    int rc;

    buf_init(&text, 0);
    rc = file_read(path, &text);
    if (rc == 0)
        rc = each_block(buf_view(&text), fn, ld);
    buf_free(&text);
    return rc < 0 ? rc : ld->rc;
}

int listing_load(struct listing *l, const char *path)
{
    struct loading ld = {.l = l};
    char sent[4096];
    int rc;

    *l = (struct listing){0};
    if (!file_beside(path, ".sent", sent, sizeof(sent)))
        return -EINVAL;
    rc = load_part(sent, on_sent, &ld);
    if (rc == 0)
        rc = load_part(path, on_received, &ld);
    if (rc < 0)
        listing_free(l);
    return rc;
}

void listing_free(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++) {
        buf_free(&l->items[i].asked);
        buf_free(&l->items[i].answer);
    }
    free(l->items);
    *l = (struct listing){0};
}

/* How well a recorded action fits. */
enum fit { FIT_NONE, FIT_OTHER, FIT_GENERAL, FIT_EXACT };

struct fitting {
    const struct ami_block *ask;
    enum fit fit;
};

static bool is_parameter(const struct ami_header *h)
{
    return !view_ieq(h->name, VIEW("Action")) && !view_ieq(h->name, VIEW("ActionID"));
}

static unsigned parameters(const struct ami_block *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < b->n; i++)
        n += is_parameter(&b->headers[i]);
    return n;
}

static bool judge(void *arg, const struct ami_block *b)
{
    struct fitting *f = arg;

    if (!view_ieq(b->name, f->ask->name))
        return false;
    f->fit = parameters(b) == 0 ? FIT_GENERAL : FIT_OTHER;
    if (parameters(b) != parameters(f->ask))
        return false;
    for (unsigned i = 0; i < b->n; i++)
        if (is_parameter(&b->headers[i]) &&
            !view_eq(ami_get_view(f->ask, b->headers[i].name), b->headers[i].value))
            return false;
    f->fit = FIT_EXACT;
    return false;
}

static const struct recorded *best(const struct listing *l, const struct ami_block *ask,
                                   enum fit *fit)
{
    const struct recorded *found = NULL;

    *fit = FIT_NONE;
    for (size_t i = 0; i < l->n && *fit < FIT_EXACT; i++) {
        struct fitting f = {.ask = ask};
        each_block(buf_view(&l->items[i].asked), judge, &f);
        if (f.fit > *fit) {
            *fit = f.fit;
            found = &l->items[i];
        }
    }
    return found;
}

struct answering {
    const struct ami_block *ask;
    struct buf *out;
    bool filter;
    unsigned items;
};

static bool ends_list(const struct ami_block *b)
{
    struct view done = VIEW("Complete");

    return b->kind == AMI_EVENT && b->name.len > done.len &&
           view_eq(view_of(b->name.ptr + b->name.len - done.len, done.len), done);
}

/* An item is left out when it has a header that the asker named with another value. */
static bool is_asked_for(const struct ami_block *ask, const struct ami_block *item)
{
    for (unsigned i = 0; i < ask->n; i++) {
        struct view name = ask->headers[i].name, value;
        if (!is_parameter(&ask->headers[i]))
            continue;
        if (view_ieq(name, VIEW("Member"))) /* QueueStatus */
            name = VIEW("Location");
        value = ami_get_view(item, name);
        if (value.ptr && !view_ieq(value, ask->headers[i].value))
            return false;
    }
    return true;
}

static void put_header(const struct answering *a, const struct ami_header *h)
{
    struct view id = ami_get(a->ask, "ActionID");
    bool count = view_eq(h->name, VIEW("ListItems")) || view_eq(h->name, VIEW("Items"));

    if (view_ieq(h->name, VIEW("ActionID"))) {
        if (id.len)
            say_header(a->out, h->name, id);
    } else if (count && a->filter) {
        buf_printf(a->out, "%.*s: %u\r\n", VIEW_ARG(h->name), a->items);
    } else {
        say_header(a->out, h->name, h->value);
    }
}

static bool give(void *arg, const struct ami_block *b)
{
    struct answering *a = arg;

    if (b->kind == AMI_EVENT && !ends_list(b)) {
        if (a->filter && !is_asked_for(a->ask, b))
            return true;
        a->items++;
    }
    for (unsigned i = 0; i < b->n; i++)
        put_header(a, &b->headers[i]);
    if (b->text.ptr) {
        buf_append_view(a->out, b->text);
        if (b->kind == AMI_RESPONSE)
            buf_append_cstr(a->out, "--END COMMAND--\r\n");
    }
    buf_append_cstr(a->out, "\r\n");
    return true;
}

int listing_answer(const struct listing *l, const struct ami_block *ask, struct buf *out)
{
    enum fit fit;
    const struct recorded *r = best(l, ask, &fit);
    struct answering a = {.ask = ask, .out = out, .filter = fit == FIT_GENERAL};

    if (fit <= FIT_OTHER)
        return fit == FIT_NONE ? -ENOENT : -ESRCH;
    return each_block(buf_view(&r->answer), give, &a);
}

struct naming {
    struct view action;
    bool listed;
    bool found;
};

static bool find_name(void *arg, const struct ami_block *b)
{
    struct naming *n = arg;

    n->listed = b->n > 2; /* a refusal has no more than three headers */
    n->found = ami_get_view(b, n->action).ptr != NULL;
    return false;
}

bool listing_has_action(const struct listing *l, struct view action)
{
    struct ami_header name = {VIEW("Action"), VIEW("ListCommands")};
    struct ami_block ask = {.kind = AMI_ACTION, .name = name.value, .headers = &name, .n = 1};
    struct naming n = {.action = action};
    enum fit fit;
    const struct recorded *r = best(l, &ask, &fit);

    if (fit != FIT_EXACT && fit != FIT_GENERAL)
        return true;
    each_block(buf_view(&r->answer), find_name, &n);
    return n.found || !n.listed;
}

struct seeding {
    struct model *m;
    int rc;
};

static bool seed(void *arg, const struct ami_block *b)
{
    struct seeding *s = arg;

    if (ami_is_event(b, "ExtensionStatus") ||
        (b->kind == AMI_RESPONSE && ami_get(b, "Hint").len > 0))
        s->rc = model_set_hint(s->m, b);
    else if (ami_is_event(b, "DeviceStateChange"))
        s->rc = model_set_device(s->m, b);
    return s->rc == 0;
}

int listing_seed(const struct listing *l, struct model *m)
{
    struct seeding s = {.m = m};

    for (size_t i = 0; i < l->n && s.rc == 0; i++)
        if (each_block(buf_view(&l->items[i].answer), seed, &s) < 0)
            return -ENOMEM;
    return s.rc;
}
