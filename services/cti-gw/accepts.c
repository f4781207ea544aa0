/* What a client says in its login that it knows beyond what those of 2012 do. */
#include "internal.h"

static const struct {
    const char *word;
    enum client_accepts bit;
} words[] = {
    {"login_throttled", ACCEPTS_LOGIN_THROTTLED},
    {"calls", ACCEPTS_CALLS},
    {"login_hashed", ACCEPTS_LOGIN_HASHED},
    {"sheet_json", ACCEPTS_SHEET_JSON},
    {"state", ACCEPTS_STATE},
};

uint32_t client_accepts_bit(struct view word)
{
    for (size_t k = 0; k < ARRAY_SIZE(words); k++)
        if (view_eq(word, view_cstr(words[k].word)))
            return words[k].bit;
    return 0;
}

uint32_t client_accepts_of(struct json_object *body)
{
    struct json_object *list = json_get(body, "accepts");
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < n; i++)
        bits |= client_accepts_bit(json_view(json_object_array_get_idx(list, i)));
    return bits;
}
