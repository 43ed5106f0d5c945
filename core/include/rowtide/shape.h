/**
 * @file rowtide/shape.h
 * @brief What is in a struct, as data: one description for every language.
 *
 * Values that a program only looks at (a table, a change of a schema, a step
 * of a plan) are plain structs, read through their fields in C. Each kind has
 * a shape that lists these fields; JSON, Python objects and Lua tables are
 * made from it, so a field has the same name everywhere.
 *
 * Pointers are borrowed from the handle that the struct was read from. Fields
 * are only ever added at the end.
 */
#ifndef ROWTIDE_SHAPE_H
#define ROWTIDE_SHAPE_H

#include <rowtide/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a field is stored. */
typedef enum rowtide_field_kind {
    ROWTIDE_FIELD_TEXT = 1, /**< `const char *`, or NULL */
    ROWTIDE_FIELD_BOOLEAN,  /**< `int`, 0 or 1 */
    ROWTIDE_FIELD_INTEGER,  /**< `int64_t` */
    ROWTIDE_FIELD_ENUM,     /**< `int`, an index into `names` */
    ROWTIDE_FIELD_TEXTS,    /**< `const char *const *`, NULL-terminated */
    ROWTIDE_FIELD_ITEM,     /**< pointer to a struct of `shape`, or NULL */
    ROWTIDE_FIELD_ITEMS     /**< array of such pointers, NULL-terminated */
} rowtide_field_kind;

struct rowtide_shape;

typedef struct rowtide_field {
    const char *name; /**< NULL behind the last field */
    rowtide_field_kind kind;
    size_t offset;
    const char *const *names; /**< of an enum: its words */
    const struct rowtide_shape *shape;
} rowtide_field;

typedef struct rowtide_shape {
    const char *name; /**< such as "column" */
    const rowtide_field *fields;
} rowtide_shape;

/**
 * Write a struct as one JSON object: members in the order of the fields, lists
 * as arrays, enums as their words, and null where a pointer is NULL.
 *
 * @param buf_out  appended to
 */
ROWTIDE_API int rowtide_shape_json(const rowtide_shape *shape, const void *item,
                                   rowtide_buffer *buf_out);

#ifdef __cplusplus
}
#endif

#endif
