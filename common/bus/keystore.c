/*
 * zcertstore of czmq keeps the certificates. It does not read the directory itself: its own loader
 * aborts the process when two files have one key, compares times in seconds and sums of sizes only,
 * so that a changed role may go unseen, and says nothing of a file that is no certificate.
 */
#include "bus/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "bus/cert.h"

/* Certificates of a directory. */
#define MAX_CERTS 4096

struct keystore {
    char *path;
    pthread_mutex_t lock; /* of the store */
    zcertstore_t *store;
    atomic_uint_fast64_t version;
    /* of the thread that refreshes */
    uint64_t print; /* of what was read last */
    int failed;     /* why it could not be read; 0: it could */
};

/* A reading in progress. */
struct reading {
    const char *path;
    zcertstore_t *store;
    size_t n;
    struct log *log;
};

struct keystore *keystore_new(const char *path)
{
    struct keystore *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    pthread_mutex_init(&k->lock, NULL);
    k->store = zcertstore_new(NULL);
    k->path = path ? strdup(path) : NULL;
    if (!k->store || (path && !k->path))
        keystore_destroy(&k);
    return k;
}

void keystore_destroy(struct keystore **kp)
{
    struct keystore *k = kp ? *kp : NULL;

    if (!k)
        return;
    *kp = NULL;
    zcertstore_destroy(&k->store);
    pthread_mutex_destroy(&k->lock);
    free(k->path);
    free(k);
}

/* zcertstore_insert aborts where the key is there. */
static int insert(zcertstore_t *store, zcert_t **cert)
{
    if (zcertstore_lookup(store, zcert_public_txt(*cert))) {
        zcert_destroy(cert);
        return -EEXIST;
    }
    zcertstore_insert(store, cert);
    return 0;
}

static int insert_key(zcertstore_t *store, enum bus_role role, const char *key)
{
    zcert_t *cert = cert_of_key(key);

    if (!cert)
        return -EINVAL;
    zcert_set_meta(cert, "role", "%s", bus_role_name(role));
    return insert(store, &cert);
}

int keystore_add(struct keystore *k, const char *key, enum bus_role role)
{
    int rc;

    pthread_mutex_lock(&k->lock);
    rc = insert_key(k->store, role, key);
    pthread_mutex_unlock(&k->lock);
    return rc;
}

enum bus_role keystore_role(struct keystore *k, const char *key)
{
    enum bus_role role;
    zcert_t *cert;

    pthread_mutex_lock(&k->lock);
    cert = zcertstore_lookup(k->store, key);
    role = cert ? cert_role(cert) : ROLE_NONE;
    pthread_mutex_unlock(&k->lock);
    return role;
}

uint64_t keystore_version(struct keystore *k)
{
    return atomic_load_explicit(&k->version, memory_order_acquire);
}

/* ---- has it changed? ---- */

static void mix(uint64_t *print, const void *data, size_t n)
{
    const unsigned char *byte_at = data;

    for (size_t i = 0; i < n; i++)
        *print = (*print ^ byte_at[i]) * 0x100000001b3u; /* FNV-1a */
}

/* The time of the change of the inode cannot be set back, as that of the contents can. */
static void mix_stat(uint64_t *print, const struct stat *st)
{
    mix(print, &st->st_dev, sizeof(st->st_dev));
    mix(print, &st->st_ino, sizeof(st->st_ino));
    mix(print, &st->st_size, sizeof(st->st_size));
    mix(print, &st->st_ctim.tv_sec, sizeof(st->st_ctim.tv_sec));
    mix(print, &st->st_ctim.tv_nsec, sizeof(st->st_ctim.tv_nsec));
}

static int is_cert(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 4 && strcmp(e->d_name + n - 4, ".key") == 0;
}

static void free_list(struct dirent **list, int n)
{
    while (n > 0)
        free(list[--n]);
    free(list);
}

/* A number that another state of the files would not give. *dir: is it a directory? 0 or a negative
 * errno. */
static int fingerprint(const char *path, uint64_t *print, bool *dir)
{
    struct dirent **list;
    struct stat st;
    int n;

    *print = 0xcbf29ce484222325u;
    if (stat(path, &st) < 0)
        return -errno;
    mix_stat(print, &st);
    *dir = S_ISDIR(st.st_mode);
    if (!*dir)
        return 0;
    n = scandir(path, &list, is_cert, alphasort);
    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        char at[PATH_MAX];
        mix(print, list[i]->d_name, strlen(list[i]->d_name));
        if (snprintf(at, sizeof(at), "%s/%s", path, list[i]->d_name) < (int)sizeof(at) &&
            stat(at, &st) == 0)
            mix_stat(print, &st);
    }
    free_list(list, n);
    return 0;
}

/* ---- reading ---- */

static void add_cert(struct reading *r, const char *name)
{
    char why[PATH_MAX + 160] = "";
    char path[PATH_MAX];
    enum bus_role role;
    zcert_t *cert;

    if (snprintf(path, sizeof(path), "%s/%s", r->path, name) >= (int)sizeof(path))
        return;
    cert = cert_read(path, why, sizeof(why));
    role = cert ? cert_role(cert) : ROLE_NONE;
    if (cert && role != ROLE_GATEWAY && role != ROLE_MONITOR)
        snprintf(why, sizeof(why), "%s: role is neither gateway nor monitor", path);
    else if (cert && insert(r->store, &cert) < 0)
        snprintf(why, sizeof(why), "%s: the key of another file, too", path);
    zcert_destroy(&cert);
    if (*why)
        log_warning(r->log, "ctibus.curve.allow: %s: not allowed by this file", why);
    else
        r->n++;
}

static int read_directory(struct reading *r, char *why, size_t why_size)
{
    struct dirent **list;
    int n = scandir(r->path, &list, is_cert, alphasort);
    int rc = n < 0 ? -errno : 0;

    if (rc < 0) {
        snprintf(why, why_size, "%s: %s", r->path, strerror(-rc));
        return rc;
    }
    if (n > MAX_CERTS)
        log_warning(r->log,
                    "ctibus.curve.allow: %s: more than %d certificates: the rest is not "
                    "allowed",
                    r->path, MAX_CERTS);
    for (int i = 0; i < n && i < MAX_CERTS; i++)
        add_cert(r, list[i]->d_name);
    free_list(list, n);
    return 0;
}

static int add_line(void *arg, enum bus_role role, const char *key, const char *name)
{
    struct reading *r = arg;
    int rc = insert_key(r->store, role, key);

    r->n += rc == 0;
    return rc == -EEXIST ? 0 : rc; /* the first line counts */
}

static int read_list(struct reading *r, char *why, size_t why_size)
{
    unsigned line = 0;
    struct buf in;
    int rc;

    buf_init(&in, CERT_LIST_MAX + 4096);
    rc = cert_file(r->path, CERT_LIST_MAX, &in, why, why_size);
    if (rc == 0)
        rc = buf_cstr(&in) ? cert_each_line((char *)buf_cstr(&in), add_line, r, &line) : -ENOMEM;
    if (rc < 0 && line)
        snprintf(why, why_size, "%s:%u: not a key line", r->path, line);
    buf_free(&in);
    return rc;
}

static int read_all(struct keystore *k, bool dir, struct log *log, char *why, size_t why_size)
{
    struct reading r = {.path = k->path, .store = zcertstore_new(NULL), .log = log};
    zcertstore_t *old;
    int rc = dir ? read_directory(&r, why, why_size) : read_list(&r, why, why_size);

    if (rc < 0) {
        zcertstore_destroy(&r.store);
        return rc;
    }
    pthread_mutex_lock(&k->lock);
    old = k->store;
    k->store = r.store;
    pthread_mutex_unlock(&k->lock);
    zcertstore_destroy(&old);
    atomic_fetch_add_explicit(&k->version, 1, memory_order_release);
    log_notice(log, "ctibus.curve.allow: %s: %zu keys are allowed", k->path, r.n);
    return 1;
}

int keystore_refresh(struct keystore *k, bool force, struct log *log, char *why, size_t why_size)
{
    char reason[PATH_MAX + 160] = "";
    bool dir = false;
    uint64_t print;
    int rc;

    if (!k->path)
        return 0;
    rc = fingerprint(k->path, &print, &dir);
    if (rc < 0) {
        print = 0;
        snprintf(reason, sizeof(reason), "%s: %s", k->path, strerror(-rc));
    }
    if (!force && print == k->print && rc == k->failed)
        return 0;
    if (rc == 0)
        rc = read_all(k, dir, log, reason, sizeof(reason));
    if (rc < 0) {
        log_error(log, "ctibus.curve.allow: %s: the keys stay as they were", reason);
        if (why)
            snprintf(why, why_size, "%s", reason);
    }
    k->failed = print ? 0 : rc;
    k->print = print;
    return rc;
}
