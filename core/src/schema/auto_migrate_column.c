#include "schema/auto_migrate.h"
#include "base/error.h"
#include "db/sql.h"
#include "db/transaction.h"
#include "schema/merging.h"

#include <string.h>

typedef rowtide__migration migration;

/* ## Definitions */

static int copy_span(migration *it, const rowtide__ddl *ddl, rowtide__span span,
                     const char **out)
{
    return rowtide__name_copy(&it->arena, ddl->text + span.at, span.size, out);
}

/* The definition of a column without its UNIQUE constraints. */
static int without_unique(migration *it, const rowtide__ddl *ddl,
                          const char *name, const char **out)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    for (;;) {
        const rowtide__ddl_column *column = rowtide__ddl_find_column(ddl, name);
        const rowtide__ddl_constraint *unique = rowtide__ddl_find_constraint(
            column, ROWTIDE__UNIQUE);
        if (!unique) {
            rc = copy_span(it, ddl, column->span, out);
            break;
        }
        const char *copy;
        rowtide__ddl *edited;
        rc = rowtide__edit_set_column_constraint(ddl, column, unique, NULL,
                                                 &text);
        if (rc == ROWTIDE_OK)
            rc = rowtide__name_copy(&it->arena, text.data, text.size, &copy);
        if (rc == ROWTIDE_OK)
            rc = rowtide__ddl_parse(copy, strlen(copy), &it->arena, &edited);
        if (rc != ROWTIDE_OK)
            break;
        ddl = edited;
    }
    rowtide_buffer_dispose(&text);
    return rc;
}

static int add_sql(migration *it, const char *table, const char *definition,
                   const char **out)
{
    rowtide_buffer name = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__name_write(table, &name);
    if (rc == ROWTIDE_OK) {
        *out = rowtide__arena_format(&it->arena,
                                     "ALTER TABLE main.%s ADD COLUMN %s",
                                     name.data, definition);
        rc = *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    rowtide_buffer_dispose(&name);
    return rc;
}

/* ## Why not */

/* Which SQLite never adds, whether the table has rows or not. */
static const char *never(const rowtide__ddl_column *column)
{
    const rowtide__ddl_constraint *c;
    if (rowtide__ddl_find_constraint(column, ROWTIDE__PRIMARY_KEY))
        return "it is part of the primary key, which a table has from the "
               "beginning";
    c = rowtide__ddl_find_constraint(column, ROWTIDE__GENERATED);
    if (c && c->stored)
        return "a generated column that is STORED cannot be added without "
               "rebuilding the table; one that is VIRTUAL can";
    c = rowtide__ddl_find_constraint(column, ROWTIDE__UNIQUE);
    if (c && c->on_conflict && strcmp(c->on_conflict, "ABORT") != 0)
        return "UNIQUE with an ON CONFLICT clause cannot be added without "
               "rebuilding the table";
    return NULL;
}

/* SQLite's words, and ours for them. */
static const char *because(const char *message)
{
    static const char *const words[][2] = {
        {"NOT NULL column with default",
         "the table has rows, which would have no value in it: NOT NULL "
         "without a default"},
        {"non-constant default",
         "the table has rows, and the default is no constant"},
        {"NOT NULL constraint",
         "the table has rows, in which it would be NULL"},
        {"CHECK constraint",
         "the table has rows, for which its CHECK does not hold"},
        {"REFERENCES column",
         "it refers to another table, and has a default that is not NULL, "
         "while foreign keys are on"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(message, words[i][0]))
            return words[i][1];
    return message;
}

static int refuse(migration *it, const rowtide__addition *addition)
{
    if (!rowtide__migration_is_refusal(it))
        return rowtide__fail_context("table \"%s\", column \"%s\"",
                                     addition->table, addition->name);
    return rowtide__migration_refuse(it, addition, "%s",
                                     because(rowtide_error_message()));
}

/* ## Adding */

static int add_plain(migration *it, const rowtide__addition *addition,
                     const char *definition)
{
    const char *sql;
    int rc = add_sql(it, addition->table, definition, &sql);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__sql_exec(it->db, "%s", sql);
    return rc == ROWTIDE_OK ? rowtide__migration_did(it, addition, sql)
                            : refuse(it, addition);
}

static int write_index(migration *it, const rowtide__addition *index,
                       const char *column, const char **out)
{
    *out = NULL;
    char *sql = sqlite3_mprintf(
        "CREATE UNIQUE INDEX main.\"%w\" ON \"%w\" (\"%w\")", index->name,
        index->table, column);
    if (!sql)
        return rowtide__nomem();
    int rc = rowtide__name_copy(&it->arena, sql, strlen(sql), out);
    sqlite3_free(sql);
    return rc;
}

/* Both statements or none: rows would all have the same default. */
static int run_both(migration *it, const char *add, const char *index)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(it->db, &transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_exec(it->db, "%s", add);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_exec(it->db, "%s", index);
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

/* A UNIQUE column is a column and a unique index. */
static int add_unique(migration *it, const rowtide__addition *addition,
                      const rowtide__ddl *ddl)
{
    const char *definition, *add, *create;
    rowtide__addition index = {ROWTIDE_OBJECT_INDEX, addition->table, NULL};
    int rc = without_unique(it, ddl, addition->name, &definition);
    if (rc == ROWTIDE_OK)
        rc = add_sql(it, addition->table, definition, &add);
    if (rc == ROWTIDE_OK)
        rc = rowtide__migration_name_index(it, addition->table, addition->name,
                                           &index.name);
    if (rc == ROWTIDE_OK)
        rc = write_index(it, &index, addition->name, &create);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = run_both(it, add, create);
    if (rc == ROWTIDE_ECONSTRAINT
        && strstr(rowtide_error_message(), "UNIQUE constraint"))
        return rowtide__migration_refuse(
            it, addition,
            "it is UNIQUE, and rows that are there "
            "would all have the same default");
    if (rc != ROWTIDE_OK)
        return refuse(it, addition);
    rc = rowtide__migration_did(it, addition, add);
    return rc == ROWTIDE_OK ? rowtide__migration_did(it, &index, create) : rc;
}

static int add_column(migration *it, const rowtide__table *want,
                      const rowtide__ddl_column *column,
                      const rowtide__addition *addition)
{
    const char *reason = never(column), *definition;
    int64_t merges;
    int rc = rowtide__merging_blocks(it->db, addition->table, &merges);
    if (rc != ROWTIDE_OK)
        return rc;
    if (merges)
        reason = rowtide__merging_reason;
    if (reason)
        return rowtide__migration_refuse(it, addition, "%s", reason);
    if (it->looking)
        return rowtide__migration_defer(it);
    if (rowtide__ddl_find_constraint(column, ROWTIDE__UNIQUE))
        return add_unique(it, addition, want->ddl);
    rc = copy_span(it, want->ddl, column->span, &definition);
    return rc == ROWTIDE_OK ? add_plain(it, addition, definition) : rc;
}

static int add_or_lose(migration *it, const rowtide__table *want,
                       const rowtide__ddl_column *column, const char *table)
{
    rowtide__addition addition = {ROWTIDE_OBJECT_COLUMN, table, column->name};
    int rc = add_column(it, want, column, &addition);
    return rc == ROWTIDE_DONE ? rowtide__migration_lose(it, &addition) : rc;
}

static int is_generated(const rowtide__ddl_column *column)
{
    return rowtide__ddl_find_constraint(column, ROWTIDE__GENERATED) != NULL;
}

int rowtide__migration_columns(migration *it, const rowtide__table *want,
                               const rowtide__table *have)
{
    int rc = ROWTIDE_OK;
    /* Those that are computed from others come behind them. */
    for (int generated = 0; generated < 2; generated++) {
        const rowtide__ddl_column *column = want->ddl->columns;
        for (; column && rc >= 0; column = column->next)
            if (is_generated(column) == generated
                && !rowtide__table_column(&have->view, column->name))
                rc = add_or_lose(it, want, column, have->view.name);
    }
    return rc < 0 ? rc : ROWTIDE_OK;
}
