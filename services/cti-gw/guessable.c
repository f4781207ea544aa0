#include "guessable.h"

#include <stdlib.h>

#include "base/hostport.h"
#include "base/netaddr.h"
#include "csv/staff.h"
#include "json/json.h"

#define MAX_LIST_BYTES ((size_t)256 << 20)
#define NAMED 5 /* of them in the reason; the others are counted */

static bool reaches_out(struct view at)
{
    struct view host;
    uint16_t port;

    return at.len > 0 && hostport_split(at, &host, &port) == 0 && !netaddr_is_loopback(host);
}

static bool is_open(const struct config *cfg)
{
    static const char *const keys[] = {"main.incoming_tcp.CTI", "main.incoming_tcp.CTIS"};
    char at[256];

    for (size_t i = 0; i < 2; i++)
        if (config_listen(cfg, keys[i], at, sizeof(at)) && reaches_out(view_cstr(at)))
            return true;
    return reaches_out(view_cstr(config_str(cfg, "ctibus.cti.websocket")));
}

static void look_at(struct json_object *users, struct buf *names, size_t *n)
{
    size_t all = json_object_is_type(users, json_type_array) ? json_object_array_length(users) : 0;

    for (size_t i = 0; i < all; i++) {
        struct json_object *user = json_object_array_get_idx(users, i);
        struct view login = json_get_text(user, "loginclient");
        if (login.len == 0 || !view_eq(login, json_get_text(user, "passwdclient")) ||
            !json_get_bool(user, "enableclient", true))
            continue;
        if ((*n)++ < NAMED)
            buf_printf(names, "%s%.*s", *n > 1 ? ", " : "", (int)(login.len < 40 ? login.len : 40),
                       login.ptr);
    }
}

static struct json_object *parse(struct view text)
{
    struct json_object *users = NULL;
    struct json_parser parser;

    if (json_parser_init(&parser) < 0)
        return NULL;
    json_parse(&parser, text, &users);
    json_parser_fini(&parser);
    return users;
}

static void look_into(const struct config *cfg, struct view uri, struct buf *names, size_t *n)
{
    bool csv = view_starts(uri, VIEW("csv:"));
    char *path = NULL;
    struct json_object *users = NULL;
    struct buf text;

    if (csv)
        path = config_path(cfg, view_of(uri.ptr + 4, uri.len - 4));
    else if (view_starts(uri, VIEW("file:")))
        path = config_path(cfg, uri);
    buf_init(&text, MAX_LIST_BYTES);
    if (path && buf_read_file(&text, path) == 0)
        users = csv ? staff_read(buf_view(&text), NULL, NULL) : parse(buf_view(&text));
    look_at(users, names, n);
    json_object_put(users);
    buf_free(&text);
    free(path);
}

static void look_for_some(const struct config *cfg, struct buf *names, size_t *n)
{
    struct json_object *ipbxes = config_section(cfg, "ipbxes");

    if (!ipbxes)
        return;
    json_object_object_foreach(ipbxes, name, ipbx)
    {
        struct json_object *list = json_get(json_get_object(ipbx, "urllists"), "urllist_users");
        size_t uris =
            json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
        (void)name;
        for (size_t i = 0; i < uris; i++)
            look_into(cfg, json_view(json_object_array_get_idx(list, i)), names, n);
    }
}

bool guessable_check(const struct config *cfg, struct buf *why)
{
    struct buf names;
    size_t n = 0;

    if (!is_open(cfg) || config_bool(cfg, "ctibus.cti.guessable_passwords"))
        return true;
    buf_init(&names, 1024);
    look_for_some(cfg, &names, &n);
    if (n > 0) {
        buf_printf(why, "the password of %.*s", VIEW_ARG(buf_view(&names)));
        if (n > NAMED)
            buf_printf(why, " and %zu more", n - NAMED);
        buf_append_cstr(why,
                        " is the login name, and clients may come from other machines: change it, "
                        "listen on the loopback, or set ctibus.cti.guessable_passwords");
    }
    buf_free(&names);
    return n == 0;
}
