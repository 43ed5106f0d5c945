#include "crdt/enable.h"
#include "crdt/local.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

/* Between begin and commit a table has triggers that do not name its columns
 * (alter_track.c). What is written when it has none, because it was dropped and
 * made anew, is found out afterwards, as far as rows came or went. */

static rowtide__crdt_table *find_any(rowtide__crdt *engine, const char *name)
{
    rowtide__crdt_table *found = NULL, *table;
    for (table = engine->tables; table; table = table->next)
        if ((!table->dropped || table->altering)
            && sqlite3_stricmp(table->name, name) == 0)
            found = table;
    return found;
}

/* The one that is being altered, under another name by now. */
static rowtide__crdt_table *find_renamed(rowtide__crdt *engine)
{
    rowtide__crdt_table *table = engine->tables;
    while (table && !table->altering)
        table = table->next;
    return table;
}

static int begin_table(rowtide__crdt *engine, const char *name)
{
    int rc = rowtide__crdt_refresh(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_fold(engine);
    rowtide__crdt_table *table = find_any(engine, name);
    if (rc != ROWTIDE_OK || !table)
        return rc;
    if (!table->dropped && !table->altering) {
        rc = rowtide__crdt_table_shape(engine, table);
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_begin_triggers(engine, table);
    }
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(engine);
    table->altering = rc == ROWTIDE_OK;
    return rc;
}

static void undo(rowtide__crdt *engine)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    rowtide__crdt_exec(engine, "ROLLBACK TO alter_crr");
    rowtide__crdt_exec(engine, "RELEASE alter_crr");
    rowtide__crdt_tables_forget(engine);
    rowtide__error_restore(&error);
}

int rowtide__crdt_begin_alter(rowtide__crdt *engine, const char *name)
{
    int rc = rowtide__crdt_exec(engine, "SAVEPOINT alter_crr");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = begin_table(engine, name);
    if (rc != ROWTIDE_OK)
        undo(engine);
    return rc;
}

/* ## Columns */

/* Their numbers stay, so that nobody else gets them. */
static int drop_columns(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    return rowtide__crdt_exec(
        engine,
        "UPDATE main.rowtide_crdt_column SET name = NULL WHERE table_id = %lld "
        "AND id > 0 AND name COLLATE NOCASE NOT IN (SELECT name FROM "
        "pragma_table_xinfo(%Q, 'main') WHERE pk = 0 AND hidden = 0)",
        (long long)table->id, table->name);
}

/* Numbers are not used again: old cells would be taken for new ones. */
static int add_columns(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    return rowtide__crdt_exec(
        engine,
        "INSERT INTO main.rowtide_crdt_column(table_id, id, name) "
        "SELECT %lld, %d + row_number() OVER (ORDER BY cid), name FROM "
        "pragma_table_xinfo(%Q, 'main') WHERE pk = 0 AND hidden = 0 AND "
        "name COLLATE NOCASE NOT IN (SELECT name FROM "
        "main.rowtide_crdt_column WHERE table_id = %lld AND id > 0 AND "
        "name IS NOT NULL)",
        (long long)table->id, table->max_column, table->name,
        (long long)table->id);
}

static int read_key(rowtide__crdt *engine, rowtide__crdt_table *table,
                    sqlite3_stmt *stmt, rowtide__key *key)
{
    rowtide_value values[64];
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_read_column(stmt, i, &values[i]);
    return rc == ROWTIDE_OK
               ? rowtide__key_pack(table, values, &engine->key, key)
               : rc;
}

static int set_cell(rowtide__crdt *engine, rowtide__crdt_table *table,
                    sqlite3_stmt *stmt, int id)
{
    rowtide__key key;
    rowtide__cell cell;
    int64_t version;
    int rc = read_key(engine, table, stmt, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, table, &key, &engine->work);
    if (rc != ROWTIDE_OK || rowtide__clock_find(&engine->work, id, &cell))
        return rc;
    rc = rowtide__crdt_next_version(engine, 0, &version);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_set(engine, &engine->work, id, version);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(engine, table, &key, &engine->work)
               : rc;
}

static int prepare_filled(rowtide__crdt *engine, rowtide__crdt_table *table,
                          const char *column, sqlite3_stmt **out)
{
    rowtide_buffer keys = ROWTIDE_BUFFER_INIT;
    sqlite3_stmt *ask = NULL;
    int rc = rowtide__crdt_write_keys(table, &keys);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, &ask,
                                   "SELECT coalesce(dflt_value, 'NULL') FROM "
                                   "pragma_table_xinfo(%Q, 'main') WHERE name "
                                   "= %Q",
                                   table->name, column);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, ask);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(
            engine, out,
            "SELECT %s FROM main.\"%w\" WHERE \"%w\" IS NOT (%s) ORDER BY %s",
            keys.data, table->name, column,
            (const char *)sqlite3_column_text(ask, 0), keys.data);
    sqlite3_finalize(ask);
    rowtide_buffer_dispose(&keys);
    return rc;
}

/* Rows in which a new column has another value than its default. */
static int fill_column(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int place)
{
    sqlite3_stmt *stmt = NULL;
    int rc = prepare_filled(engine, table, table->columns[place].name, &stmt);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK)
        rc = set_cell(engine, table, stmt, table->columns[place].id);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## Rows */

static int is_present(rowtide__crdt *engine, rowtide__crdt_table *table,
                      const rowtide__key *key, int *out)
{
    int rc = rowtide__crdt_prepare_get(engine, table);
    table->reader = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_bind(table, table->get, 1, key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, table->get);
    *out = rc == ROWTIDE_OK;
    sqlite3_reset(table->get);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int delete_if_gone(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int64_t row)
{
    int present;
    rowtide__key key;
    int rc = rowtide__key_of_row(engine, table, row, &engine->key, &key);
    if (rc == ROWTIDE_OK)
        rc = is_present(engine, table, &key, &present);
    if (rc != ROWTIDE_OK || present)
        return rc;
    rc = rowtide__clock_load(engine, table, &key, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_delete(engine, &engine->work);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(engine, table, &key, &engine->work)
               : rc;
}

static int check_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                        sqlite3_stmt *stmt)
{
    int64_t rows, first = sqlite3_column_int64(stmt, 0);
    int rc = rowtide__clock_decode(&engine->work, &rows,
                                   sqlite3_column_blob(stmt, 1),
                                   (size_t)sqlite3_column_bytes(stmt, 1));
    if (rc != ROWTIDE_OK || rowtide__clock_length(&engine->work) % 2 == 0)
        return rc;
    for (int64_t i = 0; i < rows && rc == ROWTIDE_OK; i++)
        rc = delete_if_gone(engine, table, first + i);
    return rc;
}

/* The clocks are only read here; what is found goes to the pending ones. */
static int delete_gone(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(
        engine, &stmt, "SELECT first, clock FROM main.rowtide_crdt_rows_%lld",
        (long long)table->id);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK)
        rc = check_record(engine, table, stmt);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## Commit */

static int rebuild(rowtide__crdt *engine, rowtide__crdt_table *table,
                   const char *name)
{
    table->altering = 0;
    int rc = rowtide__crdt_forget_table(engine, table);
    rowtide__crdt_tables_forget(engine);
    return rc == ROWTIDE_OK ? rowtide__crdt_enable_table(engine, name) : rc;
}

static int take_in(rowtide__crdt *engine, rowtide__crdt_table *table,
                   int first_new)
{
    int rc = rowtide__crdt_backfill(engine, table);
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK; i++)
        if (table->columns[i].id > first_new)
            rc = fill_column(engine, table, i);
    return rc == ROWTIDE_OK ? delete_gone(engine, table) : rc;
}

static int renew(rowtide__crdt *engine, rowtide__crdt_table *table,
                 const char *name)
{
    int first_new = table->max_column;
    int rc = drop_columns(engine, table);
    if (rc == ROWTIDE_OK)
        rc = add_columns(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_drop_triggers(engine, table->registered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_drop_views(engine, table->registered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine,
                                "UPDATE main.rowtide_crdt_table SET name = %Q "
                                "WHERE id = %lld",
                                table->name, (long long)table->id);
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_shape(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_create_triggers(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_create_views(engine, table);
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_find(engine, name, &table);
    return rc == ROWTIDE_OK ? take_in(engine, table, first_new) : rc;
}

static int set_name(rowtide__crdt_table *table, const char *name)
{
    char *copy = rowtide__strdup(name);
    if (!copy)
        return ROWTIDE_ENOMEM;
    rowtide__free(table->name);
    table->name = copy;
    return ROWTIDE_OK;
}

static int commit_table(rowtide__crdt *engine, const char *name)
{
    int64_t exists;
    int rc = rowtide__crdt_refresh(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_fold(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &exists, 0,
                                   "SELECT count(*) FROM main.sqlite_master "
                                   "WHERE type = 'table' AND name = %Q COLLATE "
                                   "NOCASE",
                                   name);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__crdt_table *table = find_any(engine, name);
    if (table && !exists)
        return rowtide__crdt_forget_table(engine, table);
    if (!table && exists && (table = find_renamed(engine)) != NULL)
        rc = set_name(table, name);
    if (!table)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "failed compacting tables post alteration: table "
                             "%s does not take part",
                             name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_check_table(engine, name);
    if (rc != ROWTIDE_OK)
        return rowtide__fail_context("failed compacting tables post "
                                     "alteration");
    rc = rowtide__crdt_table_shape(engine, table);
    if (rc == ROWTIDE_OK)
        rc = table->keys_changed ? rebuild(engine, table, name)
                                 : renew(engine, table, name);
    return rc;
}

/* Without begin_alter there is no savepoint to release. */
static int release(rowtide__crdt *engine)
{
    if (sqlite3_get_autocommit(engine->sqlite))
        return ROWTIDE_OK;
    int rc = sqlite3_exec(engine->sqlite, "RELEASE alter_crr", NULL, NULL,
                          NULL);
    return rc == SQLITE_OK || rc == SQLITE_ERROR
               ? ROWTIDE_OK
               : rowtide__crdt_fail_sql(engine, rc, "%s", "");
}

int rowtide__crdt_commit_alter(rowtide__crdt *engine, const char *name)
{
    int rc = rowtide__crdt_atomically(engine, name, commit_table);
    if (rc == ROWTIDE_OK)
        rc = release(engine);
    else if (!sqlite3_get_autocommit(engine->sqlite))
        undo(engine);
    return rc;
}

/* `name` is of no use: there is one savepoint for all. */
int rowtide__crdt_rollback_alter(rowtide__crdt *engine, const char *name)
{
    (void)name;
    int rc = rowtide__crdt_exec(engine, "ROLLBACK TO alter_crr");
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine, "RELEASE alter_crr");
    else
        rowtide__fail_context("no alteration has begun");
    rowtide__crdt_tables_forget(engine);
    return rc;
}
