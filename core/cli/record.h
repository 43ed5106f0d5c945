#ifndef ROWTIDE_CLI_RECORD_H
#define ROWTIDE_CLI_RECORD_H

#include "cli.h"

/* Something that records what SQL does, in a transaction of its own. */
typedef struct cli_recorder {
    int (*begin)(void *handle, const rowtide_capture_options *options);
    int (*rollback)(void *handle);
    int (*commit)(cli_run *cli, void *handle);
} cli_recorder;

/* Run the SQL of the command line between begin and commit. */
int cli_record(cli_run *cli, rowtide_db *db, const cli_recorder *recorder,
               void *handle);

#endif
