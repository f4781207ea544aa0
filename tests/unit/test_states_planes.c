/* What a gateway publishes and hears where a site has two states: of the one that is active. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/two_states.h"

/* So many sockets of publishers cannot be made: too many files are open. */
static int fail_sockets;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker makes these names */
void *__real_zmq_socket(void *context, int type);
void *__wrap_zmq_socket(void *context, int type);

void *__wrap_zmq_socket(void *context, int type)
{
    if (type != ZMQ_XPUB || fail_sockets == 0)
        return __real_zmq_socket(context, type);
    fail_sockets--;
    errno = EMFILE;
    return NULL;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static int setup(void **state)
{
    fail_sockets = 0;
    *state = two_states_open();
    return 0;
}

static int teardown(void **state)
{
    two_states_close(*state);
    return 0;
}

/* What the gateway has heard. */
struct planes {
    struct two_states *w;
    char interest[20]; /* + and - for tel/ */
    char heard[4];     /* from whom: "a", "b", each once */
};

static void on_interest(void *arg, struct view prefix, bool on)
{
    struct planes *p = arg;

    if (view_eq(prefix, VIEW("tel/"))) /* not those of its own subscriber */
        note(p->interest, sizeof(p->interest), on ? "+" : "-");
}

static void on_message(void *arg, const struct bus_msg *m)
{
    struct planes *p = arg;

    assert_true(view_starts(m->source, VIEW("state@")) && m->source.len == 7);
    if (!strchr(p->heard, m->source.ptr[6]))
        note(p->heard, sizeof(p->heard), (char[]){m->source.ptr[6], '\0'});
}

static const struct bus_sub_handler planes_handler = {on_message, NULL};

static void planes_open(struct two_states *w, struct planes *p)
{
    int err = 0;

    *p = (struct planes){.w = w};
    w->pub = bus_pub_new(w->gw.bus, w->endpoints[0], on_interest, p, &err);
    w->sub = bus_sub_new(w->gw.bus, w->endpoints[1], &planes_handler, p, &err);
    assert_true(w->pub && w->sub);
    bus_sub_add(w->sub, VIEW("xod/"));
}

static bool hears(struct planes *p, struct side *s)
{
    bus_pub_send(s->pub, VIEW("xod/x/"), VIEW("\x80"));
    loop_once(p->w->loop, 5);
    return strchr(p->heard, *s->name);
}

/* Only this one is followed. */
static void assert_follows(struct planes *p, struct side *s, struct side *other)
{
    struct two_states *w = p->w;

    UNTIL(w->loop, bus_pub_wanted(w->pub, VIEW("tel/")));
    s->heard = other->heard = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(bus_pub_send(w->pub, VIEW("tel/x/"), VIEW("\x80")), 0);
    UNTIL(w->loop, s->heard == 3);
    /* The other's own message comes after all that had come to it. */
    bus_pub_send(other->pub, VIEW("tel/x/"), VIEW("\x80"));
    UNTIL(w->loop, other->heard > 0);
    assert_int_equal(other->heard, 1);
    UNTIL(w->loop, hears(p, s));
    *p->heard = '\0';
    bus_pub_send(other->pub, VIEW("xod/x/"), VIEW("\x80"));
    UNTIL(w->loop, hears(p, s));
    assert_null(strchr(p->heard, *other->name));
}

static void publishers_and_subscribers_follow(void **state)
{
    struct two_states *w = *state;
    struct planes p;

    planes_open(w, &p);
    UNTIL(w->loop, strcmp(p.interest, "+") == 0);
    UNTIL(w->loop, hears(&p, &w->a) && hears(&p, &w->b)); /* both */
    client_open(w);
    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    assert_string_equal(p.interest, "+-"); /* those of the one that is followed are to be seen */
    UNTIL(w->loop, strcmp(p.interest, "+-+") == 0);
    assert_follows(&p, &w->a, &w->b);
    take_over(&w->b, 2);
    UNTIL(w->loop, asks(w, &w->b));
    assert_string_equal(p.interest, "+-+-");
    UNTIL(w->loop, strcmp(p.interest, "+-+-+") == 0);
    assert_follows(&p, &w->b, &w->a);
    take_over(&w->a, 3);
    UNTIL(w->loop, asks(w, &w->a));
    assert_follows(&p, &w->a, &w->b);
    assert_string_equal(p.interest, "+-+-+-+");
}

static void those_that_are_made_later_follow(void **state)
{
    struct two_states *w = *state;
    struct planes p;

    client_open(w);
    take_over(&w->b, 1);
    UNTIL(w->loop, asks(w, &w->b));
    planes_open(w, &p);
    assert_follows(&p, &w->b, &w->a);
    assert_string_equal(p.interest, "+");
}

static void a_publisher_without_a_socket_tries_again(void **state)
{
    struct two_states *w = *state;
    struct planes p;

    planes_open(w, &p);
    client_open(w);
    take_over(&w->a, 1);
    UNTIL(w->loop, asks(w, &w->a));
    assert_follows(&p, &w->a, &w->b);
    fail_sockets = 3;
    *p.interest = '\0';
    take_over(&w->b, 2);
    UNTIL(w->loop, strcmp(p.interest, "-+") == 0);
    assert_int_equal(fail_sockets, 0);
    assert_follows(&p, &w->b, &w->a);
}

/* A tool that has no client. */
static void without_a_client_whoever_is_there_is_heard(void **state)
{
    struct two_states *w = *state;
    char publish[64], subscribe[64];
    struct planes p;

    snprintf(publish, sizeof(publish), "%s", bus_forwarder_publish(w->a.fwd));
    snprintf(subscribe, sizeof(subscribe), "%s", bus_forwarder_subscribe(w->a.fwd));
    side_unforward(&w->a);
    planes_open(w, &p);
    UNTIL(w->loop, hears(&p, &w->b) && bus_pub_wanted(w->pub, VIEW("tel/")));
    side_unforward(&w->b);
    UNTIL(w->loop, !bus_pub_wanted(w->pub, VIEW("tel/")));
    while (side_forward(&w->a, publish, subscribe) == -EADDRINUSE)
        loop_once(w->loop, 5);
    *p.heard = '\0';
    UNTIL(w->loop, hears(&p, &w->a) && bus_pub_wanted(w->pub, VIEW("tel/")));
    assert_null(strchr(p.heard, 'b'));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(publishers_and_subscribers_follow),
        T(those_that_are_made_later_follow),
        T(a_publisher_without_a_socket_tries_again),
        T(without_a_client_whoever_is_there_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
