/* The action Command: a small console, which answers in the way of each dialect. */
#include "answers.h"
#include "say.h"

/* Appends what the console says, lines ended by LF. */
typedef void console_fn(const struct world *w, struct buf *out);

static void show_version(const struct world *w, struct buf *out)
{
    buf_printf(out, "Asterisk SIM-%s built by ctibus @ sim on a x86_64 running Linux\n",
               w->capture.version);
}

static void show_channels(const struct world *w, struct buf *out)
{
    buf_printf(out, "%-20s %-20s %-7s Application(Data)\n", "Channel", "Location", "State");
    for (size_t i = 0; i < w->model.n; i++) {
        const struct chan *c = w->model.chans[i];
        buf_printf(out, "%-20.20s %s@%s:%s %s %s(%s)\n", c->field[CH_NAME], c->field[CH_EXTEN],
                   c->field[CH_CONTEXT], c->field[CH_PRIORITY], c->field[CH_STATE_DESC],
                   c->field[CH_APPLICATION], c->field[CH_DATA]);
    }
    buf_printf(out, "%zu active channels\n", w->model.n);
}

/* manager show user NAME */
static void show_user(const struct ask *a, struct view name, struct buf *out)
{
    const struct server_config *c = server_config(a->c->server);

    if (!view_eq(name, view_cstr(c->username)))
        buf_printf(out, "There is no manager called %.*s\n", VIEW_ARG(name));
    else
        buf_printf(out,
                   "\n       username: %s\n         secret: <Set>\n            acl: no\n"
                   "      read perm: %s\n     write perm: %s\ndisplayconnects: yes\n",
                   c->username, *c->permissions.read ? c->permissions.read : "<none>",
                   *c->permissions.write ? c->permissions.write : "<none>");
}

/* A reload says nothing. */
static void reload(const struct world *w, struct buf *out)
{
    (void)w;
    (void)out;
}

static bool is_reload(struct view text)
{
    static const struct view end = VIEW(" reload");

    return view_starts(text, VIEW("module reload")) ||
           (text.len > end.len && view_eq(view_of(text.ptr + text.len - end.len, end.len), end));
}

static console_fn *find(struct view text)
{
    if (view_eq(text, VIEW("core show version")))
        return show_version;
    if (view_eq(text, VIEW("core show channels")))
        return show_channels;
    return is_reload(text) ? reload : NULL;
}

static void say_old(const struct ask *a, struct view lines)
{
    say(a->out, "Response", "Follows");
    say(a->out, "Privilege", "Command");
    if (a->id.len)
        say_header(a->out, VIEW("ActionID"), a->id);
    buf_append_view(a->out, lines);
    buf_append_cstr(a->out, "--END COMMAND--\r\n");
    say_end(a->out);
}

static void say_new(const struct ask *a, struct view lines, bool known)
{
    say_response(a->out, known ? "Success" : "Error", a->id, "Command output follows");
    while (lines.len)
        say_header(a->out, VIEW("Output"), view_cut(&lines, '\n'));
    say_end(a->out);
}

void console_command(const struct ask *a)
{
    struct view text = ami_get(a->b, "Command");
    static const struct view user = VIEW("manager show user ");
    bool is_user = view_starts(text, user);
    console_fn *fn = find(text);
    struct buf lines;

    if (text.len == 0) {
        say_error(a->out, a->id, "No command provided");
        return;
    }
    buf_init(&lines, 0);
    if (is_user)
        show_user(a, view_of(text.ptr + user.len, text.len - user.len), &lines);
    else if (fn)
        fn(a->w, &lines);
    else
        buf_printf(&lines,
                   "No such command '%.*s' (type 'core show help %.*s' for other possible "
                   "commands)\n",
                   VIEW_ARG(text), VIEW_ARG(text));
    if (a->w->capture.old)
        say_old(a, buf_view(&lines));
    else
        say_new(a, buf_view(&lines), is_user || fn != NULL);
    buf_free(&lines);
}
