/* A whole state in the test's process, with a small configuration, and gateways that ask it. */
#ifndef CTIBUS_TESTS_WHOLE_STATE_H
#define CTIBUS_TESTS_WHOLE_STATE_H

#include <unistd.h>

#include "state.h"
#include "support/bus.h"
#include "support/postgres.h"

#define STATE_CONFIG                                                                               \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"                        \
    "\"urllist_users\":[\"file:users.json\"],\"urllist_lines\":[\"file:lines.json\"]}}},"          \
    "\"profiles\":{\"client\":{\"name\":\"Client\",\"xlets\":[[\"dial\",\"dock\",\"1\"]],"         \
    "\"regcommands\":\"all\",\"userstatus\":\"std\"},"                                             \
    "\"bare\":{\"name\":\"Bare\"}},"                                                               \
    "\"regcommands\":{\"all\":[\"availstate\",\"dial\"]},"                                         \
    "\"userstatus\":{\"std\":{\"disconnected\":{\"longname\":\"Away\"},"                           \
    "\"available\":{\"longname\":\"Here\",\"allowed\":[\"away\",\"available\"]},"                  \
    "\"away\":{\"longname\":\"Out\",\"allowed\":[\"available\"]},"                                 \
    "\"busy\":{\"longname\":\"Busy\"}}}}"

#define STATE_USERS                                                                                \
    "[{\"id\":\"1\",\"firstname\":\"Alice\",\"lastname\":\"Martin\",\"loginclient\":\"alice\","    \
    "\"passwdclient\":\"s\303\251sam\342\202\254\",\"enableclient\":\"1\","                        \
    "\"profileclient\":\"client\"},"                                                               \
    "{\"id\":2,\"firstname\":\"Bob\",\"loginclient\":\"bob\",\"passwdclient\":\"secret\","         \
    "\"enableclient\":true,\"profileclient\":\"\"},"                                               \
    "{\"id\":\"3\",\"loginclient\":\"carol\",\"passwdclient\":\"secret\",\"enableclient\":0,"      \
    "\"profileclient\":\"client\"},"                                                               \
    "{\"id\":\"4\",\"loginclient\":\"dave\",\"enableclient\":1,\"profileclient\":\"client\"},"     \
    "{\"id\":\"5\",\"loginclient\":\"erin\",\"passwdclient\":\"secret\",\"enableclient\":1,"       \
    "\"profileclient\":\"bare\"}]"

#define STATE_LINES                                                                                \
    "[{\"id\":\"12\",\"protocol\":\"sip\",\"name\":\"alice\",\"number\":\"1001\","                 \
    "\"context\":\"default\",\"iduserfeatures\":\"1\",\"rules_order\":\"2\"},"                     \
    "{\"id\":11,\"protocol\":\"SIP\",\"name\":\"al2\",\"number\":1011,\"context\":\"default\","    \
    "\"iduserfeatures\":1,\"rules_order\":1}]"

struct state_world {
    struct loop *loop;
    char dir[64];
    struct config *cfg;
    struct log *log; /* NULL: none */
    uint32_t lists_retry_ms;
    uint32_t resync_late_ms;
    uint32_t grace_ms;  /* 0: 1500 */
    uint32_t settle_ms; /* 0: 50 to 100 */
    bool no_grace;
    struct process p;
    struct state *s;
    struct xod_ipbx *ipbx;
};

static inline void state_write(struct state_world *w, const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static inline void state_unlink(struct state_world *w, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", w->dir, name);
    unlink(path);
}

/* With CTIBUS_TEST_DATABASE=postgresql, state keeps what it keeps in a server of the program's own
 * instead of a file of SQLite. */
static inline bool state_on_server(void)
{
    return getenv("CTIBUS_TEST_DATABASE") != NULL;
}

static struct postgres_server state_server;
static char state_uri[128]; /* of the newest database there */

static inline void state_remove_server(void)
{
    postgres_remove(&state_server);
}

static inline void state_new_database(void)
{
    char name[16];

    if (!state_on_server())
        return;
    if (state_server.pid == 0) {
        postgres_make(&state_server);
        atexit(state_remove_server);
    }
    postgres_database(&state_server, name, state_uri);
}

static inline struct config *state_config(struct state_world *w)
{
    struct config_errors errors = {0};
    char path[128], database[160];
    const char *const sets[] = {database, NULL};
    const struct config_overrides on_server = {.sets = sets};
    struct config *cfg;

    snprintf(path, sizeof(path), "%s/ctibus.json", w->dir);
    snprintf(database, sizeof(database), "ctibus.database=%s", state_uri);
    cfg = config_load(path, *state_uri ? &on_server : NULL, &errors);
    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "%s: %s\n", errors.list[i].key, errors.list[i].reason);
    config_errors_free(&errors);
    if (!cfg)
        abort();
    return cfg;
}

/* At these endpoints (NULL: any free port). 0 or a negative errno. */
static inline int state_start(struct state_world *w, const char *publish, const char *subscribe,
                              const char *request)
{
    static const char any[] = "tcp://127.0.0.1:*";
    struct state_options opt = {.publish = publish ? publish : any,
                                .subscribe = subscribe ? subscribe : any,
                                .request = request ? request : any,
                                .session_grace_ms = w->no_grace   ? 0
                                                    : w->grace_ms ? w->grace_ms
                                                                  : 1500,
                                .lists_retry_ms = w->lists_retry_ms,
                                .settle_min_ms = w->settle_ms ? w->settle_ms : 50,
                                .settle_max_ms = w->settle_ms ? w->settle_ms : 100,
                                .settle_late = w->settle_ms != 0,
                                .resync_late_ms = w->resync_late_ms};
    int err = 0;

    w->p = process_start(w->loop, "state@test", "state", NULL);
    w->s = state_new(w->loop, w->p.bus, w->cfg, &opt, w->p.metrics, w->log, &err);
    w->ipbx = w->s ? xod_ipbx(state_xod(w->s), VIEW("xivo"), false) : NULL;
    return err;
}

static inline void state_stop(struct state_world *w)
{
    state_destroy(&w->s);
    process_end(&w->p);
}

/* The folder of its files, and its database. */
static inline int state_make_folder(struct state_world *w)
{
    state_new_database();
    strcpy(w->dir, "/tmp/ctibus-state-XXXXXX");
    return mkdtemp(w->dir) ? 0 : -1;
}

static inline int state_setup(struct state_world *w)
{
    if (state_make_folder(w) < 0)
        return -1;
    state_write(w, "ctibus.json", STATE_CONFIG);
    state_write(w, "users.json", STATE_USERS);
    state_write(w, "lines.json", STATE_LINES);
    w->loop = loop_new();
    w->cfg = state_config(w);
    return state_start(w, NULL, NULL, NULL);
}

static inline void state_teardown(struct state_world *w)
{
    state_stop(w);
    config_destroy(&w->cfg);
    loop_destroy(&w->loop);
    state_unlink(w, "ctibus.json");
    state_unlink(w, "users.json");
    state_unlink(w, "lines.json");
    state_unlink(w, "ctibus.db");
    state_unlink(w, "ctibus.db-wal");
    state_unlink(w, "ctibus.db-shm");
    rmdir(w->dir);
}

static inline struct xod_obj *state_user(struct state_world *w, const char *id)
{
    return xod_find(w->ipbx, LIST_users, view_cstr(id));
}

static inline const char *state_str(const struct xod_obj *o, unsigned field)
{
    return o && xod_get(o, field)->type == V_STR ? xod_get(o, field)->s : "(none)";
}

#endif
