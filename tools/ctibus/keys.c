/* ctibus keys: the reference of the configuration. */
#include <stdio.h>

#include "tool.h"

static int run(struct tool *t, int argc, char **argv)
{
    struct buf out;

    if (argc > 1)
        return tool_usage(t, &command_keys);
    buf_init(&out, 0);
    config_put_keys(&out, view_cstr(argc ? argv[0] : ""), false);
    if (buf_len(&out) == 0)
        tool_fail(t, "no key has \"%s\" in its name or its description", argc ? argv[0] : "");
    fwrite(buf_data(&out), 1, buf_len(&out), stdout);
    buf_free(&out);
    return t->exit_code;
}

const struct command command_keys = {
    .name = "keys",
    .args = "[TEXT]",
    .help = "Prints the keys of the configuration with their types, defaults and meanings: all,\n"
            "or those with TEXT in name or meaning.",
    .examples =
        "$ ctibus keys drain\n"
        "ctibus.cti.drain_seconds\n"
        "    a whole number, default 5, taken by a reload\n"
        "    Seconds over which a cti-gw that is stopped sends its clients away; 0: all at once.",
    .run = run,
    .alone = true,
};
