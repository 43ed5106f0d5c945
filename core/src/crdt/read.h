#ifndef ROWTIDE_CRDT_READ_H
#define ROWTIDE_CRDT_READ_H

#include "crdt/engine.h"
#include "crdt/pack.h"

/* Where the log says that a cell was set. */
typedef struct rowtide__spot {
    int64_t table, row, last; /* the last row of its run */
    int32_t column;
    int64_t db_version, sequence;
} rowtide__spot;

/* An item of the log that is being read: row `nth`, column `offset`. */
typedef struct rowtide__active {
    rowtide__logged item;
    int64_t nth;
    int32_t offset;
    int64_t sequence;
} rowtide__active;

/* Values of `rows` rows from `first` on; read_window.c. */
typedef struct rowtide__window {
    const rowtide__crdt_table *table; /* NULL: none */
    uint64_t serial, generation;
    int changes; /* sqlite3_total_changes() when it was read */
    int64_t first;
    size_t rows;
    size_t next;      /* how many rows the next one is to have */
    uint32_t *starts; /* of each row in `values`, from 1; 0: was not read */
    rowtide_buffer values; /* packed */
    /* The row that was found last: its columns before this one are read. */
    int column;
    rowtide__unpack unpack;
    rowtide_value value; /* of the last of them */
} rowtide__window;

struct rowtide__reader {
    rowtide__crdt *engine;
    int descending, by_row, ended;
    int64_t since, until;
    int64_t only_table; /* 0: all */
    int site_mode;
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    size_t site_size; /* 0: this database */

    /* The log; see read_log.c. */
    sqlite3_stmt *log;
    int log_row;        /* the statement is at a row */
    int64_t db_version; /* of `items` */
    rowtide__log items; /* in order of where they start */
    rowtide__log decoded;
    rowtide__log bundle; /* items of this version and those behind it */
    size_t bundle_at;    /* how many of them have been taken */
    rowtide__log tail;   /* the same of the tail, until it is due */
    int64_t tail_first;  /* the log is read up to there; see read_log.c */
    sqlite3_stmt *pin;   /* keeps what others write from being seen */
    size_t next;         /* the first that is not active yet */
    int streaming;       /* more blocks of `db_version` follow */
    rowtide__active *active;
    size_t active_count, active_capacity;

    /* The row that the last cell was in. */
    rowtide__crdt_table *table;
    int64_t row, run_last;
    rowtide__key key; /* if `has_pk` */
    rowtide_buffer pk;
    int has_pk;
    uint64_t serial, generation;
    rowtide__clock clock;
    rowtide__cell cell;
    int column; /* place in table->columns, -1: the row itself */
    int32_t column_id;

    /* What the change borrows; read_own.c. */
    const rowtide__crdt_table *named; /* whose name `table_name` is */
    uint64_t named_generation;
    rowtide_buffer table_name, column_name;
    unsigned char told_site[ROWTIDE_SITE_ID_SIZE];

    /* The values that were fetched last. */
    const rowtide__crdt_table *fetched_table;
    uint64_t entered, fetched, fetched_serial, scan_generation;
    int fetched_changes; /* sqlite3_total_changes() */
    int present, scanning;
    sqlite3_stmt *at; /* the statement that is at them; NULL: the window */
    int64_t scanned;
    int64_t got, rowid; /* the last row that was found, and its rowid */
    int in_step;        /* from one to the next, both grew by the same */
    rowtide__window window;
};

/* ROWTIDE_DONE behind the last one. */
int rowtide__reader_next_spot(rowtide__reader *reader, rowtide__spot *out);
int rowtide__reader_step_log(rowtide__reader *reader);
/* Note what is in the tail. */
int rowtide__reader_take_tail(rowtide__reader *reader);
/* All cells of one row instead of the log. */
int rowtide__reader_list_row(rowtide__reader *reader,
                             rowtide__crdt_table *table, int64_t row);
/* read_own.c: copy what the change borrows from the engine. */
int rowtide__reader_own(rowtide__reader *reader, rowtide_crdt_change *change);
/* read_row.c: reader->at stands at the row then, or the window does if that is
 * NULL. ROWTIDE_DONE if it is gone. */
int rowtide__reader_find_row(rowtide__reader *reader);
/* Reset statements of tables that are at a row of this reader. */
void rowtide__reader_let_go(rowtide__reader *reader);

/* ## read_window.c */
/* ROWTIDE_DONE if the row of the reader is not in the window, which may be
 * filled anew for it. */
int rowtide__window_find(rowtide__reader *reader, int may_fill);
/* Of the row that was found last. Borrowed until the next one is looked for. */
int rowtide__window_value(rowtide__reader *reader, int column,
                          rowtide_value *out);
void rowtide__window_dispose(rowtide__window *window);

#endif
