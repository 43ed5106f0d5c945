#include "record.h"

/* A savepoint that is still there if the transaction is still the same. */
#define MARK "rowtide_record"

typedef struct recording {
    cli_run *cli;
    rowtide_db *db;
    rowtide_capture *capture;
    rowtide_changeset *changeset;
} recording;

static int begin(void *handle, const rowtide_capture_options *options)
{
    recording *self = handle;
    rowtide_capture_options chosen = *options;
    if (cli_has(self->cli, "patchset"))
        chosen.flags |= ROWTIDE_CAPTURE_PATCHSET;
    if (cli_has(self->cli, "indirect"))
        chosen.flags |= ROWTIDE_CAPTURE_INDIRECT;
    int rc = rowtide_db_exec(self->db, "BEGIN IMMEDIATE; SAVEPOINT " MARK);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_begin(self->db, &chosen, &self->capture);
    return rc;
}

static int rollback(void *handle)
{
    recording *self = handle;
    rowtide_capture_cancel(self->capture);
    if (rowtide_db_in_transaction(self->db))
        rowtide_db_exec(self->db, "ROLLBACK");
    return ROWTIDE_OK;
}

static int commit(cli_run *cli, void *handle)
{
    recording *self = handle;
    (void)cli;
    if (rowtide_db_exec(self->db, "RELEASE " MARK) != ROWTIDE_OK)
        return rowtide_error_set(ROWTIDE_EMISUSE,
                                 "the SQL has ended the transaction that it "
                                 "was recorded in; nothing was recorded");
    int rc = rowtide_capture_end(self->capture, &self->changeset);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(self->db, "COMMIT");
    return rc;
}

static void print_skipped(cli_run *cli, rowtide_capture *capture)
{
    int count = rowtide_capture_skipped_count(capture);
    for (int i = 0; i < count; i++) {
        const char *table, *reason;
        if (cli_has(cli, "quiet") || cli_has(cli, "json")
            || rowtide_capture_skipped(capture, i, &table, &reason)
                   != ROWTIDE_OK)
            continue;
        fputs("rowtide: table \"", stderr);
        cli_print_safe(stderr, table);
        fputs("\" is not recorded: ", stderr);
        cli_print_safe(stderr, reason);
        fputc('\n', stderr);
    }
}

static int write_result(cli_run *cli, recording *self)
{
    print_skipped(cli, self->capture);
    int status = cli_write_changeset(cli, self->changeset);
    const char *path = cli_value(cli, "output");
    if (status != CLI_OK || !path)
        return status;
    if (cli_has(cli, "json")) {
        cli_print_counts_json(stdout, self->changeset);
        puts("}");
    } else if (!cli_has(cli, "quiet")) {
        cli_print_size(stderr, self->changeset);
        fputc('\n', stderr);
    }
    return CLI_OK;
}

int cmd_changeset_record(cli_run *cli)
{
    static const cli_recorder recorder = {begin, rollback, commit};
    recording self = {.cli = cli};
    if (cli_has(cli, "json") && !cli_value(cli, "output"))
        return cli_usage(cli, "--json needs -o FILE, because the changeset "
                              "takes standard output");
    int status = cli_open_db(cli, cli->arguments[0], 0, &self.db);
    if (status == CLI_OK)
        status = cli_record(cli, self.db, &recorder, &self);
    if (status == CLI_OK)
        status = write_result(cli, &self);
    rowtide_changeset_free(self.changeset);
    rowtide_capture_free(self.capture);
    rowtide_db_free(self.db);
    return status;
}
