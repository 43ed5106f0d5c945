#include "support/merging.h"

#include <string.h>

/* Integer keys, others, and keys of a table with rowids. */
static const char MIXED[] =
    "CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c);"
    "CREATE TABLE u(k TEXT PRIMARY KEY NOT NULL, v, w) WITHOUT ROWID;"
    "CREATE TABLE r(k TEXT PRIMARY KEY NOT NULL, v);";

int merging_open(const char *path, const char *before, rowtide_db **out)
{
    int rc = rowtide_db_open(path, NULL, out);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(*out, before);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(*out, MIXED);
    for (const char *table = "tur"; *table && rc == ROWTIDE_OK; table++) {
        char name[2] = {*table, 0};
        rc = rowtide_crdt_enable(*out, name);
    }
    return rc;
}

rowtide_db *merging_db(void)
{
    rowtide_db *db = NULL;
    assert_ok(merging_open(":memory:", "", &db));
    return db;
}

rowtide_crdt_change merging_cell(const char *table, const void *pk, size_t size,
                                 const char *column, rowtide_value value,
                                 int version)
{
    rowtide_crdt_change change;
    memset(&change, 0, sizeof change);
    change.table = table;
    change.pk = pk;
    change.pk_size = size;
    change.column = column;
    change.value = value;
    change.column_version = version;
    change.db_version = 1;
    change.site_id = "0123456789abcdef";
    change.site_id_size = 16;
    change.causal_length = 1;
    return change;
}

/* A cell of table t, whose keys are below 128. */
rowtide_crdt_change merging_cell_of_t(int row, const char *column, int value,
                                      int version)
{
    static unsigned char keys[128][3];
    unsigned char *pk = keys[row];
    pk[0] = 1;
    pk[1] = 0x09;
    pk[2] = (unsigned char)row;
    return merging_cell("t", pk, 3, column, rowtide_value_integer(value),
                        version);
}

int merging_add(rowtide_crdt_merge *merge, rowtide_crdt_change change)
{
    return rowtide_crdt_merge_add(merge, &change);
}

rowtide_crdt_merge *merging_begin(rowtide_db *db)
{
    rowtide_crdt_merge *merge = NULL;
    assert_ok(rowtide_crdt_merge_begin(db, &merge));
    return merge;
}

void merging_end(rowtide_crdt_merge *merge)
{
    assert_ok(rowtide_crdt_merge_end(merge, NULL));
    rowtide_crdt_merge_free(merge);
}
