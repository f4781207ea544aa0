/* What Asterisk is asked to tell while there is no subscriber of raw events. */
#ifndef CTIBUS_AMI_GW_FILTER_H
#define CTIBUS_AMI_GW_FILTER_H

#include <stddef.h>

struct gateway;

/* The link is up: the event mask, then what this Asterisk can do, then filters. */
void filter_link_up(struct gateway *g);
/* Asks what this Asterisk can do: at a login while it boots not all of its modules are there yet.
 */
void filter_ask_commands(struct gateway *g);
/* Whether raw events are wanted, or what is known of Asterisk, has changed. */
void filter_apply(struct gateway *g);
/* Filter number i, as the action takes it; NULL past the last. */
const char *filter_pattern(size_t i);

#endif
