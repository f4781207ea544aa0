#include "choices.h"

#include "msg/msg.h"

/* clang-format off: one row an action */
const struct choice choices[] = {
    {"conference.mute",
     "MeetmeMute",
     "MeetMe",
     {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}}},
    {"conference.mute",
     "ConfbridgeMute",
     "ConfBridge",
     {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.unmute",
     "MeetmeUnmute",
     "MeetMe",
     {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}}},
    {"conference.unmute",
     "ConfbridgeUnmute",
     "ConfBridge",
     {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.kick",
     "Hangup",
     "MeetMe",
     {{"Channel", "{channel}", false}}}, /* it has no action for that */
    {"conference.kick",
     "ConfbridgeKick",
     "ConfBridge",
     {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.lock", "ConfbridgeLock", "ConfBridge", {{"Conference", "{room}", false}}},
    {"conference.unlock", "ConfbridgeUnlock", "ConfBridge", {{"Conference", "{room}", false}}},
    {"record.start",
     "Monitor",
     NULL,
     {{"Channel", "{channel}", false},
      {"File", "{file}", false},
      {"Format", "wav", false},
      {"Mix", "true", false}}},
    {"record.start",
     "MixMonitor",
     NULL,
     {{"Channel", "{channel}", false}, {"File", "{file}.wav", false}}},
    {"record.stop", "StopMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.stop", "StopMixMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.pause", "PauseMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.pause",
     "MixMonitorMute",
     NULL,
     {{"Channel", "{channel}", false}, {"Direction", "both", false}, {"State", "1", false}}},
    {"record.resume", "UnpauseMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.resume",
     "MixMonitorMute",
     NULL,
     {{"Channel", "{channel}", false}, {"Direction", "both", false}, {"State", "0", false}}},
    {"phone.notify",
     "PJSIPNotify",
     "PJSIP",
     {{"Endpoint", "{name}", false}, {"Variable", "{variable}", false}}},
    {"phone.notify",
     "SIPnotify",
     "SIP",
     {{"Channel", "{name}", false}, {"Variable", "{variable}", false}}},
    {"agent.login",
     "AgentCallbackLogin",
     NULL,
     {{"Agent", "{agent}", false},
      {"Exten", "{exten}", false},
      {"Context", "{context}", false},
      {"AckCall", "false", false}}},
    {"agent.logoff", "AgentLogoff", NULL, {{"Agent", "{agent}", false}, {"Soft", "{soft}", true}}},
    /* Asterisk before 12 calls it Channel2, later ones TimeoutChannel; each passes over the other.
     */
    {"call.park",
     "Park",
     NULL,
     {{"Channel", "{channel}", false},
      {"Channel2", "{parker}", true},
      {"TimeoutChannel", "{parker}", true},
      {"Timeout", "{timeout}", true},
      {"Parkinglot", "{lot}", true}}},
};
/* clang-format on */
const size_t choices_size = sizeof(choices) / sizeof(choices[0]);

bool choice_is_known(struct view wanted)
{
    for (size_t i = 0; i < choices_size; i++)
        if (view_eq(view_cstr(choices[i].wanted), wanted))
            return true;
    return false;
}

/* Number n of what was given under a word; ptr is NULL when there is none. Of a peer
 * TECHNOLOGY/name the word `name` is the name alone. */
static struct view word_given(const msgpack_object *given, struct view word, unsigned n)
{
    bool name = view_eq(word, VIEW("name"));
    uint32_t count = given && given->type == MSGPACK_OBJECT_ARRAY ? given->via.array.size : 0;

    for (uint32_t i = 0; i < count; i++) {
        const msgpack_object *pair = &given->via.array.ptr[i];
        struct view value;
        if (pair->type != MSGPACK_OBJECT_ARRAY || pair->via.array.size != 2 ||
            !view_eq(msg_str(&pair->via.array.ptr[0]), name ? VIEW("peer") : word) || n-- > 0)
            continue;
        value = msg_str(&pair->via.array.ptr[1]);
        if (name)
            view_cut(&value, '/');
        return value.ptr ? value : VIEW("");
    }
    return view_of(NULL, 0);
}

/* The word between the braces of a value, or the empty view. */
static struct view word_of(const char *value)
{
    struct view rest = view_cstr(value);

    view_cut(&rest, '{');
    return rest.len ? view_cut(&rest, '}') : rest;
}

static bool fits(const struct choice *c, const msgpack_object *given)
{
    struct view application = word_given(given, VIEW("application"), 0);
    struct view peer = word_given(given, VIEW("peer"), 0);
    struct view only = view_cstr(c->only);

    if (only.len && application.len && !view_ieq(application, only))
        return false;
    if (only.len && peer.len && !view_ieq(view_cut(&peer, '/'), only))
        return false;
    for (size_t i = 0; i < CHOICE_HEADERS && c->headers[i].name; i++) {
        struct view word = word_of(c->headers[i].value);
        if (word.len && !c->headers[i].optional && !word_given(given, word, 0).len)
            return false;
    }
    return true;
}

const struct choice *choice_find(const struct abilities *f, struct view wanted,
                                 const msgpack_object *given)
{
    for (size_t i = 0; i < choices_size; i++)
        if (view_eq(view_cstr(choices[i].wanted), wanted) &&
            abilities_has(f, view_cstr(choices[i].action)) && fits(&choices[i], given))
            return &choices[i];
    return NULL;
}

/* A word given several times makes as many headers (Variable). */
static void write_header(const struct choice_header *h, const msgpack_object *given,
                         struct ami_action *aa)
{
    struct view word = word_of(h->value);
    struct view value;
    struct buf text;

    if (word.len == 0) {
        ami_action_header(aa, view_cstr(h->name), view_cstr(h->value));
        return;
    }
    for (unsigned n = 0; (value = word_given(given, word, n)).ptr; n++) {
        struct view after = view_cstr(strchr(h->value, '}') + 1);
        buf_init(&text, AMI_MAX_BLOCK);
        buf_append(&text, h->value, strcspn(h->value, "{"));
        buf_append_view(&text, value);
        buf_append_view(&text, after);
        ami_action_header(aa, view_cstr(h->name), buf_view(&text));
        buf_free(&text);
    }
}

void choice_write(const struct choice *c, const msgpack_object *given, struct ami_action *aa)
{
    for (size_t i = 0; i < CHOICE_HEADERS && c->headers[i].name; i++)
        write_header(&c->headers[i], given, aa);
}
