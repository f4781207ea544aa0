#include "fax/outgoing.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/deferred_reply.h"
#include "core/notify.h"
#include "sessions/sessions.h"
#include "users/relations.h"

#define GIVE_UP_US 1800000000u /* half an hour: no fax takes longer */
#define CHECK_MS 10000
#define ANSWERED 4 /* reason of an originate */

#define MAX_PATH_BYTES 512 /* of the file that is sent */

struct fax {
    LIST_ENTRY(fax) all;
    struct deferred_reply *l;
    struct xod_ipbx *ipbx;
    char user_id[64], session[64], fileid[32];
    char path[MAX_PATH_BYTES], actionid[96];
    uint64_t since;
};

struct faxes {
    struct state *s;
    struct loop_timer *timer;
    LIST_HEAD(, fax) list;
};

static void check(void *arg);

struct faxes *faxes_new(struct state *s)
{
    struct faxes *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->s = s;
    LIST_INIT(&f->list);
    f->timer = loop_timer_new(s->loop, check, f);
    if (!f->timer)
        faxes_destroy(&f);
    return f;
}

void faxes_destroy(struct faxes **fp)
{
    struct fax *x;

    if (!fp || !*fp)
        return;
    while ((x = LIST_FIRST(&(*fp)->list))) {
        LIST_REMOVE(x, all);
        deferred_reply_status(&x->l, BUS_gone);
        free(x);
    }
    loop_timer_destroy(&(*fp)->timer);
    free(*fp);
    *fp = NULL;
}

/* ---- telling ---- */

static void tell(struct faxes *f, const struct fax *x, const char *class, const char *status,
                 const char *reason, int64_t pages)
{
    struct notification t;

    notify_begin(&t, class);
    notify_str(&t, "fileid", view_cstr(x->fileid));
    notify_str(&t, "status", view_cstr(status));
    if (reason)
        notify_str(&t, "reason", view_cstr(reason));
    if (pages >= 0)
        notify_i64(&t, "pages", pages);
    notify_session(f->s, x->ipbx, view_cstr(x->user_id), view_cstr(x->session), &t);
}

/* It is over: in the words of the clients up to 2015, and of those after. */
static void finish(struct faxes *f, struct fax *x, const char *reason, int64_t pages)
{
    tell(f, x, "faxprogress", reason ? "ko" : "ok", reason, -1);
    tell(f, x, "fax_progress", reason ? "FAILED" : "SUCCESS", reason, pages);
    LIST_REMOVE(x, all);
    deferred_reply_status(&x->l, BUS_ok);
    free(x);
}

static void check(void *arg)
{
    struct faxes *f = arg;
    struct fax *x, *next;
    uint64_t now = clock_mono_us();

    LIST_FOREACH_SAFE(x, &f->list, all, next)
    if (now - x->since > GIVE_UP_US)
        finish(f, x, "orig", -1);
    if (LIST_EMPTY(&f->list))
        loop_timer_stop(f->timer);
}

/* ---- sending ---- */

static struct fax *find(struct faxes *f, const char *path)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (strcmp(x->path, path) == 0)
        return x;
    return NULL;
}

static void on_answered(struct ami_batch *j, const struct outcome *out)
{
    struct fax *x = j->s->faxes ? find(j->s->faxes, j->ctx) : NULL; /* state may be ending */

    if (!x)
        return;
    if (!out->good) {
        finish(j->s->faxes, x, "AMI", -1);
        return;
    }
    snprintf(x->actionid, sizeof(x->actionid), "%.*s", VIEW_ARG(out->actionid));
    tell(j->s->faxes, x, "faxprogress", "queued", NULL, -1);
    tell(j->s->faxes, x, "fax_progress", "PRESENDFAX", NULL, -1);
}

/* Hidden: the other end is shown no number. */
static void put_callerid(struct ipbx_command *o, struct buf *out)
{
    char scratch[32], room2[32];
    struct view hide = msg_get_text(o->message, "hide", scratch);
    struct xod_obj *line = relations_line(o->user);

    if (line && (hide.len == 0 || view_eq(hide, VIEW("0"))))
        target_put_callerid(out, xod_get_str(o->user, XOD(users, fullname)),
                            value_text(xod_get(line, XOD(phones, number)), room2));
    else
        target_put_callerid(out, VIEW("anonymous"), view_of(NULL, 0));
}

static void ipbx_command_fax(struct ipbx_command *o)
{
    struct target t = ipbx_command_target(o, "destination", LIST_COUNT);
    struct destination to;
    struct buf channel, callerid;
    char path[600], user[96];
    char *file; /* the batch's */

    if (t.kind != TARGET_NUMBER || !target_destination(o->s, o->user, &t, false, &to)) {
        ipbx_command_wrong(o, "destination", "unreachable_extension");
        return;
    }
    file = ipbx_command_ctx(o, MAX_PATH_BYTES);
    if (!file)
        return;
    snprintf(file, MAX_PATH_BYTES, "%.*s", VIEW_ARG(msg_get_str(o->message, "path")));
    o->batch->done = on_answered;
    snprintf(path, sizeof(path), "XIVO_FAX_PATH=%s", file);
    snprintf(user, sizeof(user), "XIVO_USERID=%s", o->se->user_id);
    buf_init(&channel, 512);
    buf_init(&callerid, 512);
    buf_printf(&channel, "Local/%s@%s", to.exten, to.context);
    put_callerid(o, &callerid);
    ipbx_command_action(o, "Originate", "Channel", buf_view(&channel), "Exten", VIEW("s"),
                        "Context", view_cstr(config_str(o->s->cfg, "ctibus.fax.context")),
                        "Priority", VIEW("1"), "Timeout", VIEW("60000"), "CallerID",
                        buf_view(&callerid), "Variable", view_cstr(path), "Variable",
                        view_cstr(user), NULL);
    buf_free(&channel);
    buf_free(&callerid);
}

void faxes_send(struct faxes *f, struct session *se, struct deferred_reply *l,
                const msgpack_object *message)
{
    struct view path = msg_get_str(message, "path");
    struct view id = msg_get_str(message, "fileid");
    struct fax *x = path.len && path.len < sizeof(x->path) ? calloc(1, sizeof(*x)) : NULL;

    if (!x) {
        deferred_reply_status(&l, BUS_malformed);
        return;
    }
    x->l = l;
    x->ipbx = se->ipbx;
    x->since = clock_mono_us();
    snprintf(x->user_id, sizeof(x->user_id), "%s", se->user_id);
    snprintf(x->session, sizeof(x->session), "%s", se->id);
    snprintf(x->path, sizeof(x->path), "%.*s", VIEW_ARG(path));
    snprintf(x->fileid, sizeof(x->fileid), "%.*s", (int)(id.len > 31 ? 31 : id.len), id.ptr);
    LIST_INSERT_HEAD(&f->list, x, all);
    if (!loop_timer_running(f->timer))
        loop_timer_start(f->timer, CHECK_MS, true);
    if (!ipbx_command_run_quiet(f->s, se, message, "faxsend", ipbx_command_fax))
        finish(f, x, "AMI", -1);
}

/* ---- what becomes of it ---- */

static void on_fax(struct faxes *f, const struct xod_ipbx *ipbx, const struct tel *t)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (x->ipbx == ipbx && view_eq(view_cstr(x->path), t->str[TELF_file])) {
        bool good = view_ieq(t->str[TELF_status], VIEW("SUCCESS")) || t->str[TELF_status].len == 0;
        finish(f, x, good ? NULL : "orig", tel_has(t, TELF_pages) ? t->num[TELF_pages] : -1);
        return;
    }
}

static void on_response(struct faxes *f, const struct xod_ipbx *ipbx, const struct tel *t)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (x->ipbx == ipbx && *x->actionid && view_eq(view_cstr(x->actionid), t->str[TELF_actionid])) {
        if (t->num[TELF_reason_code] != ANSWERED)
            finish(f, x, "orig", -1);
        return;
    }
}

/* XiVO's dialplan tells it by a UserEvent of its own. */
/* Of that path, or, where the dialplan does not say it, the one of that user that was sent first.
 */
static struct fax *find_told(struct faxes *f, const struct xod_ipbx *ipbx,
                             const msgpack_object *headers)
{
    struct view path = msg_get_str(headers, "PATH");
    struct view user = msg_get_str(headers, "USER_ID");
    struct fax *x, *found = NULL;

    LIST_FOREACH(x, &f->list, all) /* the newest stands in front */
    if (x->ipbx == ipbx &&
        (path.len ? view_eq(view_cstr(x->path), path) : view_eq(view_cstr(x->user_id), user)))
        found = x;
    return found;
}

/* XiVO's dialplan tells it by a UserEvent of its own. */
static void on_user_event(struct faxes *f, const struct xod_ipbx *ipbx, const struct tel *t)
{
    struct view status;
    int64_t pages = -1;
    struct fax *x;

    if (!t->headers || !view_eq(t->str[TELF_name], VIEW("FaxProgress")))
        return;
    status = msg_get_str(t->headers, "STATUS");
    x = view_eq(status, VIEW("PRESENDFAX")) ? NULL : find_told(f, ipbx, t->headers);
    if (view_to_i64(msg_get_str(t->headers, "PAGES"), &pages) < 0)
        pages = -1;
    if (x)
        finish(f, x, view_eq(status, VIEW("SUCCESS")) ? NULL : "orig", pages);
}

void faxes_event(struct faxes *f, struct xod_ipbx *ipbx, const struct tel *t)
{
    if (LIST_EMPTY(&f->list))
        return;
    if (t->event == TEL_fax_sent)
        on_fax(f, ipbx, t);
    else if (t->event == TEL_originate_response)
        on_response(f, ipbx, t);
    else if (t->event == TEL_user_event)
        on_user_event(f, ipbx, t);
}
