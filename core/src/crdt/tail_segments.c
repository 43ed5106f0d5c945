#include "crdt/tail.h"
#include "base/error.h"

#include <string.h>

/* The row of a segment. The blob that is written to has the number 1. */
enum { FIRST_SEGMENT = 2 };

/* Where they are in the blob. */
enum { FORMAT, USED, SEGMENTS = USED + 2, LAST_STAMP };

static int64_t last_stamp(const rowtide__tail *tail)
{
    return tail->segment_count > 0 ? tail->segments[tail->segment_count - 1]
                                   : 0;
}

void rowtide__tail_put_header(rowtide__tail *tail)
{
    uint64_t stamp = (uint64_t)last_stamp(tail);
    tail->body[FORMAT] = ROWTIDE__TAIL_FORMAT;
    tail->body[USED] = (unsigned char)tail->used;
    tail->body[USED + 1] = (unsigned char)(tail->used >> 8);
    tail->body[SEGMENTS] = (unsigned char)tail->segment_count;
    for (int i = 0; i < 8; i++)
        tail->body[LAST_STAMP + i] = (unsigned char)(stamp >> 8 * i);
}

static int64_t stored_last_stamp(const unsigned char *header)
{
    uint64_t stamp = 0;
    for (int i = 8; i-- > 0;)
        stamp = stamp << 8 | header[LAST_STAMP + i];
    return (int64_t)stamp;
}

/* ## Writing */

int rowtide__tail_spill(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    sqlite3_stmt *stmt;
    if (tail->segment_count == ROWTIDE__TAIL_SEGMENTS)
        return ROWTIDE_DONE;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__TAIL_SPILL, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t stamp = rowtide__tail_next_stamp(tail);
    sqlite3_bind_blob64(stmt, 1, tail->body + ROWTIDE__TAIL_HEADER, tail->used,
                        SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, stamp);
    sqlite3_bind_int(stmt, 3, FIRST_SEGMENT + tail->segment_count);
    rc = rowtide__crdt_run(engine, stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    tail->segments[tail->segment_count++] = stamp;
    tail->used = 0;
    return ROWTIDE_OK;
}

int rowtide__tail_drop_segments(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt;
    if (engine->tail->segment_count == 0)
        return ROWTIDE_OK;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__TAIL_DROP, &stmt);
    return rc == ROWTIDE_OK ? rowtide__crdt_run(engine, stmt) : rc;
}

/* ## Reading */

/* Stand at a segment. */
static int open_segment(rowtide__crdt *engine, int nth, sqlite3_stmt **out)
{
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__TAIL_SEGMENT, out);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int(*out, 1, FIRST_SEGMENT + nth);
    rc = rowtide__crdt_step(engine, *out);
    if (rc == ROWTIDE_DONE)
        sqlite3_reset(*out);
    return rc == ROWTIDE_DONE ? rowtide__tail_fail_damaged() : rc;
}

/* The segments that are known are stored still. */
static int check_known(rowtide__crdt *engine, const unsigned char *header)
{
    const rowtide__tail *tail = engine->tail;
    int count = header[SEGMENTS];
    sqlite3_stmt *stmt;
    if (count < tail->segment_count)
        return ROWTIDE_DONE;
    if (count == tail->segment_count)
        return stored_last_stamp(header) == last_stamp(tail) ? ROWTIDE_OK
                                                             : ROWTIDE_DONE;
    if (tail->segment_count == 0)
        return ROWTIDE_OK;
    int rc = open_segment(engine, tail->segment_count - 1, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    int same = sqlite3_column_int64(stmt, 1) == last_stamp(tail);
    sqlite3_reset(stmt);
    return same ? ROWTIDE_OK : ROWTIDE_DONE;
}

/* The next segment begins with what is known of the blob. */
static int take_records(rowtide__crdt *engine, const unsigned char *data,
                        size_t size)
{
    rowtide__tail *tail = engine->tail;
    size_t known = tail->used;
    if (!data)
        return rowtide__tail_fail_blob(engine);
    if (size < known
        || (known > 0
            && memcmp(data, tail->body + ROWTIDE__TAIL_HEADER, known) != 0))
        return ROWTIDE_DONE;
    return rowtide__tail_note_records(engine, data + known, size - known);
}

static int take_segment(rowtide__crdt *engine, int nth)
{
    rowtide__tail *tail = engine->tail;
    sqlite3_stmt *stmt;
    int rc = open_segment(engine, nth, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    const void *data = sqlite3_column_blob(stmt, 0);
    rc = take_records(engine, data, (size_t)sqlite3_column_bytes(stmt, 0));
    int64_t stamp = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    tail->segments[tail->segment_count++] = stamp;
    tail->used = 0;
    tail->undo.possible = 0;
    return ROWTIDE_OK;
}

int rowtide__tail_read_segments(rowtide__crdt *engine,
                                const unsigned char *header)
{
    if (header[SEGMENTS] > ROWTIDE__TAIL_SEGMENTS)
        return rowtide__tail_fail_damaged();
    int rc = check_known(engine, header);
    while (rc == ROWTIDE_OK && engine->tail->segment_count < header[SEGMENTS])
        rc = take_segment(engine, engine->tail->segment_count);
    if (rc == ROWTIDE_OK
        && stored_last_stamp(header) != last_stamp(engine->tail))
        return rowtide__tail_fail_damaged();
    return rc;
}
