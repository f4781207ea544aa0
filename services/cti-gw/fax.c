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
#include "fax_impl.h"

#define MAX_FAXES 200
#define MAX_OF_CLIENT 3 /* on their way to us; and of those on their way out: */
#define MAX_SENDING 20
#define MAX_WORKERS 2
#define PREFIX "ctibus-fax-"
#define ARRIVE_US 30000000u /* from the announcement to the wish, and between any two bytes */
/* From the wish to the first bytes: a client that waits for the answer sends at once. */
#define EXPECTED_US 10000000u
/* The same where another gateway looks after it, and would tell. */
#define ELSEWHERE_US 600000000u
#define OLD_S 7200         /* a file that nobody has removed for so long is left over */
#define LOOK_US 600000000u /* how often such are looked for */
#define SEND_MS 3600000    /* state gives up before */

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

void fax_close_file(struct fax *x)
{
    if (x->file)
        fclose(x->file);
    x->file = NULL;
    EVP_ENCODE_CTX_free(x->base64);
    x->base64 = NULL;
}

/* The Asterisk may be reading it, or the gateway that it was handed to. */
static void leave_file(struct fax *x)
{
    x->tiff[0] = '\0';
    if (x->guest)
        x->pdf[0] = '\0';
}

void fax_free(struct fax *x)
{
    fax_withdraw(x);
    LIST_REMOVE(x, all);
    x->of->n--;
    if (x->conversion) {
        convert_cancel(&x->conversion);
        x->of->workers--;
    }
    if (x->asked)
        bus_ask_cancel(x->of->g->bus_client, x->asked);
    if (x->source)
        x->source->fax = NULL;
    fax_close_file(x);
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
void fax_give_up(struct fax *x, const char *reason)
{
    if (x->guest) {
        fax_hand_over(x, reason);
        return;
    }
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
        fax_give_up(x, status == BUS_unallowed ? "unallowed" : "AMI");
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
    if (bus_client_is_up(g->bus_client))
        x->asked =
            bus_ask(g->bus_client, METHOD_command, 3, buf_view(&g->pairs), SEND_MS, on_sent, x);
    if (!x->asked)
        fax_give_up(x, "AMI");
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
        fax_give_up(x, "convert-pdftif");
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
    fax_give_up(x, "convert-pdftif");
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

void fax_is_here(struct fax *x, size_t bytes)
{
    x->state = WAITING;
    if (bytes == 0) {
        fax_give_up(x, "fileempty");
    } else if (!is_pdf(x)) {
        fax_give_up(x, "filetype");
    } else {
        tell(x, "faxsend", "step", "file_decoded", NULL);
        convert_next(x->of);
    }
}

void fax_received(struct fax *x)
{
    unsigned char rest[64];
    int n = 0;
    bool whole = EVP_DecodeFinal(x->base64, rest, &n) >= 0 && fflush(x->file) == 0;

    if (x->source) {
        x->source->fax = NULL;
        x->source = NULL;
    }
    fax_close_file(x);
    if (!whole)
        fax_give_up(x, "unknown");
    else if (x->guest)
        fax_hand_over(x, NULL);
    else
        fax_is_here(x, x->bytes);
}

/* 0, or what is wrong. */
const char *fax_decode(struct fax *x, struct view in)
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

bool fax_open_file(struct fax *x)
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
    return coming < MAX_OF_CLIENT && sending < MAX_SENDING;
}

struct fax *fax_new(struct faxes *f)
{
    struct fax *x = f->n < MAX_FAXES ? calloc(1, sizeof(*x)) : NULL;

    if (!x)
        return NULL;
    x->of = f;
    x->state = EXPECTED;
    x->since = clock_mono_us();
    LIST_INSERT_HEAD(&f->list, x, all);
    f->n++;
    return x;
}

void fax_name_files(struct fax *x)
{
    snprintf(x->pdf, sizeof(x->pdf), "%.400s/" PREFIX "%s.pdf", x->of->opt.spool, x->id);
    snprintf(x->tiff, sizeof(x->tiff), "%.400s/" PREFIX "%s.tif", x->of->opt.spool, x->id);
}

struct fax *fax_announce(struct faxes *f, struct client *c, struct view destination,
                         struct view hide, const char **why)
{
    char number[sizeof(((struct fax *)0)->number)];
    struct fax *x;

    *why = "busy";
    if (!has_room(f, c->session))
        return NULL;
    if (!dialled_digits(destination, number, sizeof(number))) {
        *why = "destination";
        return NULL;
    }
    x = fax_new(f);
    if (!x)
        return NULL;
    x->state = ANNOUNCED;
    x->session = c->session;
    memcpy(x->peer, c->peer, sizeof(x->peer));
    memcpy(x->number, number, sizeof(number));
    snprintf(x->hide, sizeof(x->hide), "%.*s", (int)(hide.len > 7 ? 7 : hide.len),
             hide.len ? hide.ptr : "");
    rng_alnum(x->id, ID_LEN);
    fax_name_files(x);
    return x;
}

const char *fax_id(const struct fax *x)
{
    return x->id;
}

bool fax_take(struct fax *x, struct view base64)
{
    const char *wrong = fax_open_file(x) ? fax_decode(x, base64) : "exists-pathspool";

    if (wrong)
        fax_give_up(x, wrong);
    else
        fax_received(x);
    return !wrong;
}

size_t faxes_unsent(const struct faxes *f)
{
    const struct fax *x;
    size_t n = 0;

    LIST_FOREACH(x, &f->list, all)
    n += x->state >= RECEIVING && x->state < SENDING;
    return n;
}

/* How long it may stay as it is; 0: for ever. */
static uint64_t patience(const struct fax *x)
{
    if (x->state == ELSEWHERE)
        return ELSEWHERE_US;
    if (x->state == EXPECTED)
        return EXPECTED_US;
    return x->state <= RECEIVING ? ARRIVE_US : 0;
}

void faxes_tick(struct faxes *f, uint64_t now_us)
{
    struct fax *x, *next;

    if (now_us - f->looked > LOOK_US) {
        f->looked = now_us;
        remove_old(f);
    }

    LIST_FOREACH_SAFE(x, &f->list, all, next)
    if (patience(x) && now_us - x->since > patience(x)) {
        struct client *source = x->source;
        fax_give_up(x, "filenotfound");
        if (source)
            client_close(source, "no fax came");
    }
}

/* Base64 is four bytes for three; the rest of the message is short. */
size_t fax_max_line(const struct gateway *g)
{
    return g->opt.fax.max_bytes / 3 * 4 + 65536;
}
