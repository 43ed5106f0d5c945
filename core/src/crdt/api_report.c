#include "crdt/api.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

typedef struct table_report {
    char *table;
    int64_t applied, ignored;
} table_report;

struct rowtide_crdt_report {
    int64_t applied, ignored;
    int64_t version;
    table_report *tables;
    size_t count, capacity;
    size_t last;
};

int rowtide__crdt_report_new(rowtide_crdt_report **out)
{
    *out = rowtide__alloc_zero(sizeof **out);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static table_report *find_table(rowtide_crdt_report *report, const char *table)
{
    if (report->count && strcmp(report->tables[report->last].table, table) == 0)
        return &report->tables[report->last];
    for (size_t i = 0; i < report->count; i++)
        if (sqlite3_stricmp(report->tables[i].table, table) == 0) {
            report->last = i;
            return &report->tables[i];
        }
    return NULL;
}

static table_report *add_table(rowtide_crdt_report *report, const char *table)
{
    if (rowtide__grow(&report->tables, &report->capacity, report->count + 1,
                      sizeof *report->tables)
        != ROWTIDE_OK)
        return NULL;
    table_report *added = &report->tables[report->count];
    *added = (table_report){rowtide__strdup(table), 0, 0};
    if (!added->table)
        return NULL;
    report->last = report->count++;
    return added;
}

int rowtide__crdt_report_add(rowtide_crdt_report *report, const char *table,
                             int64_t db_version, int won)
{
    table_report *entry = find_table(report, table);
    if (!entry)
        entry = add_table(report, table);
    if (!entry)
        return ROWTIDE_ENOMEM;
    if (won) {
        report->applied++;
        entry->applied++;
    } else {
        report->ignored++;
        entry->ignored++;
    }
    rowtide__crdt_report_reach(report, db_version);
    return ROWTIDE_OK;
}

void rowtide__crdt_report_reach(rowtide_crdt_report *report, int64_t version)
{
    if (version > report->version)
        report->version = version;
}

int64_t rowtide_crdt_report_count(const rowtide_crdt_report *report)
{
    return report ? report->applied + report->ignored : 0;
}

int64_t rowtide_crdt_report_applied(const rowtide_crdt_report *report)
{
    return report ? report->applied : 0;
}

int64_t rowtide_crdt_report_ignored(const rowtide_crdt_report *report)
{
    return report ? report->ignored : 0;
}

int64_t rowtide_crdt_report_version(const rowtide_crdt_report *report)
{
    return report ? report->version : 0;
}

size_t rowtide_crdt_report_table_count(const rowtide_crdt_report *report)
{
    return report ? report->count : 0;
}

int rowtide_crdt_report_table(const rowtide_crdt_report *report, size_t index,
                              const char **table, int64_t *applied,
                              int64_t *ignored)
{
    ROWTIDE__CHECK_ARG(table && applied && ignored, "crdt_report_table");
    *table = NULL;
    *applied = *ignored = 0;
    ROWTIDE__CHECK_ARG(report, "crdt_report_table");
    if (index >= report->count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_report_table: %zu is not one of %zu tables",
                             index, report->count);
    *table = report->tables[index].table;
    *applied = report->tables[index].applied;
    *ignored = report->tables[index].ignored;
    return ROWTIDE_OK;
}

void rowtide_crdt_report_free(rowtide_crdt_report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->count; i++)
        rowtide__free(report->tables[i].table);
    rowtide__free(report->tables);
    rowtide__free(report);
}
