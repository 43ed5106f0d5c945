#include "crdt/api.h"

#include "base/error.h"
#include "db/sql.h"

#include <string.h>

/* ## Cursors: rows of crsql_tracked_peers with the tag 0 */

static int bind_site(sqlite3_stmt *stmt, const void *site, size_t size,
                     int event)
{
    sqlite3_bind_blob64(stmt, 1, site, size, SQLITE_STATIC);
    return sqlite3_bind_int(stmt, 2, event);
}

/* With a sequence the peer is in the middle of that version. -1 without a
 * row. */
static int read_version(rowtide_db *db, const void *site, size_t size,
                        int event, int64_t *out)
{
    sqlite3_stmt *stmt;
    *out = -1;
    int rc = rowtide__sql_prepare(
        db, &stmt,
        "SELECT max(0, version - (seq IS NOT NULL AND seq <> 0)) FROM "
        "main.crsql_tracked_peers WHERE site_id = ? AND event = ? AND tag = 0");
    if (rc != ROWTIDE_OK)
        return rc;
    bind_site(stmt, site, size, event);
    rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__peer_version(rowtide_db *db, const void *site, size_t size,
                          int event, int64_t *out)
{
    int rc = read_version(db, site, size, event, out);
    if (*out < 0)
        *out = 0;
    return rc;
}

static int write_version(rowtide_db *db, const void *site, size_t size,
                         int event, int64_t version)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(
        db, &stmt,
        "INSERT INTO main.crsql_tracked_peers(site_id, event, version, seq, "
        "tag) VALUES(?, ?, ?, 0, 0) ON CONFLICT(site_id, tag, event) "
        "DO UPDATE SET version = excluded.version, seq = 0");
    if (rc != ROWTIDE_OK)
        return rc;
    bind_site(stmt, site, size, event);
    sqlite3_bind_int64(stmt, 3, version);
    rc = rowtide__sql_run(db, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

int rowtide__peer_advance(rowtide_db *db, const void *site, size_t size,
                          int event, int64_t version)
{
    int64_t before;
    int rc = read_version(db, site, size, event, &before);
    if (rc != ROWTIDE_OK || version <= before)
        return rc;
    return write_version(db, site, size, event, version);
}

static int check_site(const void *site_id, size_t size, const char *function)
{
    ROWTIDE__CHECK_ARG(site_id, function);
    if (size == 0 || size > ROWTIDE_SITE_ID_SIZE)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: a site_id has 1 to %d bytes, not %zu",
                             function, ROWTIDE_SITE_ID_SIZE, size);
    return ROWTIDE_OK;
}

int rowtide_crdt_peer_version(rowtide_db *db, const void *site_id,
                              size_t site_id_size, int64_t *count_out)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(count_out, "crdt_peer_version");
    *count_out = 0;
    int rc = check_site(site_id, site_id_size, "crdt_peer_version");
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(db, "crdt_peer_version");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__peer_version(db, site_id, site_id_size,
                                   ROWTIDE__PEER_RECEIVED, count_out);
    rowtide__db_leave(db);
    return rc;
}

/* In a transaction, so that reading and writing are one. */
static int advance(rowtide_db *db, const void *site, size_t size, int event,
                   int64_t version)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(db, &transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__peer_advance(db, site, size, event, version);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

int rowtide_crdt_peer_set_version(rowtide_db *db, const void *site_id,
                                  size_t site_id_size, int64_t version)
{
    rowtide__crdt *engine;
    int rc = check_site(site_id, site_id_size, "crdt_peer_set_version");
    if (rc != ROWTIDE_OK)
        return rc;
    ROWTIDE__CHECK_ARG(version >= 0, "crdt_peer_set_version");
    rc = rowtide__db_enter(db, "crdt_peer_set_version");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = advance(db, site_id, site_id_size, ROWTIDE__PEER_RECEIVED,
                     version);
    rowtide__db_leave(db);
    return rc;
}

/* ## Fetch and sync */

typedef struct two {
    rowtide_db *to, *from;
    rowtide__crdt *receiver, *giver;
} two;

static int enter_two(two *pair, const char *function)
{
    if (pair->to && pair->to == pair->from)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: a database and itself have nothing to tell "
                             "each other",
                             function);
    int rc = rowtide__db_enter(pair->to, function);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__db_enter(pair->from, function);
    if (rc != ROWTIDE_OK)
        rowtide__db_leave(pair->to);
    return rc;
}

static void leave_two(two *pair)
{
    rowtide__db_leave(pair->from);
    rowtide__db_leave(pair->to);
}

static int find_engines(two *pair)
{
    int rc = rowtide__crdt_of(pair->to, &pair->receiver);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_of(pair->from, &pair->giver);
    if (rc == ROWTIDE_OK
        && memcmp(pair->receiver->site_id, pair->giver->site_id,
                  ROWTIDE_SITE_ID_SIZE)
               == 0)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "crdt_fetch: both databases have the same site_id: "
                           "one is a copy of the other");
    return rc;
}

static int merge_all(rowtide__merging *merging, rowtide__puller *puller)
{
    rowtide_crdt_change change;
    int rc;
    while ((rc = rowtide__puller_next(puller, &change)) == ROWTIDE_OK) {
        rc = rowtide__merging_add(merging, &change);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return rc == ROWTIDE_DONE ? rowtide__merging_flush(merging) : rc;
}

static int fetch_range(two *pair, int64_t since, int64_t until,
                       rowtide_crdt_report **out)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    rowtide__merging merging;
    rowtide__puller puller = {0};
    options.since = since;
    options.until = until;
    options.exclude = pair->receiver->site_id;
    options.exclude_size = ROWTIDE_SITE_ID_SIZE;
    int rc = rowtide__merging_begin(pair->to, &merging);
    if (rc == ROWTIDE_OK)
        rc = rowtide__puller_open(pair->giver, &options, &puller);
    if (rc == ROWTIDE_OK)
        rc = merge_all(&merging, &puller);
    rowtide__puller_close(&puller);
    if (rc == ROWTIDE_OK)
        rc = rowtide__peer_advance(pair->to, pair->giver->site_id,
                                   ROWTIDE_SITE_ID_SIZE, ROWTIDE__PEER_RECEIVED,
                                   until);
    if (rc == ROWTIDE_OK) {
        rowtide__crdt_report_reach(merging.report, until);
        rc = rowtide__merging_end(&merging, out);
    }
    rowtide__merging_dispose(&merging);
    return rc;
}

/* What is not committed there may be rolled back, and stays where it is. */
static int fetch(two *pair, rowtide_crdt_report **out)
{
    int64_t since, until;
    int rc = rowtide__peer_version(pair->to, pair->giver->site_id,
                                   ROWTIDE_SITE_ID_SIZE, ROWTIDE__PEER_RECEIVED,
                                   &since);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_db_version(pair->giver, &until);
    if (rc != ROWTIDE_OK)
        return rc;
    if (until > since)
        return fetch_range(pair, since, until, out);
    rowtide_crdt_report *report;
    rc = rowtide__crdt_report_new(&report);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__crdt_report_reach(report, since);
    if (out)
        *out = report;
    else
        rowtide_crdt_report_free(report);
    return ROWTIDE_OK;
}

int rowtide_crdt_fetch(rowtide_db *to, rowtide_db *from,
                       rowtide_crdt_report **out)
{
    two pair = {.to = to, .from = from};
    if (out)
        *out = NULL;
    int rc = enter_two(&pair, "crdt_fetch");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = find_engines(&pair);
    if (rc == ROWTIDE_OK)
        rc = fetch(&pair, out);
    leave_two(&pair);
    return rc;
}

/* `from` learns how far `to` has come, and from the first time on that there
 * is such a peer. */
static int acknowledge(two *pair)
{
    int64_t version, known;
    int rc = rowtide__peer_version(pair->to, pair->giver->site_id,
                                   ROWTIDE_SITE_ID_SIZE, ROWTIDE__PEER_RECEIVED,
                                   &version);
    if (rc == ROWTIDE_OK)
        rc = read_version(pair->from, pair->receiver->site_id,
                          ROWTIDE_SITE_ID_SIZE, ROWTIDE__PEER_ACKNOWLEDGED,
                          &known);
    if (rc != ROWTIDE_OK || version <= known)
        return rc;
    return advance(pair->from, pair->receiver->site_id, ROWTIDE_SITE_ID_SIZE,
                   ROWTIDE__PEER_ACKNOWLEDGED, version);
}

int rowtide_crdt_sync(rowtide_db *a, rowtide_db *b)
{
    two there = {.to = b, .from = a};
    int rc = enter_two(&there, "crdt_sync");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = find_engines(&there);
    two back = {a, b, there.giver, there.receiver};
    if (rc == ROWTIDE_OK)
        rc = fetch(&back, NULL);
    if (rc == ROWTIDE_OK)
        rc = fetch(&there, NULL);
    if (rc == ROWTIDE_OK)
        rc = acknowledge(&there);
    if (rc == ROWTIDE_OK)
        rc = acknowledge(&back);
    leave_two(&there);
    return rc;
}

/* ## Collecting */

/* The least version that all peers have; 0 if there is one of which that is
 * not known, or none at all. */
static int passed_by_all(rowtide_db *db, int64_t *out)
{
    return rowtide__sql_integer(
        db, out, 0,
        "SELECT coalesce(min(has), 0) FROM (SELECT max(CASE WHEN event = %d "
        "AND tag = 0 THEN version ELSE 0 END) AS has FROM "
        "main.crsql_tracked_peers GROUP BY site_id)",
        ROWTIDE__PEER_ACKNOWLEDGED);
}

static int collect(rowtide_db *db, int64_t until, int64_t *out)
{
    rowtide__crdt *engine;
    rowtide__transaction transaction;
    int rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK && until == 0)
        rc = passed_by_all(db, &until);
    if (rc != ROWTIDE_OK || until == 0)
        return rc;
    rc = rowtide__transaction_begin(db, &transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_refresh(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_collect(engine, until, out);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&transaction);
    if (rc != ROWTIDE_OK)
        *out = 0;
    rowtide__transaction_rollback(&transaction);
    return rc;
}

int rowtide_crdt_collect(rowtide_db *db, int64_t until, int64_t *count_out)
{
    int64_t count = 0;
    if (count_out)
        *count_out = 0;
    ROWTIDE__CHECK_ARG(until >= 0, "crdt_collect");
    int rc = rowtide__db_enter(db, "crdt_collect");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = collect(db, until, &count);
    rowtide__db_leave(db);
    if (count_out)
        *count_out = count;
    return rc;
}
