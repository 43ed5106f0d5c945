#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "db/sql.h"

#include <string.h>

enum {
    UPDATES_KEPT = 64, /* sets of changed columns with a statement, per table */
    TERMS_TOGETHER = 500 /* SQLite refuses expressions deeper than 1000 */
};

static const rowtide__column *column_at(const rowtide__apply_table *table,
                                        int i)
{
    return &table->info.columns[table->columns[i]];
}

static int is_binary(const rowtide__column *column)
{
    return sqlite3_stricmp(column->collation, "BINARY") == 0;
}

static int append_name(rowtide_buffer *sql, const char *name)
{
    int rc = rowtide__buffer_append_byte(sql, '"');
    for (; rc == ROWTIDE_OK && *name; name++) {
        if (*name == '"')
            rc = rowtide__buffer_append_byte(sql, '"');
        if (rc == ROWTIDE_OK)
            rc = rowtide__buffer_append_byte(sql, *name);
    }
    return rc == ROWTIDE_OK ? rowtide__buffer_append_byte(sql, '"') : rc;
}

/* "separator" before all but the first. */
static int append_item(rowtide_buffer *sql, int *first, const char *separator,
                       const char *name, const char *rest)
{
    int rc = ROWTIDE_OK;
    if (!*first)
        rc = rowtide__buffer_append_text(sql, separator);
    *first = 0;
    if (rc == ROWTIDE_OK)
        rc = append_name(sql, name);
    return rc == ROWTIDE_OK ? rowtide__buffer_append_text(sql, rest) : rc;
}

static int append_table(rowtide_buffer *sql, const char *verb,
                        const rowtide__apply_table *table)
{
    int rc = rowtide__buffer_append_text(sql, verb);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_text(sql, " \"main\".");
    return rc == ROWTIDE_OK ? append_name(sql, table->info.name) : rc;
}

/* A term of a conjunction, which stands in parentheses. */
static int append_term(rowtide_buffer *sql, int *count, const char *name,
                       const char *rest)
{
    int first = *count == 0;
    const char *separator = *count % TERMS_TOGETHER ? " AND " : ") AND (";
    ++*count;
    return append_item(sql, &first, separator, name, rest);
}

/* The key's own collation, so that its index serves. */
static int append_key(rowtide_buffer *sql, const rowtide__apply_table *table)
{
    int count = 0;
    int rc = rowtide__buffer_append_text(sql, " WHERE (");
    for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
        if (table->primary_key[i])
            rc = append_term(sql, &count, column_at(table, i)->name, " = ?");
    return rc == ROWTIDE_OK ? rowtide__buffer_append_byte(sql, ')') : rc;
}

static int append_same(rowtide_buffer *sql, int *count,
                       const rowtide__column *column)
{
    return append_term(sql, count, column->name,
                       is_binary(column) ? " IS ?" : " COLLATE BINARY IS ?");
}

/* Is this column's old value compared? Key columns only where the index may
 * have found another spelling of them. */
static int is_compared(const rowtide__apply_table *table,
                       const unsigned char *changed, int i)
{
    if (table->primary_key[i])
        return !is_binary(column_at(table, i));
    return changed ? changed[i] : 1;
}

static int append_values(rowtide_buffer *sql, const rowtide__apply_table *table,
                         const unsigned char *changed)
{
    int count = 0, any = 0;
    for (int i = 0; i < table->column_count; i++)
        any |= is_compared(table, changed, i);
    if (!any)
        return rowtide__buffer_append_text(sql, " AND (? OR 1)");
    int rc = rowtide__buffer_append_text(sql, " AND (? OR ((");
    for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
        if (is_compared(table, changed, i))
            rc = append_same(sql, &count, column_at(table, i));
    return rc == ROWTIDE_OK ? rowtide__buffer_append_text(sql, ")))") : rc;
}

static int prepare(rowtide__apply *apply, rowtide_buffer *sql, int rc,
                   sqlite3_stmt **out)
{
    if (rc == ROWTIDE_OK) {
        int code = sqlite3_prepare_v3(apply->sqlite, sql->data, -1,
                                      SQLITE_PREPARE_PERSISTENT, out, NULL);
        if (code != SQLITE_OK)
            rc = rowtide__db_fail(apply->db, code, "table \"%s\"",
                                  apply->table->name);
    }
    rowtide_buffer_dispose(sql);
    return rc;
}

/* In the caller's transaction it is an INSERT from a SELECT: SQLite can undo
 * that by itself when the disk is full, and need not roll back all there is. */
static int append_insert(rowtide_buffer *sql, const rowtide__apply *apply)
{
    const rowtide__apply_table *table = apply->table;
    int nested = apply->transaction.nested, first = 1;
    int rc = append_table(sql, "INSERT INTO", table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(sql, '(');
    for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
        rc = append_item(sql, &first, ",", column_at(table, i)->name, "");
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_text(sql,
                                         nested ? ") SELECT ?" : ") VALUES(?");
    for (int i = 1; rc == ROWTIDE_OK && i < table->column_count; i++)
        rc = rowtide__buffer_append_text(sql, ",?");
    return rc == ROWTIDE_OK && !nested ? rowtide__buffer_append_byte(sql, ')')
                                       : rc;
}

int rowtide__apply_stmt_insert(rowtide__apply *apply, sqlite3_stmt **out)
{
    rowtide__apply_table *table = apply->table;
    int rc = ROWTIDE_OK;
    if (!table->insert) {
        rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
        rc = prepare(apply, &sql, append_insert(&sql, apply), &table->insert);
    }
    *out = table->insert;
    return rc;
}

int rowtide__apply_stmt_delete(rowtide__apply *apply, sqlite3_stmt **out)
{
    rowtide__apply_table *table = apply->table;
    int rc = ROWTIDE_OK;
    if (!table->delete) {
        rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
        rc = append_table(&sql, "DELETE FROM", table);
        if (rc == ROWTIDE_OK)
            rc = append_key(&sql, table);
        if (rc == ROWTIDE_OK && !apply->patchset)
            rc = append_values(&sql, table, NULL);
        rc = prepare(apply, &sql, rc, &table->delete);
    }
    *out = table->delete;
    return rc;
}

int rowtide__apply_stmt_select(rowtide__apply *apply, sqlite3_stmt **out)
{
    rowtide__apply_table *table = apply->table;
    int rc = ROWTIDE_OK, first = 1;
    if (!table->select) {
        rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
        rc = rowtide__buffer_append_text(&sql, "SELECT ");
        for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
            rc = append_item(&sql, &first, ",", column_at(table, i)->name, "");
        if (rc == ROWTIDE_OK)
            rc = append_table(&sql, " FROM", table);
        if (rc == ROWTIDE_OK)
            rc = append_key(&sql, table);
        rc = prepare(apply, &sql, rc, &table->select);
    }
    *out = table->select;
    return rc;
}

/* An UPDATE that changes nothing still finds out whether the row is there. */
static int append_nothing(rowtide_buffer *sql,
                          const rowtide__apply_table *table)
{
    const char *name = column_at(table, 0)->name;
    int rc = append_name(sql, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_text(sql, " = ");
    return rc == ROWTIDE_OK ? append_name(sql, name) : rc;
}

static int append_update(rowtide_buffer *sql, rowtide__apply *apply,
                         const unsigned char *changed)
{
    const rowtide__apply_table *table = apply->table;
    int first = 1;
    int rc = append_table(sql, "UPDATE", table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_text(sql, " SET ");
    for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
        if (changed[i])
            rc = append_item(sql, &first, ", ", column_at(table, i)->name,
                             " = ?");
    if (first && rc == ROWTIDE_OK)
        rc = append_nothing(sql, table);
    if (rc == ROWTIDE_OK)
        rc = append_key(sql, table);
    if (rc == ROWTIDE_OK && !apply->patchset)
        rc = append_values(sql, table, changed);
    return rc;
}

/* A rebased UPDATE may repeat its key in the new values. */
static int is_changed(const rowtide_change *change, int i)
{
    return change->new_values[i].type != ROWTIDE_UNDEFINED
           && !change->primary_key[i];
}

static int matches(const unsigned char *changed, const rowtide_change *change)
{
    for (int i = 0; i < change->column_count; i++)
        if (changed[i] != is_changed(change, i))
            return 0;
    return 1;
}

static void forget_oldest(rowtide__apply_table *table)
{
    rowtide__apply_update **link = &table->updates;
    while ((*link)->next)
        link = &(*link)->next;
    sqlite3_finalize((*link)->stmt);
    rowtide__free(*link);
    *link = NULL;
    table->update_count--;
}

static int make_update(rowtide__apply *apply, const rowtide_change *change,
                       rowtide__apply_update **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__apply_update *update = rowtide__alloc_zero(
        sizeof *update + (size_t)change->column_count);
    if (!update)
        return ROWTIDE_ENOMEM;
    for (int i = 0; i < change->column_count; i++)
        update->changed[i] = (unsigned char)is_changed(change, i);
    int rc = append_update(&sql, apply, update->changed);
    rc = prepare(apply, &sql, rc, &update->stmt);
    if (rc != ROWTIDE_OK) {
        rowtide__free(update);
        return rc;
    }
    if (apply->table->update_count == UPDATES_KEPT)
        forget_oldest(apply->table);
    apply->table->update_count++;
    *out = update;
    return ROWTIDE_OK;
}

int rowtide__apply_stmt_update(rowtide__apply *apply,
                               const rowtide_change *change, sqlite3_stmt **out)
{
    rowtide__apply_table *table = apply->table;
    rowtide__apply_update **link = &table->updates, *found;
    while (*link && !matches((*link)->changed, change))
        link = &(*link)->next;
    found = *link;
    if (found) {
        *link = found->next;
    } else {
        int rc = make_update(apply, change, &found);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    found->next = table->updates;
    table->updates = found;
    *out = found->stmt;
    return ROWTIDE_OK;
}
