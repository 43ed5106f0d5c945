#include "support/oom.h"
#include "support/scratch.h"

#include "base/arena.h"
#include "schema/ddl.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rowtide__arena arena;

static int dispose_arena(void **state)
{
    (void)state;
    rowtide__arena_dispose(&arena);
    return 0;
}

static const rowtide__ddl *parse(const char *sql)
{
    rowtide__ddl *ddl;
    assert_ok(rowtide__ddl_parse(sql, strlen(sql), &arena, &ddl));
    return ddl;
}

static void assert_span(const rowtide__ddl *ddl, rowtide__span span,
                        const char *expected)
{
    assert_true(span.at + span.size <= ddl->size);
    char *text = strndup(ddl->text + span.at, span.size);
    assert_string_equal(text, expected);
    free(text);
}

/* NULL and "" are alike. */
static void assert_text(const char *text, const char *expected)
{
    assert_string_equal(text ? text : "", expected ? expected : "");
}

/* ## What SQLite says about the same text */

static sqlite3_stmt *pragma(sqlite3 *sqlite, const char *name, const char *of)
{
    sqlite3_stmt *stmt;
    char *sql = sqlite3_mprintf("SELECT * FROM pragma_%s(%Q)", name, of);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    sqlite3_free(sql);
    return stmt;
}

static const char *text_of(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return text ? (const char *)text : "";
}

static const rowtide__ddl_constraint *find(const rowtide__ddl_column *column,
                                           rowtide__constraint_kind kind)
{
    return rowtide__ddl_find_constraint(column, kind);
}

/* The last one, which counts if there are several. */
static const rowtide__ddl_constraint *
find_last(const rowtide__ddl_column *column, rowtide__constraint_kind kind)
{
    const rowtide__ddl_constraint *last = NULL;
    for (const rowtide__ddl_constraint *c = column->constraints; c; c = c->next)
        if (c->kind == kind)
            last = c;
    return last;
}

/* PRAGMA shows a default without its parentheses. */
static char *default_of(const rowtide__ddl *ddl,
                        const rowtide__ddl_constraint *c)
{
    const char *text = ddl->text + c->body.at;
    size_t size = c->body.size;
    if (*text == '(') {
        text++;
        size -= 2;
        while (size > 0 && strchr(" \t\r\n", *text)) {
            text++;
            size--;
        }
        while (size > 0 && strchr(" \t\r\n", text[size - 1]))
            size--;
    }
    return strndup(text, size);
}

static void compare_default(const rowtide__ddl *ddl,
                            const rowtide__ddl_column *column,
                            sqlite3_stmt *stmt)
{
    const rowtide__ddl_constraint *c = find_last(column, ROWTIDE__DEFAULT);
    char *text = c ? default_of(ddl, c) : NULL;
    assert_text(text, text_of(stmt, 4));
    free(text);
}

static int key_place(const rowtide__ddl *ddl, const rowtide__ddl_column *column)
{
    if (find(column, ROWTIDE__PRIMARY_KEY))
        return 1;
    for (const rowtide__ddl_constraint *c = ddl->constraints; c; c = c->next)
        for (size_t i = 0; c->kind == ROWTIDE__PRIMARY_KEY && i < c->part_count;
             i++)
            if (rowtide__name_equal(c->parts[i].name, column->name))
                return (int)i + 1;
    return 0;
}

static void compare_columns(sqlite3 *sqlite, const rowtide__ddl *ddl)
{
    sqlite3_stmt *stmt = pragma(sqlite, "table_xinfo", ddl->name);
    const rowtide__ddl_column *column = ddl->columns;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        assert_non_null(column);
        assert_string_equal(column->name, text_of(stmt, 1));
        assert_string_equal(column->type, text_of(stmt, 2));
        if (!key_place(ddl, column) || !(ddl->without_rowid || ddl->strict))
            assert_int_equal(find(column, ROWTIDE__NOT_NULL) != NULL,
                             sqlite3_column_int(stmt, 3));
        compare_default(ddl, column, stmt);
        assert_int_equal(key_place(ddl, column), sqlite3_column_int(stmt, 5));
        const rowtide__ddl_constraint *generated = find(column,
                                                        ROWTIDE__GENERATED);
        assert_int_equal(generated ? 2 + generated->stored : 0,
                         sqlite3_column_int(stmt, 6));
        const char *collation = "";
        sqlite3_table_column_metadata(sqlite, NULL, ddl->name, column->name,
                                      NULL, &collation, NULL, NULL, NULL);
        const rowtide__ddl_constraint *c = find_last(column, ROWTIDE__COLLATE);
        assert_int_equal(
            sqlite3_stricmp(c ? c->collation : "BINARY", collation), 0);
        column = column->next;
    }
    sqlite3_finalize(stmt);
    assert_null(column);
}

/* Foreign keys of the whole table in the order of the text. */
static size_t list_keys(const rowtide__ddl *ddl,
                        const rowtide__ddl_constraint **keys)
{
    size_t count = 0;
    for (const rowtide__ddl_column *column = ddl->columns; column;
         column = column->next)
        for (const rowtide__ddl_constraint *c = column->constraints; c;
             c = c->next)
            if (c->kind == ROWTIDE__FOREIGN_KEY)
                keys[count++] = c;
    for (const rowtide__ddl_constraint *c = ddl->constraints; c; c = c->next)
        if (c->kind == ROWTIDE__FOREIGN_KEY)
            keys[count++] = c;
    return count;
}

static const char *or_no_action(const char *action)
{
    return action ? action : "NO ACTION";
}

static void compare_foreign_keys(sqlite3 *sqlite, const rowtide__ddl *ddl)
{
    const rowtide__ddl_constraint *keys[64];
    size_t count = list_keys(ddl, keys), rows = 0, expected = 0;
    sqlite3_stmt *stmt = pragma(sqlite, "foreign_key_list", ddl->name);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        size_t id = (size_t)sqlite3_column_int(stmt, 0);
        int place = sqlite3_column_int(stmt, 1);
        assert_true(id < count);
        const rowtide__ddl_constraint *key = keys[count - 1 - id];
        assert_string_equal(key->table, text_of(stmt, 2));
        assert_int_equal(sqlite3_stricmp(key->columns[place], text_of(stmt, 3)),
                         0);
        if (key->table_columns[0])
            assert_string_equal(key->table_columns[place], text_of(stmt, 4));
        else
            assert_int_equal(sqlite3_column_type(stmt, 4), SQLITE_NULL);
        assert_string_equal(or_no_action(key->on_update), text_of(stmt, 5));
        assert_string_equal(or_no_action(key->on_delete), text_of(stmt, 6));
        rows++;
    }
    sqlite3_finalize(stmt);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; keys[i]->columns[j]; j++)
            expected++;
    assert_int_equal(rows, expected);
}

static void compare_index(sqlite3 *sqlite, const rowtide__ddl *ddl)
{
    sqlite3_stmt *stmt = pragma(sqlite, "index_xinfo", ddl->name);
    size_t i = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        if (!sqlite3_column_int(stmt, 5))
            continue;
        assert_true(i < ddl->part_count);
        const rowtide__ddl_part *part = &ddl->parts[i++];
        assert_int_equal(part->name == NULL, sqlite3_column_int(stmt, 1) == -2);
        if (part->name)
            assert_int_equal(sqlite3_stricmp(part->name, text_of(stmt, 2)), 0);
        assert_int_equal(part->descending, sqlite3_column_int(stmt, 3));
        if (part->collation)
            assert_int_equal(sqlite3_stricmp(part->collation, text_of(stmt, 4)),
                             0);
        else if (!part->name)
            assert_string_equal("BINARY", text_of(stmt, 4));
    }
    sqlite3_finalize(stmt);
    assert_int_equal(i, ddl->part_count);
}

static void compare(sqlite3 *sqlite, const char *type, const char *name,
                    const char *table, const rowtide__ddl *ddl)
{
    assert_string_equal(ddl->name, name);
    if (ddl->kind == ROWTIDE__DDL_INDEX || ddl->kind == ROWTIDE__DDL_TRIGGER)
        assert_int_equal(sqlite3_stricmp(ddl->table, table), 0);
    if (ddl->kind == ROWTIDE__DDL_TABLE) {
        assert_string_equal(type, "table");
        compare_columns(sqlite, ddl);
        compare_foreign_keys(sqlite, ddl);
    } else if (ddl->kind == ROWTIDE__DDL_INDEX) {
        assert_string_equal(type, "index");
        compare_index(sqlite, ddl);
    }
}

/* Everything in a database is read as SQLite reads it. */
static int compare_database(sqlite3 *sqlite)
{
    sqlite3_stmt *stmt;
    int count = 0;
    assert_int_equal(
        sqlite3_prepare_v2(sqlite,
                           "SELECT type, name, tbl_name, sql FROM sqlite_schema"
                           " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'",
                           -1, &stmt, NULL),
        SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        compare(sqlite, text_of(stmt, 0), text_of(stmt, 1), text_of(stmt, 2),
                parse(text_of(stmt, 3)));
        count++;
    }
    sqlite3_finalize(stmt);
    return count;
}

/* Run the statement, and read what is stored. */
static void compare_sql(const char *sql)
{
    rowtide_db *db = scratch_db("CREATE TABLE p(id INTEGER PRIMARY KEY, b);"
                                "CREATE TABLE q(a, b, c, d, \"desc\", e f)");
    if (rowtide_db_exec(db, sql) != ROWTIDE_OK)
        fail_msg("%s: %s", sql, rowtide_error_message());
    rowtide__ddl *ddl;
    if (rowtide__ddl_parse(sql, strlen(sql), &arena, &ddl) != ROWTIDE_OK)
        fail_msg("%s: %s", sql, rowtide_error_message());
    compare_database(rowtide_db_sqlite(db));
    rowtide_db_free(db);
}

static void reads_what_sqlite_reads(void **state)
{
    (void)state;
    static const char *const columns[] = {
        "a",
        "\"a b\" text",
        "[a\"'b] integer",
        "`a``b` \"text\"",
        "'a''b' 'my type'",
        "a 'te' 'xt'",
        "a varchar  ( 10 )",
        "a varchar /*c*/ (10)",
        "a dec(-1,+2) not null",
        "a unsigned big int default 1",
        "a integer",
        "a [int]",
        "a any",
        "key",
        "desc desc",
        "rowid action",
        "action default null",
        "replace if",
        "left default x",
        "a int default (1)",
        "a int default + 1",
        "a int default/*c*/ (  1 /*x*/ )",
        "a int default - 1.5",
        "a int default -.5e-3",
        "a int default true",
        "a int default \"x\"",
        "a int default 'it''s'",
        "a int default indexed",
        "a int default 0x10",
        "a int default x'00ff'",
        "a int default current_timestamp",
        "a int default ('x' || ')' || 'y')",
        "a default 1 default 2",
        "a always as (1)",
        "a generated always as (1)",
        "a int generated as (1)",
        "a  generated  always /*c*/ as (z || ')') stored",
        "a text generated always as (z) virtual",
        "a int constraint a constraint b not null constraint c",
        "a int null on conflict abort",
        "a not null on conflict replace unique on conflict ignore",
        "a int collate 'nocase'",
        "a int collate \"rtrim\" collate nocase",
        "a int not deferrable",
        "a int check (a > ')') check(a<>'(')",
        "a primary key",
        "a integer primary key autoincrement",
        "a integer primary key desc on conflict fail",
        "a integer primary key asc autoincrement",
        "a references p",
        "a references p(id) on delete cascade on update set null",
        "a references p(id) match full not deferrable initially immediate",
        "a references p on insert cascade on delete set default not null",
        "a references p(b) not null deferrable initially deferred",
        "a constraint x references p(id) on delete no action",
        "a -- , b text\n text /* ) */ not null -- )",
        "a, constraint x primary key (a collate nocase desc)",
        "a integer, primary key (a autoincrement)",
        "a, b, primary key (b asc, a desc) on conflict replace",
        "a, b, unique (a) unique (b collate rtrim) check (a), check(b)",
        "a, check (a in (1, 2)) on conflict fail constraint x",
        "a, b, constraint x constraint y unique (a, b) on conflict ignore",
        "a, b, foreign key (a) references p foreign key (b) references p(id)",
        "a, foreign key(a,z) references p(id,b) on update restrict deferrable",
        "a, b, constraint x",
        "a, 'b' int, primary key ('b')",
        "\xC3\xA4 \xC3\xB6, primary key (\xC3\xA4)",
        "a, primary key ((a))",
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char sql[400];
        snprintf(sql, sizeof sql, "CREATE TABLE t(z, %s\n)", columns[i]);
        compare_sql(sql);
    }
}

static void reads_other_statements(void **state)
{
    (void)state;
    static const char *const statements[] = {
        "create table if not exists main.t(a)",
        "create table end(a text primary key) strict , without rowid",
        "create table temp(a primary key) without rowid;",
        "create table \"a.b\"(\"a\"\"b\" int primary key) /* */ strict -- x\n",
        "create table t(a int)strict",
        "create index i on q(a)",
        "create unique index if not exists main.\"i i\" on q(a desc, b asc)",
        "create index i on q(a collate nocase desc, \"b\" collate 'rtrim')",
        "create index i on q(desc)",
        "create index i on q(desc desc, 'a', [b], (c), (d collate nocase))",
        "create index i on q(a || b collate nocase)",
        "create index i on q((a || b) collate nocase asc)",
        "create index i on q(-a collate nocase, not b collate rtrim)",
        "create index i on q(lower(a) collate nocase, a+b, abs(a) desc)",
        "create index i on q(case when a then b end collate nocase, a is b)",
        "create index i on q(case a when 1 then case b when 2 then 3 end end)",
        "create index i on q(a collate nocase collate rtrim, +a, (a)+(b))",
        "create index i on q((a collate nocase) collate rtrim)",
        "create index i on q(a) where b is null and c in (1, 2) -- x\n;",
        "create view v as select 1",
        "create view if not exists main.v(a, \"b\") as select 1, 2 from (q)",
        "create trigger r after insert on q begin select 1; end",
        "create trigger if not exists main.before before update of a, 'b' on q "
        "for each row when new.a is not null begin select 1; select case 1 "
        "when 1 then 2 end; end;",
        "create trigger after delete on q begin select raise(abort, ';'); end",
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        compare_sql(statements[i]);
}

static void reads_a_database_that_is_in_use(void **state)
{
    (void)state;
    static const char path[] = "/usr/share/proj/proj.db";
    if (!scratch_exists(path))
        skip();
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    assert_true(compare_database(sqlite) > 30);
    sqlite3_close(sqlite);
}

/* ## Where it stands */

static void knows_where_things_stand(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse(
        "CREATE TABLE IF NOT EXISTS main.\"t\" -- c\n ( /* x */ a  INT ( 3 ) "
        "CONSTRAINT n NOT NULL /* y */ DEFAULT ( 1 + 2 ), [b c] CHECK( b > 1 ) "
        "REFERENCES p (q) ON DELETE SET NULL NOT DEFERRABLE, c AS ( a /**/ ) "
        "STORED , CONSTRAINT k CHECK (a) UNIQUE (c /**/ COLLATE nocase DESC) "
        "ON CONFLICT IGNORE /* z */ ) /* o */ STRICT , WITHOUT ROWID -- e\n;");
    assert_span(ddl, ddl->name_span, "\"t\"");
    assert_span(ddl, ddl->options, "STRICT , WITHOUT ROWID");
    assert_int_equal(ddl->text[ddl->body.at], 'a');
    assert_int_equal(ddl->text[ddl->body.at + ddl->body.size - 1], 'E');
    const rowtide__ddl_column *a = ddl->columns, *b = a->next, *c = b->next;
    assert_span(ddl, a->span,
                "a  INT ( 3 ) CONSTRAINT n NOT NULL /* y */ DEFAULT ( 1 + 2 )");
    assert_span(ddl, a->name_span, "a");
    assert_span(ddl, a->type_span, "INT ( 3 )");
    assert_span(ddl, a->constraints->span, "CONSTRAINT n NOT NULL");
    assert_string_equal(a->constraints->name, "n");
    assert_span(ddl, find(a, ROWTIDE__DEFAULT)->body, "( 1 + 2 )");
    assert_span(ddl, b->name_span, "[b c]");
    assert_int_equal(b->type_span.size, 0);
    assert_span(ddl, find(b, ROWTIDE__CHECK)->body, "b > 1");
    const rowtide__ddl_constraint *key = find(b, ROWTIDE__FOREIGN_KEY);
    assert_span(ddl, key->span,
                "REFERENCES p (q) ON DELETE SET NULL NOT DEFERRABLE");
    assert_span(ddl, key->table_span, "p");
    assert_string_equal(key->deferral, "NOT DEFERRABLE");
    assert_span(ddl, find(c, ROWTIDE__GENERATED)->body, "a");
    assert_span(ddl, find(c, ROWTIDE__GENERATED)->span, "AS ( a /**/ ) STORED");
    const rowtide__ddl_constraint *k = ddl->constraints;
    assert_span(ddl, k->span, "CONSTRAINT k CHECK (a)");
    assert_span(ddl, k->next->span,
                "UNIQUE (c /**/ COLLATE nocase DESC) ON CONFLICT IGNORE");
    assert_span(ddl, k->next->parts[0].span, "c /**/ COLLATE nocase DESC");
    assert_span(ddl, k->next->parts[0].expression, "c");
    assert_string_equal(k->next->on_conflict, "IGNORE");
    assert_null(k->next->next);
}

static void takes_other_statements_apart(void **state)
{
    (void)state;
    const rowtide__ddl *ddl = parse(
        "CREATE UNIQUE INDEX a.i ON \"t\" (a || b COLLATE x, (c) ASC) "
        "WHERE ( a > 1 ) /* e */ ;");
    assert_true(ddl->unique);
    assert_string_equal(ddl->name, "i");
    assert_span(ddl, ddl->table_span, "\"t\"");
    assert_span(ddl, ddl->parts[0].expression, "a || b COLLATE x");
    assert_null(ddl->parts[0].collation);
    assert_string_equal(ddl->parts[1].name, "c");
    assert_span(ddl, ddl->where, "( a > 1 )");
    ddl = parse("CREATE TEMPORARY TRIGGER r UPDATE OF \"a\", b ON main.t BEGIN "
                "SELECT 1; END");
    assert_string_equal(ddl->timing, "BEFORE");
    assert_string_equal(ddl->event, "UPDATE");
    assert_string_equal(ddl->update_columns[0], "a");
    assert_string_equal(ddl->update_columns[1], "b");
    assert_null(ddl->update_columns[2]);
    assert_string_equal(ddl->table, "t");
    ddl = parse("CREATE TRIGGER r INSTEAD OF DELETE ON v BEGIN SELECT 1; END");
    assert_string_equal(ddl->timing, "INSTEAD OF");
    ddl = parse("CREATE VIRTUAL TABLE f USING fts5(a, b='x(y)' , (c))");
    assert_int_equal(ddl->kind, ROWTIDE__DDL_VIRTUAL_TABLE);
    assert_string_equal(ddl->module, "fts5");
    assert_span(ddl, ddl->arguments, "a, b='x(y)' , (c)");
    ddl = parse("CREATE VIRTUAL TABLE f USING dbstat");
    assert_int_equal(ddl->arguments.size, 0);
    ddl = parse("CREATE TABLE t AS SELECT 1 AS a, (2)");
    assert_int_equal(ddl->body.size, 0);
    assert_null(ddl->columns);
}

static void says_where_it_does_not_understand(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *message;
        int64_t offset;
    } cases[] = {
        {"", "expected CREATE, found the end of the statement", 0},
        {"DROP TABLE t", "expected CREATE, found DROP", 0},
        {"CREATE SEQUENCE s", "expected TABLE, INDEX, TRIGGER or VIEW", 7},
        {"CREATE UNIQUE TABLE t(a)", "expected INDEX, found TABLE", 14},
        {"CREATE TABLE (a)", "expected the name of a table, found (", 13},
        {"CREATE TABLE t()", "expected the name of a column, found )", 15},
        {"CREATE TABLE t(a,)", "expected the name of a column, found )", 17},
        {"CREATE TABLE t(a INT(x))", "expected a number, found x", 21},
        {"CREATE TABLE t(a CHECK ())", "expected an expression", 25},
        {"CREATE TABLE t(a CHECK (b)", "expected a constraint of a column", 26},
        {"CREATE TABLE t(a DEFAULT)", "expected a default value", 24},
        {"CREATE TABLE t(a 'x)", "expected a constraint of a column", 17},
        {"CREATE TABLE t(a, CHECK (a), b)",
         "expected a constraint of the table", 29},
        {"CREATE TABLE t(a) WITHOUT OIDS", "expected ROWID, found OIDS", 26},
        {"CREATE TABLE t(a); SELECT 1", "expected the end of the statement",
         19},
        {"CREATE INDEX i ON t(a", "expected ), found the end", 21},
        {"CREATE INDEX i ON t(a, )", "expected an expression, found )", 23},
        {"CREATE TRIGGER r AFTER SELECT ON t BEGIN SELECT 1; END",
         "expected INSERT, UPDATE or DELETE", 23},
        {"CREATE TRIGGER r AFTER INSERT ON t; SELECT 1", "expected BEGIN", 34},
        {"CREATE VIEW v AS", "expected SELECT", 16},
        {"CREATE VIRTUAL TABLE f USING x(a", "expected ), found the end", 32},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rowtide__ddl *ddl;
        assert_status(rowtide__ddl_parse(cases[i].sql, strlen(cases[i].sql),
                                         &arena, &ddl),
                      ROWTIDE_EINVAL);
        assert_null(ddl);
        assert_message(cases[i].message);
        assert_int_equal(rowtide_error_offset(), cases[i].offset);
    }
}

/* No statement that is cut off, or has a byte changed, does any harm. */
static void takes_any_bytes(void **state)
{
    (void)state;
    char sql[] =
        "CREATE TABLE t(a INT(3) CONSTRAINT n NOT NULL DEFAULT (1), [b] CHECK "
        "(b > ')') REFERENCES p(q) ON DELETE SET NULL, c AS (a) STORED, UNIQUE "
        "(c COLLATE x DESC), PRIMARY KEY (a AUTOINCREMENT)) STRICT";
    static const char bytes[] = "()',\"\0[;-x\xFF";
    size_t size = sizeof sql - 1;
    rowtide__ddl *ddl;
    for (size_t i = 0; i < size; i++) {
        rowtide__ddl_parse(sql, i, &arena, &ddl);
        for (size_t j = 0; j < sizeof bytes; j++) {
            char kept = sql[i];
            sql[i] = bytes[j];
            rowtide__ddl_parse(sql, size, &arena, &ddl);
            sql[i] = kept;
        }
        rowtide__arena_dispose(&arena);
    }
}

static int parse_all(void *ctx)
{
    static const char *const statements[] = {
        "CREATE TABLE \"t\"(a varchar(3) NOT NULL, UNIQUE (a COLLATE x DESC))",
        "CREATE TABLE t(a, b REFERENCES p, FOREIGN KEY (a, b) REFERENCES p(q))",
        "CREATE INDEX i ON t(a COLLATE x, lower(b))",
        "CREATE TRIGGER r UPDATE OF a, b ON t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE f USING fts5(a)"};
    (void)ctx;
    int rc = ROWTIDE_OK;
    rowtide__arena memory = {0};
    rowtide__ddl *ddl;
    for (size_t i = 0; i < 5 && rc == ROWTIDE_OK; i++)
        rc = rowtide__ddl_parse(statements[i], strlen(statements[i]), &memory,
                                &ddl);
    rowtide__arena_dispose(&memory);
    return rc;
}

static void fails_cleanly_without_memory(void **state)
{
    (void)state;
    oom_loop(parse_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_what_sqlite_reads, dispose_arena),
        cmocka_unit_test_teardown(reads_other_statements, dispose_arena),
        cmocka_unit_test_teardown(reads_a_database_that_is_in_use,
                                  dispose_arena),
        cmocka_unit_test_teardown(knows_where_things_stand, dispose_arena),
        cmocka_unit_test_teardown(takes_other_statements_apart, dispose_arena),
        cmocka_unit_test_teardown(says_where_it_does_not_understand,
                                  dispose_arena),
        cmocka_unit_test_teardown(takes_any_bytes, dispose_arena),
        cmocka_unit_test_teardown(fails_cleanly_without_memory, dispose_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
