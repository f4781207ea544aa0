/* What a web interface may say to WEBI. */
#ifndef CTIBUS_STATE_CONSOLE_WEBI_COMMAND_H
#define CTIBUS_STATE_CONSOLE_WEBI_COMMAND_H

#include "base/view.h"

enum webi_kind {
    WEBI_UNKNOWN, /* refused */
    WEBI_LIST,    /* read one list anew */
    WEBI_MEMBERS, /* ask the Asterisks for their queues anew */
    WEBI_RELOAD,  /* as SIGHUP */
    WEBI_CLI,     /* a command of Asterisk's console */
};

struct webi_command {
    enum webi_kind kind;
    const char *key; /* of WEBI_LIST: the list's in `urllists` */
};

/* Reads a line. */
struct webi_command webi_read(struct view line);

/* Command number i of Asterisk's console that may be run (for documents and tests), or NULL. X
 * stands for the name of a peer: letters, digits, and any of . _ - + @, 80 bytes at most. */
const char *webi_allowed(size_t i);

#endif
