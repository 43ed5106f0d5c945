#ifndef ROWTIDE_SCHEMA_AUTO_MIGRATE_H
#define ROWTIDE_SCHEMA_AUTO_MIGRATE_H

#include "base/map.h"
#include "db/connection.h"
#include "schema/model.h"
#include "schema/report.h"

/* Nothing here can take anything away: the only statements that are ever run
 * are CREATE statements of the model, CREATE UNIQUE INDEX, and ALTER TABLE ...
 * ADD COLUMN. */

typedef struct rowtide__migration {
    rowtide_db *db;
    const rowtide_schema *model;    /* as it was given */
    const rowtide_schema *creating; /* the same, with foreign keys if they were
                                       asked for */
    const rowtide_schema *now;      /* what was there before */
    rowtide_schema_report *report;
    rowtide__arena arena;
    int looking;           /* only find out whether there is anything to add */
    int needed;            /* there is */
    rowtide__map refused;  /* tables and views, by name */
    rowtide__list columns; /* rowtide__addition: columns that were refused */
} rowtide__migration;

/* ## auto_migrate_run.c */

/* Something that is missing. */
typedef struct rowtide__addition {
    rowtide_schema_object object;
    const char *table, *name;
} rowtide__addition;

int rowtide__migration_did(rowtide__migration *it,
                           const rowtide__addition *addition, const char *sql);
int rowtide__migration_refuse(rowtide__migration *it,
                              const rowtide__addition *addition,
                              const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Remember that a column could not be added. */
int rowtide__migration_lose(rowtide__migration *it,
                            const rowtide__addition *column);
/* Note that there is something to run; ROWTIDE_DONE. */
int rowtide__migration_defer(rowtide__migration *it);
/* Run it, and report that. What SQLite refuses because of what is there is
 * reported as refused, and ROWTIDE_DONE. */
int rowtide__migration_run(rowtide__migration *it,
                           const rowtide__addition *addition, const char *sql);
/* Is the last error one that is refused, and not one that ends it all? */
int rowtide__migration_is_refusal(const rowtide__migration *it);
/* The same for the stored CREATE statement of an index, trigger or view, but
 * refused if it needs a column that was refused: SQLite would take "a" for a
 * string, or find out only when it is used. */
int rowtide__migration_create(rowtide__migration *it,
                              const rowtide__addition *addition,
                              const rowtide__ddl *ddl, const char *sql);
/* What has a name in the database, trigger or not: "table", "index", ... and
 * the table that it is on; NULL if nothing has. */
int rowtide__migration_find(rowtide__migration *it, int trigger,
                            const char *name, const char **type,
                            const char **table);

/* ## auto_migrate_column.c */
int rowtide__migration_columns(rowtide__migration *it,
                               const rowtide__table *want,
                               const rowtide__table *have);

/* ## auto_migrate_index.c */
/* `have` is NULL for a table that was made now. */
int rowtide__migration_indexes(rowtide__migration *it,
                               const rowtide__table *want,
                               const rowtide__table *have);
/* Is there a unique index that holds what a UNIQUE constraint would? */
int rowtide__migration_has_unique(const rowtide__table *have,
                                  const rowtide__ddl_constraint *constraint);
/* A name for an index that nothing has, here or in the model. */
int rowtide__migration_name_index(rowtide__migration *it, const char *table,
                                  const char *column, const char **out);

/* ## auto_migrate_differ.c: what is there, but otherwise than in the model */
int rowtide__migration_differences(rowtide__migration *it);

#endif
