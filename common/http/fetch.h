/*
 * Fetching over HTTP and HTTPS, JSON arrays or other texts: a thread of its own with libcurl,
 * beside the loop.
 *
 * The loop asks; a callback on the loop gets each fetch back when it is over. In between it belongs
 * to the thread: nothing of a fetch is ever seen by both. FETCH_AT_ONCE run at a time, the others
 * wait in the order in which they were asked for. The thread also parses what came and writes the
 * copy on disk, since either takes its time.
 *
 * Certificates are verified. At most five redirects are followed, none to another protocol than
 * HTTP and HTTPS and none back from HTTPS to HTTP. No proxy, no cookies, nothing from the
 * environment. curl_global_init must have been called by the program.
 */
#ifndef CTIBUS_HTTP_FETCH_H
#define CTIBUS_HTTP_FETCH_H

#include <json-c/json.h>
#include <sys/queue.h>

#include "base/view.h"
#include "loop/loop.h"

#define FETCH_AT_ONCE 4

enum fetch_end {
    FETCH_NEW,    /* `list` is what came */
    FETCH_SAME,   /* the server says that what is known (etag, modified) is still so */
    FETCH_FAILED, /* reason and detail */
};

/* One fetch. All that it points at is its own. */
struct fetch {
    /* asked; all but uri may be NULL */
    char *uri;
    char *etag, *modified; /* of the copy that is known; afterwards: of what came */
    char *ca;              /* file (PEM) to believe; NULL: the system's store */
    char *copy;            /* file to write what came to (http/copy.h) */
    uint64_t serial;       /* the caller's: comes back unchanged */
    uint32_t silence_s;    /* that connecting may take, and that the server may be silent */
    size_t max_bytes;
    uint64_t deadline_us; /* by clock_mono_us, also for one that waits; 0: 5 min from its begin */
    /* Makes something of the text in the thread, puts it into `made`, and gives what is wrong in
     * words, or NULL. NULL: the text is a JSON array, which becomes `list`. */
    const char *(*read)(struct fetch *f, struct view text);
    int read_arg;       /* for `read` */
    const char *accept; /* the type that is asked for, a constant; NULL: JSON */

    /* what came of it */
    enum fetch_end end;
    struct json_object *list; /* an array */
    void *made;               /* by `read`; freed with the fetch by made_free */
    void (*made_free)(void *made);
    long status;      /* of HTTP; 0: there was no answer */
    char reason[96];  /* the same words for the same fault */
    char detail[256]; /* more about it, or empty; never a part of the URI before its @ */
    int copy_error;   /* a negative errno when the copy could not be written */

    STAILQ_ENTRY(fetch) link; /* the fetcher's */
};

/* A fetch of `uri` (copied) with nothing else set; NULL without memory. */
struct fetch *fetch_new(const char *uri);
void fetch_destroy(struct fetch **f);
/* Makes it one that has failed. */
void fetch_fail(struct fetch *f, const char *reason, const char *detail);

typedef void fetch_fn(void *arg, struct fetch *f);

struct fetcher;
/* Starts the thread. done(arg, f) is called on the loop and takes f over; it must not destroy the
 * fetcher. NULL and *err on failure. */
struct fetcher *fetcher_new(struct loop *loop, fetch_fn *done, void *arg, int *err);
/* Ends what is under way without a callback, and the thread. Waits for the thread: for nothing but
 * a text that is being parsed or written. */
void fetcher_destroy(struct fetcher **f);
/* Takes `one` over. */
void fetcher_ask_take(struct fetcher *f, struct fetch *one);

#endif
