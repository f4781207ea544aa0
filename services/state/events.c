/* Applies what ami-gw tells of an Asterisk to the model, and passes it to the parts that wait for
 * it: fagi, fax, originates, transfers, services, names of callers, sheets. */
#include "events.h"

#include "bus/topic.h"
#include "callers/callers.h"
#include "calls/originates.h"
#include "calls/transfers.h"
#include "core/explain.h"
#include "core/resync.h"
#include "fagi/fagi.h"
#include "fax/outgoing.h"
#include "gateways.h"
#include "lists/asterisk.h"
#include "sheets/sheets.h"
#include "users/deferred_actions.h"
#include "users/feature_events.h"
#include "users/feature_reader.h"

/* Phones that this Asterisk does not have stay dark: after a migration to PJSIP all of them. */
static void tell_unknown_phones(struct state *s, const struct ipbx *ipbx)
{
    const struct unknown_phones *u = &ipbx->model->unknown;
    const char *name = xod_ipbx_name(ipbx->model->ipbx).ptr;

    if (u->n_pjsip)
        log_warning(
            s->log,
            "%s: %zu phones of the lists are unknown to this Asterisk, such as %s; %zu of "
            "them are PJSIP endpoints there: write the protocol pjsip into the lists, or set "
            "ctibus.ipbx.sip_is_pjsip",
            name, u->n, u->example, u->n_pjsip);
    else if (u->n)
        log_warning(s->log,
                    "%s: %zu phones of the lists are unknown to this Asterisk, such as %s: their "
                    "protocol or name is another there",
                    name, u->n, u->example);
}

static void listed(struct state *s, struct ipbx *ipbx)
{
    tell_unknown_phones(s, ipbx);
    asterisk_lists_resynced(s->asterisk_lists, ipbx);
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct state *s = arg;
    struct ipbx *ipbx;
    struct view name;
    struct tel t;
    bool resynced;
    int rc = tel_read(&t, m, &s->doc, &s->scratch, &name);

    metric_add(s->events, 1);
    ipbx = rc == 0 ? state_ipbx(s, name) : NULL;
    if (!ipbx) {
        metric_add(s->events_unknown, 1);
        return;
    }
    if (!gateways_is_owner(ipbx, m)) {
        metric_add(s->events_foreign, 1);
        return;
    }
    resynced = ipbx->model->resynced;
    explain_cause(s->explain, &t);
    ipbx_model_event(ipbx->model, &t);
    if (!resynced && ipbx->model->resynced) {
        deferred_actions_resynced(s, ipbx->model->ipbx);
        feature_reader_resynced(s, ipbx);
    }
    if (t.event == TEL_resync_end && view_eq(t.str[TELF_kind], VIEW("all")))
        listed(s, ipbx);
    feature_reader_event(s, ipbx, &t);
    feature_event(s, ipbx->model->ipbx, &t);
    originates_event(s->originates, ipbx->model->ipbx, &t);
    transfers_event(s->transfers, &t);
    faxes_event(s->faxes, ipbx->model->ipbx, &t);
    s->heard_at = m->time;
    state_commit(s, ipbx->model->synthetic);
    explain_cause(s->explain, NULL);
    s->heard_at = 0;
    callers_look(s->callers);
    sheets_event(s->sheets, ipbx->model, &t);
    fagi_event(s->fagi, ipbx->model->ipbx, &t);
}

/* Events of a gateway are missing: what is known may be wrong until everything is listed anew. A
 * gateway that begins to speak is asked when it registers; but one of which everything is listed
 * already has said something that was not heard. */
static void on_gap(void *arg, const struct bus_msg *m, uint64_t lost)
{
    struct state *s = arg;
    struct view rest = m->topic;
    struct ipbx *ipbx;

    buf_reset(&s->scratch);
    if (topic_next(&rest, NULL) < 0 || topic_next(&rest, &s->scratch) < 0)
        return;
    ipbx = state_ipbx(s, buf_view(&s->scratch));
    if (!ipbx || !gateways_is_owner(ipbx, m) ||
        (lost == 0 && (ipbx->epoch == 0 || !ipbx->model->resynced)))
        return;
    log_warning(s->log, "%llu events of %.*s are missing: asking for a resync",
                (unsigned long long)lost, VIEW_ARG(m->source));
    resync_ask(s, ipbx);
}

const struct bus_sub_handler events_handler = {on_message, on_gap};
