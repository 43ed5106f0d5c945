#ifndef ROWTIDE_CRDT_TAIL_H
#define ROWTIDE_CRDT_TAIL_H

#include "crdt/new_keys.h"
#include "crdt/scan.h"

/* A small transaction writes what it has set into the tail, one blob of a size
 * that stays, and neither to the clocks nor to the log. When the blob is full,
 * its records become a segment: a row of their own, which is written once. When
 * there are too many of these, or a large transaction comes, the tail is
 * folded: moved to clocks and log, the more rows at a time the cheaper each.
 *
 * The blob: a byte that says which format, two that say how many bytes of
 * records there are, one for the number of segments, eight for the stamp of the
 * last of them, the records, and room. Records are in order of db_version,
 * mostly one for each transaction; they are described in tail_code.c. */
enum {
    ROWTIDE__TAIL_FORMAT = 2,
    ROWTIDE__TAIL_HEADER = 12,
    ROWTIDE__TAIL_SEGMENTS = 24, /* at most: some 2000 rows */
    ROWTIDE__TAIL_ENTRIES = 32,  /* of one transaction, at most */
    ROWTIDE__TAIL_ROWS = 64
};

typedef struct rowtide__tail_key {
    const unsigned char *data;
    size_t size;
} rowtide__tail_key;

/* What became of `rows` successive rows. */
typedef struct rowtide__tail_entry {
    int64_t db_version;
    int64_t table, row, rows;
    int whole; /* 0: these groups come on top of those before */
    rowtide__clock clock;
    /* One for each row, if its key is new; else the size is 0. */
    rowtide__tail_key keys[ROWTIDE__TAIL_ROWS];
} rowtide__tail_entry;

/* ## tail_code.c */
typedef struct rowtide__tail_scan {
    rowtide__scan in;
    uint64_t left; /* entries of the record */
    rowtide__tail_entry entry;
} rowtide__tail_scan;

/* ROWTIDE_DONE behind the last entry. */
int rowtide__tail_next(rowtide__tail_scan *scan);
void rowtide__tail_scan_dispose(rowtide__tail_scan *scan);
/* A record behind one of version `last`. Groups up to `known` are stored. */
int rowtide__tail_encode(rowtide_buffer *out, int64_t last, int64_t db_version,
                         int64_t known, const rowtide__entry *entries,
                         int count, const rowtide__new_keys *keys,
                         rowtide__clock *part);

/* ## tail.c: what is known of it in memory */
typedef struct rowtide__kept {
    int64_t table, row;
    int32_t below; /* in the same bucket */
    int32_t count, capacity;
    uint32_t groups_at;
    int whole;
} rowtide__kept;

enum { ROWTIDE__TAIL_BUCKETS = 2048 };

/* How it was before the last record, which is about one row. */
typedef struct rowtide__tail_undo {
    int possible;
    int64_t table, row;
    size_t used, items, keys;
    int64_t db_version, outdated;
    int existed, whole;   /* in `kept` */
    rowtide__clock clock; /* in there */
} rowtide__tail_undo;

struct rowtide__tail {
    unsigned char *body;                      /* as it is stored */
    size_t size, used;                        /* of the whole; of the records */
    int64_t stamp;                            /* stored with it */
    int64_t segments[ROWTIDE__TAIL_SEGMENTS]; /* their stamps */
    int segment_count;
    uint64_t seed;      /* of stamps */
    int known;          /* 0: it may have changed */
    int taken_back;     /* the last record is stored still */
    int64_t db_version; /* of the last record */
    int64_t outdated;   /* entries that were not about new rows */
    rowtide__kept *kept;
    size_t count, capacity;
    int32_t buckets[ROWTIDE__TAIL_BUCKETS];
    rowtide__group *groups;
    size_t group_count, group_capacity;
    rowtide__clock part, whole;
    rowtide_buffer record;
    rowtide__pending *folding;
    rowtide__new_keys keys;
    rowtide__log items;
    rowtide__tail_undo undo;
};

/* NULL if there is none; valid until one is added. */
rowtide__kept *rowtide__kept_find(rowtide__tail *tail, int64_t table,
                                  int64_t row);
int rowtide__kept_set(rowtide__tail *tail, rowtide__kept *kept,
                      const rowtide__clock *clock);
void rowtide__kept_drop_last(rowtide__tail *tail);
/* Put groups on top of a clock. */
int rowtide__tail_apply(rowtide__clock *to, const rowtide__group *groups,
                        int count);
/* The image in memory, empty. */
void rowtide__tail_clear(rowtide__tail *tail);
int rowtide__tail_is_empty(const rowtide__tail *tail);
/* Before a record about one row: note what is needed to undo it; tail_undo.c. */
int rowtide__tail_remember(rowtide__tail *tail, int64_t table, int64_t row);
/* An entry was written. */
int rowtide__tail_note(rowtide__crdt *engine, const rowtide__tail_entry *entry);
/* Note the entries of records. */
int rowtide__tail_note_records(rowtide__crdt *engine, const void *data,
                               size_t size);
/* Another one each time, of eight bytes always, so that the row does not change
 * its size. */
int64_t rowtide__tail_next_stamp(rowtide__tail *tail);
int rowtide__tail_fail_damaged(void);
/* A blob that should be there is not, or there is no memory for it. */
int rowtide__tail_fail_blob(const rowtide__crdt *engine);

/* ## tail_segments.c */
void rowtide__tail_put_header(rowtide__tail *tail);
/* Make a segment of the records in the blob, which is empty then in memory.
 * ROWTIDE_DONE if there are too many already. */
int rowtide__tail_spill(rowtide__crdt *engine);
/* Note what is in the segments that this stored blob has. ROWTIDE_DONE if what
 * is known is not part of them. */
int rowtide__tail_read_segments(rowtide__crdt *engine,
                                const unsigned char *header);
int rowtide__tail_drop_segments(rowtide__crdt *engine);

/* 1 if the row was set in it after this version. */
int rowtide__tail_has(rowtide__tail *tail, int64_t table, int64_t row,
                      int64_t known);

typedef struct rowtide__tail_place {
    int64_t table, row;
} rowtide__tail_place;
/* The rows in it, sorted; of one table, or of all if it is 0. */
int rowtide__tail_places(const rowtide__tail *tail, int64_t table,
                         rowtide__tail_place **out, size_t *count);

/* ## tail_walk.c: all clocks of a table, the tail's among them */
typedef struct rowtide__walk {
    rowtide__crdt *engine;
    rowtide__crdt_table *table;
    sqlite3_stmt *stmt;
    int ended;
    int64_t next_first, next_rows; /* what is left of a stored record */
    rowtide__clock record;
    rowtide__tail_place *places;
    size_t count, next;

    int64_t first, rows; /* what came last */
    rowtide__clock clock;
} rowtide__walk;

int rowtide__walk_open(rowtide__walk *walk, rowtide__crdt *engine,
                       rowtide__crdt_table *table);
/* ROWTIDE_DONE at the end. */
int rowtide__walk_next(rowtide__walk *walk);
void rowtide__walk_close(rowtide__walk *walk);

#endif
