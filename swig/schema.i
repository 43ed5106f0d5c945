/* Structs that a program only looks at come out by their shapes, and options
 * go in by those of schema_options.h: no field is named in here. */
%ignore rowtide_schema_column;
%ignore rowtide_schema_indexed_column;
%ignore rowtide_schema_key;
%ignore rowtide_schema_check;
%ignore rowtide_schema_foreign_key;
%ignore rowtide_schema_index;
%ignore rowtide_schema_trigger;
%ignore rowtide_schema_table;
%ignore rowtide_schema_view;
%ignore rowtide_schema_contents;
%ignore rowtide_schema_change;
%ignore rowtide_schema_changes;
%ignore rowtide_plan_step;
%ignore rowtide_plan_steps;
%ignore rowtide_finding;
%ignore rowtide_findings;
%ignore rowtide_schema_action;
%ignore rowtide_schema_actions;
%ignore rowtide_schema_read_options;
%ignore rowtide_schema_table_options;
%ignore rowtide_schema_column_options;
%ignore rowtide_schema_index_options;
%ignore rowtide_schema_relation_options;
%ignore rowtide_schema_diff_options;
%ignore rowtide_plan_options;
%ignore rowtide_plan_run_options;
%ignore rowtide_auto_migrate_options;

%ignore rowtide_schema_find_table;
%ignore rowtide_schema_shape;
%ignore rowtide_schema_difference_shape;
%ignore rowtide_plan_shape;
%ignore rowtide_preflight_shape;
%ignore rowtide_schema_report_shape;
%ignore ROWTIDE_ALLOW_LOSSY;
%ignore ROWTIDE_ALLOW_DESTRUCTIVE;

/* Words come from the shapes, not from the numbers behind them. */
%rename("$ignore", %$isenumitem, regextarget=1)
    "^ROWTIDE_(AFFINITY|TABLE|OBJECT|ASPECT|EFFECT|UNDECLARED|METHOD|FINDING)_";
%rename("$ignore", %$isenumitem, regextarget=1)
    "^ROWTIDE_SCHEMA_(ADD|REMOVE|CHANGE|RENAME)$";

%apply int { rowtide_schema_direction direction };

ROWTIDE_SHAPED(rowtide_schema_contents, rowtide_schema_shape)
ROWTIDE_SHAPED(rowtide_schema_changes, rowtide_schema_difference_shape)
ROWTIDE_SHAPED(rowtide_plan_steps, rowtide_plan_shape)
ROWTIDE_SHAPED(rowtide_findings, rowtide_preflight_shape)
ROWTIDE_SHAPED(rowtide_schema_actions, rowtide_schema_report_shape)

ROWTIDE_SHAPED_OPTIONS(rowtide_schema_read_options, read)
ROWTIDE_SHAPED_OPTIONS(rowtide_schema_table_options, table)
ROWTIDE_SHAPED_OPTIONS(rowtide_schema_column_options, column)
ROWTIDE_SHAPED_OPTIONS(rowtide_schema_index_options, index)
ROWTIDE_SHAPED_OPTIONS(rowtide_schema_relation_options, relation)
ROWTIDE_SHAPED_OPTIONS(rowtide_schema_diff_options, diff)
ROWTIDE_SHAPED_OPTIONS(rowtide_plan_options, plan)
ROWTIDE_SHAPED_OPTIONS(rowtide_auto_migrate_options, auto_migrate)

%thread rowtide_schema_read;
%thread rowtide_schema_parse;
%thread rowtide_schema_svg;
%thread rowtide_schema_builder_finish;
%thread rowtide_schema_diff;
%thread rowtide_schema_generate;
%thread rowtide_schema_plan;
%thread rowtide_plan_preflight;
%thread rowtide_plan_apply;
%thread rowtide_schema_rebuild;
%thread rowtide_schema_auto_migrate;

%include <rowtide/schema.h>
%include <rowtide/schema_build.h>
%include <rowtide/schema_diff.h>
%include <rowtide/schema_plan.h>
