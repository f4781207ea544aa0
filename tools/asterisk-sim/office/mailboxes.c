/* Voicemail. */
#include "office/tell.h"

#define SHORTEST (2 * SECONDS) /* of a message that is kept */

static void spoken(void *leg)
{
    leg_hang_up(leg, 16, true);
}

static void presses_key(void *leg)
{
    struct leg *l = leg;

    tell_digit(l, '#');
    mailbox_end(l);
    l->job = JOB_NONE;
    leg_place(l, l->context, l->exten, l->priority + 1);
    leg_app(l, "Hangup", "%s", "");
    leg_done(l);
}

void mailbox_speak(struct leg *l, struct person *p, const char *flags)
{
    leg_app(l, "VoiceMail", "%s@default,%s", p->is.number, flags);
    leg_set_state(l, STATE_UP);
    l->job = JOB_MAILBOX;
    l->mailbox = p;
    l->leaves_message = true;
    l->joined_us = l->office->timers.now_us;
    leg_after(l, office_span(l->office, 3 * SECONDS, 14 * SECONDS),
              *flags == 's' ? presses_key : spoken);
}

static void heard(void *leg)
{
    struct leg *l = leg;
    struct person *p = l->mailbox;

    p->old_messages += p->new_messages;
    p->new_messages = 0;
    tell_mailbox(l->office, p, l);
    l->job = JOB_NONE;
    leg_place(l, l->context, l->exten, l->priority + 1);
    leg_app(l, "Hangup", "%s", "");
    leg_done(l);
}

void mailbox_listen(struct leg *l, struct person *p)
{
    leg_app(l, "VoiceMailMain", "%s@default,s", p->is.number);
    l->job = JOB_MAILBOX;
    l->mailbox = p;
    l->leaves_message = false;
    leg_after(l, office_span(l->office, 5 * SECONDS, 15 * SECONDS), heard);
}

void mailbox_end(struct leg *l)
{
    if (!l->leaves_message || l->office->timers.now_us - l->joined_us < SHORTEST)
        return;
    l->mailbox->new_messages++;
    tell_mailbox(l->office, l->mailbox, l);
}
