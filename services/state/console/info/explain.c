/* INFO: explain, why an object is as it is. */
#include "core/explain.h"
#include "console/info/info.h"

static void put_events(struct info *i, const struct xod_obj *o)
{
    struct explained x;
    char date[INFO_DATE];

    for (size_t n = 0; explain_event(i->state->explain, o, n, &x); n++) {
        info_line(i, "%s  %.*s", info_date(x.time, date), VIEW_ARG(x.event));
        info_line(i, "    -> %.*s", VIEW_ARG(x.changes));
    }
}

enum info_end info_explain(struct info *i, const struct info_words *w)
{
    const struct xod_obj *o = explain_object(i->state->xod, w->rest[1]);
    struct buf text;

    if (!o)
        return info_wrong(i,
                          "%.*s: there is no such object; phone:IPBX/ID, agent:IPBX/ID, "
                          "channel:IPBX/NAME, queue:, trunk: or member:",
                          VIEW_ARG(w->rest[1]));
    buf_init(&text, 65536);
    explain_put_now(&text, o);
    info_line(i, "%.*s", VIEW_ARG(buf_view(&text)));
    buf_reset(&text);
    explain_put_why(&text, o);
    if (buf_len(&text))
        info_line(i, "%.*s", VIEW_ARG(buf_view(&text)));
    buf_free(&text);
    put_events(i, o);
    return INFO_OK;
}
