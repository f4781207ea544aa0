/* Raw AMI events on the bus: only while somebody subscribes to them. */
#include "bus/topic.h"
#include "internal.h"
#include "msg/msg.h"

/* What is asked of Asterisk while nobody listens to raw events: the classes that rows of the table
 * come from. Dialplan steps and variables, RTCP, CDR and DTMF stay away: three quarters of all.
 * Unlike filters, which Asterisk cannot take back, the mask can be changed at any time. */
#define CLASSES "system,call,agent,user,originate"

void raw_set_mask(struct gateway *g)
{
    struct ami_action aa;

    if (!g->link || !link_is_up(g->link))
        return;
    link_action(g->link, &aa, VIEW("Events"));
    ami_action_header(&aa, VIEW("EventMask"), g->raw_wanted ? VIEW("on") : VIEW(CLASSES));
    link_commit(g->link, &aa, false, ACTION_DEADLINE_MS, NULL, NULL, NULL);
}

void raw_interest(struct gateway *g)
{
    bool wanted = bus_pub_wanted(g->pub, buf_view(&g->raw_prefix));

    if (wanted == g->raw_wanted)
        return;
    g->raw_wanted = wanted;
    log_info(g->log, "raw events of %s: %s", g->ipbx, wanted ? "on" : "off");
    raw_set_mask(g);
}

static void put_text(struct gateway *g, struct view v)
{
    struct buf mended;

    buf_init(&mended, 4 * AMI_MAX_BLOCK);
    ami_text(&mended, v, g->charset);
    msg_put_str(&g->body, buf_view(&mended));
    buf_free(&mended);
}

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
        put_text(g, ami_get_n(b, name, 0));
        return;
    }
    msg_put_array(&g->body, n);
    for (unsigned i = 0; i < n; i++)
        put_text(g, ami_get_n(b, name, i));
}

void raw_publish(struct gateway *g, const struct ami_block *b)
{
    size_t names = 0;
    size_t mark;

    buf_reset(&g->topic);
    buf_append_view(&g->topic, buf_view(&g->raw_prefix));
    topic_put(&g->topic, b->name);
    buf_reset(&g->body);
    mark = msg_map_begin(&g->body);
    for (unsigned i = 0; i < b->n; i++) {
        if (!first_of_name(b, i))
            continue;
        put_text(g, b->headers[i].name);
        put_values(g, b, b->headers[i].name);
        names++;
    }
    msg_map_end(&g->body, mark, names);
    if (!g->body.failed && !g->topic.failed)
        bus_pub_send(g->pub, buf_view(&g->topic), buf_view(&g->body));
}
