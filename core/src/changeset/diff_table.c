#include "changeset/diff.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/codec.h"
#include "db/sql.h"

#include <string.h>

enum { COLUMNS_TOGETHER = 200 };

/* A column that both tables have. */
typedef struct diff_column {
    const char *name;
    int key;
    int binary;     /* in both, so equality is exact */
    int same_types; /* equal values have the same type */
} diff_column;

typedef struct table_diff {
    rowtide__diff *diff;
    const char *name;
    diff_column *columns;
    int column_count;
    unsigned char *primary_key;
    rowtide_value *from, *to; /* the row in both */
    int started;              /* its header is written */
} table_diff;

static int is_binary(const rowtide__column *column)
{
    return sqlite3_stricmp(column->collation, "BINARY") == 0;
}

/* These affinities leave no two equal values of different type. */
static int is_exact(const rowtide__column *a, const rowtide__column *b)
{
    return sqlite3_stricmp(a->declared_type, b->declared_type) == 0
           && (sqlite3_stricmp(a->declared_type, "INTEGER") == 0
               || sqlite3_stricmp(a->declared_type, "TEXT") == 0);
}

/* Both have the same ordinary columns. */
static void pair_columns(table_diff *work, const rowtide__table_info *from,
                         const rowtide__table_info *to)
{
    int t = 0, count = 0;
    for (int f = 0; f < from->column_count; f++) {
        const rowtide__column *a = &from->columns[f];
        if (a->generated)
            continue;
        while (to->columns[t].generated)
            t++;
        const rowtide__column *b = &to->columns[t++];
        work->columns[count] = (diff_column){a->name, a->primary_key,
                                             is_binary(a) && is_binary(b),
                                             is_exact(a, b)};
        work->primary_key[count++] = (unsigned char)a->primary_key;
    }
}

static int append_sql(rowtide_buffer *sql, char *text)
{
    int rc = text ? rowtide__buffer_append_text(sql, text) : rowtide__nomem();
    sqlite3_free(text);
    return rc;
}

static int append_columns(const table_diff *work, rowtide_buffer *sql,
                          const char *alias, int first)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++)
        rc = append_sql(sql, sqlite3_mprintf("%s%s.\"%w\"",
                                             first && i == 0 ? "" : ", ", alias,
                                             work->columns[i].name));
    return rc;
}

/* The plain comparison finds the row by index; the others make it exact. */
static int append_same_key(const table_diff *work, rowtide_buffer *sql)
{
    int rc = rowtide__buffer_append_text(sql, "1");
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++) {
        const diff_column *column = &work->columns[i];
        if (!column->key)
            continue;
        rc = append_sql(sql, sqlite3_mprintf(" AND t.\"%w\" = f.\"%w\"",
                                             column->name, column->name));
        if (rc == ROWTIDE_OK && !column->binary)
            rc = append_sql(
                sql, sqlite3_mprintf(" AND t.\"%w\" COLLATE BINARY = f.\"%w\"",
                                     column->name, column->name));
        if (rc == ROWTIDE_OK && !column->same_types)
            rc = append_sql(
                sql, sqlite3_mprintf(" AND typeof(t.\"%w\") = typeof(f.\"%w\")",
                                     column->name, column->name));
    }
    return rc;
}

static int append_key_not_null(const table_diff *work, rowtide_buffer *sql,
                               const char *alias)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++)
        if (work->columns[i].key)
            rc = append_sql(sql, sqlite3_mprintf("%s.\"%w\" IS NOT NULL AND ",
                                                 alias, work->columns[i].name));
    return rc;
}

/* Rows of one side that the other has not. */
static int append_missing(const table_diff *work, rowtide_buffer *sql,
                          int deleted)
{
    const rowtide__diff *diff = work->diff;
    const char *here = deleted ? "f" : "t", *there = deleted ? "t" : "f";
    int rc = rowtide__buffer_append_text(sql, "SELECT ");
    if (rc == ROWTIDE_OK)
        rc = append_columns(work, sql, here, 1);
    if (rc == ROWTIDE_OK)
        rc = append_sql(sql, sqlite3_mprintf(" FROM \"%w\".\"%w\" AS %s WHERE ",
                                             deleted ? diff->from : diff->to,
                                             work->name, here));
    if (rc == ROWTIDE_OK)
        rc = append_key_not_null(work, sql, here);
    if (rc == ROWTIDE_OK)
        rc = append_sql(
            sql, sqlite3_mprintf(
                     "NOT EXISTS(SELECT 1 FROM \"%w\".\"%w\" AS %s WHERE ",
                     deleted ? diff->to : diff->from, work->name, there));
    if (rc == ROWTIDE_OK)
        rc = append_same_key(work, sql);
    return rc == ROWTIDE_OK ? rowtide__buffer_append_text(sql, ")") : rc;
}

static int append_different(const diff_column *column, rowtide_buffer *sql)
{
    int rc = append_sql(
        sql,
        sqlite3_mprintf(" OR f.\"%w\"%s IS NOT t.\"%w\"", column->name,
                        column->binary ? "" : " COLLATE BINARY", column->name));
    if (rc == ROWTIDE_OK && !column->same_types)
        rc = append_sql(
            sql, sqlite3_mprintf(" OR typeof(f.\"%w\") <> typeof(t.\"%w\")",
                                 column->name, column->name));
    return rc;
}

/* SQLite refuses expressions deeper than 1000. */
static int append_any_different(const table_diff *work, rowtide_buffer *sql)
{
    int rc = rowtide__buffer_append_text(sql, " WHERE (0");
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++) {
        if (i && i % COLUMNS_TOGETHER == 0)
            rc = rowtide__buffer_append_text(sql, ") OR (0");
        if (rc == ROWTIDE_OK && !work->columns[i].key)
            rc = append_different(&work->columns[i], sql);
    }
    return rc == ROWTIDE_OK ? rowtide__buffer_append_byte(sql, ')') : rc;
}

static int append_changed(const table_diff *work, rowtide_buffer *sql)
{
    const rowtide__diff *diff = work->diff;
    int rc = rowtide__buffer_append_text(sql, "SELECT ");
    if (rc == ROWTIDE_OK)
        rc = append_columns(work, sql, "f", 1);
    if (rc == ROWTIDE_OK)
        rc = append_columns(work, sql, "t", 0);
    if (rc == ROWTIDE_OK)
        rc = append_sql(sql, sqlite3_mprintf(" FROM \"%w\".\"%w\" AS f CROSS "
                                             "JOIN \"%w\".\"%w\" AS t ON ",
                                             diff->from, work->name, diff->to,
                                             work->name));
    /* ANALYZE finds an index full of NULL useless. */
    if (rc == ROWTIDE_OK)
        rc = append_key_not_null(work, sql, "f");
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(sql, '(');
    if (rc == ROWTIDE_OK)
        rc = append_same_key(work, sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(sql, ')');
    return rc == ROWTIDE_OK ? append_any_different(work, sql) : rc;
}

/* 1 if there is a difference: what is the same becomes undefined. */
static int reduce_update(table_diff *work)
{
    int changed = 0;
    for (int i = 0; i < work->column_count; i++) {
        if (work->primary_key[i]) {
            work->to[i] = rowtide_value_undefined();
        } else if (rowtide_value_equal(&work->from[i], &work->to[i])) {
            work->from[i] = work->to[i] = rowtide_value_undefined();
        } else {
            changed = 1;
        }
    }
    return changed;
}

static int write_change(table_diff *work, rowtide_change_kind kind)
{
    rowtide__diff *diff = work->diff;
    rowtide_change change = {
        .table = work->name,
        .kind = kind,
        .column_count = work->column_count,
        .primary_key = work->primary_key,
        .old_values = kind == ROWTIDE_CHANGE_INSERT ? NULL : work->from,
        .new_values = kind == ROWTIDE_CHANGE_DELETE ? NULL : work->to};
    int rc = ROWTIDE_OK;
    if (!work->started)
        rc = rowtide__encode_table(diff->out, diff->patchset, work->name,
                                   work->column_count, work->primary_key);
    work->started = 1;
    if (rc == ROWTIDE_OK)
        rc = rowtide__encode_change(diff->out, diff->patchset, &change);
    diff->changes++;
    return rc == ROWTIDE_OK ? rowtide__diff_pause(diff) : rc;
}

static int read_row(const table_diff *work, sqlite3_stmt *stmt, int first,
                    rowtide_value *row)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++)
        rc = rowtide__sql_column(stmt, first + i, &row[i]);
    return rc;
}

static int take_row(table_diff *work, sqlite3_stmt *stmt,
                    rowtide_change_kind kind)
{
    int rc = read_row(work, stmt, 0,
                      kind == ROWTIDE_CHANGE_INSERT ? work->to : work->from);
    if (rc == ROWTIDE_OK && kind == ROWTIDE_CHANGE_UPDATE)
        rc = read_row(work, stmt, work->column_count, work->to);
    if (rc == ROWTIDE_OK
        && (kind != ROWTIDE_CHANGE_UPDATE || reduce_update(work)))
        rc = write_change(work, kind);
    return rc;
}

static int run_query(table_diff *work, rowtide_change_kind kind)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    sqlite3_stmt *stmt = NULL;
    int rc = kind == ROWTIDE_CHANGE_UPDATE
                 ? append_changed(work, &sql)
                 : append_missing(work, &sql, kind == ROWTIDE_CHANGE_DELETE);
    if (rc == ROWTIDE_OK) {
        rc = rowtide__sql_prepare(work->diff->db, &stmt, "%s", sql.data);
        if (rc != ROWTIDE_OK)
            rowtide__fail_context("diff: table \"%s\"", work->name);
    }
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(work->diff->db, stmt)) == ROWTIDE_OK)
        rc = take_row(work, stmt, kind);
    sqlite3_finalize(stmt);
    rowtide_buffer_dispose(&sql);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* Deletes first and inserts last gives unique values the best chance. */
static int run_queries(table_diff *work)
{
    int rc = run_query(work, ROWTIDE_CHANGE_DELETE);
    if (rc == ROWTIDE_OK)
        rc = run_query(work, ROWTIDE_CHANGE_UPDATE);
    return rc == ROWTIDE_OK ? run_query(work, ROWTIDE_CHANGE_INSERT) : rc;
}

int rowtide__diff_table(rowtide__diff *diff, const rowtide__table_info *from,
                        const rowtide__table_info *to)
{
    size_t count = (size_t)from->ordinary_count;
    table_diff work = {
        .diff = diff, .name = from->name, .column_count = from->ordinary_count};
    work.columns = rowtide__alloc_array(count, sizeof *work.columns);
    work.primary_key = rowtide__alloc_array(count, 1);
    work.from = rowtide__alloc_array(count, sizeof *work.from);
    work.to = rowtide__alloc_array(count, sizeof *work.to);
    int rc = ROWTIDE_ENOMEM;
    int most = sqlite3_limit(rowtide_db_sqlite(diff->db), SQLITE_LIMIT_COLUMN,
                             -1);
    if (from->ordinary_count > most / 2) {
        rc = rowtide__fail(ROWTIDE_ETOOBIG,
                           "diff: table \"%s\" has %d columns, the most that "
                           "can be compared are %d",
                           from->name, from->ordinary_count, most / 2);
    } else if (work.columns && work.primary_key && work.from && work.to) {
        pair_columns(&work, from, to);
        rc = run_queries(&work);
    }
    rowtide__free(work.columns);
    rowtide__free(work.primary_key);
    rowtide__free(work.from);
    rowtide__free(work.to);
    return rc;
}
