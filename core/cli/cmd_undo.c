#include "record.h"

static int open_undo(cli_run *cli, rowtide_db **db, rowtide_undo **undo)
{
    rowtide_undo_options options = ROWTIDE_UNDO_OPTIONS_INIT;
    int status = cli_number(cli, "steps", 100, &options.step_limit);
    if (status == CLI_OK)
        status = cli_open_db(cli, cli->arguments[0], 0, db);
    if (status == CLI_OK
        && rowtide_undo_open(*db, &options, undo) != ROWTIDE_OK)
        status = cli_fail(cli);
    return status;
}

static void close_undo(rowtide_db *db, rowtide_undo *undo)
{
    rowtide_undo_free(undo);
    rowtide_db_free(db);
}

/* ## record */

static int begin(void *handle, const rowtide_capture_options *options)
{
    return rowtide_undo_begin(handle, options);
}

static int rollback(void *handle)
{
    return rowtide_undo_rollback(handle);
}

static int commit(cli_run *cli, void *handle)
{
    int64_t id = 0;
    int rc = rowtide_undo_commit(handle, cli_value(cli, "label"), &id);
    if (rc != ROWTIDE_OK)
        return rc;
    if (cli_has(cli, "json"))
        printf("{\"step\":%lld}\n", (long long)id);
    else if (id)
        cli_say(cli, "step %lld\n", (long long)id);
    else
        cli_say(cli, "nothing changed\n");
    return ROWTIDE_OK;
}

int cmd_undo_record(cli_run *cli)
{
    static const cli_recorder recorder = {begin, rollback, commit};
    rowtide_db *db = NULL;
    rowtide_undo *undo = NULL;
    int status = open_undo(cli, &db, &undo);
    if (status == CLI_OK)
        status = cli_record(cli, db, &recorder, undo);
    close_undo(db, undo);
    return status;
}

/* ## list */

static void print_step(const rowtide_undo_step *step, int json, int first)
{
    if (json) {
        printf("%s\n{\"step\":%lld,\"undone\":%s,\"bytes\":%lld,\"time\":",
               first ? "" : ",", (long long)step->id,
               step->undone ? "true" : "false", (long long)step->bytes);
        cli_json_string(stdout, step->time);
        fputs(",\"label\":", stdout);
        cli_json_string(stdout, step->label);
        putchar('}');
        return;
    }
    printf("%s %lld  %s  ", step->undone ? "redo" : "undo", (long long)step->id,
           step->time);
    cli_print_safe(stdout, step->label);
    putchar('\n');
}

static int print_steps(rowtide_undo *undo, int json)
{
    rowtide_undo_step step;
    int64_t index = 0;
    int rc;
    if (json)
        putchar('[');
    while ((rc = rowtide_undo_step_at(undo, index, &step)) == ROWTIDE_OK)
        print_step(&step, json, index++ == 0);
    if (json)
        puts(index ? "\n]" : "]");
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int cmd_undo_list(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_undo *undo = NULL;
    int status = open_undo(cli, &db, &undo);
    if (status == CLI_OK
        && print_steps(undo, cli_has(cli, "json")) != ROWTIDE_OK)
        status = cli_fail(cli);
    close_undo(db, undo);
    return status;
}

/* ## undo and redo */

typedef int (*mover)(rowtide_undo *, const rowtide_apply_options *,
                     const char **);

static void print_moved(cli_run *cli, const char *word, const char *label,
                        int json)
{
    if (json) {
        printf("{\"%s\":", word);
        if (label)
            cli_json_string(stdout, label);
        else
            fputs("null", stdout);
        puts("}");
    } else if (label && !cli_has(cli, "quiet")) {
        printf("%s: ", word);
        cli_print_safe(stdout, *label ? label : "(no label)");
        putchar('\n');
    } else if (!label) {
        cli_say(cli, "nothing to do\n");
    }
}

static int move(cli_run *cli, mover step, const char *word)
{
    rowtide_db *db = NULL;
    rowtide_undo *undo = NULL;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    const char *label = NULL;
    int status = cli_apply_options(cli, &options);
    if (status == CLI_OK)
        status = open_undo(cli, &db, &undo);
    if (status == CLI_OK) {
        int rc = step(undo, &options, &label);
        if (rc < 0)
            status = cli_fail(cli);
        else
            print_moved(cli, word, rc == ROWTIDE_OK ? label : NULL,
                        cli_has(cli, "json"));
    }
    close_undo(db, undo);
    return status;
}

int cmd_undo_undo(cli_run *cli)
{
    return move(cli, rowtide_undo_undo, "undone");
}

int cmd_undo_redo(cli_run *cli)
{
    return move(cli, rowtide_undo_redo, "redone");
}

int cmd_undo_clear(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_undo *undo = NULL;
    int status = open_undo(cli, &db, &undo);
    if (status == CLI_OK && rowtide_undo_clear(undo) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        puts("{}");
    close_undo(db, undo);
    return status;
}
