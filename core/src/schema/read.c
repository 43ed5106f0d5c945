#include "schema/read.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

int rowtide__sqlite_fail(sqlite3 *sqlite, int sqlite_rc, const char *context)
{
    int extended = sqlite_rc;
    const char *message = sqlite3_errstr(sqlite_rc);
    int64_t offset = -1;
    if (((sqlite3_errcode(sqlite) ^ sqlite_rc) & 0xff) == 0) {
        extended = sqlite3_extended_errcode(sqlite);
        message = sqlite3_errmsg(sqlite);
        offset = sqlite3_error_offset(sqlite);
    }
    int code = rowtide__code_from_sqlite(extended);
    rowtide__fail_at(code, offset, "%s%s%s", context, context[0] ? ": " : "",
                     message);
    rowtide__error_sqlite_code(extended);
    return code;
}

/* ## What is left out */

static int starts_with(const char *name, const char *prefix)
{
    return sqlite3_strnicmp(name, prefix, (int)strlen(prefix)) == 0;
}

static int is_internal(const char *name)
{
    return starts_with(name, "rowtide_") || starts_with(name, "crsql_")
           || strstr(name, "__crsql_") != NULL;
}

static int is_named(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (rowtide__name_equal(*names, name))
            return 1;
    return 0;
}

static int is_wanted(const rowtide__reading *it, const rowtide__row *row)
{
    if (starts_with(row->name, "sqlite_"))
        return 0;
    if (!it->options.internal
        && (is_internal(row->name) || is_internal(row->table)))
        return 0;
    return !it->options.tables || is_named(it->options.tables, row->table);
}

/* ## Rows */

static int copy_cell(rowtide__reading *it, sqlite3_stmt *stmt, int column,
                     const char **out)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (!text)
        return sqlite3_column_type(stmt, column) == SQLITE_NULL
                   ? ROWTIDE_OK
                   : rowtide__nomem();
    size_t size = (size_t)sqlite3_column_bytes(stmt, column);
    return rowtide__name_copy(it->arena, text, size, out);
}

/* Indexes that SQLite makes for itself have no SQL. */
static int add_row(rowtide__reading *it, sqlite3_stmt *stmt)
{
    rowtide__row *row = rowtide__arena_zero(it->arena, sizeof *row);
    int rc = row ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, 0, &row->type);
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, 1, &row->name);
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, 2, &row->table);
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, 3, &row->sql);
    if (rc != ROWTIDE_OK || !row->type || !row->name || !row->table || !row->sql
        || !is_wanted(it, row))
        return rc;
    return rowtide__list_add(&it->rows, row);
}

static int prepare(rowtide__reading *it, const char *what, sqlite3_stmt **out)
{
    *out = NULL;
    char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\".sqlite_schema "
                                "ORDER BY rowid",
                                what, it->options.schema);
    if (!sql)
        return rowtide__nomem();
    int rc = sqlite3_prepare_v2(it->sqlite, sql, -1, out, NULL);
    sqlite3_free(sql);
    return rc == SQLITE_OK ? ROWTIDE_OK
                           : rowtide__sqlite_fail(it->sqlite, rc, "schema");
}

static int read_rows(rowtide__reading *it)
{
    sqlite3_stmt *stmt;
    int sqlite_rc = SQLITE_DONE;
    int rc = prepare(it, "type, name, tbl_name, sql", &stmt);
    while (rc == ROWTIDE_OK && (sqlite_rc = sqlite3_step(stmt)) == SQLITE_ROW)
        rc = add_row(it, stmt);
    if (rc == ROWTIDE_OK && sqlite_rc != SQLITE_DONE)
        rc = rowtide__sqlite_fail(it->sqlite, sqlite_rc, "schema");
    sqlite3_finalize(stmt);
    return rc;
}

/* ## Objects */

/* NULL if there is one of that name, which SQLite prevents. */
static rowtide__entry *new_entry(rowtide__reading *it, const char *name)
{
    rowtide__entry *entry = rowtide__schema_entry(it->model, name);
    if (!entry || entry->name)
        return NULL;
    entry->name = name;
    entry->indexes.arena = entry->triggers.arena = it->arena;
    return entry;
}

static void empty_table(rowtide_schema_table *table)
{
    rowtide__list nothing = {NULL, NULL, 0, 0};
    const void *list = rowtide__list_finish(&nothing);
    table->columns = list;
    table->keys = list;
    table->checks = list;
    table->foreign_keys = list;
}

static int fill_table(rowtide__reading *it, rowtide__table *table)
{
    rowtide_schema_table *view = &table->view;
    if (table->ddl && table->ddl->kind == ROWTIDE__DDL_TABLE)
        return rowtide__read_table(it, table);
    int is_virtual = starts_with(view->sql, "CREATE VIRTUAL");
    if (table->ddl && table->ddl->kind != ROWTIDE__DDL_VIRTUAL_TABLE)
        table->ddl = NULL;
    if (!is_virtual)
        return rowtide__read_unparsed(it, table);
    it->kinds_needed = 1;
    view->kind = ROWTIDE_TABLE_VIRTUAL;
    view->module = table->ddl ? table->ddl->module : NULL;
    return rowtide__read_columns(it, view->name, &view->columns);
}

static int add_table(rowtide__reading *it, const rowtide__row *row)
{
    rowtide__entry *entry = new_entry(it, row->name);
    if (!entry)
        return ROWTIDE_OK;
    entry->table = rowtide__arena_zero(it->arena, sizeof *entry->table);
    if (!entry->table)
        return ROWTIDE_ENOMEM;
    entry->table->view.name = row->name;
    entry->table->view.sql = row->sql;
    empty_table(&entry->table->view);
    int rc = rowtide__read_ddl(it->arena, row->sql, &entry->table->ddl);
    if (rc == ROWTIDE_OK)
        rc = fill_table(it, entry->table);
    return rc == ROWTIDE_OK ? rowtide__list_add(&it->tables, entry->table) : rc;
}

static int add_view(rowtide__reading *it, const rowtide__row *row)
{
    rowtide__entry *entry = it->options.tables ? NULL
                                               : new_entry(it, row->name);
    if (!entry)
        return ROWTIDE_OK;
    entry->view = rowtide__arena_zero(it->arena, sizeof *entry->view);
    if (!entry->view)
        return ROWTIDE_ENOMEM;
    entry->view->view.name = row->name;
    entry->view->view.sql = row->sql;
    int rc = rowtide__read_ddl(it->arena, row->sql, &entry->view->ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__read_columns(it, row->name, &entry->view->view.columns);
    return rc == ROWTIDE_OK ? rowtide__list_add(&it->views, entry->view) : rc;
}

static int add_index(rowtide__reading *it, rowtide__entry *entry,
                     const rowtide__row *row)
{
    rowtide__index *index = rowtide__arena_zero(it->arena, sizeof *index);
    int rc = index ? rowtide__read_index(it->arena, row, index)
                   : ROWTIDE_ENOMEM;
    return rc == ROWTIDE_OK ? rowtide__list_add(&entry->indexes, index) : rc;
}

static int add_trigger(rowtide__reading *it, rowtide__entry *entry,
                       const rowtide__row *row)
{
    rowtide__trigger *trigger = rowtide__arena_zero(it->arena, sizeof *trigger);
    int rc = trigger ? rowtide__read_trigger(it->arena, row, trigger)
                     : ROWTIDE_ENOMEM;
    return rc == ROWTIDE_OK ? rowtide__list_add(&entry->triggers, trigger) : rc;
}

/* What belongs to a table: there is an entry, unless it is a temporary trigger
 * on a table of another database. */
static int add_part(rowtide__reading *it, const rowtide__row *row)
{
    rowtide__entry *entry = rowtide__schema_entry(it->model, row->table);
    if (!entry || !entry->name)
        return ROWTIDE_OK;
    if (strcmp(row->type, "index") == 0)
        return add_index(it, entry, row);
    if (strcmp(row->type, "trigger") == 0)
        return add_trigger(it, entry, row);
    return ROWTIDE_OK;
}

static int add_objects(rowtide__reading *it)
{
    int rc = rowtide__schema_reserve(it->model, it->rows.count);
    for (size_t i = 0; i < it->rows.count && rc == ROWTIDE_OK; i++) {
        const rowtide__row *row = it->rows.items[i];
        if (strcmp(row->type, "table") == 0)
            rc = add_table(it, row);
        else if (strcmp(row->type, "view") == 0)
            rc = add_view(it, row);
    }
    for (size_t i = 0; i < it->rows.count && rc == ROWTIDE_OK; i++)
        rc = add_part(it, it->rows.items[i]);
    return rc;
}

static void finish(rowtide__reading *it)
{
    rowtide_schema *model = it->model;
    for (size_t i = 0; i < model->entry_room; i++) {
        rowtide__entry *entry = &model->entries[i];
        const void *triggers = rowtide__list_finish(&entry->triggers);
        if (entry->table) {
            entry->table->view.indexes = (const void *)rowtide__list_finish(
                &entry->indexes);
            entry->table->view.triggers = triggers;
        } else if (entry->view) {
            entry->view->view.triggers = triggers;
        }
    }
    model->contents.tables = (const void *)rowtide__list_finish(&it->tables);
    model->contents.views = (const void *)rowtide__list_finish(&it->views);
}

/* ## All of it */

static int read_options(const rowtide_schema_read_options *given,
                        rowtide_schema_read_options *out)
{
    *out = (rowtide_schema_read_options)ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    if (given && given->size < sizeof given->size)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "schema_read: size of the options is not set");
    if (given)
        memcpy(out, given,
               given->size < sizeof *out ? given->size : sizeof *out);
    if (!out->schema)
        out->schema = "main";
    return ROWTIDE_OK;
}

/* While a row of this is not read to its end, what is read stays as it is, and
 * no transaction has to be begun for that. */
static int hold(rowtide__reading *it, sqlite3_stmt **out)
{
    *out = NULL;
    if (sqlite3_db_readonly(it->sqlite, it->options.schema) < 0)
        return rowtide__fail(ROWTIDE_ENOTFOUND,
                             "schema: there is no database \"%s\"",
                             it->options.schema);
    int rc = prepare(it, "count(*)", out);
    if (rc != ROWTIDE_OK)
        return rc;
    int sqlite_rc = sqlite3_step(*out);
    return sqlite_rc == SQLITE_ROW
               ? ROWTIDE_OK
               : rowtide__sqlite_fail(it->sqlite, sqlite_rc, "schema");
}

static int read_all(rowtide__reading *it)
{
    rowtide__error_state before;
    sqlite3_stmt *held;
    rowtide__error_save(&before);
    int rc = hold(it, &held);
    if (rc == ROWTIDE_OK)
        rc = read_rows(it);
    if (rc == ROWTIDE_OK)
        rc = add_objects(it);
    if (rc == ROWTIDE_OK && it->kinds_needed)
        rc = rowtide__read_kinds(it);
    if (rc == ROWTIDE_OK)
        finish(it);
    sqlite3_finalize(held);
    /* Texts that could not be parsed were no error. */
    if (rc == ROWTIDE_OK)
        rowtide__error_restore(&before);
    return rc;
}

static rowtide_schema *new_model(void)
{
    rowtide_schema *model = rowtide__alloc_zero(sizeof *model);
    if (model)
        atomic_init(&model->references, 1);
    return model;
}

int rowtide__schema_read_with(sqlite3 *sqlite,
                              const rowtide_schema_read_options *options,
                              const rowtide__relation *relations, size_t count,
                              rowtide_schema **out)
{
    rowtide__reading it = {
        .sqlite = sqlite, .relations = relations, .relation_count = count};
    *out = NULL;
    int rc = read_options(options, &it.options);
    if (rc != ROWTIDE_OK)
        return rc;
    it.model = new_model();
    if (!it.model)
        return ROWTIDE_ENOMEM;
    it.arena = &it.model->arena;
    it.rows.arena = it.tables.arena = it.views.arena = it.arena;
    rc = read_all(&it);
    if (rc == ROWTIDE_OK)
        *out = it.model;
    else
        rowtide_schema_free(it.model);
    return rc;
}

int rowtide__schema_read_sqlite(sqlite3 *sqlite,
                                const rowtide_schema_read_options *options,
                                rowtide_schema **out)
{
    return rowtide__schema_read_with(sqlite, options, NULL, 0, out);
}

int rowtide_schema_read(rowtide_db *db,
                        const rowtide_schema_read_options *options,
                        rowtide_schema **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_read");
    *out = NULL;
    int rc = rowtide__db_enter(db, "schema_read");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__schema_read_sqlite(rowtide_db_sqlite(db), options, out);
    rowtide__db_leave(db);
    return rc;
}
