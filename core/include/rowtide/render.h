/**
 * @file rowtide/render.h
 * @brief Changesets as JSON, SQL, text and HTML.
 *
 * The changeset format holds no column names. Given a connection, names are
 * taken from the tables it has now; without one, or where the table is
 * missing or has fewer columns, columns are called c1, c2 and so on.
 *
 * JSON and SQL are written in bounded memory. The listing and the page begin
 * with counts, so they hold the changeset in memory. In both, characters that
 * would steer a terminal or hide from a reader are made visible.
 */
#ifndef ROWTIDE_RENDER_H
#define ROWTIDE_RENDER_H

#include <rowtide/changeset.h>
#include <rowtide/db.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Use ANSI colours in the text listing. */
#define ROWTIDE_RENDER_COLOR 1u
/** One change per line in the JSON, without line breaks inside. */
#define ROWTIDE_RENDER_COMPACT 2u

typedef struct rowtide_render_options {
    size_t size;
    rowtide_db *names; /**< where column names come from, or NULL */
    unsigned flags;
    int64_t limit;     /**< at most so many changes in text and HTML, with a
                            line that says how many more there are; 0: all */
    const char *title; /**< of the HTML page, or NULL */
} rowtide_render_options;

#define ROWTIDE_RENDER_OPTIONS_INIT                                            \
    {sizeof(rowtide_render_options), NULL, 0, 0, NULL}

/**
 * Write a changeset as JSON, from which rowtide_changeset_from_json() makes
 * the same bytes again. The form is described in docs/changeset-json.md.
 */
ROWTIDE_API int rowtide_changeset_to_json(rowtide_source *source,
                                          const rowtide_render_options *options,
                                          rowtide_sink *sink);

/** Make a changeset of JSON. Errors have the byte offset. */
ROWTIDE_API int rowtide_changeset_from_json(const char *json, size_t size,
                                            rowtide_changeset **out);

/**
 * Write the SQL statements that do what the changeset does, one to a line, in
 * the order of the changeset.
 *
 * Names must be known: see `names`; otherwise ::ROWTIDE_ESCHEMA. Rows are found
 * by their primary key alone, so statements overwrite what would have been a
 * conflict. Reals read back as they were. Text that is not UTF-8 is written as
 * bytes, which a UTF-16 database would take for something else.
 */
ROWTIDE_API int rowtide_changeset_to_sql(rowtide_source *source,
                                         const rowtide_render_options *options,
                                         rowtide_sink *sink);

/** Write a listing for people: one line for each change, `+` inserted, `-`
 *  deleted, `~` updated, under a heading for each table. */
ROWTIDE_API int rowtide_changeset_to_text(rowtide_source *source,
                                          const rowtide_render_options *options,
                                          rowtide_sink *sink);

/** Write one HTML page without outside resources, old and new values side by
 *  side, for light and dark screens and for phones. */
ROWTIDE_API int rowtide_changeset_to_html(rowtide_source *source,
                                          const rowtide_render_options *options,
                                          rowtide_sink *sink);

/** Write one change as the JSON object it is in rowtide_changeset_to_json(),
 *  with names from `names` if that is not NULL. */
ROWTIDE_API int rowtide_change_to_json(const rowtide_change *change,
                                       rowtide_db *names, rowtide_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
