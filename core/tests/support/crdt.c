#include "support/crdt.h"

#include <stdio.h>

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

rowtide_db *crdt_open_file(const char *path, int page_size, const char *sql)
{
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    char pragma[50];
    options.busy_timeout_ms = 0;
    assert_ok(rowtide_db_open(path, &options, &db));
    snprintf(pragma, sizeof pragma, "PRAGMA page_size = %d", page_size);
    scratch_exec(db, pragma);
    /* Registers the functions. */
    assert_ok(rowtide_crdt_site_id(db, (unsigned char[16]){0}));
    scratch_exec(db, "PRAGMA synchronous = OFF");
    scratch_exec(db, sql);
    return db;
}

int crdt_refuse(void *wanted)
{
    return *(int *)wanted;
}
