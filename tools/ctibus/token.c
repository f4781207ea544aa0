/* ctibus token: what programs present to the HTTP API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/api.h"
#include "tool.h"

#define WAIT_MS 10000
#define MAX_SCOPES 16

/* ---- create ---- */

struct wish {
    const char *user, *name;
    const char *scopes[MAX_SCOPES];
    size_t n_scopes;
    double days;
};

static bool on_created(void *arg, const msgpack_object *body)
{
    const struct tool *t = arg;
    struct view token = msg_get_str(body, "token");
    struct view id = msg_get_str(body, "id");

    if (t->json)
        printf("{\"token\":\"%.*s\",\"id\":\"%.*s\"}\n", VIEW_ARG(token), VIEW_ARG(id));
    else
        printf("%.*s\n", VIEW_ARG(token));
    return false;
}

static const char *why_not_created(enum bus_status status)
{
    return status == BUS_not_found          ? "there is no such user"
           : status == BUS_denied           ? "this user may not log in: enableclient"
           : status == BUS_capaid_undefined ? "this user has no profile: profileclient"
                                            : NULL;
}

static void ask(struct tool *t, size_t n, const struct buf *pairs,
                bool (*answer)(void *arg, const msgpack_object *body))
{
    const struct tool_question q = {.method = METHOD_admin_api_tokens,
                                    .deadline_ms = WAIT_MS,
                                    .n_pairs = n,
                                    .pairs = buf_view(pairs),
                                    .answer = answer,
                                    .explain = why_not_created,
                                    .arg = t};

    tool_ask(t, &q);
}

static int create(struct tool *t, const struct wish *w)
{
    struct buf pairs;

    buf_init(&pairs, 65536);
    msg_put_cstr(&pairs, "create");
    msg_put_bool(&pairs, true);
    msg_put_pair(&pairs, "user", view_cstr(w->user));
    msg_put_pair(&pairs, "name", view_cstr(w->name ? w->name : ""));
    msg_put_cstr(&pairs, "days");
    msg_put_double(&pairs, w->days);
    msg_put_cstr(&pairs, "scopes");
    msg_put_array(&pairs, w->n_scopes);
    for (size_t i = 0; i < w->n_scopes; i++)
        msg_put_cstr(&pairs, w->scopes[i]);
    ask(t, 5, &pairs, on_created);
    buf_free(&pairs);
    return t->exit_code;
}

static int wrong_scope(struct tool *t, const char *word)
{
    struct buf all;
    int rc;

    buf_init(&all, 4096);
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", api_scope(i)->name);
    rc = tool_wrong(t, &command_token, "%s is no scope: there are %s", word, buf_cstr(&all));
    buf_free(&all);
    return rc;
}

static int run_create(struct tool *t, int argc, char **argv)
{
    struct wish w = {0};
    char *end;

    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-' && !w.user) {
            w.user = argv[i];
            continue;
        }
        if (!value || argv[i][0] != '-')
            return tool_usage(t, &command_token);
        if (strcmp(argv[i], "--name") == 0) {
            w.name = value;
        } else if (strcmp(argv[i], "--days") == 0) {
            w.days = strtod(value, &end);
            if (*end || end == value || !(w.days > 0 && w.days <= 36500))
                return tool_wrong(t, &command_token, "--days is a number up to 36500, not %s",
                                  value);
        } else if (strcmp(argv[i], "--scope") == 0) {
            if (api_scope_find(view_cstr(value)) < 0)
                return wrong_scope(t, value);
            if (w.n_scopes < MAX_SCOPES)
                w.scopes[w.n_scopes++] = value;
        } else {
            return tool_usage(t, &command_token);
        }
        i++;
    }
    if (!w.user)
        return tool_wrong(t, &command_token, "whose token is it to be? ctibus token create USER");
    if (w.n_scopes == 0)
        w.scopes[w.n_scopes++] = "read";
    return create(t, &w);
}

/* ---- list, revoke ---- */

static void put_scopes(struct buf *out, const msgpack_object *list)
{
    uint32_t n = list && list->type == MSGPACK_OBJECT_ARRAY ? list->via.array.size : 0;

    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s", i ? "," : "", VIEW_ARG(msg_str(&list->via.array.ptr[i])));
}

static void put_plain(const msgpack_object *token)
{
    double expires = msg_get_double(token, "expires", 0);
    struct buf used, until, scopes;

    buf_init(&used, 64);
    buf_init(&until, 64);
    buf_init(&scopes, 1024);
    tool_put_date(&used, msg_get_double(token, "used", 0));
    if (expires > 0)
        tool_put_date(&until, expires);
    else
        buf_append_cstr(&until, "never");
    put_scopes(&scopes, msg_get(token, "scopes"));
    tool_say(stdout, "%-12.*s %-20.*s %-16.*s %-20s %-20s %s", VIEW_ARG(msg_get_str(token, "id")),
             VIEW_ARG(msg_get_str(token, "name")), VIEW_ARG(msg_get_str(token, "login")),
             buf_cstr(&used), buf_cstr(&until), buf_cstr(&scopes));
    buf_free(&used);
    buf_free(&until);
    buf_free(&scopes);
}

static bool on_list(void *arg, const msgpack_object *body)
{
    tool_print_list(arg, body, "tokens", put_plain);
    return true;
}

static int run_list(struct tool *t, const char *user)
{
    struct buf pairs;

    if (!t->json)
        printf("%-12s %-20s %-16s %-20s %-20s %s\n", "ID", "NAME", "USER", "LAST USED", "EXPIRES",
               "SCOPES");
    buf_init(&pairs, 4096);
    if (user)
        msg_put_pair(&pairs, "user", view_cstr(user));
    ask(t, user ? 1 : 0, &pairs, on_list);
    buf_free(&pairs);
    return t->exit_code;
}

static bool on_revoked(void *arg, const msgpack_object *body)
{
    struct tool *t = arg;
    long long n = msg_get_i64(body, "revoked", 0);

    if (n == 0)
        tool_fail(t, "there is no such token: ctibus token list");
    else if (t->json)
        printf("{\"revoked\":%lld}\n", n);
    else
        printf("%lld token%s revoked\n", n, n == 1 ? "" : "s");
    return false;
}

static int run_revoke(struct tool *t, const char *id, const char *user)
{
    struct buf pairs;

    buf_init(&pairs, 4096);
    msg_put_pair(&pairs, "revoke", view_cstr(id));
    if (user)
        msg_put_pair(&pairs, "user", view_cstr(user));
    ask(t, user ? 2 : 1, &pairs, on_revoked);
    buf_free(&pairs);
    return t->exit_code;
}

static int run_token(struct tool *t, int argc, char **argv)
{
    const char *what = argc > 0 ? argv[0] : "list";

    if (strcmp(what, "create") == 0)
        return run_create(t, argc - 1, argv + 1);
    if (strcmp(what, "list") == 0 && argc <= 2 && (argc < 2 || argv[1][0] != '-'))
        return run_list(t, argc == 2 ? argv[1] : NULL);
    if (strcmp(what, "revoke") == 0 && argc == 2 && argv[1][0] != '-')
        return run_revoke(t, argv[1], NULL);
    if (strcmp(what, "revoke") == 0 && argc == 3 && strcmp(argv[1], "--user") == 0)
        return run_revoke(t, "", argv[2]);
    return tool_usage(t, &command_token);
}

const struct command command_token = {
    .name = "token",
    .args = "create USER [--name NAME] [--scope SCOPE]... [--days N] | list [USER] | revoke ID",
    .help = "Tokens of the HTTP API, for programs: create prints one, this once. It acts as\n"
            "the user (by id or login), as far as the user's profile and its scopes permit:\n"
            "read (if none is named), history, calls, users, queues, chat, act_as.\n"
            "revoke --user USER ends all of a user's.",
    .examples =
        "$ ctibus token create alice --name crm --scope read --scope calls\n"
        "ctb_pEwsayW5u21Q0d6RJPjKv8nlFzgsz1fzKm631R9Y8fw\n"
        "$ ctibus token list alice\n"
        "ID           NAME                 USER             LAST USED            EXPIRES      ...\n"
        "6b073d719e51 crm                  alice            2026-11-30 14:52:52  never        ...\n"
        "$ ctibus token revoke --user alice\n"
        "1 token revoked",
    .run = run_token,
};
