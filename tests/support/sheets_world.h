/* A whole state with sheets, which hears what an Asterisk said; and what it tells clients of it.
 * Include after cmocka.h. */
#ifndef CTIBUS_TESTS_SHEETS_WORLD_H
#define CTIBUS_TESTS_SHEETS_WORLD_H

#include <fcntl.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "core/notify.h"
#include "sheets/sheets.h"
#include "support/capture.h"
#include "support/state_peer.h"
#include "translate.h"

struct sheets_world {
    struct state_world s;
    struct state_peer p;
    struct process bus;
    struct bus_sub *sub;
    struct translator *t;
    struct msg_doc doc;
    struct buf scratch;
    double now;
    bool done; /* the last of what was told has come */
    int n;     /* lines told */
    /* of each sheet "USER ROW|ROW...\n", of every other line "USER FUNCTION CHANNEL TEXT\n" */
    char said[65536];
    char xml[300000];  /* the last sheet */
    char object[8192]; /* and as JSON */
    bool zipped;
    int log[2];
    char text[16384];
};

/* ---- what is told ---- */

static inline void sheets_unpack(struct sheets_world *w, const msgpack_object *line)
{
    static unsigned char bytes[600000];
    struct view payload = msg_get_str(line, "payload");
    int n = EVP_DecodeBlock(bytes, (const unsigned char *)payload.ptr, (int)payload.len);
    uLongf scratch = sizeof(w->xml) - 1;

    assert_true(n > 0 && payload.len % 4 == 0);
    for (size_t i = payload.len; payload.ptr[i - 1] == '='; i--)
        n--;
    w->zipped = msg_get_bool(line, "compressed", false);
    if (w->zipped) {
        size_t said = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
                      (size_t)bytes[3];
        assert_int_equal(uncompress((Bytef *)w->xml, &scratch, bytes + 4, (uLong)n - 4), Z_OK);
        assert_int_equal(scratch, said);
    } else {
        scratch = (uLongf)n;
        memcpy(w->xml, bytes, scratch);
    }
    w->xml[scratch] = '\0';
}

/* The texts of the rows, with | between them. */
static inline void sheets_rows(const struct sheets_world *w, struct buf *out)
{
    const char *end = w->xml;
    const char *at;

    while ((at = strstr(end, "<sheet_info "))) {
        at = strstr(at, "<![CDATA[") + 9;
        end = strstr(at, "]]></sheet_info>");
        buf_append_cstr(out, buf_len(out) ? "|" : "");
        buf_append(out, at, (size_t)(end - at));
    }
}

static inline void sheets_on_line(void *arg, const struct bus_msg *m)
{
    struct sheets_world *w = arg;
    struct view user = view_of(m->topic.ptr + 14, m->topic.len - 15); /* cti/xivo/user/ID/ */
    const msgpack_object *line;
    struct buf out;

    assert_int_equal(msg_parse(&w->doc, m->body), 0);
    line = msg_get(&w->doc.root, "line");
    if (view_eq(msg_get_str(line, "class"), VIEW("end"))) {
        w->done = true;
        return;
    }
    assert_true(view_eq(msg_get_str(line, "class"), VIEW("sheet")));
    w->n++;
    buf_init(&out, 0);
    if (msg_get(line, "payload")) {
        assert_true(view_eq(msg_get_str(line, "serial"), VIEW("xml")));
        sheets_unpack(w, line);
        assert_true(view_eq(msg_get_str(&w->doc.root, "accepts"), VIEW("sheet_json")));
        peer_json(w->object, sizeof(w->object), msg_get(&w->doc.root, "other"));
        sheets_rows(w, &out);
    } else {
        buf_printf(&out, "%.*s %.*s %.*s", VIEW_ARG(msg_get_str(line, "function")),
                   VIEW_ARG(msg_get_str(line, "channel")), VIEW_ARG(msg_get_str(line, "text")));
    }
    snprintf(w->said + strlen(w->said), sizeof(w->said) - strlen(w->said), "%.*s %s\n",
             VIEW_ARG(user), buf_cstr(&out));
    buf_free(&out);
}

/* What has been told since the last time, and all of it. */
static inline const char *sheets_said(struct sheets_world *w)
{
    static char text[sizeof(w->said)];
    struct notification t;

    w->done = false;
    notify_begin(&t, "end");
    notify_user(w->s.s, w->s.ipbx, VIEW("0"), &t);
    UNTIL(w->s.loop, w->done);
    memcpy(text, w->said, sizeof(text));
    w->said[0] = '\0';
    return text;
}

#define assert_said(w, expected) assert_string_equal(sheets_said(w), expected)

static inline const char *sheets_logged(struct sheets_world *w)
{
    size_t at = strlen(w->text);
    ssize_t n;

    assert_true(log_flush(w->s.log, 10000));
    n = read(w->log[0], w->text + at, sizeof(w->text) - 1 - at);
    if (n > 0)
        w->text[at + (size_t)n] = '\0';
    return w->text;
}

/* ---- what happens ---- */

static inline void sheets_apply(void *arg, const struct tel_out *o)
{
    struct sheets_world *w = arg;
    struct bus_msg m = {.time = w->now += 0.01};
    struct ipbx_model *d = state_ipbx(w->s.s, VIEW("xivo"))->model;
    struct buf topic;
    struct buf body;
    struct view ipbx;
    struct tel t;

    buf_init(&topic, 0);
    buf_init(&body, 0);
    buf_append_cstr(&topic, "tel/xivo/");
    buf_append_view(&topic, schema_tel_topic(o->event));
    tel_out_body(&body, o, AMI_CHARSET_UTF8);
    m.topic = buf_view(&topic);
    m.body = buf_view(&body);
    assert_int_equal(tel_read(&t, &m, &w->doc, &w->scratch, &ipbx), 0);
    ipbx_model_event(d, &t);
    state_commit(w->s.s, false);
    sheets_event(w->s.s->sheets, d, &t);
    buf_free(&topic);
    buf_free(&body);
}

static inline bool sheets_block(void *arg, const struct ami_block *b)
{
    struct sheets_world *w = arg;

    if (b->kind == AMI_EVENT &&
        (!ami_get(b, "ActionID").ptr || view_ieq(b->name, VIEW("UserEvent"))))
        translator_event(w->t, b->name, b, false);
    return true;
}

static inline void sheets_play(struct sheets_world *w, const char *capture)
{
    struct buf bytes;

    capture_load(&bytes, capture);
    capture_blocks(buf_view(&bytes), 0, sheets_block, w);
    buf_free(&bytes);
    translator_flush(w->t);
}

/* Lines of events, "|" for a line end, "||" for the end of an event. */
static inline void sheets_say(struct sheets_world *w, const char *lines)
{
    capture_lines(lines, sheets_block, w);
    translator_flush(w->t);
}

/* ---- lifecycle ---- */

#define SHEETS_LIST(name, file)                                                                    \
    "\"urllist_" name "\":[\"file:" TEST_SOURCE_DIR "/config/demo/" file ".json\"]"

/* With a section `sheets` (an object), members of `main`, and more sections: JSON with ' for ". */
static inline void sheets_configure(struct sheets_world *w, const char *sheets, const char *main,
                                    const char *more)
{
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text,
               "{'main':{%s},'ipbxes':{'xivo':{'ipbx_connection':{'ipaddress':'127.0.0.1',"
               "'ipport':5038,'username':'u','password':'p'},'urllists':{",
               main);
    for (char *c = text.mem; c < text.mem + text.end; c++)
        *c = *c == '\'' ? '"' : *c;
    buf_append_cstr(
        &text,
        SHEETS_LIST("users", "users") "," SHEETS_LIST("lines", "lines") "," SHEETS_LIST(
            "agents",
            "agents") "," SHEETS_LIST("queues",
                                      "queues") "," SHEETS_LIST("groups",
                                                                "groups") "," SHEETS_LIST("trunks",
                                                                                          "trunk"
                                                                                          "s"));
    buf_printf(&text,
               "}}},'profiles':{'client':{'name':'Client','regcommands':'all'}},"
               "'regcommands':{'all':['sheet']},'ctibus':{},'sheets':%s%s}",
               sheets, more);
    for (char *c = text.mem; c < text.mem + text.end; c++)
        *c = *c == '\'' ? '"' : *c;
    state_write(&w->s, "ctibus.json", buf_cstr(&text));
    buf_free(&text);
}

static inline void sheets_start(struct sheets_world *w)
{
    static const struct bus_sub_handler handler = {sheets_on_line, NULL};
    int err = 0;

    w->s.cfg = state_config(&w->s);
    assert_int_equal(state_start(&w->s, NULL, NULL, NULL), 0);
    w->bus = process_start(w->s.loop, "watch", "watch", NULL);
    w->sub = bus_sub_new(w->bus.bus, state_endpoint_subscribe(w->s.s), &handler, w, &err);
    assert_non_null(w->sub);
    assert_int_equal(bus_sub_add(w->sub, VIEW("cti/xivo/user/")), 0);
    while (!w->done) { /* until the subscription has come through */
        struct notification t;
        notify_begin(&t, "end");
        notify_user(w->s.s, w->s.ipbx, VIEW("0"), &t);
        loop_once(w->s.loop, 5);
    }
    run_for(w->s.loop, 20); /* the others of these */
    peer_start(&w->p, &w->s, "gw");
    peer_login(&w->p, 3);
}

/* The users log in, by their ids. */
static inline void sheets_login(struct sheets_world *w, const char *ids)
{
    for (; *ids; ids++) {
        char session[] = "s?", user[] = "?";
        session[1] = user[0] = *ids;
        assert_int_equal(peer_open(&w->p, session, user, "available"), BUS_ok);
    }
}

static inline void sheets_reload(struct sheets_world *w, const char *sheets, const char *main)
{
    struct config *old = w->s.cfg;

    sheets_configure(w, sheets, main, "");
    w->s.cfg = state_config(&w->s);
    state_reload(w->s.s, w->s.cfg);
    config_destroy(&old);
}

static inline int sheets_setup(void **state)
{
    struct sheets_world *w = calloc(1, sizeof(*w));

    *state = w;
    strcpy(w->s.dir, "/tmp/ctibus-sheets-XXXXXX");
    assert_non_null(mkdtemp(w->s.dir));
    assert_int_equal(pipe2(w->log, O_NONBLOCK | O_CLOEXEC), 0);
    w->s.log = log_new(w->log[1], "test", LOG_INFO, false);
    w->s.loop = loop_new();
    w->t = translator_new(sheets_apply, w);
    w->now = 1795425600;
    buf_init(&w->scratch, 4096);
    return msg_doc_init(&w->doc);
}

static inline int sheets_teardown(void **state)
{
    struct sheets_world *w = *state;
    char command[128];

    peer_end(&w->p);
    if (w->sub) {
        bus_sub_destroy(&w->sub);
        process_end(&w->bus);
    }
    translator_destroy(&w->t);
    if (w->s.s)
        state_stop(&w->s);
    config_destroy(&w->s.cfg);
    loop_destroy(&w->s.loop);
    log_destroy(&w->s.log);
    close(w->log[0]);
    close(w->log[1]);
    msg_doc_fini(&w->doc);
    buf_free(&w->scratch);
    snprintf(command, sizeof(command), "rm -rf %s", w->s.dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
    free(w);
    return 0;
}

#endif
