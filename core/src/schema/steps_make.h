#ifndef ROWTIDE_SCHEMA_STEPS_MAKE_H
#define ROWTIDE_SCHEMA_STEPS_MAKE_H

#include "base/map.h"
#include "schema/steps.h"

/* Between the files that make steps. */

enum {
    ROWTIDE__PHASE_DROP,
    ROWTIDE__PHASE_RENAME,
    ROWTIDE__PHASE_TABLE,
    ROWTIDE__PHASE_COLUMN,
    ROWTIDE__PHASE_CHANGE,
    ROWTIDE__PHASE_DROP_TABLE,
    ROWTIDE__PHASE_INDEX,
    ROWTIDE__PHASE_VIEW,
    ROWTIDE__PHASE_TRIGGER,
    ROWTIDE__PHASE_COUNT
};

/* A table that stays and changes. */
typedef struct rowtide__work {
    const char *name;               /* in `to` */
    const rowtide__table *original; /* in `from` */
    const rowtide__table *current;  /* after renames and ALTER TABLE */
    const rowtide__table *target;   /* in `to` */
    rowtide__list changes;          /* that may be made */
    rowtide__list rest; /* of these: what no ALTER TABLE of SQLite's does */
    int refused;        /* it has changes that may not be made */
    int rebuild;
} rowtide__work;

typedef struct rowtide__making {
    const rowtide_schema_difference *difference;
    const rowtide__abilities *abilities;
    rowtide__arena *arena;
    rowtide_schema *from; /* after renames and ALTER TABLE; counted */
    int keep_columns;     /* ALTER TABLE DROP COLUMN does not work */
    rowtide__list works;
    rowtide__map work_names;
    rowtide__list phases[ROWTIDE__PHASE_COUNT];
} rowtide__making;

/* ## steps_text.c */
/* `format` is of sqlite3_mprintf(): %w, %Q. NULL when memory ran out. */
const char *rowtide__arena_sql(rowtide__arena *arena, const char *format, ...);
int rowtide__text_add(rowtide__list *list, const char *text);
/* The list as texts. */
const char *const *rowtide__texts_finish(rowtide__list *list);
const char *rowtide__span_text(rowtide__arena *arena, const rowtide__ddl *ddl,
                               rowtide__span span);
/* A literal, and so the same for all rows. NULL is none at all, and is. */
int rowtide__default_is_constant(const char *sql);
int rowtide__default_is_null(const char *sql);
/* The column that is another name for the rowid, or NULL. */
const rowtide_schema_column *
rowtide__table_rowid_column(const rowtide__table *table);
/* A name for the rowid: of that column, or "rowid" or another that no column
 * has; NULL if there is none. */
const char *rowtide__table_rowid_name(const rowtide__table *table);

/* ## steps_way.c */
typedef enum rowtide__way {
    ROWTIDE__WAY_ADD,   /* ALTER TABLE ADD COLUMN */
    ROWTIDE__WAY_DROP,  /* ALTER TABLE DROP COLUMN */
    ROWTIDE__WAY_ALTER, /* ALTER TABLE in a form of 3.53 */
    ROWTIDE__WAY_EDIT,  /* the stored text */
    ROWTIDE__WAY_REBUILD
} rowtide__way;

int rowtide__way_choose(const rowtide__making *making,
                        const rowtide__work *work,
                        const rowtide_schema_change *change, rowtide__way *out);
/* Is a new column better left to a rebuild that is needed anyway? It may name
 * others that are new. */
int rowtide__way_joins_rebuild(const rowtide__work *work,
                               const rowtide_schema_change *change);
/* The statement of ADD, DROP and ALTER; NULL when memory ran out. */
const char *rowtide__way_statement(const rowtide__making *making,
                                   const rowtide__work *work,
                                   const rowtide_schema_change *change);

/* ## steps_edit.c: the stored text of work->current, with work->rest */
int rowtide__work_edit(const rowtide__making *making, const rowtide__work *work,
                       const char **out);

/* ## rebuild.c: fill in what `step` is to be run with. */
int rowtide__rebuild_write(const rowtide__making *making,
                           const rowtide__work *work, rowtide__step *step);

/* ## steps_put.c */
const rowtide_schema_change *const *
rowtide__making_changes(const rowtide__making *making);
/* Is it one that a table goes through as a whole, with others? */
int rowtide__change_is_of_table(const rowtide_schema_change *change);
/* Why it may not be made, or NULL. */
const char *rowtide__change_refusal(const rowtide__abilities *abilities,
                                    const rowtide_schema_change *change);
/* Is this index or trigger left as it is? */
int rowtide__object_stays(const rowtide__making *making,
                          rowtide_schema_object object, const char *name);
/* A step for the change, without statements; NULL when memory ran out. */
rowtide__step *rowtide__step_put(rowtide__making *making, int phase,
                                 rowtide_plan_method method,
                                 const rowtide_schema_change *change);
int rowtide__step_refuse(rowtide__making *making, int phase,
                         rowtide_plan_method method,
                         const rowtide_schema_change *change);
/* With one statement; NULL means that memory ran out. */
int rowtide__step_run(rowtide__making *making, int phase,
                      rowtide_plan_method method,
                      const rowtide_schema_change *change, const char *sql);

/* ## steps_object.c */
int rowtide__put_renames(rowtide__making *making, rowtide_schema_object object);
int rowtide__put_objects(rowtide__making *making);
int rowtide__put_table_drops(rowtide__making *making);

#endif
