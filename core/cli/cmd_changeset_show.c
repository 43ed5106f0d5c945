#include "cli.h"

int cmd_changeset_show(cli_run *cli)
{
    rowtide_changeset *changeset = NULL;
    int status = cli_read_changeset(cli, cli->arguments[0], &changeset);
    if (status == CLI_OK)
        status = cli_filter_tables(cli, &changeset);
    if (status == CLI_OK)
        status = cli_show(cli, changeset, NULL);
    rowtide_changeset_free(changeset);
    return status;
}

/* Convert a file in bounded memory. */
static int convert(cli_run *cli, const char *db_path,
                   int (*to)(rowtide_source *, const rowtide_render_options *,
                             rowtide_sink *))
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    int rc = ROWTIDE_OK;
    int status = CLI_OK;
    if (cli_has(cli, "compact"))
        options.flags |= ROWTIDE_RENDER_COMPACT;
    if (db_path)
        status = cli_open_db(cli, db_path, 1, &options.names);
    if (status == CLI_OK)
        status = cli_open_output(cli, 0, &sink);
    if (status == CLI_OK)
        rc = rowtide_source_file(cli->arguments[0], &source);
    if (status == CLI_OK && rc == ROWTIDE_OK)
        rc = to(source, &options, sink);
    if (status == CLI_OK && rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    if (rc != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    rowtide_db_free(options.names);
    return status == CLI_OK ? cli_report_output(cli) : status;
}

int cmd_changeset_to_json(cli_run *cli)
{
    return convert(cli, cli_value(cli, "db"), rowtide_changeset_to_json);
}

int cmd_changeset_to_sql(cli_run *cli)
{
    return convert(cli, cli_value(cli, "db"), rowtide_changeset_to_sql);
}

int cmd_changeset_from_json(cli_run *cli)
{
    rowtide_buffer json = {NULL, 0, 0};
    rowtide_changeset *changeset = NULL;
    int status = cli_read_file(cli, cli->arguments[0], &json);
    if (status == CLI_OK
        && rowtide_changeset_from_json(json.data, json.size, &changeset)
               != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        status = cli_write_changeset(cli, changeset);
    rowtide_changeset_free(changeset);
    rowtide_buffer_dispose(&json);
    return status == CLI_OK ? cli_report_output(cli) : status;
}
