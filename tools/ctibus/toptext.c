/* `ctibus top` without a terminal. */
#include "topscreen.h"
#include "json/json.h"

/* Behind the name: 44 columns. */
#define NUMBERS " %9.1f %9llu %8.2f %8.2f %5llu"
#define HEADINGS " %9s %9s %8s %8s %5s"

void top_put_heading(struct buf *out, int width, const char *title)
{
    buf_printf(out, "%-*s" HEADINGS, width, title, "per s", "total", "lag ms", "worst ms", "lost");
}

void top_put_row(struct buf *out, int width, const struct top_row *row)
{
    buf_printf(out, "%-*s" NUMBERS, width, row->name, row->rate, (unsigned long long)row->total,
               row->lag * 1000, row->worst * 1000, (unsigned long long)row->lost);
}

void top_put_service_heading(struct buf *out)
{
    buf_printf(out, "%-28s %-6s %8s %s", "SERVICE", "READY", "UP S", "SAYS");
}

bool top_put_service(struct buf *out, const struct top_service *s, double now)
{
    bool silent = now - s->heard > TOP_SILENT_S;

    buf_printf(out, "%-28s %-6s %8.0f %s", s->name,
               silent     ? "silent"
               : s->ready ? "yes"
                          : "no",
               s->uptime, s->more);
    return s->ready && !silent;
}

static void text_rows(struct buf *out, const char *title, const struct top_rows *r)
{
    top_put_heading(out, TOP_COLUMNS - TOP_NUMBERS, title);
    buf_append_char(out, '\n');
    for (size_t i = 0; i < r->n; i++) {
        top_put_row(out, TOP_COLUMNS - TOP_NUMBERS, r->list[i]);
        buf_append_char(out, '\n');
    }
}

void top_put_text(struct buf *out, const struct toptable *t, double now)
{
    top_put_service_heading(out);
    buf_append_char(out, '\n');
    for (size_t i = 0; i < t->n_services; i++) {
        top_put_service(out, t->services[i], now);
        buf_append_char(out, '\n');
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
