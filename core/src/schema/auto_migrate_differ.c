#include "schema/auto_migrate.h"
#include "schema/steps.h"

#include <string.h>

static const char *aspect_name(rowtide_schema_aspect aspect)
{
    switch (aspect) {
    case ROWTIDE_ASPECT_TYPE:
        return "type";
    case ROWTIDE_ASPECT_NOT_NULL:
        return "NOT NULL";
    case ROWTIDE_ASPECT_DEFAULT:
        return "default";
    case ROWTIDE_ASPECT_COLLATION:
        return "collation";
    case ROWTIDE_ASPECT_GENERATED:
        return "generated expression";
    case ROWTIDE_ASPECT_AUTOINCREMENT:
        return "AUTOINCREMENT";
    case ROWTIDE_ASPECT_ON_CONFLICT:
        return "ON CONFLICT";
    case ROWTIDE_ASPECT_STRICT:
        return "STRICT";
    case ROWTIDE_ASPECT_WITHOUT_ROWID:
        return "WITHOUT ROWID";
    default:
        return "definition";
    }
}

static int is_constraint(rowtide_schema_object object)
{
    return object == ROWTIDE_OBJECT_KEY || object == ROWTIDE_OBJECT_CHECK
           || object == ROWTIDE_OBJECT_FOREIGN_KEY;
}

/* Long texts are left to rowtide_schema_diff(). */
static const char *shown(const char *sql)
{
    enum { LONGEST = 200 };
    if (!sql || !*sql)
        return "none";
    return strlen(sql) > LONGEST ? "another" : sql;
}

static int report_change(rowtide__migration *it,
                         const rowtide_schema_change *change)
{
    rowtide__addition what = {change->object, change->table, change->name};
    return rowtide__migration_refuse(
        it, &what, "its %s differs: %s in the database, %s in the model%s",
        aspect_name(change->aspect), shown(change->from), shown(change->to),
        change->unknown ? "; they may mean the same" : "");
}

static int report_constraint(rowtide__migration *it,
                             const rowtide__change *change)
{
    const rowtide__table *have = change->old_table;
    rowtide__addition what = {change->view.object, change->view.table,
                              change->view.name};
    if (have && change->new_constraint
        && change->new_constraint->kind == ROWTIDE__UNIQUE
        && rowtide__migration_has_unique(have, change->new_constraint))
        return ROWTIDE_OK;
    return rowtide__migration_refuse(it, &what,
                                     "the table is there without it, and would "
                                     "have to be rebuilt: %s",
                                     shown(change->view.to));
}

static int report_difference(rowtide__migration *it,
                             const rowtide_schema_change *change)
{
    /* Indexes have been looked at one by one, and what is missing has been
     * added or refused. */
    if (change->object == ROWTIDE_OBJECT_INDEX)
        return ROWTIDE_OK;
    if (change->operation == ROWTIDE_SCHEMA_CHANGE)
        return report_change(it, change);
    if (change->operation == ROWTIDE_SCHEMA_ADD
        && is_constraint(change->object))
        return report_constraint(it, (const rowtide__change *)change);
    return ROWTIDE_OK;
}

static int report_all(rowtide__migration *it, const rowtide_schema *now)
{
    rowtide_schema_difference *difference = NULL;
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    options.undeclared = ROWTIDE_UNDECLARED_IGNORE;
    int rc = rowtide_schema_diff(now, it->model, &options, &difference);
    if (rc != ROWTIDE_OK)
        return rc;
    const rowtide_schema_change *const *change = difference->changes.changes;
    for (; *change && rc >= 0; change++)
        rc = report_difference(it, *change);
    rowtide_schema_difference_free(difference);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__migration_differences(rowtide__migration *it)
{
    rowtide_schema *now = NULL;
    int rc = rowtide__schema_read_sqlite(rowtide_db_sqlite(it->db), NULL, &now);
    if (rc == ROWTIDE_OK)
        rc = report_all(it, now);
    rowtide_schema_free(now);
    return rc;
}
