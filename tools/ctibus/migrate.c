/* ctibus migrate: copies the database of state to another place, a file or a PostgreSQL server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pg_uri.h"
#include "database/copy.h"
#include "database/state_tables.h"
#include "tool.h"
#include "json/json.h"

#define SQLITE "sqlite:"

struct migrate {
    bool draws; /* standard error is a terminal */
    int64_t rows;
    const char *table;
};

/* The file, or the URI of the server. NULL: it is neither (told). */
static char *place(struct tool *t, const char *text)
{
    struct view v = view_cstr(text);

    if (pg_uri_is(v)) {
        struct pg_uri read;
        const char *fault = pg_uri_read(&read, v);
        explicit_bzero(&read, sizeof(read));
        if (!fault)
            return strdup(text);
        tool_wrong(t, &command_migrate, "the address of the database %s", fault);
        return NULL;
    }
    if (view_starts(v, VIEW(SQLITE)) && v.len > strlen(SQLITE))
        return strdup(text + strlen(SQLITE));
    tool_wrong(t, &command_migrate,
               "\"%s\" is no database: sqlite:FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
               text);
    return NULL;
}

/* The database of the configuration. */
static char *configured(struct tool *t)
{
    struct config *cfg = tool_config(t);
    char *where = cfg ? config_database(cfg) : NULL;

    if (!cfg)
        t->exit_code = 2;
    config_destroy(&cfg);
    return where;
}

static void draw(void *arg, const char *table, int64_t rows, int64_t of_rows)
{
    struct migrate *m = arg;

    if (!m->table || strcmp(m->table, table) != 0)
        m->rows += of_rows;
    m->table = table;
    if (!m->draws)
        return;
    fprintf(stderr, "\r\033[K%s %lld of %lld", table, (long long)rows, (long long)of_rows);
    if (rows == of_rows)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}

/* SQLite would make one. */
static bool is_there(struct tool *t, const char *from)
{
    if (pg_uri_is(view_cstr(from)) || access(from, R_OK) == 0)
        return true;
    tool_fail(t, "%s: there is no such file, or it cannot be read", from);
    return false;
}

static void copy(struct tool *t, const char *from, const char *to)
{
    struct migrate m = {.draws = isatty(STDERR_FILENO) && !t->json};

    struct log *log = log_new(STDERR_FILENO, "ctibus", LOG_WARNING, false);
    int rc = !log ? -ENOMEM : is_there(t, from) ? 0 : -ENOENT;

    if (rc == 0)
        rc = db_copy(from, to, &state_schema, log, draw, &m);
    log_destroy(&log);
    if (rc < 0) {
        t->exit_code = 1;
        return;
    }
    if (t->json)
        printf("{\"rows\":%lld}\n", (long long)m.rows);
    else
        printf("%lld rows are copied. Name the new database in ctibus.database, and start state.\n",
               (long long)m.rows);
}

static int run(struct tool *t, int argc, char **argv)
{
    char *from;
    char *to;

    if (argc < 1 || argc > 2 || argv[0][0] == '-')
        return tool_usage(t, &command_migrate);
    from = place(t, argv[0]);
    to = from ? argc == 2 ? place(t, argv[1]) : configured(t) : NULL;
    if (from && to)
        copy(t, from, to);
    free(from);
    if (to)
        explicit_bzero(to, strlen(to));
    free(to);
    return t->exit_code;
}

const struct command command_migrate = {
    .name = "migrate",
    .args = "FROM [TO]",
    .help = "Copies the database of state, which must be stopped, into an empty one:\n"
            "sqlite:FILE or postgresql://USER:PASSWORD@HOST/DATABASE each. TO is that of\n"
            "the configuration (ctibus.database) if it is missing, so that no password\n"
            "stands among the arguments.",
    .examples = "$ ctibus migrate sqlite:/var/lib/ctibus/ctibus.db\n"
                "5120 rows are copied. Name the new database in ctibus.database, and start state.",
    .run = run,
    .alone = true,
};
