/**
 * @file rowtide/changeset.h
 * @brief Changesets as values: read them, and compute with them.
 *
 * A changeset is what a piece of work did to the rows of tables that have a
 * primary key: for each row an INSERT, UPDATE or DELETE with its old and new
 * values. The bytes are those of SQLite's session extension
 * (https://sqlite.org/session/sqlite3changeset_next.html), so that every tool
 * which reads them reads ours. A patchset is the smaller form that leaves out
 * old values; it cannot be inverted or rebased.
 *
 * Bytes are checked completely by a strict decoder before anything else sees
 * them; what does not pass is ::ROWTIDE_ECORRUPT, with the byte offset in
 * rowtide_error_offset().
 */
#ifndef ROWTIDE_CHANGESET_H
#define ROWTIDE_CHANGESET_H

#include <rowtide/stream.h>
#include <rowtide/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An immutable changeset or patchset in memory. */
typedef struct rowtide_changeset rowtide_changeset;
/** A position in a changeset or in a stream of one. */
typedef struct rowtide_changeset_iter rowtide_changeset_iter;
/** Puts a changeset together row by row. */
typedef struct rowtide_changeset_builder rowtide_changeset_builder;

/** What happened to a row, with SQLite's own numbers. */
typedef enum rowtide_change_kind {
    ROWTIDE_CHANGE_DELETE = 9,
    ROWTIDE_CHANGE_INSERT = 18,
    ROWTIDE_CHANGE_UPDATE = 23
} rowtide_change_kind;

/**
 * One change, as a view into the iterator: valid until its next step.
 *
 * In an UPDATE, columns that did not change are ::ROWTIDE_UNDEFINED in both
 * `old_values` and `new_values`, except for the primary key, whose value is in
 * `old_values`. A patchset has no old values but those of the primary key,
 * which for a patchset UPDATE stand in `old_values` too. An UPDATE in which no
 * column changes is valid and does nothing; SQLite's rebaser makes some.
 *
 * For all changes of one table an iterator gives the same `table` and
 * `primary_key` pointers, which stay valid as long as the iterator.
 */
typedef struct rowtide_change {
    const char *table;
    rowtide_change_kind kind;
    int indirect;     /**< 1 if made by a trigger or foreign key action */
    int column_count; /**< length of the three arrays below */
    const unsigned char *primary_key; /**< 0, or the column's place in the key
                                           from 1 on */
    const rowtide_value *old_values;  /**< NULL for an INSERT */
    const rowtide_value *new_values;  /**< NULL for a DELETE */
    int64_t offset;                   /**< of its first byte in the input */
} rowtide_change;

/** How many changes of each kind there are. */
typedef struct rowtide_change_counts {
    int64_t inserts;
    int64_t updates;
    int64_t deletes;
    int64_t indirect; /**< how many of all of them are indirect */
} rowtide_change_counts;

/* ## Values */

/**
 * Check bytes and make a changeset of them. No bytes are an empty changeset.
 *
 * @param data  copied
 * @param out  free it with rowtide_changeset_free()
 */
ROWTIDE_API int rowtide_changeset_parse(const void *data, size_t size,
                                        rowtide_changeset **out);

/** Read a whole source, check it and make a changeset of it. */
ROWTIDE_API int rowtide_changeset_read(rowtide_source *source,
                                       rowtide_changeset **out);

/** @return one more reference to the same changeset, to be freed as well. */
ROWTIDE_API rowtide_changeset *
rowtide_changeset_retain(rowtide_changeset *changeset);

/** Release a changeset. */
ROWTIDE_API void rowtide_changeset_free(rowtide_changeset *changeset);

/** @return its bytes, borrowed from the changeset; NULL if it is empty. */
ROWTIDE_API const void *
rowtide_changeset_data(const rowtide_changeset *changeset);

/** @return the number of its bytes. */
ROWTIDE_API size_t rowtide_changeset_size(const rowtide_changeset *changeset);

/** @return 1 if it is a patchset, else 0. */
ROWTIDE_API int
rowtide_changeset_is_patchset(const rowtide_changeset *changeset);

/** @return how many changes it holds. */
ROWTIDE_API int64_t
rowtide_changeset_change_count(const rowtide_changeset *changeset);

/** @return how many different tables it changes. */
ROWTIDE_API int
rowtide_changeset_table_count(const rowtide_changeset *changeset);

/** @return the name of table `index` (from 0, in order of first appearance),
 *  borrowed; NULL if out of range. */
ROWTIDE_API const char *
rowtide_changeset_table_name(const rowtide_changeset *changeset, int index);

/** Count the changes of table `index` (from 0). */
ROWTIDE_API int
rowtide_changeset_table_counts(const rowtide_changeset *changeset, int index,
                               rowtide_change_counts *counts);

/* ## Iteration
 *
 *     rowtide_changeset_iter *iter;
 *     const rowtide_change *change;
 *     int rc = rowtide_changeset_iter_new(changeset, 0, &iter);
 *     while (rc == ROWTIDE_OK
 *            && (rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
 *         look_at(change);
 *     rowtide_changeset_iter_free(iter);       // rc is ROWTIDE_DONE if all went
 */

/** Give each change as its inverse. Not for patchsets. */
#define ROWTIDE_ITER_INVERT 1u

/**
 * Iterate over a changeset, which the iterator keeps alive.
 *
 * @param flags  0 or ::ROWTIDE_ITER_INVERT
 * @param out  free it with rowtide_changeset_iter_free()
 */
ROWTIDE_API int rowtide_changeset_iter_new(rowtide_changeset *changeset,
                                           unsigned flags,
                                           rowtide_changeset_iter **out);

/** Iterate over a stream in bounded memory; the source is borrowed until the
 *  iterator is freed. Corrupt bytes show when they are reached. */
ROWTIDE_API int rowtide_changeset_iter_stream(rowtide_source *source,
                                              unsigned flags,
                                              rowtide_changeset_iter **out);

/** @param out  the next change, a view that is valid until the next step
 *  @return ::ROWTIDE_OK, ::ROWTIDE_DONE at the end, or an error */
ROWTIDE_API int rowtide_changeset_iter_next(rowtide_changeset_iter *iter,
                                            const rowtide_change **out);

/** Release an iterator. */
ROWTIDE_API void rowtide_changeset_iter_free(rowtide_changeset_iter *iter);

/* ## Algebra */

/** Make the changeset that undoes this one. */
ROWTIDE_API int rowtide_changeset_invert(rowtide_changeset *changeset,
                                         rowtide_changeset **out);

/** Make the changeset that does what all of these do one after the other, in
 *  one pass over all of them. Tables and rows come in the order of their first
 *  appearance. Changesets and patchsets do not mix (::ROWTIDE_EINVAL), and a
 *  table has the same columns and key in all of them (::ROWTIDE_ESCHEMA). A
 *  change that cannot follow the one before, such as a second INSERT of a row,
 *  is left out. */
ROWTIDE_API int rowtide_changeset_concat(rowtide_changeset *const *changesets,
                                         size_t count, rowtide_changeset **out);

/** Keep only the changes of the tables that the filter chooses. */
ROWTIDE_API int rowtide_changeset_filter(rowtide_changeset *changeset,
                                         rowtide_table_filter_cb filter,
                                         void *user, rowtide_changeset **out);

/**
 * Rebase local changes onto remote ones that were applied over them.
 *
 * A table header without changes is not written, nor is an UPDATE of which
 * nothing is left.
 *
 * @param data  what rowtide_report_rebase() gave for that apply; for several
 *  applies, what each gave, one behind the other
 * @param out  the local changes as if made after the remote ones: what the
 *  others need to reach the same state
 */
ROWTIDE_API int rowtide_changeset_rebase(rowtide_changeset *changeset,
                                         const void *data, size_t size,
                                         rowtide_changeset **out);

/** As rowtide_changeset_invert(), in bounded memory. */
ROWTIDE_API int rowtide_changeset_invert_stream(rowtide_source *source,
                                                rowtide_sink *sink);

/** As rowtide_changeset_concat(). Memory holds the result, one entry for each
 *  changed row, whatever the number of inputs. */
ROWTIDE_API int rowtide_changeset_concat_stream(rowtide_source *const *sources,
                                                size_t count,
                                                rowtide_sink *sink);

/** As rowtide_changeset_filter(), in bounded memory. */
ROWTIDE_API int rowtide_changeset_filter_stream(rowtide_source *source,
                                                rowtide_table_filter_cb filter,
                                                void *user, rowtide_sink *sink);

/** As rowtide_changeset_rebase(); memory holds only the rebase data. */
ROWTIDE_API int rowtide_changeset_rebase_stream(rowtide_source *source,
                                                const void *data, size_t size,
                                                rowtide_sink *sink);

/* ## By hand */

/**
 * Start an empty changeset.
 *
 * @param patchset  1 to make a patchset
 * @param out  free it with rowtide_changeset_builder_free()
 */
ROWTIDE_API int rowtide_changeset_builder_new(int patchset,
                                              rowtide_changeset_builder **out);

/**
 * Say which table the following rows belong to. A table may come up again,
 * with the same columns and key.
 *
 * @param primary_key  `column_count` bytes as in ::rowtide_change, with at
 *  least one that is not 0; copied
 */
ROWTIDE_API int
rowtide_changeset_builder_table(rowtide_changeset_builder *builder,
                                const char *table, int column_count,
                                const unsigned char *primary_key);

/** What to say of a change: 1 if it is indirect. 0 at first; stays as set. */
ROWTIDE_API int
rowtide_changeset_builder_indirect(rowtide_changeset_builder *builder,
                                   int indirect);

/** Add an INSERT; `column_count` values, none undefined. */
ROWTIDE_API int
rowtide_changeset_builder_insert(rowtide_changeset_builder *builder,
                                 const rowtide_value *new_values);

/** Add an UPDATE; both arrays as in ::rowtide_change. Unchanged columns may
 *  be given with equal values in both. The key cannot change: that is a
 *  DELETE and an INSERT. */
ROWTIDE_API int
rowtide_changeset_builder_update(rowtide_changeset_builder *builder,
                                 const rowtide_value *old_values,
                                 const rowtide_value *new_values);

/** Add a DELETE; `column_count` values, none undefined. */
ROWTIDE_API int
rowtide_changeset_builder_delete(rowtide_changeset_builder *builder,
                                 const rowtide_value *old_values);

/** Add a change of any kind, as an iterator gives it, for its own table. */
ROWTIDE_API int
rowtide_changeset_builder_change(rowtide_changeset_builder *builder,
                                 const rowtide_change *change);

/** Make the changeset. Several changes of one row become one, as in
 *  rowtide_changeset_concat(). The builder starts again from empty. */
ROWTIDE_API int
rowtide_changeset_builder_finish(rowtide_changeset_builder *builder,
                                 rowtide_changeset **out);

/** Release a builder. */
ROWTIDE_API void
rowtide_changeset_builder_free(rowtide_changeset_builder *builder);

#ifdef __cplusplus
}
#endif

#endif
