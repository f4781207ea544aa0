#include "action_map.h"

#include <stdio.h>

#include "base/array.h"
#include "msg/msg.h"

/* One row an action. */
/* clang-format off */
const struct action_choice action_map[] = {
    {"conference.mute", "MeetmeMute", "MeetMe", {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}}},
    {"conference.mute", "ConfbridgeMute", "ConfBridge", {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.unmute", "MeetmeUnmute", "MeetMe", {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}}},
    {"conference.unmute", "ConfbridgeUnmute", "ConfBridge", {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.kick", "MeetmeKick", "MeetMe", {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}}}, /* XiVO's Asterisks have it */
    {"conference.kick", "Hangup", "MeetMe", {{"Channel", "{channel}", false}}}, /* it has no action for that */
    {"conference.kick", "ConfbridgeKick", "ConfBridge", {{"Conference", "{room}", false}, {"Channel", "{channel}", false}}},
    {"conference.lock", "ConfbridgeLock", "ConfBridge", {{"Conference", "{room}", false}}},
    {"conference.unlock", "ConfbridgeUnlock", "ConfBridge", {{"Conference", "{room}", false}}},
    /* of XiVO's Asterisks */
    {"conference.pause", "MeetmePause", "MeetMe", {{"Meetme", "{room}", false}, {"status", "{status}", false}}},
    {"conference.accept", "MeetmeAccept", "MeetMe", {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}, {"Adminnum", "{adminnum}", true}}},
    {"conference.talk", "MeetmeTalk", "MeetMe", {{"Meetme", "{room}", false}, {"Usernum", "{usernum}", false}, {"Adminnum", "{adminnum}", true}}},
    {"conference.record", "Monitor", "MeetMe", {{"Channel", "{channel}", false}, {"File", "{file}", false}, {"Format", "wav", false}, {"Mix", "true", false}}},
    {"conference.record", "MixMonitor", "MeetMe", {{"Channel", "{channel}", false}, {"File", "{file}.wav", false}}},
    {"conference.record", "ConfbridgeStartRecord", "ConfBridge", {{"Conference", "{room}", false}, {"RecordFile", "{file}.wav", true}}},
    {"conference.unrecord", "StopMonitor", "MeetMe", {{"Channel", "{channel}", false}}},
    {"conference.unrecord", "StopMixMonitor", "MeetMe", {{"Channel", "{channel}", false}}},
    {"conference.unrecord", "ConfbridgeStopRecord", "ConfBridge", {{"Conference", "{room}", false}}},
    {"transfer.cancel", "CancelAtxfer", NULL, {{"Channel", "{channel}", false}}},
    /* older ones give a transfer up when who is being asked is gone */
    {"transfer.cancel", "Hangup", NULL, {{"Channel", "{other}", false}}},
    {"record.start", "Monitor", NULL, {{"Channel", "{channel}", false}, {"File", "{file}", false}, {"Format", "wav", false}, {"Mix", "true", false}}},
    {"record.start", "MixMonitor", NULL, {{"Channel", "{channel}", false}, {"File", "{file}.wav", false}}},
    {"record.stop", "StopMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.stop", "StopMixMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.pause", "PauseMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.pause", "MixMonitorMute", NULL, {{"Channel", "{channel}", false}, {"Direction", "both", false}, {"State", "1", false}}},
    {"record.resume", "UnpauseMonitor", NULL, {{"Channel", "{channel}", false}}},
    {"record.resume", "MixMonitorMute", NULL, {{"Channel", "{channel}", false}, {"Direction", "both", false}, {"State", "0", false}}},
    {"phone.notify", "PJSIPNotify", "PJSIP", {{"Endpoint", "{name}", false}, {"Variable", "{variable}", false}}},
    {"phone.notify", "SIPnotify", "SIP", {{"Channel", "{name}", false}, {"Variable", "{variable}", false}}},
    {"agent.login", "AgentCallbackLogin", NULL, {{"Agent", "{agent}", false}, {"Exten", "{exten}", false}, {"Context", "{context}", false}, {"AckCall", "false", false}}},
    {"agent.logoff", "AgentLogoff", NULL, {{"Agent", "{agent}", false}, {"Soft", "{soft}", true}}},
    /* Asterisk before 12 calls it Channel2, later ones TimeoutChannel; each passes over the other.
     */
    {"call.park", "Park", NULL, {{"Channel", "{channel}", false}, {"Channel2", "{parker}", true}, {"TimeoutChannel", "{parker}", true}, {"Timeout", "{timeout}", true}, {"Parkinglot", "{lot}", true}}},
};
/* clang-format on */
const size_t action_map_size = ARRAY_SIZE(action_map);

bool choice_is_known(struct view wanted)
{
    for (size_t i = 0; i < action_map_size; i++)
        if (view_eq(view_cstr(action_map[i].wanted), wanted))
            return true;
    return false;
}

bool choice_exists(const struct capabilities *a, struct view wanted)
{
    for (size_t i = 0; i < action_map_size; i++)
        if (view_eq(view_cstr(action_map[i].wanted), wanted) &&
            capabilities_has(a, view_cstr(action_map[i].action)))
            return true;
    return false;
}

static void add(struct choice_words *given, struct view word, const msgpack_object *value)
{
    if (given->n == CHOICE_WORDS || value->type != MSGPACK_OBJECT_STR)
        return;
    given->word[given->n].word = word;
    given->word[given->n++].value = msg_str(value);
}

void choice_take(struct choice_words *given, const msgpack_object *headers)
{
    given->n = 0;
    if (headers && headers->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < headers->via.array.size; i++) {
            const msgpack_object *pair = &headers->via.array.ptr[i];
            if (pair->type == MSGPACK_OBJECT_ARRAY && pair->via.array.size == 2)
                add(given, msg_str(&pair->via.array.ptr[0]), &pair->via.array.ptr[1]);
        }
    if (headers && headers->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < headers->via.map.size; i++) {
            const msgpack_object_kv *kv = &headers->via.map.ptr[i];
            if (kv->val.type != MSGPACK_OBJECT_ARRAY)
                add(given, msg_str(&kv->key), &kv->val);
            for (uint32_t j = 0; kv->val.type == MSGPACK_OBJECT_ARRAY && j < kv->val.via.array.size;
                 j++)
                add(given, msg_str(&kv->key), &kv->val.via.array.ptr[j]);
        }
}

/* Number n of what was given under a word; ptr is NULL when there is none. Of a peer
 * TECHNOLOGY/name the word `name` is the name alone. */
static struct view word_given(const struct choice_words *given, struct view word, unsigned n)
{
    bool name = view_eq(word, VIEW("name"));

    for (size_t i = 0; i < given->n; i++) {
        struct view value = given->word[i].value;
        if (!view_ieq(given->word[i].word, name ? VIEW("peer") : word) || n-- > 0)
            continue;
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

static bool fits(const struct action_choice *c, const struct choice_words *given)
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

const struct action_choice *choice_find(const struct capabilities *a, struct view wanted,
                                        const struct choice_words *given)
{
    for (size_t i = 0; i < action_map_size; i++)
        if (view_eq(view_cstr(action_map[i].wanted), wanted) &&
            capabilities_has(a, view_cstr(action_map[i].action)) && fits(&action_map[i], given))
            return &action_map[i];
    return NULL;
}

/* Headers of an action of AMI, as words of ours. The peer of SIPnotify may come without its
 * technology. */
static void to_words(struct choice_words *given, const struct action_choice *c, char peer[128])
{
    for (size_t i = 0; i < given->n; i++)
        for (size_t h = 0; h < CHOICE_HEADERS && c->headers[h].name; h++) {
            struct view word = word_of(c->headers[h].value);
            struct view value = given->word[i].value;
            if (word.len == 0 || !view_ieq(given->word[i].word, view_cstr(c->headers[h].name)))
                continue;
            given->word[i].word = word;
            if (!view_eq(word, VIEW("name")))
                continue;
            given->word[i].word = VIEW("peer");
            if (!memchr(value.ptr, '/', value.len) &&
                snprintf(peer, 128, "%s/%.*s", c->only, VIEW_ARG(value)) < 128)
                given->word[i].value = view_cstr(peer);
        }
}

/* Another technology's action does for this one's peers: they have moved from chan_sip to PJSIP. */
static const struct action_choice *other_action(const struct capabilities *a,
                                                const struct action_choice *lacking,
                                                const struct choice_words *given)
{
    for (size_t i = 0; i < action_map_size; i++) {
        struct action_choice other = action_map[i];
        if (strcmp(other.wanted, lacking->wanted) != 0 ||
            !capabilities_has(a, view_cstr(other.action)))
            continue;
        other.only = NULL;
        if (fits(&other, given))
            return &action_map[i];
    }
    return NULL;
}

const struct action_choice *choice_instead(const struct capabilities *a, struct view action,
                                           struct choice_words *given)
{
    if (!capabilities_known(a) || capabilities_has(a, action))
        return NULL;
    for (size_t i = 0; i < action_map_size; i++)
        if (view_ieq(view_cstr(action_map[i].action), action)) {
            to_words(given, &action_map[i], given->scratch);
            return other_action(a, &action_map[i], given);
        }
    return NULL;
}

/* A word given several times makes as many headers (Variable). */
static void write_header(const struct choice_header *h, const struct choice_words *given,
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

void choice_write(const struct action_choice *c, const struct choice_words *given,
                  struct ami_action *aa)
{
    for (size_t i = 0; i < CHOICE_HEADERS && c->headers[i].name; i++)
        write_header(&c->headers[i], given, aa);
}
