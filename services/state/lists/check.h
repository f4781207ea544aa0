/* --check of the lists: what a start would log, and what would be found out by people, all at once.
 */
#ifndef CTIBUS_STATE_LISTS_CHECK_H
#define CTIBUS_STATE_LISTS_CHECK_H

#include "config/config.h"

/* Tells each fault of the lists in files (file:, csv:) of all IPBXes: the file and where in it,
 * what is wrong, and what to do. Lists that come over HTTP or from an Asterisk are not asked for.
 * False: there is one. */
bool lists_check(const struct config *cfg, config_error_fn *tell, void *arg);

#endif
