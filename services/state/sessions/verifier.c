#include "sessions/verifier.h"

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/crypt_text.h"
#include "sessions/ldap_bind.h"

#define THREADS 2
#define MAX_WAITING 1000

struct check {
    char *user, *password, *hash;
    verifier_fn *done;
    void *arg;
    enum verdict verdict;
    STAILQ_ENTRY(check) next;
};
STAILQ_HEAD(checks, check);

struct verifier {
    struct ldap_bind *ldap; /* NULL: none; used by the threads, never changed */
    struct loop_wake *wake;
    pthread_t threads[THREADS];
    size_t n_threads;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct checks waiting, done; /* under the lock */
    size_t n_waiting;
    bool leaving;
};

static void check_free(struct check *c)
{
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(c->user);
    free(c->password);
    free(c->hash);
    free(c);
}

bool verifier_is_hash(struct view password)
{
    char *text = crypt_text_is_hash(password) ? view_dup(password) : NULL;
    bool is = text && crypt_checksalt(text) == CRYPT_SALT_OK;

    free(text);
    return is;
}

/* ---- on the threads ---- */

static enum verdict check_hash(const struct check *c, struct crypt_data *scratch)
{
    const char *made = crypt_r(c->password, c->hash, scratch);
    size_t n = strlen(c->hash);
    unsigned char differs = 0;

    if (!made || *made == '*' || strlen(made) != n)
        return VERDICT_WRONG;
    for (size_t i = 0; i < n; i++) /* in the same time wherever they differ */
        differs |= (unsigned char)(made[i] ^ c->hash[i]);
    return differs ? VERDICT_WRONG : VERDICT_RIGHT;
}

static void run(struct verifier *v, struct check *c)
{
    struct crypt_data *scratch;

    if (!c->hash) {
        c->verdict = ldap_bind_check(v->ldap, c->user, c->password);
        return;
    }
    scratch = calloc(1, sizeof(*scratch)); /* 32 KiB: too much for a stack */
    c->verdict = scratch ? check_hash(c, scratch) : VERDICT_UNKNOWN;
    if (scratch)
        explicit_bzero(scratch, sizeof(*scratch));
    free(scratch);
}

static void *work(void *arg)
{
    struct verifier *v = arg;

    pthread_mutex_lock(&v->lock);
    while (!v->leaving) {
        struct check *c = STAILQ_FIRST(&v->waiting);
        if (!c) {
            pthread_cond_wait(&v->more, &v->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&v->waiting, next);
        v->n_waiting--;
        pthread_mutex_unlock(&v->lock);
        run(v, c);
        pthread_mutex_lock(&v->lock);
        STAILQ_INSERT_TAIL(&v->done, c, next);
        loop_wake(v->wake);
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

/* ---- on the loop ---- */

static void on_done(void *arg)
{
    struct verifier *v = arg;
    struct checks done;
    struct check *c;

    STAILQ_INIT(&done);
    pthread_mutex_lock(&v->lock);
    STAILQ_CONCAT(&done, &v->done);
    pthread_mutex_unlock(&v->lock);
    while ((c = STAILQ_FIRST(&done))) {
        STAILQ_REMOVE_HEAD(&done, next);
        c->done(c->arg, c->verdict);
        check_free(c);
    }
}

bool verifier_has_ldap(const struct verifier *v)
{
    return v->ldap != NULL;
}

int verifier_check(struct verifier *v, struct view user, struct view password, const char *hash,
                   verifier_fn *done, void *arg)
{
    struct check *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->user = view_dup(user);
    c->password = view_dup(password);
    c->hash = hash ? view_dup(view_cstr(hash)) : NULL;
    c->done = done;
    c->arg = arg;
    if (!c->user || !c->password || (hash && !c->hash)) {
        check_free(c);
        return -ENOMEM;
    }
    pthread_mutex_lock(&v->lock);
    if (v->n_waiting >= MAX_WAITING) {
        pthread_mutex_unlock(&v->lock);
        check_free(c);
        return -ENOBUFS;
    }
    STAILQ_INSERT_TAIL(&v->waiting, c, next);
    v->n_waiting++;
    pthread_cond_signal(&v->more);
    pthread_mutex_unlock(&v->lock);
    return 0;
}

struct verifier *verifier_new(struct loop *loop, const struct ldap_options *ldap, struct log *log,
                              int *err)
{
    struct verifier *v = calloc(1, sizeof(*v));

    *err = -ENOMEM;
    if (!v)
        return NULL;
    STAILQ_INIT(&v->waiting);
    STAILQ_INIT(&v->done);
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->more, NULL);
    v->wake = loop_wake_new(loop, on_done, v, err);
    if (v->wake && ldap->uri) {
        v->ldap = ldap_bind_new(ldap, log);
        *err = v->ldap ? 0 : -ENOMEM;
    }
    while (*err == 0 && v->wake && v->n_threads < THREADS) {
        *err = -pthread_create(&v->threads[v->n_threads], NULL, work, v);
        v->n_threads += *err == 0;
    }
    if (*err < 0)
        verifier_destroy(&v);
    return v;
}

void verifier_destroy(struct verifier **vp)
{
    struct verifier *v = vp ? *vp : NULL;
    struct check *c;

    if (!v)
        return;
    *vp = NULL;
    pthread_mutex_lock(&v->lock);
    v->leaving = true;
    pthread_cond_broadcast(&v->more);
    pthread_mutex_unlock(&v->lock);
    while (v->n_threads > 0)
        pthread_join(v->threads[--v->n_threads], NULL);
    STAILQ_CONCAT(&v->waiting, &v->done);
    while ((c = STAILQ_FIRST(&v->waiting))) {
        STAILQ_REMOVE_HEAD(&v->waiting, next);
        check_free(c);
    }
    loop_wake_destroy(&v->wake);
    ldap_bind_destroy(&v->ldap);
    pthread_cond_destroy(&v->more);
    pthread_mutex_destroy(&v->lock);
    free(v);
}
