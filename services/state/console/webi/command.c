#include "console/webi/command.h"
#include "base/array.h"

#include "core/list_names.h"

#define MAX_PEER 80

static const char *const allowed[] = {
    "core show version",
    "core show channels",
    "dialplan reload",
    "sip reload",
    "sip show peer X load",
    "moh reload",
    "iax2 reload",
    "module reload",
    "module reload app_queue.so",
    "module reload chan_agent.so",
    "module reload app_meetme.so",
    "module reload chan_sccp.so",
    "features reload",
    "voicemail reload",
    "sccp reload",
    "sccp show version",
    "sccp show devices",
    "sccp show config",
    "sccp update config",
};

#define N_ALLOWED ARRAY_SIZE(allowed)

const char *webi_allowed(size_t i)
{
    return i < N_ALLOWED ? allowed[i] : NULL;
}

static bool is_peer(struct view v)
{
    static const char others[] = "._-+@";

    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            !memchr(others, c, sizeof(others) - 1))
            return false;
    }
    return v.len > 0 && v.len <= MAX_PEER;
}

/* The same text, but for a word that stands for a peer. */
static bool fits(struct view line, struct view pattern)
{
    ptrdiff_t at = view_find(pattern, VIEW(" X "));
    struct view before;
    struct view behind;

    if (at < 0)
        return view_eq(line, pattern);
    before = view_of(pattern.ptr, (size_t)at + 1);
    behind = view_of(pattern.ptr + at + 2, pattern.len - (size_t)at - 2);
    if (line.len <= before.len + behind.len || !view_starts(line, before) ||
        !view_eq(view_of(line.ptr + line.len - behind.len, behind.len), behind))
        return false;
    return is_peer(view_of(line.ptr + before.len, line.len - before.len - behind.len));
}

static bool is_allowed(struct view line)
{
    for (size_t i = 0; i < N_ALLOWED; i++)
        if (fits(line, view_cstr(allowed[i])))
            return true;
    return false;
}

/* "userlist" -> "urllist_users", or NULL. */
static const char *list_key(struct view what)
{
    static const struct view end = VIEW("list");

    if (what.len <= end.len || !view_eq(view_of(what.ptr + what.len - end.len, end.len), end))
        return NULL;
    return list_name_key(view_of(what.ptr, what.len - end.len));
}

/* What stands in xivo[WHAT,VERB]; or empty views. */
static void split_signal(struct view line, struct view *what, struct view *verb)
{
    static const struct view begin = VIEW("xivo[");

    *what = *verb = view_of(NULL, 0);
    if (!view_starts(line, begin) || line.ptr[line.len - 1] != ']')
        return;
    *verb = view_of(line.ptr + begin.len, line.len - begin.len - 1);
    *what = view_cut(verb, ',');
}

/* "edit,1": what XiVOs from 2013 on say has been done to one object of a list. */
static bool is_change(struct view verb)
{
    static const char *const changes[] = {"add",       "edit",   "delete",
                                          "deleteall", "enable", "disable"};
    struct view change = view_cut(&verb, ',');
    uint64_t id;

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
        if (view_eq(change, view_cstr(changes[i])))
            return view_to_u64(verb, &id) == 0;
    return false;
}

struct webi_command webi_read(struct view line)
{
    struct webi_command c = {WEBI_UNKNOWN, NULL};
    struct view what;
    struct view verb;

    split_signal(line, &what, &verb);
    if (what.len == 0) {
        c.kind = is_allowed(line) ? WEBI_CLI : WEBI_UNKNOWN;
    } else if (view_eq(what, VIEW("daemon"))) {
        c.kind = view_eq(verb, VIEW("reload")) ? WEBI_RELOAD : WEBI_UNKNOWN;
    } else if (is_change(verb)) {
        c.key = list_name_key(what);
        c.kind = c.key ? WEBI_LIST : WEBI_UNKNOWN;
    } else if (view_eq(verb, VIEW("update"))) {
        c.key = list_key(what);
        c.kind = c.key                                ? WEBI_LIST
                 : view_eq(what, VIEW("cticonfig"))   ? WEBI_RELOAD
                 : view_eq(what, VIEW("queuemember")) ? WEBI_MEMBERS
                                                      : WEBI_UNKNOWN;
    }
    return c;
}
