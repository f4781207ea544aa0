/* What is asked, and what was answered at all. */
#include "discover/discover.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "discover/internal.h"
#include "json/json.h"

/* ---- what is asked ---- */

struct step {
    struct view action;
    const char *header, *value;
    const char *missing;    /* without it */
    const char *permission; /* in manager.conf's `write`; NULL: it needs none */
};

/* The lists first: they name the devices that are then asked about one by one. */
static const struct step steps[] = {
    {VIEW("PJSIPShowEndpoints"), NULL, NULL, "the PJSIP endpoints", "system"},
    {VIEW("SIPpeers"), NULL, NULL, "the SIP peers", "reporting"},
    {VIEW("IAXpeers"), NULL, NULL, "the IAX2 peers", "reporting"},
    {VIEW("PJSIPShowRegistrationsOutbound"), NULL, NULL,
     "the outbound registrations of PJSIP (trunks)", "reporting"},
    {VIEW("SIPshowregistry"), NULL, NULL, "the outbound registrations of SIP (trunks)",
     "reporting"},
    {VIEW("IAXregistry"), NULL, NULL, "the outbound registrations of IAX2 (trunks)", "reporting"},
    {VIEW("ExtensionStateList"), NULL, NULL, "the numbers of phones", "reporting"},
    {VIEW("ShowDialPlan"), NULL, NULL, "the numbers of queues, rooms and parking lots",
     "reporting"},
    {VIEW("VoicemailUsersList"), NULL, NULL, "the mailboxes", "reporting"},
    {VIEW("QueueStatus"), NULL, NULL, "the queues", NULL},
    {VIEW("Agents"), NULL, NULL, "the agents", "agent"},
    {VIEW("Parkinglots"), NULL, NULL, "the parking lots", "call"},
    {VIEW("ConfbridgeListRooms"), NULL, NULL, "the rooms in use", "reporting"},
    {VIEW("MeetmeList"), NULL, NULL, "the rooms in use", "reporting"},
    {VIEW("DBGetTree"), "Family", "AMPUSER", "the names that FreePBX keeps", "reporting"},
};
#define N_STEPS ARRAY_SIZE(steps)

/* Their numbers. */
enum {
    ENDPOINTS,
    SIP_PEERS,
    IAX_PEERS,
    PJSIP_REGISTRATIONS,
    SIP_REGISTRATIONS,
    IAX_REGISTRATIONS,
    HINTS,
    DIALPLAN,
    MAILBOXES,
    QUEUES,
    AGENTS,
    LOTS
};
#define BIT(step) (UINT32_C(1) << (step))
#define PEERS (BIT(ENDPOINTS) | BIT(SIP_PEERS) | BIT(IAX_PEERS))

/* One by one. */
static const struct step questions[] = {
    {VIEW("PJSIPShowEndpoint"), "Endpoint", NULL, "context, name and mailbox of PJSIP endpoints",
     "system"},
    {VIEW("SIPshowpeer"), "Peer", NULL, "context, name and mailbox of SIP peers", "reporting"},
};

static const struct step *step_of(size_t step)
{
    return step < N_STEPS ? &steps[step] : &questions[step - N_STEPS];
}

/* ---- lifecycle ---- */

struct discovery *discovery_new(enum ami_charset charset)
{
    struct discovery *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->charset = charset;
    buf_init(&d->text, 65536);
    d->asked = json_object_new_array();
    for (int i = 0; i < FOUND_COUNT; i++)
        d->found[i] = json_object_new_object();
    for (int i = 0; i < FOUND_COUNT; i++)
        if (!d->found[i] || !d->asked) {
            discovery_destroy(&d);
            return NULL;
        }
    return d;
}

void discovery_destroy(struct discovery **dp)
{
    struct discovery *d = dp ? *dp : NULL;

    if (!d)
        return;
    *dp = NULL;
    for (int i = 0; i < FOUND_COUNT; i++)
        json_object_put(d->found[i]);
    for (size_t i = 0; i < d->n_refusals; i++)
        free(d->refusals[i].message);
    free(d->refusals);
    json_object_put(d->asked);
    buf_free(&d->text);
    free(d);
}

/* ---- asking ---- */

/* The driver of a device whose own action says more of it: an index of `questions`, or -1. */
static int question_of(struct json_object *device)
{
    struct view driver = discover_text(device, "driver");

    return view_eq(driver, VIEW("PJSIP")) ? 0 : view_eq(driver, VIEW("SIP")) ? 1 : -1;
}

static bool next_device(struct discovery *d, struct discovery_ask *ask)
{
    while (d->next_device < json_object_array_length(d->asked)) {
        struct json_object *key = json_object_array_get_idx(d->asked, d->next_device++);
        struct json_object *device = json_member(d->found[FOUND_DEVICES], json_view(key));
        int q = question_of(device);
        if (q < 0 || d->stop_devices[q]) {
            d->given++;
            d->answered++;
            continue;
        }
        *ask = (struct discovery_ask){questions[q].action, questions[q].header,
                                      discover_text(device, "name"), q == 0, N_STEPS + (size_t)q};
        return true;
    }
    return false;
}

bool discovery_next(struct discovery *d, struct discovery_ask *ask)
{
    const struct step *s;

    if (d->next_step < N_STEPS) {
        s = &steps[d->next_step];
        *ask = (struct discovery_ask){s->action, s->header,
                                      s->value ? view_cstr(s->value) : view_of(NULL, 0), true,
                                      d->next_step++};
    } else if (d->answered < N_STEPS || !next_device(d, ask)) {
        return false;
    }
    d->given++;
    return true;
}

/* The devices that are known when all lists are in. */
static void list_devices(struct discovery *d)
{
    json_object_object_foreach(d->found[FOUND_DEVICES], key, device)
    {
        (void)device;
        json_object_array_add(d->asked, json_object_new_string(key));
    }
}

/* One refusal of each step. */
static void note_refusal(struct discovery *d, size_t step, struct view message)
{
    struct refusal *grown;

    for (size_t i = 0; i < d->n_refusals; i++)
        if (d->refusals[i].step == step)
            return;
    grown = realloc(d->refusals, (d->n_refusals + 1) * sizeof(*grown));
    if (!grown)
        return;
    d->refusals = grown;
    d->refusals[d->n_refusals] = (struct refusal){step, view_dup(message)};
    if (d->refusals[d->n_refusals].message)
        d->n_refusals++;
}

void discovery_answered(struct discovery *d, size_t step, bool good, struct view message)
{
    d->answered++;
    if (!good && step < N_STEPS && (message.len == 0 || ami_is_denied(message)))
        d->failed |= BIT(step);
    else if (step < N_STEPS && !ami_is_unknown(message))
        d->known |= BIT(step); /* with nothing to list some answer with an Error */
    if (!good && ami_is_denied(message)) {
        note_refusal(d, step, message);
        if (step >= N_STEPS)
            d->stop_devices[step - N_STEPS] = true;
    }
    if (!good && ami_is_unknown(message))
        d->lacking |= UINT32_C(1) << step;
    if (d->answered == N_STEPS && d->next_step == N_STEPS)
        list_devices(d);
}

size_t discovery_done(const struct discovery *d)
{
    return d->answered;
}

size_t discovery_total(const struct discovery *d)
{
    return N_STEPS + json_object_array_length(d->asked);
}

bool discovery_refusal(const struct discovery *d, size_t n, struct discovery_refusal *out)
{
    const struct step *s;

    if (n >= d->n_refusals)
        return false;
    s = step_of(d->refusals[n].step);
    *out = (struct discovery_refusal){s->action.ptr, s->missing, s->permission,
                                      view_cstr(d->refusals[n].message)};
    return true;
}

bool discovery_is_complete(const struct discovery *d, const char *list)
{
    static const struct {
        const char *list;
        uint32_t one_of, and_one_of; /* were answered */
        uint32_t none_of;            /* was refused, or not answered */
    } rows[] = {
        {"lines", PEERS, BIT(HINTS) | BIT(DIALPLAN), PEERS},
        {"trunks", PEERS, BIT(HINTS) | BIT(DIALPLAN), PEERS},
        {"users", PEERS, BIT(HINTS) | BIT(DIALPLAN), PEERS | BIT(MAILBOXES)},
        {"queues", BIT(QUEUES), BIT(QUEUES), 0},
        {"agents", BIT(AGENTS), BIT(AGENTS), 0},
        {"meetmes", BIT(DIALPLAN), BIT(DIALPLAN), 0},
        {"voicemails", BIT(MAILBOXES), BIT(MAILBOXES), 0},
        {"parkinglot", BIT(LOTS) | BIT(DIALPLAN), BIT(LOTS) | BIT(DIALPLAN), 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].list, list) == 0)
            return d->known & rows[i].one_of && d->known & rows[i].and_one_of &&
                   !(d->failed & rows[i].none_of);
    return false;
}

size_t discovery_dropped(const struct discovery *d)
{
    return d->dropped;
}

bool discovery_lacks(const struct discovery *d, const char *action)
{
    for (size_t i = 0; i < N_STEPS; i++)
        if (view_eq(steps[i].action, view_cstr(action)))
            return d->lacking >> i & 1;
    return false;
}

struct json_object *discovery_hints(const struct discovery *d)
{
    return d->found[FOUND_HINTS];
}
