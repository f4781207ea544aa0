/* Sheets: which of what happens to calls is told to whom, with which values, and how it looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "sheets/call.h"
#include "support/sheets_world.h"

/* All events, to who is called. */
#define TOLD(name) "'" name "':[{'display':'d'}]"
#define ALL_EVENTS                                                                                                                                       \
    "'events':{" TOLD("incomingdid") "," TOLD("incomingqueue") "," TOLD("incominggroup") "," TOLD("outcall") "," TOLD("dial") "," TOLD("link") "," TOLD( \
        "unlink") "," TOLD("hangup") "," TOLD("agentcalled") "," TOLD("agentlink"                                                                        \
                                                                      "ed") "," TOLD("ag"                                                                \
                                                                                     "en"                                                                \
                                                                                     "tu"                                                                \
                                                                                     "nl"                                                                \
                                                                                     "in"                                                                \
                                                                                     "ke"                                                                \
                                                                                     "d") "," TOLD("faxreceived") "," TOLD("custom") "," TOLD("custom:door") "}"
#define WHERE "'10':['Where','title','','{xivo-where}']"

/* Alice calls Bob: her channel, his, and it rings. */
#define ALICE                                                                                      \
    "Event: Newchannel|Channel: SIP/alice-1|Uniqueid: 100.1|ChannelState: 4|CallerIDNum: "         \
    "1001|CallerIDName: Alice M|Exten: 1002|Context: default||"
#define BOB "Event: Newchannel|Channel: SIP/bob-2|Uniqueid: 100.2|ChannelState: 0||"
#define RINGS                                                                                      \
    "Event: Dial|SubEvent: Begin|Channel: SIP/alice-1|Destination: SIP/bob-2|UniqueID: "           \
    "100.1|DestUniqueID: 100.2||"
#define TALKS                                                                                      \
    "Event: Bridge|Bridgestate: Link|Channel1: SIP/alice-1|Channel2: SIP/bob-2|Uniqueid1: "        \
    "100.1|Uniqueid2: 100.2||"
#define PARTS                                                                                      \
    "Event: Bridge|Bridgestate: Unlink|Channel1: SIP/alice-1|Channel2: SIP/bob-2|Uniqueid1: "      \
    "100.1|Uniqueid2: 100.2||"
#define BOB_ENDS "Event: Hangup|Channel: SIP/bob-2|Uniqueid: 100.2|Cause: 16||"
#define ALICE_ENDS "Event: Hangup|Channel: SIP/alice-1|Uniqueid: 100.1|Cause: 16||"

/* From outside, by a trunk. */
#define TRUNK                                                                                      \
    "Event: Newchannel|Channel: SIP/pstn-1|Uniqueid: 100.1|ChannelState: 4|CallerIDNum: "          \
    "0142|CallerIDName: Zola|Exten: 0123456700|Context: from-extern||"
#define TRUNK_RINGS                                                                                \
    "Event: Dial|SubEvent: Begin|Channel: SIP/pstn-1|Destination: SIP/bob-2|UniqueID: "            \
    "100.1|DestUniqueID: 100.2||"
#define TRUNK_ENDS "Event: Hangup|Channel: SIP/pstn-1|Uniqueid: 100.1|Cause: 16||"
#define SAYS(name, more)                                                                           \
    "Event: UserEvent|UserEvent: " name "|UNIQUEID: 100.1|CHANNEL: SIP/alice-1|" more "||"
#define DP(variable, value) SAYS("dialplan2cti", "VARIABLE: " variable "|VALUE: " value)

/* All events, with a display of these rows ("FORMAT|FORMAT..."). */
static const char *rows(const char *formats)
{
    static char text[4096];
    struct view rest = view_cstr(formats);
    size_t n = (size_t)snprintf(
        text, sizeof(text), "{" ALL_EVENTS ",'displays':{'d':{'sheet_info':{'0':['','','','',1]");

    for (int order = 10; rest.len; order += 10) {
        struct view format = view_cut(&rest, '|');
        n += (size_t)snprintf(text + n, sizeof(text) - n, ",'%d':['Row','text','','%.*s']", order,
                              VIEW_ARG(format));
    }
    snprintf(text + n, sizeof(text) - n, "}}}}");
    return text;
}

static void begin(struct sheets_world *w, const char *sheets, const char *who)
{
    sheets_configure(w, sheets, "", "");
    sheets_start(w);
    sheets_login(w, who);
}

/* ---- events ---- */

static const char answered[] = "2 dial|SIP/alice\n2 link|SIP/alice\n2 unlink|SIP/alice\n"
                               "2 hangup|SIP/alice\n3 dial|SIP/bob-\n3 link|SIP/bob-\n"
                               "3 unlink|SIP/bob-\n3 hangup|SIP/bob-\n";

static void each_event_of_a_call_is_told_once_to_who_is_called(void **state)
{
    static const char *const versions[] = {"1.8", "20"};
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-channel}"), "123");
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        struct buf cut;
        const char *said;
        snprintf(name, sizeof(name), "%s/02-call-answered.ami", versions[i]);
        sheets_play(w, name);
        said = sheets_said(w);
        buf_init(&cut, 0);
        for (const char *c = said; *c; c++) { /* without the numbers of the channels */
            if (*c == '-' && strncmp(c + 1, "0000", 4) == 0) {
                if (c[-1] == 'b')
                    buf_append_char(&cut, '-');
                c = strchr(c, '\n');
            }
            buf_append_char(&cut, *c);
        }
        assert_string_equal(buf_cstr(&cut), answered);
        buf_free(&cut);
    }
}

static void a_call_from_outside_has_the_values_of_the_dialplan(void **state)
{
    static const char *const versions[] = {"1.8", "20"};
    struct sheets_world *w = *state;

    begin(w,
          rows("{xivo-where}|{xivo-calleridnum}|{xivo-calleridname}|{xivo-did}|{xivo-calledidnum} "
               "{xivo-calledidname}|{dp-customer_id} {dp-note}|{xivo-direction} {xivo-origin} "
               "{xivo-desttype}/{xivo-destid}|{xivo-queuename}"),
          "123");
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        const char *said;
        snprintf(name, sizeof(name), "%s/20-did-incoming.ami", versions[i]);
        sheets_play(w, name);
        said = sheets_said(w);
        assert_non_null(strstr(said, "1 incomingdid|0601020304|0601020304|0123456701|1001 Alice "
                                     "Martin|C-0304 client: prioritaire, \303\251t\303\251 100%|"
                                     "incoming extern user/1|\n"));
        /* the name that was looked up on the way */
        assert_non_null(strstr(said, "1 dial|0601020304|Soci\303\251t\303\251 G\303\251n\303\251"
                                     "rale 0601020304|0123456701|"));
        assert_non_null(strstr(said, "2 incomingqueue|0033142143001|Pierre \"Pete\" O'Neil|"
                                     "0123456200|3001 Support|C-3001 client: prioritaire, "
                                     "\303\251t\303\251 100%|incoming extern queue/1|support\n"));
        assert_non_null(strstr(said, "2 agentcalled|0033142143001|"));
        assert_non_null(strstr(said, "2 agentlinked|0033142143001|"));
        assert_non_null(strstr(said, "2 agentunlinked|0033142143001|"));
        assert_non_null(strstr(said, "3 dial|anonymous|Anonymous|"));
        assert_non_null(strstr(said, "1 outcall|1001|Alice Martin||0142000000 ||outgoing intern "
                                     "outcall/1|\n"));
    }
}

static void agents_get_the_calls_of_their_queues(void **state)
{
    static const char *const versions[] = {"1.8", "20"};
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-agentnumber} {xivo-agentid} {xivo-queuename}"), "12");
    for (size_t i = 0; i < 2; i++) {
        static const char *const events[] = {"dial",   "agentcalled",   "agentlinked", "link",
                                             "unlink", "agentunlinked", "hangup"};
        char name[64];
        const char *said;
        snprintf(name, sizeof(name), "%s/14-agent.ami", versions[i]);
        sheets_play(w, name);
        said = sheets_said(w);
        for (size_t e = 0; e < ARRAY_SIZE(events); e++) {
            char line[64];
            int n = 0;
            snprintf(line, sizeof(line), "1 %s|2001 1 agentq\n", events[e]);
            for (const char *at = said; (at = strstr(at, line)); at++)
                n++;
            assert_int_equal(n, 2); /* calls */
        }
        assert_null(strstr(said, "2 link"));
    }
}

static void sheets_are_objects_too(void **state)
{
    struct sheets_world *w = *state;

    begin(w,
          "{'events':{'dial':{'display':'d','option':'o'}},'options':{'o':{'focus':"
          "'yes','zip':1}},'displays':{'d':{'sheet_info':{'20':['Name','title','?',"
          "'{xivo-calleridname}'],'10':['<b>','text','none','{dp-x}'],'30':['F','form',"
          "'','f']},'systray_info':{'1':['T','title','','{xivo-where}']}}}}",
          "2");
    sheets_say(w, TRUNK BOB TRUNK_RINGS);
    sheets_said(w);
    assert_non_null(strstr(w->object, "{\"class\":\"sheet\",\"channel\":\""));
    assert_non_null(
        strstr(w->object,
               "\"where\":\"dial\",\"focus\":true,"
               "\"fields\":[{\"order\":10,\"name\":\"<b>\",\"type\":\"text\",\"value\":\"none\"},"
               "{\"order\":20,\"name\":\"Name\",\"type\":\"title\",\"value\":\"Zola\"}],"
               "\"systray\":[{\"order\":1,\"name\":\"T\",\"type\":\"title\",\"value\":\"dial\"}],"
               "\"actions\":[]}}"));
}

static void a_trunk_without_a_dialplan_that_tells_is_incoming(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-did} {xivo-direction} {xivo-calleridname}"), "2");
    sheets_say(w, TRUNK BOB TRUNK_RINGS BOB_ENDS TRUNK_ENDS);
    assert_said(w, "2 incomingdid|0123456700 incoming Zola\n2 dial|0123456700 incoming Zola\n"
                   "2 hangup|0123456700 incoming Zola\n");
}

static void a_group_tells_its_members(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-calledidname} {xivo-desttype}"), "123");
    sheets_say(w, "Event: QueueMemberAdded|Queue: group|Location: SIP/carol|MemberName: "
                  "SIP/carol|Membership: static|Status: 1||" ALICE SAYS(
                      "Group", "XIVO_DSTID: 1|XIVO_DSTNUM: 3009"));
    assert_said(w, "3 incominggroup|group group\n");
}

static void what_a_dialplan_makes_up_is_told_each_time(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{dp-floor} {dp-NAME}|{xivo-channel}"), "12");
    sheets_say(w, "Event: UserEvent|UserEvent: Custom|NAME: door|XIVO_USERID: 2|floor: 3||"
                  "Event: UserEvent|UserEvent: Custom|NAME: door|XIVO_USERID: 2|floor: 4||"
                  "Event: UserEvent|UserEvent: Custom|XIVO_DSTID: 1|XIVO_USERID: 2|Channel: X||"
                  "Event: UserEvent|UserEvent: Custom|NAME: other|XIVO_USERID: 2||"
                  "Event: UserEvent|UserEvent: Custom|floor: nobody's||");
    assert_said(w, "2 custom:door|3 door|\n2 custom:door|4 door|\n1 custom||X\n");
}

static void a_fax_is_told_to_whom_it_is_for(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-faxpages} {xivo-faxstation} {xivo-faxfile}"), "2");
    sheets_say(
        w, ALICE SAYS("User",
                      "XIVO_DSTID: 2") "Event: FaxReceived|Channel: SIP/alice-1|RemoteStationID: x|"
                                       "PagesTransferred: 3|FileName: /f.tif||");
    assert_said(w, "2 faxreceived|3 x /f.tif\n");
}

static void the_dialplan_knows_what_is_a_local_call(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-direction}|{xivo-calledidnum}"), "2");
    sheets_say(w, TRUNK SAYS("LocalCall", "XIVO_DSTNUM: 55")
                      SAYS("User", "XIVO_DSTID: 2") "Event: FaxReceived|Channel: SIP/pstn-1||");
    assert_said(w, "2 internal|55\n");
}

static void what_a_listing_tells_is_nothing_new(void **state)
{
    struct sheets_world *w = *state;
    struct tel_out o;

    begin(w, rows("{xivo-where}"), "2");
    sheets_say(w, ALICE BOB);
    tel_out_init(&o, TEL_call_link);
    tel_out_put(&o, TELF_channel, VIEW("SIP/alice-1"));
    tel_out_put(&o, TELF_other, VIEW("SIP/bob-2"));
    tel_out_put_num(&o, TELF_resync, 1);
    sheets_apply(w, &o);
    assert_said(w, "");
}

static void a_call_that_is_not_listed_is_over(void **state)
{
    struct sheets_world *w = *state;
    struct tel_out o;

    begin(w, rows("{xivo-where}|{dp-a}"), "2");
    sheets_say(w, ALICE DP("a", "1"));
    tel_out_init(&o, TEL_resync_begin);
    tel_out_put(&o, TELF_kind, VIEW("channels"));
    sheets_apply(w, &o);
    tel_out_init(&o, TEL_resync_end);
    tel_out_put(&o, TELF_kind, VIEW("channels"));
    sheets_apply(w, &o);
    sheets_say(w, ALICE BOB RINGS); /* the same Uniqueid, as no Asterisk would */
    assert_said(w, "2 dial|\n");
}

/* ---- whom ---- */

#define TO(condition)                                                                              \
    "{'events':{'dial':{'display':'d','condition':'c'}},'displays':{'d':{'sheet_info':{" WHERE     \
    "}}},'conditions':{'c':" condition "}}"

static void conditions_say_who_gets_it(void **state)
{
    static const struct {
        const char *sheets, *main, *told;
    } cases[] = {
        {TO("{'whom':'dest'}"), "", "2 dial\n"},
        {TO("{'contexts':['default']}"), "", "2 dial\n"},
        {TO("{'whom':'all'}"), "", "1 dial\n2 dial\n3 dial\n"},
        {TO("{'whom':'all','contexts':[],'profileids':null,'entities':false}"), "",
         "1 dial\n2 dial\n3 dial\n"},
        {TO("{'whom':'all','contexts':['default','x']}"), "", "1 dial\n2 dial\n3 dial\n"},
        {TO("{'whom':'all','contexts':['x']}"), "", ""},
        {TO("{'whom':'dest','contexts':['x']}"), "", ""},
        {TO("{'whom':'all','profileids':['client']}"), "", "1 dial\n2 dial\n3 dial\n"},
        {TO("{'whom':'all','profileids':['agent']}"), "", ""},
        {TO("{'whom':'all','entities':[7]}"), "", ""},
        {TO("{'whom':'subscribe'}"), "", ""},
        {TO("{'whom':'all'}"), "'parting_astid_context':['context']", "1 dial\n2 dial\n3 dial\n"},
        {"{'events':{'dial':[{'display':'d'},{'display':'d'}]},'displays':{'d':{'sheet_info':"
         "{" WHERE "}}}}",
         "", "2 dial\n2 dial\n"},
    };
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}"), "123");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        sheets_reload(w, cases[i].sheets, cases[i].main);
        sheets_say(w, ALICE BOB RINGS BOB_ENDS ALICE_ENDS);
        assert_said(w, cases[i].told);
    }
}

static void who_does_not_see_the_call_gets_no_sheet_of_it(void **state)
{
    struct sheets_world *w = *state;
    struct xod_obj *phone;

    begin(w, rows("{xivo-where}"), "123");
    sheets_reload(w, TO("{'whom':'all'}"), "'parting_astid_context':['context']");
    phone = xod_find(w->s.ipbx, LIST_phones, VIEW("13"));
    xod_set_str(phone, XOD(phones, context), VIEW("elsewhere"));
    sheets_say(w, ALICE BOB RINGS BOB_ENDS ALICE_ENDS);
    assert_said(w, "1 dial\n2 dial\n");
}

static void who_is_not_logged_in_gets_nothing(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}"), "1");
    sheets_say(w, ALICE BOB RINGS TALKS);
    assert_said(w, "");
    sheets_login(w, "2");
    sheets_say(w, PARTS BOB_ENDS ALICE_ENDS);
    assert_said(w, "2 unlink\n2 hangup\n");
}

#define BOB_AGAIN                                                                                  \
    "Event: Newchannel|Channel: SIP/bob-3|Uniqueid: 100.3|ChannelState: 0||"                       \
    "Event: Dial|SubEvent: Begin|Channel: SIP/alice-1|Destination: SIP/bob-3|UniqueID: "           \
    "100.1|DestUniqueID: 100.3||"

static void a_phone_that_rings_again_is_told_again(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}"), "2");
    sheets_say(w, ALICE BOB RINGS RINGS BOB_ENDS BOB_AGAIN ALICE_ENDS);
    assert_said(w, "2 dial\n2 hangup\n2 dial\n2 hangup\n");
    for (int i = 0; i < CALL_MAX_TOLD + 10; i++) { /* a queue that rings for hours */
        sheets_say(w, ALICE BOB RINGS BOB_ENDS);
        sheets_said(w);
    }
    sheets_say(w, BOB RINGS TALKS);
    assert_said(w, "2 dial\n2 link\n");
}

static void who_has_another_phone_in_the_call_is_still_in_it(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}"), "2");
    sheets_say(w, ALICE BOB RINGS BOB_AGAIN TALKS
               "Event: Hangup|Channel: SIP/bob-3|Uniqueid: 100.3|Cause: 26||");
    assert_said(w, "2 dial\n2 dial\n2 link\n");
    sheets_say(w, PARTS ALICE_ENDS);
    assert_said(w, "2 unlink\n2 hangup\n");
}

static void a_member_behind_a_local_channel_is_told_once(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}|{xivo-calleridnum}|{xivo-channel}"), "2");
    sheets_say(w, ALICE
               "Event: Newchannel|Channel: Local/1002@default-1;1|Uniqueid: 100.3|ChannelState: 0||"
               "Event: Newchannel|Channel: Local/1002@default-1;2|Uniqueid: 100.4|ChannelState: 4||"
               "Event: AgentCalled|Queue: support|AgentCalled: Local/1002@default|ChannelCalling: "
               "SIP/alice-1|Uniqueid: 100.1|DestinationChannel: Local/1002@default-1;1||" BOB
               "Event: Dial|SubEvent: Begin|Channel: Local/1002@default-1;2|Destination: SIP/bob-2|"
               "UniqueID: 100.4|DestUniqueID: 100.2||");
    assert_said(w, "2 agentcalled|1001|SIP/alice-1\n2 dial|1001|SIP/alice-1\n");
    sheets_say(w, "Event: Bridge|Bridgestate: Link|Channel1: Local/1002@default-1;2|Channel2: "
                  "SIP/bob-2|Uniqueid1: 100.4|Uniqueid2: 100.2||"
                  "Event: Hangup|Channel: Local/1002@default-1;1|Uniqueid: 100.3||" ALICE_ENDS);
    assert_said(w, "2 link|1001|SIP/alice-1\n2 unlink|1001|SIP/alice-1\n"
                   "2 hangup|1001|SIP/alice-1\n");
}

/* ---- formats ---- */

static void variables_that_nobody_knows_leave_the_default(void **state)
{
    struct sheets_world *w = *state;

    begin(w,
          "{'events':{'dial':{'display':'d'}},'displays':{'d':{'sheet_info':{"
          "'9':['t','text','none','{dp-a}{db-b}'],'100':['t','text','none','<{dp-a}>'],"
          "'20':['t','text','none','{dp-a}{xivo-calleridnum}{foo}{}{ {x-}'],"
          "'30':['t','text','none','fixed'],'40':['t','text','none',''],"
          "'50':['t','text','','{dp-a}'],'60':['t','text','','gone',1],"
          "'70':['t','text','','here',0],'80':['t','text','','gone',true],"
          "'90':[null,null,null,null]}}}}",
          "2");
    sheets_say(w, ALICE BOB RINGS);
    assert_said(w, "2 none|1001{foo}{}{ {x-}|fixed|none||here||none\n");
    assert_non_null(strstr(w->xml, "order=\"0009\""));
    assert_non_null(strstr(w->xml, "order=\"0100\""));
    assert_non_null(strstr(w->xml, "<sheet_info order=\"0090\" name=\"\" type=\"\"><![CDATA[]]>"));
}

static void values_do_not_change_the_rest_of_an_address(void **state)
{
    struct sheets_world *w = *state;

    begin(w,
          "{'events':{'dial':{'display':'d'}},'displays':{'d':{'sheet_info':{"
          "'10':['t','url','','http://crm/?n={dp-a}&x=1'],'20':['t','urlx','','{dp-a}'],"
          "'30':['t','text','','n={dp-a}']},'action_info':{"
          "'10':['t','urlauto','','http://crm/{dp-a}']}}}}",
          "2");
    sheets_say(w, ALICE DP("a", "a&b=/\303\251 ~") BOB RINGS);
    assert_said(w, "2 http://crm/?n=a%26b%3D%2F%C3%A9%20~&x=1|a&b=/\303\251 ~|n=a&b=/\303\251 ~\n");
    assert_non_null(strstr(w->xml, "<action_info order=\"0010\" name=\"t\" type=\"urlauto\">"
                                   "<![CDATA[http://crm/a%26b%3D%2F%C3%A9%20~]]></action_info>"));
}

static void the_xml_is_what_clients_read(void **state)
{
    struct sheets_world *w = *state;

    begin(w,
          "{'events':{'dial':{'display':'d','option':'o'}},'options':{'o':{'focus':'yes','zip':1}},"
          "'displays':{'d':{'sheet_info':{'10':['N<&>\\\"\\n','title','','{xivo-calleridname}']},"
          "'systray_info':{'10':['Name','title','','{xivo-calleridname}'],"
          "'20':['Number','body','','{xivo-calleridnum}']},'action_info':{},"
          "'sheet_qtui':{'null':'','qtui':'<ui>x]]></ui>'}}}}",
          "2");
    sheets_say(w, ALICE BOB RINGS);
    sheets_said(w);
    assert_true(w->zipped);
    assert_string_equal(
        w->xml, "<?xml version=\"1.0\" encoding=\"utf-8\"?><profile><user>"
                "<internal name=\"ipbxid\"><![CDATA[xivo]]></internal>"
                "<internal name=\"where\"><![CDATA[dial]]></internal>"
                "<internal name=\"channel\"><![CDATA[SIP/alice-1]]></internal>"
                "<internal name=\"focus\"><![CDATA[yes]]></internal>"
                "<internal name=\"zip\"><![CDATA[1]]></internal>"
                "<sheet_qtui order=\"0010\" name=\"qtui\" type=\"None\">"
                "<![CDATA[<ui>x]]]]><![CDATA[></ui>]]></sheet_qtui>"
                "<sheet_info order=\"0010\" name=\"N&lt;&amp;&gt;&quot;&#10;\" type=\"title\">"
                "<![CDATA[Alice M]]></sheet_info>"
                "<systray_info order=\"0010\" name=\"Name\" type=\"title\"><![CDATA[Alice M]]>"
                "</systray_info><systray_info order=\"0020\" name=\"Number\" type=\"body\">"
                "<![CDATA[1001]]></systray_info></user></profile>");
}

static void a_value_never_leaves_its_section(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{dp-a}"), "2");
    sheets_say(w, ALICE DP("a", "x]]></sheet_info><b>]]]>\001]]\002>\357\277\276\357\277\277"
                                "\357\277\275\tend") BOB RINGS);
    sheets_said(w);
    assert_false(w->zipped);
    assert_non_null(strstr(w->xml, "<![CDATA[x]]]]><![CDATA[></sheet_info><b>]]]]]><![CDATA[>"
                                   "]]]]><![CDATA[>\357\277\275\tend]]></sheet_info>"));
    assert_null(strstr(w->xml, "\001"));
    assert_non_null(strstr(w->xml, "nosystraypopup"));
}

/* ---- bounds ---- */

static void what_is_too_large_is_left_out(void **state)
{
    struct sheets_world *w = *state;
    struct buf say;

    begin(w, rows("{dp-long}|{dp-v63}|{dp-v64}|{dp-v1}"), "2");
    sheets_say(w, ALICE);
    buf_init(&say, 0);
    for (int i = 0; i < 100; i++)
        buf_printf(&say, DP("v%d", "%d"), i, i);
    sheets_say(w, buf_cstr(&say));
    buf_reset(&say);
    buf_append_cstr(&say, "Event: UserEvent|UserEvent: dialplan2cti|UNIQUEID: 100.1|VARIABLE: "
                          "v1|VALUE: ");
    for (int i = 0; i < 5000; i++)
        buf_append_char(&say, 'x');
    sheets_say(w, buf_cstr(&say));
    buf_free(&say);
    sheets_say(w, BOB RINGS);
    assert_said(w, "2 63||1\n");
}

static void a_sheet_has_a_largest_size(void **state)
{
    static const char end[] = "]]></sheet_info><internal name=\"nosystraypopup\"><![CDATA[yes]]>"
                              "</internal></user></profile>";
    struct sheets_world *w = *state;
    struct buf text;

    buf_init(&text, 0);
    buf_append_cstr(&text, "{'events':{'dial':{'display':'d'}},'displays':{'d':{'sheet_info':{");
    for (int i = 0; i < 150; i++)
        buf_printf(&text, "%s'%d':['t','text','','{dp-a}{dp-a}{dp-a}']", i ? "," : "", i);
    buf_append_cstr(&text, "}}}}");
    begin(w, buf_cstr(&text), "2");
    buf_reset(&text);
    buf_append_cstr(&text, "Event: UserEvent|UserEvent: dialplan2cti|UNIQUEID: 100.1|VARIABLE: a|"
                           "VALUE: ");
    for (int i = 0; i < 2000; i++)
        buf_append_cstr(&text, "\303\251");
    sheets_say(w, ALICE);
    sheets_say(w, buf_cstr(&text));
    buf_free(&text);
    sheets_say(w, BOB RINGS);
    sheets_said(w);
    assert_in_range(strlen(w->xml), 240 * 1024, 256 * 1024);
    assert_string_equal(w->xml + strlen(w->xml) - strlen(end), end);
}

static void a_user_event_of_no_call_makes_none(void **state)
{
    struct sheets_world *w = *state;

    begin(w, rows("{xivo-where}"), "2");
    for (int i = 0; i < 100; i++)
        sheets_say(w, DP("a", "b") SAYS("Did", "XIVO_SRCNUM: 1") SAYS("User", "XIVO_DSTID: 2"));
    assert_said(w, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sheets_setup, sheets_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_event_of_a_call_is_told_once_to_who_is_called),
        TEST(a_call_from_outside_has_the_values_of_the_dialplan),
        TEST(agents_get_the_calls_of_their_queues),
        TEST(sheets_are_objects_too),
        TEST(a_trunk_without_a_dialplan_that_tells_is_incoming),
        TEST(a_group_tells_its_members),
        TEST(what_a_dialplan_makes_up_is_told_each_time),
        TEST(a_fax_is_told_to_whom_it_is_for),
        TEST(the_dialplan_knows_what_is_a_local_call),
        TEST(what_a_listing_tells_is_nothing_new),
        TEST(a_call_that_is_not_listed_is_over),
        TEST(conditions_say_who_gets_it),
        TEST(who_does_not_see_the_call_gets_no_sheet_of_it),
        TEST(who_is_not_logged_in_gets_nothing),
        TEST(a_phone_that_rings_again_is_told_again),
        TEST(who_has_another_phone_in_the_call_is_still_in_it),
        TEST(a_member_behind_a_local_channel_is_told_once),
        TEST(variables_that_nobody_knows_leave_the_default),
        TEST(values_do_not_change_the_rest_of_an_address),
        TEST(the_xml_is_what_clients_read),
        TEST(a_value_never_leaves_its_section),
        TEST(what_is_too_large_is_left_out),
        TEST(a_sheet_has_a_largest_size),
        TEST(a_user_event_of_no_call_makes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
