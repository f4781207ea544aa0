#include "hooks/hook.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "access/access.h"
#include "base/utf8.h"
#include "events/events.h"
#include "hooks/template.h"
#include "json/json.h"

#define TYPE_MAX 200  /* bytes of a Content-Type */
#define HOOK_NAME 100 /* bytes of a name */

/* ---- reading ---- */

static char *copy_text(struct json_object *section, const char *key, const char *otherwise)
{
    struct view v = json_get_view(section, key);

    return v.len ? view_dup(v) : otherwise ? view_dup(view_cstr(otherwise)) : NULL;
}

static void fault(struct buf *why, const char *name, const char *key, const char *what)
{
    buf_printf(why, "%sctibus.webhooks.%s.%s: %s", buf_len(why) ? "\n" : "", name, key, what);
}

/* By libcurl, which will connect to it: two readers could take two hosts out of one URL. */
static void check_url(const struct config *cfg, struct hook *h, struct buf *why)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    bool good = url && curl_url_set(url, CURLUPART_URL, h->url, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host;

    h->may_be_private =
        good && access_names(config_get(cfg, "ctibus.webhook_hosts"), view_cstr(host), NULL);
    if (!good || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
        fault(why, h->name, "url", "is no https: URL");
    else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
        fault(why, h->name, "url", "has a user in it: the receiver knows us by the signature");
    else if (strcmp(scheme, "http") == 0 && !h->may_be_private)
        fault(why, h->name, "url",
              "is not https: and its host is not in ctibus.webhook_hosts, so that what is sent "
              "could be read and changed on its way");
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(url);
}

static bool is_event(struct view pattern)
{
    for (int i = 0; i < EVENT_KINDS; i++)
        if (event_fits(pattern, view_cstr(event_name((enum event_kind)i))))
            return true;
    return false;
}

static void check_events(const struct hook *h, struct buf *why)
{
    struct view rest = view_cstr(h->events);
    struct buf what;

    while (rest.len > 0) {
        struct view one = view_trim(view_cut(&rest, ','));
        if (is_event(one))
            continue;
        buf_init(&what, 512);
        buf_printf(&what, "there is no event %.*s", (int)(one.len > 60 ? 60 : one.len), one.ptr);
        fault(why, h->name, "events", buf_cstr(&what) ? buf_cstr(&what) : "no such event");
        buf_free(&what);
    }
}

/* It becomes a line of the head of each request. */
static bool is_type(const char *type)
{
    size_t n = 0;

    while (type[n] >= ' ' && type[n] <= '~')
        n++;
    return type[n] == '\0' && n > 0 && n <= TYPE_MAX;
}

static int read_body(struct hook *h, struct json_object *section, struct buf *why)
{
    static const char *const types[] = {
        [HOOK_JSON] = "application/json",
        [HOOK_FORM] = "application/x-www-form-urlencoded",
        [HOOK_ZAMMAD] = "application/json",
        [HOOK_TEXT] = "application/json",
    };
    struct view template = json_get_view(section, "template");
    const char *wrong;

    h->text = copy_text(section, "body", NULL);
    if (h->text)
        h->body = HOOK_TEXT;
    else if (view_eq(template, VIEW("form")))
        h->body = HOOK_FORM;
    else if (view_eq(template, VIEW("zammad")))
        h->body = HOOK_ZAMMAD;
    h->type = copy_text(section, "content_type", types[h->body]);
    if (h->type && !is_type(h->type))
        fault(why, h->name, "content_type", "is too long, or has characters that no header has");
    wrong = h->text ? template_fault(view_cstr(h->text)) : NULL;
    if (wrong)
        fault(why, h->name, "body", wrong);
    return h->type ? 0 : -ENOMEM;
}

static int read_one(const struct config *cfg, const char *name, struct json_object *section,
                    struct hook *h, struct buf *why)
{
    *h = (struct hook){.name = view_dup(view_cstr(name)),
                       .url = copy_text(section, "url", ""),
                       .events = copy_text(section, "events", "call.*"),
                       .ipbx = copy_text(section, "ipbx", NULL),
                       .secret = copy_text(section, "secret", NULL),
                       .filter = json_object_get(json_get_object(section, "filter"))};
    if (!h->name || !h->url || !h->events)
        return -ENOMEM;
    check_url(cfg, h, why);
    check_events(h, why);
    if (strpbrk(name, "/#?\\\" ") || utf8_has_control(view_cstr(name)) || strlen(name) > HOOK_NAME)
        fault(why, name, "",
              "the name of a webhook has no blanks, quotes, slashes, # and ?, and is not long");
    return read_body(h, section, why);
}

int hooks_read(const struct config *cfg, struct hook_list *hooks, struct buf *why)
{
    struct json_object *section = config_get(cfg, "ctibus.webhooks");
    size_t n = section ? (size_t)json_object_object_length(section) : 0;
    int rc = 0;

    *hooks = (struct hook_list){NULL, 0};
    if (n > HOOKS_MAX) {
        buf_printf(why, "ctibus.webhooks: more than %d", HOOKS_MAX);
        return -EINVAL;
    }
    hooks->list = n ? calloc(n, sizeof(*hooks->list)) : NULL;
    if (n && !hooks->list)
        return -ENOMEM;
    if (!section)
        return 0;
    json_object_object_foreach(section, name, one)
    {
        if (rc == 0 && json_object_is_type(one, json_type_object))
            rc = read_one(cfg, name, one, &hooks->list[hooks->n++], why);
    }
    return rc == 0 && buf_len(why) ? -EINVAL : rc;
}

void hook_clear(struct hook *h)
{
    free(h->name);
    free(h->url);
    free(h->events);
    free(h->ipbx);
    if (h->secret)
        explicit_bzero(h->secret, strlen(h->secret));
    free(h->secret);
    free(h->type);
    free(h->text);
    json_object_put(h->filter);
    *h = (struct hook){.name = NULL};
}

void hooks_free(struct hook_list *hooks)
{
    for (size_t i = 0; i < hooks->n; i++)
        hook_clear(&hooks->list[i]);
    free(hooks->list);
    *hooks = (struct hook_list){NULL, 0};
}

/* ---- which ---- */

struct json_object *hook_path(struct json_object *event, struct view path)
{
    while (event && path.len > 0)
        event = json_member(event, view_cut(&path, '.'));
    return event;
}

static bool equals(struct json_object *value, struct json_object *wanted)
{
    const char *have = value ? json_object_get_string(value) : "";
    const char *want = wanted ? json_object_get_string(wanted) : "";

    return strcmp(have, want) == 0;
}

/* One value, or one of several. */
static bool fits(struct json_object *value, struct json_object *wanted)
{
    if (!json_object_is_type(wanted, json_type_array))
        return equals(value, wanted);
    for (size_t i = 0; i < json_object_array_length(wanted); i++)
        if (equals(value, json_object_array_get_idx(wanted, i)))
            return true;
    return false;
}

bool hook_wants(const struct hook *h, struct view name, struct view ipbx, struct json_object *event)
{
    if (!event_fits(view_cstr(h->events), name) || (h->ipbx && !view_eq(view_cstr(h->ipbx), ipbx)))
        return false;
    if (!h->filter)
        return true;
    json_object_object_foreach(h->filter, path, wanted)
    {
        if (!fits(hook_path(event, view_cstr(path)), wanted))
            return false;
    }
    return true;
}

/* ---- what ---- */

bool hook_put_body(const struct hook *h, struct json_object *event, struct buf *out)
{
    switch (h->body) {
    case HOOK_FORM:
        template_put_form(out, event);
        return !out->failed;
    case HOOK_ZAMMAD:
        return template_put_zammad(out, event) && !out->failed;
    case HOOK_TEXT:
        template_put_text(out, view_cstr(h->text), event, template_escape_of(h->type));
        return !out->failed;
    default:
        json_put_object(out, event);
        return !out->failed;
    }
}

int hook_sign(const struct hook *h, int64_t seconds, struct view body, struct buf *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf text;
    bool ok;

    buf_init(&text, 0);
    buf_printf(&text, "%lld.", (long long)seconds);
    buf_append_view(&text, body);
    ok = !text.failed && HMAC(EVP_sha256(), h->secret, (int)strlen(h->secret),
                              (const unsigned char *)buf_data(&text), buf_len(&text), mac, &len);
    buf_free(&text);
    if (!ok)
        return -EIO;
    buf_printf(out, "t=%lld,v1=", (long long)seconds);
    for (unsigned i = 0; i < len; i++)
        buf_printf(out, "%02x", mac[i]);
    return 0;
}
