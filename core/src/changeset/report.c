#include "changeset/report.h"
#include "base/alloc.h"
#include "base/error.h"

#include <rowtide/buffer.h>

rowtide_report *rowtide__report_new(void)
{
    return rowtide__alloc_zero(sizeof(rowtide_report));
}

static int grow_lines(rowtide_report *report)
{
    if (report->line_count < report->line_capacity)
        return ROWTIDE_OK;
    int capacity = report->line_capacity ? report->line_capacity * 2 : 8;
    rowtide__report_line *lines = rowtide__realloc(
        report->lines, (size_t)capacity * sizeof *report->lines);
    if (!lines)
        return ROWTIDE_ENOMEM;
    report->lines = lines;
    report->line_capacity = capacity;
    return ROWTIDE_OK;
}

int rowtide__report_add(rowtide_report *report, const char *table)
{
    int rc = grow_lines(report);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__report_line *line = &report->lines[report->line_count];
    *line = (rowtide__report_line){0};
    line->table = rowtide__strdup(table);
    if (!line->table)
        return ROWTIDE_ENOMEM;
    return report->line_count++;
}

rowtide_report_table rowtide_report_total(const rowtide_report *report)
{
    rowtide_report_table total = {0};
    for (int i = 0; report && i < report->line_count; i++) {
        const rowtide__report_line *line = &report->lines[i];
        total.applied += line->applied;
        total.omitted += line->omitted;
        total.replaced += line->replaced;
        total.skipped += line->skipped;
    }
    return total;
}

int rowtide_report_table_count(const rowtide_report *report)
{
    return report ? report->line_count : 0;
}

int rowtide_report_table_at(const rowtide_report *report, int index,
                            rowtide_report_table *out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "report_table_at");
    *out = (rowtide_report_table){0};
    ROWTIDE__CHECK_ARG(report != NULL, "report_table_at");
    if (index < 0 || index >= report->line_count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "report_table_at: no table %d, the report has %d",
                             index, report->line_count);
    const rowtide__report_line *line = &report->lines[index];
    *out = (rowtide_report_table){line->table,   line->applied,
                                  line->omitted, line->replaced,
                                  line->skipped, line->skip_reason};
    return ROWTIDE_OK;
}

const void *rowtide_report_rebase(const rowtide_report *report, size_t *size)
{
    size_t bytes = report ? report->rebase.size : 0;
    if (size)
        *size = bytes;
    return bytes ? report->rebase.data : NULL;
}

void rowtide_report_free(rowtide_report *report)
{
    if (!report)
        return;
    for (int i = 0; i < report->line_count; i++) {
        rowtide__free(report->lines[i].table);
        rowtide__free(report->lines[i].skip_reason);
    }
    rowtide__free(report->lines);
    rowtide_buffer_dispose(&report->rebase);
    rowtide__free(report);
}

const char *rowtide_conflict_kind_name(int kind)
{
    switch (kind) {
    case ROWTIDE_CONFLICT_DATA:
        return "data";
    case ROWTIDE_CONFLICT_NOT_FOUND:
        return "not_found";
    case ROWTIDE_CONFLICT_CONFLICT:
        return "conflict";
    case ROWTIDE_CONFLICT_CONSTRAINT:
        return "constraint";
    case ROWTIDE_CONFLICT_FOREIGN_KEY:
        return "foreign_key";
    default:
        return "unknown";
    }
}

const char *rowtide_change_kind_name(int kind)
{
    switch (kind) {
    case ROWTIDE_CHANGE_INSERT:
        return "insert";
    case ROWTIDE_CHANGE_UPDATE:
        return "update";
    case ROWTIDE_CHANGE_DELETE:
        return "delete";
    default:
        return "unknown";
    }
}

const char *rowtide_conflict_action_name(int action)
{
    switch (action) {
    case ROWTIDE_ACTION_OMIT:
        return "omit";
    case ROWTIDE_ACTION_REPLACE:
        return "replace";
    case ROWTIDE_ACTION_ABORT:
        return "abort";
    default:
        return "unknown";
    }
}
