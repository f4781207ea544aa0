/*
 * The classes of CTI messages that XiVO never gated: its web interface writes the same regcommands
 * for every profile, and what came after 2012 is not among them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "config/internal.h"
#include "json/json.h"

/* Sorted. */
static const char *const open_classes[] = {
    "answer",
    "attended_transfer",
    "attended_transfer_voicemail",
    "blind_transfer_voicemail",
    "call_form_result",
    "callcampaign",
    "cancel_transfer",
    "complete_transfer",
    "direct_transfer",
    "get_relations",
    "get_switchboard_directory_headers",
    "hangup",
    "hold_switchboard",
    "invite_confroom",
    "parking",
    "people_create_personal_contact",
    "people_delete_personal_contact",
    "people_edit_personal_contact",
    "people_export_personal_contacts_csv",
    "people_favorites",
    "people_headers",
    "people_import_personal_contacts_csv",
    "people_personal_contact_raw",
    "people_personal_contacts",
    "people_purge_personal_contacts",
    "people_search",
    "people_set_favorite",
    "register_agent_status_update",
    "register_endpoint_status_update",
    "register_user_status_update",
    "resume_switchboard",
    "sheet",
    "subscribe",
    "subscribetoqueuesstats",
    "switchboard_directory_search",
    "unregister_agent_status_update",
    "unregister_endpoint_status_update",
    "unregister_user_status_update",
};

const char *config_open_class(size_t i)
{
    return i < ARRAY_SIZE(open_classes) ? open_classes[i] : NULL;
}

static int compare(const void *key, const void *name)
{
    const struct view *class = key;
    const char *other = *(const char *const *)name;
    size_t len = strlen(other);
    int c = memcmp(class->ptr, other, class->len < len ? class->len : len);

    return c ? c : (class->len > len) - (class->len < len);
}

bool config_class_is_open(struct view class)
{
    return class.len && bsearch(&class, open_classes, ARRAY_SIZE(open_classes),
                                sizeof(open_classes[0]), compare);
}

/* A word that denies nothing would be taken for one that does. */
void config_check_deny(struct config *cfg)
{
    struct json_object *deny = config_get(cfg, "ctibus.deny");

    if (!json_object_is_type(deny, json_type_object))
        return; /* what is neither is noted with the table */
    json_object_object_foreach(deny, profile, classes)
    {
        char path[160];
        snprintf(path, sizeof(path), "ctibus.deny.%.100s", profile);
        if (!json_member(json_get_object(cfg->root, "profiles"), view_cstr(profile)))
            config_fault(cfg, path, "there is no \"%.100s\" in profiles", profile);
        for (size_t i = 0;
             json_object_is_type(classes, json_type_array) && i < json_object_array_length(classes);
             i++) {
            struct view class = json_view(json_object_array_get_idx(classes, i));
            if (class.len && !config_class_is_open(class))
                config_fault(cfg, path,
                             "\"%.*s\" is not permitted by itself: leave it out of regcommands",
                             (int)(class.len > 64 ? 64 : class.len), class.ptr);
        }
    }
}
