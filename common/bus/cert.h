/*
 * Key files. A certificate is a text in ZPL (ZeroMQ RFC 4) as zcert of czmq and zmq.auth of pyzmq
 * write it, with `role` and `name` in its metadata; the public one is in FILE, the one with the
 * secret key in FILE_secret. The older form has the lines "public KEY" and "secret KEY". Both are
 * read.
 */
#ifndef CTIBUS_BUS_CERT_H
#define CTIBUS_BUS_CERT_H

#include <czmq.h>
/* czmq includes syslog.h, whose levels have the names of those of log/log.h. */
#undef LOG_WARNING
#undef LOG_NOTICE
#undef LOG_INFO
#undef LOG_DEBUG

#include "base/buf.h"
#include "bus/keys.h"

/* Bytes of a certificate, and of a list of keys. */
#define CERT_MAX 4096
#define CERT_LIST_MAX (1024 * 1024)

/* Reads a regular file of at most `max` bytes into `out`. 0 or a negative errno, with a sentence in
 * `why`. */
int cert_file(const char *path, size_t max, struct buf *out, char *why, size_t why_size);
/* The certificate of a text that ends with a NUL, in either form. The caller destroys it. NULL and
 * a sentence in `why`: it is none. */
zcert_t *cert_parse(const char *text, char *why, size_t why_size);
/* The same of a file. NULL and a sentence in `why`, which begins with the path. */
zcert_t *cert_read(const char *path, char *why, size_t why_size);
/* A certificate of a public key alone (Z85, checked by bus_keys_is_key). The caller destroys it.
 * NULL: no key. */
zcert_t *cert_of_key(const char *key);
bool cert_has_secret(zcert_t *cert);
/* The role in its metadata. ROLE_NONE: it has none, or a word that is no role. */
enum bus_role cert_role(zcert_t *cert);
/* Writes FILE (mode 0644) and, if it has a secret key, FILE_secret (mode 0600). Files that are
 * there stay as they are: -EEXIST. 0 or a negative errno; then nothing is left behind. */
int cert_save(zcert_t *cert, const char *path);

/* Calls fn for each line "ROLE KEY [name]" of a list of keys, the older form of a store; the name
 * is "" where there is none. Lines that are empty or begin with # are left out. fn returns 0, or a
 * negative errno that ends it. 0; -EBADMSG and the number of the line that is wrong in *line; or
 * what fn returned. The text is changed. */
typedef int cert_line_fn(void *arg, enum bus_role role, const char *key, const char *name);
int cert_each_line(char *text, cert_line_fn *fn, void *arg, unsigned *line);

#endif
