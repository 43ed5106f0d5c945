#include "crdt/tail.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* ## Folding */

static int write_items(rowtide__crdt *engine)
{
    rowtide__log *items = &engine->tail->items;
    rowtide__log_sort(items);
    return rowtide__bundle_write(engine, items);
}

static rowtide__crdt_table *table_of(rowtide__crdt *engine, int64_t id)
{
    rowtide__crdt_table *table = rowtide__crdt_table_known(engine, id);
    return table && !table->dropped ? table : NULL;
}

static int take_row(rowtide__crdt *engine, const rowtide__tail_place *place)
{
    rowtide__crdt_table *table = table_of(engine, place->table);
    rowtide__tail *tail = engine->tail;
    if (!table)
        return ROWTIDE_OK;
    int rc = rowtide__crdt_table_shape(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_find(engine, table, place->row, &tail->part);
    return rc == 1 ? rowtide__pending_put(tail->folding, table, place->row,
                                          &tail->part)
                   : rc;
}

static int take_rows(rowtide__crdt *engine)
{
    rowtide__tail_place *places;
    size_t count;
    int rc = rowtide__tail_places(engine->tail, 0, &places, &count);
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++)
        rc = take_row(engine, &places[i]);
    rowtide__free(places);
    return rc;
}

/* The tail is empty then in memory; it has to be written. */
static int fold(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__crdt_tables_load(engine);
    if (rc == ROWTIDE_OK)
        rc = write_items(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__numbers_write(engine, &tail->keys);
    if (rc == ROWTIDE_OK)
        rc = take_rows(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_drop_segments(engine);
    engine->outdated_items += tail->outdated;
    rowtide__tail_clear(tail);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush_clocks(engine, tail->folding);
    rowtide__pending_clear(tail->folding);
    if (rc != ROWTIDE_OK)
        tail->known = 0;
    return rc;
}

static int write_body(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    sqlite3_stmt *stmt;
    rowtide__tail_put_header(tail);
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__TAIL_WRITE, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_blob64(stmt, 1, tail->body, tail->size, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, tail->stamp);
    tail->stamp = rowtide__tail_next_stamp(tail);
    sqlite3_bind_int64(stmt, 2, tail->stamp);
    rc = rowtide__crdt_run(engine, stmt);
    tail->taken_back = 0;
    return rc == ROWTIDE_OK && sqlite3_changes(engine->sqlite) != 1
               ? ROWTIDE_DONE
               : rc;
}

/* Inside a transaction nobody else can have changed it. */
static int fail_changed(void)
{
    return rowtide__fail(ROWTIDE_ECORRUPT,
                         "the tail of the log was changed or is missing");
}

int rowtide__tail_fold(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__tail_know(engine);
    int any = !rowtide__tail_is_empty(tail);
    if (rc != ROWTIDE_OK || (!any && !tail->taken_back))
        return rc;
    rc = any ? fold(engine) : ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = write_body(engine);
    if (rc == ROWTIDE_DONE)
        rc = fail_changed();
    /* Nobody tells us how a transaction ends that we have not joined. */
    if (rc != ROWTIDE_OK || !engine->joined)
        rowtide__tail_doubt(tail);
    return rc == ROWTIDE_OK ? rc : rowtide__crdt_failed(engine, rc);
}

/* ## Appending */

typedef struct addition {
    rowtide__entry entries[ROWTIDE__TAIL_ENTRIES];
    int count;
    int64_t db_version, rows;
} addition;

static int overlap(const rowtide__entry *a, const rowtide__entry *b)
{
    return a->table == b->table && a->row - 1 < b->row - 1 + b->rows
           && b->row - 1 < a->row - 1 + a->rows;
}

/* What is new has to have one version. */
static int check_groups(const rowtide__crdt *engine, addition *it,
                        const rowtide__entry *entry)
{
    for (int i = 0; i < entry->count; i++) {
        int64_t db_version = entry->groups[i].db_version;
        if (db_version <= engine->db_version)
            continue;
        if (it->db_version != 0 && it->db_version != db_version)
            return ROWTIDE_DONE;
        it->db_version = db_version;
    }
    return entry->count > 0 ? ROWTIDE_OK : ROWTIDE_DONE;
}

/* A younger entry about the same single row takes the place of an older. */
static int add_entry(const rowtide__crdt *engine, addition *it,
                     const rowtide__entry *entry)
{
    it->rows += entry->rows;
    if (it->rows > ROWTIDE__TAIL_ROWS || entry->row == INT64_MIN)
        return ROWTIDE_DONE;
    int rc = check_groups(engine, it, entry);
    for (int i = 0; i < it->count && rc == ROWTIDE_OK; i++) {
        if (!overlap(&it->entries[i], entry))
            continue;
        if (it->entries[i].rows > 1 || entry->rows > 1)
            return ROWTIDE_DONE;
        it->entries[i] = *entry;
        return ROWTIDE_OK;
    }
    if (rc == ROWTIDE_OK)
        it->entries[it->count++] = *entry;
    return rc;
}

static int gather_held(rowtide__crdt *engine, addition *it)
{
    const struct rowtide__direct *direct = &engine->direct;
    rowtide__entry entry = {direct->table, direct->row, 1, direct->held->groups,
                            direct->held->count};
    int rc = add_entry(engine, it, &entry);
    return rc == ROWTIDE_OK && it->db_version == 0 ? ROWTIDE_DONE : rc;
}

static int gather(rowtide__crdt *engine, addition *it)
{
    rowtide__pending *pending = engine->pending;
    if (engine->direct.held)
        return gather_held(engine, it);
    if (engine->batch > 0 || !engine->version_known
        || rowtide__pending_count(pending) > ROWTIDE__TAIL_ENTRIES)
        return ROWTIDE_DONE;
    int rc = rowtide__pending_settle(pending);
    size_t count = rowtide__pending_count(pending);
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        rowtide__entry entry;
        rowtide__pending_entry(pending, i, &entry);
        rc = add_entry(engine, it, &entry);
    }
    if (rc == ROWTIDE_OK && it->db_version == 0)
        rc = ROWTIDE_DONE;
    return rc;
}

/* 1 if a row has been in the tail since this transaction began. */
static int is_continued(rowtide__crdt *engine, const addition *it)
{
    if (engine->tail->db_version <= engine->db_version)
        return 0;
    for (int i = 0; i < it->count; i++)
        for (int64_t n = 0; n < it->entries[i].rows; n++)
            if (rowtide__tail_has(engine->tail, it->entries[i].table->id,
                                  it->entries[i].row + n, engine->db_version))
                return 1;
    return it->db_version != engine->tail->db_version;
}

static void take_key(const rowtide__crdt *engine, const rowtide__entry *from,
                     int64_t nth, rowtide__tail_key *out)
{
    rowtide__new_key key;
    out->size = 0;
    if (from->table->integer_key
        || !rowtide__new_keys_of_row(rowtide__pending_keys(engine->pending),
                                     from->table, from->row + nth, &key))
        return;
    out->data = key.data;
    out->size = key.size;
}

static int note(rowtide__crdt *engine, const addition *it)
{
    rowtide__tail_entry entry;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < it->count && rc == ROWTIDE_OK; i++) {
        const rowtide__entry *from = &it->entries[i];
        entry.db_version = it->db_version;
        entry.table = from->table->id;
        entry.row = from->row;
        entry.rows = from->rows;
        entry.whole = 1;
        entry.clock.groups = (rowtide__group *)from->groups;
        entry.clock.count = from->count;
        for (int64_t n = 0; n < from->rows; n++)
            take_key(engine, from, n, &entry.keys[n]);
        rc = rowtide__tail_note(engine, &entry);
    }
    return rc;
}

static int encode(rowtide__crdt *engine, const addition *it)
{
    rowtide__tail *tail = engine->tail;
    return rowtide__tail_encode(&tail->record, tail->db_version, it->db_version,
                                engine->db_version, it->entries, it->count,
                                rowtide__pending_keys(engine->pending),
                                &tail->part);
}

static int make_room(rowtide__crdt *engine, const addition *it, int may_fold)
{
    rowtide__tail *tail = engine->tail;
    size_t room = tail->size - ROWTIDE__TAIL_HEADER;
    int rc = encode(engine, it);
    if (rc == ROWTIDE_OK && tail->record.size > room / 2)
        return ROWTIDE_DONE;
    if (rc != ROWTIDE_OK || tail->record.size + tail->used <= room)
        return rc;
    if (!may_fold)
        return ROWTIDE_DONE;
    rc = rowtide__tail_spill(engine);
    if (rc != ROWTIDE_DONE)
        return rc;
    rc = fold(engine);
    /* The version now counts from 0. */
    return rc == ROWTIDE_OK ? encode(engine, it) : rc;
}

static int append(rowtide__crdt *engine, const addition *it, int may_fold)
{
    rowtide__tail *tail = engine->tail;
    int rc = make_room(engine, it, may_fold);
    if (rc != ROWTIDE_OK)
        return rc;
    tail->undo.possible = 0;
    if (!may_fold && it->count == 1 && it->rows == 1)
        rc = rowtide__tail_remember(tail, it->entries[0].table->id,
                                    it->entries[0].row);
    if (rc != ROWTIDE_OK)
        return rc;
    memcpy(tail->body + ROWTIDE__TAIL_HEADER + tail->used, tail->record.data,
           tail->record.size);
    tail->used += tail->record.size;
    rc = write_body(engine);
    if (rc == ROWTIDE_DONE && may_fold)
        rc = fail_changed();
    if (rc == ROWTIDE_OK)
        rc = note(engine, it);
    /* The record is in the image without what it says. Another connection may
     * write the same bytes, which must not be taken for known then. */
    if (rc != ROWTIDE_OK)
        rowtide__tail_clear(tail);
    return rc;
}

int rowtide__tail_append(rowtide__crdt *engine, int may_fold)
{
    addition it;
    it.count = 0;
    it.db_version = it.rows = 0;
    int rc = gather(engine, &it);
    if (rc == ROWTIDE_OK && !engine->tail->known)
        rc = rowtide__tail_load(engine);
    if (rc == ROWTIDE_OK && is_continued(engine, &it))
        rc = ROWTIDE_DONE;
    if (rc != ROWTIDE_OK)
        return rc;
    rc = append(engine, &it, may_fold);
    if (rc < 0)
        rowtide__tail_doubt(engine->tail);
    if (rc != ROWTIDE_OK)
        return rc;
    engine->batch++;
    engine->serial++;
    engine->logged_version = it.db_version;
    if (!engine->direct.held || rowtide__pending_keys(engine->pending)->count)
        rowtide__pending_written(engine->pending);
    return ROWTIDE_OK;
}
