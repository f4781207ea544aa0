/* Sheets: what is refused of their configuration, directories that they wait for, forms in files,
 * and what users do with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "sheets/call.h"
#include "sheets/format.h"
#include "sheets/forms.h"
#include "sheets/reverse.h"
#include "sheets/rules.h"
#include "support/sheets_world.h"
#include "support/webserver.h"

/* ---- configuration ---- */

struct faults {
    char text[4096];
};

static void note(void *arg, const struct config_error *e)
{
    struct faults *f = arg;
    size_t n = strlen(f->text);

    snprintf(f->text + n, sizeof(f->text) - n, "%s: %s\n", e->key, e->reason);
}

/* What is wrong with a section `sheets`; with `notes`, what surprises in a good one. */
static const char *wrong(struct sheets_world *w, const char *sheets, bool notes)
{
    static struct faults f;
    struct config_errors errors = {0};
    struct config *cfg;
    char path[128];

    f.text[0] = '\0';
    sheets_configure(w, sheets, "", "");
    snprintf(path, sizeof(path), "%s/ctibus.json", w->s.dir);
    cfg = config_load(path, NULL, &errors);
    config_each_error(&errors, note, &f);
    assert_int_equal(cfg == NULL, errors.count > 0);
    if (notes && cfg)
        config_each_note(cfg, note, &f);
    config_errors_free(&errors);
    config_destroy(&cfg);
    return f.text;
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    struct sheets_world *w = *state;

    assert_string_equal(
        wrong(w,
              "{'events':{'dial':[{'display':'x','option':'y','condition':'z'},7],'link':{},"
              "'hangup':{'display':'d','option':3},'unlink':'d'},"
              "'displays':{'d':{'sheet_info':{'a':['t','text','','x'],'10':['t','text',''],"
              "'20':['t','text','','{foo-a} {xivo-b} {bar-c}'],'30':['t',1,'',''],"
              "'99999':['','','','']},'systray_info':[1],'action_info':{'1':{}},"
              "'sheet_qtui':{'f':7}},'e':[1]},"
              "'options':{'o':{'focus':'maybe','zip':2},'p':1},"
              "'conditions':{'c':{'whom':'me'},'k':{'whom':7},'l':{'whom':'all','contexts':'x',"
              "'profileids':[{}],'entities':[1,'a']}}}",
              false),
        "sheets.displays.d.sheet_info.a: the place of a row must be a number from 0 to 9999\n"
        "sheets.displays.d.sheet_info.10: must be [\"TITLE\", \"TYPE\", \"DEFAULT\", \"FORMAT\"], "
        "and perhaps whether it is disabled\n"
        "sheets.displays.d.sheet_info.20: {foo-a}: variables are of the families xivo, dp, db and "
        "program\n"
        "sheets.displays.d.sheet_info.20: {bar-c}: variables are of the families xivo, dp, db and "
        "program\n"
        "sheets.displays.d.sheet_info.30: must be [\"TITLE\", \"TYPE\", \"DEFAULT\", \"FORMAT\"], "
        "and perhaps whether it is disabled\n"
        "sheets.displays.d.sheet_info.99999: the place of a row must be a number from 0 to 9999\n"
        "sheets.displays.d.systray_info: must be an object\n"
        "sheets.displays.d.action_info.1: must be [\"TITLE\", \"TYPE\", \"DEFAULT\", \"FORMAT\"], "
        "and perhaps whether it is disabled\n"
        "sheets.displays.d.sheet_qtui.f: must be a file: URI or the text of the form\n"
        "sheets.displays.e: must be an object\n"
        "sheets.options.o.focus: must be yes, no, 1 or 0\n"
        "sheets.options.o.zip: must be yes, no, 1 or 0\n"
        "sheets.options.p: must be an object\n"
        "sheets.conditions.c.whom: must be \"dest\" or \"all\"\n"
        "sheets.conditions.k.whom: must be \"dest\" or \"all\"\n"
        "sheets.conditions.l.contexts: must be an array of strings or numbers\n"
        "sheets.conditions.l.profileids: must be an array of strings or numbers\n"
        "sheets.events.dial.0.display: there is no \"x\" in sheets.displays\n"
        "sheets.events.dial.0.option: there is no \"y\" in sheets.options\n"
        "sheets.events.dial.0.condition: there is no \"z\" in sheets.conditions\n"
        "sheets.events.dial.1: must be an object with display, option and condition\n"
        "sheets.events.link.display: must be the name of an entry of sheets.displays\n"
        "sheets.events.hangup.option: must be the name of an entry of sheets.options\n"
        "sheets.events.unlink: must be an object with display, option and condition\n");
}

static void what_is_empty_or_not_ours_is_let_be(void **state)
{
    struct sheets_world *w = *state;

    assert_string_equal(wrong(w, "{}", true), "");
    assert_string_equal(wrong(w, "[]", true), "");
    assert_string_equal(
        wrong(w,
              "{'events':{'dial':[],'link':null,'hangup':false,'custom:a.b':{'display':'d',"
              "'option':'','condition':null}},'displays':{'d':{'sheet_info':[],'systray_info':null,"
              "'action_info':'','sheet_qtui':{'null':''}}},'options':[],'conditions':{'c':{}}}",
              true),
        "");
    assert_string_equal(
        wrong(w,
              "{'events':{'rings':[]},'displays':{'d':{'sheet_qtui':{'f':'http://h/f.ui'}}},"
              "'conditions':{'c':{'whom':'reverse'}}}",
              true),
        "sheets.displays.d.sheet_qtui.f: forms are not fetched from web servers: there is none\n"
        "sheets.conditions.c.whom: \"reverse\" is not supported: nobody gets these sheets\n"
        "sheets.events.rings: there is no such event: these sheets are never sent\n");
}

/* An event with so many sheets. */
static void sheets_of(struct sheets_world *w, int n)
{
    struct buf text;

    buf_init(&text, 0);
    buf_append_cstr(&text, "{'displays':{'d':{'sheet_info':{'10':['','','','x']}}},'options':{'o':"
                           "{'zip':0}},'events':{'dial':[");
    for (int i = 0; i < n; i++)
        buf_printf(&text, "%s{'display':'d','option':'o'}", i ? "," : "");
    buf_append_cstr(&text, "]}}");
    sheets_configure(w, buf_cstr(&text), "", "");
    buf_free(&text);
    config_destroy(&w->s.cfg);
    w->s.cfg = state_config(&w->s);
}

static void the_sheets_of_an_event_are_bounded(void **state)
{
    struct sheets_world *w = *state;
    struct rule rules[MAX_RULES + 2];

    for (int n = MAX_RULES - 1; n < MAX_RULES + 3; n++) {
        int read = n < MAX_RULES ? n : MAX_RULES;
        sheets_of(w, n);
        memset(rules, 0, sizeof(rules));
        assert_int_equal(rules_of(w->s.cfg, VIEW("dial"), rules), read);
        for (int i = 0; i < MAX_RULES + 2; i++) {
            assert_int_equal(rules[i].display != NULL, i < read);
            assert_int_equal(rules[i].option != NULL, i < read);
        }
    }
}

static void the_rows_of_a_display_are_bounded(void **state)
{
    struct json_object *display = json_object_new_object();
    struct json_object *part = json_object_new_object();
    struct sheet_row rows[MAX_ROWS + 2];
    char order[16];

    memset(rows, 0, sizeof(rows));
    json_object_object_add(display, "sheet_info", part);
    for (int i = 1; i <= MAX_ROWS + 5; i++) {
        snprintf(order, sizeof(order), "%d", i);
        json_object_object_add(part, order, json_tokener_parse("[\"t\",\"\",\"\",\"\"]"));
        assert_int_equal(rules_rows(display, "sheet_info", rows), i < MAX_ROWS ? i : MAX_ROWS);
        assert_int_equal(rows[MAX_ROWS - 1].order != 0, i >= MAX_ROWS);
        assert_null(rows[MAX_ROWS].title.ptr);
        assert_null(rows[MAX_ROWS + 1].title.ptr);
    }
    json_object_put(display);
}

/* ---- a call ---- */

#define TRUNK                                                                                      \
    "Event: Newchannel|Channel: SIP/pstn-1|Uniqueid: 100.1|ChannelState: 4|CallerIDNum: "          \
    "0142|CallerIDName: Zola|Exten: 0123456700|Context: from-extern||"                             \
    "Event: Newchannel|Channel: SIP/bob-2|Uniqueid: 100.2|ChannelState: 0||"                       \
    "Event: UserEvent|UserEvent: Did|UNIQUEID: 100.1|XIVO_EXTENPATTERN: 700||"
#define RINGS                                                                                      \
    "Event: Dial|SubEvent: Begin|Channel: SIP/pstn-1|Destination: SIP/bob-2|UniqueID: "            \
    "100.1|DestUniqueID: 100.2||"
#define TALKS                                                                                      \
    "Event: Bridge|Bridgestate: Link|Channel1: SIP/pstn-1|Channel2: SIP/bob-2|Uniqueid1: "         \
    "100.1|Uniqueid2: 100.2||"
#define ENDS                                                                                       \
    "Event: Hangup|Channel: SIP/bob-2|Uniqueid: 100.2|Cause: 16||"                                 \
    "Event: Hangup|Channel: SIP/pstn-1|Uniqueid: 100.1|Cause: 16||"

static void begin(struct sheets_world *w, const char *sheets, const char *more, const char *who)
{
    sheets_configure(w, sheets, "", more);
    sheets_start(w);
    sheets_login(w, who);
}

/* ---- directories ---- */

#define DB_SHEETS                                                                                  \
    "{'events':{'dial':{'display':'db'},'link':{'display':'plain'},'hangup':{'display':'db'}},"    \
    "'displays':{'db':{'sheet_info':{'10':['','','nobody','{db-fullname}'],"                       \
    "'20':['','','','{xivo-where} {xivo-directory}']}},"                                           \
    "'plain':{'sheet_info':{'10':['','','','{xivo-where}']}}}}"
#define CSV                                                                                        \
    "'uri':'file:c.csv','name':'Contacts','match_reverse':['phone'],'field_fullname':['name']"
#define DIRECTORIES(kind)                                                                          \
    ",'directories':{'c':{" kind "}},'contexts':{'default':{'didextens':{'700':['c']}}}"

static void whose_number_it_is_is_shown(void **state)
{
    struct sheets_world *w = *state;

    state_write(&w->s, "c.csv", "name,phone\nEmile,0142\n");
    begin(w, DB_SHEETS, DIRECTORIES(CSV), "2");
    sheets_say(w, TRUNK RINGS TALKS ENDS);
    assert_said(w, "2 Emile|dial Contacts\n2 link\n2 Emile|hangup Contacts\n");
}

static void a_number_of_nobody_leaves_the_default(void **state)
{
    struct sheets_world *w = *state;

    state_write(&w->s, "c.csv", "name,phone\nEmile,0143\n");
    begin(w, DB_SHEETS, DIRECTORIES(CSV), "2");
    sheets_say(w, TRUNK RINGS ENDS);
    assert_said(w, "2 nobody|dial \n2 nobody|hangup \n");
}

static const char *web_directory(const struct sheets_world *w, const struct webserver *web)
{
    static char text[512];

    (void)w;
    snprintf(text, sizeof(text),
             ",'directories':{'c':{'uri':'http://127.0.0.1:%u/d','match_reverse':['phone'],"
             "'field_fullname':['name']}},'contexts':{'default':{'didextens':{'*':['c']}}}",
             web->port);
    return text;
}

static void sheets_wait_for_a_web_server_in_their_order(void **state)
{
    struct sheets_world *w = *state;
    struct webserver web = {.loop = w->s.loop};

    web_up(&web);
    web_page(&web, "/d")->body = "name,phone\nWebb,0142\n";
    sheets_configure(w, DB_SHEETS, "'sockettimeout':600", web_directory(w, &web));
    sheets_start(w);
    sheets_login(w, "2");
    sheets_say(w, TRUNK RINGS TALKS ENDS); /* the call is over before it is known */
    UNTIL(w->s.loop, w->n == 3);
    assert_said(w, "2 Webb|dial c\n2 link\n2 Webb|hangup c\n");
    web_down(&web);
}

static void a_server_that_is_late_holds_nothing_up_for_ever(void **state)
{
    struct sheets_world *w = *state;
    struct webserver web = {.loop = w->s.loop};
    char more[600];
    uint64_t rings;

    web_up(&web);
    web_page(&web, "/d")->silent = true;
    snprintf(more, sizeof(more), "%s", web_directory(w, &web));
    sheets_configure(w, DB_SHEETS, "'sockettimeout':1", more);
    sheets_start(w);
    sheets_login(w, "2");
    rings = clock_mono_us();
    sheets_say(w, TRUNK RINGS TALKS);
    UNTIL(w->s.loop, w->n == 2);
    assert_true(clock_mono_us() - rings >= 1000000); /* main.sockettimeout */
    assert_said(w, "2 nobody|dial \n2 link\n");
    web_down(&web);
}

/* As many as may wait for a directory, and one more; the end of state frees those that wait. */
static void sheets_that_wait_are_bounded_and_gone_with_state(void **state)
{
    struct sheets_world *w = *state;
    struct webserver web = {.loop = w->s.loop};
    struct buf sheets;

    buf_init(&sheets, 0);
    buf_append_cstr(&sheets, "{'displays':{'db':{'sheet_info':{'10':['','','','{db-fullname}']}},"
                             "'plain':{'sheet_info':{'10':['','','','{xivo-where}']}}},"
                             "'events':{'link':{'display':'plain'},'dial':[");
    for (int i = 0; i < REVERSE_MAX_SHEETS; i++)
        buf_printf(&sheets, "%s{'display':'db'}", i ? "," : "");
    buf_append_cstr(&sheets, "]}}");
    web_up(&web);
    web_page(&web, "/d")->silent = true;
    sheets_configure(w, buf_cstr(&sheets), "'sockettimeout':600", web_directory(w, &web));
    sheets_start(w);
    sheets_login(w, "2");
    sheets_say(w, TRUNK RINGS);
    assert_said(w, "");
    sheets_say(w, TALKS);
    assert_said(w, "2 link\n");
    state_stop(&w->s);
    assert_int_equal(w->n, 1);
    web_down(&web);
    buf_free(&sheets);
}

/* ---- the configuration read anew, and forms ---- */

#define FORM_SHEETS                                                                                \
    "{'events':{'dial':{'display':'d'}},'displays':{'d':{'sheet_info':"                            \
    "{'10':['qtui','form','','qtui']},'sheet_qtui':{'qtui':'file:form.ui'}}}}"

static void forms_are_read_from_files(void **state)
{
    struct sheets_world *w = *state;

    begin(w, FORM_SHEETS, "", "2");
    assert_non_null(strstr(sheets_logged(w), "form file:form.ui: No such file or directory; sheets "
                                             "are sent without it"));
    sheets_say(w, TRUNK RINGS ENDS);
    assert_said(w, "2 qtui\n");
    assert_null(strstr(w->xml, "<sheet_qtui"));
    state_write(&w->s, "form.ui", "<?xml version=\"1.0\"?><ui>1</ui>");
    sheets_reload(w, FORM_SHEETS, "");
    sheets_say(w, TRUNK RINGS ENDS);
    assert_said(w, "2 qtui\n");
    assert_non_null(strstr(w->xml, "name=\"qtui\" type=\"None\"><![CDATA[<?xml version=\"1.0\"?>"
                                   "<ui>1</ui>]]></sheet_qtui>"));
    state_unlink(&w->s, "form.ui");
    sheets_reload(w, FORM_SHEETS, "");
    assert_non_null(strstr(sheets_logged(w), "what is known of it stays"));
    sheets_say(w, TRUNK RINGS ENDS);
    assert_said(w, "2 qtui\n");
    assert_non_null(strstr(w->xml, "<ui>1</ui>"));
}

static void a_form_that_is_too_large_is_none(void **state)
{
    struct sheets_world *w = *state;
    char *text = malloc(FORM_MAX + 2);

    assert_non_null(text);
    memset(text, 'x', FORM_MAX + 1);
    text[FORM_MAX + 1] = '\0';
    state_write(&w->s, "form.ui", text);
    begin(w, FORM_SHEETS, "", "2");
    assert_non_null(strstr(sheets_logged(w), "form file:form.ui: File too large"));
    text[FORM_MAX] = '\0';
    state_write(&w->s, "form.ui", text);
    sheets_reload(w, FORM_SHEETS, "");
    sheets_say(w, TRUNK RINGS ENDS);
    sheets_said(w);
    assert_non_null(strstr(w->xml, "xxx]]></sheet_qtui>"));
    free(text);
}

static void sheets_may_come_and_go(void **state)
{
    static const char some[] = "{'events':{'dial':{'display':'d'}},'displays':{'d':{'sheet_info':"
                               "{'10':['','','','{xivo-where}']}}}}";
    struct sheets_world *w = *state;

    begin(w, "{}", "", "2");
    sheets_say(w, TRUNK RINGS ENDS);
    assert_said(w, "");
    sheets_reload(w, some, "");
    sheets_say(w, TRUNK RINGS);
    assert_said(w, "2 dial\n");
    sheets_reload(w, "{}", "");
    sheets_say(w, ENDS TRUNK RINGS);
    assert_said(w, "");
}

/* ---- what users do ---- */

#define FOR_ALL                                                                                    \
    "{'events':{'dial':{'display':'d','condition':'a'}},'conditions':{'a':{'whom':'all'}},"        \
    "'displays':{'d':{'sheet_info':{'10':['','','','{xivo-channel}']}}}}"

static const char *does(struct sheets_world *w, const char *session, const char *message)
{
    assert_int_equal(peer_command(&w->p, session, "sheet", message), BUS_ok);
    return w->p.answer;
}

static void what_one_does_is_told_to_the_others(void **state)
{
    struct sheets_world *w = *state;

    begin(w, FOR_ALL, "", "123");
    sheets_say(w, TRUNK RINGS ENDS); /* a sheet stays longer than the call */
    assert_said(w, "1 SIP/pstn-1\n2 SIP/pstn-1\n3 SIP/pstn-1\n");
    assert_string_equal(
        does(w, "s1", "{\"function\":\"addentry\",\"channel\":\"SIP/pstn-1\",\"text\":\"hi\"}"),
        "{\"function\":\"addentry\",\"channel\":\"SIP/pstn-1\"}");
    assert_said(w, "2 entryadded SIP/pstn-1 hi\n3 entryadded SIP/pstn-1 hi\n");
    assert_string_equal(does(w, "s2", "{\"function\":\"getownership\",\"channel\":\"SIP/pstn-1\"}"),
                        "{\"function\":\"getownership\",\"channel\":\"SIP/pstn-1\"}");
    assert_said(w, "1 loseownership SIP/pstn-1 \n3 loseownership SIP/pstn-1 \n");
    does(w, "s2", "{\"function\":\"loseownership\",\"channel\":\"SIP/pstn-1\"}");
    assert_said(w, "1 loseownership SIP/pstn-1 \n3 loseownership SIP/pstn-1 \n");
}

static void what_nobody_can_do_is_refused(void **state)
{
    static const char *const cases[][2] = {
        {"{\"function\":\"fly\",\"channel\":\"SIP/pstn-1\"}", "{\"error_string\":\"function\"}"},
        {"{\"function\":7,\"channel\":\"SIP/pstn-1\"}", "{\"error_string\":\"function\"}"},
        {"{}", "{\"error_string\":\"function\"}"},
        {"{\"function\":\"addentry\",\"text\":\"x\"}", "{\"error_string\":\"missing:channel\"}"},
        {"{\"function\":\"addentry\",\"channel\":\"SIP/pstn-1\"}",
         "{\"error_string\":\"missing:text\"}"},
        {"{\"function\":\"addentry\",\"channel\":\"SIP/none\",\"text\":\"x\"}",
         "{\"warning_string\":\"no_such_sheet\"}"},
    };
    struct sheets_world *w = *state;

    begin(w, FOR_ALL, "", "12");
    sheets_say(w, TRUNK RINGS);
    sheets_login(w, "3"); /* too late for the sheet */
    sheets_said(w);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(does(w, "s1", cases[i][0]), cases[i][1]);
    assert_string_equal(
        does(w, "s3", "{\"function\":\"addentry\",\"channel\":\"SIP/pstn-1\",\"text\":\"x\"}"),
        "{\"warning_string\":\"no_such_sheet\"}");
    assert_said(w, "");
}

/* ---- bounds ---- */

static void the_oldest_call_makes_room(void **state)
{
    struct calls *calls = calls_new();
    struct xod *x = xod_new();
    struct xod_ipbx *ipbx = xod_ipbx(x, VIEW("xivo"), true);

    (void)state;
    for (int i = 0; i <= CALLS_MAX; i++) {
        char name[32];
        struct xod_obj *c;
        struct call *call;
        snprintf(name, sizeof(name), "SIP/x-%d", i);
        c = xod_add(ipbx, LIST_channels, view_cstr(name));
        assert_null(call_of(calls, c)); /* without a Uniqueid there is none */
        xod_set_str(c, XOD(channels, uniqueid), view_cstr(name));
        call = call_of(calls, c);
        assert_non_null(call);
        assert_ptr_equal(call_of(calls, c), call);
        if (i == 0)
            for (int leg = 0; leg <= CALL_MAX_LEGS; leg++) {
                snprintf(name, sizeof(name), "leg/%d", leg);
                assert_int_equal(call_leg(calls, call, view_cstr(name), NULL) != NULL,
                                 leg < CALL_MAX_LEGS);
            }
    }
    assert_null(call_find(calls, ipbx, VIEW("SIP/x-0")));
    assert_null(leg_find(calls, ipbx, VIEW("leg/0")));
    assert_non_null(call_find(calls, ipbx, VIEW("SIP/x-1")));
    calls_destroy(&calls);
    xod_destroy(&x);
}

static void the_oldest_sheet_is_forgotten(void **state)
{
    struct viewers *v = viewers_new();
    struct recipients one = {0};
    struct xod *x = xod_new();
    struct xod_ipbx *ipbx = xod_ipbx(x, VIEW("xivo"), true);

    (void)state;
    for (int i = 0; i < 2 * VIEWERS_MAX_USERS; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%d", i / 2);
        assert_int_equal(recipients_add(&one, view_cstr(id)), 0);
    }
    viewers_add(v, ipbx, VIEW("a"), VIEW("1.1"), &one);
    assert_int_equal(viewers_of(v, ipbx, VIEW("a"))->n, VIEWERS_MAX_USERS);
    recipients_clear(&one);
    assert_int_equal(recipients_add(&one, VIEW("another")), 0);
    viewers_add(v, ipbx, VIEW("a"), VIEW("1.1"), &one); /* one too many */
    assert_int_equal(viewers_of(v, ipbx, VIEW("a"))->n, VIEWERS_MAX_USERS);
    viewers_add(v, ipbx, VIEW("a"), VIEW("2.1"), &one); /* another call of that name */
    assert_int_equal(viewers_of(v, ipbx, VIEW("a"))->n, 1);
    for (int i = 0; i < VIEWERS_MAX_SHEETS; i++) {
        char channel[32];
        snprintf(channel, sizeof(channel), "b%d", i);
        viewers_add(v, ipbx, view_cstr(channel), VIEW("1.1"), &one);
    }
    assert_null(viewers_of(v, ipbx, VIEW("a")));
    assert_int_equal(viewers_of(v, ipbx, VIEW("b0"))->n, 1);
    recipients_clear(&one);
    viewers_destroy(&v);
    xod_destroy(&x);
}

static size_t length_of(const char *end)
{
    struct buf text, out;
    size_t n;

    buf_init(&text, 0);
    buf_init(&out, 0);
    while (buf_len(&text) < SHEET_MAX_VALUE - 2)
        buf_append_char(&text, 'x');
    buf_append_cstr(&text, end);
    sheet_format(&out, NULL, VIEW(""), buf_view(&text), false);
    n = buf_len(&out);
    buf_free(&text);
    buf_free(&out);
    return n;
}

static void a_text_over_its_bound_ends_before_a_character(void **state)
{
    (void)state;
    assert_int_equal(length_of("\303\251"), SHEET_MAX_VALUE);
    assert_int_equal(length_of("xyz"), SHEET_MAX_VALUE);
    assert_int_equal(length_of("x\303\251"), SHEET_MAX_VALUE - 1);
    assert_int_equal(length_of("\342\202\254"), SHEET_MAX_VALUE - 2);
    assert_int_equal(length_of("\303\251\303\251"), SHEET_MAX_VALUE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sheets_setup, sheets_teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_wrong_is_told_at_once),
        TEST(what_is_empty_or_not_ours_is_let_be),
        TEST(the_sheets_of_an_event_are_bounded),
        cmocka_unit_test(the_rows_of_a_display_are_bounded),
        cmocka_unit_test(a_text_over_its_bound_ends_before_a_character),
        TEST(whose_number_it_is_is_shown),
        TEST(a_number_of_nobody_leaves_the_default),
        TEST(sheets_wait_for_a_web_server_in_their_order),
        TEST(a_server_that_is_late_holds_nothing_up_for_ever),
        TEST(sheets_that_wait_are_bounded_and_gone_with_state),
        TEST(forms_are_read_from_files),
        TEST(a_form_that_is_too_large_is_none),
        TEST(sheets_may_come_and_go),
        TEST(what_one_does_is_told_to_the_others),
        TEST(what_nobody_can_do_is_refused),
        cmocka_unit_test(the_oldest_call_makes_room),
        cmocka_unit_test(the_oldest_sheet_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
