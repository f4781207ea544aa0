/* Forms of sheets (sheet_qtui): texts of Qt Designer that stand in the configuration or in files.
 */
#ifndef CTIBUS_STATE_SHEETS_FORMS_H
#define CTIBUS_STATE_SHEETS_FORMS_H

#include "config/config.h"
#include "log/log.h"

#define FORM_MAX ((size_t)128 * 1024) /* bytes of one */

struct forms;

/* NULL without memory. */
struct forms *forms_new(void);
void forms_destroy(struct forms **f);
/* Reads all files that the displays of the configuration name, anew. What cannot be read is logged,
 * and what was known of it stays. */
void forms_load(struct forms *f, const struct config *cfg, struct log *log);
/* The text that a value of `sheet_qtui` stands for; empty: there is none. Borrowed. */
struct view forms_text(const struct forms *f, struct view value);

#endif
