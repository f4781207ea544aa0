/*
 * The scripts callerid_extend and callerid_forphones: the caller id that the called phone shows.
 *
 * A caller without a name (Asterisk then gives the number as its name, or "unknown") gets one: a
 * phone of ours its own, any other the one that the directories have for its number.
 */
#include <stdlib.h>

#include "core/deferred_reply.h"
#include "directory/directory.h"
#include "fagi/parts.h"
#include "model/model.h"
#include "users/relations.h"
#include "json/json.h"

void fagi_callerid_extend(struct fagi_ask *a)
{
    struct view ton = fagi_env(a, "agi_callington");
    struct buf pairs;

    buf_init(&pairs, 0);
    if (ton.len)
        fagi_put(&pairs, "XIVO_SRCTON", ton);
    fagi_answer(&a->l, ton.len ? 1 : 0, &pairs);
    buf_free(&pairs);
}

/* ---- answering ---- */

static void answer(struct deferred_reply **l, struct view name, struct view number)
{
    struct buf pairs, all;
    bool known = name.len > 0 && number.len > 0;

    buf_init(&pairs, 0);
    buf_init(&all, 4096);
    if (known) {
        buf_printf(&all, "\"%.*s\" <%.*s>", VIEW_ARG(name), VIEW_ARG(number));
        fagi_put(&pairs, "CALLERID(all)", buf_view(&all));
        fagi_put(&pairs, "CALLERID(name)", name);
        fagi_put(&pairs, "CALLERID(number)", number);
    }
    pairs.failed |= all.failed;
    fagi_answer(l, known ? 3 : 0, &pairs);
    buf_free(&pairs);
    buf_free(&all);
}

/* ---- a phone of ours ---- */

/* "name" <digits>, as lines have their caller id. */
static bool read_callerid(struct view text, struct view *name, struct view *number)
{
    ptrdiff_t end = view_find(text, VIEW("\" <"));

    if (!view_starts(text, VIEW("\"")) || end < 1 || text.ptr[text.len - 1] != '>')
        return false;
    *name = view_of(text.ptr + 1, (size_t)end - 1);
    *number = view_of(text.ptr + end + 3, text.len - (size_t)end - 4);
    for (size_t i = 0; i < number->len; i++)
        if (number->ptr[i] < '0' || number->ptr[i] > '9')
            return false;
    return name->len > 0 && number->len > 0;
}

static void answer_phone(struct fagi_ask *a, const struct xod_obj *phone)
{
    const struct xod_obj *user = relations_user(phone);
    char scratch[32];
    struct view name, number;

    if (!read_callerid(xod_get_str(phone, XOD(phones, callerid)), &name, &number)) {
        name = user ? xod_get_str(user, XOD(users, fullname)) : view_of(NULL, 0);
        number = value_text(xod_get(phone, XOD(phones, number)), scratch);
    }
    answer(&a->l, name, number);
}

/* ---- any other: the directories ---- */

struct search {
    struct deferred_reply *l;
    struct display display;
    char *number;
    struct buf name;
};

/* The name of the first entry that has one. */
static bool on_found(void *arg, const struct directory *dir, const struct entry *e)
{
    struct search *q = arg;

    display_value(&q->name, &q->display.columns[0], dir, e);
    return buf_len(&q->name) == 0;
}

static void on_end(void *arg, const char *fault)
{
    struct search *q = arg;

    answer(&q->l, buf_view(&q->name), view_cstr(q->number));
    display_close(&q->display);
    buf_free(&q->name);
    free(q->number);
    free(q);
}

/* The display says what is a name: its first column, as in lookups. */
static struct search *search_new(const struct config *cfg, struct view context, struct view number)
{
    struct view name = json_get_view(context_of(cfg, context), "display");
    struct search *q = name.len ? calloc(1, sizeof(*q)) : NULL;

    if (!q)
        return NULL;
    buf_init(&q->name, 1024);
    q->number = view_dup(number);
    if (q->number &&
        display_open(&q->display, json_get(config_section(cfg, "displays"), name.ptr)) == 0)
        return q;
    free(q->number);
    free(q);
    return NULL;
}

static void look_up(struct fagi_ask *a, struct view context, struct view number)
{
    struct search *q = number.len && !view_eq(number, VIEW("unknown"))
                           ? search_new(a->s->cfg, context, number)
                           : NULL;

    if (!q) {
        answer(&a->l, view_of(NULL, 0), number);
        return;
    }
    q->l = a->l;
    a->l = NULL;
    directory_find(
        a->s->directories,
        &(struct directory_ask){
            .ipbx = a->ipbx->model->ipbx, .context = context, .text = number, .by_number = true},
        on_found, on_end, q);
}

/* ---- the script ---- */

/* The context of Local/NUMBER@CONTEXT-id;1. */
static struct view local_context(struct view channel)
{
    const char *at = channel.len ? memrchr(channel.ptr, '@', channel.len) : NULL;
    const char *dash;
    struct view rest;

    if (!at)
        return view_of(NULL, 0);
    rest = view_of(at + 1, channel.len - (size_t)(at + 1 - channel.ptr));
    dash = rest.len ? memrchr(rest.ptr, '-', rest.len) : NULL;
    return dash ? view_of(rest.ptr, (size_t)(dash - rest.ptr)) : rest;
}

static bool is_nameless(struct view name, struct view number)
{
    return name.len == 0 || view_eq(name, number) || view_eq(name, VIEW("unknown"));
}

/* The first argument is the id of the user that is called. */
static struct view called_context(const struct fagi_ask *a, char scratch[32])
{
    const struct xod_obj *user = xod_find(a->ipbx->model->ipbx, LIST_users, fagi_arg(a, 1));

    return user ? relations_context(user, scratch) : view_of(NULL, 0);
}

void fagi_callerid_forphones(struct fagi_ask *a)
{
    struct view number = fagi_env(a, "agi_callerid");
    struct ipbx_model *d = a->ipbx->model;
    struct xod_obj *phone;
    char scratch[32];

    if (!is_nameless(fagi_env(a, "agi_calleridname"), number)) {
        answer(&a->l, view_of(NULL, 0), number);
        return;
    }
    phone = local_is_half(a->channel) ? NULL : phone_of_channel(d, a->channel);
    if (phone)
        answer_phone(a, phone);
    else if (local_is_half(a->channel))
        look_up(a, local_context(a->channel), number);
    else
        look_up(a, called_context(a, scratch), number);
}
