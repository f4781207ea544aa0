/* ctibus keygen: makes certificates, and converts key files of the older form. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/cert.h"
#include "tool.h"

struct keygen {
    enum bus_role role;
    const char *name;
    const char *old; /* --convert */
    const char *path;
};

static int fail(const char *path, int rc)
{
    fprintf(stderr, "ctibus: %s: %s\n", path, strerror(-rc));
    return 1;
}

static void print_made(const char *path, bool secret)
{
    if (secret)
        printf("%s_secret: keep it secret; %s: give it to the others\n", path, path);
    else
        printf("%s\n", path);
}

static void set_metadata(zcert_t *cert, const char *role, const char *name)
{
    if (role && *role)
        zcert_set_meta(cert, "role", "%s", role);
    if (name && *name)
        zcert_set_meta(cert, "name", "%s", name);
}

/* ---- a list becomes a directory ---- */

struct listing {
    const char *dir;
    unsigned n;
    int rc;
};

/* A file name of what somebody is called. */
static void put_file_name(struct buf *out, const char *name)
{
    bool gap = false;

    for (; *name; name++) {
        bool good = isalnum((unsigned char)*name) || (*name == '_') || (*name == '-');
        if (good && gap && buf_len(out))
            buf_append_char(out, '-');
        if (good)
            buf_append_char(out, *name);
        gap = !good;
    }
}

/* DIR/NAME.key, or DIR/NAME-N.key where that is there. */
static int save_as(const struct listing *l, zcert_t *cert, const char *name)
{
    struct buf path;
    struct buf file;
    int rc = -EEXIST;

    buf_init(&path, PATH_MAX);
    buf_init(&file, 256);
    put_file_name(&file, name);
    if (buf_len(&file) == 0)
        buf_append_cstr(&file, "key");
    for (unsigned n = 1; rc == -EEXIST && n <= l->n + 1; n++) {
        buf_reset(&path);
        buf_printf(&path, "%s/%.*s", l->dir, VIEW_ARG(buf_view(&file)));
        if (n > 1)
            buf_printf(&path, "-%u", n);
        buf_append_cstr(&path, ".key");
        rc = path.failed || file.failed ? -ENAMETOOLONG : cert_save(cert, buf_cstr(&path));
    }
    if (rc < 0)
        fail(path.failed ? l->dir : buf_cstr(&path), rc);
    else
        printf("%s\n", buf_cstr(&path));
    buf_free(&path);
    buf_free(&file);
    return rc;
}

static int add_line(void *arg, enum bus_role role, const char *key, const char *name)
{
    struct listing *l = arg;
    zcert_t *cert = cert_of_key(key);
    char plain[128];
    size_t n = 0;

    for (; *name && n < sizeof(plain) - 1; name++)
        if (*name != '"' && (unsigned char)*name >= ' ')
            plain[n++] = *name;
    plain[n] = '\0';
    set_metadata(cert, bus_role_name(role), plain);
    l->rc = save_as(l, cert, plain);
    l->n++;
    zcert_destroy(&cert);
    return l->rc;
}

static int check_line(void *arg, enum bus_role role, const char *key, const char *name)
{
    ++*(size_t *)arg;
    return 0;
}

/* Is this text a list, and not empty? */
static bool is_list(const char *text)
{
    char *copy = strdup(text);
    size_t n = 0;
    unsigned line;
    bool is = copy && cert_each_line(copy, check_line, &n, &line) == 0 && n > 0;

    free(copy);
    return is;
}

static int convert_list(char *text, const char *dir)
{
    struct listing l = {.dir = dir};
    unsigned line;

    if (mkdir(dir, 0755) < 0)
        return fail(dir, -errno);
    cert_each_line(text, add_line, &l, &line);
    return l.rc < 0 ? 1 : 0;
}

/* ---- the command ---- */

/* What the options do not say stays as it was in the old one. */
static int convert_cert(const struct keygen *k, zcert_t *old)
{
    zcert_t *cert = zcert_new_from(zcert_public_key(old), zcert_secret_key(old));
    int rc;

    set_metadata(cert, k->role != ROLE_NONE ? bus_role_name(k->role) : zcert_meta(old, "role"),
                 k->name ? k->name : zcert_meta(old, "name"));
    rc = cert_save(cert, k->path);
    if (rc < 0)
        fail(k->path, rc);
    else
        print_made(k->path, cert_has_secret(cert));
    zcert_destroy(&cert);
    return rc < 0 ? 1 : 0;
}

static int convert(const struct keygen *k)
{
    char why[PATH_MAX + 160] = "no memory";
    const char *text;
    struct buf in;
    zcert_t *old;
    int rc = 1;

    buf_init(&in, CERT_LIST_MAX + 4096);
    text = cert_file(k->old, CERT_LIST_MAX, &in, why, sizeof(why)) == 0 ? buf_cstr(&in) : NULL;
    if (!text) {
        fprintf(stderr, "ctibus: %s\n", why);
    } else if (is_list(text)) {
        rc = convert_list((char *)text, k->path);
    } else {
        old = cert_parse(text, why, sizeof(why));
        if (old)
            rc = convert_cert(k, old);
        else
            fprintf(stderr, "ctibus: %s: no key file: %s\n", k->old, why);
        zcert_destroy(&old);
    }
    buf_free(&in);
    return rc;
}

/* What ZPL can have between quotes. */
static bool is_plain(const char *name)
{
    for (; *name; name++)
        if (*name == '"' || (unsigned char)*name < ' ')
            return false;
    return true;
}

/* 0, or the exit code. */
static int read_options(struct tool *t, struct keygen *k, int argc, char **argv)
{
    const char *value;

    for (;;) {
        if (tool_option(&argc, &argv, "role", &value)) {
            k->role = bus_role_of(value);
            if (k->role != ROLE_GATEWAY && k->role != ROLE_MONITOR)
                return tool_wrong(t, &command_keygen, "--role %s: gateway or monitor", value);
        } else if (tool_option(&argc, &argv, "name", &value)) {
            k->name = value;
        } else if (tool_option(&argc, &argv, "convert", &value)) {
            k->old = value;
        } else {
            break;
        }
    }
    k->path = argc == 1 ? argv[0] : NULL;
    if (!k->path || !*k->path || *k->path == '-')
        return tool_usage(t, &command_keygen);
    if (k->name && !is_plain(k->name))
        return tool_wrong(t, &command_keygen, "--name: it has a quote or a control character");
    return 0;
}

static int run_keygen(struct tool *t, int argc, char **argv)
{
    struct keygen k = {.role = ROLE_NONE};
    int rc;

    rc = read_options(t, &k, argc, argv);
    if (rc)
        return rc;
    zsys_handler_set(NULL);
    if (k.old)
        return convert(&k);
    rc = bus_keys_make(k.path, k.role, k.name);
    if (rc < 0)
        return fail(k.path, rc);
    print_made(k.path, true);
    return 0;
}

const struct command command_keygen = {
    .name = "keygen",
    .args = "[--role gateway|monitor] [--name TEXT] [--convert OLD] FILE",
    .help = "Makes CURVE keys: FILE (the certificate, for ctibus.curve.allow) and\n"
            "FILE_secret (mode 0600). --convert OLD converts keys instead of making new\n"
            "ones: a file with lines \"public KEY\" and \"secret KEY\", or an old list with\n"
            "lines \"gateway KEY name\"; then FILE becomes a directory of certificates.",
    .examples = "$ ctibus keygen --role monitor --name grafana grafana.key\n"
                "grafana.key_secret: keep it secret; grafana.key: give it to the others\n"
                "$ ctibus keygen --convert old.key site.key\n"
                "site.key_secret: keep it secret; site.key: give it to the others",
    .run = run_keygen,
    .alone = true,
};
