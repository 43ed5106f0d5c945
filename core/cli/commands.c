#include "cli.h"

#include <limits.h>

const cli_option cli_common_options[] = {
    {"json", 0, NULL, "results and errors as JSON"},
    {"quiet", 'q', NULL, "nothing but errors and what was asked for"},
    {"help", 'h', NULL, "this text"},
    {0}};

static const cli_option record_options[] = {
    CLI_SQL,
    CLI_OUTPUT,
    CLI_TABLE,
    {"patchset", 0, NULL, "make a patchset: smaller, but without old values"},
    {"indirect", 0, NULL, "mark all changes as indirect"},
    {0}};

static const cli_option show_options[] = {CLI_SHOW, CLI_TABLE, CLI_OUTPUT, {0}};

static const cli_option apply_options[] = {
    CLI_APPLY,
    CLI_TABLE,
    {"invert", 0, NULL, "apply the inverse: undo what the changeset did"},
    {"dry-run", 0, NULL, "do everything, say what was done, and undo it"},
    {"rebase-out", 0, "FILE",
     "write what rebase needs, before anything is committed"},
    {0}};

static const cli_option output_options[] = {CLI_OUTPUT, {0}};

static const cli_option filter_options[] = {
    CLI_TABLE,
    {"exclude", 0, NULL, "keep all tables but those named"},
    CLI_OUTPUT,
    {0}};

static const cli_option diff_options[] = {
    CLI_SHOW,
    CLI_TABLE,
    CLI_OUTPUT,
    {"patchset", 0, NULL, "make a patchset"},
    {"exit-code", 0, NULL, "exit with 0 the same, 1 different, 2 trouble"},
    {0}};

static const cli_option to_json_options[] = {
    {"db", 0, "DB", "write column names, taken from this database"},
    {"compact", 0, NULL, "one change to a line"},
    CLI_OUTPUT,
    {0}};

static const cli_option to_sql_options[] = {
    {"db", 0, "DB", "take column names from this database"}, CLI_OUTPUT, {0}};

static const cli_option audit_record_options[] = {
    CLI_SQL,
    CLI_TABLE,
    {"author", 0, "NAME", "who makes the changes"},
    {"label", 0, "TEXT", "what is done"},
    {0}};

static const cli_option limit_options[] = {
    {"limit", 'n', "N", "at most N of them"}, {0}};

static const cli_option prune_options[] = {
    {"before", 0, "TIME", "entries older than that, such as 2026-01-31"},
    {"keep", 0, "N", "all but the newest N"},
    {0}};

static const cli_option undo_record_options[] = {
    CLI_SQL,
    CLI_TABLE,
    {"label", 0, "TEXT", "what the step does"},
    {"steps", 0, "N", "keep at most N steps, 0 for all; 100 if not given"},
    {0}};

static const cli_option no_options[] = {{0}};

static const cli_option move_options[] = {CLI_APPLY, {0}};

static const cli_option publish_options[] = {
    {"sql", 0, "SQL", "statements to run and publish; may be given again"},
    {"file", 'f', "FILE", "read them from FILE; - is standard input"},
    {"changeset", 0, "FILE", "publish this changeset"},
    CLI_TABLE,
    {0}};

static const cli_option pull_options[] = {
    CLI_APPLY,
    {"limit", 'n', "N", "apply at most N changesets"},
    {"set-position", 0, "N",
     "this database is a copy that already has everything up to N"},
    {0}};

static const cli_option crdt_alter_options[] = {CLI_SQL, {0}};

static const cli_option crdt_pull_options[] = {
    {"since", 0, "N", "changes with a version greater than N"},
    {"until", 0, "N", "and at most N"},
    {"exclude", 0, "SITE", "not what this site made; in hexadecimal"},
    {"local", 0, NULL, "only what this database made"},
    CLI_TABLE,
    CLI_OUTPUT,
    {0}};

static const cli_option crdt_collect_options[] = {
    {"until", 0, "N",
     "deletions with a version up to N; if not given, those that all peers "
     "are known to have"},
    {0}};

static const cli_option schema_show_options[] = {
    {"sql", 0, NULL, "as SQL that makes the same schema"},
    {"svg", 0, NULL, "as a picture of the tables and their references"},
    {"internal", 0, NULL, "also tables that Rowtide keeps for itself"},
    CLI_COLOR,
    CLI_OUTPUT,
    {0}};

static const cli_option schema_diff_options[] = {
    CLI_SCHEMA,
    {"column-order", 0, NULL, "list columns that stand in another order too"},
    {"exit-code", 0, NULL, "exit with 0 the same, 1 different, 2 trouble"},
    CLI_COLOR,
    CLI_OUTPUT,
    {0}};

static const cli_option schema_generate_options[] = {
    CLI_SCHEMA,
    {"up", 0, "FILE", "write the way there to FILE"},
    {"down", 0, "FILE", "write the way back to FILE"},
    {0}};

static const cli_option schema_plan_options[] = {
    CLI_SCHEMA,
    CLI_ALLOW,
    {"sql", 0, NULL, "show the statements too"},
    {"exit-code", 0, NULL, "exit with 0 nothing to do, 1 something, 2 trouble"},
    CLI_COLOR,
    CLI_OUTPUT,
    {0}};

static const cli_option schema_apply_options[] = {
    CLI_SCHEMA,
    CLI_ALLOW,
    {"dry-run", 0, NULL, "do everything, say what was done, and undo it"},
    CLI_COLOR,
    {0}};

const cli_command cli_commands[] = {
    {"changeset record", "DB [--sql SQL | --file FILE]",
     "Run SQL and write what it changed",
     "The SQL runs in one transaction. If any of it fails, nothing is changed "
     "and nothing is written.",
     record_options, 1, 1, cmd_changeset_record},
    {"changeset show", "FILE", "Show what a changeset holds",
     "Without options it is a listing: + inserted, - deleted, ~ updated with "
     "old and new values. FILE may be - for standard input.",
     show_options, 1, 1, cmd_changeset_show},
    {"changeset apply", "DB FILE", "Apply a changeset to a database",
     "All of it is applied or nothing. A conflict aborts with exit status 3, "
     "unless options say otherwise; options that come later win.",
     apply_options, 2, 2, cmd_changeset_apply},
    {"changeset invert", "FILE", "Make the changeset that undoes another", NULL,
     output_options, 1, 1, cmd_changeset_invert},
    {"changeset concat", "FILE...", "Make one changeset of several",
     "The result does what they do one after the other.", output_options, 1,
     INT_MAX, cmd_changeset_concat},
    {"changeset rebase", "FILE REBASE-FILE",
     "Rebase local changes onto remote ones that were applied",
     "REBASE-FILE is what apply --rebase-out wrote when the remote changes "
     "were applied over the local ones in FILE.",
     output_options, 2, 2, cmd_changeset_rebase},
    {"changeset filter", "FILE --table TABLE...",
     "Keep the changes of some tables", NULL, filter_options, 1, 1,
     cmd_changeset_filter},
    {"changeset diff", "FROM-DB TO-DB", "Compare two databases",
     "Shows what would turn the first into the second. With -o and none of "
     "--html, --json and --stat the changeset itself is written.",
     diff_options, 2, 2, cmd_changeset_diff},
    {"changeset from-json", "FILE", "Make a changeset of JSON", NULL,
     output_options, 1, 1, cmd_changeset_from_json},
    {"changeset to-json", "FILE", "Write a changeset as JSON",
     "Nothing is lost: from-json makes the same bytes again.", to_json_options,
     1, 1, cmd_changeset_to_json},
    {"changeset to-sql", "FILE --db DB", "Write a changeset as SQL statements",
     "Column names are not in a changeset, so a database with the tables is "
     "needed.",
     to_sql_options, 1, 1, cmd_changeset_to_sql},
    {"diff", "FROM-DB TO-DB", "The same as changeset diff",
     "Shows what would turn the first into the second. With -o and none of "
     "--html, --json and --stat the changeset itself is written.",
     diff_options, 2, 2, cmd_changeset_diff},
    {"audit record", "DB [--sql SQL | --file FILE]",
     "Run SQL and append what it changed to the audit log",
     "The entry is written in the transaction of the changes.",
     audit_record_options, 1, 1, cmd_audit_record},
    {"audit log", "DB", "List the entries, newest first",
     "Each line has number, changes, time, author and label.", limit_options, 1,
     1, cmd_audit_log},
    {"audit show", "DB ENTRY", "Show what an entry changed",
     "With -o and neither --html nor --json the changeset itself is written.",
     show_options, 2, 2, cmd_audit_show},
    {"audit prune", "DB --before TIME | --keep N", "Delete old entries", NULL,
     prune_options, 1, 1, cmd_audit_prune},
    {"undo record", "DB [--sql SQL | --file FILE]",
     "Run SQL as a step that can be undone", NULL, undo_record_options, 1, 1,
     cmd_undo_record},
    {"undo list", "DB", "List the steps, oldest first", NULL, no_options, 1, 1,
     cmd_undo_list},
    {"undo undo", "DB", "Take back the newest step", NULL, move_options, 1, 1,
     cmd_undo_undo},
    {"undo redo", "DB", "Do again the step that was undone last", NULL,
     move_options, 1, 1, cmd_undo_redo},
    {"undo clear", "DB", "Forget all steps", NULL, no_options, 1, 1,
     cmd_undo_clear},
    {"replicate publish", "DB DIRECTORY",
     "Publish changes as numbered files in a directory",
     "With --sql or --file it runs statements and publishes what they changed, "
     "with --changeset a changeset that was made elsewhere. Without any of "
     "them it writes files that are still missing.",
     publish_options, 2, 2, cmd_replicate_publish},
    {"replicate pull", "DB DIRECTORY", "Apply what was published", NULL,
     pull_options, 2, 2, cmd_replicate_pull},
    {"replicate status", "DB DIRECTORY", "Say how far a database is", NULL,
     no_options, 2, 2, cmd_replicate_status},
    {"crdt enable", "DB TABLE...", "Let tables take part in merges",
     "Their rows become changes of this database. All of the tables or none. "
     "From then on they can only be written to with Rowtide.",
     no_options, 2, INT_MAX, cmd_crdt_enable},
    {"crdt disable", "DB TABLE...", "Take tables out of merges",
     "Their rows are kept; what is known about deletions and versions is "
     "forgotten.",
     no_options, 2, INT_MAX, cmd_crdt_disable},
    {"crdt status", "DB", "Say who and how far a database is",
     "Its site, its version, the tables that take part and the peers.",
     no_options, 1, 1, cmd_crdt_status},
    {"crdt alter", "DB TABLE [--sql SQL | --file FILE]",
     "Alter the columns of a table that takes part",
     "The SQL runs in one transaction. If any of it fails, nothing is changed.",
     crdt_alter_options, 2, 2, cmd_crdt_alter},
    {"crdt pull", "DB", "Write changes for other databases",
     "They are written as a payload, which notices when any of it is missing, "
     "and with --json as lines of JSON, one change to a line: names and values "
     "are as in docs/changeset-json.md, `pk` and `site_id` in hexadecimal.",
     crdt_pull_options, 1, 1, cmd_crdt_pull},
    {"crdt merge", "DB FILE", "Merge changes into a database",
     "FILE is what pull wrote, in either form; - is standard input. All of it "
     "is merged or nothing.",
     no_options, 2, 2, cmd_crdt_merge},
    {"crdt sync", "DB DB", "Bring two databases to the same rows",
     "What is new in each is merged into the other.", no_options, 2, 2,
     cmd_crdt_sync},
    {"crdt peers", "DB", "List the peers and how far each is",
     "Received is the version of the peer up to which its changes are here, "
     "acknowledged the version of this database that the peer is known to "
     "have.",
     no_options, 1, 1, cmd_crdt_peers},
    {"crdt collect", "DB", "Forget deletions that everyone has",
     "A peer that has not seen a deletion by then brings the row back.",
     crdt_collect_options, 1, 1, cmd_crdt_collect},
    {"crdt convert", "DB", "Take over a database of cr-sqlite 0.16",
     "The tables that take part there take part here, with the same changes. "
     "All of them or none; cr-sqlite cannot use the database any more.",
     no_options, 1, 1, cmd_crdt_convert},
    {"schema show", "DB-OR-SQL [TABLE...]",
     "Show tables, columns, keys, indexes, views and triggers",
     "DB-OR-SQL is a database, a file with SQL, or - for SQL on standard "
     "input; its first bytes say which. SQL is run in an empty database of "
     "its own; statements that change no schema are passed over.",
     schema_show_options, 1, INT_MAX, cmd_schema_show},
    {"schema diff", "FROM TO", "Compare two schemas",
     "FROM and TO are each a database or SQL. Shows what has to change in the "
     "first to become the second: + added, - removed, ~ changed, > renamed; "
     "and what that does to the rows: additive and safe lose nothing, checked "
     "fails if rows are in the way, lossy may convert values, destructive "
     "loses some.",
     schema_diff_options, 2, 2, cmd_schema_diff},
    {"schema plan", "DB TO", "Show how a database would become a schema",
     "TO is a database or SQL. Steps with what they need, and the rows that "
     "are in the way. Nothing is written.",
     schema_plan_options, 2, 2, cmd_schema_plan},
    {"schema apply", "DB TO", "Bring a database to a schema",
     "All of it in one transaction or nothing. What is lossy or destructive "
     "is left out unless it is allowed; the exit status is 1 then.",
     schema_apply_options, 2, 2, cmd_schema_apply},
    {"schema generate", "FROM TO", "Write a migration up and down as SQL",
     "What adds is active; what removes or converts is commented out, with "
     "the reason, to be reviewed. Nothing is run.",
     schema_generate_options, 2, 2, cmd_schema_generate},
    {0}};
