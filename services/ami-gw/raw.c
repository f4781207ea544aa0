/* Raw AMI events on the bus: only while there is a subscriber. They come over the gateway's
 * link, or, where filters hold some of them back there, over a link of their own: so a monitor
 * disturbs nothing. */
#include "bus/topic.h"
#include "internal.h"
#include "msg/msg.h"

/* ---- a link of their own ---- */

static void raw_link_up(void *arg, const char *banner)
{
    struct gateway *g = arg;

    log_info(g->log, "raw events of %s come over a second link", g->ipbx);
}

static void raw_link_down(void *arg, const char *reason)
{
}

static void raw_link_event(void *arg, const struct ami_block *b)
{
    raw_publish(arg, b);
}

static bool raw_link_want(void *arg, struct view event)
{
    return true;
}

static const struct link_handler raw_link_handler = {raw_link_up,   raw_link_down, raw_link_event,
                                                     raw_link_want, NULL,          NULL};

void raw_link_close(struct gateway *g)
{
    link_destroy(&g->raw_link);
    metrics_destroy(&g->raw_link_metrics);
}

/* Its counters are its own: those on /metrics are of the gateway's link. */
static void open_raw_link(struct gateway *g)
{
    if (g->raw_link)
        return;
    g->raw_link_metrics = metrics_new();
    g->raw_link = g->raw_link_metrics
                      ? link_clone(g->link, "raw", &raw_link_handler, g, g->raw_link_metrics)
                      : NULL;
    if (!g->raw_link) {
        log_error(g->log, "no memory for a link for raw events");
        raw_link_close(g);
    }
}

void raw_interest(struct gateway *g)
{
    bool wanted = bus_pub_wanted(g->pub, buf_view(&g->raw_prefix));

    if (wanted == g->raw_wanted)
        return;
    g->raw_wanted = wanted;
    log_info(g->log, "raw events of %s: %s", g->ipbx, wanted ? "on" : "off");
    if (!g->link || !link_is_up(g->link))
        return;
    if (wanted && g->filtered)
        open_raw_link(g);
    else if (!wanted)
        raw_link_close(g);
    filter_apply(g);
}

/* ---- events ---- */

/* True when no header before number i has its name (names without regard to case). */
static bool first_of_name(const struct ami_block *b, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (view_ieq(b->headers[j].name, b->headers[i].name))
            return false;
    return true;
}

static void put_values(struct gateway *g, const struct ami_block *b, struct view name)
{
    unsigned n = 0;

    while (ami_get_n(b, name, n).ptr)
        n++;
    if (n == 1) {
        tel_put_text(&g->body, ami_get_n(b, name, 0), g->charset);
        return;
    }
    msg_put_array(&g->body, n);
    for (unsigned i = 0; i < n; i++)
        tel_put_text(&g->body, ami_get_n(b, name, i), g->charset);
}

void raw_publish(struct gateway *g, const struct ami_block *b)
{
    size_t names = 0;
    size_t mark;

    if (g->standby)
        return;
    buf_reset(&g->topic);
    buf_append_view(&g->topic, buf_view(&g->raw_prefix));
    topic_put(&g->topic, b->name);
    buf_reset(&g->body);
    mark = msg_map_begin(&g->body);
    for (unsigned i = 0; i < b->n; i++) {
        if (!first_of_name(b, i))
            continue;
        tel_put_text(&g->body, b->headers[i].name, g->charset);
        put_values(g, b, b->headers[i].name);
        names++;
    }
    msg_map_end(&g->body, mark, names);
    if (!g->body.failed && !g->topic.failed)
        bus_pub_send(g->pub, buf_view(&g->topic), buf_view(&g->body));
}
