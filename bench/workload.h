#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <sqlite3.h>

enum key_type { KEY_INTEGER, KEY_TEXT, KEY_SNOWFLAKE };
enum operation { OP_INSERT, OP_UPDATE, OP_DELETE };

struct shape {
    enum key_type key;
    int columns; /* the key and columns - 1 others */
    int rows;
};

extern const char *const key_names[3];
extern const char *const operation_names[3];

/* A new database file in WAL mode with an empty table t, or one that holds
 * all rows; at `path`, which is removed first. */
sqlite3 *open_scratch(const char *path, const struct shape *shape, int filled);

/* Do one operation for every row with a prepared statement, in the
 * transaction that is open. */
void run_plain(sqlite3 *db, const struct shape *shape, enum operation op);

/* The same for `count` rows that are far apart in a table which has them all,
 * or will be when they are inserted. */
void run_scattered(sqlite3 *db, const struct shape *shape, enum operation op,
                   int count);

void exec(sqlite3 *db, const char *sql);
void check(int ok, const char *what);
double cpu_seconds(void);

#endif
