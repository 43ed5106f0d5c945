#ifndef ROWTIDE_CRDT_ENGINE_H
#define ROWTIDE_CRDT_ENGINE_H

#include "crdt/clock.h"
#include "crdt/sqlite.h"

#include <rowtide/crdt.h>

/* What one connection knows about its tables that take part. It belongs to the
 * connection: freed when the last of the functions and modules is.
 *
 * Statuses are the library's, with the message in the thread's last error; at
 * the border to SQLite rowtide__crdt_code() makes a result code of it. */

/* Greater versions come from a broken peer, and are refused: they would leave
 * no room for local changes. */
#define ROWTIDE__GREATEST_VERSION ((int64_t)1 << 53)
/* Our clock follows those of peers only so far, so that none can drive it to its
 * end. What comes with a greater db_version is merged, under one of ours. */
#define ROWTIDE__FAR_VERSION ((int64_t)1 << 52)

typedef struct rowtide__crdt rowtide__crdt;
typedef struct rowtide__crdt_table rowtide__crdt_table;

typedef struct rowtide__crdt_column {
    int id;     /* from 1, never used again */
    char *name; /* as in the schema */
    int not_null;
    sqlite3_stmt *upsert, *update;
} rowtide__crdt_column;

/* A key. Clocks and the log know a row by an integer: the key itself if the
 * table has an INTEGER PRIMARY KEY, else a number that the key is given when it
 * is first written. */
typedef struct rowtide__key {
    int64_t row;
    int known;        /* `row` is so; else the key has no number yet */
    const void *data; /* packed values without their count; NULL: integer */
    size_t size;
    uint32_t hash;   /* of `data` */
    uint64_t missed; /* engine->serial when there was no number; 0: not asked */
} rowtide__key;

struct rowtide__crdt_table {
    rowtide__crdt_table *next;
    int64_t id;
    char *name;
    char *registered; /* its name when it was enabled: of its triggers */
    int dropped;      /* the table or its triggers are gone */
    int shaped;       /* what follows has been read */
    int stale;        /* columns differ from what is registered */
    int keys_changed; /* and so does the primary key */
    int altering;     /* between begin_alter and commit_alter */
    int integer_key;
    int folding; /* keys that differ may be equal: by a collation, or 1 and 1.0
                    where they have no type */
    int exact;   /* columns of the key compare more loosely than the key */
    int key_count;
    char **keys; /* in the order of PRIMARY KEY */
    int column_count;
    rowtide__crdt_column *columns; /* not in the key, not generated */
    int max_column;                /* greatest id */

    /* Statements, prepared when needed. */
    sqlite3_stmt *find, *after, *put; /* of the clocks */
    sqlite3_stmt *get, *scan;         /* of the rows: keys, then columns */
    sqlite3_stmt *remove, *create;
    struct rowtide__sets *sets; /* merge_row.c */

    const char *rowid; /* what `get` and `scan` end with; NULL: nothing */
    /* Its CHECKs, triggers and the like may refuse what is merged, as far as it
     * was known when engine->schema_seen was `guard_schema`. */
    int guarded;
    uint64_t guard_schema; /* 0: not known */

    const void *reader; /* whose row `get` or `scan` is at */

    struct rowtide__numbers *numbers; /* numbers.c; NULL: integer key */

    /* Valid until the transaction ends. */
    int lookups;     /* so far */
    int bounded;     /* `max_row` and `has_clocks` have been read */
    int has_clocks;  /* any stored */
    int64_t max_row; /* no greater row is stored */
    int64_t floor;   /* greatest causal length that was forgotten, even;
                           what has no clock begins above it */

    /* The record that was read last; see store.c. */
    uint64_t run_serial;
    int64_t run_first, run_rows; /* 0 rows: none */
    rowtide__clock run;
    uint64_t miss_serial; /* `miss` was looked for and has no record */
    int64_t miss;
};

typedef struct rowtide__pending rowtide__pending;
typedef struct rowtide__tail rowtide__tail;
typedef struct rowtide__sites rowtide__sites;

/* Statements that do not depend on a table; the text is in sql.c. */
enum rowtide__fixed {
    ROWTIDE__LAST_VERSION,
    ROWTIDE__JOIN,
    ROWTIDE__WATCH,
    ROWTIDE__LOOK,
    ROWTIDE__LOG_PUT,
    ROWTIDE__LOG_BATCH,
    ROWTIDE__LOG_NEXT,
    ROWTIDE__LOG_ALONE,
    ROWTIDE__LOG_CHANGE,
    ROWTIDE__LOG_DROP,
    ROWTIDE__LOG_UP,
    ROWTIDE__LOG_DOWN,
    ROWTIDE__TAIL_READ,
    ROWTIDE__TAIL_PIN,
    ROWTIDE__TAIL_WRITE,
    ROWTIDE__TAIL_SEGMENT,
    ROWTIDE__TAIL_SPILL,
    ROWTIDE__TAIL_DROP,
    ROWTIDE__SITE_BY_ORDINAL,
    ROWTIDE__SITE_BY_ID,
    ROWTIDE__SITE_ADD,
    ROWTIDE__FIXED_COUNT
};

/* The transaction whose first row was written by its trigger; direct.c. */
struct rowtide__direct {
    int state;
    int unsure; /* it may have been rolled back, which nobody tells us */
    unsigned data_version;      /* before it is committed */
    int last_state;             /* the same of the one before, as long as */
    unsigned last_data_version; /* nothing is written */
    int64_t stamp;              /* of the tail behind it */
    int64_t first, version, sequence;
    int64_t wanted_version;
    /* The clock of a row that is not pending yet; NULL: none. */
    const rowtide__clock *held;
    rowtide__crdt_table *table;
    int64_t row;
};

struct rowtide__crdt {
    sqlite3 *sqlite;
    int references;
    rowtide__crdt_table *tables;
    rowtide__crdt_table *last; /* looked up last */
    int loaded;                /* `tables` agree with the schema */
    int registered;            /* its functions and modules are there */
    int kept;                  /* we are told before the connection closes */
    int busy;                  /* a statement of a table is running */
    int outdated;              /* the schema changed meanwhile */
    int failed;                /* a write was not tracked: refuse to commit */
    int failed_mark, top_mark; /* savepoints that were open; -1: none */
    int sync_bit;
    int merging; /* a merge has set it; what triggers write is tracked */
    int merge_equal_values;
    int64_t least_version; /* db_version is not below */
    uint64_t seed;         /* of hashes of keys */
    unsigned char site_id[ROWTIDE_SITE_ID_SIZE];
    unsigned site_seen; /* the data version that it was known with */
    int reading;        /* cursors of crsql_changes */

    /* The transaction. */
    int joined;                /* SQLite tells us how it ends */
    int version_known;         /* `db_version` has been read */
    uint64_t serial;           /* changes when what was read may have changed */
    uint64_t stored_serial;    /* the same of the stored clocks only */
    uint64_t generation;       /* changes when `tables` do */
    uint64_t first_generation; /* when the transaction began */
    uint64_t schema_seen;      /* changes when we see that the schema has */
    int64_t db_version;        /* at its start */
    int64_t pending_version;   /* what it will be; 0: not set */
    int64_t sequence;
    int64_t impacted;
    int64_t batch;          /* flushes so far */
    int64_t logged_version; /* greatest that was written to the log */
    int cut;                /* and some of it was rolled back */
    int cache_valid; /* if the file still has `data_version`: what is known */
    unsigned data_version; /* of the tables and of `last_version` holds on */
    int64_t last_version;
    int same_data;          /* nobody has written since the last transaction */
    int64_t outdated_items; /* of the log, not swept yet */
    /* Attached databases that were written to, and found harmless. */
    uint64_t harmless_serial;
    unsigned harmless;

    struct rowtide__direct direct;
    rowtide__pending *pending;
    rowtide__tail *tail;
    /* Numbers that are kept elsewhere than in their tables; NULL: none. */
    struct rowtide__new_keys *unstored;
    rowtide__sites *sites;
    sqlite3_stmt *fixed[ROWTIDE__FIXED_COUNT];
    rowtide__clock work, work2;
    rowtide_buffer key, bytes;          /* for whoever is at work */
    struct rowtide__merge_cache *merge; /* merge.c */
    struct rowtide__twin *twin;         /* twin.c */
    struct rowtide__altered *altered;   /* alter_track.c */

    /* Inside CREATE VIRTUAL TABLE no savepoint can be opened. */
    int unguarded;
    /* What gives the rows of a table that is enabled their clocks; NULL: each
     * row a new one. */
    int (*fill)(rowtide__crdt *engine, rowtide__crdt_table *table);
};

/* ## engine.c: life, the transaction */
int rowtide__crdt_new(sqlite3 *sqlite, rowtide__crdt **out);
void rowtide__crdt_release(void *engine);
/* Write the tables that a database needs which is used for the first time. */
int rowtide__crdt_setup(rowtide__crdt *engine);
/* Finalize everything, so that the connection can be closed. */
void rowtide__crdt_finalize(rowtide__crdt *engine);
/* Notice what other connections did: call it before anything is read. */
int rowtide__crdt_refresh(rowtide__crdt *engine);
/* Take part in the transaction that is writing. */
int rowtide__crdt_join(rowtide__crdt *engine);
/* Changes when something is committed, by whomever. */
unsigned rowtide__crdt_data_version(rowtide__crdt *engine);
/* Read which database this is. With the schema all of it may have changed: a
 * backup that is restored has another name, other sites and another seed. */
int rowtide__crdt_identify(rowtide__crdt *engine);
/* Before engine->site_id is used outside of a transaction. */
int rowtide__crdt_know_site(rowtide__crdt *engine);
/* What was read from the clocks may not be so any more. */
void rowtide__crdt_forget_clocks(rowtide__crdt *engine);
/* Of the committed state. */
int rowtide__crdt_db_version(rowtide__crdt *engine, int64_t *out);
/* max(db_version + 1, pending, least), which becomes pending. */
int rowtide__crdt_next_version(rowtide__crdt *engine, int64_t least,
                               int64_t *out);
/* A row has a new clock. Its key gets a number if it has none. */
int rowtide__crdt_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__key *key, const rowtide__clock *clock);
/* Something was written that is not tracked. Until that is undone the
 * transaction cannot be committed. Returns `status`. */
int rowtide__crdt_failed(rowtide__crdt *engine, int status);
/* Callbacks of crsql_changes. */
void rowtide__crdt_begin(rowtide__crdt *engine);
int rowtide__crdt_savepoint(rowtide__crdt *engine, int number);
int rowtide__crdt_release_savepoint(rowtide__crdt *engine, int number);
void rowtide__crdt_rollback_to(rowtide__crdt *engine, int number);
void rowtide__crdt_end_transaction(rowtide__crdt *engine, int committed);

/* ## sql.c: statements and errors */
int rowtide__crdt_fail_sql(rowtide__crdt *engine, int rc, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));
/* SQLite's code for the last error. */
int rowtide__crdt_code(int status);
void rowtide__crdt_result_error(sqlite3_context *context, int status);
/* `format` of sqlite3_mprintf. Kept until finalized. */
int rowtide__crdt_prepare(rowtide__crdt *engine, sqlite3_stmt **out,
                          const char *format, ...);
int rowtide__crdt_exec(rowtide__crdt *engine, const char *format, ...);
/* ROWTIDE_OK with a row, ROWTIDE_DONE without. */
int rowtide__crdt_step(rowtide__crdt *engine, sqlite3_stmt *stmt);
/* Step to the end and reset. */
int rowtide__crdt_run(rowtide__crdt *engine, sqlite3_stmt *stmt);
int rowtide__crdt_bind(sqlite3_stmt *stmt, int index,
                       const rowtide_value *value);
/* Valid until the statement moves. */
int rowtide__crdt_read_column(sqlite3_stmt *stmt, int index,
                              rowtide_value *out);
int rowtide__crdt_argument(sqlite3_value *value, rowtide_value *out);
void rowtide__crdt_result(sqlite3_context *context, const rowtide_value *value);
/* First column of the first row. */
int rowtide__crdt_integer(rowtide__crdt *engine, int64_t *out,
                          int64_t otherwise, const char *format, ...);

int rowtide__crdt_fixed(rowtide__crdt *engine, enum rowtide__fixed which,
                        sqlite3_stmt **out);

/* ## sites.c: ordinals of sites */
int rowtide__sites_new(rowtide__sites **out);
void rowtide__sites_free(rowtide__sites *sites);
void rowtide__sites_forget(rowtide__sites *sites);
/* Ordinal of a site, made if it is new; NULL is 0. */
int rowtide__crdt_site_ordinal(rowtide__crdt *engine, const void *site,
                               size_t size, int32_t *out);
/* Borrowed until the next call. */
int rowtide__crdt_site_of(rowtide__crdt *engine, int32_t ordinal,
                          const void **site, size_t *size);

/* ## tables.c: which tables take part, and what they look like */
/* ROWTIDE_ESCHEMA if there is none: *out NULL. */
int rowtide__crdt_table_find(rowtide__crdt *engine, const char *name,
                             rowtide__crdt_table **out);
/* Load them if that has not been done; then follow engine->tables. */
int rowtide__crdt_tables_load(rowtide__crdt *engine);
/* NULL if none has that number. */
rowtide__crdt_table *rowtide__crdt_table_known(const rowtide__crdt *engine,
                                               int64_t id);
int rowtide__crdt_table_by_id(rowtide__crdt *engine, int64_t id,
                              rowtide__crdt_table **out);
/* Read its columns if that has not been done. */
int rowtide__crdt_table_shape(rowtide__crdt *engine,
                              rowtide__crdt_table *table);
/* Place of a column in `columns`, -1 if there is none. */
int rowtide__crdt_column_find(const rowtide__crdt_table *table,
                              const char *name);
int rowtide__crdt_column_by_id(const rowtide__crdt_table *table, int id);
/* Forget what is known about the schema; read again when needed. */
void rowtide__crdt_tables_forget(rowtide__crdt *engine);
/* The same after a rollback to a savepoint, when what was read about tables
 * in this transaction may not be true any more. */
void rowtide__crdt_tables_doubt(rowtide__crdt *engine);
void rowtide__crdt_tables_finalize(rowtide__crdt *engine);
/* Forget what was read from the clocks. */
void rowtide__crdt_tables_uncache(rowtide__crdt *engine);
void rowtide__crdt_tables_free(rowtide__crdt *engine);
/* ## keys.c */
void rowtide__key_of_integer(int64_t integer, rowtide__key *key);
int rowtide__key_pack(rowtide__crdt_table *table, const rowtide_value *values,
                      rowtide_buffer *out, rowtide__key *key);
/* From a packed key of the wire, with its count. */
int rowtide__key_read(rowtide__crdt_table *table, const void *pk, size_t size,
                      rowtide_buffer *out, rowtide__key *key);
/* To the wire. */
int rowtide__key_write(rowtide__crdt_table *table, const rowtide__key *key,
                       rowtide_buffer *out);
int rowtide__key_bind(rowtide__crdt_table *table, sqlite3_stmt *stmt, int first,
                      const rowtide__key *key);
int rowtide__key_equal(const rowtide__key *a, const rowtide__key *b);

/* ## numbers.c: the numbers of keys that are not integers */
/* Find out whether the key has a number: then it is known. */
int rowtide__key_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__key *key);
/* Give it one if it has none. */
int rowtide__key_number(rowtide__crdt *engine, rowtide__crdt_table *table,
                        rowtide__key *key);
/* The key of a row, as on the wire to `out`, whose bytes `key` borrows. */
int rowtide__key_of_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, rowtide_buffer *out, rowtide__key *key);
/* Write numbers to their tables, those from `keys->written` on. */
int rowtide__numbers_write(rowtide__crdt *engine,
                           const struct rowtide__new_keys *keys);
/* Forget the numbers of rows; blocks.c. */
int rowtide__numbers_drop(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int64_t first, int64_t rows);
void rowtide__numbers_finalize(rowtide__crdt_table *table);
void rowtide__numbers_free(rowtide__crdt_table *table);

/* ## pending.c: clocks that changed and are not written yet. A stack: a
 * savepoint notes its height, rolling back cuts it. Successive rows with like
 * clocks fold into one entry. New keys are in a stack of their own, new_keys.c. */
typedef struct rowtide__entry {
    rowtide__crdt_table *table;
    int64_t row, rows;
    const rowtide__group *groups;
    int count;
} rowtide__entry;

int rowtide__pending_new(rowtide__pending **out);
void rowtide__pending_free(rowtide__pending *pending);
void rowtide__pending_clear(rowtide__pending *pending);
/* 1 and the clock, 0 if it is not pending, or a negative code. */
int rowtide__pending_find(rowtide__pending *pending, rowtide__crdt_table *table,
                          int64_t row, rowtide__clock *out);
int rowtide__pending_put(rowtide__pending *pending, rowtide__crdt_table *table,
                         int64_t row, const rowtide__clock *clock);
/* From now on rows of successive db_versions fold too. */
void rowtide__pending_leap(rowtide__pending *pending);
/* The keys that got their numbers in this transaction; new_keys.h. */
struct rowtide__new_keys *rowtide__pending_keys(rowtide__pending *pending);
/* Fold what can be: before it is written. */
int rowtide__pending_settle(rowtide__pending *pending);
/* Bytes that are not written yet. */
size_t rowtide__pending_size(const rowtide__pending *pending);
/* How many entries are not written yet; the nth of them, oldest first. */
size_t rowtide__pending_count(const rowtide__pending *pending);
void rowtide__pending_entry(const rowtide__pending *pending, size_t nth,
                            rowtide__entry *out);
/* All of it is written. What a rollback may bring back is kept. */
void rowtide__pending_written(rowtide__pending *pending);
/* `note` is kept for who cuts to the mark. */
int rowtide__pending_mark(rowtide__pending *pending, int number, int64_t note);
void rowtide__pending_unmark(rowtide__pending *pending, int number);
/* The note of the mark, 0 if the savepoint is older than all. */
int64_t rowtide__pending_cut(rowtide__pending *pending, int number);

/* ## store.c: clocks on disk, one record for a row or for a run of rows */
/* The clock of a row, pending or stored; empty if it has none. */
int rowtide__clock_load(rowtide__crdt *engine, rowtide__crdt_table *table,
                        rowtide__key *key, rowtide__clock *out);
/* The same of what is stored only. */
int rowtide__store_read(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, rowtide__clock *out);
/* The same without the tail. Afterwards table->run_* is the record. */
int rowtide__store_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int64_t row, rowtide__clock *out);
/* Where the first record behind the row begins. */
int rowtide__store_after(rowtide__crdt *engine, rowtide__crdt_table *table,
                         int64_t row, int64_t *out);
int rowtide__store_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, int64_t rows, const rowtide__group *groups,
                       int count);

/* ## log.c: which cells were set, in order of db_version and sequence */
/* Cells `column` up to `column + count - 1` of `rows` rows, the sequence of
 * each row greater by `stride`, and its db_version by `leap`. */
typedef struct rowtide__logged {
    int64_t db_version, sequence;
    int64_t table; /* its id */
    int64_t row;
    int64_t rows, stride;
    int32_t column, count;
    int64_t leap;
} rowtide__logged;

typedef struct rowtide__log {
    rowtide__logged *items;
    size_t count, capacity;
} rowtide__log;

int rowtide__log_add(rowtide__log *log, const rowtide__logged *item);
/* Of one version, by where they start; for qsort(). */
int rowtide__logged_compare_starts(const void *left, const void *right);
/* By db_version and sequence. */
void rowtide__log_sort(rowtide__log *log);
/* Sort, and write in blocks. */
int rowtide__log_write(rowtide__crdt *engine, rowtide__log *log);
/* Items of a block. */
int rowtide__log_decode(const void *body, size_t size, int64_t db_version,
                        rowtide__log *out);
void rowtide__log_dispose(rowtide__log *log);

/* Encode the items from `*at` on that fit in a block and have the version of
 * the first into engine->bytes. */
int rowtide__log_encode(rowtide__crdt *engine, const rowtide__log *log,
                        size_t *at);

/* ## log_bundle.c */
/* A row of the log with this `block` is a bundle: it has items of several
 * versions, the last of which is its own. */
enum { ROWTIDE__BUNDLE = -1 };

/* Sorted items. */
int rowtide__bundle_write(rowtide__crdt *engine, rowtide__log *log);
/* `single`: without leaps, and sorted. */
int rowtide__bundle_decode(const void *body, size_t size, int64_t db_version,
                           int single, rowtide__log *out);
/* All of them into engine->bytes; they are sorted for it. */
int rowtide__bundle_encode(rowtide__crdt *engine, rowtide__log *log);
/* Take the first rows off. */
void rowtide__logged_skip(rowtide__logged *item, int64_t rows);

/* ## sweep.c: what the log says and is not so any more */
/* Now and then, drop some of it. */
int rowtide__crdt_sweep(rowtide__crdt *engine);

/* ## tail.c, tail.h: small transactions that are not in clocks and log yet */
int rowtide__tail_new(rowtide__tail **out);
void rowtide__tail_free(rowtide__tail *tail);
/* Keys whose numbers are in it only; new_keys.h. */
struct rowtide__new_keys *rowtide__tail_keys(rowtide__tail *tail);
/* Read what is stored, if it has changed. */
int rowtide__tail_load(rowtide__crdt *engine);
/* The same if it may have changed. */
int rowtide__tail_know(rowtide__crdt *engine);
/* It may have changed. */
void rowtide__tail_doubt(rowtide__tail *tail);
/* What is known of it is so still. */
int rowtide__tail_is_known(const rowtide__tail *tail);
/* The last one in it, 0 if it is empty. */
int64_t rowtide__tail_version(const rowtide__tail *tail);
/* Another one each time it is written, by whomever. */
int64_t rowtide__tail_stamp(const rowtide__tail *tail);
/* 1 and the clock, 0 if it has none, or a negative code. */
int rowtide__tail_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, rowtide__clock *out);
/* Take what is pending. ROWTIDE_DONE if it is too much; or if it had to be
 * folded for it and may not be. */
int rowtide__tail_append(rowtide__crdt *engine, int may_fold);
/* The transaction goes on: make what its first row has written pending, if that
 * is the last in the tail. What is stored stays until the next write. */
int rowtide__tail_take_back(rowtide__crdt *engine);
/* Move all of it to clocks and log. */
int rowtide__tail_fold(rowtide__crdt *engine);
/* What was set in it after version `since`, in order. */
int rowtide__tail_items(rowtide__crdt *engine, int64_t since,
                        rowtide__log *out);

/* ## flush.c */
/* Write what is pending to the clocks and the log. */
int rowtide__crdt_flush(rowtide__crdt *engine);
/* The same when the transaction ends, if that is small to the tail. */
int rowtide__crdt_commit(rowtide__crdt *engine);
/* Write clocks only, which are in the log. */
int rowtide__crdt_flush_clocks(rowtide__crdt *engine,
                               rowtide__pending *pending);

/* ## collect.c */
/* Forget clocks of deleted rows with a db_version up to `until`. */
int rowtide__crdt_collect(rowtide__crdt *engine, int64_t until, int64_t *out);
/* Read table->floor. */
int rowtide__crdt_read_floor(rowtide__crdt *engine, rowtide__crdt_table *table);

/* ## rows.c: statements about rows of a table, found by key */
/* "INSERT", "UPDATE", "DELETE" or "SELECT IS", with the key as the first
 * parameters and the value of `column`, if it is not NULL, behind it. */
int rowtide__crdt_write_keyed(const rowtide__crdt_table *table,
                              const char *verb, const char *column,
                              rowtide_buffer *out);
/* Names of the columns of the key, with commas between. */
int rowtide__crdt_write_keys(const rowtide__crdt_table *table,
                             rowtide_buffer *out);
/* table->get gives one row: its key, then its columns. */
int rowtide__crdt_prepare_get(rowtide__crdt *engine,
                              rowtide__crdt_table *table);
/* table->scan gives rows from an integer key, or a rowid, on, in order; of a
 * table without them the rows whose numbers are in a range, in any order, and
 * their numbers. */
int rowtide__crdt_prepare_scan(rowtide__crdt *engine,
                               rowtide__crdt_table *table);

/* ## read.c: changes in order; for crsql_changes and for pull */
typedef struct rowtide__reader rowtide__reader;
enum { ROWTIDE__SITE_ANY, ROWTIDE__SITE_IS, ROWTIDE__SITE_IS_NOT };
typedef struct rowtide__filter {
    int64_t since, until; /* greater than, at most; INT64_MIN, INT64_MAX: all */
    const char *table;    /* NULL: all */
    const void *pk;       /* packed; needs `table` */
    size_t pk_size;
    int descending;
    int site_mode;    /* of what follows */
    const void *site; /* NULL is this database */
    size_t site_size;
    int keep_values; /* 0: values are not needed */
} rowtide__filter;
#define ROWTIDE__FILTER_INIT                                                   \
    {INT64_MIN, INT64_MAX, NULL, NULL, 0, 0, 0, NULL, 0, 1}

int rowtide__reader_open(rowtide__crdt *engine, const rowtide__filter *filter,
                         rowtide__reader **out);
/* ROWTIDE_DONE at the end. The change is valid until the next call; its value
 * is read only by rowtide__reader_value(). */
int rowtide__reader_next(rowtide__reader *reader, rowtide_crdt_change *change);
int rowtide__reader_value(rowtide__reader *reader, rowtide_value *out);
/* The same for SQL. */
int rowtide__reader_result(rowtide__reader *reader, sqlite3_context *context);
int64_t rowtide__reader_rowid(rowtide__reader *reader);
void rowtide__reader_free(rowtide__reader *reader);

/* ## merge.c */
void rowtide__crdt_merge_free(rowtide__crdt *engine);
/* Merge a row that is inserted into crsql_changes; *won counts what
 * crsql_rows_impacted() counts. If it fails, nothing of it remains. The message
 * names table, key and column. The cells of a row may be held, but are written
 * before anyone can look. */
int rowtide__crdt_merge_change(rowtide__crdt *engine,
                               const rowtide_crdt_change *change, int *won);
/* The same, but the cells of a row may be written later, all at once. Ends
 * with rowtide__merge_leave(). */
int rowtide__crdt_merge_held(rowtide__crdt *engine,
                             const rowtide_crdt_change *change, int *won);

/* ## merge_row.c, merge.h */
typedef struct rowtide__sets rowtide__sets;
void rowtide__sets_free(rowtide__sets *sets);

/* ## enable.c, alter.c */
int rowtide__crdt_enable(rowtide__crdt *engine, const char *table);
int rowtide__crdt_disable(rowtide__crdt *engine, const char *table);
int rowtide__crdt_begin_alter(rowtide__crdt *engine, const char *table);
int rowtide__crdt_commit_alter(rowtide__crdt *engine, const char *table);
/* Undo everything since rowtide__crdt_begin_alter(). */
int rowtide__crdt_rollback_alter(rowtide__crdt *engine, const char *table);

/* ## convert.c */
/* Take over the tables of cr-sqlite 0.16; *out is how many. */
int rowtide__crdt_convert(rowtide__crdt *engine, int64_t *out);

/* ## register.c: what a connection gets */
/* *out is borrowed from the connection. Does nothing more than finding it if
 * that has been done. */
int rowtide__crdt_register(sqlite3 *sqlite, rowtide__crdt **out);
int rowtide__crdt_keep(rowtide__crdt *engine);
/* Register a function whose user data is the engine, counted. */
int rowtide__crdt_function(rowtide__crdt *engine, const char *name, int count,
                           int flags,
                           void (*call)(sqlite3_context *, int,
                                        sqlite3_value **));
int rowtide__crdt_module(rowtide__crdt *engine, const char *name,
                         const sqlite3_module *module);
/* Each adds its functions or modules to the connection. */
int rowtide__crdt_add_changes(rowtide__crdt *engine);     /* changes.c */
int rowtide__crdt_add_views(rowtide__crdt *engine);       /* views.c */
int rowtide__crdt_add_keys(rowtide__crdt *engine);        /* keys_table.c */
int rowtide__crdt_add_batch(rowtide__crdt *engine);       /* batch_table.c */
int rowtide__crdt_add_functions(rowtide__crdt *engine);   /* functions.c */
int rowtide__crdt_add_local(rowtide__crdt *engine);       /* local_triggers.c */
int rowtide__crdt_add_unpack(rowtide__crdt *engine);      /* unpack_table.c */
int rowtide__crdt_add_fract(rowtide__crdt *engine);       /* fract*.c */
int rowtide__crdt_add_clset(rowtide__crdt *engine);       /* clset.c */
int rowtide__crdt_add_automigrate(rowtide__crdt *engine); /* automigrate*.c */
int rowtide__crdt_add_convert(rowtide__crdt *engine);     /* convert*.c */

/* ## Who owns what
 *
 * Engine (built into the library and into the extension; sees base and
 * crdt/sqlite.h only, never db/): engine.c sql.c tables.c keys.c numbers.c
 * blocks.c buckets.c new_keys.c clock.c pending.c store.c log.c sweep.c
 * flush.c tail*.c rows.c sites.c clock_disk.c read*.c keys_table.c local*.c
 * attached.c twin.c merge.c merge_wins.c merge_row.c merge_statement.c
 * enable.c triggers.c alter.c alter_track.c changes.c
 * views.c functions.c register.c pack.c unpack_table.c.
 *
 * SQL functions on top of the engine, in both too: fract*.c
 * (crsql_fract_*), clset.c (module clset), automigrate*.c
 * (crsql_automigrate), convert*.c (databases of cr-sqlite 0.16).
 *
 * The C API of <rowtide/crdt.h>, in the library only, files named api_*.c;
 * they may include db/: api_open.c (open, enable, alter, site, version),
 * api_pull.c (iterator over rowtide__reader), api_merge.c (merge_begin, add,
 * end, report), api_payload_write.c, api_payload_read.c and payload.h (the
 * bytes), api_peers.c (peers, fetch, sync, collect). They reach the engine
 * with rowtide__crdt_of() of api.h. */

#endif
