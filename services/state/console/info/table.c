/* The commands of INFO: the one place where they stand. */
#include "base/array.h"
#include "console/info/info.h"

#define ANY (INFO_MAX_WORDS - 1)

/* clang-format off */
static const struct info_command commands[] = {
    {"help", "[COMMAND]", "what there is", 0, 1, info_help, false},
    {"exit", "", "ends the connection", 0, 0, info_exit, false},
    {"token", "TOKEN", "lets this connection change something: ctibus.console.token", 1, 1, info_token, false},
    {"show_infos", "", "version, uptime, and what this process is", 0, 0, info_infos, false},
    {"show_xivos", "", "each Asterisk: its link, and how much is known of it", 0, 0, info_xivos, false},
    {"show_ami", "", "the links to the Asterisks, and the gateways that keep them", 0, 0, info_show_ami, false},
    {"showlist", "[LIST [ID]]", "the lists; the objects of one; all that is known of an object", 0, 2, info_showlist, false},
    {"show_users", "", "the users", 0, 0, info_list, false},
    {"show_phones", "", "the lines, their hints and channels", 0, 0, info_list, false},
    {"show_trunks", "", "the trunks and their channels", 0, 0, info_list, false},
    {"show_queues", "", "the queues, their members and who waits", 0, 0, info_list, false},
    {"show_groups", "", "the ring groups", 0, 0, info_list, false},
    {"show_agents", "", "the agents", 0, 0, info_list, false},
    {"show_incalls", "", "the incoming numbers", 0, 0, info_list, false},
    {"show_outcalls", "", "the calls that go out through a trunk now", 0, 0, info_outcalls, false},
    {"show_meetme", "", "the conference rooms and who is in them", 0, 0, info_list, false},
    {"show_voicemail", "", "the mailboxes", 0, 0, info_list, false},
    {"show_phonebook", "", "the phonebook", 0, 0, info_phonebook, false},
    {"currentstatus", "", "users, queues, rooms and lots, each with what belongs to it now", 0, 0, info_currentstatus, false},
    {"explain", "OBJECT", "why a phone, agent or channel is as it is, and the last events that changed it: phone:xivo/11, agent:xivo/2, channel:xivo/SIP/alice-1", 1, 1, info_explain, false},
    {"show_logged", "", "the sessions of clients", 0, 0, info_logged, false},
    {"show_logged_ip", "", "the sessions by the addresses of the clients", 0, 0, info_logged_ip, false},
    {"kick", "USER", "ends all sessions of a user (login, id, or IPBX/ID)", 1, 1, info_kick, true},
    {"disc", "IP PORT", "ends the session of the client at that address", 2, 2, info_disc, true},
    {"dumpami", "[enable|disable [EVENT,EVENT...]]", "a live view of AMI events: of all, of these, of all but these; `disable` alone ends it", 0, 2, info_dumpami, false},
    {"ami", "IPBX ACTION [HEADER=VALUE...]", "has an Asterisk do an action; `ami IPBX Command TEXT`: a command of its console; `ami inits`: has all of them list everything anew", 1, ANY, info_ami, true},
    {"reverse", "DIRECTORY NUMBER", "whose number that is, by a directory of the configuration", 2, 2, info_reverse, false},
    {"sheet", "EVENT CHANNEL", "sends the sheets of that event for a channel again, to who has one of it or is called", 2, 2, info_sheet, true},
    {"webs", "reload LIST", "reads a list anew, as xivo[<list>list,update] does", 2, 2, info_webs, true},
    {"loglevel", "[set LEVEL]", "how much is logged: error, warning, notice, info or debug; until the next reload", 0, 2, info_loglevel, true},
    {"fdlist", "", "the open descriptors of this process", 0, 0, info_fdlist, false},
    {"show_var", "[PART|IPBX LIST]", "what is counted, as in /metrics, only names with PART in them; or all that is known of the objects of a list of an IPBX", 0, 2, info_var, false},
    {"devcheckevents", "", "events of the table of an Asterisk that nothing is done for: none, since each row has a rule", 0, 0, info_devcheckevents, false},
    {"show_varsizes", "", "what is in memory, by purpose", 0, 0, info_varsizes, false},
};
/* clang-format on */

#define N_COMMANDS ARRAY_SIZE(commands)

const struct info_command *info_command(size_t n)
{
    return n < N_COMMANDS ? &commands[n] : NULL;
}

const struct info_command *info_find(struct view name)
{
    for (size_t n = 0; n < N_COMMANDS; n++)
        if (view_eq(name, view_cstr(commands[n].name)))
            return &commands[n];
    return NULL;
}

static void put_help(struct columns *c, const struct info_command *of)
{
    columns_printf(c, "%s%s%s", of->name, *of->args ? " " : "", of->args);
    columns_put(c, view_cstr(of->doc));
}

enum info_end info_help(struct info *i, const struct info_words *w)
{
    static const char *const titles[] = {"COMMAND", "DOES", NULL};
    const struct info_command *one = w->n > 1 ? info_find(w->word[1]) : NULL;
    struct columns c;

    if (w->n > 1 && !one)
        return info_wrong(i, "%.*s: there is no such command", VIEW_ARG(w->word[1]));
    columns_begin(&c, titles);
    for (size_t n = 0; n < N_COMMANDS; n++)
        if (!one || one == &commands[n])
            put_help(&c, &commands[n]);
    info_table(i, &c);
    return INFO_OK;
}

enum info_end info_exit(struct info *i, const struct info_words *w)
{
    return INFO_BYE;
}
