#include "crdt/merge.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

/* Statements about one row of a table, found by its key. */

static void write_name(rowtide__writer *writer, const char *name)
{
    char *quoted = sqlite3_mprintf("\"%w\"", name);
    if (quoted)
        rowtide__write_text(writer, quoted);
    else
        writer->rc = rowtide__nomem();
    sqlite3_free(quoted);
}

static void write_names(rowtide__writer *writer,
                        const rowtide__crdt_table *table)
{
    for (int i = 0; i < table->key_count; i++) {
        if (i > 0)
            rowtide__write_text(writer, ", ");
        write_name(writer, table->keys[i]);
    }
}

int rowtide__crdt_write_keys(const rowtide__crdt_table *table,
                             rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    write_names(&writer, table);
    return writer.rc;
}

/* What follows a column of the key that is compared. */
static const char *collation_of(const rowtide__crdt_table *table)
{
    return table->exact ? " COLLATE BINARY" : "";
}

static void write_where(rowtide__writer *writer,
                        const rowtide__crdt_table *table)
{
    for (int i = 0; i < table->key_count; i++) {
        rowtide__write_text(writer, i > 0 ? " AND " : " WHERE ");
        write_name(writer, table->keys[i]);
        rowtide__write_format(writer, "%s = ?%d", collation_of(table), i + 1);
    }
}

/* Not also a row whose key is only equal by a collation: that is another. */
static void write_where_exactly(rowtide__writer *writer,
                                const rowtide__crdt_table *table)
{
    write_where(writer, table);
    for (int i = 0; table->folding && i < table->key_count; i++) {
        rowtide__write_text(writer, " AND ");
        write_name(writer, table->keys[i]);
        rowtide__write_format(writer, " COLLATE BINARY = ?%d AND typeof(",
                              i + 1);
        write_name(writer, table->keys[i]);
        rowtide__write_format(writer, ") = typeof(?%d)", i + 1);
    }
}

/* The row that is there gives way to the one that comes. */
static void write_key_assigned(rowtide__writer *writer,
                               const rowtide__crdt_table *table, int more)
{
    for (int i = 0; table->folding && i < table->key_count; i++) {
        rowtide__write_text(writer, i > 0 ? ", " : "");
        write_name(writer, table->keys[i]);
        rowtide__write_text(writer, " = excluded.");
        write_name(writer, table->keys[i]);
    }
    if (table->folding && more)
        rowtide__write_text(writer, ", ");
}

static void write_insert(rowtide__writer *writer,
                         const rowtide__crdt_table *table, const char *column)
{
    rowtide__write_text(writer, "INSERT INTO main.");
    write_name(writer, table->name);
    rowtide__write_text(writer, "(");
    write_names(writer, table);
    if (column) {
        rowtide__write_text(writer, ", ");
        write_name(writer, column);
    }
    rowtide__write_text(writer, ") VALUES(");
    for (int i = 0; i < table->key_count + (column != NULL); i++)
        rowtide__write_format(writer, i > 0 ? ", ?%d" : "?%d", i + 1);
    rowtide__write_text(writer, ") ON CONFLICT DO ");
    if (!column && !table->folding) {
        rowtide__write_text(writer, "NOTHING");
        return;
    }
    rowtide__write_text(writer, "UPDATE SET ");
    write_key_assigned(writer, table, column != NULL);
    if (!column)
        return;
    write_name(writer, column);
    rowtide__write_text(writer, " = excluded.");
    write_name(writer, column);
}

static void write_assigned(rowtide__writer *writer,
                           const rowtide__crdt_table *table, int exists,
                           const int *places, int count)
{
    for (int i = 0; i < count; i++) {
        const char *name = table->columns[places[i]].name;
        rowtide__write_text(writer, i > 0 ? ", " : "");
        write_name(writer, name);
        if (exists) {
            rowtide__write_format(writer, " = ?%d", table->key_count + 1 + i);
            continue;
        }
        rowtide__write_text(writer, " = excluded.");
        write_name(writer, name);
    }
}

static void write_row_values(rowtide__writer *writer, int count, int batch)
{
    const char *format = batch ? "c%d" : "?%d";
    rowtide__write_text(writer, batch ? " SELECT " : " VALUES(");
    for (int i = 0; i < count; i++) {
        rowtide__write_text(writer, i > 0 ? ", " : "");
        rowtide__write_format(writer, format, i + !batch);
    }
    rowtide__write_text(writer,
                        batch ? " FROM rowtide_crdt_batch(1) WHERE true" : ")");
}

static void write_upsert(rowtide__writer *writer,
                         const rowtide__crdt_table *table, int batch,
                         const int *places, int count)
{
    rowtide__write_text(writer, "INSERT INTO main.");
    write_name(writer, table->name);
    rowtide__write_text(writer, "(");
    write_names(writer, table);
    for (int i = 0; i < count; i++) {
        rowtide__write_text(writer, ", ");
        write_name(writer, table->columns[places[i]].name);
    }
    rowtide__write_text(writer, ")");
    write_row_values(writer, table->key_count + count, batch);
    rowtide__write_text(writer, " ON CONFLICT DO UPDATE SET ");
    write_key_assigned(writer, table, 1);
    write_assigned(writer, table, 0, places, count);
}

int rowtide__crdt_write_row(const rowtide__crdt_table *table,
                            enum rowtide__set_kind kind, const int *places,
                            int count, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    if (kind != ROWTIDE__SET_OLD) {
        write_upsert(&writer, table, kind == ROWTIDE__SET_BATCH, places, count);
        return writer.rc;
    }
    rowtide__write_text(&writer, "UPDATE main.");
    write_name(&writer, table->name);
    rowtide__write_text(&writer, " SET ");
    write_assigned(&writer, table, 1, places, count);
    write_where_exactly(&writer, table);
    return writer.rc;
}

int rowtide__crdt_write_keyed(const rowtide__crdt_table *table,
                              const char *verb, const char *column,
                              rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    if (strcmp(verb, "INSERT") == 0) {
        write_insert(&writer, table, column);
        return writer.rc;
    }
    if (strcmp(verb, "UPDATE") == 0) {
        rowtide__write_text(&writer, "UPDATE main.");
        write_name(&writer, table->name);
        rowtide__write_text(&writer, " SET ");
        write_name(&writer, column);
        rowtide__write_format(&writer, " = ?%d", table->key_count + 1);
    } else if (strcmp(verb, "DELETE") == 0) {
        rowtide__write_text(&writer, "DELETE FROM main.");
        write_name(&writer, table->name);
    } else {
        rowtide__write_text(&writer, "SELECT ");
        write_name(&writer, column);
        rowtide__write_format(&writer, " COLLATE BINARY IS ?%d FROM main.",
                              table->key_count + 1);
        write_name(&writer, table->name);
    }
    if (strcmp(verb, "SELECT IS") == 0)
        write_where(&writer, table);
    else
        write_where_exactly(&writer, table);
    return writer.rc;
}

static int is_joined(const rowtide__crdt_table *table)
{
    return !table->integer_key && !table->rowid;
}

static void write_select(rowtide__writer *writer,
                         const rowtide__crdt_table *table)
{
    rowtide__write_text(writer, "SELECT ");
    for (int i = 0; i < table->key_count + table->column_count; i++) {
        rowtide__write_text(writer, i > 0 ? ", r." : "r.");
        write_name(writer, i < table->key_count
                               ? table->keys[i]
                               : table->columns[i - table->key_count].name);
    }
    if (table->rowid)
        rowtide__write_format(writer, ", r.%s", table->rowid);
    rowtide__write_text(writer, " FROM ");
}

static void write_from(rowtide__writer *writer,
                       const rowtide__crdt_table *table)
{
    rowtide__write_text(writer, "main.");
    write_name(writer, table->name);
    rowtide__write_text(writer, " AS r");
}

/* A name of the rowid that no column has. */
static int find_rowid(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    static const char *const NAMES[] = {"rowid", "_rowid_", "oid"};
    int64_t has_rowid, taken = 1;
    int rc = rowtide__crdt_integer(
        engine, &has_rowid, 0,
        "SELECT count(*) FROM pragma_index_list(%Q, 'main') AS i, "
        "pragma_index_xinfo(i.name, 'main') AS x WHERE i.origin = 'pk' AND "
        "x.cid = -1",
        table->name);
    if (rc != ROWTIDE_OK || !has_rowid)
        return rc;
    for (int i = 0; i < 3 && taken && rc == ROWTIDE_OK; i++) {
        rc = rowtide__crdt_integer(
            engine, &taken, 0,
            "SELECT count(*) FROM pragma_table_xinfo(%Q, 'main') WHERE name = "
            "%Q COLLATE NOCASE",
            table->name, NAMES[i]);
        if (rc == ROWTIDE_OK && !taken)
            table->rowid = NAMES[i];
    }
    return rc;
}

/* The number of each row and its columns, by one look-up for each key, along
 * the table as far as they are sorted. */
static void write_join(rowtide__writer *writer,
                       const rowtide__crdt_table *table)
{
    rowtide__write_text(writer, "SELECT w.row");
    for (int i = 0; i < table->column_count; i++) {
        rowtide__write_text(writer, ", r.");
        write_name(writer, table->columns[i].name);
    }
    rowtide__write_format(writer,
                          " FROM rowtide_crdt_keys(%lld, ?1, ?2) AS w "
                          "CROSS JOIN ",
                          (long long)table->id);
    write_from(writer, table);
    for (int i = 0; i < table->key_count; i++) {
        rowtide__write_text(writer, i > 0 ? " AND r." : " ON r.");
        write_name(writer, table->keys[i]);
        rowtide__write_format(writer, "%s = w.k%d", collation_of(table), i);
    }
}

static void write_scan(rowtide__writer *writer,
                       const rowtide__crdt_table *table)
{
    if (is_joined(table)) {
        write_join(writer, table);
        return;
    }
    write_select(writer, table);
    write_from(writer, table);
    rowtide__write_text(writer, " WHERE r.");
    if (table->rowid)
        rowtide__write_text(writer, table->rowid);
    else
        write_name(writer, table->keys[0]);
    rowtide__write_text(writer, " >= ?1 ORDER BY r.");
    if (table->rowid)
        rowtide__write_text(writer, table->rowid);
    else
        write_name(writer, table->keys[0]);
}

static int prepare_select(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int scan, sqlite3_stmt **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&sql, ROWTIDE_OK};
    int rc = ROWTIDE_OK;
    if (is_joined(table))
        rc = find_rowid(engine, table);
    if (scan) {
        write_scan(&writer, table);
    } else {
        write_select(&writer, table);
        write_from(&writer, table);
        write_where(&writer, table);
    }
    if (rc == ROWTIDE_OK)
        rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, out, "%s", sql.data);
    rowtide_buffer_dispose(&sql);
    return rc;
}

int rowtide__crdt_prepare_get(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    return table->get ? ROWTIDE_OK
                      : prepare_select(engine, table, 0, &table->get);
}

int rowtide__crdt_prepare_scan(rowtide__crdt *engine,
                               rowtide__crdt_table *table)
{
    return table->scan ? ROWTIDE_OK
                       : prepare_select(engine, table, 1, &table->scan);
}
