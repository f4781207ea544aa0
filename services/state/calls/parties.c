#include "calls/parties.h"

#include <stdio.h>

#include "users/relations.h"

/* A value of the header Variable: Asterisk splits it at commas outside of parentheses and quotes,
 * and takes a backslash before a character for that character. */
static void set_variable(char out[PARTY_TEXT], const char *name, struct view value)
{
    size_t n;

    out[0] = '\0';
    if (value.len == 0)
        return;
    n = (size_t)snprintf(out, PARTY_TEXT, "%s=", name);
    for (size_t i = 0; i < value.len && n + 2 < PARTY_TEXT; i++) {
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f)
            continue;
        if (strchr(",\\\"()[]", value.ptr[i]))
            out[n++] = '\\';
        out[n++] = value.ptr[i];
    }
    out[n] = '\0';
}

/* Local/0612345678@default, DAHDI/g1/0612345678: a number elsewhere, reached by way of this. */
static bool is_elsewhere(struct view channel)
{
    struct view name = channel;
    struct view technology = view_cut(&name, '/');

    return view_ieq(technology, VIEW("Local")) || memchr(name.ptr, '/', name.len);
}

static void set_caller(char out[PARTY_TEXT], const struct xod_obj *user)
{
    const struct xod_obj *line = user ? relations_line(user) : NULL;
    struct buf text;
    char scratch[32];

    if (!line)
        return;
    buf_init(&text, PARTY_TEXT - 1);
    target_put_callerid(&text, xod_get_str(user, XOD(users, fullname)),
                        value_text(xod_get(line, XOD(phones, number)), scratch));
    snprintf(out, PARTY_TEXT, "%.*s", VIEW_ARG(buf_view(&text)));
    buf_free(&text);
}

void parties_set(struct parties *p, const struct xod_obj *user, struct view channel,
                 struct view name, struct view number)
{
    *p = (struct parties){0};
    if (is_elsewhere(channel)) {
        set_caller(p->callerid, user);
        return;
    }
    /* i: the phone is told once, with the number */
    set_variable(p->name, number.len ? "CONNECTEDLINE(name,i)" : "CONNECTEDLINE(name)", name);
    set_variable(p->number, "CONNECTEDLINE(num)", number);
}
