/* INFO: lookups, sheets and lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "console/info/info.h"
#include "core/list_names.h"
#include "directory/directory.h"
#include "sessions/list_reload.h"
#include "sheets/sheets.h"

/* ---- reverse ---- */

/* One IPBX after the other, since users and phonebooks are of one. */
struct reverse_wait {
    struct info_wait wait;
    struct state *state;
    size_t ipbx; /* that is asked now */
    char *directory, *number;
};

static void reverse_end(struct reverse_wait *r, enum info_end how)
{
    info_wait_end(&r->wait, how);
    free(r->directory);
    free(r->number);
    free(r);
}

static void put_fields(struct info *i, struct json_object *fields)
{
    static const char *const titles[] = {"FIELD", "VALUE", NULL};
    struct columns c;

    columns_begin(&c, titles);
    json_object_object_foreach(fields, key, value)
    {
        columns_put(&c, view_cstr(key));
        columns_put(&c, view_cstr(json_object_get_string(value)));
    }
    info_table(i, &c);
}

static void ask_site(struct reverse_wait *r);

static void on_fields(void *arg, struct json_object *fields)
{
    struct reverse_wait *r = arg;
    struct info *i = r->wait.info;

    if (i && !fields && r->ipbx + 1 < r->state->n_ipbxes) {
        r->ipbx++;
        ask_site(r);
        return;
    }
    if (i && fields)
        put_fields(i, fields);
    else if (i)
        info_line(i, "%s: nobody's number there", r->number);
    reverse_end(r, fields ? INFO_OK : INFO_KO);
}

static void ask_site(struct reverse_wait *r)
{
    struct directory_ask ask = {.ipbx = r->state->ipbxes[r->ipbx].model->ipbx,
                                .text = view_cstr(r->number)};

    if (directory_reverse_in(r->state->directories, view_cstr(r->directory), &ask, on_fields, r) <
        0) {
        if (r->wait.info)
            info_line(r->wait.info, "%s: the configuration has no such directory", r->directory);
        reverse_end(r, INFO_KO);
    }
}

/* The answer may be there before this returns: it is held and let go at once, then. */
enum info_end info_reverse(struct info *i, const struct info_words *w)
{
    struct reverse_wait *r = calloc(1, sizeof(*r));

    if (r) {
        r->state = i->state;
        r->directory = view_dup(w->word[1]);
        r->number = view_dup(w->word[2]);
    }
    if (!r || !r->directory || !r->number) {
        if (r)
            reverse_end(r, INFO_KO);
        return info_wrong(i, "out of memory");
    }
    info_wait_begin(i, &r->wait);
    ask_site(r);
    return INFO_LATER;
}

/* ---- sheet ---- */

enum info_end info_sheet(struct info *i, const struct info_words *w)
{
    char event[64];
    int n = -ENOENT;

    snprintf(event, sizeof(event), "%.*s", VIEW_ARG(w->word[1]));
    for (size_t s = 0; n == -ENOENT && s < i->state->n_ipbxes; s++)
        n = sheets_resend(i->state->sheets, i->state->ipbxes[s].model, event, w->word[2],
                          clock_wall());
    if (n == -ENOENT)
        return info_wrong(i, "%.*s: there is no such channel", VIEW_ARG(w->word[2]));
    if (n < 0)
        return info_wrong(i, "%s: the configuration has no sheets for this event", event);
    info_line(i, "of the call: %d user%s; the event's conditions say who of them gets a sheet", n,
              n == 1 ? "" : "s");
    return INFO_OK;
}

/* ---- lists ---- */

enum info_end info_webs(struct info *i, const struct info_words *w)
{
    const char *key = list_name_key(w->word[2]);
    int rc;

    if (!view_eq(w->word[1], VIEW("reload")))
        return info_wrong(i, "usage: webs reload LIST");
    if (!key)
        return info_wrong(i, "%.*s: there is no such list", VIEW_ARG(w->word[2]));
    rc = list_reload(i->state, key);
    if (rc == -ENOENT)
        return info_wrong(i, "no ipbx of the configuration has a URI for %s", key);
    if (rc < 0)
        return info_wrong(i, "%s cannot be read (the log says why): what is known of it stays",
                          key);
    info_line(i, "%s: files are read, what comes over HTTP is being fetched", key);
    return INFO_OK;
}
