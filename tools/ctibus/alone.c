/* ctibus schema, which needs neither configuration nor bus. */
#include <stdio.h>

#include "apidoc/apidoc.h"
#include "tool.h"

static int put_schema(const char *format, struct buf *out, struct tool *t)
{
    const struct apidoc_format *f;
    struct buf names;
    size_t n;

    if (!format)
        return schema_markdown(out);
    f = apidoc_format(view_cstr(format));
    if (f)
        return apidoc_put(out, f);
    buf_init(&names, 4096);
    f = apidoc_formats(&n);
    for (size_t i = 0; i < n; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", f[i].name);
    tool_wrong(t, &command_schema, "there is no format \"%s\"; there are %s", format,
               buf_cstr(&names));
    buf_free(&names);
    return 0;
}

static int run_schema(struct tool *t, int argc, char **argv)
{
    const char *format = NULL;
    struct buf out;
    int rc;

    tool_option(&argc, &argv, "format", &format);
    if (argc > 0)
        return tool_usage(t, &command_schema);
    buf_init(&out, 0);
    rc = put_schema(format, &out, t);
    if (rc != 0)
        tool_fail(t, "there is no memory for it");
    else if (buf_len(&out) > 0) /* fwrite() takes no null pointer, not even for nothing */
        fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
    return t->exit_code;
}

const struct command command_schema = {
    .name = "schema",
    .args = "[--format FORMAT]",
    .help = "Prints the tables of lists, fields, events and requests, as docs/bus.md has\n"
            "them; --format jsonschema: JSON Schema of all that is on the bus, of what\n"
            "clients send and get, and of the configuration; --format asyncapi: where\n"
            "which of it comes and goes; --format openapi: the HTTP API. docs/schemas/\n"
            "has them all.",
    .examples = "$ ctibus schema --format jsonschema | jq -c '.\"$defs\".\"topic.fagi\"'\n"
                "{\"type\":\"object\",\"description\":\"a FastAGI session that has "
                "ended\",\"properties\":{...",
    .run = run_schema,
    .alone = true,
};
