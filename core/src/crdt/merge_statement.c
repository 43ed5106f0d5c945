#include "crdt/merge.h"
#include "base/error.h"

#include <ctype.h>
#include <string.h>

/* Which statement is writing to crsql_changes, and may its cells be held?
 *
 * A statement of many rows has a savepoint of its own, or is the transaction;
 * SQLite tells us when either ends, and before that nobody can look: what is
 * held is written then. But an error at the end of the savepoint is too late
 * for SQLite to undo the statement alone. So what is held must not be able to
 * fail but for what ends the transaction anyway, as a full disk does. */

/* ## Reading the statement */

typedef struct scanner {
    const char *at;
    const char *word; /* as it is written, quotes left out */
    int size, quoted;
} scanner;

static void skip_comment(scanner *scan)
{
    const char *end = scan->at[0] == '-' ? strchr(scan->at, '\n')
                                         : strstr(scan->at + 2, "*/");
    if (!end)
        scan->at += strlen(scan->at);
    else
        scan->at = end + (scan->at[0] == '-' ? 1 : 2);
}

static void skip_space(scanner *scan)
{
    for (;;) {
        if (isspace((unsigned char)*scan->at))
            scan->at++;
        else if (strncmp(scan->at, "--", 2) == 0
                 || strncmp(scan->at, "/*", 2) == 0)
            skip_comment(scan);
        else
            return;
    }
}

static int is_word(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_' || letter == '$'
           || (unsigned char)letter >= 0x80;
}

/* 0 at the end. A quote that is doubled begins another word, which no name
 * that is looked for here has. */
static int next_word(scanner *scan)
{
    skip_space(scan);
    char quote = *scan->at;
    scan->word = scan->at;
    scan->quoted = quote && strchr("\"'`[", quote) != NULL;
    if (!quote)
        return 0;
    if (scan->quoted) {
        const char *end = strchr(scan->at + 1, quote == '[' ? ']' : quote);
        scan->word++;
        scan->size = (int)(end ? end - scan->word : (long)strlen(scan->word));
        scan->at = end ? end + 1 : scan->word + scan->size;
        return 1;
    }
    while (is_word(*scan->at))
        scan->at++;
    if (scan->at == scan->word)
        scan->at++;
    scan->size = (int)(scan->at - scan->word);
    return 1;
}

static int is_text(const scanner *scan, const char *text)
{
    return scan->size == (int)strlen(text)
           && sqlite3_strnicmp(scan->word, text, scan->size) == 0;
}

/* Behind the INTO that is in no parentheses. */
static int find_into(scanner *scan)
{
    int depth = 0;
    while (next_word(scan)) {
        if (scan->quoted)
            continue;
        depth += scan->word[0] == '(';
        depth -= scan->word[0] == ')';
        if (depth == 0 && is_text(scan, "INTO"))
            return 1;
    }
    return 0;
}

/* Does it insert into crsql_changes itself, not by a trigger, and does it end
 * before the application sees anything of it? */
static int inserts_changes(const char *sql)
{
    scanner scan = {sql, sql, 0, 0};
    if (!find_into(&scan) || !next_word(&scan))
        return 0;
    scanner name = scan;
    if (next_word(&scan) && is_text(&scan, ".") && next_word(&scan))
        name = scan;
    if (!is_text(&name, "crsql_changes"))
        return 0;
    while (next_word(&scan))
        if (is_text(&scan, "RETURNING"))
            return 0;
    return 1;
}

static int is_alone(rowtide__crdt *engine)
{
    const char *sql = NULL;
    int writers = 0;
    for (sqlite3_stmt *stmt = sqlite3_next_stmt(engine->sqlite, NULL); stmt;
         stmt = sqlite3_next_stmt(engine->sqlite, stmt)) {
        if (!sqlite3_stmt_busy(stmt) || sqlite3_stmt_readonly(stmt))
            continue;
        sql = sqlite3_sql(stmt);
        writers++;
    }
    return writers == 1 && sql && inserts_changes(sql);
}

int rowtide__merge_is_batch(rowtide__crdt *engine)
{
    struct rowtide__merge_cache *held = engine->merge;
    if (!held || !held->statement
        || held->total != sqlite3_total_changes(engine->sqlite)) {
        if (held)
            held->statement = 0;
        return 0;
    }
    if (held->statement == 1) {
        held->batch = (sqlite3_get_autocommit(engine->sqlite)
                       || engine->top_mark >= 0)
                      && is_alone(engine);
        held->run++;
        held->statement = 2;
    }
    return held->batch;
}

/* SQLite counts the changes of a statement when it has ended. */
void rowtide__merge_note_statement(rowtide__crdt *engine)
{
    struct rowtide__merge_cache *held = engine->merge;
    if (!held)
        return;
    if (!held->statement)
        held->statement = 1;
    held->total = sqlite3_total_changes(engine->sqlite);
}

/* ## What may refuse a row */

/* Written by SQLite or by the application, whatever it means: a name that
 * looks like it only costs time. */
static const char GUARDED[] =
    "SELECT (EXISTS(SELECT 1 FROM main.sqlite_master WHERE type = 'trigger' "
    "AND tbl_name = %Q COLLATE NOCASE AND NOT (name LIKE "
    "'%%\\_\\_crsql\\__trig' ESCAPE '\\' AND substr(name, 1, length(name) - "
    "13) = %Q COLLATE NOCASE AND substr(name, -5, 1) IN ('i', 'u', 'd', 'b', "
    "'x', 'm'))) OR EXISTS(SELECT 1 FROM temp.sqlite_master WHERE type = "
    "'trigger' "
    "AND tbl_name = %Q COLLATE NOCASE)) + 2 * (EXISTS(SELECT 1 FROM "
    "main.sqlite_master WHERE type = 'table' AND name = %Q COLLATE NOCASE AND "
    "(sql LIKE '%%check%%' OR sql LIKE '%%strict%%' OR sql LIKE "
    "'%%conflict%%')) OR EXISTS(SELECT 1 FROM pragma_index_list(%Q, 'main') AS "
    "i, pragma_index_xinfo(i.name, 'main') AS x WHERE x.cid = -2 OR i.partial "
    "OR (i.\"unique\" AND i.origin <> 'pk')) OR EXISTS(SELECT 1 FROM "
    "pragma_table_xinfo(%Q, 'main') WHERE hidden > 0 OR dflt_value LIKE "
    "'%%(%%' OR (\"notnull\" AND dflt_value LIKE 'null')))";

int rowtide__merge_read_guarded(rowtide__crdt *engine,
                                rowtide__crdt_table *table)
{
    int64_t guarded;
    if (table->guard_schema == engine->schema_seen)
        return ROWTIDE_OK;
    int rc = rowtide__merge_watch(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &guarded, 0, GUARDED, table->name,
                                   table->registered, table->name, table->name,
                                   table->name, table->name);
    if (rc != ROWTIDE_OK)
        return rc;
    table->guarded = (int)guarded;
    table->guard_schema = engine->schema_seen;
    return ROWTIDE_OK;
}

/* SQLite prepares a statement again when the schema has changed. */
int rowtide__merge_watch(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__WATCH, &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_run(engine, stmt);
    if (rc == ROWTIDE_OK
        && sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_REPREPARE, 1) > 0)
        engine->schema_seen++;
    return rc;
}
