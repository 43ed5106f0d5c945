#include "crdt/direct.h"
#include "base/error.h"

#include <string.h>

/* SQLite tells a virtual table when a transaction ends, if that takes part in
 * it; asking it to costs more than all else that a row needs. A statement
 * outside a transaction has its first row written to the tail by the trigger
 * itself. What comes after that, if it is still the same transaction, finds
 * it there.
 *
 * Whether the statement was committed need not be known: the stamp of the tail
 * is another one if not. */

enum { NO, ENTERED, WRITTEN };

int rowtide__direct_is_entered(const rowtide__crdt *engine)
{
    return engine->direct.state == ENTERED;
}

/* What is known of the file has to be so still. */
static int is_possible(rowtide__crdt *engine, unsigned data_version)
{
    return engine->cache_valid && engine->data_version == data_version
           && engine->loaded && !engine->outdated
           && rowtide__pending_count(engine->pending) == 0
           && rowtide__tail_is_known(engine->tail);
}

void rowtide__direct_enter(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    if (engine->joined || direct->state == ENTERED
        || !sqlite3_get_autocommit(engine->sqlite))
        return;
    unsigned data_version = rowtide__crdt_data_version(engine);
    if (!is_possible(engine, data_version))
        return;
    direct->last_state = direct->state;
    direct->last_data_version = direct->data_version;
    direct->state = ENTERED;
    direct->held = NULL;
    direct->data_version = data_version;
    direct->wanted_version = engine->pending_version;
    engine->db_version = engine->last_version;
    engine->version_known = 1;
    engine->batch = engine->sequence = 0;
    engine->logged_version = 0;
}

/* Most often there is one row: it need not become pending. */
int rowtide__direct_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, const rowtide__clock *clock)
{
    struct rowtide__direct *direct = &engine->direct;
    const rowtide__clock *held = direct->held;
    if (direct->state == ENTERED && !held
        && rowtide__pending_count(engine->pending) == 0) {
        direct->held = clock;
        direct->table = table;
        direct->row = row;
        return ROWTIDE_OK;
    }
    direct->held = NULL;
    int rc = held ? rowtide__pending_put(engine->pending, direct->table,
                                         direct->row, held)
                  : ROWTIDE_OK;
    return rc == ROWTIDE_OK
               ? rowtide__pending_put(engine->pending, table, row, clock)
               : rc;
}

/* As if nothing had been done. */
static void undo(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    rowtide__pending_clear(engine->pending);
    engine->pending_version = direct->wanted_version;
    engine->cache_valid = 0;
    rowtide__crdt_forget_clocks(engine);
    direct->state = NO;
    direct->held = NULL;
}

/* Nothing was done; whether what was written before is committed may still not
 * be known. */
static void go_back(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    engine->pending_version = direct->wanted_version;
    direct->state = direct->last_state;
    direct->data_version = direct->last_data_version;
}

/* The version of the tail is that of the file if this is committed, and if
 * nothing else is. */
static void note_written(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    direct->state = WRITTEN;
    direct->unsure = 1;
    direct->stamp = rowtide__tail_stamp(engine->tail);
    direct->first = engine->db_version;
    direct->version = engine->logged_version;
    direct->sequence = engine->sequence;
    direct->held = NULL;
    engine->last_version = engine->logged_version;
    engine->data_version = direct->data_version + 1;
    engine->pending_version = 0;
}

int rowtide__direct_leave(rowtide__crdt *engine, int status)
{
    int rc = status;
    if (engine->direct.state != ENTERED)
        return status;
    int any = engine->direct.held != NULL
              || rowtide__pending_count(engine->pending) > 0;
    if (rc == ROWTIDE_OK && any)
        rc = rowtide__tail_append(engine, 0);
    if (rc != ROWTIDE_OK)
        undo(engine);
    else if (any)
        note_written(engine);
    else
        go_back(engine);
    engine->version_known = 0;
    engine->sequence = 0;
    return rc;
}

int rowtide__direct_cancel(rowtide__crdt *engine)
{
    if (engine->direct.state != ENTERED)
        return ROWTIDE_OK;
    go_back(engine);
    engine->version_known = 0;
    return rowtide__crdt_join(engine);
}

int rowtide__direct_is_committed(rowtide__crdt *engine)
{
    if (!engine->direct.unsure)
        return 1;
    if (rowtide__tail_load(engine) != ROWTIDE_OK) {
        rowtide_error_clear();
        return 0;
    }
    engine->direct.state = NO;
    return engine->direct.stamp == rowtide__tail_stamp(engine->tail);
}

void rowtide__direct_check(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    if (!direct->unsure || direct->stamp == rowtide__tail_stamp(engine->tail))
        return;
    direct->unsure = 0;
    engine->cache_valid = 0;
    rowtide__crdt_forget_clocks(engine);
}

int rowtide__direct_resume(rowtide__crdt *engine)
{
    struct rowtide__direct *direct = &engine->direct;
    if (direct->state != WRITTEN)
        return ROWTIDE_OK;
    if (direct->data_version != rowtide__crdt_data_version(engine)
        || direct->stamp != rowtide__tail_stamp(engine->tail)) {
        direct->state = NO;
        return ROWTIDE_OK;
    }
    engine->db_version = direct->first;
    if (!engine->joined)
        return ROWTIDE_OK;
    engine->pending_version = engine->logged_version = direct->version;
    engine->sequence = direct->sequence;
    direct->state = NO;
    return rowtide__tail_take_back(engine);
}
