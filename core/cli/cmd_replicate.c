#include "record.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* ## publish */

static int begin(void *handle, const rowtide_capture_options *options)
{
    return rowtide_primary_begin(handle, options);
}

static int rollback(void *handle)
{
    return rowtide_primary_rollback(handle);
}

static int print_number(cli_run *cli, int64_t number)
{
    if (cli_has(cli, "json"))
        printf("{\"number\":%lld}\n", (long long)number);
    else if (number)
        cli_say(cli, "published %lld\n", (long long)number);
    else
        cli_say(cli, "nothing changed\n");
    return ROWTIDE_OK;
}

static int commit(cli_run *cli, void *handle)
{
    int64_t number = 0;
    int rc = rowtide_primary_commit(handle, &number);
    return rc == ROWTIDE_OK ? print_number(cli, number) : rc;
}

static int append_changeset(cli_run *cli, rowtide_primary *primary)
{
    rowtide_changeset *changeset = NULL;
    int64_t number = 0;
    int status = cli_read_changeset(cli, cli_value(cli, "changeset"),
                                    &changeset);
    if (status == CLI_OK
        && rowtide_primary_append(primary, changeset, &number) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        print_number(cli, number);
    rowtide_changeset_free(changeset);
    return status;
}

static int write_missing(cli_run *cli, rowtide_primary *primary)
{
    int64_t written = 0;
    if (rowtide_primary_publish(primary, &written) != ROWTIDE_OK)
        return cli_fail(cli);
    if (cli_has(cli, "json"))
        printf("{\"written\":%lld}\n", (long long)written);
    else
        cli_say(cli, "%lld missing files written\n", (long long)written);
    return CLI_OK;
}

int cmd_replicate_publish(cli_run *cli)
{
    static const cli_recorder recorder = {begin, rollback, commit};
    rowtide_db *db = NULL;
    rowtide_primary *primary = NULL;
    int status = cli_open_db(cli, cli->arguments[0], 0, &db);
    if (status == CLI_OK
        && rowtide_primary_open(db, cli->arguments[1], &primary) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_value(cli, "changeset"))
        status = append_changeset(cli, primary);
    else if (status == CLI_OK && (cli_has(cli, "sql") || cli_has(cli, "file")))
        status = cli_record(cli, db, &recorder, primary);
    else if (status == CLI_OK)
        status = write_missing(cli, primary);
    rowtide_primary_free(primary);
    rowtide_db_free(db);
    return status;
}

/* ## pull */

static int pull(cli_run *cli, rowtide_replica *replica)
{
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    int64_t limit, position = 0, applied = 0;
    int status = cli_apply_options(cli, &options);
    if (status == CLI_OK)
        status = cli_number(cli, "limit", 0, &limit);
    if (status == CLI_OK)
        status = cli_number(cli, "set-position", 0, &position);
    if (status != CLI_OK)
        return status;
    if (cli_has(cli, "set-position")
        && rowtide_replica_set_position(replica, position) != ROWTIDE_OK)
        return cli_fail(cli);
    if (rowtide_replica_pull(replica, limit, &options, &applied) != ROWTIDE_OK)
        status = cli_fail(cli);
    position = rowtide_replica_position(replica);
    if (cli_has(cli, "json"))
        printf("{\"applied\":%lld,\"position\":%lld}\n", (long long)applied,
               (long long)position);
    else
        cli_say(cli, "%lld applied, now at %lld\n", (long long)applied,
                (long long)position);
    return status;
}

int cmd_replicate_pull(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_replica *replica = NULL;
    int status = cli_open_db(cli, cli->arguments[0], 0, &db);
    if (status == CLI_OK
        && rowtide_replica_open(db, cli->arguments[1], &replica) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        status = pull(cli, replica);
    rowtide_replica_free(replica);
    rowtide_db_free(db);
    return status;
}

/* ## status */

/* The highest number of a file in the directory. */
static int64_t last_in_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int64_t last = 0;
    while (directory && (entry = readdir(directory)) != NULL) {
        char *end;
        long long number = strtoll(entry->d_name, &end, 10);
        if (end != entry->d_name && strcmp(end, ".changeset") == 0
            && number > last)
            last = number;
    }
    if (directory)
        closedir(directory);
    return last;
}

/* Opening a primary or a replica makes its tables, so look first. */
static int has_table(rowtide_db *db, const char *name, int *out)
{
    rowtide_stmt *stmt = NULL;
    rowtide_value value = rowtide_value_text(name);
    *out = 0;
    int rc = rowtide_stmt_prepare(
        db, "SELECT 1 FROM sqlite_schema WHERE name = ?1", &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_bind(stmt, 1, &value);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_step(stmt);
    *out = rc == ROWTIDE_OK;
    rowtide_stmt_free(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static void print_status(cli_run *cli, const char *role, int64_t position)
{
    int64_t last = last_in_directory(cli->arguments[1]);
    if (cli_has(cli, "json"))
        printf("{\"role\":\"%s\",\"position\":%lld,\"directory\":%lld}\n", role,
               (long long)position, (long long)last);
    else
        printf("%s at %lld, directory at %lld\n", role, (long long)position,
               (long long)last);
}

static int primary_status(cli_run *cli, rowtide_db *db)
{
    rowtide_primary *primary = NULL;
    int rc = rowtide_primary_open(db, cli->arguments[1], &primary);
    int64_t position = rc == ROWTIDE_OK ? rowtide_primary_position(primary)
                                        : rc;
    if (position >= 0)
        print_status(cli, "primary", position);
    rowtide_primary_free(primary);
    return position < 0 ? cli_fail(cli) : CLI_OK;
}

static int replica_status(cli_run *cli, rowtide_db *db)
{
    rowtide_replica *replica = NULL;
    int rc = rowtide_replica_open(db, cli->arguments[1], &replica);
    int64_t position = rc == ROWTIDE_OK ? rowtide_replica_position(replica)
                                        : rc;
    if (position >= 0)
        print_status(cli, "replica", position);
    rowtide_replica_free(replica);
    return position < 0 ? cli_fail(cli) : CLI_OK;
}

int cmd_replicate_status(cli_run *cli)
{
    rowtide_db *db = NULL;
    int is_primary = 0, is_replica = 0;
    int status = cli_open_db(cli, cli->arguments[0], 0, &db);
    if (status == CLI_OK
        && (has_table(db, "rowtide_outbox", &is_primary) != ROWTIDE_OK
            || has_table(db, "rowtide_replica", &is_replica) != ROWTIDE_OK))
        status = cli_fail(cli);
    if (status == CLI_OK && !is_primary && !is_replica)
        status = cli_fail_with(cli, ROWTIDE_ENOTFOUND,
                               "%s: neither a primary nor a replica yet",
                               cli->arguments[0]);
    if (status == CLI_OK && is_primary)
        status = primary_status(cli, db);
    if (status == CLI_OK && is_replica)
        status = replica_status(cli, db);
    rowtide_db_free(db);
    return status;
}
