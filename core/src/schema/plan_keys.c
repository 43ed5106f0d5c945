#include "schema/plan.h"
#include "base/alloc.h"
#include "base/crc64.h"
#include "base/error.h"
#include "db/sql.h"

#include <stdio.h>
#include <string.h>

static const char SQL_REFERENCES[] =
    "SELECT m.name, k.\"table\" FROM main.sqlite_schema AS m,"
    " pragma_foreign_key_list(m.name, 'main') AS k"
    " WHERE m.type = 'table' ORDER BY m.name";

/* Does the plan do something to this table that foreign keys may feel? */
static int is_touched(const rowtide__run *run, const char *table)
{
    const rowtide__step *const *steps = run->plan->steps.items;
    for (size_t i = 0; steps[i]; i++) {
        const rowtide_plan_step *step = &steps[i]->view;
        if (!step->refused && step->method != ROWTIDE_METHOD_RENAME
            && (step->object == ROWTIDE_OBJECT_TABLE
                || step->object == ROWTIDE_OBJECT_COLUMN
                || step->object == ROWTIDE_OBJECT_FOREIGN_KEY)
            && rowtide__name_equal(step->table, table))
            return 1;
    }
    return 0;
}

/* ## Violations */

/* Table, rowid, parent: the number of the key changes with its table. */
enum { COLUMNS = 3 };

typedef struct collecting {
    const rowtide__run *run;
    rowtide__violations *list;
    const rowtide__violations *before; /* or NULL */
    char first[400];                   /* that is not in `before` */
} collecting;

/* SQLite cannot check a key that refers to nothing unique. That is a violation
 * too, one for the table. */
static int add_mismatch(collecting *it, const char *table)
{
    uint64_t item = rowtide__crc64(1, table, strlen(table));
    if (it->before && !it->first[0]
        && !rowtide__violations_has(it->before, item))
        snprintf(it->first, sizeof it->first, "%.300s",
                 rowtide_error_message());
    return rowtide__violations_add(it->list, item);
}

static int collect_table(collecting *it, const char *table)
{
    sqlite3_stmt *stmt = NULL;
    rowtide_db *db = it->run->db;
    int rc = rowtide__sql_prepare(
        db, &stmt, "PRAGMA main.foreign_key_check(\"%w\")", table);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK) {
        uint64_t item = rowtide__violation_hash(stmt, COLUMNS);
        if (it->before && !it->first[0]
            && !rowtide__violations_has(it->before, item))
            rowtide__violation_describe(stmt, it->first, sizeof it->first);
        rc = rowtide__violations_add(it->list, item);
    }
    sqlite3_finalize(stmt);
    if (rc == ROWTIDE_ESQL)
        rc = add_mismatch(it, table);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Each table that has a reference from or to one that is touched. */
static int collect_all(collecting *it)
{
    sqlite3_stmt *stmt;
    char *last = NULL;
    rowtide_db *db = it->run->db;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_REFERENCES);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK) {
        const char *table = (const char *)sqlite3_column_text(stmt, 0);
        const char *parent = (const char *)sqlite3_column_text(stmt, 1);
        if (!table || !parent || (last && strcmp(last, table) == 0)
            || (!is_touched(it->run, table) && !is_touched(it->run, parent)))
            continue;
        rowtide__free(last);
        last = rowtide__strdup(table);
        rc = last ? collect_table(it, last) : ROWTIDE_ENOMEM;
    }
    sqlite3_finalize(stmt);
    rowtide__free(last);
    rowtide__violations_sort(it->list);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int rowtide__violations_collect(const rowtide__run *run,
                                rowtide__violations *out)
{
    collecting it = {run, out, NULL, ""};
    return collect_all(&it);
}

int rowtide__violations_compare(const rowtide__run *run,
                                const rowtide__violations *before)
{
    rowtide__violations after = {NULL, 0, 0};
    collecting it = {run, &after, before, ""};
    int rc = collect_all(&it);
    int64_t count = rc == ROWTIDE_OK ? rowtide__violations_new(before, &after)
                                     : 0;
    rowtide__violations_dispose(&after);
    if (rc != ROWTIDE_OK || count == 0)
        return rc;
    return rowtide__fail(ROWTIDE_ECONSTRAINT,
                         "apply: %lld foreign key violations that were not "
                         "there before%s%s",
                         (long long)count, it.first[0] ? ": " : "", it.first);
}

/* ## Rows of referring tables */

static int refers_to(const rowtide_schema_table *table, const char *parent)
{
    for (size_t i = 0; table->foreign_keys[i]; i++)
        if (!table->foreign_keys[i]->relation
            && rowtide__name_equal(table->foreign_keys[i]->table, parent))
            return 1;
    return 0;
}

int rowtide__count_referring(const rowtide__run *run, const char *table,
                             int64_t *out)
{
    const rowtide_schema_table *const *tables =
        run->plan->steps.from->contents.tables;
    int rc = ROWTIDE_OK;
    *out = 0;
    for (size_t i = 0; tables[i] && rc == ROWTIDE_OK; i++) {
        int64_t count = 0;
        if (tables[i]->kind != ROWTIDE_TABLE_ORDINARY
            || rowtide__name_equal(tables[i]->name, table)
            || !refers_to(tables[i], table))
            continue;
        /* One that was dropped meanwhile counts for nothing, both times. */
        rc = rowtide__sql_integer(run->db, &count, 0,
                                  "SELECT 1 FROM main.sqlite_schema WHERE "
                                  "type = 'table' AND name = %Q COLLATE NOCASE",
                                  tables[i]->name);
        if (rc == ROWTIDE_OK && count)
            rc = rowtide__sql_integer(run->db, &count, 0,
                                      "SELECT count(*) FROM main.\"%w\"",
                                      tables[i]->name);
        *out += count;
    }
    return rc;
}
