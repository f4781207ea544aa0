/* What an Asterisk can do, as its answer to ListCommands says. */
#ifndef CTIBUS_AMI_GW_ABILITIES_H
#define CTIBUS_AMI_GW_ABILITIES_H

#include "ami/ami.h"

struct abilities;
struct abilities *abilities_new(void); /* NULL without memory */
void abilities_destroy(struct abilities **f);
/* Nothing is known any more. */
void abilities_clear(struct abilities *f);
/* Takes the Response of ListCommands: a header for each action that we may use. */
void abilities_take(struct abilities *f, const struct ami_block *response);
/* Has it that action, as far as is known? Names without regard to case. */
bool abilities_has(const struct abilities *f, struct view action);
bool abilities_known(const struct abilities *f);

#endif
