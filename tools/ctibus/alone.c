/* ctibus schema and keygen, which need neither configuration nor bus. */
#include <stdio.h>
#include <string.h>

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

static int run_keygen(struct tool *t, int argc, char **argv)
{
    int rc;

    if (argc != 1 || argv[0][0] == '-')
        return tool_usage(t, &command_keygen);
    rc = bus_keys_make(argv[0]);
    if (rc < 0)
        fprintf(stderr, "ctibus: %s: %s\n", argv[0], strerror(-rc));
    else
        printf("%s: keep it secret; %s.pub: give it to the others\n", argv[0], argv[0]);
    return rc < 0 ? 1 : 0;
}

const struct command command_keygen = {
    .name = "keygen",
    .args = "FILE",
    .help = "Makes CURVE keys: FILE (secret, mode 0600) and FILE.pub.",
    .run = run_keygen,
    .alone = true,
};
