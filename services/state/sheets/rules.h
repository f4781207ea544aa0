/* What the section `sheets` of the configuration says: which sheets are sent when. Whatever is
 * malformed there has been refused (common/config/check_sheets.c); what is read here is borrowed
 * from the configuration. */
#ifndef CTIBUS_STATE_SHEETS_RULES_H
#define CTIBUS_STATE_SHEETS_RULES_H

#include "config/config.h"

#define MAX_RULES 16 /* of an event; the others are left out */
#define MAX_ROWS 100 /* of a part of a display; the others are left out */

/* A sheet of an event. */
struct rule {
    struct json_object *display;
    struct json_object *option;    /* NULL: none */
    struct json_object *condition; /* NULL: none, who is called gets it */
};

/* The rules of an event; how many. */
size_t rules_of(const struct config *cfg, struct view event, struct rule out[MAX_RULES]);
/* Are there sheets at all? */
bool rules_any(const struct config *cfg);

/* A row of a display. */
struct sheet_row {
    int64_t order;
    struct view title, type, otherwise, format;
};
/* The rows of a part (sheet_info, systray_info, action_info) that are not disabled, in their order;
 * how many. */
size_t rules_rows(struct json_object *display, const char *part, struct sheet_row out[MAX_ROWS]);
/* Does a row of the display have variables of this family? */
bool rules_display_has(struct json_object *display, struct view family);
/* The variable {FAMILY-NAME}? */
bool rules_display_names(struct json_object *display, struct view family, struct view name);
/* The names of the family's variables in it, as the keys of an object that the caller puts; NULL
 * without memory. */
struct json_object *rules_display_variables(struct json_object *display, struct view family);
/* Is a text among the strings and numbers of an array? An empty array narrows nothing. */
bool rules_among(struct json_object *array, struct view text);
/* An option (focus, zip): yes, 1 or true. */
bool rules_option(struct json_object *option, const char *key);

#endif
