/**
 * @file rowtide/crdt.h
 * @brief Databases that change apart and merge later, whoever was offline.
 *
 * A table that is enabled keeps a clock for each of its cells. Changes are
 * pulled from one database and merged into another, in any order, twice if
 * need be; databases that have seen the same changes hold the same rows.
 *
 * Who wins: for each row the side that deleted or brought it back last; for
 * each cell of a row the side that changed it more often, and of two that
 * changed it equally often the greater value.
 *
 * The same is reached from SQL: rowtide_crdt_open() gives the connection the
 * table `crsql_changes` and the functions `crsql_*` of cr-sqlite 0.16, with
 * its nine columns, packed keys and outcome of merges, so that programs and
 * peers written for that go on working. The loadable extension does it on
 * loading.
 *
 * Once a table is enabled, a connection that has not been opened in one of
 * these ways cannot write to it: its triggers fail.
 */
#ifndef ROWTIDE_CRDT_H
#define ROWTIDE_CRDT_H

#include <rowtide/buffer.h>
#include <rowtide/db.h>
#include <rowtide/stream.h>
#include <rowtide/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes in the name of a site, which is made once for each database. */
#define ROWTIDE_SITE_ID_SIZE 16

/* ## Tables */

/**
 * Give the connection `crsql_changes` and the SQL functions. Calling it again
 * does nothing. All functions below do it by themselves.
 *
 * A database that is used for the first time gets the tables
 * `crsql_site_id`, `crsql_master` and `crsql_tracked_peers`.
 */
ROWTIDE_API int rowtide_crdt_open(rowtide_db *db);

/**
 * Let a table take part. Rows that it has become changes of this database.
 *
 * It needs a primary key that is NOT NULL, and defaults for other columns
 * that are; it must not have other UNIQUE indexes, AUTOINCREMENT or foreign
 * keys. ::ROWTIDE_ESCHEMA says which of these it is. Nothing is done if the
 * table takes part already.
 */
ROWTIDE_API int rowtide_crdt_enable(rowtide_db *db, const char *table);

/** Take a table out, forgetting its clocks and deletions; rows are kept.
 *  Nothing is done if it does not take part. */
ROWTIDE_API int rowtide_crdt_disable(rowtide_db *db, const char *table);

/** @return 1 if the table takes part, 0 if not, or a negative code. */
ROWTIDE_API int rowtide_crdt_is_enabled(rowtide_db *db, const char *table);

/** Announce that the columns of a table are about to be altered. Everything
 *  until rowtide_crdt_commit_alter() is one savepoint; what is written to the
 *  table meanwhile is tracked. */
ROWTIDE_API int rowtide_crdt_begin_alter(rowtide_db *db, const char *table);

/** Take in what was altered. If that fails, everything since
 *  rowtide_crdt_begin_alter() is undone. */
ROWTIDE_API int rowtide_crdt_commit_alter(rowtide_db *db, const char *table);

/** Undo everything since rowtide_crdt_begin_alter(), the alteration and what
 *  was written meanwhile. What was open before still is. */
ROWTIDE_API int rowtide_crdt_rollback_alter(rowtide_db *db, const char *table);

/* ## Who and when */

/** The name of this database among its peers. */
ROWTIDE_API int rowtide_crdt_site_id(rowtide_db *db, unsigned char *site_id);

/** The version that the last committed change has; 0 if there is none. */
ROWTIDE_API int rowtide_crdt_version(rowtide_db *db, int64_t *count_out);

/* ## Changes */

/**
 * One change: a cell that was set, a row that was made or deleted. A view; it
 * owns nothing.
 */
typedef struct rowtide_crdt_change {
    const char *table; /**< NUL-terminated */
    const void *pk;    /**< the packed primary key */
    size_t pk_size;
    const char *column;  /**< its name; "-1" is the row itself */
    rowtide_value value; /**< NULL for the row itself */
    int64_t column_version;
    int64_t db_version;
    const void *site_id; /**< who made it; NULL, when merging: this one */
    size_t site_id_size;
    int64_t causal_length; /**< odd: the row is alive; even: deleted */
    int64_t sequence;      /**< its place in `db_version` */
} rowtide_crdt_change;

/** How many values a packed primary key has. ::ROWTIDE_ECORRUPT if the bytes
 *  are none. */
ROWTIDE_API int rowtide_crdt_key_count(const void *pk, size_t pk_size,
                                       int64_t *count_out);

/** Read one value (from 0) of a packed primary key.
 *  @param value  text and blobs are borrowed from `pk` */
ROWTIDE_API int rowtide_crdt_key_value(const void *pk, size_t pk_size,
                                       int index, rowtide_value *value);

/** What to pull. */
typedef struct rowtide_crdt_pull_options {
    size_t size;
    int64_t since;       /**< changes with a greater db_version */
    int64_t until;       /**< and at most this one; 0: what is committed */
    const void *exclude; /**< not what this site made; NULL: all */
    size_t exclude_size;
    int only_local;            /**< 1: only what this database made */
    const char *const *tables; /**< NULL-terminated; NULL: all */
    size_t chunk_size; /**< of a payload: bytes before a chunk is closed, 0
                            for 256 KiB, at most 4 MiB */
} rowtide_crdt_pull_options;

#define ROWTIDE_CRDT_PULL_OPTIONS_INIT                                         \
    {sizeof(rowtide_crdt_pull_options), 0, 0, NULL, 0, 0, NULL, 0}

typedef struct rowtide_crdt_pull rowtide_crdt_pull;

/**
 * Read changes in the order of db_version and sequence.
 *
 * @param out  free it with rowtide_crdt_pull_free()
 */
ROWTIDE_API int rowtide_crdt_pull_open(rowtide_db *db,
                                       const rowtide_crdt_pull_options *options,
                                       rowtide_crdt_pull **out);

/** @return ::ROWTIDE_OK with a change, valid until the next call;
 *  ::ROWTIDE_DONE when there is no more; or an error. */
ROWTIDE_API int rowtide_crdt_pull_next(rowtide_crdt_pull *pull,
                                       rowtide_crdt_change *change);

/** Release the iterator. */
ROWTIDE_API void rowtide_crdt_pull_free(rowtide_crdt_pull *pull);

/**
 * Write changes as a compact payload, in chunks, in bounded memory: a chunk,
 * or a single change that is larger than that.
 *
 * A payload also says who pulled it and how far it reaches, so that
 * rowtide_crdt_merge_payload() can note that. When `exclude` is the site that
 * will merge it, as it should be, it tells that site how far this database has
 * come in pulling from there.
 */
ROWTIDE_API int
rowtide_crdt_pull_payload(rowtide_db *db,
                          const rowtide_crdt_pull_options *options,
                          rowtide_sink *sink);

/* ## Merging */

/** What a merge did. */
typedef struct rowtide_crdt_report rowtide_crdt_report;

/** @return changes that were read. */
ROWTIDE_API int64_t
rowtide_crdt_report_count(const rowtide_crdt_report *report);
/** @return changes that won. */
ROWTIDE_API int64_t
rowtide_crdt_report_applied(const rowtide_crdt_report *report);
/** @return changes that were known already or lost. */
ROWTIDE_API int64_t
rowtide_crdt_report_ignored(const rowtide_crdt_report *report);
/** @return the greatest db_version that was read, or that the payload reached:
 *  what to pull from next. */
ROWTIDE_API int64_t
rowtide_crdt_report_version(const rowtide_crdt_report *report);
/** @return tables that changes came for. */
ROWTIDE_API size_t
rowtide_crdt_report_table_count(const rowtide_crdt_report *report);
/** Read one table (from 0) of the report.
 *  @param table  borrowed from the report */
ROWTIDE_API int rowtide_crdt_report_table(const rowtide_crdt_report *report,
                                          size_t index, const char **table,
                                          int64_t *applied, int64_t *ignored);
/** Release the report. */
ROWTIDE_API void rowtide_crdt_report_free(rowtide_crdt_report *report);

typedef struct rowtide_crdt_merge rowtide_crdt_merge;

/**
 * Begin to merge changes one by one. All of them are one transaction, or one
 * savepoint in the transaction of the caller. Rows are held and written many
 * at once: until the end, what is read of the tables through this connection
 * may be without some, and nothing should be written through it. A statement
 * that writes in between and fails makes the merge fail.
 *
 * @param out  free it with rowtide_crdt_merge_free()
 */
ROWTIDE_API int rowtide_crdt_merge_begin(rowtide_db *db,
                                         rowtide_crdt_merge **out);

/** Merge one change. After an error nothing of the merge remains; the message
 *  names table, key and column. As rows are held, the error may be that of one
 *  that came before, and rowtide_crdt_merge_end() may have it too. */
ROWTIDE_API int rowtide_crdt_merge_add(rowtide_crdt_merge *merge,
                                       const rowtide_crdt_change *change);

/** Commit.
 *  @param out  free it with rowtide_crdt_report_free(); may be NULL */
ROWTIDE_API int rowtide_crdt_merge_end(rowtide_crdt_merge *merge,
                                       rowtide_crdt_report **out);

/** Release it; what was not ended is undone. */
ROWTIDE_API void rowtide_crdt_merge_free(rowtide_crdt_merge *merge);

/**
 * Merge a payload, whole or not at all.
 *
 * Together with the changes it notes how far this database has come in pulling
 * from the one that wrote the payload, which rowtide_crdt_peer_version() gives.
 * That stays as it was if the payload leaves something out (tables, what
 * another site made) or does not begin where the last one ended.
 *
 * It is read chunk by chunk while the database is locked for writing. A source
 * that is memory or a file must end where the payload does; from a callback
 * nothing behind it is read. ::ROWTIDE_ECORRUPT tells the offset of the chunk
 * that is wrong, or where the payload was cut.
 *
 * @param out  free it with rowtide_crdt_report_free(); may be NULL
 */
ROWTIDE_API int rowtide_crdt_merge_payload(rowtide_db *db,
                                           rowtide_source *source,
                                           rowtide_crdt_report **out);

/* ## Peers */

/** Bring what is new in `from` into `to`, remembering in `to` how far it got.
 *  Nothing is written to `from`, and what is not committed there stays there.
 *  @param out  free it with rowtide_crdt_report_free(); may be NULL */
ROWTIDE_API int rowtide_crdt_fetch(rowtide_db *to, rowtide_db *from,
                                   rowtide_crdt_report **out);

/** rowtide_crdt_fetch() in both directions. Each also notes how far the other
 *  has come, for rowtide_crdt_collect(). */
ROWTIDE_API int rowtide_crdt_sync(rowtide_db *a, rowtide_db *b);

/** How far this database has come in pulling from a peer; 0 if never. It is
 *  the version of a row of `crsql_tracked_peers` with the tag 0 and the event
 *  0, which is what programs written for cr-sqlite keep there. */
ROWTIDE_API int rowtide_crdt_peer_version(rowtide_db *db, const void *site_id,
                                          size_t site_id_size,
                                          int64_t *count_out);

/** Remember how far it has come. Never goes back. */
ROWTIDE_API int rowtide_crdt_peer_set_version(rowtide_db *db,
                                              const void *site_id,
                                              size_t site_id_size,
                                              int64_t version);

/**
 * Forget deletions, which otherwise are remembered for ever.
 *
 * A peer that has not seen a deletion by then brings the row back, and so does
 * a payload from before it that is merged once more. So with
 * `until` 0 it is done up to the version that every peer in
 * `crsql_tracked_peers` is known to have: those that rowtide_crdt_sync() was
 * called with, or that merged a payload and sent one back. If there is a peer
 * of which that is not known, or no peer at all, nothing is forgotten; delete
 * the rows of a peer that will not come back.
 *
 * @param until  deletions with a db_version up to this one; 0: as above
 * @param count_out  how many were forgotten; may be NULL
 */
ROWTIDE_API int rowtide_crdt_collect(rowtide_db *db, int64_t until,
                                     int64_t *count_out);

/**
 * Take over a database of cr-sqlite 0.16: the tables that take part there take
 * part here, and `crsql_changes` has the same rows as before. All of it or
 * nothing, in the transaction of the caller if there is one. cr-sqlite cannot
 * use the database any more.
 *
 * @param count_out  tables that were taken over, 0 if there was nothing to do;
 *  may be NULL
 */
ROWTIDE_API int rowtide_crdt_convert(rowtide_db *db, int64_t *count_out);

#ifdef __cplusplus
}
#endif

#endif
