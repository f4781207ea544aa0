/* Keys of Asterisk's database and devices for the services of users. */
#include "users/feature_keys.h"
#include "users/feature_table.h"

#define KEYS(name) "ctibus.features.astdb." name, "ctibus.features.devstate." name

const struct feature_key feature_keys[N_FEATURE_KEYS] = {
    {XOD(users, enablednd), XOD(users, enablednd), {"dnd", "enablednd"}, KEYS("dnd")},
    {XOD(users, enableunc), XOD(users, destunc), {"unc", "fwdunc"}, KEYS("unc")},
    {XOD(users, enablebusy), XOD(users, destbusy), {"busy", "fwdbusy"}, KEYS("busy")},
    {XOD(users, enablerna), XOD(users, destrna), {"rna", "fwdrna"}, KEYS("rna")},
    {XOD(users, incallfilter),
     XOD(users, incallfilter),
     {"incallfilter", NULL},
     KEYS("incallfilter")},
    {XOD(users, enablevoicemail),
     XOD(users, enablevoicemail),
     {"vm", "enablevm"},
     KEYS("voicemail")},
    {XOD(users, callrecord), XOD(users, callrecord), {"callrecord", NULL}, KEYS("callrecord")},
};

bool feature_way(const struct state *s, const struct xod_ipbx *ipbx, const char *way)
{
    struct view name = view_cstr(way);

    if (view_eq(name, VIEW("userfeatures")))
        return feature_table_is_used(s, ipbx);
    return config_lists(s->cfg, "ctibus.features.publish", way) &&
           !(view_eq(name, VIEW("astdb")) && feature_table_is_used(s, ipbx));
}

bool feature_key_of_each_phone(const struct state *s, const char *config_key)
{
    struct view template = view_cstr(config_str(s->cfg, config_key));

    return view_find(template, VIEW("{number}")) >= 0 ||
           view_find(template, VIEW("{context}")) >= 0;
}

struct xod_obj *feature_phone(const struct xod_obj *user, size_t n)
{
    const struct value *lines = xod_get(user, XOD(users, linelist));

    return lines->type == V_LIST && n < lines->len
               ? xod_find(xod_obj_ipbx(user), LIST_phones, value_view(&lines->items[n]))
               : NULL;
}

/* A slash would make another key of it, a parenthesis end the name of the device. */
static bool is_plain(struct view v)
{
    for (size_t i = 0; i < v.len; i++)
        if ((unsigned char)v.ptr[i] <= ' ' || strchr("/(),&\"\x7f", v.ptr[i]))
            return false;
    return v.len > 0;
}

static struct view word(struct view name, const struct xod_obj *user, const struct xod_obj *phone,
                        char scratch[32])
{
    if (view_eq(name, VIEW("userid")))
        return xod_obj_id(user);
    if (!phone)
        return view_of(NULL, 0);
    return value_text(
        xod_get(phone, view_eq(name, VIEW("number")) ? XOD(phones, number) : XOD(phones, context)),
        scratch);
}

bool feature_key_put(struct buf *out, const struct state *s, const char *config_key,
                     const struct xod_obj *user, const struct xod_obj *phone)
{
    const char *template = config_str(s->cfg, config_key);
    struct view rest = view_cstr(template);
    size_t before = buf_len(out);
    char scratch[32];

    while (rest.len) {
        struct view text = view_cut(&rest, '{');
        struct view value;
        buf_append_view(out, text);
        if (rest.len == 0)
            break;
        value = word(view_cut(&rest, '}'), user, phone, scratch);
        if (!is_plain(value))
            return false;
        buf_append_view(out, value);
    }
    return !out->failed && buf_len(out) > before;
}

void feature_subject(struct buf *out, struct view key)
{
    buf_append_cstr(out, "astdb ");
    buf_append_view(out, key);
}

void feature_row_subject(struct buf *out, const struct xod_obj *user, const struct feature_key *k)
{
    buf_append_cstr(out, "userfeatures ");
    buf_append_view(out, xod_obj_id(user));
    buf_append_char(out, '/');
    buf_append_cstr(out, k->functions[0]);
}

struct view feature_column(unsigned field)
{
    return schema_list(LIST_users)->fields[field].vname;
}
