/* Lines to a XiVO 1.2. */
#include "legacy.h"
#include "json/json.h"

void legacy_begin(struct legacy *g, const char *class)
{
    buf_reset(&g->line);
    buf_printf(&g->line, "{\"class\":\"%s\",\"commandid\":%lld", class, (long long)++g->command_id);
}

void legacy_put(struct legacy *g, const char *key, struct view value)
{
    buf_printf(&g->line, ",\"%s\":", key);
    json_put_string(&g->line, value);
}

void legacy_send(struct legacy *g)
{
    buf_append_cstr(&g->line, "}\n");
    if (!g->line.failed && g->conn)
        conn_send(g->conn, buf_view(&g->line));
}
