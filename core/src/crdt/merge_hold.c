#include "crdt/merge.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* What has been merged and is not written yet. */

typedef struct rowtide__merge_cache cache;

void rowtide__merge_discard(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    if (!held)
        return;
    held->count = held->unsaved = held->statement = 0;
    held->table = NULL;
    rowtide__buffer_clear(&held->bytes);
    rowtide__batch_discard(engine);
}

void rowtide__merge_end(rowtide__crdt *engine)
{
    rowtide__merge_discard(engine);
    if (engine->merge)
        engine->merge->exposed = engine->merge->lost = 0;
}

static int put_clock(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = held->unsaved ? rowtide__crdt_put(engine, held->table, &held->row,
                                               &held->clock)
                           : ROWTIDE_OK;
    held->count = held->unsaved = 0;
    rowtide__buffer_clear(&held->bytes);
    return rc;
}

static int write_all(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = rowtide__batch_write(engine);
    if (rc == ROWTIDE_OK && held->table && held->count > 0)
        rc = rowtide__merge_write_held(engine);
    return rc == ROWTIDE_OK && held->table ? put_clock(engine) : rc;
}

static int end_writing(rowtide__crdt *engine, int rc)
{
    engine->merge->writing = 0;
    if (rc == ROWTIDE_OK)
        return rc;
    rowtide__merge_discard(engine);
    return rowtide__crdt_failed(engine, rc);
}

int rowtide__merge_flush(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    if (!held || held->writing)
        return ROWTIDE_OK;
    held->writing = 1;
    return end_writing(engine, write_all(engine));
}

int rowtide__merge_leave(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = rowtide__merge_flush(engine);
    if (held && !held->writing)
        held->table = NULL;
    return rc;
}

/* ## Savepoints
 *
 * What is held is written before a savepoint begins. A statement has begun its
 * own when we are told of it, and if the statement fails the rows are undone
 * with it, though they were merged before. That is noticed, and fails the
 * merge: while one is going on nobody should write. */

/* A savepoint of the application begins while no statement is writing. */
static int is_of_statement(const rowtide__crdt *engine)
{
    for (sqlite3_stmt *stmt = sqlite3_next_stmt(engine->sqlite, NULL); stmt;
         stmt = sqlite3_next_stmt(engine->sqlite, stmt))
        if (sqlite3_stmt_busy(stmt) && !sqlite3_stmt_readonly(stmt))
            return 1;
    return 0;
}

int rowtide__merge_savepoint(rowtide__crdt *engine, int number)
{
    cache *held = engine->merge;
    if (!held || held->writing)
        return ROWTIDE_OK;
    int any = (held->table && held->count > 0) || rowtide__batch_any(engine);
    int rc = rowtide__merge_flush(engine);
    if (any && is_of_statement(engine))
        held->exposed = number + 1;
    return rc;
}

static int fail_lost(void)
{
    return rowtide__fail(ROWTIDE_EMISUSE,
                         "rows that were merged were undone by another "
                         "statement that failed: nothing may be written "
                         "until a merge has ended");
}

int rowtide__merge_check(const rowtide__crdt *engine)
{
    return engine->merge && engine->merge->lost ? fail_lost() : ROWTIDE_OK;
}

int rowtide__merge_release(rowtide__crdt *engine, int number)
{
    cache *held = engine->merge;
    int rc = rowtide__merge_flush(engine);
    if (!held)
        return rc;
    if (held->exposed > number)
        held->exposed = 0;
    return rc == ROWTIDE_OK && held->lost > number + 1 ? fail_lost() : rc;
}

void rowtide__merge_rollback_to(rowtide__crdt *engine, int number)
{
    cache *held = engine->merge;
    if (!held)
        return;
    if (held->lost > number + 1)
        held->lost = 0;
    if (held->exposed == number + 1)
        held->lost = held->exposed;
    if (held->exposed > number)
        held->exposed = 0;
    /* A statement of ours that fails undoes itself, or is prepared again. */
    if (!held->writing && engine->busy == 0)
        rowtide__merge_discard(engine);
}

/* ## Rows that come and go */

int rowtide__merge_next_row(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = ROWTIDE_OK;
    if (held->writing)
        return ROWTIDE_OK;
    held->writing = 1;
    if (held->table && held->count > 0)
        rc = rowtide__batch_take(engine);
    if (rc == ROWTIDE_DONE)
        rc = write_all(engine);
    else if (rc == ROWTIDE_OK && held->table)
        rc = put_clock(engine);
    rc = end_writing(engine, rc);
    held->table = NULL;
    return rc;
}

int rowtide__merge_is_alone(const rowtide__crdt *engine)
{
    const cache *held = engine->merge;
    return engine->merging && held->table
           && !(held->table->guarded & ROWTIDE__TRIGGERS)
           && sqlite3_stmt_status(held->running, SQLITE_STMTSTATUS_REPREPARE, 0)
                  == 0;
}

int rowtide__merge_is_writing(const rowtide__crdt *engine,
                              const rowtide__crdt_table *table,
                              const rowtide__key *key)
{
    return engine->merging && rowtide__merge_is_row(engine->merge, table, key);
}

int rowtide__merge_is_set(const rowtide__crdt *engine, int place)
{
    const cache *held = engine->merge;
    for (int i = 0; i < held->count; i++)
        if (held->places[i] == place)
            return 1;
    return held->place == place;
}

int rowtide__merge_yield(rowtide__crdt *engine, rowtide__crdt_table *table,
                         const rowtide__key *key)
{
    cache *held = engine->merge;
    if (!held || engine->merging)
        return ROWTIDE_OK;
    /* It has been written to already: too late for what came before. */
    if ((held->table && held->count > 0
         && rowtide__merge_is_row(held, table, key))
        || rowtide__batch_has(engine, table, key))
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "this row is being merged: end the merge first");
    return rowtide__merge_leave(engine);
}

static int add_cell(cache *held, int at, int place)
{
    size_t size = (size_t)held->count + 1;
    int rc = rowtide__grow(&held->cells, &held->cell_capacity, size,
                           sizeof *held->cells);
    if (rc == ROWTIDE_OK)
        rc = rowtide__grow(&held->places, &held->place_capacity, size,
                           sizeof *held->places);
    if (rc != ROWTIDE_OK)
        return rc;
    memmove(held->cells + at + 1, held->cells + at,
            (size_t)(held->count - at) * sizeof *held->cells);
    memmove(held->places + at + 1, held->places + at,
            (size_t)(held->count - at) * sizeof *held->places);
    held->places[at] = place;
    held->count++;
    return ROWTIDE_OK;
}

int rowtide__merge_hold(rowtide__crdt *engine, int place,
                        const rowtide_value *value, int exists)
{
    cache *held = engine->merge;
    size_t start = held->bytes.size;
    int at = held->count, rc = ROWTIDE_OK;
    if (value->type != ROWTIDE_INTEGER && value->type != ROWTIDE_REAL
        && value->size > 0)
        rc = rowtide__buffer_append(&held->bytes, value->data, value->size);
    while (at > 0 && held->places[at - 1] >= place)
        at--;
    if (held->count == 0)
        held->exists = exists;
    if (rc == ROWTIDE_OK && (at == held->count || held->places[at] != place))
        rc = add_cell(held, at, place);
    if (rc != ROWTIDE_OK)
        return rc;
    held->cells[at].value = *value;
    held->cells[at].value.data = NULL;
    held->cells[at].at = start;
    return ROWTIDE_OK;
}
