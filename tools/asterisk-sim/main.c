/* ctibus-asterisk-sim: a recorded Asterisk that can be called up again. */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "agi.h"
#include "base/clock.h"
#include "base/hostport.h"
#include "office_clock.h"
#include "options.h"
#include "status.h"

#define STOP_TICK_MS 10
#define STOP_US 1000000 /* clients that do not read by then are cut off */

struct sim {
    struct options options;
    struct loop *loop;
    struct log *log;
    struct world world;
    struct tls_ctx *tls; /* NULL: clear text */
    struct server *server;
    struct player *player;
    struct office *office; /* NULL: a recording */
    struct office_clock *clock;
    struct status *status;
    struct agi *agi; /* NULL: no FastAGI */
    struct loop_signal *term, *intr, *usr1, *usr2;
    struct loop_timer *stopping;
    uint64_t stop_us; /* when it was asked to stop; 0: it was not */
};

static void stop_when_read(void *arg)
{
    struct sim *sim = arg;

    if (server_backlog(sim->server) == 0 || clock_mono_us() - sim->stop_us > STOP_US)
        loop_stop(sim->loop);
}

static void on_stop(void *arg)
{
    struct sim *sim = arg;

    if (sim->stop_us > 0) { /* asked twice: now */
        loop_stop(sim->loop);
        return;
    }
    sim->stop_us = clock_mono_us();
    player_destroy(&sim->player);
    office_clock_destroy(&sim->clock);
    server_shutdown(sim->server);
    loop_timer_start(sim->stopping, STOP_TICK_MS, true);
}

static void on_cut(void *arg)
{
    struct sim *sim = arg;

    log_notice(sim->log, "all connections are cut");
    server_drop_all(sim->server);
}

static void on_pause(void *arg)
{
    struct sim *sim = arg;

    sim->world.paused = !sim->world.paused;
    if (sim->player)
        player_pause(sim->player, sim->world.paused);
    if (sim->clock)
        office_clock_pause(sim->clock, sim->world.paused);
}

static void start(struct sim *sim)
{
    if (sim->player)
        player_start(sim->player);
    if (sim->clock)
        office_clock_start(sim->clock);
}

static void on_login(void *arg)
{
    struct sim *sim = arg;

    start(sim);
}

static int failed(const char *what, int rc)
{
    fprintf(stderr, "ctibus-asterisk-sim: %s: %s\n", what,
            rc == -EINVAL ? "not a usable capture" : strerror(-rc));
    return rc;
}

/* The listing that stands beside the first capture need not be there. */
static int load_listing(struct sim *sim)
{
    char path[4096];
    char *first;
    int rc;

    if (sim->options.listing) {
        rc = listing_load(&sim->world.listing, sim->options.listing);
        return rc < 0 ? failed(sim->options.listing, rc) : 0;
    }
    first = view_dup(view_cstr(sim->options.captures[0]));
    if (!first)
        return -ENOMEM;
    snprintf(path, sizeof(path), "%s/01-login-listing.ami", dirname(first));
    free(first);
    rc = listing_load(&sim->world.listing, path);
    if (rc == -ENOENT)
        log_warning(sim->log, "no listing %s: only live lists are answered", path);
    return rc == -ENOENT ? 0 : rc;
}

static int open_office(struct sim *sim)
{
    sim->office = office_new(&sim->options.office, &sim->world);
    return sim->office ? 0 : -ENOMEM;
}

static int load(struct sim *sim)
{
    int rc = world_init(&sim->world);

    if (rc == 0 && sim->options.is_office)
        return open_office(sim);

    for (unsigned i = 0; i < sim->options.n_captures && rc == 0; i++) {
        rc = capture_add(&sim->world.capture, sim->options.captures[i]);
        if (rc < 0)
            return failed(sim->options.captures[i], rc);
    }
    if (rc == 0)
        rc = load_listing(sim);
    return rc < 0 ? rc : world_prepare(&sim->world);
}

static void print_listening(const char *name, const char *addr, uint16_t port)
{
    struct view host;
    uint16_t asked;

    if (hostport_split(view_cstr(addr), &host, &asked) < 0 || host.len == 0)
        host = VIEW("0.0.0.0");
    printf("listening name=%s address=%.*s port=%u\n", name, VIEW_ARG(host), port);
    fflush(stdout);
}

static int load_tls(struct sim *sim)
{
    const struct tls_options opt = {.cert_file = sim->options.tls_cert,
                                    .key_file = sim->options.tls_key};
    struct tls_fault fault;

    if (!opt.cert_file)
        return 0;
    sim->tls = tls_server_new(&opt, &fault);
    if (sim->tls)
        return 0;
    fprintf(stderr, "ctibus-asterisk-sim: %s: %s\n", fault.file ? fault.file : "TLS", fault.reason);
    return -EINVAL;
}

static int listen_all(struct sim *sim)
{
    struct server_config config = {.listen = sim->options.listen,
                                   .username = sim->options.username,
                                   .password = sim->options.password,
                                   .permissions = sim->options.permissions,
                                   .refuse = sim->options.refuse,
                                   .tls = sim->tls,
                                   .logged_in = sim->options.wait_login ? on_login : NULL,
                                   .arg = sim};
    int rc;

    sim->server = server_new(sim->loop, sim->log, &sim->world, &config, &rc);
    if (!sim->server)
        return failed(sim->options.listen, rc);
    if (sim->options.status) {
        sim->status = status_new(sim->loop, &sim->world, sim->options.status, &rc);
        if (!sim->status)
            return failed(sim->options.status, rc);
        print_listening("status", sim->options.status, status_port(sim->status));
    }
    if (sim->options.fagi) {
        sim->agi = agi_new(sim->loop, sim->log, &sim->world, sim->server, sim->options.fagi, &rc);
        if (!sim->agi)
            return failed(sim->options.fagi, rc);
    }
    print_listening("ami", sim->options.listen, server_port(sim->server));
    return 0;
}

static int prepare(struct sim *sim)
{
    int rc = load(sim);

    if (rc < 0)
        return rc;
    sim->loop = loop_new();
    if (!sim->loop)
        return -ENOMEM;
    sim->term = loop_signal_new(sim->loop, SIGTERM, on_stop, sim);
    sim->intr = loop_signal_new(sim->loop, SIGINT, on_stop, sim);
    sim->usr1 = loop_signal_new(sim->loop, SIGUSR1, on_cut, sim);
    sim->usr2 = loop_signal_new(sim->loop, SIGUSR2, on_pause, sim);
    sim->stopping = loop_timer_new(sim->loop, stop_when_read, sim);
    if (!sim->term || !sim->intr || !sim->usr1 || !sim->usr2 || !sim->stopping)
        return -ENOMEM;
    rc = load_tls(sim);
    if (rc == 0)
        rc = listen_all(sim);
    if (rc < 0)
        return rc;
    if (sim->office) {
        sim->clock = office_clock_new(sim->loop, sim->office, &sim->world, sim->server);
        return sim->clock ? 0 : -ENOMEM;
    }
    sim->player =
        player_new(sim->loop, &sim->world, sim->server, &sim->options.pace, sim->options.loops);
    return sim->player ? 0 : -ENOMEM;
}

static void clean_up(struct sim *sim)
{
    player_destroy(&sim->player);
    office_clock_destroy(&sim->clock);
    status_destroy(&sim->status);
    agi_destroy(&sim->agi);
    server_destroy(&sim->server);
    tls_destroy(&sim->tls);
    loop_timer_destroy(&sim->stopping);
    loop_signal_destroy(&sim->usr1);
    loop_signal_destroy(&sim->usr2);
    loop_signal_destroy(&sim->intr);
    loop_signal_destroy(&sim->term);
    if (sim->loop)
        loop_destroy(&sim->loop);
    office_destroy(&sim->office);
    world_free(&sim->world);
    log_destroy(&sim->log);
}

static int work(int argc, char **argv)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    int rc;

    if (!sim)
        return 1;
    rc = sim_options_parse(&sim->options, argc, argv);
    if (rc == 0 && sim->options.write_lists) {
        rc = office_write_lists(&sim->options.office, sim->options.write_lists);
        if (rc < 0)
            failed(sim->options.write_lists, rc);
    } else if (rc == 0) {
        signal(SIGPIPE, SIG_IGN);
        sim->log = log_new(2, "asterisk-sim", sim->options.level, false);
        rc = sim->log ? prepare(sim) : -ENOMEM;
        if (rc == 0 && !sim->options.wait_login)
            start(sim);
        if (rc == 0)
            rc = loop_run(sim->loop);
        clean_up(sim);
    }
    free(sim);
    return rc < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    return log_end_stdout(work(argc, argv));
}
