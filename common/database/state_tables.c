#include "database/state_tables.h"

#include "base/array.h"

static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE service (site TEXT NOT NULL, user TEXT NOT NULL, field TEXT NOT NULL,"
    " value TEXT NOT NULL, configured TEXT NOT NULL, PRIMARY KEY (site, user, field))"
    " WITHOUT ROWID;"
    "CREATE TABLE presence (site TEXT NOT NULL, user TEXT NOT NULL, availstate TEXT NOT NULL,"
    " PRIMARY KEY (site, user)) WITHOUT ROWID;"
    "CREATE TABLE session (id TEXT PRIMARY KEY, site TEXT NOT NULL, user TEXT NOT NULL,"
    " capaid TEXT NOT NULL, agent INTEGER NOT NULL, opened REAL NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE call_log (id INTEGER PRIMARY KEY, site TEXT NOT NULL, user TEXT NOT NULL,"
    " mode INTEGER NOT NULL, start REAL NOT NULL, duration REAL NOT NULL, name TEXT NOT NULL,"
    " number TEXT NOT NULL);"
    "CREATE INDEX call_log_user ON call_log (site, user, start);"
    "CREATE INDEX call_log_start ON call_log (start);"
    "CREATE TABLE queue_log (id INTEGER PRIMARY KEY, site TEXT NOT NULL, queue TEXT NOT NULL,"
    " kind INTEGER NOT NULL, time REAL NOT NULL, waited REAL NOT NULL);"
    "CREATE INDEX queue_log_time ON queue_log (time);"
    "CREATE TABLE cti_log (id INTEGER PRIMARY KEY, site TEXT NOT NULL, user TEXT NOT NULL,"
    " time REAL NOT NULL, class TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE INDEX cti_log_time ON cti_log (time);",
    /* 2: ids are not used again, lest a favorite becomes another contact */
    "CREATE TABLE people_contact (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
    " user TEXT NOT NULL, infos TEXT NOT NULL);"
    "CREATE INDEX people_contact_user ON people_contact (site, user);"
    "CREATE TABLE people_favorite (site TEXT NOT NULL, user TEXT NOT NULL, source TEXT NOT NULL,"
    " entry TEXT NOT NULL, PRIMARY KEY (site, user, source, entry)) WITHOUT ROWID;",
    /* 3: actions that an Asterisk has not answered yet */
    ("CREATE TABLE wanted (site TEXT NOT NULL, subject TEXT NOT NULL, action TEXT NOT NULL,"
     " PRIMARY KEY (site, subject)) WITHOUT ROWID;"),
    /* 4: browsers that stay logged in */
    ("CREATE TABLE token (hash TEXT PRIMARY KEY, proof TEXT NOT NULL, site TEXT NOT NULL,"
     " user TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL, agent TEXT NOT NULL)"
     " WITHOUT ROWID;"),
    /* 5: an entry of the call log is a call, of a user or (user '') of a queue */
    ("ALTER TABLE call_log ADD COLUMN call TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE call_log ADD COLUMN queue TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE call_log ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE call_log ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;"
     "CREATE INDEX call_log_site ON call_log (site, start);"
     "CREATE INDEX call_log_call ON call_log (site, call);"),
    /* 6: low, high: the two users, so that a conversation is one range */
    ("CREATE TABLE chat (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
     " sender TEXT NOT NULL, receiver TEXT NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL,"
     " time REAL NOT NULL, text TEXT NOT NULL, delivered INTEGER NOT NULL);"
     "CREATE INDEX chat_pair ON chat (site, low, high, id);"
     "CREATE INDEX chat_waiting ON chat (site, receiver, id) WHERE delivered = 0;"
     "CREATE INDEX chat_time ON chat (time);"),
    /* 7: the lists that an Asterisk itself has, as they were last (JSON) */
    "CREATE TABLE asterisk_lists (site TEXT PRIMARY KEY, lists TEXT NOT NULL) WITHOUT ROWID;",
    /* 8: of programs that use the HTTP API; expires 0: without end */
    ("CREATE TABLE api_token (hash TEXT PRIMARY KEY, name TEXT NOT NULL, site TEXT NOT NULL,"
     " user TEXT NOT NULL, scopes TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL,"
     " expires REAL NOT NULL) WITHOUT ROWID;"),
    /* 9: the Asterisks that were connected when state ended */
    ("CREATE TABLE connected (site TEXT PRIMARY KEY) WITHOUT ROWID;"
     "INSERT INTO connected (site) SELECT DISTINCT site FROM call_log;"),
};

static const struct db_table tables[] = {
    {"service", "site, user, field, value, configured", "sssss", false},
    {"presence", "site, user, availstate", "sss", false},
    {"session", "id, site, user, capaid, agent, opened", "ssssif", false},
    {"call_log",
     "id, site, user, mode, start, duration, name, number, call, queue, answered_by, recorded",
     "issiffsssssi", true},
    {"queue_log", "id, site, queue, kind, time, waited", "issiff", true},
    {"cti_log", "id, site, user, time, class, outcome, detail", "issfsss", true},
    {"people_contact", "id, site, user, infos", "isss", true},
    {"people_favorite", "site, user, source, entry", "ssss", false},
    {"wanted", "site, subject, action", "sss", false},
    {"token", "hash, proof, site, user, created, used, agent", "ssssffs", false},
    {"chat", "id, site, sender, receiver, low, high, time, text, delivered", "isssssfsi", true},
    {"asterisk_lists", "site, lists", "ss", false},
    {"connected", "site", "s", false},
    {"api_token", "hash, name, site, user, scopes, created, used, expires", "sssssfff", false},
};

/* For reports, in words of PostgreSQL. Columns may be added at the end only: an administrator's own
 * views may be made of these. A day is one of the database's time zone. */
static const char reports[] =
    "CREATE OR REPLACE VIEW report_calls_per_day AS"
    " SELECT site, to_timestamp(start)::date AS day,"
    " count(DISTINCT coalesce(nullif(call, ''), 'row ' || id)) AS calls,"
    " count(*) FILTER (WHERE mode = 0) AS made,"
    " count(*) FILTER (WHERE mode = 1) AS answered,"
    " count(*) FILTER (WHERE mode = 2) AS missed,"
    " coalesce(sum(duration) FILTER (WHERE mode = 1), 0) AS talked"
    " FROM call_log WHERE \"user\" <> '' GROUP BY 1, 2;"
    "CREATE OR REPLACE VIEW report_queues_per_day AS"
    " SELECT site, queue, to_timestamp(time)::date AS day,"
    " count(*) FILTER (WHERE kind = 0) AS joined,"
    " count(*) FILTER (WHERE kind = 1) AS answered,"
    " count(*) FILTER (WHERE kind = 2) AS given_up,"
    " count(*) FILTER (WHERE kind = 3) AS left_otherwise,"
    " count(*) FILTER (WHERE kind = 1 AND waited <= 20) AS answered_within_20,"
    " count(*) FILTER (WHERE kind = 1 AND waited <= 60) AS answered_within_60,"
    " avg(waited) FILTER (WHERE kind = 1) AS mean_wait,"
    " max(waited) FILTER (WHERE kind = 1) AS longest_wait"
    " FROM queue_log GROUP BY 1, 2, 3;"
    "CREATE OR REPLACE VIEW report_users_per_day AS"
    " SELECT site, \"user\", to_timestamp(start)::date AS day,"
    " count(*) FILTER (WHERE mode = 1 AND queue <> '') AS queue_calls,"
    " coalesce(sum(duration) FILTER (WHERE mode = 1 AND queue <> ''), 0) AS queue_talked,"
    " count(*) FILTER (WHERE mode = 0 OR (mode = 1 AND queue = '')) AS other_calls,"
    " coalesce(sum(duration) FILTER (WHERE mode = 0 OR (mode = 1 AND queue = '')), 0)"
    " AS other_talked"
    " FROM call_log WHERE \"user\" <> '' GROUP BY 1, 2, 3";

const struct db_schema state_schema = {
    .steps = steps,
    .n_steps = (int)ARRAY_SIZE(steps),
    .tables = tables,
    .n_tables = ARRAY_SIZE(tables),
    .reports = reports,
    .key = "ctibus.database",
    .program = "ctibus-state",
    .without = "calls, forwards and presence begin anew",
    .refuses = "What clients ask to be kept is refused, logs wait, until it can",
    .up = METRIC_state_database_up,
    .written = METRIC_state_database_written,
    .lost = METRIC_state_database_lost,
};
