/**
 * @file rowtide/replication.h
 * @brief One-way replication: numbered changesets through a directory.
 *
 * The primary writes each changeset into its own database first, in the
 * transaction of the changes (table `rowtide_outbox`), and then as a numbered
 * file into the directory, `00000000000000000001.changeset` and so on; a
 * crash between the two is made good by the next publish. A replica applies
 * the files in order and writes down the number in the same transaction
 * (table `rowtide_replica`): each changeset takes effect exactly once, and a
 * replica may stop anywhere and resume. The directory may be copied, mounted
 * or synchronised by any means.
 *
 * What triggers and foreign key actions did on the primary is in the
 * changesets. On the replica they are therefore off while a changeset is
 * applied, as if ::ROWTIDE_APPLY_NO_TRIGGERS and ::ROWTIDE_APPLY_FK_NO_ACTION
 * were given, unless the options have ::ROWTIDE_APPLY_SKIP_INDIRECT.
 *
 * Each file is an envelope around a changeset: magic, stream identity, number,
 * size and checksum, so that a cut, mixed up or foreign file is found out. The
 * bytes are described in docs/replication.md.
 */
#ifndef ROWTIDE_REPLICATION_H
#define ROWTIDE_REPLICATION_H

#include <rowtide/apply.h>
#include <rowtide/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_primary rowtide_primary;
typedef struct rowtide_replica rowtide_replica;

/**
 * Open a database as primary of a directory, which is made if needed.
 *
 * @return ::ROWTIDE_OK; ::ROWTIDE_EEXISTS if the directory belongs to another
 *  primary; ::ROWTIDE_ENOTFOUND if this primary has written to a directory
 *  before and this is not it; ::ROWTIDE_EMISUSE for the first time inside a
 *  transaction
 */
ROWTIDE_API int rowtide_primary_open(rowtide_db *db, const char *directory,
                                     rowtide_primary **out);

/** Start recording: a transaction (a savepoint inside the caller's one) and a
 *  capture of the chosen tables, or of all if `options` is NULL; only in the
 *  schema "main". ::ROWTIDE_EEXISTS if the number that comes next is already
 *  in the directory: this database was restored from a backup, or is a copy.
 *  Inside the caller's transaction, which may not have seen the newest number,
 *  rowtide_primary_publish() finds that out. */
ROWTIDE_API int rowtide_primary_begin(rowtide_primary *primary,
                                      const rowtide_capture_options *options);

/** Commit, and publish what was recorded. Nothing changed: nothing is
 *  published and `*number` is 0. If only the file cannot be written, the
 *  commit stands, `*number` is set, the error says so and the next publish
 *  catches up. Inside
 *  the caller's transaction the file is written by rowtide_primary_publish()
 *  after the caller's commit. */
ROWTIDE_API int rowtide_primary_commit(rowtide_primary *primary,
                                       int64_t *number);

/** Undo everything since rowtide_primary_begin(). */
ROWTIDE_API int rowtide_primary_rollback(rowtide_primary *primary);

/** Put a changeset that was captured elsewhere into the sequence. */
ROWTIDE_API int rowtide_primary_append(rowtide_primary *primary,
                                       rowtide_changeset *changeset,
                                       int64_t *number);

/** Write files that are still missing. A file of the same number with another
 *  content is ::ROWTIDE_EEXISTS and stays. Not inside a transaction.
 *  @param written  how many, if not NULL */
ROWTIDE_API int rowtide_primary_publish(rowtide_primary *primary,
                                        int64_t *written);

/** @return the number of the last changeset, 0 before the first, negative
 *  code on error. */
ROWTIDE_API int64_t rowtide_primary_position(rowtide_primary *primary);

/** Close the primary, rolling back a recording that was begun. */
ROWTIDE_API void rowtide_primary_free(rowtide_primary *primary);

/** Open a database as replica of a directory. One that has followed another
 *  primary is ::ROWTIDE_EEXISTS. A copy of the primary's file knows by itself
 *  which number it was made at. */
ROWTIDE_API int rowtide_replica_open(rowtide_db *db, const char *directory,
                                     rowtide_replica **out);

/**
 * Apply what is new, each changeset in a transaction of its own.
 *
 * @param limit  at most so many changesets; 0: all there are
 * @param options  how to apply, NULL: any conflict aborts
 * @param applied  how many changesets were applied, if not NULL, also when
 *  the call fails at a later one
 * @return ::ROWTIDE_OK, also if there was nothing new; ::ROWTIDE_EGAP if a
 *  number is missing and later ones are there; ::ROWTIDE_ECORRUPT if a file is
 *  damaged; ::ROWTIDE_EMISUSE inside a transaction
 */
ROWTIDE_API int rowtide_replica_pull(rowtide_replica *replica, int64_t limit,
                                     const rowtide_apply_options *options,
                                     int64_t *applied);

/** @return the number of the last changeset applied, 0 before the first,
 *  negative code on error. */
ROWTIDE_API int64_t rowtide_replica_position(rowtide_replica *replica);

/** Say that this database already holds everything up to `number`: after it
 *  was filled in another way than by copying the primary's file. */
ROWTIDE_API int rowtide_replica_set_position(rowtide_replica *replica,
                                             int64_t number);

/** Close the replica. */
ROWTIDE_API void rowtide_replica_free(rowtide_replica *replica);

#ifdef __cplusplus
}
#endif

#endif
