#include "support/crdt.h"

rowtide_db *crdt_db_with(const char *table)
{
    rowtide_db *db = scratch_db(table);
    assert_ok(rowtide_crdt_enable(db, "t"));
    return db;
}

rowtide_db *crdt_db(void)
{
    return crdt_db_with("CREATE TABLE t(a INTEGER PRIMARY KEY NOT NULL, b, c)");
}
