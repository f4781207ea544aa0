/* The JSON lists of the configuration, as an administrator's file or a web server gives them:
 * users, then, behind a NUL byte, lines, and so on. Whatever is in them, what is known of a site
 * stays whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "support/whole_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lists[] = {"users",  "lines",       "agents",     "queues",
                                    "groups", "meetmes",     "voicemails", "incalls",
                                    "trunks", "parkinglots", "contexts"};
#define N_LISTS ARRAY_SIZE(lists)

#define CONFIG_HEAD                                                                                \
    "{\"main\":{},\"ipbxes\":{\"xivo\":{\"ipbx_connection\":{\"ipaddress\":\"127.0.0.1\","         \
    "\"ipport\":5038,\"username\":\"u\",\"password\":\"p\"},\"urllists\":{"

static void write_config(struct state_world *w)
{
    char text[4096] = CONFIG_HEAD;

    for (size_t i = 0; i < N_LISTS; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s\"urllist_%s\":[\"file:%s.json\"]", i ? "," : "", lists[i], lists[i]);
    strcat(text, "}}},\"profiles\":{\"client\":{\"name\":\"Client\"}}}");
    state_write(w, "ctibus.json", text);
}

static struct state_world *world(void)
{
    static struct state_world *w;

    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    strcpy(w->dir, "/tmp/ctibus-lists-XXXXXX");
    if (!mkdtemp(w->dir))
        abort();
    write_config(w);
    for (size_t i = 0; i < N_LISTS; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s.json", lists[i]);
        state_write(w, name, "[]");
    }
    w->loop = loop_new();
    w->cfg = state_config(w);
    if (state_start(w, NULL, NULL, NULL) < 0)
        abort();
    return w;
}

static void put_list(struct state_world *w, const char *list, const uint8_t *data, size_t size)
{
    char path[160];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.json", w->dir, list);
    f = fopen(path, "w");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state_world *w = world();
    struct xod_obj *o;

    for (size_t i = 0; i < N_LISTS; i++) {
        const uint8_t *end = i + 1 < N_LISTS && size ? memchr(data, 0, size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        put_list(w, lists[i], data, n);
        data += n + (end != NULL);
        size -= n + (end != NULL);
    }
    state_reload(w->s, w->cfg);
    for (int list = 0; list < LIST_COUNT; list++)
        for (size_t pos = 0; (o = xod_next(w->ipbx, (enum xod_list)list, &pos));)
            if (xod_obj_id(o).len == 0)
                abort();
    loop_once(w->loop, 0);
    return 0;
}
