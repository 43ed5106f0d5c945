#include "schema/read.h"
#include "schema/scratch.h"
#include "base/error.h"

#include <string.h>

typedef struct parsing {
    rowtide__scratch scratch;
    rowtide__lexer lexer;
    rowtide__statement statement;
    size_t end; /* of the statement, with its ";" */
} parsing;

/* ## Errors */

static size_t line_of(const parsing *p, size_t at)
{
    size_t line = p->statement.line;
    for (size_t i = p->statement.at; i < at; i++)
        line += p->lexer.text[i] == '\n';
    return line;
}

/* Where the last error is: the line in its message, the offset in the text. */
static int locate(const parsing *p)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    size_t at = p->statement.at;
    if (error.offset > 0)
        at += (size_t)error.offset;
    rowtide__fail_at(error.code, (int64_t)at, "line %zu: %s", line_of(p, at),
                     error.message);
    rowtide__error_sqlite_code(error.sqlite_code);
    return error.code;
}

static int refuse(const parsing *p, const char *why)
{
    rowtide__fail(ROWTIDE_EINVAL, "%s", why);
    return locate(p);
}

/* ## Virtual tables whose module lacks something */

static int ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static int insert_virtual(parsing *p, const rowtide__ddl *ddl)
{
    char *sql = sqlite3_mprintf("CREATE VIRTUAL TABLE %.*s",
                                (int)(ddl->size - ddl->name_span.at),
                                ddl->text + ddl->name_span.at);
    if (!sql)
        return rowtide__nomem();
    int rc = rowtide__scratch_insert(&p->scratch, ddl->name, sql);
    sqlite3_free(sql);
    return rc;
}

/* ## What a dump has too much: tables that their virtual table has made */

static int is_shadow(parsing *p, const char *name)
{
    static const char SQL[] = "SELECT 1 FROM pragma_table_list WHERE schema = "
                              "'main' AND type = 'shadow' AND name = ? "
                              "COLLATE NOCASE";
    sqlite3_stmt *stmt = NULL;
    int found = 0;
    if (sqlite3_prepare_v2(p->scratch.sqlite, SQL, -1, &stmt, NULL) == SQLITE_OK
        && sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK)
        found = sqlite3_step(stmt) == SQLITE_ROW;
    sqlite3_finalize(stmt);
    return found;
}

/* Or that SQLite makes. All other names that begin so are refused. */
static int is_own(const char *name)
{
    static const char *const names[] = {"sqlite_sequence", "sqlite_stat1",
                                        "sqlite_stat2", "sqlite_stat3",
                                        "sqlite_stat4"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (rowtide__name_equal(name, names[i]))
            return 1;
    return 0;
}

/* A failure that is none after all. Keeps the error if it is one. */
static int tolerate(parsing *p, const char *sql, size_t size)
{
    rowtide__arena arena = {0};
    rowtide__ddl *ddl = NULL;
    rowtide__error_state error;
    rowtide__error_save(&error);
    int rc = error.code;
    if (rowtide__ddl_parse(sql, size, &arena, &ddl) == ROWTIDE_OK) {
        if (ddl->kind == ROWTIDE__DDL_VIRTUAL_TABLE
            && strstr(error.message, "tokenizer"))
            rc = insert_virtual(p, ddl);
        else if (ddl->kind == ROWTIDE__DDL_TABLE
                 && (is_own(ddl->name)
                     || (ends_with(error.message, "already exists")
                         && is_shadow(p, ddl->name))))
            rc = ROWTIDE_OK;
    }
    if (rc == error.code)
        rowtide__error_restore(&error);
    rowtide__arena_dispose(&arena);
    return rc;
}

static int run(parsing *p, const char *sql, size_t size, size_t end)
{
    int rc = rowtide__scratch_run(&p->scratch, sql, end);
    return rc == ROWTIDE_ESQL ? tolerate(p, sql, size) : rc;
}

/* ## Statements */

typedef enum word_kind {
    RUN,
    PASS,   /* it changes no schema */
    INSERT, /* unless it is a row of the schema */
    SETTING,
    OTHER_FILE
} word_kind;

static const struct {
    const char *word;
    word_kind kind;
} WORDS[] = {
    {"INSERT", INSERT},     {"REPLACE", INSERT},    {"SELECT", PASS},
    {"VALUES", PASS},       {"WITH", PASS},         {"UPDATE", PASS},
    {"DELETE", PASS},       {"PRAGMA", SETTING},    {"BEGIN", PASS},
    {"COMMIT", PASS},       {"END", PASS},          {"ROLLBACK", PASS},
    {"SAVEPOINT", PASS},    {"RELEASE", PASS},      {"ANALYZE", PASS},
    {"REINDEX", PASS},      {"VACUUM", PASS},       {"EXPLAIN", PASS},
    {"ATTACH", OTHER_FILE}, {"DETACH", OTHER_FILE},
};

static word_kind judge(const rowtide__lexer *lexer, const rowtide__token *first)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (rowtide__token_is(lexer, first, WORDS[i].word))
            return WORDS[i].kind;
    return RUN;
}

/* One PRAGMA changes what ALTER TABLE does. */
static int is_legacy_pragma(rowtide__lexer behind_first)
{
    rowtide__token name = rowtide__lexer_next(&behind_first);
    return rowtide__token_is(&behind_first, &name, "legacy_alter_table");
}

/* A string that nobody closed has eaten the statements behind it. */
static int pass(parsing *p)
{
    rowtide__lexer lexer;
    if (p->statement.complete)
        return ROWTIDE_OK;
    rowtide__lexer_open(&lexer, p->lexer.text + p->statement.at,
                        p->statement.size);
    for (rowtide__token token = rowtide__lexer_next(&lexer);
         token.kind != ROWTIDE__TOKEN_END; token = rowtide__lexer_next(&lexer))
        if (token.unfinished) {
            rowtide__fail_at(ROWTIDE_ESQL, (int64_t)token.at,
                             "a quote is not closed");
            return locate(p);
        }
    return ROWTIDE_OK;
}

/* The last string of INSERT INTO sqlite_schema, which is how dumps write
 * virtual tables; *out stays NULL for other statements. */
static int find_schema_row(rowtide__lexer lexer, rowtide__arena *arena,
                           const char **out)
{
    rowtide__token into = rowtide__lexer_next(&lexer);
    rowtide__token table = rowtide__lexer_next(&lexer);
    rowtide__token last = {0};
    *out = NULL;
    if (!rowtide__token_is(&lexer, &into, "INTO")
        || (!rowtide__token_is(&lexer, &table, "sqlite_schema")
            && !rowtide__token_is(&lexer, &table, "sqlite_master")))
        return ROWTIDE_OK;
    for (rowtide__token token = table; token.kind != ROWTIDE__TOKEN_END;
         token = rowtide__lexer_next(&lexer))
        if (token.kind == ROWTIDE__TOKEN_STRING)
            last = token;
    return last.size ? rowtide__name_read(&lexer, &last, arena, out)
                     : ROWTIDE_OK;
}

static int insert(parsing *p, const rowtide__lexer *behind_insert)
{
    rowtide__arena arena = {0};
    const char *sql = NULL;
    int rc = find_schema_row(*behind_insert, &arena, &sql);
    if (rc != ROWTIDE_OK || !sql) {
        rc = rc == ROWTIDE_OK ? pass(p) : rc;
    } else if (sqlite3_strnicmp(sql, "CREATE VIRTUAL TABLE", 20) == 0) {
        size_t size = strlen(sql);
        rc = run(p, sql, size, size);
        if (rc != ROWTIDE_OK) {
            /* The offset is not one in the text. */
            rowtide__fail(rc, "%s", rowtide_error_message());
            locate(p);
        }
    }
    rowtide__arena_dispose(&arena);
    return rc;
}

static int run_statement(parsing *p)
{
    const char *sql = p->lexer.text + p->statement.at;
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, p->statement.size);
    rowtide__token first = rowtide__lexer_next(&lexer);
    if (rowtide__token_is(&lexer, &first, "."))
        return refuse(p, "commands of the sqlite3 shell are not SQL");
    switch (judge(&lexer, &first)) {
    case PASS:
        return pass(p);
    case INSERT:
        return insert(p, &lexer);
    case SETTING:
        if (!is_legacy_pragma(lexer))
            return pass(p);
        break;
    case OTHER_FILE:
        return refuse(p, "ATTACH and DETACH: a schema is that of one database");
    default:
        break;
    }
    int rc = run(p, sql, p->statement.size, p->end - p->statement.at);
    return rc == ROWTIDE_OK ? rc : locate(p);
}

static int run_all(parsing *p)
{
    int rc = ROWTIDE_OK;
    /* Windows editors put a byte order mark in front. */
    if (strncmp(p->lexer.text, "\xEF\xBB\xBF", 3) == 0)
        p->lexer.at = 3;
    while (rc == ROWTIDE_OK
           && rowtide__statement_next(&p->lexer, &p->statement)) {
        /* What is stored reaches to the ";". */
        p->end = p->statement.complete ? p->lexer.at
                                       : p->statement.at + p->statement.size;
        rc = run_statement(p);
    }
    return rc;
}

int rowtide__schema_parse_with(const char *sql,
                               const rowtide__relation *relations, size_t count,
                               rowtide_schema **out)
{
    parsing p = {0};
    size_t size = strlen(sql);
    *out = NULL;
    int rc = rowtide_check_runtime();
    if (rc == ROWTIDE_OK)
        rc = rowtide__scratch_open(&p.scratch, size);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__lexer_open(&p.lexer, sql, size);
    rc = run_all(&p);
    if (rc == ROWTIDE_OK)
        rc = rowtide__schema_read_with(p.scratch.sqlite, NULL, relations, count,
                                       out);
    rowtide__scratch_close(&p.scratch);
    return rc;
}

int rowtide_schema_parse(const char *sql, rowtide_schema **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_parse");
    *out = NULL;
    ROWTIDE__CHECK_ARG(sql, "schema_parse");
    return rowtide__schema_parse_with(sql, NULL, 0, out);
}
