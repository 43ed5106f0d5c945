#ifndef ROWTIDE_SCHEMA_REPORT_H
#define ROWTIDE_SCHEMA_REPORT_H

#include "schema/model.h"

#include <rowtide/schema_plan.h>

struct rowtide_schema_report {
    rowtide__arena arena;
    rowtide__list list;
    rowtide_schema_actions actions; /* up to date after every _add */
};

/* NULL when memory ran out. */
rowtide_schema_report *rowtide__schema_report_new(void);
/* A copy of the action with all its texts. */
int rowtide__schema_report_add(rowtide_schema_report *report,
                               const rowtide_schema_action *action);

#endif
