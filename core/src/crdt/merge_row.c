#include "crdt/local.h"
#include "crdt/merge.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

typedef struct rowtide__merge_cache cache;

/* Statements that write several columns at once. */
enum { SETS = 8 };

typedef struct set {
    sqlite3_stmt *stmt;
    int exists, count;
    int *places;
} set;

struct rowtide__sets {
    set sets[SETS];
    int count;
};

void rowtide__sets_free(rowtide__sets *sets)
{
    for (int i = 0; sets && i < sets->count; i++) {
        sqlite3_finalize(sets->sets[i].stmt);
        rowtide__free(sets->sets[i].places);
    }
    rowtide__free(sets);
}

/* ## Running */

/* While a merge writes, the row that it writes is not tracked. */
static int run_untracked(rowtide__crdt *engine, sqlite3_stmt *stmt)
{
    int guarded = rowtide__merge_read_guarded(engine, engine->merge->table);
    if (guarded != ROWTIDE_OK)
        return guarded;
    int bit = engine->sync_bit;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    engine->sync_bit = 1;
    engine->merging = !bit;
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
    if (rc == ROWTIDE_OK && column
        && rowtide__crdt_bind(*stmt, held->table->key_count + 1, value)
               != SQLITE_OK)
        rc = rowtide__nomem();
    return rc == ROWTIDE_OK ? run_untracked(engine, *stmt) : rc;
}

static int is_row(const cache *held, const rowtide__crdt_table *table,
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
    *out = rc == ROWTIDE_OK && is_row(held, held->table, &key);
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

static int is_set(const cache *held, const set *made, int exists)
{
    if (made->exists != exists || made->count != held->count)
        return 0;
    for (int i = 0; i < held->count; i++)
        if (made->places[i] != held->cells[i].place)
            return 0;
    return 1;
}

static int prepare_set(rowtide__crdt *engine, int exists, set *out)
{
    cache *held = engine->merge;
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    memset(out, 0, sizeof *out);
    out->exists = exists;
    out->count = held->count;
    out->places = rowtide__alloc_array((size_t)held->count,
                                       sizeof *out->places);
    if (!out->places)
        return ROWTIDE_ENOMEM;
    for (int i = 0; i < held->count; i++)
        out->places[i] = held->cells[i].place;
    int rc = rowtide__crdt_write_row(held->table, exists, out->places,
                                     out->count, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_watch(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, &out->stmt, "%s", sql.data);
    rowtide_buffer_dispose(&sql);
    if (rc != ROWTIDE_OK)
        rowtide__free(out->places);
    return rc;
}

/* *out is NULL if there are too many of them. */
static int find_set(rowtide__crdt *engine, int exists, sqlite3_stmt **out)
{
    cache *held = engine->merge;
    rowtide__sets **sets = &held->table->sets;
    *out = NULL;
    if (!*sets)
        *sets = rowtide__alloc_zero(sizeof **sets);
    if (!*sets)
        return ROWTIDE_ENOMEM;
    for (int i = 0; i < (*sets)->count; i++)
        if (is_set(held, &(*sets)->sets[i], exists)) {
            *out = (*sets)->sets[i].stmt;
            return ROWTIDE_OK;
        }
    if ((*sets)->count == SETS)
        return ROWTIDE_OK;
    set *made = &(*sets)->sets[(*sets)->count];
    int rc = prepare_set(engine, exists, made);
    if (rc != ROWTIDE_OK)
        return rc;
    (*sets)->count++;
    *out = made->stmt;
    return ROWTIDE_OK;
}

static int bind_cells(cache *held, sqlite3_stmt *stmt)
{
    int first = held->table->key_count + 1;
    for (int i = 0; i < held->count; i++)
        if (rowtide__crdt_bind(stmt, first + i, &held->cells[i].value)
            != SQLITE_OK)
            return rowtide__nomem();
    return ROWTIDE_OK;
}

/* ROWTIDE_DONE if it cannot be done at once. */
static int write_set(rowtide__crdt *engine, int exists)
{
    cache *held = engine->merge;
    sqlite3_stmt *stmt;
    int rc = find_set(engine, exists, &stmt);
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
        const rowtide__held *cell = &held->cells[i];
        int rc = write_cell(engine, cell->place, &cell->value, exists);
        if (rc != ROWTIDE_OK && !held->table)
            return rc;
        if (rc != ROWTIDE_OK)
            return rowtide__merge_name(held->table->name, held->pk.data,
                                       held->pk.size,
                                       held->table->columns[cell->place].name);
        exists = 1;
    }
    return ROWTIDE_OK;
}

static int write_held(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = ROWTIDE_DONE;
    if (held->generation != engine->generation)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "the schema was changed in the middle of a merge");
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
    if (rc == ROWTIDE_DONE
        || ((rc == ROWTIDE_ECONSTRAINT || rc == ROWTIDE_ESQL)
            && !sqlite3_get_autocommit(engine->sqlite)))
        return write_each(engine);
    return rowtide__merge_name(held->table->name, held->pk.data, held->pk.size,
                               held->table->columns[held->cells[0].place].name);
}

/* ## Holding */

void rowtide__merge_rollback_to(rowtide__crdt *engine)
{
    /* A statement of ours that fails undoes itself. */
    if (engine->merge && !engine->merge->writing)
        rowtide__merge_discard(engine);
}

void rowtide__merge_discard(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    if (!held)
        return;
    held->count = held->unsaved = held->statement = 0;
    held->table = NULL;
    rowtide__buffer_clear(&held->bytes);
}

int rowtide__merge_flush(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = ROWTIDE_OK;
    if (!held || !held->table || held->writing
        || (held->count == 0 && !held->unsaved))
        return ROWTIDE_OK;
    held->writing = 1;
    if (held->count > 0) {
        begin_write(engine, -1);
        rc = write_held(engine);
        if (rc == ROWTIDE_OK)
            rc = rowtide__merge_settle(engine, 0);
    }
    if (rc == ROWTIDE_OK && held->unsaved)
        rc = rowtide__crdt_put(engine, held->table, &held->row, &held->clock);
    held->writing = 0;
    if (rc != ROWTIDE_OK) {
        rowtide__merge_discard(engine);
        return rowtide__crdt_failed(engine, rc);
    }
    held->count = held->unsaved = 0;
    rowtide__buffer_clear(&held->bytes);
    return ROWTIDE_OK;
}

int rowtide__merge_leave(rowtide__crdt *engine)
{
    cache *held = engine->merge;
    int rc = rowtide__merge_flush(engine);
    if (held && !held->writing)
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
    return engine->merging && is_row(engine->merge, table, key);
}

int rowtide__merge_is_set(const rowtide__crdt *engine, int place)
{
    const cache *held = engine->merge;
    for (int i = 0; i < held->count; i++)
        if (held->cells[i].place == place)
            return 1;
    return held->place == place;
}

int rowtide__merge_yield(rowtide__crdt *engine, rowtide__crdt_table *table,
                         const rowtide__key *key)
{
    cache *held = engine->merge;
    if (!held || !held->table || engine->merging)
        return ROWTIDE_OK;
    /* It has been written to already: too late for what came before. */
    if (held->count > 0 && is_row(held, table, key))
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "this row is being merged: end the merge first");
    return rowtide__merge_leave(engine);
}

static int add_cell(cache *held, int at, int place)
{
    if (held->count == held->capacity) {
        int capacity = held->capacity * 2 + 16;
        rowtide__held *cells = rowtide__realloc(
            held->cells, (size_t)capacity * sizeof *cells);
        if (!cells)
            return ROWTIDE_ENOMEM;
        held->cells = cells;
        held->capacity = capacity;
    }
    memmove(held->cells + at + 1, held->cells + at,
            (size_t)(held->count - at) * sizeof *held->cells);
    held->cells[at].place = place;
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
    while (at > 0 && held->cells[at - 1].place >= place)
        at--;
    if (held->count == 0)
        held->exists = exists;
    if (rc == ROWTIDE_OK
        && (at == held->count || held->cells[at].place != place))
        rc = add_cell(held, at, place);
    if (rc != ROWTIDE_OK)
        return rc;
    held->cells[at].value = *value;
    held->cells[at].value.data = NULL;
    held->cells[at].at = start;
    return ROWTIDE_OK;
}
