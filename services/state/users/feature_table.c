#include "users/feature_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "users/deferred_actions.h"
#include "users/feature_keys.h"
#include "users/feature_reader.h"
#include "users/feature_take.h"

#define MAX_ROWS "100000" /* more users are not read */
#define MAX_ID 64

/* The columns of a service: those of its fields of users, by the same names. */
struct columns {
    bool flag, destination; /* the table has them */
    size_t at;              /* of the first of them, in what is selected */
    char update[160];       /* SQL */
};

struct feature_table {
    struct state *s;
    struct ipbx *ipbx;
    const char *name; /* of the IPBX */
    char uri[1024];   /* as configured */
    char server[400]; /* as it may be logged */
    struct pg *pg;
    struct metric *metric;
    struct columns columns[N_FEATURE_KEYS];
    bool has_id, is_standby;
    bool was_lost;           /* since it was of use */
    bool usable;             /* its rows could be read */
    bool reads, reads_again; /* all rows; once more after that */
    bool told_left_out;      /* which services have no columns */
    char select_all[400], select_one[400];
};

struct feature_tables {
    struct feature_table *of[MAX_IPBXES]; /* as state's ipbxes; NULL: none */
};

/* Something that was asked about a user's row. */
struct asked_row {
    struct feature_table *t;
    feature_written_fn *done;
    void *arg;
    const struct feature_key *k;
    char id[MAX_ID];
};

static struct feature_table *table_of(const struct state *s, const struct xod_ipbx *ipbx)
{
    for (size_t i = 0; s->feature_tables && i < s->n_ipbxes; i++)
        if (s->ipbxes[i].model->ipbx == ipbx)
            return s->feature_tables->of[i];
    return NULL;
}

bool feature_table_is_used(const struct state *s, const struct xod_ipbx *ipbx)
{
    return table_of(s, ipbx) != NULL;
}

bool feature_table_is_up(const struct state *s, const struct xod_ipbx *ipbx)
{
    const struct feature_table *t = table_of(s, ipbx);

    return t && t->usable && pg_is_up(t->pg);
}

/* ---- what a refusal means ---- */

/* What an operator can do about it, by PostgreSQL's code. */
static const char *remedy(const char *sqlstate, const char *right)
{
    static char const grant_select[] = "GRANT SELECT, UPDATE ON userfeatures to this user";

    if (strcmp(sqlstate, "42501") == 0)
        return grant_select;
    if (strcmp(sqlstate, "42P01") == 0)
        return "userfeatures_db_uri must name the database of the XiVO that has this table";
    return right;
}

/* ---- rows ---- */

static bool is_true(struct view v)
{
    return v.len && !view_eq(v, VIEW("0")) && !view_eq(v, VIEW("f"));
}

static void take_row(struct feature_table *t, struct xod_obj *user, const struct view *values,
                     size_t n)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++) {
        const struct columns *c = &t->columns[i];
        bool forward = feature_keys[i].destination != feature_keys[i].flag;
        struct feature_value v;
        struct buf subject;
        if (!c->flag || c->at + forward >= n)
            continue;
        v = (struct feature_value){.on = is_true(values[c->at]),
                                   .has_destination = forward,
                                   .destination = forward ? values[c->at + 1] : VIEW("")};
        buf_init(&subject, 512);
        feature_row_subject(&subject, user, &feature_keys[i]);
        feature_reader_took(t->s, user,
                            feature_take(t->s, user, &feature_keys[i], buf_view(&subject), &v));
        buf_free(&subject);
    }
}

/* Rows of users that are in none of our lists are nobody's. */
static void on_row(void *arg, const struct view *values, size_t n)
{
    struct feature_table *t = arg;
    struct xod_obj *user = n ? xod_find(t->ipbx->model->ipbx, LIST_users, values[0]) : NULL;

    if (user)
        take_row(t, user, values, n);
}

static void on_user_row(void *arg, const struct view *values, size_t n)
{
    on_row(((struct asked_row *)arg)->t, values, n);
}

/* ---- reading ---- */

static void fail(struct feature_table *t, const struct pg_result *r, const char *what)
{
    char why[400];

    snprintf(why, sizeof(why), "%s: %s: %s", what, r->message,
             remedy(r->sqlstate, "is it a XiVO's database?"));
    pg_fail(t->pg, why);
}

static void now_usable(struct feature_table *t)
{
    t->usable = true;
    pg_good(t->pg);
    metric_set(t->metric, 1);
    log_notice(t->s->log, "%s: userfeatures: connected to %s", t->name, t->server);
    deferred_actions_resynced(t->s, t->ipbx->model->ipbx);
    /* a change that was sent over the connection before may be carried out yet, after those that
     * are sent now: what is there then is to be seen */
    if (t->was_lost)
        feature_reader_again(t->s);
    t->was_lost = false;
}

static void read_all(struct feature_table *t);

static void on_all(void *arg, const struct pg_result *r)
{
    struct feature_table *t = arg;

    t->reads = false;
    if (r->outcome == PG_REFUSED)
        fail(t, r, "cannot be read");
    if (r->outcome != PG_DONE)
        return;
    if (!t->usable)
        now_usable(t);
    if (t->reads_again)
        read_all(t);
}

static void read_all(struct feature_table *t)
{
    t->reads_again = t->reads;
    if (!t->reads)
        t->reads = pg_ask(t->pg, t->select_all, NULL, 0, on_row, on_all, t) == 0;
}

void feature_table_all(struct state *s, const struct xod_ipbx *ipbx)
{
    if (feature_table_is_up(s, ipbx))
        read_all(table_of(s, ipbx));
}

static struct asked_row *asked_row_new(struct feature_table *t, const char *id)
{
    struct asked_row *a = strlen(id) < MAX_ID ? calloc(1, sizeof(*a)) : NULL;

    if (!a)
        return NULL;
    a->t = t;
    snprintf(a->id, sizeof(a->id), "%s", id);
    return a;
}

/* That a row cannot be read is told when all are. */
static void on_user(void *arg, const struct pg_result *r)
{
    struct asked_row *a = arg;

    (void)r;
    free(a);
}

void feature_table_user(struct state *s, const struct xod_obj *user)
{
    struct feature_table *t = table_of(s, xod_obj_ipbx(user));
    const char *id = xod_obj_id(user).ptr;
    struct asked_row *a;
    int rc;

    if (!feature_table_is_up(s, xod_obj_ipbx(user)))
        return;
    a = asked_row_new(t, id);
    rc = a ? pg_ask(t->pg, t->select_one, &id, 1, on_user_row, on_user, a) : -ENOMEM;
    if (rc < 0) {
        free(a);
        feature_reader_again(s);
    }
}

/* ---- writing ---- */

static void tell_written(const struct asked_row *a, const struct pg_result *r)
{
    struct log *log = a->t->s->log;

    if (r->outcome == PG_REFUSED)
        log_warning(log, "%s: userfeatures: %s of user %s is refused: %s: %s", a->t->name,
                    a->k->functions[0], a->id, r->message,
                    remedy(r->sqlstate, "clients show what the table has"));
    else if (r->outcome == PG_DONE && r->rows == 0)
        log_warning(log,
                    "%s: userfeatures: no row has the id %s: what this user sets does not reach "
                    "calls; the ids of the list of users must be those of the table",
                    a->t->name, a->id);
}

static void on_written(void *arg, const struct pg_result *r)
{
    struct asked_row *a = arg;

    tell_written(a, r);
    a->done(a->arg, r->outcome);
    free(a);
}

/* The service whose flag is this column, if the table has it. */
static const struct feature_key *service_of(const struct feature_table *t, struct view flag,
                                            const struct columns **columns)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        if (view_eq(flag, feature_column(feature_keys[i].flag)) && t->columns[i].flag) {
            *columns = &t->columns[i];
            return &feature_keys[i];
        }
    return NULL;
}

int feature_table_write(struct state *s, const struct xod_ipbx *ipbx, const char *user,
                        struct view flag, const char *on, const char *destination,
                        feature_written_fn *done, void *arg)
{
    struct feature_table *t = table_of(s, ipbx);
    const char *const values[] = {user, on, destination};
    const struct columns *columns = NULL;
    const struct feature_key *k;
    struct asked_row *a;
    int rc;

    if (!feature_table_is_up(s, ipbx))
        return -ENOTCONN;
    k = service_of(t, flag, &columns);
    if (!k)
        return -ENOENT;
    a = asked_row_new(t, user);
    if (!a)
        return strlen(user) < MAX_ID ? -ENOMEM : -ENOENT;
    a->done = done;
    a->arg = arg;
    a->k = k;
    rc = pg_ask(t->pg, columns->update, values, k->destination != k->flag ? 3 : 2, NULL, on_written,
                a);
    if (rc < 0)
        free(a);
    return rc;
}

/* ---- columns ---- */

static const char columns_sql[] =
    "SELECT attname, current_setting('transaction_read_only') FROM pg_attribute"
    " WHERE attrelid = 'userfeatures'::regclass AND attnum > 0 AND NOT attisdropped";

static void on_column(void *arg, const struct view *values, size_t n)
{
    struct feature_table *t = arg;

    if (n < 2)
        return;
    t->has_id = t->has_id || view_eq(values[0], VIEW("id"));
    t->is_standby = view_eq(values[1], VIEW("on"));
    for (size_t i = 0; i < N_FEATURE_KEYS; i++) {
        if (view_eq(values[0], feature_column(feature_keys[i].flag)))
            t->columns[i].flag = true;
        if (view_eq(values[0], feature_column(feature_keys[i].destination)))
            t->columns[i].destination = true;
    }
}

/* Names of columns come from the schema, never from what somebody wrote. */
static void put_sql(struct feature_table *t)
{
    struct buf list;
    size_t at = 1;

    buf_init(&list, sizeof(t->select_all) - 80);
    for (size_t i = 0; i < N_FEATURE_KEYS; i++) {
        const char *flag = feature_column(feature_keys[i].flag).ptr;
        const char *destination = feature_column(feature_keys[i].destination).ptr;
        bool forward = feature_keys[i].destination != feature_keys[i].flag;
        struct columns *c = &t->columns[i];
        c->flag = c->flag && c->destination;
        if (!c->flag)
            continue;
        c->at = at;
        at += forward ? 2 : 1;
        buf_printf(&list, ", %s%s%s", flag, forward ? ", " : "", forward ? destination : "");
        snprintf(c->update, sizeof(c->update),
                 "UPDATE userfeatures SET %s = $2%s%s%s WHERE id = $1", flag, forward ? ", " : "",
                 forward ? destination : "", forward ? " = $3" : "");
    }
    snprintf(t->select_all, sizeof(t->select_all),
             "SELECT id%.*s FROM userfeatures LIMIT " MAX_ROWS, VIEW_ARG(buf_view(&list)));
    snprintf(t->select_one, sizeof(t->select_one), "SELECT id%.*s FROM userfeatures WHERE id = $1",
             VIEW_ARG(buf_view(&list)));
    buf_free(&list);
}

static void tell_left_out(struct feature_table *t)
{
    for (size_t i = 0; i < N_FEATURE_KEYS; i++)
        if (!t->columns[i].flag && !t->told_left_out)
            log_notice(
                t->s->log,
                "%s: userfeatures: the table has no column %s: what users set of it does not "
                "reach calls",
                t->name, feature_column(feature_keys[i].flag).ptr);
    t->told_left_out = true;
}

static void on_columns(void *arg, const struct pg_result *r)
{
    struct feature_table *t = arg;

    if (r->outcome == PG_REFUSED)
        fail(t, r, "cannot be found");
    if (r->outcome != PG_DONE)
        return;
    if (!t->has_id) {
        pg_fail(t->pg, "the table has no column id: is it a XiVO's?");
        return;
    }
    if (t->is_standby) {
        pg_fail(t->pg, "the server takes no changes (read-only): userfeatures_db_uri must name the "
                       "primary server");
        return;
    }
    put_sql(t);
    tell_left_out(t);
    read_all(t);
}

/* ---- the connection ---- */

static void on_up(void *arg)
{
    struct feature_table *t = arg;

    memset(t->columns, 0, sizeof(t->columns));
    t->has_id = t->is_standby = false;
    t->reads = t->reads_again = false;
    if (pg_ask(t->pg, columns_sql, NULL, 0, on_column, on_columns, t) < 0)
        pg_fail(t->pg, "no memory");
}

static void on_down(void *arg, const char *why)
{
    struct feature_table *t = arg;

    t->was_lost = true;
    t->usable = false;
    metric_set(t->metric, 0);
    log_warning(t->s->log,
                "%s: userfeatures: no use of %s: %s; what users set is kept and written when it is "
                "back (userfeatures_db_uri)",
                t->name, t->server, why);
}

static const struct pg_handler handler = {on_up, on_down};

/* ---- life ---- */

static void table_destroy(struct state *s, struct feature_table **tp)
{
    struct feature_table *t = *tp;

    if (!t)
        return;
    *tp = NULL;
    pg_destroy(&t->pg);
    if (t->metric)
        metrics_remove(s->metrics, &t->metric);
    explicit_bzero(t->uri, sizeof(t->uri));
    free(t);
}

static struct feature_table *table_new(struct state *s, struct ipbx *ipbx, const char *uri)
{
    struct feature_table *t = calloc(1, sizeof(*t));
    struct pg_uri read;

    if (!t)
        return NULL;
    t->s = s;
    t->ipbx = ipbx;
    t->name = xod_ipbx_name(ipbx->model->ipbx).ptr;
    snprintf(t->uri, sizeof(t->uri), "%s", uri);
    if (!pg_uri_read(&read, view_cstr(uri))) {
        pg_uri_public(&read, t->server, sizeof(t->server));
        t->metric = metrics_add(s->metrics, METRIC_state_userfeatures_up, METRIC_VALUES(t->name));
        t->pg = t->metric ? pg_new(s->loop, &read, &handler, t) : NULL;
    }
    explicit_bzero(&read, sizeof(read));
    if (!t->pg)
        table_destroy(s, &t);
    return t;
}

void feature_tables_configure(struct state *s)
{
    for (size_t i = 0; i < s->n_ipbxes; i++) {
        struct feature_table **t = &s->feature_tables->of[i];
        const char *uri =
            config_userfeatures_uri(s->cfg, xod_ipbx_name(s->ipbxes[i].model->ipbx).ptr);
        if (*t && uri && strcmp((*t)->uri, uri) == 0)
            continue;
        table_destroy(s, t);
        if (uri)
            *t = table_new(s, &s->ipbxes[i], uri);
        if (uri && !*t)
            log_error(s->log, "%s: userfeatures: no memory for its database",
                      xod_ipbx_name(s->ipbxes[i].model->ipbx).ptr);
    }
}

struct feature_tables *feature_tables_new(struct state *s)
{
    (void)s;
    return calloc(1, sizeof(struct feature_tables));
}

void feature_tables_destroy(struct feature_tables **tp)
{
    struct feature_tables *t = tp ? *tp : NULL;

    for (size_t i = 0; t && i < MAX_IPBXES; i++)
        if (t->of[i])
            table_destroy(t->of[i]->s, &t->of[i]);
    free(t);
    if (tp)
        *tp = NULL;
}
