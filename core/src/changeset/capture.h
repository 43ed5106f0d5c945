#ifndef ROWTIDE_CHANGESET_CAPTURE_H
#define ROWTIDE_CHANGESET_CAPTURE_H

#include "base/error.h"
#include "db/connection.h"
#include "db/table.h"

#include <rowtide/capture.h>

/* What was decided about a table. */
typedef struct rowtide__capture_table {
    struct rowtide__capture_table *next;
    int recorded;
    int column_count; /* when it was decided */
    char name[];
} rowtide__capture_table;

struct rowtide_capture {
    rowtide__db_child child; /* first: children are cast back */
    rowtide_db *db;
    sqlite3_session *session; /* NULL once it has ended */
    int lost;                 /* because the connection was closed */
    char *schema;
    rowtide_table_filter_cb filter;
    void *filter_user;
    unsigned flags;
    int64_t memory_limit;
    rowtide__capture_table *tables; /* the one asked for last comes first */
    int failed; /* while a table was decided about, inside a statement */
    rowtide__error_state error;
    char **skipped; /* name and reason, in turn */
    int skipped_count;
};

/* Can this table be recorded? `*reason` is NULL, or says why not: a phrase
 * that goes behind the table's name, of static storage. */
int rowtide__capture_judge(const rowtide__table_info *info,
                           const char **reason);
/* Is it one that a capture of all tables leaves alone? */
const char *rowtide__capture_judge_name(const char *name);

/* capture_tables.c */
int rowtide__capture_attach(rowtide_capture *capture, const char *const *tables,
                            size_t count);
int rowtide__capture_attach_all(rowtide_capture *capture);
/* Name a table that is not what it was, if there is one. */
int rowtide__capture_fail_altered(rowtide_capture *capture);
int rowtide__capture_list_skipped(rowtide_capture *capture);
void rowtide__capture_tables_free(rowtide_capture *capture);

#endif
