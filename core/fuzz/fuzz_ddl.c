/* CREATE statements. What SQLite accepts and stores is parsed, with the same
 * columns; and what is parsed is taken apart and put together again: a column
 * that is added and dropped leaves the same statement behind. If the first byte
 * is above 127, the others are not text: each stands for a token. */
#include "base/arena.h"
#include "schema/ddl.h"

#include <rowtide/error.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* ## Spans */

static void check_span(const rowtide__ddl *ddl, rowtide__span span)
{
    require(span.at <= ddl->size && span.size <= ddl->size - span.at);
}

static void check_constraints(const rowtide__ddl *ddl,
                              const rowtide__ddl_constraint *c)
{
    for (; c; c = c->next) {
        check_span(ddl, c->span);
        check_span(ddl, c->body);
        check_span(ddl, c->table_span);
        require(c->span.size > 0);
        for (size_t i = 0; i < c->part_count; i++) {
            check_span(ddl, c->parts[i].span);
            check_span(ddl, c->parts[i].expression);
        }
    }
}

static void check(const rowtide__ddl *ddl)
{
    check_span(ddl, ddl->name_span);
    check_span(ddl, ddl->table_span);
    check_span(ddl, ddl->body);
    check_span(ddl, ddl->options);
    check_span(ddl, ddl->arguments);
    check_span(ddl, ddl->where);
    for (size_t i = 0; i < ddl->part_count; i++)
        check_span(ddl, ddl->parts[i].span);
    for (const rowtide__ddl_column *c = ddl->columns; c; c = c->next) {
        check_span(ddl, c->span);
        check_span(ddl, c->name_span);
        check_span(ddl, c->type_span);
        require(c->name && c->type);
        check_constraints(ddl, c->constraints);
    }
    check_constraints(ddl, ddl->constraints);
}

/* ## Editing */

static int same_constraints(const rowtide__ddl *a,
                            const rowtide__ddl_constraint *c,
                            const rowtide__ddl *b,
                            const rowtide__ddl_constraint *d)
{
    for (; c && d; c = c->next, d = d->next)
        if (c->span.size != d->span.size
            || memcmp(a->text + c->span.at, b->text + d->span.at, c->span.size)
                   != 0)
            return 0;
    return !c && !d;
}

static int same_columns(const rowtide__ddl *a, const rowtide__ddl *b)
{
    const rowtide__ddl_column *c = a->columns, *d = b->columns;
    for (; c && d; c = c->next, d = d->next)
        if (strcmp(c->name, d->name) != 0 || strcmp(c->type, d->type) != 0
            || !same_constraints(a, c->constraints, b, d->constraints))
            return 0;
    return !c && !d && same_constraints(a, a->constraints, b, b->constraints);
}

static void add_and_drop(const rowtide__ddl *ddl, rowtide__arena *arena)
{
    rowtide_buffer added = ROWTIDE_BUFFER_INIT, dropped = ROWTIDE_BUFFER_INIT;
    rowtide__ddl *more, *again;
    require(rowtide__edit_add_column(ddl, "fuzz TEXT CHECK (1)", &added) == 0);
    require(rowtide__ddl_parse(added.data, added.size, arena, &more) == 0);
    rowtide__ddl_column *last = more->columns;
    while (last->next)
        last = last->next;
    require(strcmp(last->name, "fuzz") == 0);
    require(rowtide__edit_drop_column(more, last, &dropped) == 0);
    require(rowtide__ddl_parse(dropped.data, dropped.size, arena, &again) == 0);
    require(same_columns(ddl, again));
    rowtide_buffer_dispose(&added);
    rowtide_buffer_dispose(&dropped);
}

static void normalize(const char *sql, size_t size)
{
    rowtide_buffer once = ROWTIDE_BUFFER_INIT, twice = ROWTIDE_BUFFER_INIT;
    require(rowtide__sql_normal(sql, size, &once) == 0);
    require(rowtide__sql_normal(once.data, once.size, &twice) == 0);
    require(once.size == twice.size
            && memcmp(once.data, twice.data, once.size) == 0);
    rowtide_buffer_dispose(&once);
    rowtide_buffer_dispose(&twice);
}

/* ## What SQLite says */

static const char *text_of(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

static void compare_columns(sqlite3 *sqlite, const rowtide__ddl *ddl)
{
    sqlite3_stmt *stmt = NULL;
    char *sql = sqlite3_mprintf("SELECT name, type, hidden FROM "
                                "pragma_table_xinfo(%Q)",
                                ddl->name);
    require(sql && sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == 0);
    const rowtide__ddl_column *column = ddl->columns;
    for (; sqlite3_step(stmt) == SQLITE_ROW; column = column->next) {
        require(column != NULL);
        require(strcmp(column->name, text_of(stmt, 0)) == 0);
        require(strcmp(column->type, text_of(stmt, 1)) == 0);
        require(
            (rowtide__ddl_find_constraint(column, ROWTIDE__GENERATED) != NULL)
            == (sqlite3_column_int(stmt, 2) != 0));
    }
    require(column == NULL);
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
}

static void compare_parts(sqlite3 *sqlite, const rowtide__ddl *ddl)
{
    sqlite3_stmt *stmt = NULL;
    char *sql = sqlite3_mprintf("SELECT name, desc FROM pragma_index_xinfo(%Q) "
                                "WHERE key",
                                ddl->name);
    require(sql && sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == 0);
    size_t i = 0;
    for (; sqlite3_step(stmt) == SQLITE_ROW; i++) {
        require(i < ddl->part_count);
        const char *name = text_of(stmt, 0);
        /* "a" may be a string, which is an expression. */
        require(!name
                || (ddl->parts[i].name
                    && rowtide__name_equal(ddl->parts[i].name, name)));
        require(ddl->parts[i].descending == sqlite3_column_int(stmt, 1));
    }
    require(i == ddl->part_count);
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
}

static void compare_stored(sqlite3 *sqlite, rowtide__arena *arena)
{
    sqlite3_stmt *stmt;
    require(sqlite3_prepare_v2(sqlite,
                               "SELECT type, name, sql FROM sqlite_schema "
                               "WHERE sql IS NOT NULL",
                               -1, &stmt, NULL)
            == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        rowtide__ddl *ddl;
        const char *sql = text_of(stmt, 2);
        require(rowtide__ddl_parse(sql, strlen(sql), arena, &ddl) == 0);
        check(ddl);
        require(strcmp(ddl->name, text_of(stmt, 1)) == 0);
        if (ddl->kind == ROWTIDE__DDL_TABLE) {
            compare_columns(sqlite, ddl);
            add_and_drop(ddl, arena);
        } else if (ddl->kind == ROWTIDE__DDL_INDEX) {
            compare_parts(sqlite, ddl);
        }
    }
    sqlite3_finalize(stmt);
}

static int give_up(void *user)
{
    (void)user;
    return 1;
}

static int begins_with_create(const char *sql)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    if (!rowtide__token_is(&lexer, &token, "create"))
        return 0;
    token = rowtide__lexer_next(&lexer);
    return !rowtide__token_is(&lexer, &token, "virtual");
}

static void ask_sqlite(const char *sql, rowtide__arena *arena)
{
    sqlite3 *sqlite;
    sqlite3_stmt *stmt = NULL;
    if (!begins_with_create(sql))
        return;
    require(sqlite3_open(":memory:", &sqlite) == SQLITE_OK);
    require(sqlite3_exec(sqlite,
                         "CREATE TABLE t(a, b, c TEXT COLLATE NOCASE, d INT)",
                         NULL, NULL, NULL)
            == SQLITE_OK);
    sqlite3_limit(sqlite, SQLITE_LIMIT_LENGTH, 1000000);
    sqlite3_progress_handler(sqlite, 100000, give_up, NULL);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) == SQLITE_OK
        && sqlite3_step(stmt) == SQLITE_DONE) {
        sqlite3_finalize(stmt);
        stmt = NULL;
        sqlite3_progress_handler(sqlite, 0, NULL, NULL);
        compare_stored(sqlite, arena);
    }
    sqlite3_finalize(stmt);
    sqlite3_close(sqlite);
}

/* ## Input */

static const char *const TOKENS[] = {"a",
                                     "b",
                                     "\"c d\"",
                                     "[key]",
                                     "`x`",
                                     "'y'",
                                     "t",
                                     "x",
                                     "desc",
                                     "rowid",
                                     "INT",
                                     "TEXT",
                                     "varchar",
                                     "INTEGER",
                                     "(10)",
                                     "(1, -2)",
                                     "generated",
                                     "always",
                                     "AS",
                                     "(",
                                     ")",
                                     ",",
                                     "(a)",
                                     "(a + 1)",
                                     "(')')",
                                     "a, b",
                                     "1",
                                     "-1",
                                     "+ 2.5",
                                     "'z'",
                                     "x'00'",
                                     "NULL",
                                     "NOT",
                                     "NOT NULL",
                                     "DEFAULT",
                                     "PRIMARY KEY",
                                     "AUTOINCREMENT",
                                     "UNIQUE",
                                     "CHECK",
                                     "COLLATE",
                                     "nocase",
                                     "rtrim",
                                     "REFERENCES",
                                     "FOREIGN KEY",
                                     "CONSTRAINT",
                                     "ON CONFLICT",
                                     "REPLACE",
                                     "IGNORE",
                                     "ABORT",
                                     "ON DELETE",
                                     "ON UPDATE",
                                     "ON INSERT",
                                     "CASCADE",
                                     "SET NULL",
                                     "SET DEFAULT",
                                     "NO ACTION",
                                     "RESTRICT",
                                     "MATCH",
                                     "full",
                                     "DEFERRABLE",
                                     "INITIALLY",
                                     "DEFERRED",
                                     "IMMEDIATE",
                                     "STORED",
                                     "VIRTUAL",
                                     "STRICT",
                                     "WITHOUT",
                                     "ROWID",
                                     "ASC",
                                     "DESC",
                                     "WHERE",
                                     "IS",
                                     "CASE",
                                     "WHEN",
                                     "THEN",
                                     "END",
                                     "ELSE",
                                     "||",
                                     "lower(",
                                     "abs(a)",
                                     "-",
                                     "~",
                                     "*",
                                     "=",
                                     ".",
                                     "main.",
                                     "IF NOT EXISTS",
                                     "TEMP",
                                     "-- c\n",
                                     "/* ) */",
                                     ";",
                                     "CREATE TABLE x(",
                                     "CREATE INDEX i ON t(",
                                     "CREATE UNIQUE INDEX",
                                     "CREATE TRIGGER r",
                                     "AFTER",
                                     "BEFORE",
                                     "INSERT",
                                     "UPDATE OF",
                                     "ON t",
                                     "BEGIN SELECT 1; END",
                                     "CREATE VIEW v",
                                     "AS SELECT a FROM t",
                                     "indexed",
                                     "left",
                                     "current_date",
                                     "true",
                                     "if",
                                     "end",
                                     "\n"};

static char *spell(const uint8_t *data, size_t size)
{
    enum { LONGEST = 32 };
    char *sql = malloc(size * LONGEST + 1), *end = sql;
    require(sql != NULL);
    for (size_t i = 0; i < size; i++) {
        const char *token = TOKENS[data[i] % (sizeof TOKENS / sizeof *TOKENS)];
        end = stpcpy(end, token);
        *end++ = ' ';
    }
    *end = '\0';
    return sql;
}

static char *copy(const uint8_t *data, size_t size)
{
    char *sql = malloc(size + 1);
    require(sql != NULL);
    if (size > 0)
        memcpy(sql, data, size);
    sql[size] = '\0';
    return sql;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rowtide__arena arena = {0};
    rowtide__ddl *ddl;
    int tokens = size > 0 && data[0] > 127;
    char *sql = tokens ? spell(data + 1, size - 1) : copy(data, size);
    if (tokens)
        size = strlen(sql);
    if (rowtide__ddl_parse(sql, size, &arena, &ddl) == ROWTIDE_OK) {
        check(ddl);
        if (ddl->kind == ROWTIDE__DDL_TABLE && ddl->body.size > 0)
            add_and_drop(ddl, &arena);
    }
    normalize(sql, size);
    if (!memchr(sql, 0, size))
        ask_sqlite(sql, &arena);
    rowtide__arena_dispose(&arena);
    free(sql);
    return 0;
}
