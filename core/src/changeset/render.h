#ifndef ROWTIDE_CHANGESET_RENDER_H
#define ROWTIDE_CHANGESET_RENDER_H

#include <rowtide/render.h>

#include "base/writer.h"
#include "db/table.h"

/* ## Column names */

/* The names of the columns of one table at a time. */
typedef struct rowtide__names {
    rowtide_db *db; /* or NULL */
    char *table;    /* whose names these are */
    rowtide__table_info info;
    const char **columns; /* the ordinary ones */
    int column_count;
} rowtide__names;

void rowtide__names_init(rowtide__names *names, rowtide_db *db);
void rowtide__names_dispose(rowtide__names *names);

/* Get ready for the columns of this change's table. */
int rowtide__names_load(rowtide__names *names, const rowtide_change *change);

/* The column names; NULL if the table is not there or has fewer columns. */
const char *const *rowtide__names_columns(const rowtide__names *names,
                                          const rowtide_change *change);

/* A column's name, or c1, c2, ... in `spare`. */
const char *rowtide__names_column(const rowtide__names *names,
                                  const rowtide_change *change, int column,
                                  char spare[16]);

/* ## One rendering */

typedef struct rowtide__render {
    rowtide_render_options options;
    rowtide__names names;
    rowtide_buffer buffer; /* what was not handed to the sink yet */
    rowtide__writer writer;
    rowtide_sink *sink;
} rowtide__render;

int rowtide__render_init(rowtide__render *render,
                         const rowtide_render_options *options,
                         rowtide_sink *sink, const char *function);
void rowtide__render_dispose(rowtide__render *render);

/* Hand over what was written if it is worth it; the writer's own failure
 * comes out here. */
int rowtide__render_pass_on(rowtide__render *render);
/* Hand over everything. */
int rowtide__render_finish(rowtide__render *render);

/* Call `step` for each change of a source, with its names loaded. */
typedef int (*rowtide__render_step)(rowtide__render *render,
                                    const rowtide_change *change, void *state);
int rowtide__render_each(rowtide__render *render, rowtide_changeset_iter *iter,
                         rowtide__render_step step, void *state);

/* ## JSON */

void rowtide__write_json_value(rowtide__writer *writer,
                               const rowtide_value *value);

void rowtide__write_json_change(rowtide__writer *writer,
                                const rowtide_change *change,
                                const char *const *columns, int starts_table,
                                int compact);

/* ## What people read: the listing and the page */

typedef struct rowtide__excerpt {
    size_t text_limit; /* bytes of a text to show */
    size_t blob_limit; /* bytes of a blob to show */
} rowtide__excerpt;

/* "1,234,567" */
void rowtide__write_count(rowtide__writer *writer, int64_t count);
/* "1 change", "2 changes" */
void rowtide__write_plural(rowtide__writer *writer, int64_t count,
                           const char *noun);

/* The table's index in the changeset, -1 if it has none of that name. */
int rowtide__find_table(const rowtide_changeset *changeset, const char *table);

void rowtide__add_counts(rowtide_change_counts *sum,
                         const rowtide_change_counts *more);

/* Bytes of a text up to `limit`, cut between characters. */
size_t rowtide__text_cut(const void *data, size_t size, size_t limit);

/* One character, or one byte that is none, made visible: \n, \x1b, \u{202e}.
 * Writes nothing and returns 0 if the character may be shown as it is; sets
 * `*length` to the bytes it takes either way. */
int rowtide__visible_escape(const void *data, size_t size, int *length,
                            char out[16]);

#endif
