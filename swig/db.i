%ignore rowtide_open_options;
%ignore rowtide_db_adopt;
%ignore rowtide_db_sqlite;

%apply int VALUE {
    int rowtide_db_is_open, int rowtide_db_in_transaction,
    int rowtide_stmt_parameter_count, int rowtide_stmt_parameter_index,
    int rowtide_stmt_column_count
};

%thread rowtide_db_open;
%thread rowtide_db_close;
%thread rowtide_db_exec;
%thread rowtide_stmt_prepare;
%ignore rowtide_stmt_step;

%include <rowtide/db.h>

/* A step tells rows from the end by its value: 1 for a row, 0 at the end. */
%rename(stmt_step) step_stmt;
%thread step_stmt;
%apply int64_t *COUNT { int64_t *row };
%inline %{
static int step_stmt(rowtide_stmt *stmt, int64_t *row)
{
    int rc = rowtide_stmt_step(stmt);
    *row = rc == ROWTIDE_OK;
    return rc;
}
%}
