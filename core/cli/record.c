#include "record.h"

static int run_sql(cli_run *cli, rowtide_db *db)
{
    rowtide_buffer sql = {NULL, 0, 0};
    int status = cli_read_sql(cli, &sql);
    if (status == CLI_OK
        && rowtide_db_exec(db, sql.data ? sql.data : "") != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_buffer_dispose(&sql);
    return status;
}

int cli_record(cli_run *cli, rowtide_db *db, const cli_recorder *recorder,
               void *handle)
{
    const char *tables[CLI_MAX_GIVEN];
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    cli_capture_tables(cli, tables, &options);
    if (recorder->begin(handle, &options) != ROWTIDE_OK)
        return cli_fail(cli);
    int status = run_sql(cli, db);
    if (status != CLI_OK) {
        recorder->rollback(handle);
        return status;
    }
    return recorder->commit(cli, handle) == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}
