#include "crdt/local.h"
#include "crdt/pack.h"
#include "crdt/read.h"

/* Where the values of a change are: in the row with its key. */

static int step_to(rowtide__reader *reader, sqlite3_stmt *stmt)
{
    int rc = rowtide__crdt_step(reader->engine, stmt);
    if (rc == ROWTIDE_DONE)
        sqlite3_reset(stmt);
    return rc;
}

/* Stand at the row whose integer key or rowid, in column `place`, is this.
 * Rows of a run come one behind the other: go on from the last one. */
static int scan_to(rowtide__reader *reader, rowtide__crdt_table *table,
                   int place, int64_t wanted)
{
    int rc = rowtide__crdt_prepare_scan(reader->engine, table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (table->reader == reader && reader->scanning
        && reader->fetched_table == table
        && reader->scan_generation == reader->engine->generation
        && reader->scanned < wanted && reader->scanned == wanted - 1) {
        rc = step_to(reader, table->scan);
    } else {
        sqlite3_reset(table->scan);
        sqlite3_bind_int64(table->scan, 1, wanted);
        rc = step_to(reader, table->scan);
    }
    table->reader = reader;
    reader->scanning = rc == ROWTIDE_OK;
    reader->scan_generation = reader->engine->generation;
    if (rc != ROWTIDE_OK)
        return rc;
    reader->scanned = wanted;
    reader->at = table->scan;
    if (sqlite3_column_int64(table->scan, place) == wanted)
        return ROWTIDE_OK;
    reader->scanning = 0;
    return ROWTIDE_DONE;
}

static int get_row(rowtide__reader *reader, rowtide__crdt_table *table)
{
    reader->scanning = 0;
    sqlite3_reset(table->get);
    int rc = rowtide__key_bind(table, table->get, 1, &reader->key);
    if (rc == ROWTIDE_OK)
        rc = step_to(reader, table->get);
    table->reader = reader;
    reader->at = table->get;
    return rc;
}

/* 1 if the row that `scan` is at has the key. */
static int is_at_key(const rowtide__reader *reader,
                     const rowtide__crdt_table *table)
{
    rowtide__unpack unpack = {reader->key.data, reader->key.size, 0,
                              table->key_count};
    rowtide_value wanted, found;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__unpack_next(&unpack, &wanted);
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_read_column(table->scan, i, &found);
        if (rc == ROWTIDE_OK && rowtide__value_compare(&wanted, &found) != 0)
            return 0;
    }
    return rc == ROWTIDE_OK ? 1 : rc;
}

/* ## A table with rowids */

/* Rowids are only a guess: VACUUM and others may give new ones. */
static int guess_row(rowtide__reader *reader, rowtide__crdt_table *table)
{
    int64_t wanted;
    if (!reader->in_step || reader->fetched_table != table
        || __builtin_add_overflow(reader->rowid, reader->row - reader->got,
                                  &wanted))
        return ROWTIDE_DONE;
    int rc = scan_to(reader, table, table->key_count + table->column_count,
                     wanted);
    int same = rc == ROWTIDE_OK ? is_at_key(reader, table) : 0;
    reader->in_step = same == 1;
    if (rc < 0 || same != 1)
        return rc < 0 ? rc : same < 0 ? same : ROWTIDE_DONE;
    reader->got = reader->row;
    reader->rowid = wanted;
    return ROWTIDE_OK;
}

/* ## A table without rowids */

/* What comes is of a run, and is read row by row, without writing between. */
static int is_in_run(const rowtide__reader *reader,
                     const rowtide__crdt_table *table)
{
    enum { AT_MOST = 2, AT_LEAST = 8 };
    const rowtide__crdt *engine = reader->engine;
    return !reader->descending && reader->fetched_table == table
           && reader->fetched_serial == engine->serial
           && reader->fetched_changes == sqlite3_total_changes(engine->sqlite)
           && reader->row > reader->got && reader->row - reader->got <= AT_MOST
           && reader->run_last >= reader->row + AT_LEAST;
}

static int find_by_key(rowtide__reader *reader, rowtide__crdt_table *table)
{
    int rc = rowtide__window_find(reader, is_in_run(reader, table));
    reader->got = reader->row;
    reader->at = NULL;
    return rc == ROWTIDE_DONE ? get_row(reader, table) : rc;
}

/* ## All tables */

static int find_by_rowid(rowtide__reader *reader, rowtide__crdt_table *table)
{
    int rc = guess_row(reader, table);
    if (rc != ROWTIDE_DONE)
        return rc;
    rc = get_row(reader, table);
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t rowid = sqlite3_column_int64(table->get, table->key_count
                                                         + table->column_count);
    reader->in_step = reader->fetched_table == table
                      && (uint64_t)rowid - (uint64_t)reader->rowid
                             == (uint64_t)reader->row - (uint64_t)reader->got;
    reader->got = reader->row;
    reader->rowid = rowid;
    return ROWTIDE_OK;
}

int rowtide__reader_find_row(rowtide__reader *reader)
{
    rowtide__crdt_table *table = reader->table;
    if (table->integer_key)
        return scan_to(reader, table, 0, reader->row);
    int rc = rowtide__crdt_prepare_get(reader->engine, table);
    if (rc != ROWTIDE_OK)
        return rc;
    return table->rowid ? find_by_rowid(reader, table)
                        : find_by_key(reader, table);
}
