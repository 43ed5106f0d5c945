#include "record.h"

int cli_record(cli_run *cli, rowtide_db *db, const cli_recorder *recorder,
               void *handle)
{
    const char *tables[CLI_MAX_GIVEN];
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    cli_capture_tables(cli, tables, &options);
    if (recorder->begin(handle, &options) != ROWTIDE_OK)
        return cli_fail(cli);
    int status = cli_run_sql(cli, db);
    if (status != CLI_OK) {
        recorder->rollback(handle);
        return status;
    }
    return recorder->commit(cli, handle) == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}
