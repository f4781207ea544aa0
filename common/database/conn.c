/* A connection to a database, of either kind. */
#include <errno.h>

#include "base/pg_uri.h"
#include "database/internal.h"

int dbconn_open(struct dbconn **out, const char *where)
{
    return pg_uri_is(view_cstr(where)) ? postgres_open(out, where) : sqlite_open(out, where);
}

void dbconn_log(const struct dbconn *c, const struct db_schema *schema, struct log *log, int rc)
{
    if (rc == -EBUSY)
        log_error(log, "database %s: another %s uses it: stop that one, or name another in %s",
                  c->name, schema->program, schema->key);
    else if (rc == -EPROTO)
        log_error(log,
                  "database %s: written by a later version of ctibus; start that one, or name "
                  "another in %s",
                  c->name, schema->key);
    else
        log_error(log, "database %s: %s. %s (%s names it)%s%s", c->name,
                  rc == -ENOMEM ? "out of memory" : c->error, c->ops->advice, schema->key,
                  c->ops->damaged ? c->ops->damaged : "", c->ops->damaged ? schema->without : "");
}

int dbconn_steps(struct dbconn *c, const struct db_schema *schema)
{
    return c->ops->steps(c, schema);
}

int dbconn_check(struct dbconn *c)
{
    return c->ops->check(c);
}

void dbconn_patience(struct dbconn *c, int ms)
{
    c->ops->patience(c, ms);
}

int dbconn_run(struct dbconn *c, struct db_txns *batch)
{
    c->refused[0] = '\0';
    return c->ops->run(c, batch);
}

int dbconn_count_on(struct dbconn *c, const char *table)
{
    return c->ops->count_on(c, table);
}

void dbconn_close(struct dbconn **cp)
{
    struct dbconn *c = *cp;

    *cp = NULL;
    if (c)
        c->ops->destroy(c);
}

struct view db_text(const struct db_row *row, int column)
{
    return row->ops->text(row, column);
}

int64_t db_int(const struct db_row *row, int column)
{
    return row->ops->integer(row, column);
}

double db_float(const struct db_row *row, int column)
{
    return row->ops->real(row, column);
}
