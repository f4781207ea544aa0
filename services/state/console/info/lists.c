/* INFO: objects of xod as tables. */
#include "base/array.h"
#include "console/info/info.h"
#include "directory/directory.h"
#include "directory/table.h"

/* Which command shows which list. */
static const struct {
    const char *command;
    enum xod_list list;
} shows[] = {
    {"show_users", LIST_users},          {"show_phones", LIST_phones},
    {"show_trunks", LIST_trunks},        {"show_queues", LIST_queues},
    {"show_groups", LIST_groups},        {"show_agents", LIST_agents},
    {"show_incalls", LIST_incalls},      {"show_meetme", LIST_meetmes},
    {"show_voicemail", LIST_voicemails},
};

#define F(list, field) XOD(list, field)

/* clang-format off */
static const int fields[LIST_COUNT][COLUMNS_MAX - 1] = {
    [LIST_channels] = {F(channels, state), F(channels, commstatus), F(channels, direction), F(channels, thisdisplay),
                       F(channels, talkingto_id), F(channels, peerdisplay), F(channels, exten), -1},
    [LIST_queuemembers] = {F(queuemembers, membership), F(queuemembers, status), F(queuemembers, paused),
                           F(queuemembers, penalty), F(queuemembers, callstaken), -1},
    [LIST_agents] = {F(agents, number), F(agents, firstname), F(agents, lastname), F(agents, context), F(agents, status),
                     F(agents, availability), F(agents, phonenumber), F(agents, queues), -1},
    [LIST_phones] = {F(phones, identity), F(phones, number), F(phones, context), F(phones, iduserfeatures),
                     F(phones, hintstatus), F(phones, reg), F(phones, channels), -1},
    [LIST_trunks] = {F(trunks, identity), F(trunks, context), F(trunks, host), F(trunks, type), F(trunks, hintstatus),
                     F(trunks, channels), -1},
    [LIST_queues] = {F(queues, name), F(queues, number), F(queues, context), F(queues, displayname),
                     F(queues, agentmembers), F(queues, phonemembers), F(queues, incalls), -1},
    [LIST_groups] = {F(groups, name), F(groups, number), F(groups, context), F(groups, agentmembers),
                     F(groups, phonemembers), F(groups, incalls), -1},
    [LIST_voicemails] = {F(voicemails, fullmailbox), F(voicemails, fullname), F(voicemails, email),
                         F(voicemails, waiting), F(voicemails, newcount), F(voicemails, old), -1},
    [LIST_meetmes] = {F(meetmes, confno), F(meetmes, name), F(meetmes, context), F(meetmes, pin_needed),
                      F(meetmes, application), F(meetmes, paused), F(meetmes, channels), -1},
    [LIST_incalls] = {F(incalls, exten), F(incalls, context), F(incalls, action), F(incalls, destidentity), -1},
    [LIST_outcalls] = {F(outcalls, name), F(outcalls, context), F(outcalls, externprefix), F(outcalls, stripnum), -1},
    [LIST_contexts] = {F(contexts, context), F(contexts, contexttype), F(contexts, contextinclude), -1},
    [LIST_parkinglots] = {F(parkinglots, name), F(parkinglots, extension), F(parkinglots, context),
                          F(parkinglots, positions), F(parkinglots, bays), -1},
    [LIST_users] = {F(users, loginclient), F(users, fullname), F(users, profileclient), F(users, enableclient),
                    F(users, availstate), F(users, connection), F(users, linelist), F(users, agentid), -1},
    [LIST_calls] = {F(calls, state), F(calls, direction), F(calls, caller_number), F(calls, called_number),
                    F(calls, queue), -1},
    [LIST_ipbx] = {F(ipbx, link), F(ipbx, since), F(ipbx, banner), -1},
};
/* clang-format on */

const int *info_fields_of(enum xod_list list)
{
    return fields[list];
}

static void put_cell(struct info *i, struct columns *c, const struct value *v)
{
    buf_reset(&i->line);
    info_put_value(&i->line, v);
    columns_put(c, buf_view(&i->line));
}

/* Upper case, as all titles. */
static const char *title_of(enum xod_list list, int field, char scratch[32])
{
    const char *name = schema_list(list)->fields[field].name;
    size_t n = 0;

    for (; n < 31 && name[n]; n++)
        scratch[n] = (char)(name[n] >= 'a' && name[n] <= 'z' ? name[n] & ~0x20 : name[n]);
    scratch[n] = '\0';
    return scratch;
}

static void begin_list(struct columns *c, enum xod_list list)
{
    const char *titles[COLUMNS_MAX + 1] = {"IPBX", "ID"};
    char rooms[COLUMNS_MAX][32];
    size_t n = 2;

    for (const int *f = fields[list]; *f >= 0; f++, n++)
        titles[n] = title_of(list, *f, rooms[n]);
    titles[n] = NULL;
    columns_begin(c, titles);
}

static void show_list(struct info *i, enum xod_list list)
{
    struct columns c;
    struct xod_obj *o;

    begin_list(&c, list);
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        struct xod_ipbx *ipbx = i->state->ipbxes[n].model->ipbx;
        for (size_t pos = 0; (o = xod_next(ipbx, list, &pos));) {
            columns_put(&c, xod_ipbx_name(ipbx));
            columns_put(&c, xod_obj_id(o));
            for (const int *f = fields[list]; *f >= 0; f++)
                put_cell(i, &c, xod_get(o, (unsigned)*f));
        }
    }
    info_table(i, &c);
}

enum info_end info_list(struct info *i, const struct info_words *w)
{
    for (size_t n = 0; n < ARRAY_SIZE(shows); n++)
        if (view_eq(w->word[0], view_cstr(shows[n].command)))
            show_list(i, shows[n].list);
    return INFO_OK;
}

/* ---- showlist ---- */

static void show_lists(struct info *i)
{
    static const char *const titles[] = {"IPBX", "LIST", "OBJECTS", "IS", NULL};
    struct columns c;

    columns_begin(&c, titles);
    for (size_t n = 0; n < i->state->n_ipbxes; n++)
        for (int l = 0; l < LIST_COUNT; l++) {
            const struct schema_list *list = schema_list((enum xod_list)l);
            columns_put(&c, xod_ipbx_name(i->state->ipbxes[n].model->ipbx));
            columns_put(&c, list->vname);
            columns_printf(&c, "%zu", xod_count(i->state->ipbxes[n].model->ipbx, (enum xod_list)l));
            columns_put(&c, view_cstr(list->doc));
        }
    info_table(i, &c);
}

static void show_object(struct info *i, const struct xod_obj *o)
{
    static const char *const titles[] = {"FIELD", "PLANE", "VALUE", NULL};
    const struct schema_list *list = schema_list(xod_obj_list(o));
    struct columns c;

    info_line(i, "%.*s %s %.*s", VIEW_ARG(xod_ipbx_name(xod_obj_ipbx(o))), list->name,
              VIEW_ARG(xod_obj_id(o)));
    columns_begin(&c, titles);
    for (unsigned f = 0; f < list->n_fields; f++) {
        columns_put(&c, list->fields[f].vname);
        columns_put(&c, list->fields[f].plane == PLANE_CONFIG ? VIEW("config") : VIEW("status"));
        put_cell(i, &c, xod_get(o, f));
    }
    info_table(i, &c);
}

enum info_end info_showlist(struct info *i, const struct info_words *w)
{
    int list = w->n > 1 ? schema_list_find(w->word[1]) : -1;
    bool found = false;

    if (w->n == 1) {
        show_lists(i);
        return INFO_OK;
    }
    if (list < 0)
        return info_wrong(i, "%.*s: there is no such list; `showlist` names them",
                          VIEW_ARG(w->word[1]));
    if (w->n == 2) {
        show_list(i, (enum xod_list)list);
        return INFO_OK;
    }
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        struct xod_obj *o =
            xod_find(i->state->ipbxes[n].model->ipbx, (enum xod_list)list, w->word[2]);
        if (o)
            show_object(i, o);
        found = found || o;
    }
    return found ? INFO_OK
                 : info_wrong(i, "%.*s: not in the list %.*s", VIEW_ARG(w->word[2]),
                              VIEW_ARG(w->word[1]));
}

/* ---- calls that go out ---- */

static void put_out_call(struct info *i, struct columns *c, const struct xod_obj *trunk,
                         const struct xod_obj *channel)
{
    char date[INFO_DATE];

    columns_put(c, xod_ipbx_name(xod_obj_ipbx(trunk)));
    columns_put(c, xod_get_str(trunk, XOD(trunks, identity)));
    columns_put(c, xod_obj_id(channel));
    columns_put(c, xod_get_str(channel, XOD(channels, commstatus)));
    columns_put(c, xod_get_str(channel, XOD(channels, thisdisplay)));
    columns_put(c, xod_get_str(channel, XOD(channels, talkingto_id)));
    columns_put(c, view_cstr(info_date(xod_get(channel, XOD(channels, timestamp))->type == V_FLOAT
                                           ? xod_get(channel, XOD(channels, timestamp))->f
                                           : 0,
                                       date)));
}

/* A trunk's channel that was called (direction "in": in to the peer) is a call that goes out. */
enum info_end info_outcalls(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IPBX",   "TRUNK", "CHANNEL", "STATUS",
                                         "CALLED", "FROM",  "SINCE",   NULL};
    struct columns c;

    columns_begin(&c, titles);
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        const struct xod_obj *trunk;
        const struct xod_obj *channel;
        for (size_t pos = 0;
             (trunk = xod_next(i->state->ipbxes[n].model->ipbx, LIST_trunks, &pos));)
            for (size_t at = 0; (channel = xod_tied_next(trunk, LIST_channels, &at));)
                if (view_eq(xod_get_str(channel, XOD(channels, direction)), VIEW("in")))
                    put_out_call(i, &c, trunk, channel);
    }
    info_table(i, &c);
    return INFO_OK;
}

/* ---- the phonebook ---- */

struct shown {
    struct columns *columns;
    struct view ipbx;
};

/* The columns of XiVO's web service; the mail address and the like are further to the right there.
 */
static bool put_person(void *arg, const struct entry *e)
{
    static const struct view columns[] = {VIEW("phonebook.fullname"),
                                          VIEW("phonebook.society"),
                                          VIEW("phonebooknumber.office.number"),
                                          VIEW("phonebooknumber.mobile.number"),
                                          VIEW("phonebooknumber.home.number"),
                                          VIEW("phonebook.email")};
    struct shown *s = arg;
    char scratch[32];

    columns_put(s->columns, s->ipbx);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        columns_put(s->columns, e->get(e, columns[i], scratch));
    return true;
}

enum info_end info_phonebook(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"IPBX",   "NAME", "COMPANY", "OFFICE",
                                         "MOBILE", "HOME", "MAIL",    NULL};
    struct columns c;

    columns_begin(&c, titles);
    for (size_t n = 0; n < i->state->n_ipbxes; n++) {
        const struct xod_ipbx *ipbx = i->state->ipbxes[n].model->ipbx;
        const struct table *t = directories_phonebook_of(i->state->directories, ipbx);
        if (t)
            table_each(t, put_person, &(struct shown){&c, xod_ipbx_name(ipbx)});
    }
    info_table(i, &c);
    return INFO_OK;
}
