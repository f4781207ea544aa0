/* ctibus doctor: the states of a site that has two. */
#include <string.h>

#include "doctor.h"

void doctor_ha(struct doctor *d)
{
    struct tool_state states[TOOL_STATES];
    const struct tool_state *active;
    char host[64];
    const char *own = config_ha_name(d->cfg, host);
    size_t n, told = 0;

    if (!config_ha(d->cfg))
        return;
    doctor_progress(d, "states");
    if (!tool_states(d->t, states, &n)) {
        d->t->exit_code = 0;
        return;
    }
    active = tool_active_state(states, n);
    d->not_active = !active || !own || strcmp(active->name, own) != 0;
    for (size_t i = 0; i < n; i++)
        told += states[i].told;
    if (told > 0 && !active)
        findings_add(&d->f, FINDING_fault, "ha.active",
                     "Nobody logs in, and nothing is shown of calls.",
                     "Look at the logs of both, and at the database (docs/ha.md).",
                     "no state is active, though %zu of %zu answer", told, n);
    else if (active && !tool_standby_state(states, n))
        findings_add(&d->f, FINDING_warning, "ha.standby",
                     "The site would not survive the loss of the active one.",
                     "Start the other one; its log says whether it reaches the database.",
                     "no state could take over from %s: ctibus ha status", active->name);
}
