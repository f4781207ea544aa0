/* What an Asterisk can do, as its answer to ListCommands says. */
#ifndef CTIBUS_AMI_GW_CAPABILITIES_H
#define CTIBUS_AMI_GW_CAPABILITIES_H

#include "ami/ami.h"

struct capabilities;
struct capabilities *capabilities_new(void); /* NULL without memory */
void capabilities_destroy(struct capabilities **f);
/* Nothing is known any more. */
void capabilities_clear(struct capabilities *f);
/* Takes the Response of ListCommands: a header for each action that we may use. */
void capabilities_take(struct capabilities *f, const struct ami_block *response);
/* Has it that action, as far as is known? Names without regard to case. */
bool capabilities_has(const struct capabilities *f, struct view action);
bool capabilities_known(const struct capabilities *f);

#endif
