/* The queries of history. A page is read backwards along an index, however long the log is. */
#ifndef CTIBUS_STATE_COMMANDS_HISTORY_SQL_H
#define CTIBUS_STATE_COMMANDS_HISTORY_SQL_H

/* ?1 site, ?2 earliest start, ?3 latest start, ?4 id that a row of that very start must be below,
 * ?5 mode or -1 (answered: also by somebody else), ?6 whose: see below. */
#define HISTORY_COLUMNS                                                                            \
    "SELECT c.id, c.start, c.duration, c.mode, c.number, c.name, c.queue, c.answered_by,"          \
    " c.recorded, c.call, c.user FROM call_log c"
#define HISTORY_PAGE                                                                               \
    " AND c.start >= ?2 AND c.start <= ?3 AND (c.start < ?3 OR c.id < ?4)"                         \
    " AND (?5 < 0 OR c.mode = ?5 OR (?5 = 1 AND c.mode = 3))"
#define HISTORY_ORDER " ORDER BY c.start DESC, c.id DESC"

/* ?6: the user. */
#define HISTORY_OWN HISTORY_COLUMNS " WHERE c.site = ?1 AND c.user = ?6" HISTORY_PAGE HISTORY_ORDER
/* ?6: the names of queues, a JSON array. Their own entries have no user. */
#define HISTORY_QUEUE                                                                              \
    HISTORY_COLUMNS " WHERE c.site = ?1 AND c.user = ''" HISTORY_PAGE                              \
                    " AND c.queue IN (SELECT value FROM json_each(?6))" HISTORY_ORDER
/* ?6: the ids of users, a JSON array. A call that several of them were in is shown once, as the
 * entry that was written first; the || keeps SQLite from sorting the entries of all of them. */
#define HISTORY_GROUP                                                                              \
    HISTORY_COLUMNS " WHERE c.site = ?1" HISTORY_PAGE                                              \
                    " AND c.user || '' IN (SELECT value FROM json_each(?6))"                       \
                    " AND NOT EXISTS (SELECT 1 FROM call_log o WHERE o.site = c.site"              \
                    " AND o.call = c.call AND c.call <> '' AND o.id < c.id"                        \
                    " AND o.user || '' IN (SELECT value FROM json_each(?6)))" HISTORY_ORDER

#endif
