#include "schema/plan.h"
#include "schema/steps_make.h"
#include "base/alloc.h"
#include "base/error.h"
#include "db/sql.h"

#include <string.h>

enum { ROWS_PER_BATCH = 5000 };

/* Indexes and triggers go with their table. The plan makes those again that it
 * knows; ones that the model leaves out, and temporary triggers of this
 * connection, are found here. */
static const char SQL_REMEMBER[] =
    "SELECT type, name, sql, 0 FROM main.sqlite_schema"
    " WHERE tbl_name = %Q COLLATE NOCASE AND type IN ('index', 'trigger')"
    " AND sql IS NOT NULL"
    " UNION ALL SELECT type, name, sql, 1 FROM sqlite_temp_schema"
    " WHERE tbl_name = %Q COLLATE NOCASE AND type = 'trigger'";
static const char SQL_EXISTS[] =
    "SELECT 1 FROM %s WHERE type = %Q AND name = %Q";
static const char SQL_EDIT[] =
    "UPDATE main.sqlite_schema SET sql = ?1 WHERE type = 'table' AND name = ?2";

typedef struct remembered {
    const char *type, *name, *sql;
    int temporary;
} remembered;

static int copy_column(rowtide__arena *arena, sqlite3_stmt *stmt, int column,
                       const char **out)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (!text)
        return rowtide__nomem();
    return rowtide__name_copy(arena, text, strlen(text), out);
}

static int remember_row(rowtide__list *list, sqlite3_stmt *stmt)
{
    remembered *item = rowtide__arena_alloc(list->arena, sizeof *item);
    if (!item)
        return ROWTIDE_ENOMEM;
    int rc = copy_column(list->arena, stmt, 0, &item->type);
    if (rc == ROWTIDE_OK)
        rc = copy_column(list->arena, stmt, 1, &item->name);
    if (rc == ROWTIDE_OK)
        rc = copy_column(list->arena, stmt, 2, &item->sql);
    item->temporary = sqlite3_column_int(stmt, 3);
    return rc == ROWTIDE_OK ? rowtide__list_add(list, item) : rc;
}

static int remember(rowtide_db *db, const char *table, rowtide__list *list)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_REMEMBER, table, table);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK
           && (rc = remember_row(list, stmt)) == ROWTIDE_OK)
        ;
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int make_again(rowtide_db *db, const remembered *item)
{
    int64_t exists;
    int rc = rowtide__sql_integer(db, &exists, 0, SQL_EXISTS,
                                  item->temporary ? "sqlite_temp_schema"
                                                  : "main.sqlite_schema",
                                  item->type, item->name);
    if (rc != ROWTIDE_OK || exists)
        return rc;
    if (!item->temporary)
        return rowtide__sql_script(db, item->sql);
    /* SQLite stores it without its TEMP. */
    size_t skip = strlen("CREATE ");
    return strlen(item->sql) > skip
               ? rowtide__sql_exec(db, "CREATE TEMP %s", item->sql + skip)
               : ROWTIDE_OK;
}

/* ## Rows */

static int count_rows(const rowtide__run *run, const rowtide__step *step,
                      int64_t *out)
{
    return rowtide__sql_integer(run->db, out, 0,
                                "SELECT count(*) FROM main.\"%w\"",
                                step->old_table->view.name);
}

/* The smallest rowid of all is above no other. */
static int can_copy_some(const rowtide__run *run, const rowtide__step *step,
                         int *out)
{
    int64_t found = 0;
    *out = 0;
    if (!step->copy_some || !run->options.progress)
        return ROWTIDE_OK;
    int rc = rowtide__sql_integer(
        run->db, &found, 0,
        "SELECT 1 FROM main.\"%w\" WHERE \"%w\" = -9223372036854775808",
        step->old_table->view.name, rowtide__table_rowid_name(step->old_table));
    *out = !found;
    return rc;
}

static int copy_batch(rowtide__run *run, sqlite3_stmt *insert,
                      sqlite3_stmt *last, int64_t *rowid, int64_t *rows)
{
    sqlite3_bind_int64(insert, 1, *rowid);
    sqlite3_bind_int64(insert, 2, ROWS_PER_BATCH);
    int rc = rowtide__sql_run(run->db, insert);
    if (rc != ROWTIDE_OK)
        return rc;
    *rows = sqlite3_changes64(run->sqlite);
    rc = rowtide__sql_step(run->db, last);
    *rowid = sqlite3_column_int64(last, 0);
    sqlite3_reset(last);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* In batches, with a look at the clock between them, rather than with SQLite's
 * progress handler: a connection has only one, and the application's own could
 * not be put back. */
static int copy_in_batches(rowtide__run *run, const rowtide__step *step,
                           int64_t total, int64_t *copied)
{
    sqlite3_stmt *insert = NULL, *last = NULL;
    int64_t rowid = INT64_MIN, rows = 0;
    *copied = 0;
    int rc = rowtide__sql_prepare(run->db, &insert, "%s", step->copy_some);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_prepare(run->db, &last, "%s", step->last_copied);
    do {
        if (rc == ROWTIDE_OK)
            rc = copy_batch(run, insert, last, &rowid, &rows);
        *copied += rows;
        if (rc == ROWTIDE_OK)
            rc = rowtide__run_progress(run, "rebuild", *copied, total,
                                       step->view.table);
    } while (rc == ROWTIDE_OK && rows == ROWS_PER_BATCH);
    sqlite3_finalize(insert);
    sqlite3_finalize(last);
    return rc;
}

static int copy_rows(rowtide__run *run, const rowtide__step *step,
                     int64_t *copied)
{
    int64_t total = 0;
    int some = 0;
    int rc = count_rows(run, step, &total);
    if (rc == ROWTIDE_OK)
        rc = can_copy_some(run, step, &some);
    if (rc != ROWTIDE_OK)
        return rc;
    if (some) {
        rc = copy_in_batches(run, step, total, copied);
    } else {
        rc = rowtide__sql_script(run->db, step->body[step->copy_at]);
        *copied = sqlite3_changes64(run->sqlite);
    }
    if (rc == ROWTIDE_OK && *copied != total)
        rc = rowtide__fail(ROWTIDE_ECORRUPT,
                           "table \"%s\" has %lld rows, of which %lld could be "
                           "read",
                           step->view.table, (long long)total,
                           (long long)*copied);
    return rc;
}

/* ## All of it */

static int check_transaction(const rowtide__run *run)
{
    return sqlite3_get_autocommit(run->sqlite)
               ? rowtide__fail(ROWTIDE_EMISUSE,
                               "the transaction was ended by other code")
               : ROWTIDE_OK;
}

/* The caller knows nothing of the name that the table has meanwhile. */
static void name_table(const rowtide__step *step)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    const char *name = step->old_table->view.name;
    size_t size = strlen(step->spare), name_size = strlen(name);
    char *at = error.message;
    while ((at = strstr(at, step->spare)) != NULL) {
        memcpy(at, name, name_size);
        memmove(at + name_size, at + size, strlen(at + size) + 1);
        at += name_size;
    }
    rowtide__error_restore(&error);
}

static int run_body(rowtide__run *run, const rowtide__step *step,
                    int64_t *rows_out)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; step->body[i] && rc == ROWTIDE_OK; i++) {
        rc = rowtide__run_progress(run, "rebuild", *rows_out, -1,
                                   step->view.table);
        if (rc == ROWTIDE_OK)
            rc = i == step->copy_at
                     ? copy_rows(run, step, rows_out)
                     : rowtide__sql_script(run->db, step->body[i]);
        if (rc == ROWTIDE_OK)
            rc = check_transaction(run);
    }
    if (rc < 0)
        name_table(step);
    return rc;
}

static int rebuild(rowtide__run *run, const rowtide__step *step,
                   rowtide__list *objects, int64_t *rows_out)
{
    int64_t before, after = 0;
    const char *table = step->old_table->view.name;
    int rc = rowtide__count_referring(run, table, &before);
    if (rc == ROWTIDE_OK)
        rc = remember(run->db, table, objects);
    if (rc == ROWTIDE_OK)
        rc = run_body(run, step, rows_out);
    for (size_t i = 0; i < objects->count && rc == ROWTIDE_OK; i++)
        rc = make_again(run->db, objects->items[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__count_referring(run, table, &after);
    if (rc == ROWTIDE_OK && before != after)
        rc = rowtide__fail(ROWTIDE_EINTERNAL,
                           "tables that refer to it had %lld rows and have "
                           "%lld",
                           (long long)before, (long long)after);
    return rc;
}

int rowtide__run_rebuild(rowtide__run *run, const rowtide__step *step,
                         int64_t *rows_out)
{
    rowtide__arena arena = {0};
    rowtide__list objects = {.arena = &arena};
    *rows_out = 0;
    int legacy = rowtide__setting(run->sqlite,
                                  SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, -1);
    rowtide__setting(run->sqlite, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1);
    int rc = rebuild(run, step, &objects, rows_out);
    rowtide__setting(run->sqlite, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, legacy);
    rowtide__arena_dispose(&arena);
    return rc;
}

/* ## The stored text */

static int write_text(rowtide__run *run, const rowtide__step *step)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(run->db, &stmt, SQL_EDIT);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_text(stmt, 1, step->table_sql, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, step->old_table->view.name, -1, SQLITE_STATIC);
    rc = rowtide__sql_run(run->db, stmt);
    sqlite3_finalize(stmt);
    if (rc == ROWTIDE_OK && sqlite3_changes(run->sqlite) != 1)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "its text is not to be found");
    return rc;
}

/* So that other connections read the schema again, and this one does if the
 * transaction is rolled back: SQLite notes that the schema has changed, and
 * forgets it when it reads it anew, so this is done once more after that. */
static int announce(rowtide__run *run)
{
    int64_t version = 0;
    int rc = rowtide__sql_integer(run->db, &version, 0,
                                  "PRAGMA main.schema_version");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_exec(run->db, "PRAGMA main.schema_version = %lld",
                               (long long)version + 1);
    return rc;
}

/* Makes this connection read it again; what does not parse comes out here. */
static int read_back(rowtide__run *run, const rowtide__step *step)
{
    sqlite3_stmt *stmt;
    int64_t same = 0;
    int rc = rowtide__sql_exec(run->db, "PRAGMA writable_schema=RESET");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_prepare(run->db, &stmt,
                                  "SELECT * FROM main.\"%w\" LIMIT 0",
                                  step->old_table->view.name);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_finalize(stmt);
    rc = rowtide__sql_integer(run->db, &same, 0,
                              "SELECT sql = %Q FROM main.sqlite_schema WHERE "
                              "type = 'table' AND name = %Q",
                              step->table_sql, step->old_table->view.name);
    return rc == ROWTIDE_OK && !same
               ? rowtide__fail(ROWTIDE_EINTERNAL, "its text was not changed")
               : rc;
}

int rowtide__run_edit(rowtide__run *run, const rowtide__step *step)
{
    rowtide__error_state error;
    int writable = rowtide__setting(run->sqlite,
                                    SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1);
    rowtide__setting(run->sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1);
    int rc = write_text(run, step);
    if (rc == ROWTIDE_OK)
        rc = announce(run);
    rowtide__setting(run->sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0);
    if (rc == ROWTIDE_OK)
        rc = read_back(run, step);
    if (rc == ROWTIDE_OK) {
        rc = announce(run);
    } else {
        rowtide__error_save(&error);
        announce(run);
        rowtide__error_restore(&error);
    }
    rowtide__setting(run->sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA, writable);
    return rc;
}
