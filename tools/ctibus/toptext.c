/* `ctibus top` without a terminal. */
#include "topscreen.h"
#include "json/json.h"

static void text_rows(struct buf *out, const char *title, const struct top_rows *r)
{
    buf_printf(out, "%-48s %10s %12s %10s %10s %8s\n", title, "per s", "total", "lag ms",
               "worst ms", "lost");
    for (size_t i = 0; i < r->n; i++) {
        const struct top_row *row = r->list[i];
        buf_printf(out, "%-48s %10.1f %12llu %10.2f %10.2f %8llu\n", row->name, row->rate,
                   (unsigned long long)row->total, row->lag * 1000, row->worst * 1000,
                   (unsigned long long)row->lost);
    }
}

void top_put_text(struct buf *out, const struct toptable *t, double now)
{
    buf_printf(out, "%-48s %-7s %10s %s\n", "SERVICE", "ready", "up s", "says");
    for (size_t i = 0; i < t->n_services; i++) {
        const struct top_service *s = t->services[i];
        buf_printf(out, "%-48s %-7s %10.0f %s\n", s->name,
                   now - s->heard > 6 ? "silent"
                   : s->ready         ? "yes"
                                      : "no",
                   s->uptime, s->more);
    }
    text_rows(out, "SOURCE", &t->sources);
    text_rows(out, "TOPIC", &t->topics);
}

static void json_rows(struct buf *out, const struct top_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct top_row *row = r->list[i];
        buf_append_cstr(out, i ? ",{\"name\":" : "{\"name\":");
        json_put_string(out, view_cstr(row->name));
        buf_append_cstr(out, ",\"per_second\":");
        json_put_double(out, row->rate);
        buf_printf(out, ",\"total\":%llu,\"bytes\":%llu,\"lost\":%llu,\"lag\":",
                   (unsigned long long)row->total, (unsigned long long)row->bytes,
                   (unsigned long long)row->lost);
        json_put_double(out, row->lag);
        buf_append_cstr(out, ",\"lag_worst\":");
        json_put_double(out, row->worst);
        buf_append_char(out, '}');
    }
}

static void json_service(struct buf *out, const struct top_service *s, double now)
{
    buf_append_cstr(out, "{\"name\":");
    json_put_string(out, view_cstr(s->name));
    buf_append_cstr(out, ",\"version\":");
    json_put_string(out, view_cstr(s->version));
    buf_append_cstr(out, ",\"uptime\":");
    json_put_double(out, s->uptime);
    buf_append_cstr(out, ",\"silent\":");
    json_put_double(out, now - s->heard);
    buf_append_cstr(out, ",\"ready\":");
    json_put_bool(out, s->ready);
    buf_append_cstr(out, ",\"says\":");
    json_put_string(out, view_cstr(s->more));
    buf_append_char(out, '}');
}

void top_put_json(struct buf *out, const struct toptable *t, double now)
{
    buf_append_cstr(out, "{\"time\":");
    json_put_time(out, now);
    buf_printf(out, ",\"lost\":%llu,\"services\":[", (unsigned long long)t->lost);
    for (size_t i = 0; i < t->n_services; i++) {
        if (i)
            buf_append_char(out, ',');
        json_service(out, t->services[i], now);
    }
    buf_append_cstr(out, "],\"sources\":[");
    json_rows(out, &t->sources);
    buf_append_cstr(out, "],\"topics\":[");
    json_rows(out, &t->topics);
    buf_append_cstr(out, "]}");
}
