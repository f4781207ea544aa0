#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/pg_uri.h"
#include "console/console.h"
#include "lists/check.h"
#include "standby.h"
#include "state.h"
#include "svc/bus_setup.h"
#include "svc/svc.h"

struct ctx {
    struct svc *svc;
    struct bus_setup bus_setup;
    struct standby *standby; /* one of the two is there */
    struct state *state;
    struct console *console;
    char host[64]; /* the name of the machine, where it is that of the state */
    struct metric *active, *term;
};

static int reload_service(void *svc)
{
    return svc_reload(svc);
}

static void log_console(struct ctx *c)
{
    for (int i = 0; i < CONSOLE_PORTS; i++) {
        enum console_port which = (enum console_port)i;
        char at[256];
        if (console_port(c->console, which) &&
            config_listen(c->svc->cfg, console_key(which), at, sizeof(at)))
            svc_log_listening(c->svc, console_name(which), at, console_port(c->console, which));
    }
}

static int open_console(struct ctx *c)
{
    int err;

    c->console = console_new(c->state, &err);
    if (c->console)
        log_console(c);
    return err;
}

static bool check_ldap(const struct svc *svc, struct buf *why)
{
    const char *dn = config_str(svc->cfg, "ctibus.auth.ldap.user_dn");
    const char *filter = config_str(svc->cfg, "ctibus.auth.ldap.filter");

    if (!config_str(svc->cfg, "ctibus.auth.ldap.uri"))
        return true;
    if (!dn && !config_str(svc->cfg, "ctibus.auth.ldap.base"))
        buf_append_cstr(why, "ctibus.auth.ldap.uri needs user_dn (\"uid=%s,ou=people,"
                             "dc=example,dc=com\"), or base, below which users are searched");
    else if (dn && !strstr(dn, "%s"))
        buf_append_cstr(why, "ctibus.auth.ldap.user_dn has no %s, for which the login is put");
    else if (!dn && !strstr(filter, "%s"))
        buf_append_cstr(why, "ctibus.auth.ldap.filter has no %s, for which the login is put");
    else
        return true;
    return false;
}

/* Without CURVE the bus is for this machine, and for addresses that are named. */
static bool check_curve(const struct svc *svc, struct buf *why)
{
    if (!config_str(svc->cfg, "ctibus.curve.own_key") || config_str(svc->cfg, "ctibus.curve.allow"))
        return true;
    buf_append_cstr(why, "ctibus.curve.allow is needed, which says whose keys may connect");
    return false;
}

static bool check_bus(const struct svc *svc, struct buf *why)
{
    static const char *const keys[] = {"publish", "subscribe", "request"};
    struct json_object *named = config_get(svc->cfg, "ctibus.trusted");
    size_t n = json_object_is_type(named, json_type_array) ? json_object_array_length(named) : 0;
    const char *trusted[64] = {NULL};
    bool good = true;

    for (size_t i = 0; i < n && i + 1 < ARRAY_SIZE(trusted); i++)
        trusted[i] = json_object_get_string(json_object_array_get_idx(named, i));
    for (size_t i = 0; !config_str(svc->cfg, "ctibus.curve.own_key") && i < ARRAY_SIZE(keys); i++)
        if (!bus_address_allowed(config_bus_bind(svc->cfg, keys[i]), trusted)) {
            svc_next_fault(why);
            buf_printf(why,
                       "ctibus.bus.%s is %s, which other machines reach: set up CURVE "
                       "(ctibus.curve.*, `ctibus keygen`), bind to the loopback, or name the "
                       "address in ctibus.trusted",
                       keys[i], config_bus_bind(svc->cfg, keys[i]));
            good = false;
        }
    return good;
}

static bool check_ha(const struct svc *svc, struct buf *why)
{
    const char *database = config_str(svc->cfg, "ctibus.database");
    char host[64];

    if (!config_ha(svc->cfg))
        return true;
    if (!pg_uri_is(view_cstr(database))) {
        svc_next_fault(why);
        buf_append_cstr(why, "ctibus.ha.peers needs a database that both states reach: set "
                             "ctibus.database to \"postgresql://USER:PASSWORD@HOST/DATABASE\" "
                             "(docs/ha.md)");
        return false;
    }
    if (config_ha_name(svc->cfg, host))
        return true;
    svc_next_fault(why);
    buf_printf(why,
               "ctibus.ha.name is to say which of ctibus.ha.peers this state is (without it: the "
               "name of its machine, %s)",
               host);
    return false;
}

/* What the configuration's own checks do not look into: the bus, and an LDAP server whose users
 * cannot be named. */
static bool check(const struct svc *svc, struct buf *why)
{
    bool good = check_curve(svc, why);

    good = check_bus(svc, why) && good;
    good = check_ha(svc, why) && good;
    svc_next_fault(why);
    return check_ldap(svc, why) && good;
}

/* systemd makes this folder before it starts state, so that it may be missing when an administrator
 * runs --check. `ctibus doctor` sets the variable as systemd does. */
static bool is_state_directory(const char *path)
{
    struct view all = view_cstr(getenv("STATE_DIRECTORY"));

    while (all.len)
        if (view_eq(view_cut(&all, ':'), view_cstr(path)))
            return true;
    return false;
}

/* The folder of the database must be there; the file is made. */
static bool check_database(const struct svc *svc, config_error_fn *tell, void *arg)
{
    char *path = config_database(svc->cfg);
    char *slash = path && !pg_uri_is(view_cstr(path)) ? strrchr(path, '/') : NULL;
    bool good = true;

    if (slash && slash != path) {
        *slash = '\0';
        good = access(path, F_OK) == 0 || is_state_directory(path);
        if (!good)
            tell(arg,
                 &(struct config_error){path, "ctibus.database",
                                        (char *)"there is no such folder: make it, writable by "
                                                "the user of state"});
    }
    free(path);
    return good;
}

static enum svc_files check_files(const struct svc *svc, config_error_fn *tell, void *arg)
{
    bool good = check_database(svc, tell, arg);
    bool lists = lists_check(svc->cfg, tell, arg);

    return !good ? SVC_FILES_BAD : lists ? SVC_FILES_GOOD : SVC_FILES_FAULTY;
}

static void leave(void *arg)
{
    svc_leave(((struct ctx *)arg)->svc);
}

/* Becomes the active state: what was on standby until now, or NULL. */
static int activate(struct ctx *c, struct standby_legacy *legacy)
{
    struct svc *svc = c->svc;
    const struct state_options opt = {
        .publish = config_bus_bind(svc->cfg, "publish"),
        .subscribe = config_bus_bind(svc->cfg, "subscribe"),
        .request = config_bus_bind(svc->cfg, "request"),
        .legacy = legacy,
        .trusted = (const char *const *)c->bus_setup.trusted,
        .session_grace_ms = (uint32_t)config_int(svc->cfg, "ctibus.session_grace_seconds") * 1000,
    };
    int err;

    c->state = state_new(svc->loop, c->bus_setup.bus, svc->cfg, &opt, svc->metrics, svc->log, &err);
    if (!c->state) {
        log_error(svc->log, "cannot start: %s%s", strerror(-err),
                  err == -EACCES ? " (without CURVE the bus binds to the loopback or to addresses "
                                   "named in ctibus.trusted only)"
                                 : "");
        return err;
    }
    state_on_reload(c->state, reload_service, svc);
    state_on_leave(c->state, leave, c);
    metric_set(c->active, 1);
    metric_set(c->term, (double)state_term(c->state));
    if (legacy)
        return 0;
    svc_log_endpoint(svc, "publish", state_endpoint_publish(c->state));
    svc_log_endpoint(svc, "subscribe", state_endpoint_subscribe(c->state));
    svc_log_endpoint(svc, "request", state_endpoint_request(c->state));
    return open_console(c);
}

/* The database is ours: from now on this one is active. */
static void take_over(void *arg)
{
    struct ctx *c = arg;
    struct standby_legacy legacy;
    uint64_t began = clock_mono_us();
    int rc;

    log_notice(c->svc->log, "taking over");
    standby_take(&c->standby, &legacy);
    rc = activate(c, &legacy);
    db_claim_destroy(&legacy.claim);
    remote_lists_destroy(&legacy.remote_lists);
    bus_server_destroy(&legacy.server);
    bus_forwarder_destroy(&legacy.forwarder);
    if (rc < 0) {
        svc_fail(c->svc);
        return;
    }
    log_notice(c->svc->log, "active, term %llu, %u ms after the database was free",
               (unsigned long long)state_term(c->state),
               (unsigned)((clock_mono_us() - began) / 1000));
    rc = open_console(c);
    if (rc < 0) /* the site can do without */
        log_error(c->svc->log, "WEBI, INFO and ANNOUNCE are not there: %s", strerror(-rc));
}

static int begin_standby(struct ctx *c)
{
    struct svc *svc = c->svc;
    const struct standby_options opt = {
        .name = config_ha_name(svc->cfg, c->host),
        .publish = config_bus_bind(svc->cfg, "publish"),
        .subscribe = config_bus_bind(svc->cfg, "subscribe"),
        .request = config_bus_bind(svc->cfg, "request"),
        .trusted = (const char *const *)c->bus_setup.trusted,
        .silent_ms = (uint32_t)config_int(svc->cfg, "ctibus.ha.silent_ms"),
    };
    int err = 0;

    c->standby = standby_new(svc->loop, c->bus_setup.bus, svc->cfg, &opt, take_over, c,
                             svc->metrics, svc->log, &err);
    if (!c->standby) {
        log_error(svc->log, "cannot start: %s", strerror(-err));
        return err;
    }
    log_notice(svc->log, "on standby as %s", opt.name);
    svc_log_endpoint(svc, "publish", standby_endpoint_publish(c->standby));
    svc_log_endpoint(svc, "subscribe", standby_endpoint_subscribe(c->standby));
    svc_log_endpoint(svc, "request", standby_endpoint_request(c->standby));
    return 0;
}

static int start(struct svc *svc, void **out)
{
    struct ctx *c = calloc(1, sizeof(*c));
    int err;

    if (!c)
        return -ENOMEM;
    *out = c;
    c->svc = svc;
    c->active = metrics_add(svc->metrics, METRIC_state_active, NULL);
    c->term = metrics_add(svc->metrics, METRIC_state_term, NULL);
    if (!c->active || !c->term)
        return -ENOMEM;
    err = bus_setup_open(&c->bus_setup, svc->loop, svc->cfg, "state", svc->instance, svc->metrics,
                         svc->log);
    if (err < 0)
        return err;
    if (config_ha(svc->cfg))
        return begin_standby(c);
    if (!metrics_add(svc->metrics, METRIC_state_standby_database_up, NULL)) /* 0 for ever */
        return -ENOMEM;
    return activate(c, NULL);
}

static void reload(void *arg)
{
    struct ctx *c = arg;

    if (c->standby) {
        standby_reload(c->standby, c->svc->cfg);
        return;
    }
    state_reload(c->state, c->svc->cfg);
    console_reload(c->console);
}

static bool ready(void *arg, struct buf *why)
{
    const struct ctx *c = arg;

    return c->standby ? standby_is_ready(c->standby, why) : state_is_ready(c->state, why);
}

static void destroy(void **arg)
{
    struct ctx *c = *arg;

    console_destroy(&c->console);
    standby_destroy(&c->standby);
    state_destroy(&c->state);
    bus_setup_close(&c->bus_setup);
    free(c);
    *arg = NULL;
}

int main(int argc, char **argv)
{
    static const struct svc_def def = {
        .name = "state",
        .doc = "Runs the bus and holds the state of every phone, call and user.",
        .check = check,
        .check_files = check_files,
        .start = start,
        .reload = reload,
        .ready = ready,
        .destroy = destroy,
    };

    int code;

    /* for fetch.c; before there is another thread */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    code = svc_main(argc, argv, &def);
    curl_global_cleanup();
    return code;
}
