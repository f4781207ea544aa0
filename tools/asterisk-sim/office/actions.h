/* Actions that the office has of its own: one table a file. */
#ifndef OFFICE_ACTIONS_H
#define OFFICE_ACTIONS_H

#include "base/array.h"
#include "office/tell.h"
#include "say.h"

enum dialects { BOTH, ONLY_NEW, ONLY_OLD };

struct office_row {
    struct action action;
    enum dialects dialects;
};

extern const struct office_row office_call_rows[], office_queue_rows[], office_room_rows[],
    office_list_rows[], office_site_rows[], office_phone_rows[], office_config_rows[];
extern const size_t office_n_call_rows, office_n_queue_rows, office_n_room_rows, office_n_list_rows,
    office_n_site_rows, office_n_phone_rows, office_n_config_rows;

/* The leg that a header names, or NULL after an error was said. */
struct leg *ask_leg(const struct ask *a, const char *header);
struct office *ask_office(const struct ask *a);
/* The beginning of a list, an item of it, and its end. */
void ask_list(const struct ask *a, const char *message);
void ask_item(const struct ask *a, const char *event);
/* 1.x counts only the lists that say so. */
void ask_list_end(const struct ask *a, const char *event, unsigned items, bool old_counts);
/* Headers as C strings of n bytes; false (and an error is said) when it is too long. */
/* ListCommands */
answer_fn office_list_commands;
bool ask_text(const struct ask *a, const char *header, char *out, size_t n);

#endif
