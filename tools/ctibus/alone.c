/* ctibus schema, which needs neither configuration nor bus. */
#include <stdio.h>

#include "tool.h"

static int run_schema(struct tool *t, int argc, char **argv)
{
    struct buf out;
    int rc;

    if (argc > 0)
        return tool_usage(t, &command_schema);
    buf_init(&out, 0);
    rc = schema_markdown(&out);
    if (rc == 0)
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
    return rc < 0 ? 1 : 0;
}

const struct command command_schema = {
    .name = "schema",
    .args = "",
    .help = "Prints the tables of lists, fields, events and requests.",
    .run = run_schema,
    .alone = true,
};
