#include "fax.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dialled.h"
#include "base/rng.h"
#include "convert.h"

#define MAX_FAXES 200
#define MAX_OF_CLIENT 3 /* on their way to us; and of those on their way out: */
#define MAX_SENDING 20
#define MAX_WORKERS 2
#define PREFIX "ctibus-fax-"
#define ID_LEN 10
#define ARRIVE_US 30000000u /* from the announcement to the first bytes, and between any two */
#define OLD_S 7200          /* a file that nobody has removed for so long is left over */
#define LOOK_US 600000000u  /* how often such are looked for */
#define SEND_MS 3600000     /* state gives up before */

enum fax_state { ANNOUNCED, EXPECTED, RECEIVING, WAITING, CONVERTING, SENDING };

struct fax {
    LIST_ENTRY(fax) all;
    struct faxes *of;
    enum fax_state state;
    uint64_t since; /* when it last went on */
    uint64_t session;
    uint8_t peer[16]; /* address of the client */
    uint16_t port;    /* that the second connection comes from, as the client sees it; 0: unknown */
    struct client *source; /* the second connection, or NULL */
    char id[ID_LEN + 1], number[128], hide[8];
    char pdf[512], tiff[512];
    FILE *file;
    EVP_ENCODE_CTX *base64;
    size_t bytes;
    struct conversion *conversion;
    uint64_t asked;
};

struct faxes {
    struct gateway *g;
    struct gateway_fax opt;
    LIST_HEAD(, fax) list;
    size_t n, workers;
    uint64_t looked; /* for old files, when */
};

/* ---- life ---- */

/* Files of ours that are so old that no fax of a running gateway can need them. */
static void remove_old(struct faxes *f)
{
    DIR *dir = opendir(f->opt.spool);
    struct dirent *e;
    struct stat st;

    if (!dir)
        return;
    while ((e = readdir(dir)))
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0 &&
            fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime + OLD_S < (time_t)clock_wall())
            unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

struct faxes *faxes_new(struct gateway *g, const struct gateway_fax *opt)
{
    struct faxes *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->g = g;
    f->opt = *opt;
    LIST_INIT(&f->list);
    return f;
}

static void close_file(struct fax *x)
{
    if (x->file)
        fclose(x->file);
    x->file = NULL;
    EVP_ENCODE_CTX_free(x->base64);
    x->base64 = NULL;
}

/* The Asterisk may be reading it. */
static void leave_file(struct fax *x)
{
    x->tiff[0] = '\0';
}

static void fax_free(struct fax *x)
{
    LIST_REMOVE(x, all);
    x->of->n--;
    if (x->conversion) {
        convert_cancel(&x->conversion);
        x->of->workers--;
    }
    if (x->asked)
        bus_ask_cancel(x->of->g->asker, x->asked);
    if (x->source)
        x->source->fax = NULL;
    close_file(x);
    unlink(x->pdf);
    unlink(x->tiff);
    free(x);
}

void faxes_destroy(struct faxes **fp)
{
    struct fax *x;

    if (!fp || !*fp)
        return;
    while ((x = LIST_FIRST(&(*fp)->list))) {
        if (x->state == SENDING)
            leave_file(x);
        fax_free(x);
    }
    free(*fp);
    *fp = NULL;
}

/* ---- telling the client ---- */

static void tell(struct fax *x, const char *class, const char *key, const char *value,
                 const char *reason)
{
    struct gateway *g = x->of->g;
    struct client *c = map_get(g->by_session, view_of(&x->session, sizeof(x->session)));

    if (!c || c->phase != LIVE)
        return;
    buf_reset(&g->line);
    line_begin(&g->line, view_cstr(class), view_of(NULL, 0));
    buf_printf(&g->line, ",\"fileid\":\"%s\",\"%s\":\"%s\"", x->id, key, value);
    if (reason)
        buf_printf(&g->line, ",\"reason\":\"%s\"", reason);
    line_end(&g->line);
    client_send_line(c, &g->line);
}

/* It is over: said in the words of each generation of clients. */
static void give_up(struct fax *x, const char *reason)
{
    log_notice(x->of->g->log, "fax %s is given up: %s", x->id, reason);
    tell(x, "faxprogress", "status", "ko", reason);
    tell(x, "fax_progress", "status", "FAILED", reason);
    fax_free(x);
}

/* ---- sending ---- */

static void on_sent(void *arg, enum bus_status status, const msgpack_object *body)
{
    struct fax *x = arg;

    x->asked = 0;
    if (status == BUS_gone || status == BUS_timeout) { /* it may be under way all the same */
        leave_file(x);
        fax_free(x);
        return;
    }
    if (status != BUS_ok)
        give_up(x, status == BUS_unallowed ? "unallowed" : "AMI");
    else
        fax_free(x); /* state has told how it went */
}

static void send_it(struct fax *x)
{
    struct gateway *g = x->of->g;
    char name[64];

    x->state = SENDING;
    tell(x, "faxsend", "step", "file_converted", NULL);
    session_name(g, x->session, name);
    buf_reset(&g->pairs);
    msg_put_pair(&g->pairs, "session", view_cstr(name));
    msg_put_pair(&g->pairs, "class", VIEW("faxsend"));
    msg_put_cstr(&g->pairs, "message");
    msg_put_map(&g->pairs, 4);
    msg_put_pair(&g->pairs, "destination", view_cstr(x->number));
    msg_put_pair(&g->pairs, "hide", view_cstr(x->hide));
    msg_put_pair(&g->pairs, "path", view_cstr(x->tiff));
    msg_put_pair(&g->pairs, "fileid", view_cstr(x->id));
    if (bus_asker_is_up(g->asker))
        x->asked = bus_ask(g->asker, METHOD_command, 3, buf_view(&g->pairs), SEND_MS, on_sent, x);
    if (!x->asked)
        give_up(x, "AMI");
}

/* ---- converting ---- */

static void convert_next(struct faxes *f);

static void on_converted(void *arg, bool good)
{
    struct fax *x = arg;
    struct faxes *f = x->of;

    x->conversion = NULL;
    f->workers--;
    unlink(x->pdf);
    if (good)
        send_it(x);
    else
        give_up(x, "convert-pdftif");
    convert_next(f);
}

static void convert(struct fax *x)
{
    struct faxes *f = x->of;
    int err;

    x->state = CONVERTING;
    x->conversion =
        convert_start(f->g->loop, f->opt.ghostscript, x->pdf, x->tiff, on_converted, x, &err);
    if (x->conversion) {
        f->workers++;
        return;
    }
    log_error(f->g->log, "fax: cannot run %s: %s (ctibus.fax.ghostscript)", f->opt.ghostscript,
              strerror(-err));
    give_up(x, "convert-pdftif");
}

/* The one that has waited longest; what is new stands in front. */
static void convert_next(struct faxes *f)
{
    struct fax *x, *first = NULL;

    if (f->workers >= MAX_WORKERS)
        return;
    LIST_FOREACH(x, &f->list, all)
    if (x->state == WAITING)
        first = x;
    if (first)
        convert(first);
}

/* ---- receiving ---- */

static bool is_pdf(const struct fax *x)
{
    char head[5] = "";
    FILE *f = fopen(x->pdf, "rb");
    bool yes =
        f && fread(head, 1, sizeof(head), f) == sizeof(head) && memcmp(head, "%PDF-", 5) == 0;

    if (f)
        fclose(f);
    return yes;
}

static void received(struct fax *x)
{
    unsigned char rest[64];
    int n = 0;
    bool whole = EVP_DecodeFinal(x->base64, rest, &n) >= 0 && fflush(x->file) == 0;

    if (x->source) {
        x->source->fax = NULL;
        x->source = NULL;
    }
    close_file(x);
    x->state = WAITING;
    if (!whole) {
        give_up(x, "unknown");
    } else if (x->bytes == 0) {
        give_up(x, "fileempty");
    } else if (!is_pdf(x)) {
        give_up(x, "filetype");
    } else {
        tell(x, "faxsend", "step", "file_decoded", NULL);
        convert_next(x->of);
    }
}

/* 0, or what is wrong. */
static const char *decode(struct fax *x, struct view in)
{
    unsigned char out[4096];

    while (in.len) {
        size_t piece = in.len < 4096 ? in.len : 4096;
        int n = 0;
        if (EVP_DecodeUpdate(x->base64, out, &n, (const unsigned char *)in.ptr, (int)piece) < 0)
            return "unknown";
        x->bytes += (size_t)n;
        if (x->bytes > x->of->opt.max_bytes)
            return "filetoobig";
        if (n > 0 && fwrite(out, 1, (size_t)n, x->file) != (size_t)n)
            return "exists-pathspool";
        in = view_of(in.ptr + piece, in.len - piece);
    }
    return NULL;
}

static bool open_file(struct fax *x)
{
    int fd;

    if (x->file)
        return true;
    mkdir(x->of->opt.spool, 0770);
    fd = open(x->pdf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    x->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    x->base64 = EVP_ENCODE_CTX_new();
    if (x->file && x->base64) {
        EVP_DecodeInit(x->base64);
        return true;
    }
    if (fd < 0)
        log_error(x->of->g->log, "fax: cannot write to %s: %s (ctibus.fax.spool)", x->pdf,
                  strerror(errno));
    else if (!x->file)
        close(fd);
    return false;
}

/* ---- what clients ask for ---- */

/* May this session have another one? */
static bool has_room(const struct faxes *f, uint64_t session)
{
    const struct fax *x;
    size_t coming = 0, sending = 0;

    LIST_FOREACH(x, &f->list, all)
    {
        coming += x->session == session && x->state < SENDING;
        sending += x->session == session && x->state == SENDING;
    }
    return f->n < MAX_FAXES && coming < MAX_OF_CLIENT && sending < MAX_SENDING;
}

struct fax *fax_announce(struct faxes *f, struct client *c, struct view destination,
                         struct view hide, const char **why)
{
    struct fax *x;

    *why = "busy";
    if (!has_room(f, c->session) || !(x = calloc(1, sizeof(*x))))
        return NULL;
    x->of = f;
    x->session = c->session;
    memcpy(x->peer, c->peer, sizeof(x->peer));
    x->since = clock_mono_us();
    if (!dialled_digits(destination, x->number, sizeof(x->number))) {
        free(x);
        *why = "destination";
        return NULL;
    }
    rng_alnum(x->id, ID_LEN);
    snprintf(x->hide, sizeof(x->hide), "%.*s", (int)(hide.len > 7 ? 7 : hide.len),
             hide.len ? hide.ptr : "");
    snprintf(x->pdf, sizeof(x->pdf), "%.400s/" PREFIX "%s.pdf", f->opt.spool, x->id);
    snprintf(x->tiff, sizeof(x->tiff), "%.400s/" PREFIX "%s.tif", f->opt.spool, x->id);
    LIST_INSERT_HEAD(&f->list, x, all);
    f->n++;
    return x;
}

const char *fax_id(const struct fax *x)
{
    return x->id;
}

bool fax_take(struct fax *x, struct view base64)
{
    const char *wrong = open_file(x) ? decode(x, base64) : "exists-pathspool";

    if (wrong)
        give_up(x, wrong);
    else
        received(x);
    return !wrong;
}

static void attach(struct fax *x, struct client *c)
{
    x->source = c;
    x->state = RECEIVING;
    x->since = clock_mono_us();
    c->fax = x;
}

bool fax_expect(struct faxes *f, struct client *c, struct view id, uint16_t port)
{
    struct fax *x;
    struct client *other;

    LIST_FOREACH(x, &f->list, all)
    if (x->session == c->session && x->state == ANNOUNCED && view_eq(view_cstr(x->id), id))
        break;
    if (!x)
        return false;
    x->state = EXPECTED;
    x->port = port;
    x->since = clock_mono_us();
    LIST_FOREACH(other, &f->g->clients, all)
    if (other->phase == CONNECTED && !other->login && other->door == DOOR_CLEAR &&
        memcmp(other->peer, x->peer, sizeof(x->peer)) == 0 && other->port == port)
        break;
    if (!other)
        return true;
    if (!other->fax) {
        attach(x, other);
        return true;
    }
    /* Somebody else at this address has named it before. Whose it is nobody can say, and nothing
     * has come yet, since its owner waits for this answer: neither gets it. */
    give_up(other->fax, "filenotfound");
    give_up(x, "filenotfound");
    client_close(other, "two faxes name this connection");
    return false;
}

/* ---- the second connection ---- */

/* The only fax that is expected from this address, or NULL: there is none, or more than one. */
static struct fax *only_expected(const struct faxes *f, const struct client *c)
{
    struct fax *x, *only = NULL;

    LIST_FOREACH(x, &f->list, all)
    {
        if (x->state != EXPECTED || memcmp(x->peer, c->peer, sizeof(x->peer)) != 0)
            continue;
        if (only)
            return NULL;
        only = x;
    }
    return only;
}

/* The one that names the very port of this connection, or NULL. */
static struct fax *expected_here(const struct faxes *f, const struct client *c)
{
    struct fax *x;

    LIST_FOREACH(x, &f->list, all)
    if (x->state == EXPECTED && x->port == c->port &&
        memcmp(x->peer, c->peer, sizeof(x->peer)) == 0)
        return x;
    return NULL;
}

/* Only base64 can be the fax: neither a login nor a TLS handshake is taken for it. */
static bool is_base64(struct view in)
{
    const char c = in.ptr[0];

    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

bool fax_claims(struct faxes *f, struct client *c, struct view in)
{
    struct fax *x;

    if (c->fax)
        return true;
    if (LIST_EMPTY(&f->list) || c->login || c->phase != CONNECTED || c->door != DOOR_CLEAR)
        return false;
    /* It may have been announced before it was accepted here; and the port may be another one on
     * this side of a router. */
    x = expected_here(f, c);
    if (!x && is_base64(in))
        x = only_expected(f, c);
    if (x)
        attach(x, c);
    return x;
}

bool fax_data(struct client *c, struct view in)
{
    struct fax *x = c->fax;
    const char *end = memchr(in.ptr, '\n', in.len);
    const char *wrong;

    x->since = clock_mono_us();
    wrong = open_file(x) ? decode(x, end ? view_of(in.ptr, (size_t)(end - in.ptr)) : in)
                         : "exists-pathspool";
    if (wrong)
        give_up(x, wrong);
    else if (end)
        received(x);
    return wrong || end;
}

void fax_source_gone(struct client *c)
{
    struct fax *x = c->fax;

    if (!x)
        return;
    x->source = NULL;
    c->fax = NULL;
    if (x->file)
        received(x); /* the end of the connection ends the file, too */
    else
        give_up(x, "fileempty");
}

size_t faxes_unsent(const struct faxes *f)
{
    const struct fax *x;
    size_t n = 0;

    LIST_FOREACH(x, &f->list, all)
    n += x->state >= RECEIVING && x->state < SENDING;
    return n;
}

void faxes_tick(struct faxes *f, uint64_t now_us)
{
    struct fax *x = LIST_FIRST(&f->list);

    if (now_us - f->looked > LOOK_US) {
        f->looked = now_us;
        remove_old(f);
    }

    while (x) {
        struct fax *next = LIST_NEXT(x, all);
        if (x->state <= RECEIVING && now_us - x->since > ARRIVE_US) {
            struct client *source = x->source;
            give_up(x, "filenotfound");
            if (source)
                client_close(source, "no fax came");
        }
        x = next;
    }
}
