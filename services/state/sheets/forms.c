#include "sheets/forms.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "json/json.h"

struct forms {
    struct json_object *texts; /* file: URI -> text */
};

struct forms *forms_new(void)
{
    struct forms *f = calloc(1, sizeof(*f));

    if (f && !(f->texts = json_object_new_object()))
        forms_destroy(&f);
    return f;
}

void forms_destroy(struct forms **f)
{
    if (!*f)
        return;
    json_object_put((*f)->texts);
    free(*f);
    *f = NULL;
}

static struct json_object *read_file(const struct config *cfg, struct view uri, int *rc)
{
    char *path = config_path(cfg, uri);
    struct json_object *text = NULL;
    struct buf bytes;

    buf_init(&bytes, 2 * FORM_MAX); /* with room to see the end of the file */
    *rc = path ? buf_read_file(&bytes, path) : -ENOMEM;
    if (*rc == 0 && buf_len(&bytes) > FORM_MAX)
        *rc = -EFBIG;
    if (*rc == 0)
        text = json_object_new_string_len(buf_len(&bytes) ? buf_data(&bytes) : "",
                                          (int)buf_len(&bytes));
    buf_free(&bytes);
    free(path);
    return text;
}

static void load(struct forms *f, struct json_object *into, const struct config *cfg,
                 struct view uri, struct log *log)
{
    int rc;
    struct json_object *text = read_file(cfg, uri, &rc);

    if (rc < 0) {
        struct json_object *before = json_member(f->texts, uri);
        log_error(log, "form %.*s: %s; %s", VIEW_ARG(uri), strerror(-rc),
                  before ? "what is known of it stays" : "sheets are sent without it");
        text = json_object_get(before);
    }
    if (text)
        json_object_object_add(into, uri.ptr, text);
}

static void load_display(struct forms *f, struct json_object *into, const struct config *cfg,
                         struct json_object *display, struct log *log)
{
    struct json_object *all = json_get_object(display, "sheet_qtui");

    if (!all)
        return;
    json_object_object_foreach(all, name, value)
    {
        struct view uri = json_view(value);
        (void)name;
        if (view_starts(uri, VIEW("file:")) && !json_member(into, uri))
            load(f, into, cfg, uri, log);
    }
}

void forms_load(struct forms *f, const struct config *cfg, struct log *log)
{
    struct json_object *displays = json_get_object(config_section(cfg, "sheets"), "displays");
    struct json_object *texts = json_object_new_object();

    if (!texts)
        return; /* those known stay */
    if (displays) {
        json_object_object_foreach(displays, name, display)
        {
            (void)name;
            load_display(f, texts, cfg, display, log);
        }
    }
    json_object_put(f->texts);
    f->texts = texts;
}

struct view forms_text(const struct forms *f, struct view value)
{
    if (view_starts(view_trim(value), VIEW("<")))
        return value;
    return json_view(json_member(f->texts, value));
}
