/* Merges ten million changes in one transaction and prints how fast that went
 * and how much memory the process had at most. */
#include "workload.h"

#include <rowtide.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { COLUMNS = 10, ROWS = 1000 * 1000 };

static void ok(int rc, const char *what)
{
    if (rc != ROWTIDE_OK)
        fprintf(stderr, "bench: %s\n", rowtide_error_message());
    check(rc == ROWTIDE_OK, what);
}

/* A packed key: one integer of four bytes. */
static void pack_key(unsigned char *pk, int row)
{
    pk[0] = 1;
    pk[1] = 4 << 3 | ROWTIDE_INTEGER;
    for (int i = 0; i < 4; i++)
        pk[2 + i] = (unsigned char)(row >> (24 - 8 * i));
}

static void merge_row(rowtide_crdt_merge *merge, int row,
                      const unsigned char *site)
{
    unsigned char pk[6];
    char column[8];
    rowtide_crdt_change change = {.table = "t",
                                  .pk = pk,
                                  .pk_size = sizeof pk,
                                  .column = column,
                                  .column_version = 1,
                                  .db_version = 1,
                                  .site_id = site,
                                  .site_id_size = 16,
                                  .causal_length = 1};
    pack_key(pk, row + (1 << 24));
    for (int i = 1; i <= COLUMNS; i++) {
        snprintf(column, sizeof column, "c%d", i);
        change.value = rowtide_value_integer((int64_t)row * i);
        change.sequence = (int64_t)row * COLUMNS + i;
        ok(rowtide_crdt_merge_add(merge, &change), "merge_add");
    }
}

int main(int argc, char **argv)
{
    static const unsigned char site[16] = {1, 2, 3};
    struct shape shape = {KEY_INTEGER, COLUMNS + 1, ROWS};
    struct rusage usage;
    rowtide_db *db;
    rowtide_crdt_merge *merge;
    check(argc == 2, "usage: crdt_memory DATABASE");
    sqlite3 *sqlite = open_scratch(argv[1], &shape, 0);
    exec(sqlite, "PRAGMA cache_size=-2048");
    ok(rowtide_db_adopt(sqlite, &db), "adopt");
    ok(rowtide_crdt_enable(db, "t"), "enable");
    double start = cpu_seconds();
    ok(rowtide_crdt_merge_begin(db, &merge), "merge_begin");
    for (int row = 0; row < ROWS; row++)
        merge_row(merge, row, site);
    ok(rowtide_crdt_merge_end(merge, NULL), "merge_end");
    double seconds = cpu_seconds() - start;
    getrusage(RUSAGE_SELF, &usage);
    printf("\nTen million changes merged in one transaction with a page cache "
           "of 2 MiB: %.0f thousand changes a second, %.1f MiB of memory at "
           "most.\n",
           (double)ROWS * COLUMNS / seconds / 1e3,
           (double)usage.ru_maxrss / 1024);
    rowtide_crdt_merge_free(merge);
    rowtide_db_free(db);
    sqlite3_close_v2(sqlite);
    return 0;
}
