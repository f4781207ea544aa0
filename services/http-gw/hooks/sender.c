#include "hooks/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/netaddr.h"
#include "base/queue.h"

#define CONNECT_MS 5000L
#define WHOLE_MS 10000L
#define MAX_ANSWER 65536 /* bytes of an answer, of which only the status counts */
#define MAX_CONNECTIONS 256L

struct sending {
    struct sender *of;
    CURL *easy;
    struct curl_slist *headers;
    sending_fn *done;
    void *arg;
    bool may_be_private, refused;
    size_t answered;
    char error[CURL_ERROR_SIZE];
    LIST_ENTRY(sending) all;
};

/* What libcurl wants to know of a socket. */
struct watch {
    struct event event;
    LIST_ENTRY(watch) all;
};

struct sender {
    struct loop *loop;
    CURLM *multi;
    char *ca;
    struct netlist private;
    struct loop_timer *timer;
    LIST_HEAD(sending_list, sending) all;
    LIST_HEAD(watch_list, watch) watches;
};

/* ---- which addresses ---- */

static const char *const private_networks[] = {
    "0.0.0.0/8",     "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
    "::/127",        "64:ff9b::/96", "100::/64",       "2002::/16",     "fc00::/7",
    "fe80::/10",     "ff00::/8",
};

static int read_networks(struct netlist *list)
{
    struct network net;
    const char *why;

    for (size_t i = 0; i < ARRAY_SIZE(private_networks); i++)
        if (network_parse(view_cstr(private_networks[i]), &net, &why) < 0 ||
            netlist_add(list, &net) < 0)
            return -ENOMEM;
    return 0;
}

static bool may_reach(struct sending *one, const struct netaddr *address)
{
    one->refused = !one->may_be_private && netlist_has(&one->of->private, address);
    return !one->refused;
}

/* Here the address is known that it connects to, whatever the name server said before. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct sending *one = arg;
    struct netaddr address;

    if (purpose != CURLSOCKTYPE_IPCXN || netaddr_of(&to->addr, &address, NULL) < 0 ||
        !may_reach(one, &address)) {
        one->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* And here that of a connection that was made for another one, before anything is sent. */
static int on_connected(void *arg, char *to, char *from, int to_port, int from_port)
{
    struct sending *one = arg;
    struct netaddr address;

    (void)from;
    (void)to_port;
    (void)from_port;
    return netaddr_parse(view_cstr(to), &address) == 0 && may_reach(one, &address)
               ? CURL_PREREQFUNC_OK
               : CURL_PREREQFUNC_ABORT;
}

/* ---- ends ---- */

static void sending_free(struct sending *one)
{
    LIST_REMOVE(one, all);
    curl_multi_remove_handle(one->of->multi, one->easy);
    curl_easy_cleanup(one->easy);
    curl_slist_free_all(one->headers);
    free(one);
}

static void finish(struct sending *one, CURLcode rc)
{
    sending_fn *done = one->done;
    void *arg = one->arg;
    char why[CURL_ERROR_SIZE + 32];
    long status = 0;

    curl_easy_getinfo(one->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(why, sizeof(why), "%s",
             one->refused ? "its address is private, and its host is not in ctibus.webhook_hosts"
             : rc == CURLE_OK ? ""
             : *one->error    ? one->error
                              : curl_easy_strerror(rc));
    if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && status > 0))
        status = 0;
    sending_free(one);
    done(arg, status, why);
}

static void take_finished(struct sender *s)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(s->multi, &left))) {
        struct sending *one = NULL;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&one);
        finish(one, m->data.result);
    }
}

/* ---- the loop ---- */

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct sender *s = arg;
    int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    loop_busy(s->loop);
    curl_multi_socket_action(s->multi, fd, flags, &running);
    take_finished(s);
}

static void on_timer(void *arg)
{
    struct sender *s = arg;
    int running;

    curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_finished(s);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct sender *s = arg;

    (void)multi;
    if (ms < 0)
        loop_timer_stop(s->timer);
    else
        loop_timer_start(s->timer, (uint32_t)ms, false);
    return 0;
}

static void watch_free(struct watch *w)
{
    event_del(&w->event);
    LIST_REMOVE(w, all);
    free(w);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct sender *s = arg;
    struct watch *w = known;
    short kind = EV_PERSIST;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            watch_free(w);
        curl_multi_assign(s->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof(*w));
        if (!w)
            return -1;
        LIST_INSERT_HEAD(&s->watches, w, all);
        curl_multi_assign(s->multi, fd, w);
    } else {
        event_del(&w->event);
    }
    kind |= what & CURL_POLL_IN ? EV_READ : 0;
    kind |= what & CURL_POLL_OUT ? EV_WRITE : 0;
    event_assign(&w->event, loop_base(s->loop), fd, kind, on_socket, s);
    return event_add(&w->event, NULL);
}

/* ---- sending ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct sending *one = arg;

    (void)data;
    one->answered += size * n;
    return one->answered > MAX_ANSWER ? 0 : size * n;
}

static int set_headers(struct sending *one, const char *const *headers)
{
    for (; *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(one->headers, *headers);
        if (!longer)
            return -ENOMEM;
        one->headers = longer;
    }
    return 0;
}

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(one->easy, (option), (value)))

static CURLcode set_options(struct sending *one, const struct sending_request *rq)
{
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_URL, rq->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_USERAGENT, "ctibus/" CTIBUS_VERSION);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.len);
    SET(CURLOPT_POSTFIELDS, rq->body.ptr);
    SET(CURLOPT_HTTPHEADER, one->headers);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, one);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, one);
    SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, WHOLE_MS);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_ERRORBUFFER, one->error);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, one);
    SET(CURLOPT_PRIVATE, one);
    if (one->of->ca) { /* instead of the system's store, not beside it */
        SET(CURLOPT_CAINFO, one->of->ca);
        SET(CURLOPT_CAPATH, NULL);
    }
    return rc;
}

#undef SET

struct sending *sender_send(struct sender *s, const struct sending_request *rq, sending_fn *done,
                            void *arg)
{
    struct sending *one = calloc(1, sizeof(*one));

    if (!one)
        return NULL;
    one->of = s;
    one->done = done;
    one->arg = arg;
    one->may_be_private = rq->may_be_private;
    one->easy = curl_easy_init();
    if (!one->easy || set_headers(one, rq->headers) < 0 || set_options(one, rq) != CURLE_OK ||
        curl_multi_add_handle(s->multi, one->easy) != CURLM_OK) {
        curl_easy_cleanup(one->easy);
        curl_slist_free_all(one->headers);
        free(one);
        return NULL;
    }
    LIST_INSERT_HEAD(&s->all, one, all);
    return one;
}

/* ---- lifecycle ---- */

static bool set_up(struct sender *s)
{
    s->multi = curl_multi_init();
    s->timer = loop_timer_new(s->loop, on_timer, s);
    return s->multi && s->timer && read_networks(&s->private) == 0 &&
           curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) == CURLM_OK &&
           curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s) == CURLM_OK &&
           curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
           curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s) == CURLM_OK &&
           curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, MAX_CONNECTIONS) == CURLM_OK;
}

struct sender *sender_new(struct loop *loop, const char *ca)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->loop = loop;
    LIST_INIT(&s->all);
    LIST_INIT(&s->watches);
    s->ca = ca ? view_dup(view_cstr(ca)) : NULL;
    if ((ca && !s->ca) || !set_up(s))
        sender_destroy(&s);
    return s;
}

void sender_destroy(struct sender **sp)
{
    struct sender *s = sp ? *sp : NULL;

    if (!s)
        return;
    *sp = NULL;
    while (!LIST_EMPTY(&s->all))
        sending_free(LIST_FIRST(&s->all));
    if (s->multi)
        curl_multi_cleanup(s->multi);
    while (!LIST_EMPTY(&s->watches))
        watch_free(LIST_FIRST(&s->watches));
    loop_timer_destroy(&s->timer);
    netlist_clear(&s->private);
    free(s->ca);
    free(s);
}
