/* The AMI server: connections, who gets which event, and the login. */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "base/buf.h"
#include "filter.h"
#include "log/log.h"
#include "net/tls.h"
#include "permissions.h"
#include "world.h"

struct server;

struct client {
    struct client *next, *prev; /* of the server's list */
    struct server *server;
    struct conn *conn;
    struct ami_parser parser;
    struct filter filter;
    struct buf reply;   /* to the action at hand */
    struct buf own;     /* events for it alone: its filter is not open */
    char challenge[16]; /* empty: none given */
    bool logged_in;
    bool closing;            /* nothing more is read from it */
    struct loop_timer *late; /* ends a failed login */
    struct buf refusal;      /* what is said then */
};

struct server_config {
    const char *listen; /* HOST:PORT */
    const char *username;
    const char *password;
    struct permissions permissions;
    bool refuse;         /* each connection is closed at once, as a firewall or authlimit does */
    struct tls_ctx *tls; /* NULL: clear text */
    void (*logged_in)(void *arg); /* a client that gets events has logged in */
    void *arg;
};

/* Listens. *err becomes a negative errno and NULL is returned when it cannot. Everything given is
 * borrowed. Takes the world's sink. */
struct server *server_new(struct loop *loop, struct log *log, struct world *world,
                          const struct server_config *config, int *err);
void server_destroy(struct server **s);

struct world *server_world(const struct server *s);
const struct server_config *server_config(const struct server *s);
uint16_t server_port(const struct server *s);

/* Sends what was gathered since the last call; to be called after each batch of events. */
void server_flush(struct server *s);

/* Clients that get events, and the most bytes that one of them has waiting. */
unsigned server_listeners(const struct server *s);
size_t server_backlog(const struct server *s);

/* Drops all connections, as a cut link does. */
void server_drop_all(struct server *s);
/* Says Shutdown to all and takes no more connections. */
void server_shutdown(struct server *s);

/* For answers.c: a login has succeeded (the answer is already in c->reply); events go to it from
 * now on as its filter says. */
void client_logged_in(struct client *c, uint32_t mask);
/* A login has failed: what is in c->reply is said in a second, then the connection ends. */
void client_refuse(struct client *c);

#endif
