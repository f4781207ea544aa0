/* Hold during an attended transfer: the transferring party is in a call, the held party on hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "support/model_world.h"

#define NEW(c, number, name)                                                                       \
    "Event: Newchannel|Channel: " c "|ChannelState: 6|Uniqueid: " c "|CallerIDNum: " number        \
    "|CallerIDName: " name
#define MUSIC(c, on) "Event: MusicOnHold|State: " on "|Channel: " c
#define LINK(a, b) "Event: Bridge|Bridgestate: Link|Channel1: " a "|Channel2: " b
#define UNLINK(a, b) "Event: Unlink|Channel1: " a "|Channel2: " b
#define ENTER(bridge, c) "Event: BridgeEnter|BridgeUniqueid: " bridge "|Channel: " c
#define LEAVE(bridge, c) "Event: BridgeLeave|BridgeUniqueid: " bridge "|Channel: " c
#define HOLD(c) "Event: Hold|Channel: " c
#define UNHOLD(c) "Event: Unhold|Channel: " c
#define HANGUP(c) "Event: Hangup|Channel: " c

#define say world_say
#define SHOWS(channel, field, text)                                                                \
    assert_string_equal(world_json(w, LIST_channels, channel, XOD(channels, field)), text)

static void three(struct model_world *w)
{
    say(w, NEW("SIP/alice-1", "1001", "Alice"));
    say(w, NEW("SIP/bob-2", "1002", "Bob"));
    say(w, NEW("SIP/carol-3", "1003", "Carol"));
}

/* From 12 on: bob holds alice and asks carol in another bridge. */
static void bob_asks(struct model_world *w)
{
    three(w);
    say(w, ENTER("b1", "SIP/bob-2"));
    say(w, ENTER("b1", "SIP/alice-1"));
    say(w, HOLD("SIP/bob-2"));
    SHOWS("SIP/bob-2", holded, "true");
    SHOWS("SIP/alice-1", holded, "false");
    say(w, LEAVE("b1", "SIP/bob-2"));
    say(w, ENTER("b2", "SIP/carol-3"));
    say(w, ENTER("b2", "SIP/bob-2"));
}

static void bob_asked(struct model_world *w)
{
    SHOWS("SIP/bob-2", holded, "false");
    SHOWS("SIP/bob-2", talkingto_id, "'SIP/carol-3'");
    SHOWS("SIP/alice-1", holded, "true");
    SHOWS("SIP/alice-1", peerdisplay, "'Bob (1002)'");
    SHOWS("SIP/carol-3", holded, "false");
}

static void who_asks_is_in_a_call_and_who_waits_is_on_hold(void **state)
{
    struct model_world *w = *state;

    bob_asks(w);
    bob_asked(w);
}

static void back_again_nobody_is_on_hold(void **state)
{
    struct model_world *w = *state;

    bob_asks(w);
    say(w, LEAVE("b2", "SIP/bob-2"));
    say(w, ENTER("b1", "SIP/bob-2"));
    SHOWS("SIP/alice-1", holded, "false");
    SHOWS("SIP/bob-2", holded, "false");
    say(w, UNHOLD("SIP/bob-2"));
    SHOWS("SIP/bob-2", holded, "false");
    say(w, HOLD("SIP/bob-2")); /* an ordinary hold afterwards */
    SHOWS("SIP/bob-2", holded, "true");
}

static void transferred_nobody_is_on_hold(void **state)
{
    struct model_world *w = *state;

    bob_asks(w);
    say(w, LEAVE("b2", "SIP/bob-2"));
    say(w, ENTER("b2", "SIP/alice-1"));
    SHOWS("SIP/alice-1", holded, "false");
    SHOWS("SIP/alice-1", talkingto_id, "'SIP/carol-3'");
    say(w, HANGUP("SIP/bob-2"));
    SHOWS("SIP/carol-3", holded, "false");
}

static void the_one_who_held_is_gone(void **state)
{
    struct model_world *w = *state;

    bob_asks(w);
    say(w, HANGUP("SIP/bob-2"));
    SHOWS("SIP/alice-1", holded, "false");
}

/* Before 12 music tells of the hold; what is linked last is the call. */
static void bob_asks_as_of_old(struct model_world *w)
{
    three(w);
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, MUSIC("SIP/alice-1", "Start"));
    SHOWS("SIP/bob-2", holded, "true");
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    say(w, LINK("SIP/bob-2", "SIP/carol-3"));
}

static void before_12_too(void **state)
{
    struct model_world *w = *state;

    bob_asks_as_of_old(w);
    bob_asked(w);
    say(w, UNLINK("SIP/bob-2", "SIP/carol-3"));
    say(w, MUSIC("SIP/alice-1", "Stop"));
    SHOWS("SIP/alice-1", holded, "false");
    SHOWS("SIP/bob-2", holded, "false");
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    SHOWS("SIP/alice-1", holded, "false");
    SHOWS("SIP/bob-2", holded, "false");
}

static void before_12_the_link_may_come_before_the_music_ends(void **state)
{
    struct model_world *w = *state;

    bob_asks_as_of_old(w);
    say(w, UNLINK("SIP/bob-2", "SIP/carol-3"));
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, MUSIC("SIP/alice-1", "Stop"));
    SHOWS("SIP/alice-1", holded, "false");
    SHOWS("SIP/bob-2", holded, "false");
}

/* The third party never answered: bob was linked to nobody in between. */
static void before_12_cancelled_while_it_rings(void **state)
{
    struct model_world *w = *state;

    three(w);
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    say(w, MUSIC("SIP/alice-1", "Start"));
    say(w, HANGUP("SIP/carol-3"));
    say(w, MUSIC("SIP/alice-1", "Stop"));
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    SHOWS("SIP/bob-2", holded, "false");
    SHOWS("SIP/alice-1", holded, "false");
}

static void a_renamed_channel_waits_on(void **state)
{
    struct model_world *w = *state;

    bob_asks(w);
    say(w, "Event: Rename|Channel: SIP/alice-1|Newname: SIP/alice-9|Uniqueid: SIP/alice-1");
    SHOWS("SIP/alice-9", holded, "true");
    say(w, LEAVE("b2", "SIP/bob-2"));
    say(w, ENTER("b1", "SIP/bob-2"));
    SHOWS("SIP/alice-9", holded, "false");
}

static void an_event_of_1_8_holds_too(void **state)
{
    struct model_world *w = *state;

    three(w);
    say(w, LINK("SIP/alice-1", "SIP/bob-2"));
    say(w, "Event: Hold|Status: On|Channel: SIP/bob-2|Uniqueid: SIP/bob-2");
    say(w, UNLINK("SIP/alice-1", "SIP/bob-2"));
    say(w, LINK("SIP/bob-2", "SIP/carol-3"));
    bob_asked(w);
    say(w, "Event: Hold|Status: Off|Channel: SIP/bob-2|Uniqueid: SIP/bob-2");
    SHOWS("SIP/alice-1", holded, "false");
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_asks_is_in_a_call_and_who_waits_is_on_hold),
        T(back_again_nobody_is_on_hold),
        T(transferred_nobody_is_on_hold),
        T(the_one_who_held_is_gone),
        T(before_12_too),
        T(before_12_the_link_may_come_before_the_music_ends),
        T(before_12_cancelled_while_it_rings),
        T(a_renamed_channel_waits_on),
        T(an_event_of_1_8_holds_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
