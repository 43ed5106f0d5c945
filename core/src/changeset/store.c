#include "changeset/store.h"

#include "base/buffer.h"
#include "base/error.h"
#include "db/sql.h"
#include "db/table.h"
#include "db/transaction.h"

#include <string.h>

static int append_columns(const rowtide__table_info *info, rowtide_buffer *out)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < info->column_count; i++)
        rc = rowtide__buffer_append_format(out, "%s%s", i ? ", " : "",
                                           info->columns[i].name);
    return rc;
}

static int check_columns(const rowtide__store_table *table,
                         const rowtide__table_info *info)
{
    rowtide_buffer found = ROWTIDE_BUFFER_INIT;
    int rc = append_columns(info, &found);
    if (rc == ROWTIDE_OK
        && (info->kind != ROWTIDE__TABLE_ORDINARY
            || strcmp(found.data ? found.data : "", table->columns)))
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "table \"%s\": not that of %s: it has columns (%s), "
                           "not (%s)",
                           table->name, table->owner,
                           found.data ? found.data : "", table->columns);
    rowtide_buffer_dispose(&found);
    return rc;
}

/* ROWTIDE_DONE if the table is missing. */
static int check_table(rowtide_db *db, const rowtide__store_table *table)
{
    rowtide__table_info info;
    int rc = rowtide__table_info_read(db, "main", table->name, &info);
    if (rc)
        return rc;
    rc = info.kind == ROWTIDE__TABLE_MISSING ? ROWTIDE_DONE
                                             : check_columns(table, &info);
    rowtide__table_info_dispose(&info);
    return rc;
}

static int make_missing(rowtide_db *db, const rowtide__store_table *tables,
                        int count)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(db, &transaction);
    if (rc)
        return rc;
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++) {
        rc = check_table(db, &tables[i]);
        if (rc == ROWTIDE_DONE)
            rc = rowtide__sql_exec(db, "%s", tables[i].sql);
    }
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

int rowtide__store_ensure(rowtide_db *db, const rowtide__store_table *tables,
                          int count)
{
    int missing = 0;
    for (int i = 0; i < count; i++) {
        int rc = check_table(db, &tables[i]);
        if (rc < 0)
            return rc;
        missing += rc == ROWTIDE_DONE;
    }
    return missing ? make_missing(db, tables, count) : ROWTIDE_OK;
}

int rowtide__store_run(rowtide_db *db, const char *sql,
                       const rowtide_value *values, int count)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__sql_prepare(db, &stmt, "%s", sql);
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++) {
        int bound = rowtide__sql_bind(stmt, i + 1, &values[i]);
        if (bound != SQLITE_OK)
            rc = rowtide__db_fail(db, bound, "bind");
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_run(db, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

rowtide_value rowtide__store_text(const char *text)
{
    return text ? rowtide_value_text(text) : rowtide_value_null();
}

int rowtide__store_changeset(rowtide_db *db, const char *sql, int64_t key,
                             rowtide_changeset **out)
{
    sqlite3_stmt *stmt = NULL;
    rowtide_value bytes;
    int rc = rowtide__sql_prepare(db, &stmt, "%s", sql);
    *out = NULL;
    if (rc == ROWTIDE_OK)
        sqlite3_bind_int64(stmt, 1, key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_column(stmt, 0, &bytes);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_parse(bytes.data, bytes.size, out);
    sqlite3_finalize(stmt);
    return rc;
}
