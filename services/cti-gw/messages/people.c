/* People as the clients of 2015 and later show them: found in the directories, favorites, and the
 * contacts of a user; state carries them out. */
#include "internal.h"

static const char *const needs_nothing[] = {NULL};
static const char *const needs_pattern[] = {"pattern", NULL};
static const char *const needs_favorite[] = {"source", "source_entry_id", "favorite", NULL};
static const char *const needs_infos[] = {"contact_infos", NULL};
static const char *const needs_id[] = {"source", "source_entry_id", NULL};
static const char *const needs_both[] = {"source", "source_entry_id", "contact_infos", NULL};
static const char *const needs_csv[] = {"csv_contacts", NULL};

#define PEOPLE(name, fields, said, text)                                                           \
    CTI_MESSAGE(name, .class = #name, .required = (fields), .permission = true, .handle = relay,   \
                .answer = (said), .doc = (text))

PEOPLE(people_headers, needs_nothing, "people_headers_result",
       "`people_headers_result`: `column_headers`, `column_types`");
PEOPLE(people_search, needs_pattern, "people_search_result",
       "`people_search_result`: people in the directories, and the own contacts, in columns");
PEOPLE(people_favorites, needs_nothing, "people_favorites_result",
       "`people_favorites_result`: the same of the user's favorites");
PEOPLE(people_set_favorite, needs_favorite, "people_favorite_update",
       "`people_favorite_update`: somebody is a favorite, or no longer");
PEOPLE(people_personal_contacts, needs_nothing, "people_personal_contacts_result",
       "`people_personal_contacts_result`: the user's own contacts");
PEOPLE(people_create_personal_contact, needs_infos, "people_personal_contact_created",
       "`people_personal_contact_created`: a contact more");
PEOPLE(people_personal_contact_raw, needs_id, "people_personal_contact_raw_result",
       "`people_personal_contact_raw_result`: all fields of a contact");
PEOPLE(people_edit_personal_contact, needs_both, "people_personal_contact_raw_update",
       "`people_personal_contact_raw_update`: a contact has these fields instead");
PEOPLE(people_delete_personal_contact, needs_id, "people_personal_contact_deleted",
       "`people_personal_contact_deleted`: a contact less");
PEOPLE(people_purge_personal_contacts, needs_nothing, "people_personal_contacts_purged",
       "`people_personal_contacts_purged`: all of the user's contacts are gone");
PEOPLE(people_import_personal_contacts_csv, needs_csv, "people_import_personal_contacts_csv_result",
       "`people_import_personal_contacts_csv_result`: `created_count`, and `failed` lines");
PEOPLE(people_export_personal_contacts_csv, needs_nothing,
       "people_export_personal_contacts_csv_result",
       "`people_export_personal_contacts_csv_result`: `csv_contacts`");
