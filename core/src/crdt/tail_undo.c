#include "crdt/tail.h"
#include "base/error.h"

#include <string.h>

/* The first row of a statement is written at once. If there are more, that is
 * taken back, so that all of them are written together. */

int rowtide__tail_remember(rowtide__tail *tail, int64_t table, int64_t row)
{
    rowtide__tail_undo *undo = &tail->undo;
    const rowtide__kept *kept = rowtide__kept_find(tail, table, row);
    undo->table = table;
    undo->row = row;
    undo->used = tail->used;
    undo->items = tail->items.count;
    undo->keys = tail->keys.count;
    undo->db_version = tail->db_version;
    undo->outdated = tail->outdated;
    undo->existed = kept != NULL;
    undo->whole = kept && kept->whole;
    undo->clock.count = 0;
    int rc = kept ? rowtide__clock_copy(&undo->clock,
                                        tail->groups + kept->groups_at,
                                        kept->count)
                  : ROWTIDE_OK;
    undo->possible = rc == ROWTIDE_OK;
    return rc;
}

static int undo_row(rowtide__tail *tail)
{
    const rowtide__tail_undo *undo = &tail->undo;
    rowtide__kept *kept = rowtide__kept_find(tail, undo->table, undo->row);
    if (undo->existed) {
        kept->whole = undo->whole;
        return rowtide__kept_set(tail, kept, &undo->clock);
    }
    rowtide__kept_drop_last(tail);
    return ROWTIDE_OK;
}

/* Its clock and its key become pending. */
static int pend_row(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    rowtide__tail *tail = engine->tail;
    const rowtide__tail_undo *undo = &tail->undo;
    const rowtide__kept *kept = rowtide__kept_find(tail, undo->table,
                                                   undo->row);
    rowtide__new_key added;
    rowtide__key key;
    int rc = rowtide__clock_copy(&tail->whole, tail->groups + kept->groups_at,
                                 kept->count);
    if (rc == ROWTIDE_OK && tail->keys.count > undo->keys) {
        rowtide__new_keys_entry(&tail->keys, undo->keys, &added);
        memset(&key, 0, sizeof key);
        key.row = added.row;
        key.hash = added.hash;
        key.data = added.data;
        key.size = added.size;
        rc = rowtide__new_keys_add(rowtide__pending_keys(engine->pending),
                                   table, &key);
    }
    return rc == ROWTIDE_OK ? rowtide__pending_put(engine->pending, table,
                                                   undo->row, &tail->whole)
                            : rc;
}

int rowtide__tail_take_back(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    const rowtide__tail_undo *undo = &tail->undo;
    rowtide__crdt_table *table = rowtide__crdt_table_known(engine, undo->table);
    if (!undo->possible || !table || rowtide__pending_count(engine->pending))
        return ROWTIDE_OK;
    tail->undo.possible = 0;
    int rc = pend_row(engine, table);
    if (rc == ROWTIDE_OK)
        rc = undo_row(tail);
    if (rc != ROWTIDE_OK) {
        rowtide__tail_clear(tail);
        rowtide__tail_doubt(tail);
        return rc;
    }
    rowtide__new_keys_cut(&tail->keys, undo->keys);
    tail->used = undo->used;
    tail->items.count = undo->items;
    tail->db_version = undo->db_version;
    tail->outdated = undo->outdated;
    tail->taken_back = 1;
    return ROWTIDE_OK;
}
