/* Actions about the connection itself. */
#include <stdio.h>

#include "answers.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/rng.h"
#include "classes.h"
#include "say.h"

static void challenge(const struct ask *a)
{
    if (!view_ieq(ami_get(a->b, "AuthType"), VIEW("MD5"))) {
        say_error(a->out, a->id, "Must specify AuthType");
        return;
    }
    snprintf(a->c->challenge, sizeof(a->c->challenge), "%u",
             100000000u + (unsigned)(rng_u64() % 900000000u));
    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "Challenge", a->c->challenge);
    say_end(a->out);
}

static bool is_right(const struct ask *a)
{
    const struct server_config *config = server_config(a->c->server);
    char key[DIGEST_HEX];

    if (!view_eq(ami_get(a->b, "Username"), view_cstr(config->username)))
        return false;
    if (!view_ieq(ami_get(a->b, "AuthType"), VIEW("MD5")))
        return view_eq(ami_get(a->b, "Secret"), view_cstr(config->password));
    if (a->c->challenge[0] == '\0')
        return false;
    DIGEST_HEX_OF(EVP_md5(), key, view_cstr(a->c->challenge), view_cstr(config->password));
    return key[0] && view_ieq(ami_get(a->b, "Key"), view_cstr(key));
}

static void login(const struct ask *a)
{
    if (a->c->logged_in) {
        say_success(a->out, a->id, "Already authenticated");
    } else if (is_right(a)) {
        say_success(a->out, a->id, "Authentication accepted");
        client_logged_in(a->c, classes_of_mask(ami_get(a->b, "Events")));
    } else {
        say_error(a->out, a->id, "Authentication failed");
        client_refuse(a->c);
    }
}

static void logoff(const struct ask *a)
{
    say_response(a->out, "Goodbye", a->id, "Thanks for all the fish.");
    say_end(a->out);
    a->c->closing = true;
}

static void ping(const struct ask *a)
{
    uint64_t now = clock_wall_us();

    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "Ping", "Pong");
    buf_printf(a->out, "Timestamp: %llu.%06llu\r\n", (unsigned long long)(now / 1000000),
               (unsigned long long)(now % 1000000));
    say_end(a->out);
}

static void events(const struct ask *a)
{
    struct view mask = ami_get(a->b, "EventMask");

    if (!mask.ptr) {
        say_error(a->out, a->id, "Invalid event mask");
        return;
    }
    a->c->filter.mask =
        classes_of_mask(mask) & permissions_events(&server_config(a->c->server)->permissions);
    say_response(a->out, "Success", a->id, NULL);
    say(a->out, "Events", a->c->filter.mask ? "On" : "Off");
    say_end(a->out);
}

static void filter(const struct ask *a)
{
    if (!view_ieq(ami_get(a->b, "Operation"), VIEW("Add"))) {
        say_error(a->out, a->id, "Unknown operation");
        return;
    }
    if (filter_add(&a->c->filter, ami_get(a->b, "Filter")) < 0)
        say_error(a->out, a->id, "Filter did not compile.  Check the syntax of the filter given.");
    else
        say_success(a->out, a->id, "Success");
}

const struct action *session_action(struct view name)
{
    static const struct action table[] = {
        {"Challenge", challenge, false},
        {"Login", login, false},
        {"Logoff", logoff, false},
        {"Ping", ping, false},
        {"Events", events, false},
        {"Filter", filter, false}, /* 1.8: not in its ListCommands */
    };

    return find_action(table, ARRAY_SIZE(table), name);
}
