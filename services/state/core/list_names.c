#include "core/list_names.h"
#include "base/array.h"

/* A device is what a line rings at: all that is known of it stands in the list of lines. */
static const struct {
    const char *one, *all, *key;
} names[] = {
    {"user", "users", "urllist_users"},
    {"device", "devices", "urllist_lines"},
    {"line", "lines", "urllist_lines"},
    {"phone", "phones", "urllist_lines"},
    {"trunk", "trunks", "urllist_trunks"},
    {"agent", "agents", "urllist_agents"},
    {"queue", "queues", "urllist_queues"},
    {"group", "groups", "urllist_groups"},
    {"meetme", "meetmes", "urllist_meetmes"},
    {"voicemail", "voicemails", "urllist_voicemails"},
    {"incall", "incalls", "urllist_incalls"},
    {"outcall", "outcalls", "urllist_outcalls"},
    {"phonebook", "phonebooks", "urllist_phonebook"},
    {"context", "contexts", "urllist_contexts"},
    {"parkinglot", "parkinglots", "urllist_parkinglot"},
    {"extenfeature", "extenfeatures", "urllist_extenfeatures"},
};

const char *list_name_key(struct view name)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (view_eq(name, view_cstr(names[i].one)) || view_eq(name, view_cstr(names[i].all)) ||
            view_eq(name, view_cstr(names[i].key)))
            return names[i].key;
    return NULL;
}
