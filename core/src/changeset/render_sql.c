#include "changeset/render.h"
#include "base/error.h"
#include "base/number.h"
#include "base/stream.h"
#include "base/utf8.h"
#include "db/sql.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Texts with more special characters than this are written as bytes: SQLite
 * limits how deep an expression may be. */
enum { MAX_SPECIAL = 40 };

static void write_name(rowtide__writer *writer, const char *name)
{
    rowtide__write_byte(writer, '"');
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            rowtide__write_byte(writer, '"');
        rowtide__write_byte(writer, *c);
    }
    rowtide__write_byte(writer, '"');
}

static void write_blob(rowtide__writer *writer, const rowtide_value *value)
{
    rowtide__write_text(writer, "X'");
    rowtide__write_hex(writer, value->data, value->size);
    rowtide__write_byte(writer, '\'');
}

/* ## Text
 *
 * Control characters become char(n), so that a statement is one line and does
 * nothing to a terminal; what is not UTF-8 becomes bytes. */

static int count_special(const rowtide_value *value)
{
    const char *text = value->data;
    int count = 0;
    for (size_t at = 0; at < value->size;) {
        uint32_t character;
        int length = rowtide__utf8_decode(text + at, value->size - at,
                                          &character);
        if (length == 0)
            return -1;
        count += rowtide__utf8_unsafe(character);
        at += (size_t)length;
        if (count > MAX_SPECIAL)
            return -1;
    }
    return count;
}

static void write_special(rowtide__writer *writer, uint32_t character,
                          int *open)
{
    if (*open)
        rowtide__write_byte(writer, '\'');
    *open = 0;
    rowtide__write_format(writer, "||char(%u)", (unsigned)character);
}

static void write_plain_text(rowtide__writer *writer,
                             const rowtide_value *value)
{
    const char *text = value->data;
    int open = 1;
    rowtide__write_byte(writer, '\'');
    for (size_t at = 0; at < value->size;) {
        uint32_t character = 0;
        int length = rowtide__utf8_decode(text + at, value->size - at,
                                          &character);
        if (rowtide__utf8_unsafe(character)) {
            write_special(writer, character, &open);
        } else {
            if (!open)
                rowtide__write_text(writer, "||'");
            open = 1;
            if (character == '\'')
                rowtide__write_byte(writer, '\'');
            rowtide__write(writer, text + at, (size_t)length);
        }
        at += (size_t)length;
    }
    if (open)
        rowtide__write_byte(writer, '\'');
}

static void write_text(rowtide__writer *writer, const rowtide_value *value)
{
    int special = count_special(value);
    if (special < 0) {
        rowtide__write_text(writer, "CAST(");
        write_blob(writer, value);
        rowtide__write_text(writer, " AS TEXT)");
        return;
    }
    if (special)
        rowtide__write_byte(writer, '(');
    write_plain_text(writer, value);
    if (special)
        rowtide__write_byte(writer, ')');
}

/* ## Numbers */

typedef struct sql_state {
    sqlite3_stmt *reader; /* SQLite's own reading of a number */
    rowtide_db *db;
} sql_state;

static int sqlite_reads(sql_state *state, const char *text, double *out)
{
    sqlite3_bind_text(state->reader, 1, text, -1, SQLITE_STATIC);
    int rc = rowtide__sql_step(state->db, state->reader);
    *out = sqlite3_column_double(state->reader, 0);
    sqlite3_reset(state->reader);
    sqlite3_clear_bindings(state->reader);
    return rc == ROWTIDE_OK ? ROWTIDE_OK : rc < 0 ? rc : ROWTIDE_EINTERNAL;
}

/* An exact product: a whole number and powers of two are not rounded. */
static void write_product(rowtide__writer *writer, double real)
{
    int exponent;
    double fraction = frexp(real, &exponent);
    rowtide__write_format(writer, "(%.0f.0", ldexp(fraction, 53));
    for (exponent -= 53; exponent <= -32; exponent += 32)
        rowtide__write_text(writer, "/4294967296.0");
    for (; exponent >= 32; exponent -= 32)
        rowtide__write_text(writer, "*4294967296.0");
    if (exponent)
        rowtide__write_format(writer, "%c%" PRId64 ".0",
                              exponent < 0 ? '/' : '*',
                              INT64_C(1) << abs(exponent));
    rowtide__write_byte(writer, ')');
}

/* SQLite's reading of decimal numbers is not exact in every version: ask the
 * one that is loaded. */
static int write_finite(rowtide__writer *writer, sql_state *state, double real)
{
    char text[ROWTIDE__REAL_SIZE];
    double read;
    rowtide__real_format(real, text);
    for (int digits = 17; digits <= 20; digits++) {
        int rc = sqlite_reads(state, text, &read);
        if (rc != ROWTIDE_OK)
            return rc;
        if (memcmp(&read, &real, sizeof read) == 0
            || (read == 0 && real == 0)) {
            rowtide__write_text(writer, text);
            return ROWTIDE_OK;
        }
        rowtide__real_digits(real, digits, text);
    }
    write_product(writer, real);
    return ROWTIDE_OK;
}

static int write_real(rowtide__writer *writer, sql_state *state, double real)
{
    if (isfinite(real))
        return write_finite(writer, state, real);
    rowtide__write_text(writer, isnan(real) ? "NULL"
                                : real > 0  ? "9e999"
                                            : "-9e999");
    return ROWTIDE_OK;
}

static int write_literal(rowtide__writer *writer, sql_state *state,
                         const rowtide_value *value)
{
    switch (value->type) {
    case ROWTIDE_INTEGER:
        rowtide__write_format(writer, "%" PRId64, value->integer);
        return ROWTIDE_OK;
    case ROWTIDE_REAL:
        return write_real(writer, state, value->real);
    case ROWTIDE_TEXT:
        write_text(writer, value);
        return ROWTIDE_OK;
    case ROWTIDE_BLOB:
        write_blob(writer, value);
        return ROWTIDE_OK;
    default:
        rowtide__write_text(writer, "NULL");
        return ROWTIDE_OK;
    }
}

/* ## Statements */

typedef struct statement {
    rowtide__writer *writer;
    sql_state *state;
    const rowtide_change *change;
    const char *const *columns;
} statement;

static int write_assignment(statement *s, int column,
                            const rowtide_value *value, const char *lead)
{
    rowtide__write_text(s->writer, lead);
    write_name(s->writer, s->columns[column]);
    rowtide__write_text(s->writer, " = ");
    return write_literal(s->writer, s->state, value);
}

static int write_where(statement *s)
{
    const char *lead = " WHERE ";
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < s->change->column_count; i++) {
        if (!s->change->primary_key[i])
            continue;
        rc = write_assignment(s, i, &s->change->old_values[i], lead);
        lead = " AND ";
    }
    return rc;
}

static int write_insert(statement *s)
{
    int rc = ROWTIDE_OK;
    rowtide__write_text(s->writer, "INSERT INTO ");
    write_name(s->writer, s->change->table);
    for (int i = 0; i < s->change->column_count; i++) {
        rowtide__write_text(s->writer, i ? ", " : " (");
        write_name(s->writer, s->columns[i]);
    }
    rowtide__write_text(s->writer, ") VALUES (");
    for (int i = 0; rc == ROWTIDE_OK && i < s->change->column_count; i++) {
        if (i)
            rowtide__write_text(s->writer, ", ");
        rc = write_literal(s->writer, s->state, &s->change->new_values[i]);
    }
    rowtide__write_byte(s->writer, ')');
    return rc;
}

static int write_delete(statement *s)
{
    rowtide__write_text(s->writer, "DELETE FROM ");
    write_name(s->writer, s->change->table);
    return write_where(s);
}

static int write_update(statement *s)
{
    const rowtide_change *change = s->change;
    const char *lead = " SET ";
    int rc = ROWTIDE_OK;
    rowtide__write_text(s->writer, "UPDATE ");
    write_name(s->writer, change->table);
    for (int i = 0; rc == ROWTIDE_OK && i < change->column_count; i++) {
        if (change->new_values[i].type == ROWTIDE_UNDEFINED
            || change->primary_key[i])
            continue;
        rc = write_assignment(s, i, &change->new_values[i], lead);
        lead = ", ";
    }
    return rc == ROWTIDE_OK ? write_where(s) : rc;
}

/* An UPDATE may have nothing but its key. */
static int changes_nothing(const rowtide_change *change)
{
    if (change->kind != ROWTIDE_CHANGE_UPDATE)
        return 0;
    for (int i = 0; i < change->column_count; i++)
        if (!change->primary_key[i]
            && change->new_values[i].type != ROWTIDE_UNDEFINED)
            return 0;
    return 1;
}

static int print_statement(rowtide__render *render,
                           const rowtide_change *change, void *state)
{
    statement s = {&render->writer, state, change,
                   rowtide__names_columns(&render->names, change)};
    if (!s.columns)
        return rowtide__fail(
            ROWTIDE_ESCHEMA,
            "table \"%s\": column names are not known; give a database that "
            "has this table with at least %d columns",
            change->table, change->column_count);
    if (changes_nothing(change))
        return ROWTIDE_OK;
    int rc = change->kind == ROWTIDE_CHANGE_INSERT   ? write_insert(&s)
             : change->kind == ROWTIDE_CHANGE_DELETE ? write_delete(&s)
                                                     : write_update(&s);
    rowtide__write_text(&render->writer, ";\n");
    return rc;
}

static int open_reader(sql_state *state, rowtide_db *db)
{
    state->db = db;
    if (!db)
        return ROWTIDE_OK;
    int rc = rowtide__db_enter(db, "changeset_to_sql");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__sql_prepare(db, &state->reader, "SELECT CAST(?1 AS REAL)");
    if (rc != ROWTIDE_OK)
        rowtide__db_leave(db);
    return rc;
}

static void close_reader(sql_state *state)
{
    if (!state->reader)
        return;
    sqlite3_finalize(state->reader);
    rowtide__db_leave(state->db);
}

int rowtide_changeset_to_sql(rowtide_source *source,
                             const rowtide_render_options *options,
                             rowtide_sink *sink)
{
    rowtide__render render;
    sql_state state = {0};
    rowtide_changeset_iter *iter = NULL;
    ROWTIDE__CHECK_ARG(source && sink, "changeset_to_sql");
    int rc = rowtide__render_init(&render, options, sink, "changeset_to_sql");
    if (rc == ROWTIDE_OK)
        rc = open_reader(&state, render.options.names);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_stream(source, 0, &iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_each(&render, iter, print_statement, &state);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_finish(&render);
    rowtide_changeset_iter_free(iter);
    close_reader(&state);
    rowtide__render_dispose(&render);
    return rc;
}
