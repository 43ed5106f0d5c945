#ifndef ROWTIDE_CHANGESET_REPORT_H
#define ROWTIDE_CHANGESET_REPORT_H

#include <rowtide/apply.h>

typedef struct rowtide__report_line {
    char *table;
    char *skip_reason;
    int64_t applied, omitted, replaced, skipped;
} rowtide__report_line;

struct rowtide_report {
    rowtide__report_line *lines;
    int line_count, line_capacity;
    rowtide_buffer rebase;
};

rowtide_report *rowtide__report_new(void);
/* @return the index of the new line, or a negative code */
int rowtide__report_add(rowtide_report *report, const char *table);

#endif
