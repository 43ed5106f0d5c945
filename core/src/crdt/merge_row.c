#include "crdt/local.h"
#include "crdt/merge.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

typedef struct rowtide__merge_cache cache;

/* ## Running */

int rowtide__merge_run(rowtide__crdt *engine, sqlite3_stmt *stmt, int triggers)
{
    int bit = engine->sync_bit;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    engine->sync_bit = 1;
    engine->merging = !bit && triggers;
    engine->busy++;
    engine->merge->running = stmt;
    int rc = rowtide__crdt_run(engine, stmt);
    engine->busy--;
    if (sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_REPREPARE, 1) > 0)
        engine->schema_seen++;
    engine->merging = 0;
    engine->sync_bit = bit;
    sqlite3_set_last_insert_rowid(engine->sqlite, rowid);
    return rc;
}

/* While a merge writes, the row that it writes is not tracked. */
static int run_untracked(rowtide__crdt *engine, sqlite3_stmt *stmt)
{
    int rc = rowtide__merge_read_guarded(engine, engine->merge->table);
    return rc == ROWTIDE_OK ? rowtide__merge_run(engine, stmt, 1) : rc;
}

static int prepare_keyed(rowtide__crdt *engine, rowtide__crdt_table *table,
                         sqlite3_stmt **out, const char *verb,
                         const char *column)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__crdt_write_keyed(table, verb, column, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_watch(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, out, "%s", sql.data);
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int run_keyed(rowtide__crdt *engine, sqlite3_stmt **stmt,
                     const char *verb, const char *column,
                     const rowtide_value *value)
{
    cache *held = engine->merge;
    int rc = ROWTIDE_OK;
    if (!*stmt)
        rc = prepare_keyed(engine, held->table, stmt, verb, column);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_bind(held->table, *stmt, 1, &held->row);
    if (rc == ROWTIDE_OK && column)
        rc = rowtide__crdt_bind(*stmt, held->table->key_count + 1, value);
    return rc == ROWTIDE_OK ? run_untracked(engine, *stmt) : rc;
}

int rowtide__merge_is_row(const cache *held, const rowtide__crdt_table *table,
                          const rowtide__key *key)
{
    return held->table == table && rowtide__key_equal(&held->row, key);
}

/* One whose key is only equal by a collation is another row. */
static int is_spelled_so(cache *held, sqlite3_stmt *stmt, int *out)
{
    rowtide_value values[128];
    rowtide_buffer packed = ROWTIDE_BUFFER_INIT;
    rowtide__key key;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < held->table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_read_column(stmt, i, &values[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_pack(held->table, values, &packed, &key);
    *out = rc == ROWTIDE_OK && rowtide__merge_is_row(held, held->table, &key);
    rowtide_buffer_dispose(&packed);
    return rc;
}

static int is_present(rowtide__crdt *engine, int *out)
{
    rowtide__crdt_table *table = engine->merge->table;
    int rc = rowtide__crdt_prepare_get(engine, table);
    table->reader = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_bind(table, table->get, 1, &engine->merge->row);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, table->get);
    *out = rc == ROWTIDE_OK;
    if (rc == ROWTIDE_OK && table->folding)
        rc = is_spelled_so(engine->merge, table->get, out);
    sqlite3_reset(table->get);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* A clock without its row would be one that nobody can merge with. */
static int fail_ignored(void)
{
    return rowtide__fail(ROWTIDE_ECONSTRAINT,
                         "a trigger has refused it by RAISE(IGNORE)");
}

/* Nothing was changed. Because it is so already? */
static int check_present(rowtide__crdt *engine, int rc, int wanted)
{
    int present;
    if (rc != ROWTIDE_OK || sqlite3_changes(engine->sqlite) > 0)
        return rc;
    rc = is_present(engine, &present);
    return rc == ROWTIDE_OK && present != wanted ? fail_ignored() : rc;
}

static int check_changed(rowtide__crdt *engine, int rc)
{
    return rc == ROWTIDE_OK && sqlite3_changes(engine->sqlite) == 0
               ? fail_ignored()
               : rc;
}

static void begin_write(rowtide__crdt *engine, int place)
{
    engine->merge->place = place;
    engine->merge->inserted = engine->merge->deleted = 0;
}

/* A trigger has removed the row, or made it again: as the application would,
 * on top of what was merged. */
int rowtide__merge_settle(rowtide__crdt *engine, int removed)
{
    cache *held = engine->merge;
    int present;
    if (!held->table || !(removed ? held->inserted : held->deleted))
        return ROWTIDE_OK;
    int rc = is_present(engine, &present);
    if (rc != ROWTIDE_OK)
        return rc;
    if (present)
        return rowtide__local_insert(engine, held->table, &held->clock);
    return rowtide__clock_length(&held->clock) % 2 == 1
               ? rowtide__local_delete(engine, &held->clock)
               : ROWTIDE_OK;
}

int rowtide__merge_remove_row(rowtide__crdt *engine)
{
    begin_write(engine, -1);
    int rc = run_keyed(engine, &engine->merge->table->remove, "DELETE", NULL,
                       NULL);
    if (engine->merge->inserted)
        return rc;
    return check_present(engine, rc, 0);
}

int rowtide__merge_create_row(rowtide__crdt *engine)
{
    begin_write(engine, -1);
    int rc = run_keyed(engine, &engine->merge->table->create, "INSERT", NULL,
                       NULL);
    return check_present(engine, rc, 1);
}

static int write_cell(rowtide__crdt *engine, int place,
                      const rowtide_value *value, int exists)
{
    rowtide__crdt_column *column = &engine->merge->table->columns[place];
    if (exists) {
        int rc = run_keyed(engine, &column->update, "UPDATE", column->name,
                           value);
        if (rc != ROWTIDE_OK || sqlite3_changes(engine->sqlite) > 0)
            return rc;
    }
    return check_changed(engine, run_keyed(engine, &column->upsert, "INSERT",
                                           column->name, value));
}

int rowtide__merge_write_cell(rowtide__crdt *engine, int place,
                              const rowtide_value *value, int exists)
{
    begin_write(engine, place);
    return write_cell(engine, place, value, exists);
}

/* ## Several cells at once */

static int bind_cells(cache *held, sqlite3_stmt *stmt)
{
    int first = held->table->key_count + 1;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < held->count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_bind(stmt, first + i, &held->cells[i].value);
    return rc;
}

int rowtide__merge_fail_schema(void)
{
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "the schema was changed in the middle of a merge");
}

int rowtide__merge_is_refused(const rowtide__crdt *engine, int rc)
{
    return (rc == ROWTIDE_ECONSTRAINT || rc == ROWTIDE_ESQL
            || rc == ROWTIDE_ETOOBIG)
           && !sqlite3_get_autocommit(engine->sqlite);
}

/* ROWTIDE_DONE if it cannot be done at once. */
static int write_set(rowtide__crdt *engine, int exists)
{
    cache *held = engine->merge;
    sqlite3_stmt *stmt;
    int rc = rowtide__merge_find_set(
        engine, held->table, exists ? ROWTIDE__SET_OLD : ROWTIDE__SET_NEW,
        held->places, held->count, &stmt);
    if (rc == ROWTIDE_OK && !stmt)
        return ROWTIDE_DONE;
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_bind(held->table, stmt, 1, &held->row);
    if (rc == ROWTIDE_OK)
        rc = bind_cells(held, stmt);
    if (rc == ROWTIDE_OK)
        rc = run_untracked(engine, stmt);
    if (rc == ROWTIDE_OK && exists && sqlite3_changes(engine->sqlite) == 0)
        return write_set(engine, 0);
    return check_changed(engine, rc);
}

static int write_each(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int exists = held->exists;
    for (int i = 0; i < held->count; i++) {
        int place = held->places[i];
        int rc = write_cell(engine, place, &held->cells[i].value, exists);
        if (rc != ROWTIDE_OK && !held->table)
            return rc;
        if (rc != ROWTIDE_OK)
            return rowtide__merge_name(held->table->name, held->pk.data,
                                       held->pk.size,
                                       held->table->columns[place].name);
        exists = 1;
    }
    return ROWTIDE_OK;
}

static int write_cells(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = ROWTIDE_DONE;
    if (held->generation != engine->generation)
        return rowtide__merge_fail_schema();
    for (int i = 0; i < held->count; i++)
        if (held->cells[i].value.size > 0)
            held->cells[i].value.data = (const char *)held->bytes.data
                                        + held->cells[i].at;
    if (held->count > 1)
        rc = write_set(engine, held->exists);
    /* A trigger may have ended the transaction. */
    if (rc == ROWTIDE_OK || !held->table)
        return rc;
    /* Which of them was it? */
    if (rc == ROWTIDE_DONE || rowtide__merge_is_refused(engine, rc))
        return write_each(engine);
    return rowtide__merge_name(held->table->name, held->pk.data, held->pk.size,
                               held->table->columns[held->places[0]].name);
}

int rowtide__merge_write_held(rowtide__crdt *engine)
{
    begin_write(engine, -1);
    int rc = write_cells(engine);
    return rc == ROWTIDE_OK ? rowtide__merge_settle(engine, 0) : rc;
}
