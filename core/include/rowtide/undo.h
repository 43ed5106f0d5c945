/**
 * @file rowtide/undo.h
 * @brief Undo and redo, step by step, kept in the same database.
 *
 * Steps are rows of the table `rowtide_undo`, written in the transaction of
 * the changes they can take back, so they are still there after the file was
 * closed and opened again. A new step forgets the steps that were undone.
 *
 * What triggers and foreign key actions did is part of a step. While a step is
 * undone or redone they are therefore off, as if
 * ::ROWTIDE_APPLY_NO_TRIGGERS and ::ROWTIDE_APPLY_FK_NO_ACTION were given,
 * unless the options have ::ROWTIDE_APPLY_SKIP_INDIRECT: then they run, and
 * what they did the first time is left out.
 */
#ifndef ROWTIDE_UNDO_H
#define ROWTIDE_UNDO_H

#include <rowtide/apply.h>
#include <rowtide/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_undo rowtide_undo;

typedef struct rowtide_undo_options {
    size_t size;
    int64_t step_limit; /**< keep at most so many steps, default 100; 0: all */
    int64_t byte_limit; /**< and at most so many bytes of changes, the newest
                             step whatever its size; 0: any */
} rowtide_undo_options;

#define ROWTIDE_UNDO_OPTIONS_INIT {sizeof(rowtide_undo_options), 100, 0}

/** One step. Strings are borrowed until the next call on the undo handle. */
typedef struct rowtide_undo_step {
    int64_t id;
    const char *label; /**< "" if it has none */
    const char *time;  /**< UTC, ISO 8601 */
    int64_t bytes;
    int undone; /**< 1 if it can be redone, 0 if it can be undone */
} rowtide_undo_step;

/** Open the undo log of a database, making its table if it is not there.
 *  @param out  free it with rowtide_undo_free() */
ROWTIDE_API int rowtide_undo_open(rowtide_db *db,
                                  const rowtide_undo_options *options,
                                  rowtide_undo **out);

/** Start a step: a transaction (a savepoint inside the caller's one) and a
 *  capture of the chosen tables, or of all if `options` is NULL. Not for
 *  patchsets, and only in the schema "main". */
ROWTIDE_API int rowtide_undo_begin(rowtide_undo *undo,
                                   const rowtide_capture_options *options);

/** End the step and commit. Nothing changed: no step, `*id` is 0. On failure
 *  everything since rowtide_undo_begin() is undone. */
ROWTIDE_API int rowtide_undo_commit(rowtide_undo *undo, const char *label,
                                    int64_t *id);

/** Take back everything since rowtide_undo_begin(), leaving no step. */
ROWTIDE_API int rowtide_undo_rollback(rowtide_undo *undo);

/**
 * Take back the newest step that is not undone yet, and note that, both in
 * one transaction (a savepoint inside the caller's one). On failure nothing
 * has changed. Not between rowtide_undo_begin() and its end.
 *
 * @param options  conflicts with changes that were made around the log;
 *  NULL: abort on any. ::ROWTIDE_APPLY_INVERT is ::ROWTIDE_EINVAL
 * @param label  the step's label, if not NULL, borrowed until the next call
 * @return ::ROWTIDE_OK, ::ROWTIDE_DONE if there is no step, or an error
 */
ROWTIDE_API int rowtide_undo_undo(rowtide_undo *undo,
                                  const rowtide_apply_options *options,
                                  const char **label);

/** Do the step again that was undone last; as rowtide_undo_undo(). */
ROWTIDE_API int rowtide_undo_redo(rowtide_undo *undo,
                                  const rowtide_apply_options *options,
                                  const char **label);

/** Count the steps that can be undone and redone; either may be NULL. */
ROWTIDE_API int rowtide_undo_counts(rowtide_undo *undo, int64_t *undoable,
                                    int64_t *redoable);

/** Read step `index`, from 0, the oldest first. @return ::ROWTIDE_DONE if
 *  there is none */
ROWTIDE_API int rowtide_undo_step_at(rowtide_undo *undo, int64_t index,
                                     rowtide_undo_step *out);

/** Forget all steps. */
ROWTIDE_API int rowtide_undo_clear(rowtide_undo *undo);

/** Close the undo log, taking back a step that was begun. */
ROWTIDE_API void rowtide_undo_free(rowtide_undo *undo);

#ifdef __cplusplus
}
#endif

#endif
