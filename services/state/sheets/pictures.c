#include "sheets/pictures.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "core/context.h"
#include "core/remote_lists.h"
#include "http/fetch.h"
#include "sheets/format.h"
#include "sheets/rules.h"
#include "json/json.h"

#define MAX_KEPT 256
#define KEPT_US UINT64_C(300000000)
#define MAX_WAITING 64 /* pictures under way */
#define MAX_SHEETS 16  /* that wait for one: what comes then is sent without */

/* One that was fetched; empty: there is none. */
struct picture {
    uint64_t until; /* monotonic us */
    char key[256];  /* IPBX NUL user */
    size_t key_len;
    char *base64;
};

/* One that is being fetched. */
struct wait {
    LIST_ENTRY(wait) all;
    uint64_t serial;
    TAILQ_HEAD(, sheet) sheets;
    size_t n;
};

struct pictures {
    struct state *s;
    struct fetcher *fetcher;
    struct map *kept; /* key -> struct picture */
    LIST_HEAD(, wait) waits;
    size_t n_waits;
    uint64_t serial;
    pictures_send_fn *send;
    void *arg;
    char reason[96]; /* that was logged last */
};

/* ---- what is kept ---- */

static void picture_free(struct pictures *p, struct picture *k)
{
    map_del(p->kept, view_of(k->key, k->key_len));
    free(k->base64);
    free(k);
}

static void forget(struct pictures *p, uint64_t now)
{
    size_t pos = 0;
    void *v;

    while (map_next(p->kept, &pos, NULL, &v))
        if (((struct picture *)v)->until <= now)
            picture_free(p, v);
}

static struct view key_of(const struct sheet *sheet, char out[256])
{
    struct view ipbx = xod_ipbx_name(sheet->ipbx);
    struct view user = sheet_value(sheet, "userid");
    int n = snprintf(out, 256, "%.*s%c%.*s", VIEW_ARG(ipbx), '\0', VIEW_ARG(user));

    return view_of(out, n > 0 && n < 256 ? (size_t)n : 0);
}

static struct picture *find(struct pictures *p, struct view key)
{
    struct picture *k = map_get(p->kept, key);

    return k && k->until > clock_mono_us() ? k : NULL;
}

static void keep(struct pictures *p, struct view key, const char *base64)
{
    struct picture *k = map_get(p->kept, key);

    if (k)
        picture_free(p, k);
    forget(p, clock_mono_us());
    if (map_count(p->kept) >= MAX_KEPT || key.len == 0)
        return;
    k = calloc(1, sizeof(*k));
    if (!k)
        return;
    memcpy(k->key, key.ptr, key.len);
    k->key_len = key.len;
    k->until = clock_mono_us() + KEPT_US;
    k->base64 = view_dup(view_cstr(base64));
    if (!k->base64 || map_put(p->kept, view_of(k->key, k->key_len), k) < 0) {
        free(k->base64);
        free(k);
    }
}

/* ---- fetching ---- */

/* In the thread. */
static const char *read_picture(struct fetch *f, struct view bytes)
{
    char *text;

    if (bytes.len == 0)
        return "is empty";
    text = malloc(4 * ((bytes.len + 2) / 3) + 1);
    if (!text)
        return "out of memory";
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    f->made = text;
    return NULL;
}

static struct fetch *make_fetch(struct pictures *p, const char *form, const struct sheet *sheet)
{
    struct fetch *f = NULL;
    struct buf url;

    buf_init(&url, 65536);
    sheet_format(&url, sheet->values, view_cstr(form), view_of(NULL, 0), true);
    if (!url.failed && buf_cstr(&url))
        f = remote_fetch_new(p->s->cfg, buf_cstr(&url), PICTURES_MAX_BYTES);
    buf_free(&url);
    if (!f)
        return NULL;
    f->deadline_us = clock_mono_us() + (uint64_t)f->silence_s * 1000000;
    f->accept = "image/*";
    f->read = read_picture;
    f->made_free = free;
    return f;
}

static void give(struct pictures *p, struct sheet *sheet, const char *base64)
{
    struct json_object *xivo = json_get(sheet->values, "xivo");

    if (*base64 && xivo)
        json_object_object_add(xivo, "callerpicture", json_object_new_string(base64));
    p->send(p->arg, sheet);
}

static void told(struct pictures *p, const struct fetch *f)
{
    if (f->end != FETCH_FAILED || strcmp(p->reason, f->reason) == 0)
        return;
    snprintf(p->reason, sizeof(p->reason), "%s", f->reason);
    log_warning(p->s->log,
                "ctibus.sheets.picture_url: %s%s%s%s: sheets are sent without the picture of the "
                "caller",
                f->reason, *f->detail ? " (" : "", f->detail, *f->detail ? ")" : "");
}

static void on_fetched(void *arg, struct fetch *f)
{
    struct pictures *p = arg;
    const char *base64 = f->end == FETCH_NEW && f->made ? f->made : "";
    struct wait *w;
    struct sheet *sheet;
    char key[256];

    told(p, f);
    LIST_FOREACH(w, &p->waits, all)
    if (w->serial == f->serial)
        break;
    keep(p, key_of(TAILQ_FIRST(&w->sheets), key), base64);
    LIST_REMOVE(w, all);
    p->n_waits--;
    while ((sheet = TAILQ_FIRST(&w->sheets))) {
        TAILQ_REMOVE(&w->sheets, sheet, waiting);
        give(p, sheet, base64);
    }
    free(w);
    fetch_destroy(&f);
}

static bool begin(struct pictures *p, const char *form, struct sheet *sheet)
{
    struct wait *w = p->n_waits < MAX_WAITING ? calloc(1, sizeof(*w)) : NULL;
    struct fetch *f = NULL;
    int err;

    if (w && !p->fetcher)
        p->fetcher = fetcher_new(p->s->loop, on_fetched, p, &err);
    if (w && p->fetcher)
        f = make_fetch(p, form, sheet);
    if (!f) {
        free(w);
        return false;
    }
    w->serial = f->serial = ++p->serial;
    TAILQ_INIT(&w->sheets);
    TAILQ_INSERT_TAIL(&w->sheets, sheet, waiting);
    w->n = 1;
    LIST_INSERT_HEAD(&p->waits, w, all);
    p->n_waits++;
    fetcher_ask_take(p->fetcher, f);
    return true;
}

/* ---- sheets ---- */

static struct wait *wait_of_channel(const struct pictures *p, const struct sheet *sheet)
{
    struct wait *w;
    const struct sheet *other;

    LIST_FOREACH(w, &p->waits, all)
    TAILQ_FOREACH(other, &w->sheets, waiting)
    if (other->ipbx == sheet->ipbx &&
        view_eq(sheet_value(other, "channel"), sheet_value(sheet, "channel")))
        return w;
    return NULL;
}

bool pictures_take(struct pictures *p, struct sheet *sheet)
{
    const char *form = config_str(p->s->cfg, "ctibus.sheets.picture_url");
    struct wait *w = wait_of_channel(p, sheet);
    struct picture *known;
    char key[256];

    if (w && w->n < MAX_SHEETS) {
        TAILQ_INSERT_TAIL(&w->sheets, sheet, waiting);
        w->n++;
        return true;
    }
    if (w || !form || sheet_value(sheet, "userid").len == 0 ||
        !rules_display_names(sheet->display, VIEW("xivo"), VIEW("callerpicture")))
        return false;
    known = find(p, key_of(sheet, key));
    if (!known)
        return begin(p, form, sheet);
    if (*known->base64)
        json_object_object_add(json_get(sheet->values, "xivo"), "callerpicture",
                               json_object_new_string(known->base64));
    return false;
}

/* ---- lifecycle ---- */

struct pictures *pictures_new(struct state *s, pictures_send_fn *send, void *arg)
{
    struct pictures *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->s = s;
    p->send = send;
    p->arg = arg;
    LIST_INIT(&p->waits);
    p->kept = map_new();
    if (!p->kept)
        pictures_destroy(&p);
    return p;
}

void pictures_destroy(struct pictures **pp)
{
    struct pictures *p = pp ? *pp : NULL;
    struct wait *w;
    struct sheet *sheet;

    if (!p)
        return;
    *pp = NULL;
    fetcher_destroy(&p->fetcher);
    while ((w = LIST_FIRST(&p->waits))) {
        LIST_REMOVE(w, all);
        while ((sheet = TAILQ_FIRST(&w->sheets))) {
            TAILQ_REMOVE(&w->sheets, sheet, waiting);
            sheet_destroy(&sheet);
        }
        free(w);
    }
    if (p->kept)
        forget(p, UINT64_MAX);
    map_destroy(&p->kept);
    free(p);
}
