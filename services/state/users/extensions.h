/* The numbers of services that clients do not know: those of `urllist_extenfeatures`, else those of
 * a XiVO. */
#ifndef CTIBUS_STATE_USERS_EXTENSIONS_H
#define CTIBUS_STATE_USERS_EXTENSIONS_H

#include "core/context.h"

enum exten_feature {
    EXTEN_OWN_MAILBOX,   /* vmusermsg: one's own messages */
    EXTEN_MAILBOX,       /* vmboxmsgslt: those of the mailbox whose number follows */
    EXTEN_LEAVE_MESSAGE, /* vmboxslt: a message into the mailbox whose number follows */
    EXTEN_ENABLE_DND,    /* enablednd */
    EXTEN_INCALL_FILTER, /* incallfilter */
    EXTEN_ENABLE_VM,     /* enablevm */
    EXTEN_CALL_RECORD,   /* callrecord */
    EXTEN_FORWARD,       /* fwdunc, fwdbusy, fwdrna: destination follows */
    EXTEN_FORWARD_BUSY,
    EXTEN_FORWARD_RNA,
    EXTEN_PHONE_PROGFUNCKEY, /* phoneprogfunckey: what the hints of function keys begin with */
    EXTEN_COUNT
};

struct extensions;
struct extensions *extensions_new(void);
void extensions_destroy(struct extensions **e);
/* Takes the list of an IPBX: objects like {"vmusermsg": "*98"}, {"vmusermsg": {"exten": "*98"}} or
 * {"typeval": "vmusermsg", "exten": "_*98."}. 0 or -ENOMEM. */
int extensions_set(struct extensions *e, const struct xod_ipbx *ipbx, struct json_object *array);
/* The number (of a pattern what stands before its open end); never NULL. */
const char *extension_of(const struct state *s, const struct xod_ipbx *ipbx,
                         enum exten_feature feature);
/* Has the IPBX a list of them at all? */
bool extensions_known(const struct state *s, const struct xod_ipbx *ipbx);

#endif
