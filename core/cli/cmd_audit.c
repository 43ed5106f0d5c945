#include "record.h"

#include <stdlib.h>

static int open_audit(cli_run *cli, rowtide_db **db, rowtide_audit **audit)
{
    int status = cli_open_db(cli, cli->arguments[0], 0, db);
    if (status == CLI_OK && rowtide_audit_open(*db, audit) != ROWTIDE_OK)
        status = cli_fail(cli);
    return status;
}

static void close_audit(rowtide_db *db, rowtide_audit *audit)
{
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

/* ## record */

static int begin(void *handle, const rowtide_capture_options *options)
{
    return rowtide_audit_begin(handle, options);
}

static int rollback(void *handle)
{
    return rowtide_audit_rollback(handle);
}

static int commit(cli_run *cli, void *handle)
{
    rowtide_audit_entry entry = {cli_value(cli, "author"),
                                 cli_value(cli, "label"), NULL};
    int64_t id = 0;
    int rc = rowtide_audit_commit(handle, &entry, &id);
    if (rc != ROWTIDE_OK)
        return rc;
    if (cli_has(cli, "json"))
        printf("{\"entry\":%lld}\n", (long long)id);
    else if (id)
        cli_say(cli, "entry %lld\n", (long long)id);
    else
        cli_say(cli, "nothing changed\n");
    return ROWTIDE_OK;
}

int cmd_audit_record(cli_run *cli)
{
    static const cli_recorder recorder = {begin, rollback, commit};
    rowtide_db *db = NULL;
    rowtide_audit *audit = NULL;
    int status = open_audit(cli, &db, &audit);
    if (status == CLI_OK)
        status = cli_record(cli, db, &recorder, audit);
    close_audit(db, audit);
    return status;
}

/* ## log */

static void print_text(const rowtide_value *value, int json)
{
    if (value->type != ROWTIDE_TEXT) {
        fputs(json ? "null" : "-", stdout);
        return;
    }
    char *text = malloc(value->size + 1);
    if (!text)
        return;
    for (size_t i = 0; i < value->size; i++)
        text[i] = ((const char *)value->data)[i];
    text[value->size] = '\0';
    if (json)
        cli_json_string(stdout, text);
    else
        cli_print_safe(stdout, text);
    free(text);
}

static int print_entry(rowtide_stmt *stmt, int json, int first)
{
    static const char *const names[] = {"time", "author", "label"};
    rowtide_value id, changes, value;
    if (rowtide_stmt_column(stmt, 0, &id) != ROWTIDE_OK
        || rowtide_stmt_column(stmt, 4, &changes) != ROWTIDE_OK)
        return rowtide_error_code();
    printf(json ? "%s\n{\"entry\":%lld,\"changes\":%lld" : "%s%lld  %lld  ",
           json && !first ? "," : "", (long long)id.integer,
           (long long)changes.integer);
    for (int i = 0; i < 3; i++) {
        if (rowtide_stmt_column(stmt, i + 1, &value) != ROWTIDE_OK)
            return rowtide_error_code();
        if (json)
            printf(",\"%s\":", names[i]);
        else if (i)
            fputs("  ", stdout);
        print_text(&value, json);
    }
    putchar(json ? '}' : '\n');
    return ROWTIDE_OK;
}

static int print_log(rowtide_db *db, int64_t limit, int json)
{
    rowtide_stmt *stmt = NULL;
    rowtide_value most = rowtide_value_integer(limit ? limit : -1);
    int first = 1;
    int rc = rowtide_stmt_prepare(
        db,
        "SELECT id, time, author, label, (SELECT count(*) FROM "
        "rowtide_audit_change WHERE entry = rowtide_audit.id) "
        "FROM rowtide_audit ORDER BY id DESC LIMIT ?1",
        &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_bind(stmt, 1, &most);
    if (json)
        fputs("[", stdout);
    while (rc == ROWTIDE_OK && (rc = rowtide_stmt_step(stmt)) == ROWTIDE_OK) {
        rc = print_entry(stmt, json, first);
        first = 0;
    }
    if (json)
        puts(first ? "]" : "\n]");
    rowtide_stmt_free(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int cmd_audit_log(cli_run *cli)
{
    rowtide_db *db = NULL;
    int64_t limit;
    int status = cli_number(cli, "limit", 0, &limit);
    if (status == CLI_OK)
        status = cli_open_db(cli, cli->arguments[0], 1, &db);
    if (status == CLI_OK
        && print_log(db, limit, cli_has(cli, "json")) != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_db_free(db);
    return status;
}

/* ## show */

static int parse_id(cli_run *cli, const char *text, int64_t *id)
{
    char *end;
    *id = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || *id < 1)
        return cli_usage(cli, "\"%s\" is not the number of an entry", text);
    return CLI_OK;
}

int cmd_audit_show(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_audit *audit = NULL;
    rowtide_changeset *changeset = NULL;
    int64_t id;
    int status = parse_id(cli, cli->arguments[1], &id);
    if (status == CLI_OK)
        status = open_audit(cli, &db, &audit);
    if (status == CLI_OK
        && rowtide_audit_changeset(audit, id, &changeset) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        status = cli_value(cli, "output") && !cli_has(cli, "html")
                         && !cli_has(cli, "json")
                     ? cli_write_changeset(cli, changeset)
                     : cli_show(cli, changeset, db);
    rowtide_changeset_free(changeset);
    close_audit(db, audit);
    return status;
}

/* ## prune */

int cmd_audit_prune(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_audit *audit = NULL;
    const char *before = cli_value(cli, "before");
    int64_t keep, pruned = 0;
    int status = cli_number(cli, "keep", 0, &keep);
    if (status == CLI_OK && !before == !cli_has(cli, "keep"))
        status = cli_usage(cli, "give either --before TIME or --keep N");
    if (status == CLI_OK)
        status = open_audit(cli, &db, &audit);
    if (status == CLI_OK
        && rowtide_audit_prune(audit, before, keep, &pruned) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        printf("{\"pruned\":%lld}\n", (long long)pruned);
    else if (status == CLI_OK)
        cli_say(cli, "%lld pruned\n", (long long)pruned);
    close_audit(db, audit);
    return status;
}
