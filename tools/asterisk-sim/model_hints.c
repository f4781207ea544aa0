/* The part of the model that outlives calls: hints and device states. */
#include <errno.h>
#include <stdlib.h>

#include "fields.h"
#include "model.h"

static int key_of(struct buf *b, struct view exten, struct view context)
{
    buf_init(b, 4096);
    buf_append_view(b, exten);
    buf_append_char(b, '@');
    buf_append_view(b, context);
    return b->failed ? -ENOMEM : 0;
}

struct hint *model_hint(const struct model *m, struct view exten, struct view context)
{
    struct buf key;
    struct hint *h = NULL;

    if (key_of(&key, exten, context) == 0)
        h = map_get(m->hints, buf_view(&key));
    buf_free(&key);
    return h;
}

static struct hint *hint_new(struct model *m, struct view exten, struct view context)
{
    struct hint *h = calloc(1, sizeof(*h));
    struct buf key;
    int rc;

    if (!h)
        return NULL;
    rc = fields_init(h->field, HINT_FIELDS);
    if (rc == 0)
        rc = key_of(&key, exten, context);
    if (rc == 0) {
        rc = field_set(&h->field[HINT_KEY], buf_view(&key));
        buf_free(&key);
    }
    if (rc == 0 && field_set(&h->field[HINT_EXTEN], exten) == 0 &&
        field_set(&h->field[HINT_CONTEXT], context) == 0 &&
        map_put(m->hints, view_cstr(h->field[HINT_KEY]), h) == 0)
        return h;
    fields_free(h->field, HINT_FIELDS);
    free(h);
    return NULL;
}

static int fill(struct hint *h, struct view hint, struct view status, struct view text)
{
    if (field_set(&h->field[HINT_HINT], hint) < 0 || field_set(&h->field[HINT_STATUS], status) < 0)
        return -ENOMEM;
    return field_set(&h->field[HINT_TEXT], text);
}

int model_set_hint(struct model *m, const struct ami_block *b)
{
    struct view exten = ami_get(b, "Exten"), context = ami_get(b, "Context");
    struct hint *h = model_hint(m, exten, context);

    if (!h)
        h = hint_new(m, exten, context);
    return h ? fill(h, ami_get(b, "Hint"), ami_get(b, "Status"), ami_get(b, "StatusText"))
             : -ENOMEM;
}

int model_seed_hint(struct model *m, const struct ami_block *b)
{
    struct view exten = ami_get(b, "Exten"), context = ami_get(b, "Context");
    struct hint *h;

    if (model_hint(m, exten, context))
        return 0;
    h = hint_new(m, exten, context);
    return h ? fill(h, ami_get(b, "Hint"), VIEW("0"), VIEW("Idle")) : -ENOMEM;
}

int model_set_device(struct model *m, const struct ami_block *b)
{
    struct view name = ami_get(b, "Device");
    struct device *d = name.len ? map_get(m->devices, name) : NULL;

    if (name.len == 0)
        return 0;
    if (!d) {
        d = calloc(1, sizeof(*d));
        if (!d)
            return -ENOMEM;
        if (fields_init(d->field, DEV_FIELDS) < 0 || field_set(&d->field[DEV_NAME], name) < 0 ||
            map_put(m->devices, view_cstr(d->field[DEV_NAME]), d) < 0) {
            fields_free(d->field, DEV_FIELDS);
            free(d);
            return -ENOMEM;
        }
    }
    return field_set(&d->field[DEV_STATE], ami_get(b, "State"));
}
