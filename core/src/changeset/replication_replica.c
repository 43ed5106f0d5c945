#include <rowtide/replication.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/replay.h"
#include "changeset/replication_file.h"
#include "changeset/store.h"
#include "db/sql.h"
#include "db/table.h"
#include "db/transaction.h"

#include <string.h>

struct rowtide_replica {
    rowtide_db *db;
    rowtide_buffer directory;
};

static const rowtide__store_table tables[] = {
    {"rowtide_replica", "a replica", "id, stream, position",
     "CREATE TABLE main.rowtide_replica("
     "id INTEGER PRIMARY KEY CHECK(id = 1), "
     "stream BLOB NOT NULL CHECK(length(stream) = 16), "
     "position INTEGER NOT NULL) STRICT"},
};

/* Where a database stands. */
typedef struct replica_place {
    unsigned char stream[ROWTIDE__STREAM_ID_SIZE];
    int is_known; /* whether there is a stream */
    int64_t position;
} replica_place;

/* ## Position */

static int read_place_from(rowtide_db *db, const char *table,
                           replica_place *out)
{
    sqlite3_stmt *stmt = NULL;
    rowtide_value value;
    int rc = rowtide__sql_prepare(
        db, &stmt, "SELECT stream, position FROM main.\"%w\"", table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_column(stmt, 0, &value);
    if (rc == ROWTIDE_OK) {
        out->is_known = value.size == sizeof out->stream;
        if (out->is_known)
            memcpy(out->stream, value.data, sizeof out->stream);
        out->position = sqlite3_column_int64(stmt, 1);
        if (out->position < 0 || out->position == INT64_MAX)
            rc = rowtide__fail(ROWTIDE_ESCHEMA,
                               "table \"%s\": %lld is no position", table,
                               (long long)out->position);
    }
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* A copy of the primary's file says itself which number it was made at. */
static int read_copied_place(rowtide_db *db, const unsigned char *stream,
                             replica_place *out)
{
    rowtide__table_info info;
    replica_place copied = {{0}, 0, 0};
    int rc = rowtide__table_info_read(db, "main", "rowtide_primary", &info);
    if (rc)
        return rc;
    if (info.kind == ROWTIDE__TABLE_ORDINARY)
        rc = read_place_from(db, "rowtide_primary", &copied);
    rowtide__table_info_dispose(&info);
    if (rc == ROWTIDE_OK && copied.is_known
        && memcmp(copied.stream, stream, sizeof copied.stream) == 0)
        *out = copied;
    return rc;
}

static int check_stream(const rowtide_replica *replica,
                        const replica_place *place, const unsigned char *stream)
{
    if (place->is_known && memcmp(place->stream, stream, sizeof place->stream))
        return rowtide__fail(ROWTIDE_EEXISTS,
                             "%s: this database follows another primary",
                             replica->directory.data);
    return ROWTIDE_OK;
}

/* The stream is that of the database, else that of the directory. */
static int read_place(rowtide_replica *replica, replica_place *out)
{
    unsigned char stream[ROWTIDE__STREAM_ID_SIZE];
    memset(out, 0, sizeof *out);
    int rc = read_place_from(replica->db, "rowtide_replica", out);
    if (rc)
        return rc;
    rc = rowtide__outbox_read_stream(replica->directory.data, stream);
    if (rc)
        return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
    rc = check_stream(replica, out, stream);
    if (rc || out->is_known)
        return rc;
    memcpy(out->stream, stream, sizeof stream);
    out->is_known = 1;
    return read_copied_place(replica->db, stream, out);
}

static int write_place(rowtide_db *db, const replica_place *place)
{
    rowtide_value values[] = {
        rowtide_value_blob(place->stream, sizeof place->stream),
        rowtide_value_integer(place->position),
    };
    return rowtide__store_run(
        db, "INSERT OR REPLACE INTO main.rowtide_replica VALUES(1, ?1, ?2)",
        values, 2);
}

static int move_to(rowtide_replica *replica, int64_t position)
{
    replica_place place;
    int rc = rowtide__store_ensure(replica->db, tables, 1);
    if (rc == ROWTIDE_OK)
        rc = read_place(replica, &place);
    if (rc == ROWTIDE_OK && !place.is_known)
        rc = rowtide__fail(ROWTIDE_ENOTFOUND,
                           "%s: no primary has written here yet",
                           replica->directory.data);
    if (rc)
        return rc;
    place.position = position;
    return write_place(replica->db, &place);
}

/* ## Pulling */

/* Apply and write down the number: both or none. */
static int apply_file(rowtide_replica *replica, rowtide__inbox_file *file,
                      const rowtide_apply_options *options)
{
    rowtide_source *source = NULL;
    replica_place next = {{0}, 1, file->envelope.number};
    memcpy(next.stream, file->envelope.stream, sizeof next.stream);
    int rc = rowtide_source_callback(rowtide__inbox_read, file, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_apply_stream(replica->db, source, options, NULL);
    rowtide_source_free(source);
    if (rc)
        return rowtide__fail_context("%s", file->path.data);
    return write_place(replica->db, &next);
}

/* Another process may have pulled the same number meanwhile: then it is
 * ROWTIDE_DONE, and the next one is due. */
static int check_place(rowtide_replica *replica,
                       const rowtide__inbox_file *file)
{
    replica_place now;
    int rc = read_place(replica, &now);
    if (rc == ROWTIDE_OK && now.is_known
        && memcmp(now.stream, file->envelope.stream, sizeof now.stream))
        rc = rowtide__fail(ROWTIDE_ECORRUPT,
                           "%s: belongs to the stream of another primary",
                           file->path.data);
    if (rc == ROWTIDE_OK && now.position + 1 != file->envelope.number)
        rc = ROWTIDE_DONE;
    return rc;
}

static int pull_file(rowtide_replica *replica, rowtide__inbox_file *file,
                     const rowtide_apply_options *options)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(replica->db, &transaction);
    if (rc)
        return rc;
    rc = rowtide__store_ensure(replica->db, tables, 1);
    if (rc == ROWTIDE_OK)
        rc = check_place(replica, file);
    if (rc == ROWTIDE_OK)
        rc = apply_file(replica, file, options);
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

/* ROWTIDE_DONE if there is nothing new. The missing number may have come
 * while the directory was read. */
static int check_gap(rowtide_replica *replica, int64_t missing)
{
    const char *directory = replica->directory.data;
    int64_t next;
    int rc = rowtide__outbox_next(directory, missing, &next);
    if (rc)
        return rc;
    if (next == 0)
        return ROWTIDE_DONE;
    rc = rowtide__outbox_has(directory, missing);
    if (rc)
        return rc < 0 ? rc : ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_EGAP,
                         "%s: number %lld is missing, but %lld is there",
                         directory, (long long)missing, (long long)next);
}

/* ROWTIDE_OK: look again, having applied one or none. */
static int pull_next(rowtide_replica *replica,
                     const rowtide_apply_options *options, int64_t *count)
{
    rowtide__inbox_file file;
    replica_place place;
    int rc = read_place(replica, &place);
    if (rc)
        return rc;
    rc = rowtide__inbox_open(replica->directory.data, place.position + 1,
                             &file);
    if (rc == ROWTIDE_DONE)
        return check_gap(replica, place.position + 1);
    if (rc)
        return rc;
    rc = pull_file(replica, &file, options);
    rowtide__inbox_close(&file);
    if (rc == ROWTIDE_OK)
        ++*count;
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int pull(rowtide_replica *replica, int64_t limit,
                const rowtide_apply_options *options, int64_t *count)
{
    int rc = rowtide__outbox_check(replica->directory.data);
    if (rowtide_db_in_transaction(replica->db))
        rc = rowtide__fail(ROWTIDE_EMISUSE,
                           "replica_pull: inside a transaction");
    while (rc == ROWTIDE_OK && (limit == 0 || *count < limit))
        rc = pull_next(replica, options, count);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* ## Public */

static int open_replica(rowtide_replica *replica, const char *directory)
{
    replica_place place;
    int rc = rowtide__outbox_absolute(directory, &replica->directory);
    if (rc == ROWTIDE_OK)
        rc = rowtide__outbox_check(replica->directory.data);
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_ensure(replica->db, tables, 1);
    return rc ? rc : read_place(replica, &place);
}

int rowtide_replica_open(rowtide_db *db, const char *directory,
                         rowtide_replica **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "replica_open");
    *out = NULL;
    ROWTIDE__CHECK_ARG(directory != NULL && *directory, "replica_open");
    int rc = rowtide__db_enter(db, "replica_open");
    if (rc)
        return rc;
    rowtide_replica *replica = rowtide__alloc_zero(sizeof *replica);
    if (replica) {
        replica->db = rowtide__db_retain(db);
        rc = open_replica(replica, directory);
        if (rc == ROWTIDE_OK)
            *out = replica;
    } else {
        rc = ROWTIDE_ENOMEM;
    }
    rowtide__db_leave(db);
    if (rc)
        rowtide_replica_free(replica);
    return rc;
}

int rowtide_replica_pull(rowtide_replica *replica, int64_t limit,
                         const rowtide_apply_options *options, int64_t *applied)
{
    rowtide_apply_options chosen;
    int64_t count = 0;
    if (applied)
        *applied = 0;
    ROWTIDE__CHECK_ARG(replica != NULL, "replica_pull");
    ROWTIDE__CHECK_ARG(limit >= 0, "replica_pull");
    int rc = rowtide__replay_options(options, 0, "replica_pull", &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(replica->db, "replica_pull");
    if (rc)
        return rc;
    rc = pull(replica, limit, &chosen, &count);
    if (applied)
        *applied = count;
    rowtide__db_leave(replica->db);
    return rc;
}

int64_t rowtide_replica_position(rowtide_replica *replica)
{
    replica_place place;
    ROWTIDE__CHECK_ARG(replica != NULL, "replica_position");
    int rc = rowtide__db_enter(replica->db, "replica_position");
    if (rc)
        return rc;
    rc = read_place(replica, &place);
    rowtide__db_leave(replica->db);
    return rc ? rc : place.position;
}

int rowtide_replica_set_position(rowtide_replica *replica, int64_t number)
{
    rowtide__transaction transaction;
    ROWTIDE__CHECK_ARG(replica != NULL, "replica_set_position");
    ROWTIDE__CHECK_ARG(number >= 0 && number < INT64_MAX,
                       "replica_set_position");
    int rc = rowtide__db_enter(replica->db, "replica_set_position");
    if (rc)
        return rc;
    rc = rowtide__transaction_begin(replica->db, &transaction);
    if (rc == ROWTIDE_OK) {
        rc = move_to(replica, number);
        if (rc == ROWTIDE_OK)
            rc = rowtide__transaction_commit(&transaction);
        else
            rowtide__transaction_rollback(&transaction);
    }
    rowtide__db_leave(replica->db);
    return rc;
}

void rowtide_replica_free(rowtide_replica *replica)
{
    if (!replica)
        return;
    rowtide__db_release(replica->db);
    rowtide_buffer_dispose(&replica->directory);
    rowtide__free(replica);
}
