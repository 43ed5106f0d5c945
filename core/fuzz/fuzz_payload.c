/* Payloads from outside. The first byte chooses: the bytes as they are, or as
 * the changes of a chunk around which everything else is right, so that what
 * is behind the checksums is reached too. */
#include <rowtide.h>

#include "crdt/payload.h"

#include <stdlib.h>
#include <string.h>

static rowtide_db *open_db(void)
{
    rowtide_db *made = NULL;
    if (rowtide_db_open(":memory:", NULL, &made) != ROWTIDE_OK
        || rowtide_db_exec(
               made, "CREATE TABLE t(id INTEGER PRIMARY KEY NOT NULL, a, b);"
                     "CREATE TABLE w(x TEXT NOT NULL, y NOT NULL, n INT CHECK "
                     "(n IS NOT 13), PRIMARY KEY(x, y)) WITHOUT ROWID;"
                     "CREATE TABLE k(id BLOB NOT NULL PRIMARY KEY)")
               != ROWTIDE_OK
        || rowtide_crdt_enable(made, "t") != ROWTIDE_OK
        || rowtide_crdt_enable(made, "w") != ROWTIDE_OK
        || rowtide_crdt_enable(made, "k") != ROWTIDE_OK
        || rowtide_db_exec(made, "INSERT INTO t VALUES(1, 2, 'three');"
                                 "INSERT INTO w VALUES('x', 1.5, 1);"
                                 "DELETE FROM w")
               != ROWTIDE_OK)
        abort();
    return made;
}

static int add(rowtide_sink *sink, const void *data, size_t size)
{
    return rowtide_sink_write(sink, data, size);
}

/* How many changes there are and what versions they have is the writer's to
 * say; here it is tried out. */
static void count_changes(rowtide__payload_chunk *chunk, const uint8_t *data)
{
    rowtide__chunk_reader reader;
    rowtide_crdt_change change;
    rowtide_buffer stored = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink = NULL;
    rowtide__payload_chunk open = *chunk;
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    open.count = UINT32_MAX;
    open.least = INT64_MIN;
    open.greatest = INT64_MAX;
    rowtide__chunk_reader_init(&reader);
    if (rowtide_sink_buffer(&stored, &sink) == ROWTIDE_OK
        && add(sink, data, chunk->stored) == ROWTIDE_OK
        && rowtide__chunk_reader_open(&reader, &open, 0, &stored) == ROWTIDE_OK)
        while (rowtide__chunk_reader_next(&reader, &change) == ROWTIDE_OK) {
            chunk->count++;
            if (change.db_version < least)
                least = change.db_version;
            if (change.db_version > greatest)
                greatest = change.db_version;
        }
    if (chunk->count == 0)
        chunk->count = 1;
    chunk->least = least < greatest ? least : greatest;
    chunk->greatest = greatest;
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&stored);
    rowtide__chunk_reader_dispose(&reader);
}

static void wrap(const uint8_t *data, size_t size, rowtide_buffer *out)
{
    unsigned char head[ROWTIDE__PAYLOAD_HEAD], record[ROWTIDE__PAYLOAD_CHUNK];
    rowtide__payload_head who = {.flags = ROWTIDE__PAYLOAD_COMPLETE,
                                 .site = "somebody"};
    rowtide__payload_chunk chunk = {.size = (uint32_t)size,
                                    .stored = (uint32_t)size};
    rowtide__payload_end end = {.chunks = 1};
    rowtide_sink *sink = NULL;
    if (rowtide_sink_buffer(out, &sink) != ROWTIDE_OK)
        return;
    chunk.checksum = rowtide__payload_checksum(0, data, size);
    count_changes(&chunk, data);
    rowtide__payload_put_head(&who, head);
    add(sink, head, sizeof head);
    end.chain = rowtide__payload_checksum(0, head, sizeof head);
    rowtide__payload_put_chunk(&chunk, record);
    add(sink, record, sizeof record);
    end.chain = rowtide__payload_checksum(end.chain, record, sizeof record);
    end.count = chunk.count;
    add(sink, data, size);
    rowtide__payload_put_end(&end, record);
    add(sink, record, sizeof record);
    rowtide_sink_close(sink);
    rowtide_sink_free(sink);
}

static int64_t total(rowtide_db *from)
{
    rowtide_stmt *stmt = NULL;
    rowtide_value value = rowtide_value_integer(-1);
    if (rowtide_stmt_prepare(from,
                             "SELECT (SELECT count(*) FROM crsql_changes) + "
                             "(SELECT count(*) FROM t) + (SELECT count(*) FROM "
                             "w) + (SELECT count(*) FROM k)",
                             &stmt)
            != ROWTIDE_OK
        || rowtide_stmt_step(stmt) != ROWTIDE_OK
        || rowtide_stmt_column(stmt, 0, &value) != ROWTIDE_OK)
        abort();
    rowtide_stmt_free(stmt);
    return value.integer;
}

/* A payload that is refused leaves nothing behind, so that the database can be
 * used again. */
static rowtide_db *db;

static void merge(const void *data, size_t size)
{
    rowtide_source *source = NULL;
    rowtide_crdt_report *report = NULL;
    if (!db)
        db = open_db();
    int64_t before = total(db);
    if (rowtide_source_memory(data, size, &source) != ROWTIDE_OK)
        abort();
    int rc = rowtide_crdt_merge_payload(db, source, &report);
    if (rowtide_db_in_transaction(db)
        || (rc != ROWTIDE_OK && (report || total(db) != before)))
        abort();
    rowtide_crdt_report_free(report);
    rowtide_source_free(source);
    if (rc == ROWTIDE_OK) {
        rowtide_db_free(db);
        db = NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    if (size == 0)
        return 0;
    if (data[0] & 1) {
        wrap(data + 1, size - 1, &payload);
        merge(payload.data, payload.size);
    } else {
        merge(data + 1, size - 1);
    }
    rowtide_buffer_dispose(&payload);
    return 0;
}
