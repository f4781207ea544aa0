#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bus/topic.h"
#include "internal.h"
#include "msg/msg.h"

/* ---- publishing ---- */

static void on_translated(void *arg, const struct tel_out *t)
{
    struct gateway *g = arg;

    if (g->standby)
        return;
    buf_reset(&g->body);
    tel_out_body(&g->body, t, g->charset);
    if (g->body.failed)
        return;
    metric_add(g->translated, 1);
    bus_pub_send(g->pub, buf_view(&g->topics[t->event]), buf_view(&g->body));
}

static void publish_word(struct gateway *g, enum tel_event ev, enum tel_field f, struct view word)
{
    struct tel_out t;

    tel_out_init(&t, ev);
    tel_out_put(&t, f, word);
    on_translated(g, &t);
}

static void on_interest(void *arg, struct view prefix, bool on)
{
    struct gateway *g = arg;
    bool heard;

    if (!g->pub)
        return;
    raw_interest(g);
    heard = bus_pub_wanted(g->pub, buf_view(&g->topics[TEL_channel_new]));
    if (heard == g->heard)
        return;
    g->heard = heard;
    gateway_announce(g);
}

/* ---- state ---- */

static void on_registered(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct gateway *g = arg;

    if (status == BUS_not_found)
        log_error(g->log, "state knows no ipbx called %s: does it read the same configuration?",
                  g->ipbx);
    else if (status == BUS_busy)
        log_error(g->log, "state has too many gateways for %s already: stop some", g->ipbx);
}

/* Not before our events reach state: it answers by asking for a resync, which must not be lost. */
void gateway_announce(struct gateway *g)
{
    struct buf pairs;

    if (!g->heard || !g->bus_client || !bus_client_is_up(g->bus_client))
        return;
    buf_init(&pairs, 1024);
    msg_put_pair(&pairs, "kind", VIEW("ami"));
    msg_put_pair(&pairs, "ipbx", view_cstr(g->ipbx));
    msg_put_pair(&pairs, "banner", view_cstr(g->banner));
    msg_put_pair_u64(&pairs, "login", g->login);
    msg_put_pair_u64(&pairs, "epoch", bus_epoch(g->bus));
    msg_put_cstr(&pairs, "standby");
    msg_put_bool(&pairs, g->standby);
    bus_ask(g->bus_client, METHOD_worker_register, 6, buf_view(&pairs), 2000, on_registered, g);
    buf_free(&pairs);
}

static void on_state_up(void *arg, const msgpack_object *body)
{
    struct gateway *g = arg;

    log_notice(g->log, "state is there");
    gateway_announce(g);
}

static void on_state_down(void *arg)
{
    struct gateway *g = arg;

    g->resync_request = g->discover_request = 0;
    log_warning(g->log, "state is gone: events go on, nobody asks");
}

static const struct bus_client_handler client_handler = {on_state_up, on_state_down,
                                                         gateway_request};

/* ---- the link ---- */

#define LIST_RETRY_MS 5000  /* after a resync that Asterisk did not answer in time */
#define IDLE_FLUSH_MS 50    /* after so long nothing more is held back */
#define RELOAD_WAIT_MS 1000 /* a reload is told by many events */
/* An event of which a part is missing may be followed by many: the first has everything listed
 * soon, those after it at most once in this time. */
#define INCOMPLETE_SOON_MS 1000
#define INCOMPLETE_WAIT_MS 30000

static void on_idle_flush(void *arg)
{
    translator_flush(((struct gateway *)arg)->translator);
}

static void on_link_up(void *arg, const char *banner)
{
    struct gateway *g = arg;

    snprintf(g->banner, sizeof(g->banner), "%s", banner);
    g->login = clock_wall_us(); /* compared for equality only */
    g->listed = g->booted = g->resynced = false;
    g->shutdown = false;
    translator_reset(g->translator);
    filter_link_up(g);
    publish_word(g, TEL_link_up, TELF_banner, view_cstr(g->banner));
    gateway_announce(g); /* state then asks for a resync */
}

static void on_link_down(void *arg, const char *reason)
{
    struct gateway *g = arg;

    if (g->shutdown)
        reason = "Asterisk has stopped";
    g->login = 0;
    g->standby = false; /* the last gateway to log in takes over */
    g->again = false;
    g->filtered = false;
    raw_link_close(g);
    loop_timer_stop(g->again_soon);
    loop_timer_stop(g->again_later);
    resync_abort(g->resync);
    translator_reset(g->translator);
    publish_word(g, TEL_link_down, TELF_reason, view_cstr(reason));
    gateway_announce(g);
}

static void on_link_gone(void *arg)
{
    struct gateway *g = arg;

    log_warning(g->log, "%s: Asterisk is gone: its calls are taken for ended", g->ipbx);
    publish_word(g, TEL_link_gone, TELF_reason, VIEW("Connection refused"));
}

/* Events that are of use to the gateway itself. */
static bool is_ours(struct view event)
{
    return view_eq(event, VIEW("FullyBooted")) || view_eq(event, VIEW("Reload")) ||
           view_eq(event, VIEW("ChannelReload")) || view_eq(event, VIEW("Shutdown"));
}

static void on_own_event(struct gateway *g, const struct ami_block *b)
{
    if (ami_is_event(b, "Shutdown")) {
        g->shutdown = true;
        log_notice(g->log, "Asterisk goes down%s",
                   view_ieq(ami_get(b, "Restart"), VIEW("True")) ? ", and starts anew" : "");
        return;
    }
    if (ami_is_event(b, "FullyBooted"))
        g->booted = true;
    if (!ami_is_event(b, "ChannelReload")) /* modules may have come */
        filter_ask_commands(g);
    if (!g->listed)
        return;
    /* Modules were still being loaded when we listed, or something was configured anew. */
    if (ami_is_event(b, "FullyBooted"))
        gateway_resync(g);
    else
        loop_timer_start(g->again_soon, RELOAD_WAIT_MS, false);
}

static void on_event(void *arg, const struct ami_block *b)
{
    struct gateway *g = arg;

    if (g->raw_wanted && !g->filtered)
        raw_publish(g, b);
    if (is_ours(b->name))
        on_own_event(g, b);
    else if (!translator_event(g->translator, b->name, b, false))
        metric_add(g->unknown, 1);
    if (translator_holds_back(g->translator) && !loop_timer_running(g->idle_flush))
        loop_timer_start(g->idle_flush, IDLE_FLUSH_MS, false);
}

static bool want(void *arg, struct view event)
{
    struct gateway *g = arg;

    if ((g->raw_wanted && !g->filtered) || translator_knows(g->translator, event) || is_ours(event))
        return true;
    metric_add(g->unknown, 1);
    return false;
}

/* What was left out may be what a channel's end is known by. */
static void on_incomplete(void *arg)
{
    struct gateway *g = arg;
    uint64_t now = clock_mono_us();
    uint32_t wait = INCOMPLETE_SOON_MS;

    if (loop_timer_running(g->again_later))
        return;
    if (g->incomplete && now - g->incomplete < INCOMPLETE_WAIT_MS * UINT64_C(1000))
        wait = INCOMPLETE_WAIT_MS;
    g->incomplete = now;
    log_warning(g->log, "%s: a part of an event that is too long is left out: resync in %u s",
                g->ipbx, wait / 1000);
    loop_timer_start(g->again_later, wait, false);
}

static const struct link_handler link_handler = {on_link_up, on_link_down,  on_event,
                                                 want,       on_incomplete, NULL};

/* ---- resync ---- */

static void on_mark(void *arg, enum tel_event ev, const char *kind)
{
    publish_word(arg, ev, TELF_kind, view_cstr(kind));
}

static void on_item(void *arg, struct view name, const struct ami_block *b)
{
    struct gateway *g = arg;

    /* Of an extension without a hint. */
    if (b->kind == AMI_RESPONSE && ami_get(b, "Hint").ptr && !ami_get(b, "Hint").len)
        return;
    translator_event(g->translator, name, b, true);
}

static void on_bridge(void *arg, const struct ami_block *b)
{
    translator_bridge(((struct gateway *)arg)->translator, b);
}

static void on_relist(void *arg)
{
    translator_relist(((struct gateway *)arg)->translator);
}

static void on_resynced(void *arg, bool complete)
{
    gateway_resynced(arg, complete);
}

static void on_resync_due(void *arg)
{
    gateway_resync(arg);
}

static const struct resync_handler resync_handler = {on_mark, on_item, on_bridge, on_relist,
                                                     on_resynced};

/* ---- lifecycle ---- */

static void make_topics(struct gateway *g)
{
    for (int i = 0; i < TEL_EVENT_COUNT; i++) {
        buf_append_cstr(&g->topics[i], "tel/");
        topic_put(&g->topics[i], view_cstr(g->ipbx));
        buf_append_view(&g->topics[i], schema_tel_topic((enum tel_event)i));
    }
    buf_append_cstr(&g->raw_prefix, "ami/");
    topic_put(&g->raw_prefix, view_cstr(g->ipbx));
}

static size_t beat(void *arg, struct buf *pairs, bool *ready)
{
    struct gateway *g = arg;

    *ready = gateway_is_ready(g, NULL);
    msg_put_pair(pairs, "ipbx", view_cstr(g->ipbx));
    msg_put_pair(pairs, "link",
                 !g->login    ? VIEW("down")
                 : g->standby ? VIEW("standby")
                              : VIEW("up"));
    return 2;
}

static double late_answers(void *arg)
{
    struct gateway *g = arg;

    return g->link ? (double)actions_late_total(link_actions(g->link)) : 0;
}

static int open_bus(struct gateway *g, struct loop *loop, const struct gateway_options *opt,
                    struct metrics *metrics)
{
    struct link_options link = opt->link;
    int err = -ENOMEM;

    g->metrics = metrics;
    g->translated = metrics_add(metrics, METRIC_ami_translated, NULL);
    g->unknown = metrics_add(metrics, METRIC_ami_untranslated, NULL);
    g->late = metrics_callback(metrics, METRIC_ami_late_answers, NULL, late_answers, g);
    g->resyncs = metrics_add(metrics, METRIC_ami_resyncs, NULL);
    g->translator = translator_new(on_translated, g);
    g->capabilities = capabilities_new();
    g->requesters = requesters_new();
    if (!g->translated || !g->unknown || !g->late || !g->resyncs || !g->translator ||
        !g->capabilities || !g->requesters)
        return err;
    g->pub = bus_pub_new(g->bus, opt->publish, on_interest, g, &err);
    if (g->pub)
        g->bus_client = bus_client_new(g->bus, opt->request, "ami-gw", &client_handler, g, &err);
    if (!g->bus_client)
        return err;
    g->heart = bus_heartbeat_new(g->bus, g->pub, "ami-gw", beat, g);
    link.gone = on_link_gone;
    g->link = link_new(loop, &link, &link_handler, g, metrics, g->log);
    g->resync =
        g->link ? resync_new(g->link, opt->list_timeout_ms, &resync_handler, g, g->log) : NULL;
    if (gateway_discovery_new(g, opt->list_timeout_ms) < 0)
        return err;
    g->retry = loop_timer_new(loop, on_resync_due, g);
    g->idle_flush = loop_timer_new(loop, on_idle_flush, g);
    g->again_soon = loop_timer_new(loop, on_resync_due, g);
    g->again_later = loop_timer_new(loop, on_resync_due, g);
    return g->heart && g->resync && g->retry && g->idle_flush && g->again_soon && g->again_later
               ? 0
               : -ENOMEM;
}

struct gateway *gateway_new(struct loop *loop, struct bus *bus, const struct gateway_options *opt,
                            struct metrics *metrics, struct log *log, int *err)
{
    struct gateway *g = calloc(1, sizeof(*g));

    *err = -ENOMEM;
    if (!g)
        return NULL;
    g->bus = bus;
    g->log = log;
    g->charset = opt->charset;
    g->list_retry_ms = opt->list_retry_ms ? opt->list_retry_ms : LIST_RETRY_MS;
    g->ipbx = view_dup(view_cstr(opt->ipbx));
    for (int i = 0; i < TEL_EVENT_COUNT; i++)
        buf_init(&g->topics[i], 1024);
    buf_init(&g->raw_prefix, 1024);
    buf_init(&g->topic, 4096);
    buf_init(&g->body, 0);
    if (g->ipbx) {
        make_topics(g);
        *err = open_bus(g, loop, opt, metrics);
        if (*err == 0)
            return g;
    }
    gateway_destroy(&g);
    return NULL;
}

void gateway_stop(struct gateway *g)
{
    raw_link_close(g);
    link_stop(g->link);
}

void gateway_destroy(struct gateway **gp)
{
    struct gateway *g = gp ? *gp : NULL;

    if (!g)
        return;
    *gp = NULL;
    raw_link_close(g);
    if (g->late) /* it asks us */
        metrics_remove(g->metrics, &g->late);
    link_destroy(&g->link);
    discovery_walk_destroy(&g->discovery);
    resync_destroy(&g->resync);
    loop_timer_destroy(&g->retry);
    loop_timer_destroy(&g->idle_flush);
    loop_timer_destroy(&g->again_soon);
    loop_timer_destroy(&g->again_later);
    bus_heartbeat_destroy(&g->heart);
    bus_client_destroy(&g->bus_client);
    bus_pub_destroy(&g->pub);
    translator_destroy(&g->translator);
    capabilities_destroy(&g->capabilities);
    requesters_destroy(&g->requesters);
    gateway_free_hints(g);
    for (int i = 0; i < TEL_EVENT_COUNT; i++)
        buf_free(&g->topics[i]);
    buf_free(&g->raw_prefix);
    buf_free(&g->topic);
    buf_free(&g->body);
    free(g->ipbx);
    free(g);
}

bool gateway_is_ready(const struct gateway *g, struct buf *why)
{
    bool complete = g->login && (g->resynced || g->standby);

    if (!complete && why)
        buf_append_cstr(why, g->login ? "Asterisk is being listed" : "not logged in to Asterisk");
    return complete && bus_client_is_ready(g->bus_client, why);
}
