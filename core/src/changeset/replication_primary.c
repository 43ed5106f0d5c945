#include <rowtide/replication.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/recorder.h"
#include "changeset/replication_file.h"
#include "changeset/store.h"
#include "db/sql.h"
#include "db/table.h"

#include <string.h>

struct rowtide_primary {
    rowtide__recorder recorder; /* first, for dispose() */
    rowtide_buffer directory;
    unsigned char stream[ROWTIDE__STREAM_ID_SIZE];
};

/* A changeset is in the outbox from the commit of its transaction until its
 * file is safely in the directory. */
static const rowtide__store_table tables[] = {
    {"rowtide_primary", "a primary", "id, stream, position",
     "CREATE TABLE main.rowtide_primary("
     "id INTEGER PRIMARY KEY CHECK(id = 1), "
     "stream BLOB NOT NULL CHECK(length(stream) = 16), "
     "position INTEGER NOT NULL DEFAULT 0) STRICT"},
    {"rowtide_outbox", "a primary", "number, changeset",
     "CREATE TABLE main.rowtide_outbox("
     "number INTEGER PRIMARY KEY, changeset BLOB NOT NULL) STRICT"},
};

enum { TABLE_COUNT = 2 };

typedef struct store_request {
    rowtide_primary *primary;
    int64_t number;
} store_request;

/* ## Identity */

/* ROWTIDE_DONE if the database has no stream yet. */
static int read_identity(rowtide_db *db, unsigned char *stream,
                         int64_t *position)
{
    sqlite3_stmt *stmt = NULL;
    rowtide_value value;
    int rc = rowtide__sql_prepare(
        db, &stmt, "SELECT stream, position FROM main.rowtide_primary");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_column(stmt, 0, &value);
    if (rc == ROWTIDE_OK) {
        if (value.size == ROWTIDE__STREAM_ID_SIZE)
            memcpy(stream, value.data, ROWTIDE__STREAM_ID_SIZE);
        else
            rc = rowtide__fail(ROWTIDE_ESCHEMA,
                               "table \"rowtide_primary\": not that of a "
                               "primary: its stream has %zu bytes",
                               value.size);
        *position = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int make_identity(rowtide_db *db)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(db, &transaction);
    if (rc)
        return rc;
    rc = rowtide__store_ensure(db, tables, TABLE_COUNT);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_exec(db,
                               "INSERT INTO main.rowtide_primary(id, stream)"
                               " VALUES(1, randomblob(16))"
                               " ON CONFLICT DO NOTHING");
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

/* The directory takes the identity only once the database has it for good. */
static int find_identity(rowtide_primary *primary, int64_t *position)
{
    rowtide_db *db = primary->recorder.db;
    rowtide__table_info info;
    int rc = rowtide__table_info_read(db, "main", "rowtide_primary", &info);
    if (rc)
        return rc;
    rc = ROWTIDE_DONE;
    if (info.kind != ROWTIDE__TABLE_MISSING) {
        rc = rowtide__store_ensure(db, tables, TABLE_COUNT);
        if (rc == ROWTIDE_OK)
            rc = read_identity(db, primary->stream, position);
    }
    rowtide__table_info_dispose(&info);
    if (rc != ROWTIDE_DONE)
        return rc;
    if (rowtide_db_in_transaction(db))
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "primary_open: a database becomes a primary "
                             "outside of a transaction");
    rc = make_identity(db);
    return rc ? rc : read_identity(db, primary->stream, position);
}

/* A primary that has published something knows its directory: a new one in
 * its place would be a second half of the same stream. */
static int find_directory(rowtide_primary *primary, int64_t position)
{
    const char *directory = primary->directory.data;
    unsigned char owner[ROWTIDE__STREAM_ID_SIZE];
    int rc = rowtide__outbox_make(directory);
    if (rc == ROWTIDE_OK && position > 0
        && rowtide__outbox_read_stream(directory, owner) == ROWTIDE_DONE)
        return rowtide__fail(
            ROWTIDE_ENOTFOUND,
            "%s: not the directory that this primary has been writing to: "
            "the file \"stream\" is missing",
            directory);
    return rc ? rc : rowtide__outbox_claim(directory, primary->stream);
}

static int open_primary(rowtide_primary *primary, const char *directory)
{
    int64_t position = 0;
    int rc = rowtide__outbox_absolute(directory, &primary->directory);
    if (rc == ROWTIDE_OK)
        rc = find_identity(primary, &position);
    return rc ? rc : find_directory(primary, position);
}

/* ## Numbering */

/* A file with the number that would come next was written by a life of this
 * database that it does not remember. */
static int check_next_is_free(rowtide_primary *primary)
{
    int64_t position = 0;
    int rc = rowtide__sql_integer(primary->recorder.db, &position, 0,
                                  "SELECT position FROM main.rowtide_primary");
    if (rc == ROWTIDE_OK && (position < 0 || position == INT64_MAX))
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "table \"rowtide_primary\": %lld is no position",
                           (long long)position);
    if (rc == ROWTIDE_OK)
        rc = rowtide__outbox_has(primary->directory.data, position + 1);
    if (rc == 1)
        rc = rowtide__fail(
            ROWTIDE_EEXISTS,
            "%s: number %lld is there, but this database is at %lld: was it "
            "restored from a backup, or copied?",
            primary->directory.data, (long long)position + 1,
            (long long)position);
    return rc;
}

static int store_changeset(rowtide_changeset *changeset, void *user)
{
    store_request *request = user;
    rowtide_db *db = request->primary->recorder.db;
    int64_t number = 0;
    int rc = rowtide__sql_exec(
        db, "UPDATE main.rowtide_primary SET position = position + 1");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_integer(db, &number, 0,
                                  "SELECT position FROM main.rowtide_primary");
    if (rc == ROWTIDE_OK && number <= 0)
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "table \"rowtide_primary\": has lost its row");
    if (rc)
        return rc;
    rowtide_value values[] = {
        rowtide_value_integer(number),
        rowtide_value_blob(rowtide_changeset_data(changeset),
                           rowtide_changeset_size(changeset)),
    };
    request->number = number;
    return rowtide__store_run(
        db, "INSERT INTO main.rowtide_outbox VALUES(?1, ?2)", values, 2);
}

/* ## Publishing */

/* Write the file of the first changeset behind `*number`. ROWTIDE_DONE if
 * there is none. */
static int publish_next(rowtide_primary *primary, int64_t *number)
{
    rowtide_db *db = primary->recorder.db;
    sqlite3_stmt *stmt = NULL;
    rowtide_value bytes;
    int rc = rowtide__sql_prepare(db, &stmt,
                                  "SELECT number, changeset "
                                  "FROM main.rowtide_outbox "
                                  "WHERE number > %lld ORDER BY number LIMIT 1",
                                  (long long)*number);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_column(stmt, 1, &bytes);
    if (rc == ROWTIDE_OK) {
        int64_t next = sqlite3_column_int64(stmt, 0);
        rc = rowtide__outbox_write(primary->directory.data, primary->stream,
                                   next, bytes.data, bytes.size);
        if (rc == ROWTIDE_OK)
            *number = next;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int forget_published(rowtide_primary *primary, int64_t number)
{
    rowtide_value value = rowtide_value_integer(number);
    return rowtide__store_run(
        primary->recorder.db,
        "DELETE FROM main.rowtide_outbox WHERE number <= ?1", &value, 1);
}

/* What was written is forgotten also if a later file fails. */
static int publish(rowtide_primary *primary, int64_t *written)
{
    rowtide__error_state state;
    int64_t number = 0, count = 0;
    int rc;
    while ((rc = publish_next(primary, &number)) == ROWTIDE_OK)
        count++;
    rowtide__error_save(&state);
    int forgotten = count ? forget_published(primary, number) : ROWTIDE_OK;
    if (rc < 0)
        rowtide__error_restore(&state);
    else
        rc = forgotten;
    if (written)
        *written = count;
    return rc;
}

static int publish_committed(rowtide_primary *primary, int64_t number)
{
    if (number == 0 || rowtide_db_in_transaction(primary->recorder.db))
        return ROWTIDE_OK;
    if (publish(primary, NULL) == ROWTIDE_OK)
        return ROWTIDE_OK;
    return rowtide__fail_context("changeset %lld is committed, but not "
                                 "published",
                                 (long long)number);
}

/* ## Public */

static void dispose(rowtide__db_child *child)
{
    rowtide_primary *primary = (rowtide_primary *)child;
    rowtide_db *db = primary->recorder.db;
    rowtide__recorder_dispose(&primary->recorder);
    rowtide_buffer_dispose(&primary->directory);
    rowtide__free(primary);
    rowtide__db_release(db);
}

int rowtide_primary_open(rowtide_db *db, const char *directory,
                         rowtide_primary **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "primary_open");
    *out = NULL;
    ROWTIDE__CHECK_ARG(directory != NULL && *directory, "primary_open");
    int rc = rowtide__db_enter(db, "primary_open");
    if (rc)
        return rc;
    rowtide_primary *primary = rowtide__alloc_zero(sizeof *primary);
    if (primary) {
        rowtide__recorder_init(&primary->recorder, rowtide__db_retain(db),
                               "primary");
        rc = open_primary(primary, directory);
        if (rc == ROWTIDE_OK)
            *out = primary;
    } else {
        rc = ROWTIDE_ENOMEM;
    }
    rowtide__db_leave(db);
    if (rc)
        rowtide_primary_free(primary);
    return rc;
}

int rowtide_primary_begin(rowtide_primary *primary,
                          const rowtide_capture_options *options)
{
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_begin");
    int rc = rowtide__db_enter(primary->recorder.db, "primary_begin");
    if (rc)
        return rc;
    rc = rowtide__recorder_begin(&primary->recorder, options);
    if (rc == ROWTIDE_OK && !primary->recorder.transaction.nested) {
        rc = check_next_is_free(primary);
        if (rc)
            rowtide__recorder_dispose(&primary->recorder);
    }
    rowtide__db_leave(primary->recorder.db);
    return rc;
}

int rowtide_primary_commit(rowtide_primary *primary, int64_t *number)
{
    if (number)
        *number = 0;
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_commit");
    store_request request = {primary, 0};
    int rc = rowtide__db_enter(primary->recorder.db, "primary_commit");
    if (rc)
        return rc;
    rc = rowtide__recorder_commit(&primary->recorder, store_changeset,
                                  &request);
    if (rc == ROWTIDE_OK) {
        if (number)
            *number = request.number;
        rc = publish_committed(primary, request.number);
    }
    rowtide__db_leave(primary->recorder.db);
    return rc;
}

int rowtide_primary_rollback(rowtide_primary *primary)
{
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_rollback");
    int rc = rowtide__db_enter(primary->recorder.db, "primary_rollback");
    if (rc)
        return rc;
    rc = rowtide__recorder_rollback(&primary->recorder);
    rowtide__db_leave(primary->recorder.db);
    return rc;
}

int rowtide_primary_append(rowtide_primary *primary,
                           rowtide_changeset *changeset, int64_t *number)
{
    if (number)
        *number = 0;
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_append");
    ROWTIDE__CHECK_ARG(changeset != NULL, "primary_append");
    store_request request = {primary, 0};
    int rc = rowtide__db_enter(primary->recorder.db, "primary_append");
    if (rc)
        return rc;
    rc = rowtide__recorder_append(primary->recorder.db, changeset,
                                  store_changeset, &request);
    if (rc == ROWTIDE_OK) {
        if (number)
            *number = request.number;
        rc = publish_committed(primary, request.number);
    }
    rowtide__db_leave(primary->recorder.db);
    return rc;
}

int rowtide_primary_publish(rowtide_primary *primary, int64_t *written)
{
    if (written)
        *written = 0;
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_publish");
    int rc = rowtide__db_enter(primary->recorder.db, "primary_publish");
    if (rc)
        return rc;
    if (rowtide_db_in_transaction(primary->recorder.db))
        rc = rowtide__fail(ROWTIDE_EMISUSE,
                           "primary_publish: inside a transaction, which may "
                           "yet be rolled back");
    else
        rc = publish(primary, written);
    rowtide__db_leave(primary->recorder.db);
    return rc;
}

int64_t rowtide_primary_position(rowtide_primary *primary)
{
    int64_t position = 0;
    ROWTIDE__CHECK_ARG(primary != NULL, "primary_position");
    int rc = rowtide__db_enter(primary->recorder.db, "primary_position");
    if (rc)
        return rc;
    rc = rowtide__sql_integer(primary->recorder.db, &position, 0,
                              "SELECT position FROM main.rowtide_primary");
    rowtide__db_leave(primary->recorder.db);
    return rc ? rc : position;
}

void rowtide_primary_free(rowtide_primary *primary)
{
    if (primary)
        rowtide__db_discard(primary->recorder.db, &primary->recorder.child,
                            dispose);
}
