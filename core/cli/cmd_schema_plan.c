#include "schema.h"

#include <stdlib.h>
#include <string.h>

/* ## Making a plan */

typedef struct planned {
    rowtide_db *db;
    rowtide_schema *to;
    rowtide_plan *plan;
    rowtide_preflight *preflight;
} planned;

static void dispose(planned *it)
{
    rowtide_preflight_free(it->preflight);
    rowtide_plan_free(it->plan);
    rowtide_schema_free(it->to);
    rowtide_db_free(it->db);
}

static int make_plan(cli_run *cli, int read_only, planned *it)
{
    const char *renames[CLI_MAX_GIVEN + 1];
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    cli_renames(cli, renames);
    options.renames = renames;
    int status = cli_undeclared(cli, &options.undeclared);
    if (status == CLI_OK)
        status = cli_allow(cli, &options.allow);
    if (status == CLI_OK)
        status = cli_read_schema(cli, cli->arguments[1], &it->to);
    if (status == CLI_OK)
        status = cli_open_db(cli, cli->arguments[0], read_only, &it->db);
    if (status == CLI_OK
        && rowtide_schema_plan(it->db, it->to, &options, &it->plan)
               != ROWTIDE_OK)
        status = cli_fail(cli);
    return status;
}

static int look_ahead(cli_run *cli, planned *it)
{
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    cli_progress progress;
    cli_progress_start(cli, &progress);
    options.progress = cli_progress_draw;
    options.progress_user = &progress;
    int rc = rowtide_plan_preflight(it->db, it->plan, &options, &it->preflight);
    cli_progress_end(&progress);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* ## Showing it */

static void print_bytes(FILE *out, int64_t bytes)
{
    static const char *const UNITS[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1000 && unit < 4; unit++)
        size /= 1000;
    fprintf(out, unit && size < 10 ? "%.1f %s" : "%.0f %s", size, UNITS[unit]);
}

static const char *method_word(rowtide_plan_method method)
{
    static const char *const WORDS[] = {"create", "drop",  "rename",
                                        "add",    "alter", "rebuild"};
    return WORDS[method];
}

static void print_step(cli_run *cli, cli_page *page, size_t number,
                       const rowtide_plan_step *step)
{
    fprintf(page->out, "%3zu. ", number);
    cli_styled(page, CLI_BOLD, method_word(step->method));
    fprintf(page->out, " %s ", cli_object_word(step->object));
    cli_print_place(page, step->object, step->table, step->name);
    fputs("  ", page->out);
    cli_styled(page, cli_effect_style(step->effect),
               cli_effect_word(step->effect));
    if (step->rows > 0)
        fprintf(page->out, "  %lld row%s", (long long)step->rows,
                step->rows == 1 ? "" : "s");
    if (step->bytes > 0) {
        fputs(", needs about ", page->out);
        print_bytes(page->out, step->bytes);
    }
    fputc('\n', page->out);
    if (step->reason) {
        fputs("     ", page->out);
        cli_styled(page, CLI_FAINT, step->reason);
        fputc('\n', page->out);
    }
    if (step->refused) {
        fputs("     ", page->out);
        cli_styled(page, CLI_RED, "refused: ");
        cli_print_safe(page->out, step->refused);
        fputc('\n', page->out);
    }
    for (size_t i = 0; cli_has(cli, "sql") && step->statements[i]; i++)
        fprintf(page->out, "%s;\n", step->statements[i]);
}

/* The note says where and how many. */
static void print_finding(cli_page *page, const rowtide_finding *finding)
{
    fputs("  ", page->out);
    cli_styled(page, finding->fatal ? CLI_RED : CLI_YELLOW, "! ");
    cli_print_safe(page->out, finding->note ? finding->note : finding->table);
    for (size_t i = 0; finding->samples && finding->samples[i]; i++) {
        fputs(i > 0 ? "; " : ", such as ", page->out);
        cli_print_sql(page->out, finding->samples[i], 60);
    }
    fputc('\n', page->out);
}

static size_t count_refused(const rowtide_plan_steps *steps)
{
    size_t refused = 0;
    for (size_t i = 0; steps->steps[i]; i++)
        refused += steps->steps[i]->refused != NULL;
    return refused;
}

static void print_plan(cli_run *cli, cli_page *page, const planned *it)
{
    const rowtide_plan_steps *steps = rowtide_plan_steps_of(it->plan);
    const rowtide_findings *found = rowtide_preflight_findings(it->preflight);
    size_t count = 0, refused = count_refused(steps);
    for (; steps->steps[count]; count++)
        print_step(cli, page, count + 1, steps->steps[count]);
    if (found->findings[0])
        fputs("\nrows in the way:\n", page->out);
    for (size_t i = 0; found->findings[i]; i++)
        print_finding(page, found->findings[i]);
    if (cli_has(cli, "quiet"))
        return;
    if (count == 0) {
        fputs("nothing to do\n", page->out);
        return;
    }
    fprintf(page->out, "\n%zu step%s", count, count == 1 ? "" : "s");
    if (refused)
        fprintf(page->out, ", %zu refused", refused);
    fputc('\n', page->out);
}

/* Two objects as one: {"steps": [...], "findings": [...]}. */
static int print_plan_json(cli_run *cli, cli_page *page, const planned *it)
{
    rowtide_buffer plan = ROWTIDE_BUFFER_INIT, found = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_shape_json(rowtide_plan_shape(),
                                rowtide_plan_steps_of(it->plan), &plan);
    if (rc == ROWTIDE_OK)
        rc = rowtide_shape_json(rowtide_preflight_shape(),
                                rowtide_preflight_findings(it->preflight),
                                &found);
    if (rc == ROWTIDE_OK)
        fprintf(page->out, "%.*s, %s\n", (int)plan.size - 1, plan.data,
                found.data + 1);
    rowtide_buffer_dispose(&plan);
    rowtide_buffer_dispose(&found);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

int cmd_schema_plan(cli_run *cli)
{
    planned it = {0};
    cli_page page = {0};
    int status = make_plan(cli, 1, &it);
    if (status == CLI_OK)
        status = look_ahead(cli, &it);
    if (status == CLI_OK)
        status = cli_page_begin(cli, &page);
    if (status == CLI_OK && cli_has(cli, "json"))
        status = print_plan_json(cli, &page, &it);
    else if (status == CLI_OK)
        print_plan(cli, &page, &it);
    status = cli_page_end(cli, &page, status);
    if (cli_has(cli, "exit-code"))
        status = status != CLI_OK
                     ? CLI_USAGE
                     : rowtide_plan_steps_of(it.plan)->steps[0] != NULL;
    dispose(&it);
    return status;
}

/* ## apply */

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int is_same_thing(const rowtide_schema_action *a,
                         const rowtide_schema_action *b)
{
    return b && a->done && b->done && a->object == b->object
           && same_text(a->table, b->table) && same_text(a->name, b->name);
}

static void print_sql_of(cli_page *page, const rowtide_schema_action *action,
                         size_t statements)
{
    if (page->color)
        fputs("\x1b[2m", page->out);
    if (statements > 1)
        fprintf(page->out, "%zu statements", statements);
    else
        cli_print_sql(page->out, action->sql, 70);
    if (page->color)
        fputs("\x1b[0m", page->out);
}

/* What was done to one thing in a row is one line: a rebuild, for example.
 * Returns how many actions that are. */
static size_t print_actions(cli_page *page,
                            const rowtide_schema_action *const *actions)
{
    const rowtide_schema_action *first = actions[0];
    size_t count = 1;
    int64_t rows = first->rows;
    for (; is_same_thing(first, actions[count]); count++)
        rows += actions[count]->rows;
    cli_styled(page, first->done ? CLI_GREEN : CLI_RED,
               first->done ? "done     " : "refused  ");
    fprintf(page->out, "%s ", cli_object_word(first->object));
    cli_print_place(page, first->object, first->table, first->name);
    if (rows > 0)
        fprintf(page->out, "  %lld row%s", (long long)rows,
                rows == 1 ? "" : "s");
    fputs("  ", page->out);
    if (first->reason)
        cli_print_safe(page->out, first->reason);
    else if (first->sql)
        print_sql_of(page, first, count);
    fputc('\n', page->out);
    return count;
}

static int print_report(cli_run *cli, const rowtide_schema_report *report)
{
    const rowtide_schema_actions *actions = rowtide_schema_report_actions(
        report);
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    cli_page page = {0};
    int status = cli_page_begin(cli, &page);
    if (status != CLI_OK)
        return status;
    if (cli_has(cli, "json")) {
        int rc = rowtide_shape_json(rowtide_schema_report_shape(), actions,
                                    &json);
        status = rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
        if (status == CLI_OK)
            fprintf(page.out, "%s\n", json.data);
    } else if (!cli_has(cli, "quiet")) {
        for (size_t i = 0; actions->actions[i];)
            i += print_actions(&page, actions->actions + i);
        if (!actions->actions[0])
            fputs("nothing to do\n", page.out);
        if (cli_has(cli, "dry-run"))
            fputs("nothing was written: this was a dry run\n", page.out);
    }
    rowtide_buffer_dispose(&json);
    return cli_page_end(cli, &page, status);
}

static int run_plan(cli_run *cli, planned *it, rowtide_schema_report **report)
{
    rowtide_plan_run_options options = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    cli_progress progress;
    cli_progress_start(cli, &progress);
    options.progress = cli_progress_draw;
    options.progress_user = &progress;
    int rc = rowtide_plan_apply(it->db, it->plan, &options, report);
    cli_progress_end(&progress);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* Foreign keys are off then, as a rebuild in a transaction of ours needs it;
 * nothing stays of it. */
static int try_plan(cli_run *cli, planned *it, rowtide_schema_report **report)
{
    if (rowtide_db_exec(it->db, "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE")
        != ROWTIDE_OK)
        return cli_fail(cli);
    int status = run_plan(cli, it, report);
    if (rowtide_db_exec(it->db, "ROLLBACK") != ROWTIDE_OK && status == CLI_OK)
        status = cli_fail(cli);
    return status;
}

int cmd_schema_apply(cli_run *cli)
{
    planned it = {0};
    rowtide_schema_report *report = NULL;
    int dry_run = cli_has(cli, "dry-run");
    int status = make_plan(cli, 0, &it);
    if (status == CLI_OK)
        status = dry_run ? try_plan(cli, &it, &report)
                         : run_plan(cli, &it, &report);
    if (status == CLI_OK)
        status = print_report(cli, report);
    size_t refused = it.plan ? count_refused(rowtide_plan_steps_of(it.plan))
                             : 0;
    if (status == CLI_OK && refused)
        status = cli_fail_with(cli, ROWTIDE_EMISUSE,
                               "%zu step%s refused: see --allow", refused,
                               refused == 1 ? " was" : "s were");
    rowtide_schema_report_free(report);
    dispose(&it);
    return status;
}
