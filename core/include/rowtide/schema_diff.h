/**
 * @file rowtide/schema_diff.h
 * @brief What differs between two schemas, and SQL to review.
 *
 * Names are compared without case, as SQLite does; SQL without white space,
 * comments, and quotes that change nothing. What cannot be decided by that (two
 * expressions that may mean the same) is listed as "unknown", not left out.
 */
#ifndef ROWTIDE_SCHEMA_DIFF_H
#define ROWTIDE_SCHEMA_DIFF_H

#include <rowtide/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_schema_difference rowtide_schema_difference;

typedef enum rowtide_schema_operation {
    ROWTIDE_SCHEMA_ADD,
    ROWTIDE_SCHEMA_REMOVE,
    ROWTIDE_SCHEMA_CHANGE,
    ROWTIDE_SCHEMA_RENAME
} rowtide_schema_operation;

typedef enum rowtide_schema_object {
    ROWTIDE_OBJECT_TABLE,
    ROWTIDE_OBJECT_COLUMN,
    ROWTIDE_OBJECT_KEY, /**< PRIMARY KEY or UNIQUE */
    ROWTIDE_OBJECT_CHECK,
    ROWTIDE_OBJECT_FOREIGN_KEY,
    ROWTIDE_OBJECT_INDEX,
    ROWTIDE_OBJECT_TRIGGER,
    ROWTIDE_OBJECT_VIEW,
    ROWTIDE_OBJECT_VIRTUAL_TABLE
} rowtide_schema_object;

/** What of an object changed. */
typedef enum rowtide_schema_aspect {
    ROWTIDE_ASPECT_WHOLE, /**< it was added, removed or renamed */
    ROWTIDE_ASPECT_TYPE,
    ROWTIDE_ASPECT_NOT_NULL,
    ROWTIDE_ASPECT_DEFAULT,
    ROWTIDE_ASPECT_COLLATION,
    ROWTIDE_ASPECT_GENERATED,
    ROWTIDE_ASPECT_AUTOINCREMENT,
    ROWTIDE_ASPECT_ON_CONFLICT,
    ROWTIDE_ASPECT_STRICT,
    ROWTIDE_ASPECT_WITHOUT_ROWID,
    ROWTIDE_ASPECT_ORDER, /**< of columns */
    ROWTIDE_ASPECT_SQL    /**< of a constraint, index, trigger, view or virtual
                               table */
} rowtide_schema_aspect;

/** What it does to the rows. */
typedef enum rowtide_schema_effect {
    ROWTIDE_EFFECT_ADDITIVE,   /**< nothing that is there changes */
    ROWTIDE_EFFECT_SAFE,       /**< nothing is lost, and no row can be in the
                                    way */
    ROWTIDE_EFFECT_CHECKED,    /**< rows may be in the way: see preflight */
    ROWTIDE_EFFECT_LOSSY,      /**< values may be converted */
    ROWTIDE_EFFECT_DESTRUCTIVE /**< rows or values go, or an index, trigger or
                                    view */
} rowtide_schema_effect;

/**
 * One thing that differs. Names are those of `to` where both have the object.
 *
 * What belongs to a column that is added or removed, or to a table that is
 * removed, goes with it and is not listed; indexes and triggers of a new table
 * are. A constraint of which only the name differs, and an index that another
 * one means the same as, is renamed.
 */
typedef struct rowtide_schema_change {
    rowtide_schema_operation operation;
    rowtide_schema_object object;
    const char *table; /**< that it is in; of a table or view its own name */
    const char *name;  /**< of the object; of a constraint without a name its
                            SQL */
    rowtide_schema_aspect aspect;
    const char *from; /**< old value, SQL or name; NULL if added. Constraints
                           are written as those of a table */
    const char *to;   /**< the same now; NULL if removed */
    rowtide_schema_effect effect;
    int unknown;      /**< the texts differ, what they mean may not */
    const char *note; /**< one line for people */
} rowtide_schema_change;

/** What to do about tables, views and triggers of `from` that `to` does not
 *  have at all. */
typedef enum rowtide_schema_undeclared {
    ROWTIDE_UNDECLARED_REMOVE, /**< list them as removed */
    ROWTIDE_UNDECLARED_IGNORE  /**< leave them out: for a model that declares
                                    only some of the database */
} rowtide_schema_undeclared;

typedef struct rowtide_schema_diff_options {
    size_t size;
    const char *const *renames; /**< NULL-terminated: "old=new" for a table,
                                     "table.old=new" for a column, where
                                     `table` is the new name of the table.
                                     Names may be in double quotes. Without a
                                     hint a new name is a new thing. Whatever
                                     mentions the name is compared with the
                                     new one in it */
    rowtide_schema_undeclared undeclared;
    int column_order; /**< 1: list columns that stand in another order */
} rowtide_schema_diff_options;

#define ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT                                       \
    {sizeof(rowtide_schema_diff_options), NULL, ROWTIDE_UNDECLARED_REMOVE, 0}

/**
 * Compare two schemas: what has to change in `from` to become `to`.
 *
 * Shadow tables are never compared, and relations that a builder declared are
 * neither missing nor too much. A hint that names nothing is
 * ::ROWTIDE_ENOTFOUND.
 *
 * @param out  free it with rowtide_schema_difference_free(); it keeps both
 *  models alive
 */
ROWTIDE_API int rowtide_schema_diff(const rowtide_schema *from,
                                    const rowtide_schema *to,
                                    const rowtide_schema_diff_options *options,
                                    rowtide_schema_difference **out);

/** Release it. */
ROWTIDE_API void
rowtide_schema_difference_free(rowtide_schema_difference *difference);

/** All changes, table by table. */
typedef struct rowtide_schema_changes {
    const rowtide_schema_change *const *changes; /**< NULL-terminated */
} rowtide_schema_changes;

/** @return the changes; borrowed, never NULL unless `difference` is. */
ROWTIDE_API const rowtide_schema_changes *
rowtide_schema_difference_changes(const rowtide_schema_difference *difference);

/** @return the shape of ::rowtide_schema_changes. */
ROWTIDE_API const rowtide_shape *rowtide_schema_difference_shape(void);

typedef enum rowtide_schema_direction {
    ROWTIDE_SCHEMA_UP = 1,  /**< from `from` to `to` */
    ROWTIDE_SCHEMA_DOWN = 2 /**< back */
} rowtide_schema_direction;

/**
 * Write SQL for a migration. Nothing is run.
 *
 * What adds is active. What removes or converts is commented out, with the
 * reason, and complete: a table that has to be rebuilt is written out in all
 * its steps, so that it can be uncommented and run with any tool. Taking "-- "
 * from the front of lines does it: reasons begin with "----". Down undoes the
 * active part of up, in reverse; where up has a comment, so has down.
 *
 * The commented part expects that the active one was run. It uses what SQLite
 * 3.35 can do. If there is nothing to do it is empty.
 *
 * @param buf_out  appended to
 */
ROWTIDE_API int
rowtide_schema_generate(const rowtide_schema_difference *difference,
                        rowtide_schema_direction direction,
                        rowtide_buffer *buf_out);

#ifdef __cplusplus
}
#endif

#endif
