#include "bus/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* What zcert has where there is no secret key. */
static const byte no_secret[32];

/* Why an open file is none of ours; NULL: it may be one. */
static const char *refuse_file(int fd, size_t max)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a file";
    return (uint64_t)st.st_size > max ? "too long" : NULL;
}

int cert_file(const char *path, size_t max, struct buf *out, char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would hold us up */
    const char *reason;
    ssize_t n = 1;
    int rc;

    if (fd < 0) {
        rc = -errno;
        snprintf(why, why_size, "%s: %s", path, strerror(-rc));
        return rc;
    }
    reason = refuse_file(fd, max);
    while (!reason && n > 0) {
        char *at = buf_reserve(out, 4096);
        n = at ? read(fd, at, 4096) : 0;
        if (n > 0)
            buf_commit(out, (size_t)n);
        else if (!at || n < 0)
            reason = at ? strerror(errno) : "too long";
    }
    close(fd);
    if (reason)
        snprintf(why, why_size, "%s: %s", path, reason);
    return reason ? -EBADMSG : 0;
}

/* ---- the two forms ---- */

static zcert_t *cert_of(const char *public_key, const char *secret_key)
{
    byte pub[32];
    byte sec[32];
    zcert_t *cert;

    memcpy(sec, no_secret, sizeof(sec));
    zmq_z85_decode(pub, public_key);
    if (secret_key)
        zmq_z85_decode(sec, secret_key);
    cert = zcert_new_from(pub, sec);
    explicit_bzero(sec, sizeof(sec));
    return cert;
}

zcert_t *cert_of_key(const char *key)
{
    return bus_keys_is_key(key) ? cert_of(key, NULL) : NULL;
}

/* czmq prints on standard output what is no ZPL: it is not given what is no certificate at all. */
static bool has_section(const char *text)
{
    return strncmp(text, "curve", 5) == 0 || strstr(text, "\ncurve");
}

static zcert_t *read_zpl(const char *text, char *why, size_t why_size)
{
    zconfig_t *root = has_section(text) ? zconfig_str_load(text) : NULL;
    const char *pub = root ? zconfig_get(root, "/curve/public-key", NULL) : NULL;
    const char *sec = root ? zconfig_get(root, "/curve/secret-key", NULL) : NULL;
    zconfig_t *meta = root ? zconfig_locate(root, "/metadata") : NULL;
    zcert_t *cert = NULL;

    if (!pub)
        snprintf(why, why_size, "no public-key in a section curve");
    else if (!bus_keys_is_key(pub) || (sec && !bus_keys_is_key(sec)))
        snprintf(why, why_size, "not a key of 40 characters");
    else
        cert = cert_of(pub, sec);
    for (zconfig_t *item = cert && meta ? zconfig_child(meta) : NULL; item;
         item = zconfig_next(item))
        zcert_set_meta(cert, zconfig_name(item), "%s", zconfig_value(item));
    zconfig_destroy(&root);
    return cert;
}

/* The next line of *at as "WORD KEY REST", each ended by a NUL; false at the end of the text. A
 * line that is empty or a comment has no word. */
static bool next_line(char **at, char **word, char **key, char **rest)
{
    static char nothing[] = "";
    char *line = *at;
    char *end = line + strcspn(line, "\n");

    *word = *key = *rest = nothing;
    if (*line == '\0')
        return false;
    *at = end + (*end == '\n');
    *end = '\0';
    line += strspn(line, " \t\r");
    if (*line == '\0' || *line == '#')
        return true;
    *word = line;
    line += strcspn(line, " \t\r");
    if (*line)
        *line++ = '\0';
    *key = line += strspn(line, " \t\r");
    line += strcspn(line, " \t\r");
    if (*line)
        *line++ = '\0';
    *rest = line += strspn(line, " \t\r");
    line[strcspn(line, "\r")] = '\0';
    return true;
}

static zcert_t *read_lines(char *text, char *why, size_t why_size)
{
    char *word;
    char *key;
    char *rest;
    const char *pub = NULL;
    const char *sec = NULL;

    while (next_line(&text, &word, &key, &rest)) {
        if (*word && !bus_keys_is_key(key)) {
            snprintf(why, why_size, "not a key line: %.32s", word);
            return NULL;
        }
        if (strcmp(word, "public") == 0)
            pub = key;
        else if (strcmp(word, "secret") == 0)
            sec = key;
    }
    if (!pub) {
        snprintf(why, why_size, "a line \"public KEY\" is missing");
        return NULL;
    }
    return cert_of(pub, sec);
}

/* The first word that is not in a comment. */
static struct view first_word(const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text != '#')
            return view_of(text, strcspn(text, " \t\r\n"));
        text += strcspn(text, "\n");
    }
}

zcert_t *cert_parse(const char *text, char *why, size_t why_size)
{
    struct view word = first_word(text);
    zcert_t *cert;
    char *copy;

    if (!view_eq(word, VIEW("public")) && !view_eq(word, VIEW("secret")))
        return read_zpl(text, why, why_size);
    copy = strdup(text);
    if (!copy) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    cert = read_lines(copy, why, why_size);
    explicit_bzero(copy, strlen(text));
    free(copy);
    return cert;
}

zcert_t *cert_read(const char *path, char *why, size_t why_size)
{
    zcert_t *cert = NULL;
    char reason[128] = "no memory";
    const char *text;
    struct buf in;

    buf_init(&in, CERT_MAX + 4096);
    if (cert_file(path, CERT_MAX, &in, why, why_size) == 0) {
        text = buf_cstr(&in);
        cert = text ? cert_parse(text, reason, sizeof(reason)) : NULL;
        if (!cert)
            snprintf(why, why_size, "%s: %s", path, reason);
        if (buf_len(&in))
            explicit_bzero((void *)buf_data(&in), buf_len(&in));
    }
    buf_free(&in);
    return cert;
}

bool cert_has_secret(zcert_t *cert)
{
    return memcmp(zcert_secret_key(cert), no_secret, sizeof(no_secret)) != 0;
}

enum bus_role cert_role(zcert_t *cert)
{
    const char *role = zcert_meta(cert, "role");

    return role ? bus_role_of(role) : ROLE_NONE;
}

int cert_each_line(char *text, cert_line_fn *fn, void *arg, unsigned *line)
{
    char *word;
    char *key;
    char *rest;
    int rc = 0;

    for (*line = 1; rc == 0 && next_line(&text, &word, &key, &rest); ++*line) {
        enum bus_role role = bus_role_of(word);
        if (*word == '\0')
            continue;
        if ((role != ROLE_GATEWAY && role != ROLE_MONITOR) || !bus_keys_is_key(key))
            return -EBADMSG;
        rc = fn(arg, role, key, rest);
    }
    return rc;
}

/* ---- writing ---- */

/* czmq opens what is there, too, and tells no error of a full disk: so the file is made here, and
 * read again. */
static int make_file(const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static bool is_written(const char *path, zcert_t *cert, bool secret)
{
    char why[64];
    zcert_t *back = cert_read(path, why, sizeof(why));
    bool ok = back && strcmp(zcert_public_txt(back), zcert_public_txt(cert)) == 0 &&
              (!secret || zcert_eq(back, cert));

    zcert_destroy(&back);
    return ok;
}

int cert_save(zcert_t *cert, const char *path)
{
    bool secret = cert_has_secret(cert);
    char secret_path[4096];
    int rc;

    if (snprintf(secret_path, sizeof(secret_path), "%s_secret", path) >= (int)sizeof(secret_path))
        return -ENAMETOOLONG;
    rc = make_file(path, 0644);
    if (rc < 0)
        return rc;
    if (secret)
        rc = make_file(secret_path, 0600);
    if (rc < 0) {
        unlink(path);
        return rc;
    }
    if (zcert_save_public(cert, path) < 0 || !is_written(path, cert, false) ||
        (secret &&
         (zcert_save_secret(cert, secret_path) < 0 || !is_written(secret_path, cert, true))))
        rc = -EIO;
    if (rc < 0) {
        unlink(path);
        if (secret)
            unlink(secret_path);
    }
    return rc;
}
