/* Contexts: names of configurations of several sites, one of which may be the one that is used.
 * They are kept for the user who runs the tool, in $XDG_CONFIG_HOME/ctibus/contexts.json, or else
 * in ~/.config. */
#ifndef CTIBUS_TOOL_CONTEXT_H
#define CTIBUS_TOOL_CONTEXT_H

#include <stdbool.h>

struct tool;

/* The configuration file of the context `name`, for the caller to free; name NULL: of the one that
 * is used. NULL: there is none; if it was named, or the file of contexts cannot be read, that is
 * told with tool_fail. */
char *context_file(struct tool *t, const char *name);

#endif
