%ignore rowtide_conflict;
%ignore rowtide_policy;
%ignore rowtide_apply_options;
%ignore rowtide_report_table;
%ignore rowtide_report_rebase;

%apply int VALUE { int rowtide_report_table_count };

%thread rowtide_changeset_apply;
%thread rowtide_changeset_apply_stream;

%include <rowtide/apply.h>

%rename(report_rebase) copy_rebase;
%inline %{
static void copy_rebase(const rowtide_report *report, const void **bytes,
                        size_t *size)
{
    *bytes = rowtide_report_rebase(report, size);
}
%}
