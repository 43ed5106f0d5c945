#include "support/scratch.h"

#include "schema/lex.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct expected_token {
    rowtide__token_kind kind;
    const char *text;
} expected_token;

static void assert_tokens(const char *sql, const expected_token *expected,
                          size_t count)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    for (size_t i = 0; i < count; i++) {
        rowtide__token ahead = rowtide__lexer_peek(&lexer);
        rowtide__token token = rowtide__lexer_next(&lexer);
        assert_int_equal(ahead.kind, token.kind);
        assert_int_equal(ahead.at, token.at);
        assert_int_equal(token.kind, expected[i].kind);
        assert_int_equal(token.size, strlen(expected[i].text));
        assert_memory_equal(sql + token.at, expected[i].text, token.size);
    }
    assert_int_equal(rowtide__lexer_next(&lexer).kind, ROWTIDE__TOKEN_END);
    assert_int_equal(rowtide__lexer_next(&lexer).kind, ROWTIDE__TOKEN_END);
}

#define WORD(text) {ROWTIDE__TOKEN_WORD, text}
#define QUOTED(text) {ROWTIDE__TOKEN_QUOTED, text}
#define STRING(text) {ROWTIDE__TOKEN_STRING, text}
#define NUMBER(text) {ROWTIDE__TOKEN_NUMBER, text}
#define SYMBOL(text) {ROWTIDE__TOKEN_SYMBOL, text}
#define VARIABLE(text) {ROWTIDE__TOKEN_VARIABLE, text}
#define BLOB(text) {ROWTIDE__TOKEN_BLOB, text}
#define BAD(text) {ROWTIDE__TOKEN_BAD, text}
#define TOKENS(sql, ...)                                                       \
    do {                                                                       \
        static const expected_token tokens[] = {__VA_ARGS__};                  \
        assert_tokens(sql, tokens, sizeof tokens / sizeof *tokens);            \
    } while (0)

static void reads_tokens_as_sqlite_does(void **state)
{
    (void)state;
    TOKENS("\xEF\xBB\xBF\fCREATE/* x ' */TABLE \"a \"\" b\"(x'00',-- end\n",
           WORD("CREATE"), WORD("TABLE"), QUOTED("\"a \"\" b\""), SYMBOL("("),
           BLOB("x'00'"), SYMBOL(","));
    TOKENS("[c ]d] `e``` 'it''s;'", QUOTED("[c ]"), WORD("d"), BAD("]"),
           QUOTED("`e```"), STRING("'it''s;'"));
    TOKENS("1 1.5 .5 1. 1e3 1e+3 1.5E-3 0x1F 1e x1 1_000 1a 0x", NUMBER("1"),
           NUMBER("1.5"), NUMBER(".5"), NUMBER("1."), NUMBER("1e3"),
           NUMBER("1e+3"), NUMBER("1.5E-3"), NUMBER("0x1F"), BAD("1e"),
           WORD("x1"), NUMBER("1_000"), BAD("1a"), BAD("0x"));
    TOKENS("?1?:a@b $c::d#1 :", VARIABLE("?1"), VARIABLE("?"), VARIABLE(":a"),
           VARIABLE("@b"), VARIABLE("$c::d"), VARIABLE("#1"), BAD(":"));
    TOKENS("a->b->>'c'||d<=e<>f!=g==h<<i>>j>=k-l!", WORD("a"), SYMBOL("->"),
           WORD("b"), SYMBOL("->>"), STRING("'c'"), SYMBOL("||"), WORD("d"),
           SYMBOL("<="), WORD("e"), SYMBOL("<>"), WORD("f"), SYMBOL("!="),
           WORD("g"), SYMBOL("=="), WORD("h"), SYMBOL("<<"), WORD("i"),
           SYMBOL(">>"), WORD("j"), SYMBOL(">="), WORD("k"), SYMBOL("-"),
           WORD("l"), BAD("!"));
    TOKENS("x'0' X'g'y '", BAD("x'0'"), BAD("X'g'"), WORD("y"), STRING("'"));
    TOKENS("\xC3\xA4$1_ a.b /*/ x */ c /*", WORD("\xC3\xA4$1_"), WORD("a"),
           SYMBOL("."), WORD("b"), WORD("c"), SYMBOL("/"), SYMBOL("*"));
    TOKENS("\v\x01", BAD("\v"), BAD("\x01"));
    TOKENS("-- only a comment");
}

static void tells_what_has_no_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"'abc", "\"abc\"\"", "`", "[abc",
                                        "x'00"};
    rowtide__lexer lexer;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rowtide__lexer_open(&lexer, texts[i], strlen(texts[i]));
        rowtide__token token = rowtide__lexer_next(&lexer);
        assert_true(token.unfinished);
        assert_int_equal(token.size, strlen(texts[i]));
    }
    rowtide__lexer_open(&lexer, "a /* b", 6);
    rowtide__lexer_next(&lexer);
    assert_false(lexer.open_comment);
    assert_int_equal(rowtide__lexer_next(&lexer).kind, ROWTIDE__TOKEN_END);
    assert_true(lexer.open_comment);
    assert_int_equal(lexer.space, 1);
}

/* Whatever the bytes, tokens follow each other and end with the text. */
static void takes_any_bytes(void **state)
{
    (void)state;
    char text[64];
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] =
                "'\"`[]()-/*;x0.$:@?#e+_a \n\xC3\0!<>=|"[(seed >> 16) % 33];
        }
        rowtide__lexer lexer;
        rowtide__lexer_open(&lexer, text, sizeof text);
        size_t at = 0;
        for (;;) {
            rowtide__token token = rowtide__lexer_next(&lexer);
            assert_true(token.at >= at && token.at + token.size <= sizeof text);
            if (token.kind == ROWTIDE__TOKEN_END)
                break;
            assert_true(token.size > 0);
            at = token.at + token.size;
        }
    }
}

static void knows_words_in_any_case(void **state)
{
    (void)state;
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, "TaBle \"table\" (", 15);
    rowtide__token token = rowtide__lexer_next(&lexer);
    assert_true(rowtide__token_is(&lexer, &token, "table"));
    assert_true(rowtide__token_is(&lexer, &token, "TABLE"));
    assert_false(rowtide__token_is(&lexer, &token, "tables"));
    assert_false(rowtide__token_is(&lexer, &token, "tab"));
    token = rowtide__lexer_next(&lexer);
    assert_false(rowtide__token_is(&lexer, &token, "table"));
    token = rowtide__lexer_next(&lexer);
    assert_true(rowtide__token_is(&lexer, &token, "("));
}

/* ## Statements */

static void assert_statement(rowtide__lexer *lexer, const char *text,
                             size_t line, int complete)
{
    rowtide__statement statement;
    assert_int_equal(rowtide__statement_next(lexer, &statement), 1);
    char *found = strndup(lexer->text + statement.at, statement.size);
    assert_string_equal(found, text);
    free(found);
    assert_int_equal(statement.line, line);
    assert_int_equal(statement.complete, complete);
}

static void cuts_statements(void **state)
{
    (void)state;
    static const char sql[] =
        "-- first\n;;SELECT ';' -- ;\n;\nCREATE TEMP TRIGGER t AFTER INSERT ON "
        "a\nBEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1; END;\n"
        "EXPLAIN QUERY PLAN CREATE TRIGGER u DELETE ON a BEGIN SELECT 1; END ;"
        "BEGIN; END; CREATE TRIGGER broken AFTER INSERT ON a; SELECT 1;"
        "CREATE TABLE \"trigger\"(a /* ; */);\nlast -- done\n";
    rowtide__lexer lexer;
    rowtide__statement statement;
    rowtide__lexer_open(&lexer, sql, sizeof sql - 1);
    assert_statement(&lexer, "SELECT ';'", 2, 1);
    assert_statement(&lexer,
                     "CREATE TEMP TRIGGER t AFTER INSERT ON a\nBEGIN SELECT "
                     "CASE 1 WHEN 1 THEN 2 END; SELECT 1; END",
                     4, 1);
    assert_statement(&lexer,
                     "EXPLAIN QUERY PLAN CREATE TRIGGER u DELETE ON a BEGIN "
                     "SELECT 1; END",
                     6, 1);
    assert_statement(&lexer, "BEGIN", 6, 1);
    assert_statement(&lexer, "END", 6, 1);
    assert_statement(&lexer, "CREATE TRIGGER broken AFTER INSERT ON a", 6, 1);
    assert_statement(&lexer, "SELECT 1", 6, 1);
    assert_statement(&lexer, "CREATE TABLE \"trigger\"(a /* ; */)", 6, 1);
    assert_statement(&lexer, "last", 7, 0);
    assert_int_equal(rowtide__statement_next(&lexer, &statement), 0);
    assert_int_equal(rowtide__statement_next(&lexer, &statement), 0);
}

/* Where SQLite's own tail is, there the next statement begins. */
static void cuts_where_sqlite_does(void **state)
{
    (void)state;
    static const char sql[] =
        "CREATE TABLE a(b DEFAULT ';', [;] TEXT);;\n/* ; */ SELECT 1;"
        "CREATE TRIGGER t AFTER UPDATE OF b ON a WHEN new.b > 1 BEGIN UPDATE a "
        "SET b = CASE WHEN b THEN 1 ELSE 2 END; DELETE FROM a; END;"
        "CREATE TRIGGER IF NOT EXISTS \"begin\" BEFORE DELETE ON a BEGIN "
        "SELECT "
        "';END;'; END; PRAGMA user_version; BEGIN; COMMIT; SELECT 2";
    rowtide_db *db = scratch_db(NULL);
    rowtide__lexer lexer;
    rowtide__statement statement;
    rowtide__lexer_open(&lexer, sql, sizeof sql - 1);
    const char *rest = sql;
    while (rowtide__statement_next(&lexer, &statement)) {
        sqlite3_stmt *stmt = NULL;
        while (!stmt) {
            const char *start = rest;
            assert_int_equal(sqlite3_prepare_v2(rowtide_db_sqlite(db), start,
                                                -1, &stmt, &rest),
                             SQLITE_OK);
        }
        while (sqlite3_step(stmt) == SQLITE_ROW)
            ;
        assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
        assert_ptr_equal(sql + lexer.at, rest);
    }
    assert_int_equal(*rest, '\0');
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tokens_as_sqlite_does),
        cmocka_unit_test(tells_what_has_no_end),
        cmocka_unit_test(takes_any_bytes),
        cmocka_unit_test(knows_words_in_any_case),
        cmocka_unit_test(cuts_statements),
        cmocka_unit_test(cuts_where_sqlite_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
