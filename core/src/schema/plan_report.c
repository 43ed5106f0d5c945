#include "schema/report.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

rowtide_schema_report *rowtide__schema_report_new(void)
{
    rowtide_schema_report *report = rowtide__alloc_zero(sizeof *report);
    if (!report)
        return NULL;
    report->list.arena = &report->arena;
    report->actions.actions = (const rowtide_schema_action *const *)
        rowtide__list_finish(&report->list);
    return report;
}

static int copy_text(rowtide__arena *arena, const char **text)
{
    return *text ? rowtide__name_copy(arena, *text, strlen(*text), text)
                 : ROWTIDE_OK;
}

int rowtide__schema_report_add(rowtide_schema_report *report,
                               const rowtide_schema_action *action)
{
    rowtide__arena *arena = &report->arena;
    rowtide_schema_action *copy = rowtide__arena_alloc(arena, sizeof *copy);
    if (!copy)
        return ROWTIDE_ENOMEM;
    *copy = *action;
    int rc = copy_text(arena, &copy->table);
    if (rc == ROWTIDE_OK)
        rc = copy_text(arena, &copy->name);
    if (rc == ROWTIDE_OK)
        rc = copy_text(arena, &copy->sql);
    if (rc == ROWTIDE_OK)
        rc = copy_text(arena, &copy->reason);
    if (rc == ROWTIDE_OK)
        rc = rowtide__list_add(&report->list, copy);
    if (rc == ROWTIDE_OK)
        report->actions.actions = (const rowtide_schema_action *const *)
            rowtide__list_finish(&report->list);
    return rc;
}

void rowtide_schema_report_free(rowtide_schema_report *report)
{
    if (!report)
        return;
    rowtide__arena_dispose(&report->arena);
    rowtide__free(report);
}

const rowtide_schema_actions *
rowtide_schema_report_actions(const rowtide_schema_report *report)
{
    return report ? &report->actions : NULL;
}
