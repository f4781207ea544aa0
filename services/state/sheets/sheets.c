#include "sheets/sheets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/access.h"
#include "core/notify.h"
#include "sheets/pictures.h"
#include "sheets/programs.h"
#include "sheets/reverse.h"
#include "sheets/rules.h"
#include "sheets/trigger.h"
#include "users/relations.h"
#include "json/json.h"

/* ---- sending ---- */

/* To clients that take no XML. */
static void begin_object(struct notification *t, const struct sheet *sheet)
{
    notify_begin(t, "sheet");
    notify_str(t, "channel", sheet_value(sheet, "channel"));
    notify_str(t, "serial", VIEW("json"));
    sheet_put_object(notify_key(t, "sheet"), sheet);
}

static void tell_sheet(struct sheets *sh, const struct sheet *sheet, bool zip, struct view payload)
{
    for (size_t i = 0; i < sheet->to.n; i++) {
        struct notification t;
        struct notification object;
        notify_begin(&t, "sheet");
        notify_str(&t, "channel", sheet_value(sheet, "channel"));
        notify_str(&t, "serial", VIEW("xml"));
        msg_put_bool(notify_key(&t, "compressed"), zip);
        notify_str(&t, "payload", payload);
        begin_object(&object, sheet);
        notify_user_either(sh->state, sheet->ipbx, view_cstr(sheet->to.ids[i]), &t, "sheet_json",
                           &object);
        metric_add(sh->sent, 1);
    }
}

/* Takes the sheet. */
static void put_sheet(void *arg, struct sheet *sheet)
{
    struct sheets *sh = arg;
    bool zip = rules_option(sheet->option, "zip");
    struct buf payload;
    struct buf xml;

    buf_init(&xml, SHEET_MAX_XML);
    buf_init(&payload, 0);
    sheet_put_xml(&xml, sheet, sh->forms);
    if (xml.failed || sheet_put_payload(&payload, buf_view(&xml), zip) < 0)
        log_error(sh->state->log, "no memory for a sheet of channel %.*s",
                  VIEW_ARG(sheet_value(sheet, "channel")));
    else
        tell_sheet(sh, sheet, zip, buf_view(&payload));
    viewers_add(sh->viewers, sheet->ipbx, sheet_value(sheet, "channel"),
                sheet_value(sheet, "uniqueid"), &sheet->to);
    buf_free(&xml);
    buf_free(&payload);
    sheet_destroy(&sheet);
}

/* The same, when the caller's picture is there. */
static void add_picture(void *arg, struct sheet *sheet)
{
    struct sheets *sh = arg;

    if (!pictures_take(sh->pictures, sheet))
        put_sheet(sh, sheet);
}

/* The same, when the programs have said what they know. */
static void send_sheet(void *arg, struct sheet *sheet)
{
    struct sheets *sh = arg;

    if (!programs_take(sh->programs, sheet))
        add_picture(sh, sheet);
}

/* ---- lifecycle ---- */

struct sheets *sheets_new(struct state *s)
{
    struct sheets *sh = calloc(1, sizeof(*sh));

    if (!sh)
        return NULL;
    sh->state = s;
    sh->calls = calls_new();
    sh->forms = forms_new();
    sh->viewers = viewers_new();
    sh->pictures = pictures_new(s, put_sheet, sh);
    sh->programs = programs_new(s, add_picture, sh);
    sh->sent = metrics_add(s->metrics, METRIC_state_sheets_sent, NULL);
    if (!sh->calls || !sh->forms || !sh->viewers || !sh->pictures || !sh->programs || !sh->sent)
        sheets_destroy(&sh);
    return sh;
}

void sheets_destroy(struct sheets **sh)
{
    if (!*sh)
        return;
    calls_destroy(&(*sh)->calls);
    programs_destroy(&(*sh)->programs);
    pictures_destroy(&(*sh)->pictures);
    forms_destroy(&(*sh)->forms);
    viewers_destroy(&(*sh)->viewers);
    free(*sh);
    *sh = NULL;
}

void sheets_load(struct sheets *sh)
{
    forms_load(sh->forms, sh->state->cfg, sh->state->log);
}

void sheets_register(struct state *s, struct bus_peer *p, uint64_t id, const msgpack_object *body)
{
    programs_register(s->sheets->programs, p, id, body);
}

void sheets_peer_gone(struct sheets *sh, const struct bus_peer *p)
{
    programs_peer_gone(sh->programs, p);
}

const struct viewers *sheets_viewers(const struct sheets *sh)
{
    return sh->viewers;
}

/* ---- whose number it is ---- */

/* Colleagues are found where the one who is called sees them. */
static bool sees(void *arg, const struct xod_obj *o)
{
    return arg && access_sees(arg, o);
}

static void look_up(struct sheets *sh, const struct sheet_trigger *o, const struct sheet *sheet)
{
    struct call *call = o->call;
    const struct xod_obj *user = o->n_users ? o->users[0] : NULL;
    bool separate = access_is_separate(sh->state->cfg);
    struct access access = {0};
    struct directory_ask ask = {
        .ipbx = call->ipbx,
        .context = view_cstr(sheet->context),
        .text = sheet_value(sheet, "calleridnum"),
        .exten = sheet_value(sheet, "did"),
        .sees = separate ? sees : NULL,
    };

    if (ask.exten.len == 0)
        ask.exten = sheet_value(sheet, "calledidnum");
    if (ask.text.len == 0 ||
        (call->reverse && (reverse_waits(call->reverse) || reverse_is_of(call->reverse, &ask))))
        return;
    if (separate && user && access_init(&access, user, true) == 0)
        ask.sees_arg = &access;
    reverse_leave(&call->reverse);
    call->reverse = reverse_begin(sh->state->directories, &ask, send_sheet, sh);
    access_fini(&access);
}

/* Takes the sheet. One that needs no directory waits, too, behind one that does: sheets of a call
 * replace each other. */
static void deliver(struct sheets *sh, const struct sheet_trigger *o, struct sheet *sheet)
{
    bool wanted = o->call && rules_display_has(sheet->display, VIEW("db"));

    if (wanted)
        look_up(sh, o, sheet);
    if (o->call && o->call->reverse && (wanted || reverse_waits(o->call->reverse)))
        reverse_add(o->call->reverse, sheet);
    else
        send_sheet(sh, sheet);
}

/* ---- what happens ---- */

void sheet_trigger_add(struct sheet_trigger *o, const struct xod_obj *user)
{
    for (size_t i = 0; i < o->n_users; i++)
        if (o->users[i] == user)
            return;
    if (user && o->n_users < MAX_USERS)
        o->users[o->n_users++] = user;
}

/* Is it to be told to this user, or (empty) to all, now? */
static bool is_due(const struct sheet_trigger *o, size_t rule, struct view user_id)
{
    char what[160];

    if (!o->call || o->often == EACH_TIME || (o->often == EACH_RING && user_id.len))
        return true;
    snprintf(what, sizeof(what), "%s/%zu/%.*s", o->event, rule, VIEW_ARG(user_id));
    return call_tell_once(o->call, what);
}

static int find_recipients(struct sheets *sh, const struct sheet_trigger *o, const struct rule *r,
                           size_t number, struct recipients *to)
{
    struct recipients found = {0};
    struct concerned c = {.ipbx = o->d->ipbx, .users = o->users, .n_users = o->n_users};
    int rc;

    if (recipients_are_all(r->condition) && !is_due(o, number, view_of(NULL, 0)))
        return 0;
    c.seen = o->n_users ? o->users[0] : NULL;
    if (!c.seen && o->call)
        c.seen =
            xod_lookup(c.ipbx, LIST_channels, XOD(channels, uniqueid), call_uniqueid(o->call), 0);
    rc = recipients_find(&found, sh->state->cfg, r->condition, &c);
    for (size_t i = 0; rc == 0 && i < found.n; i++)
        if (recipients_are_all(r->condition) || is_due(o, number, view_cstr(found.ids[i])))
            rc = recipients_add(to, view_cstr(found.ids[i]));
    recipients_clear(&found);
    return rc;
}

/* Whose sheet it is, and where what is known of the caller is looked up. */
static void name_called(struct sheet *sheet, const struct sheet_trigger *o)
{
    const struct xod_obj *user = o->n_users ? o->users[0] : NULL;
    const struct xod_obj *phone = user ? relations_line(user) : NULL;
    char scratch[32];
    struct view context = phone ? value_text(xod_get(phone, XOD(phones, context)), scratch)
                                : sheet_value(sheet, "context");

    snprintf(sheet->context, sizeof(sheet->context), "%.*s", VIEW_ARG(context));
    if (user)
        snprintf(sheet->user_id, sizeof(sheet->user_id), "%.*s", VIEW_ARG(xod_obj_id(user)));
}

static int carry_out(struct sheets *sh, const struct sheet_trigger *o, const struct rule *r,
                     size_t number)
{
    struct recipients to = {0};
    int rc = find_recipients(sh, o, r, number, &to);
    struct json_object *values = rc == 0 && to.n ? values_of(o) : NULL;
    struct sheet *sheet;

    if (!values) {
        rc = rc == 0 && to.n ? -ENOMEM : rc;
        recipients_clear(&to);
        return rc;
    }
    sheet = sheet_new(o->d->ipbx, r->display, r->option, &values, &to);
    if (!sheet)
        return -ENOMEM;
    name_called(sheet, o);
    deliver(sh, o, sheet);
    return 0;
}

void sheets_happened(struct sheets *sh, const struct sheet_trigger *o)
{
    struct rule rules[MAX_RULES];
    size_t n = rules_of(sh->state->cfg, view_cstr(o->event), rules);

    for (size_t i = 0; i < n; i++)
        if (carry_out(sh, o, &rules[i], i) < 0)
            log_error(sh->state->log, "no memory for a sheet of event %s", o->event);
}
