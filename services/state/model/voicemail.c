/* Mailboxes: how many messages wait. */
#include "model/model.h"

void voicemail_waiting(struct ipbx_model *d, const struct tel *t)
{
    struct xod_obj *box =
        xod_lookup(d->ipbx, LIST_voicemails, XOD(voicemails, fullmailbox), t->str[TELF_mailbox], 0);

    if (!box)
        return;
    if (tel_has(t, TELF_new_count))
        xod_set_int(box, XOD(voicemails, newcount), t->num[TELF_new_count]);
    else if (tel_has(t, TELF_waiting) && !t->num[TELF_waiting])
        xod_set_int(box, XOD(voicemails, newcount), 0);
    if (tel_has(t, TELF_old_count))
        xod_set_int(box, XOD(voicemails, old), t->num[TELF_old_count]);
    if (tel_has(t, TELF_waiting))
        xod_set_bool(box, XOD(voicemails, waiting), t->num[TELF_waiting]);
}
