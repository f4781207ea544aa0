/* The files that `ctibus setup` writes: all of them, or none. */
#ifndef CTIBUS_TOOL_SETUP_FILES_H
#define CTIBUS_TOOL_SETUP_FILES_H

#include "tool.h"

#define SITE_FILES 2 /* at most */

/* Borrowed. */
struct site_files {
    struct tool *t; /* is told with tool_fail what goes wrong */
    const char *dir;
    bool force; /* a file that is there is renamed to NAME.old, or NAME.old.2 and so on */
    size_t n;
    struct {
        const char *name;
        struct view text;
        bool stays; /* what is there is left as it is, also with `force` */
    } files[SITE_FILES];
};

/* Can they be written, as far as can be seen before? Nothing is left of trying it. */
bool site_files_may(const struct site_files *s);
/* Writes them for the owner alone, makes `dir` where it is not there, and says on standard output
 * what was written. What was kept of earlier ones is never written over. False: what was made is
 * gone, and what was there before is as it was. */
bool site_files_write(const struct site_files *s);

#endif
