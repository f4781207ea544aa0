/* The AMI reader on what Asterisks really send: each surprise by its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "ami/ami.h"

/* What came out, one line a block: KIND NAME|header=value|...|T:text */
struct trace {
    struct buf out;
    struct ami_parser p;
};

static void put(struct buf *out, struct view v)
{
    assert_int_equal(buf_append_view(out, v), 0);
}

static bool note(void *arg, const struct ami_block *b)
{
    static const char kinds[] = "BERAO";
    struct trace *t = arg;

    assert_int_equal(buf_printf(&t->out, "%c ", kinds[b->kind]), 0);
    put(&t->out, b->name);
    for (unsigned i = 0; i < b->n; i++) {
        put(&t->out, VIEW("|"));
        put(&t->out, b->headers[i].name);
        put(&t->out, VIEW("="));
        put(&t->out, b->headers[i].value);
    }
    if (b->text.ptr) {
        put(&t->out, VIEW("|T:"));
        put(&t->out, b->text);
    }
    put(&t->out, VIEW("\n"));
    return true;
}

static void trace_init(struct trace *t)
{
    buf_init(&t->out, 0);
    ami_parser_init(&t->p);
}

/* Feeds in two pieces, the way a connection does; what is left must stay under the bound. */
static void feed_at(struct trace *t, struct view in, size_t split)
{
    size_t done = ami_parse(&t->p, view_of(in.ptr, split), note, t);

    assert_true(done <= split && split - done < AMI_MAX_BLOCK);
    done += ami_parse(&t->p, view_of(in.ptr + done, in.len - done), note, t);
    assert_true(done <= in.len && in.len - done < AMI_MAX_BLOCK);
}

static void feed_bytes(struct trace *t, struct view in)
{
    size_t done = 0;

    for (size_t shown = 1; shown <= in.len; shown++)
        done += ami_parse(&t->p, view_of(in.ptr + done, shown - done), note, t);
}

/* Expects these blocks at every split and byte by byte; the counts of the whole are returned. */
static struct ami_counts expect_view(struct view in, const char *blocks)
{
    struct trace *t = malloc(sizeof(*t));
    struct ami_counts counts;

    assert_non_null(t);
    for (size_t split = 0; split <= in.len + 1; split++) {
        trace_init(t);
        if (split <= in.len)
            feed_at(t, in, split);
        else
            feed_bytes(t, in);
        assert_string_equal(buf_cstr(&t->out) ? buf_data(&t->out) : "", blocks);
        if (split > 0)
            assert_memory_equal(&counts, &t->p.counts, sizeof(counts));
        counts = t->p.counts;
        buf_free(&t->out);
    }
    free(t);
    return counts;
}

static struct ami_counts expect(const char *in, const char *blocks)
{
    return expect_view(view_cstr(in), blocks);
}

static void test_plain(void **state)
{
    struct ami_counts c = expect("Asterisk Call Manager/9.0.0\r\n"
                                 "Response: Success\r\nActionID: 1\r\nMessage: ok\r\n\r\n"
                                 "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n",
                                 "B 9.0.0\n"
                                 "R Success|Response=Success|ActionID=1|Message=ok\n"
                                 "E FullyBooted|Event=FullyBooted|Privilege=system,all\n");

    assert_int_equal(c.blocks, 3);
    assert_int_equal(c.garbage_lines + c.torn + c.skipped + c.trimmed, 0);
}

/* Other products, proxies and resellers have names of their own. */
static void test_greetings(void **state)
{
    expect("PBX Call Manager/9.0.0\r\nEvent: A\r\n\r\n", "B 9.0.0\nE A|Event=A\n");
    expect("Asterisk Call Manager Proxy/1.22\r\nEvent: A\r\n\r\n", "B 1.22\nE A|Event=A\n");
    expect("AMI/2 of Acme/12.0.0-rc1\nEvent: A\r\n\r\n", "B 12.0.0-rc1\nE A|Event=A\n");
    /* neither a header nor what follows later is one */
    expect("Event: x/1.0\r\n\r\nfoo/1.0\r\n\r\n", "E x/1.0|Event=x/1.0\nO |T:foo/1.0\r\n\n");
}

/* Tables and configuration that a Command prints are indented. */
static void test_output(void **state)
{
    expect("Response: Success\r\nActionID: 1\r\nOutput:   two\r\nOutput: \ttab  \r\n"
           "Output: none\r\nOutput: \r\nOutput:x\r\n\r\n",
           "R Success|Response=Success|ActionID=1|Output=  two|Output=\ttab  |Output=none|Output=|"
           "Output=x\n");
    expect("Event: A\r\nX:   two\r\n\r\n", "E A|Event=A|X=two\n");
}

static void test_line_ends(void **state)
{
    expect("Event: A\nX: 1\n\nEvent: B\r\nY: 2\n\r\n", "E A|Event=A|X=1\nE B|Event=B|Y=2\n");
    /* Extra empty lines, also before the first block. */
    expect("\r\n\nEvent: A\r\n\r\n\r\n\r\n\r\nEvent: B\r\n\r\n", "E A|Event=A\nE B|Event=B\n");
    /* Park of 20: a bare LF ends the message one line early. */
    expect("Response: Success\r\nActionID: 1\r\nMessage: Park successful\n\r\n\r\nEvent: A\r\n\r\n",
           "R Success|Response=Success|ActionID=1|Message=Park successful\nE A|Event=A\n");
    /* Agents of 20. */
    expect("Event: Agents\r\nCallStarted: 5\nLoggedInTime: 6\r\n\r\n",
           "E Agents|Event=Agents|CallStarted=5|LoggedInTime=6\n");
    /* A CR inside a value, and one more at its end, belong to it. */
    expect("Event: A\r\nCommand: X\rY\r\r\n\r\n", "E A|Event=A|Command=X\rY\r\n");
}

static void test_headers(void **state)
{
    struct ami_counts c;

    expect("Event:A\r\nX:1\r\nY:   2  \r\nZ: \r\nW:\r\nU:\r\n\r\n",
           "E A|Event=A|X=1|Y=2  |Z=|W=|U=\n");
    expect("Event: A\r\nUrl: http://x:8/\r\n\r\n", "E A|Event=A|Url=http://x:8/\n");
    expect("Event: A\r\nChanVariable(SIP/[::1]-00000083): X=1: 2\r\nChanVariable: Y=\r\n\r\n",
           "E A|Event=A|ChanVariable(SIP/[::1]-00000083)=X=1: 2|ChanVariable=Y=\n");
    /* 1.8, AgentComplete cut at 2 kB. */
    c = expect("Event: AgentComplete\r\nVariable: A=1\r\nVaria\r\n\r\nEvent: B\r\n\r\n",
               "E AgentComplete|Event=AgentComplete|Variable=A=1\nE B|Event=B\n");
    assert_int_equal(c.garbage_lines, 1);
    c = expect("Event: A\r\n: nameless\r\nX: 1\r\n\r\n", "E A|Event=A|X=1\n");
    assert_int_equal(c.garbage_lines, 1);
}

static void test_event_not_first(void **state)
{
    expect("ActionID: 7\r\nEvent: VoicemailUserEntry\r\nVMContext: default\r\n\r\n",
           "E VoicemailUserEntry|ActionID=7|Event=VoicemailUserEntry|VMContext=default\n");
}

static void test_originate_response(void **state)
{
    expect("Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: 3\r\n"
           "Response: Failure\r\nReason: 5\r\n\r\n",
           "E OriginateResponse|Event=OriginateResponse|Privilege=call,all|ActionID=3"
           "|Response=Failure|Reason=5\n");
    expect("Event: OriginateResponse\r\nPrivilege: call,all\r\nResponse: Failure\r\n"
           "Event: Hangup\r\nPrivilege: call,all\r\n\r\n",
           "E OriginateResponse|Event=OriginateResponse|Privilege=call,all|Response=Failure\n"
           "E Hangup|Event=Hangup|Privilege=call,all\n");
}

static void test_torn(void **state)
{
    struct ami_counts c;

    c = expect("Event: A\r\nX: 1\r\nEvent: B\r\nY: 2\r\n\r\n",
               "E A|Event=A|X=1\nE B|Event=B|Y=2\n");
    assert_int_equal(c.torn, 1);
    assert_int_equal(c.blocks, 2);
    c = expect("Response: Success\r\nResponse: Error\r\nEvent: B\r\n\r\n",
               "R Success|Response=Success\nR Error|Response=Error\nE B|Event=B\n");
    assert_int_equal(c.torn, 2);
    /* Only a line that starts exactly so. */
    expect("Event: A\r\nevent: B\r\nEvent:C\r\nResponses: 1\r\n\r\n",
           "E A|Event=A|event=B|Event=C|Responses=1\n");
    expect("Event: A\r\nVaria\r\nEvent: B\r\n\r\n", "E A|Event=A\nE B|Event=B\n");
}

static void test_user_event(void **state)
{
    /* 1.8 repeats the action; a dialplan may call its headers as it likes. */
    expect("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nAction: UserEvent\r\n"
           "Event: mine\r\nResponse: yes\r\nHeader1: a\r\nheader1: b\r\n\r\n",
           "E UserEvent|Event=UserEvent|Privilege=user,all|UserEvent=X|Action=UserEvent"
           "|Event=mine|Response=yes|Header1=a|header1=b\n");
    /* But a torn one is seen. */
    expect("Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\n"
           "Event: Hangup\r\nPrivilege: call,all\r\n\r\n",
           "E UserEvent|Event=UserEvent|Privilege=user,all|UserEvent=X\n"
           "E Hangup|Event=Hangup|Privilege=call,all\n");
}

static void test_command_old(void **state)
{
    expect("Response: Follows\r\nPrivilege: Command\r\nActionID: 9\r\n"
           "queue: one\nEvent: no\n\n  two\n--END COMMAND--\r\n\r\nEvent: A\r\n\r\n",
           "R Follows|Response=Follows|Privilege=Command|ActionID=9"
           "|T:queue: one\nEvent: no\n\n  two\n\nE A|Event=A\n");
    expect("Response: Follows\r\nPrivilege: Command\r\n--END COMMAND--\r\n\r\n",
           "R Follows|Response=Follows|Privilege=Command|T:\n");
    expect("Response: Follows\r\nno line end--END COMMAND--\r\n\r\n",
           "R Follows|Response=Follows|T:no line end\n");
    expect("Response: Follows\r\n\n--END COMMAND--\r\n\r\n", "R Follows|Response=Follows|T:\n\n");
}

static void test_command_new(void **state)
{
    expect("Response: Success\r\nActionID: 9\r\nMessage: Command output follows\r\n"
           "Output: one\r\nOutput: \r\nOutput: two: three\r\n\r\n",
           "R Success|Response=Success|ActionID=9|Message=Command output follows"
           "|Output=one|Output=|Output=two: three\n");
}

static void test_raw_text(void **state)
{
    /* The action Queues up to 13. */
    expect(
        "support has 0 calls (max unlimited), W:0, C:0\r\n   Members: \r\n   No Callers\r\n\r\n"
        "empty has 0 calls\n   No Members\n\r\n\r\n\r\n\r\nResponse: Goodbye\r\n\r\n",
        "O |T:support has 0 calls (max unlimited), W:0, C:0\r\n   Members: \r\n   No Callers\r\n\n"
        "O |T:empty has 0 calls\n   No Members\n\nR Goodbye|Response=Goodbye\n");
    expect("noise\r\nEvent: A\r\n\r\n", "O |T:noise\r\n\nE A|Event=A\n");
    expect("Foo: bar\r\nBaz: 1\r\n\r\n", "O |Foo=bar|Baz=1\n");
}

static void test_actions(void **state)
{
    expect("Action: Ping\r\nActionID: 1\r\n\r\naction:PING  \r\nACTIONID: UP\r\n\r\n"
           "garbage\r\nAction: Ping\n\n",
           "A Ping|Action=Ping|ActionID=1\nA PING  |action=PING  |ACTIONID=UP\n"
           "O |T:garbage\r\n\nA Ping|Action=Ping\n");
    /* An action may have an Event header and does not tear. */
    expect("Action: QueueLog\r\nEvent: CUSTOM\r\nResponse: x\r\nQueue: s\r\n\r\n",
           "A QueueLog|Action=QueueLog|Event=CUSTOM|Response=x|Queue=s\n");
}

static void test_half_block(void **state)
{
    struct ami_counts c = expect("Event: A\r\n\r\nEvent: B\r\nX: 1\r\nVaria", "E A|Event=A\n");

    assert_int_equal(c.blocks, 1);
    c = expect("Asterisk Call Man", "");
    assert_int_equal(c.blocks, 0);
}

static void test_bytes(void **state)
{
    static const char in[] = "Event: A\r\nN: \xe9\0\x07\xff\r\n\r\n";
    struct trace *t = malloc(sizeof(*t));
    static const char out[] = "E A|Event=A|N=\xe9\0\x07\xff\n";

    trace_init(t);
    feed_bytes(t, view_of(in, sizeof(in) - 1));
    assert_int_equal(buf_len(&t->out), sizeof(out) - 1);
    assert_memory_equal(buf_data(&t->out), out, sizeof(out) - 1);
    buf_free(&t->out);
    free(t);
}

static bool want_b(void *arg, struct view event)
{
    return view_eq(event, VIEW("B"));
}

static void test_want(void **state)
{
    struct trace *t = malloc(sizeof(*t));

    trace_init(t);
    t->p.want = want_b;
    feed_bytes(t, VIEW("Event: A\r\nVaria\r\nEvent: B\r\n\r\nEvent: A\r\n\r\nResponse: A\r\n\r\n"));
    assert_string_equal(buf_cstr(&t->out), "E B|Event=B\nR A|Response=A\n");
    assert_int_equal(t->p.counts.blocks, 4);
    assert_int_equal(t->p.counts.unwanted, 2);
    buf_free(&t->out);
    free(t);
}

static bool stop(void *arg, const struct ami_block *b)
{
    ++*(int *)arg;
    return false;
}

static void test_stop(void **state)
{
    struct ami_parser *p = malloc(sizeof(*p));
    struct view in = VIEW("Event: A\r\n\r\nEvent: B\r\n\r\n");
    int n = 0;
    size_t done;

    ami_parser_init(p);
    done = ami_parse(p, in, stop, &n);
    assert_int_equal(n, 1);
    assert_int_equal(done, 12);
    done += ami_parse(p, view_of(in.ptr + done, in.len - done), stop, &n);
    assert_int_equal(n, 2);
    assert_int_equal(done, in.len);
    free(p);
}

static bool keep_last(void *arg, const struct ami_block *b)
{
    struct view v;

    v = ami_get(b, "channel");
    assert_true(view_eq(v, VIEW("SIP/a")));
    assert_true(view_eq(ami_get_n(b, VIEW("CHANNEL"), 1), VIEW("SIP/b")));
    assert_null(ami_get_n(b, VIEW("Channel"), 2).ptr);
    v = ami_get(b, "AccountCode");
    assert_non_null(v.ptr);
    assert_int_equal(v.len, 0);
    assert_null(ami_get(b, "Nothing").ptr);
    assert_null(ami_get(b, "").ptr);
    assert_null(ami_get(b, "Xchanne@").ptr); /* '@' and '`' differ in bit 5, too */
    assert_true(ami_is_event(b, "newstate"));
    *(bool *)arg = true;
    return true;
}

static void test_get(void **state)
{
    struct ami_parser *p = malloc(sizeof(*p));
    bool seen = false;

    ami_parser_init(p);
    ami_parse(p,
              VIEW("Event: Newstate\r\nChannel: SIP/a\r\nXchanne`: 1\r\nCHANNEL: SIP/b\r\n"
                   "AccountCode: \r\n\r\n"),
              keep_last, &seen);
    assert_true(seen);
    free(p);
}

static void test_text(void **state)
{
    struct buf b;

    buf_init(&b, 0);
    assert_int_equal(ami_text(&b, VIEW("caf\xc3\xa9|"), AMI_CHARSET_LATIN1), 0);
    assert_int_equal(ami_text(&b, VIEW("caf\xe9|"), AMI_CHARSET_LATIN1), 0);
    assert_int_equal(ami_text(&b, VIEW("caf\xe9"), AMI_CHARSET_UTF8), 0);
    assert_string_equal(buf_cstr(&b), "caf\xc3\xa9|caf\xc3\xa9|caf\xef\xbf\xbd");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_greetings),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_event_not_first),
        cmocka_unit_test(test_originate_response),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_user_event),
        cmocka_unit_test(test_command_old),
        cmocka_unit_test(test_command_new),
        cmocka_unit_test(test_raw_text),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_half_block),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_want),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
