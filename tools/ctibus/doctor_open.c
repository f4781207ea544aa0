/* What is open to more than it should be: files with secrets, and the port of browsers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "base/hostport.h"
#include "base/netaddr.h"
#include "doctor.h"
#include "json/json.h"

/* ---- files with secrets ---- */

/* Of its mode, and of those of the folders above it. */
static bool is_for_everybody(const char *path)
{
    const struct account nobody = {.owns = false};
    struct access_fault fault;
    struct stat st;

    return stat(path, &st) == 0 && (st.st_mode & S_IROTH) &&
           account_may(&nobody, path, R_OK, &fault);
}

static void tell_open(struct doctor *d, const char *path, const char *what)
{
    char remedy[4200];

    snprintf(remedy, sizeof(remedy), "chmod o= %s", path);
    findings_add(&d->f, FINDING_warning, "file.secret", "Every user of this machine can read them.",
                 remedy, "%s has %s, and everybody may read it", path, what);
}

/* A text that is not empty, of a key that ends so, at any depth. */
static bool has_password(struct json_object *o)
{
    static const struct view word = VIEW("password");

    if (!json_object_is_type(o, json_type_object))
        return false;
    json_object_object_foreach(o, key, value)
    {
        size_t n = strlen(key);
        if (n >= word.len && view_eq(view_cstr(key + n - word.len), word) && json_view(value).len)
            return true;
        if (has_password(value))
            return true;
    }
    return false;
}

/* What variables add is not in the file. */
static void look_at_configuration(struct doctor *d)
{
    struct config_errors errors = {0};
    struct config *cfg;

    if (!is_for_everybody(d->t->config))
        return;
    cfg = config_read(d->t->config, NULL, &errors);
    config_errors_free(&errors); /* doctor_check has told them */
    if (cfg && (has_password(config_section(cfg, "ipbxes")) ||
                has_password(config_section(cfg, "ctibus"))))
        tell_open(d, d->t->config, "passwords");
    config_destroy(&cfg);
}

static bool have_passwords(struct doctor *d, struct view uri)
{
    struct json_object *users = json_object_new_array();
    bool any = false;

    doctor_add_file(d, users, uri);
    for (size_t i = 0; !any && i < doctor_length(users); i++)
        any = json_get_text(json_object_array_get_idx(users, i), "passwdclient").len > 0;
    json_object_put(users);
    return any;
}

static void look_at_users(struct doctor *d, struct json_object *urllists)
{
    struct json_object *uris = json_get(urllists, "urllist_users");

    for (size_t i = 0; i < doctor_length(uris); i++) {
        struct view uri = json_view(json_object_array_get_idx(uris, i));
        bool csv = view_starts(uri, VIEW("csv:"));
        char *path;
        if (view_starts(uri, VIEW("http")) || view_eq(uri, VIEW("asterisk:")) || uri.len == 0)
            continue;
        path = config_path(d->cfg, csv ? view_of(uri.ptr + 4, uri.len - 4) : uri);
        if (path && is_for_everybody(path) && have_passwords(d, uri))
            tell_open(d, path, "passwords of users");
        free(path);
    }
}

static void look_at_key(struct doctor *d, const char *key, const char *ending)
{
    const char *name = config_str(d->cfg, key);
    char *path = name && *name ? config_path(d->cfg, view_cstr(name)) : NULL;
    char text[4096];

    if (path) {
        snprintf(text, sizeof(text), "%.4000s%s", path, ending);
        if (is_for_everybody(text))
            tell_open(d, text, "a secret key");
    }
    free(path);
}

/* ---- browsers ---- */

/* Passwords of a login are taken over TLS and from this machine alone, unless a balancer or a proxy
 * vouches for the browser. */
static void find_browsers(struct doctor *d)
{
    const char *addr = config_str(d->cfg, "ctibus.cti.websocket");
    struct json_object *proxies = config_get(d->cfg, "ctibus.auth.remote_user_from");
    bool balanced = config_bool(d->cfg, "ctibus.cti.proxy_protocol") &&
                    config_bool(d->cfg, "ctibus.auth.tls_at_balancer");
    struct view host;
    uint16_t port;

    if (!addr || hostport_split(view_cstr(addr), &host, &port) < 0 || netaddr_is_loopback(host))
        return;
    if (config_str(d->cfg, "certfile") || balanced || doctor_length(proxies) > 0)
        return;
    findings_add(
        &d->f, FINDING_warning, "websocket.certificate",
        "Browsers of other machines get the page and cannot log in (login_not_secure).",
        "Give a certificate: certfile and keyfile of ctibus.json. Or let a balancer end TLS "
        "(ctibus.cti.proxy_protocol and ctibus.auth.tls_at_balancer).",
        "ctibus.cti.websocket is %s, which other machines reach, and there is no certfile", addr);
}

void doctor_open(struct doctor *d)
{
    struct json_object *ipbxes = config_section(d->cfg, "ipbxes");

    look_at_configuration(d);
    look_at_key(d, "keyfile", "");
    look_at_key(d, "ctibus.curve.own_key", "_secret");
    look_at_key(d, "ctibus.federation.key", "_secret");
    if (ipbxes) {
        json_object_object_foreach(ipbxes, name, section)
        {
            (void)name;
            look_at_users(d, json_get_object(section, "urllists"));
        }
    }
    find_browsers(d);
}
