/**
 * @file rowtide/capture.h
 * @brief Record what a connection changes, and compare databases.
 *
 *     rowtide_capture *capture;
 *     if (rowtide_capture_begin(db, NULL, &capture) == ROWTIDE_OK) {
 *         sqlite3_exec(rowtide_db_sqlite(db), "UPDATE ...", 0, 0, 0);
 *         rowtide_capture_end(capture, &changeset);
 *     }
 *     rowtide_capture_free(capture);
 *
 * A capture sees what its own connection writes, and leaves transactions to
 * the caller: what is rolled back is not in the changeset, what is not
 * committed yet is. Any number of captures may run on one connection, nested
 * or side by side. It uses SQLite's pre-update hook: an application that has
 * set that hook itself cannot capture on the same connection, and finds it
 * unset when the last capture ends.
 *
 * Rows with NULL in their primary key are not recorded. Some versions of
 * SQLite record certain tables wrongly: with generated columns, with a primary
 * key of type REAL or of a collation other than BINARY. Whether the loaded one
 * does is tried out; such tables are refused, or skipped if all are recorded.
 *
 * The new values are read when the capture ends. A row that this connection
 * touched and another one changed afterwards, before the end, is recorded as
 * it then is: capture inside a transaction to rule that out.
 */
#ifndef ROWTIDE_CAPTURE_H
#define ROWTIDE_CAPTURE_H

#include <rowtide/changeset.h>
#include <rowtide/db.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_capture rowtide_capture;

/** Make a patchset: smaller, but it cannot be inverted. */
#define ROWTIDE_CAPTURE_PATCHSET 1u
/** Mark every change as indirect. */
#define ROWTIDE_CAPTURE_INDIRECT 2u
/** Count the bytes of the changeset while recording, for
 *  rowtide_capture_size(); costs about a tenth of the time. */
#define ROWTIDE_CAPTURE_SIZE 4u

typedef struct rowtide_capture_options {
    size_t size;
    const char *schema; /**< "main", "temp" or an attached one; NULL: main */
    /** Tables to record; each must exist, be an ordinary table and have a
     *  primary key, else ::ROWTIDE_ESCHEMA. NULL: every table that can be
     *  recorded, also those made meanwhile, but for the tables of SQLite
     *  ("sqlite_...") and of this library ("rowtide_..."). */
    const char *const *tables;
    size_t table_count;
    /** Asked once per table, by rowtide_capture_begin(); about a table that is
     *  made later when it is first written. Then an error comes out of
     *  rowtide_capture_end(). Or NULL. */
    rowtide_table_filter_cb filter;
    void *filter_user;
    unsigned flags;
    /** Fail with ::ROWTIDE_ETOOBIG in rowtide_capture_end() if the recording
     *  took more bytes of memory than this; 0: no limit. */
    int64_t memory_limit;
} rowtide_capture_options;

#define ROWTIDE_CAPTURE_OPTIONS_INIT                                           \
    {sizeof(rowtide_capture_options), NULL, NULL, 0, NULL, NULL, 0, 0}

/** Start recording. @param out  free it with rowtide_capture_free() */
ROWTIDE_API int rowtide_capture_begin(rowtide_db *db,
                                      const rowtide_capture_options *options,
                                      rowtide_capture **out);

/** Stop recording and make the changeset. If this fails the recording is
 *  over all the same, and nothing in the database has changed. */
ROWTIDE_API int rowtide_capture_end(rowtide_capture *capture,
                                    rowtide_changeset **out);

/** As rowtide_capture_end(), a chunk at a time; the sink stays open. What was
 *  recorded is in memory until then: the old values of changed rows. */
ROWTIDE_API int rowtide_capture_end_stream(rowtide_capture *capture,
                                           rowtide_sink *sink);

/** Make a changeset of what was recorded so far and go on recording. */
ROWTIDE_API int rowtide_capture_peek(rowtide_capture *capture,
                                     rowtide_changeset **out);

/** Stop recording without a result; what was written stays written. */
ROWTIDE_API int rowtide_capture_cancel(rowtide_capture *capture);

/** Release a capture, cancelling it if it still records. */
ROWTIDE_API void rowtide_capture_free(rowtide_capture *capture);

/** Mark the changes that follow as indirect (1) or direct (0). */
ROWTIDE_API int rowtide_capture_set_indirect(rowtide_capture *capture,
                                             int indirect);

/** Pause (0) and resume (1) recording. */
ROWTIDE_API int rowtide_capture_set_enabled(rowtide_capture *capture,
                                            int enabled);

/** @return 1 while it records, 0 after its end. */
ROWTIDE_API int rowtide_capture_is_open(const rowtide_capture *capture);

/** @return 1 if no row was touched so far. */
ROWTIDE_API int rowtide_capture_is_empty(rowtide_capture *capture);

/** @return bytes of memory that the recording takes. */
ROWTIDE_API int64_t rowtide_capture_memory_used(rowtide_capture *capture);

/** @return an upper bound for the bytes of the changeset, -1 without
 *  ::ROWTIDE_CAPTURE_SIZE. */
ROWTIDE_API int64_t rowtide_capture_size(rowtide_capture *capture);

/** @return how many tables exist that a capture of all tables cannot record
 *  (no primary key, no name, virtual, shadow of a virtual one, not supported by
 *  the SQLite that is loaded). */
ROWTIDE_API int rowtide_capture_skipped_count(rowtide_capture *capture);

/** Name such a table (from 0) and the reason. Both borrowed from `capture`. */
ROWTIDE_API int rowtide_capture_skipped(rowtide_capture *capture, int index,
                                        const char **table,
                                        const char **reason);

/* ## Comparison */

typedef struct rowtide_diff_options {
    size_t size;
    const char *const *tables; /**< NULL: all tables of both with a key */
    size_t table_count;
    rowtide_table_filter_cb filter;
    void *filter_user;
    unsigned flags; /**< 0 or ::ROWTIDE_CAPTURE_PATCHSET */
    rowtide_progress_cb progress;
    void *progress_user;
} rowtide_diff_options;

#define ROWTIDE_DIFF_OPTIONS_INIT                                              \
    {sizeof(rowtide_diff_options), NULL, 0, NULL, NULL, 0, NULL, NULL}

/**
 * Find what would turn the tables of one schema into those of another.
 *
 * Both are schemas of the same connection: "main", "temp" or attached.
 * A table that is in one of them only, or has other columns or another key
 * there, is ::ROWTIDE_ESCHEMA; the filter can leave it out. Values are
 * compared exactly, by type and bytes; rows with NULL in their primary key and
 * generated columns are left out, and so are this library's own tables unless
 * they are named. A table with more columns than half of what SQLite allows in
 * one (2,000 unless built otherwise) is ::ROWTIDE_ETOOBIG.
 */
ROWTIDE_API int rowtide_changeset_diff(rowtide_db *db, const char *from_schema,
                                       const char *to_schema,
                                       const rowtide_diff_options *options,
                                       rowtide_changeset **out);

/** As rowtide_changeset_diff(), in bounded memory. */
ROWTIDE_API int rowtide_changeset_diff_stream(
    rowtide_db *db, const char *from_schema, const char *to_schema,
    const rowtide_diff_options *options, rowtide_sink *sink);

/** Find what would turn one database file into another. Neither is written. The
 *  changeset is in memory; for more, attach one file to the other and use
 *  rowtide_changeset_diff_stream(). */
ROWTIDE_API int
rowtide_changeset_diff_files(const char *from_path, const char *to_path,
                             const rowtide_diff_options *options,
                             rowtide_changeset **out);

#ifdef __cplusplus
}
#endif

#endif
