#include "changeset/diff.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/stream.h"
#include "changeset/callback.h"
#include "changeset/codec.h"
#include "db/sql.h"

#include <string.h>

static int check_options(const rowtide_diff_options *options)
{
    if (options->size < offsetof(rowtide_diff_options, progress_user)
                            + sizeof options->progress_user)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "diff: options were not initialised with "
                             "ROWTIDE_DIFF_OPTIONS_INIT");
    if (options->flags & ~ROWTIDE_CAPTURE_PATCHSET)
        return rowtide__fail(ROWTIDE_EINVAL, "diff: unknown flags 0x%x",
                             options->flags & ~ROWTIDE_CAPTURE_PATCHSET);
    for (size_t i = 0; options->tables && i < options->table_count; i++)
        if (!options->tables[i])
            return rowtide__fail(ROWTIDE_EINVAL,
                                 "diff: the name of table %zu is missing", i);
    return ROWTIDE_OK;
}

static int report_progress(rowtide__diff *diff)
{
    rowtide_progress progress = {"diff", diff->changes, -1, diff->table};
    if (rowtide__clock_ms() < diff->next_progress)
        return ROWTIDE_OK;
    diff->next_progress = rowtide__next_progress();
    return rowtide__call_progress(diff->options.progress,
                                  diff->options.progress_user, &progress);
}

static int hand_over(rowtide__diff *diff)
{
    int rc = rowtide__sink_write(diff->sink, diff->out->data, diff->out->size);
    rowtide__buffer_clear(diff->out);
    return rc;
}

int rowtide__diff_pause(rowtide__diff *diff)
{
    int rc = ROWTIDE_OK;
    if (diff->sink && diff->out->size >= ROWTIDE__CHUNK)
        rc = hand_over(diff);
    if (rc == ROWTIDE_OK && rowtide__db_interrupted(diff->db))
        rc = rowtide__fail(ROWTIDE_ECANCELLED, "diff: interrupted");
    if (rc == ROWTIDE_OK && diff->options.progress && diff->changes % 64 == 0)
        rc = report_progress(diff);
    return rc;
}

static const rowtide__column *ordinary_at(const rowtide__table_info *info,
                                          int place)
{
    const rowtide__column *column = info->columns;
    for (;; column++)
        if (!column->generated && place-- == 0)
            return column;
}

static int check_columns(const rowtide__diff *diff,
                         const rowtide__table_info *from,
                         const rowtide__table_info *to)
{
    if (from->ordinary_count != to->ordinary_count)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "diff: table \"%s\" has %d columns in %s, %d in "
                             "%s",
                             from->name, from->ordinary_count, diff->from,
                             to->ordinary_count, diff->to);
    for (int i = 0; i < from->ordinary_count; i++) {
        const rowtide__column *a = ordinary_at(from, i);
        const rowtide__column *b = ordinary_at(to, i);
        if (sqlite3_stricmp(a->name, b->name) != 0)
            return rowtide__fail(ROWTIDE_ESCHEMA,
                                 "diff: table \"%s\": column %d is \"%s\" in "
                                 "%s, \"%s\" in %s",
                                 from->name, i + 1, a->name, diff->from,
                                 b->name, diff->to);
        if (a->primary_key != b->primary_key)
            return rowtide__fail(ROWTIDE_ESCHEMA,
                                 "diff: table \"%s\" has another primary key "
                                 "in %s than in %s",
                                 from->name, diff->from, diff->to);
    }
    return ROWTIDE_OK;
}

static const char *describe_fault(const rowtide__table_info *info)
{
    const char *fault = rowtide__table_kind_fault(info->kind);
    if (!fault && !info->name[0])
        fault = "has no name";
    return fault || info->key_count ? fault : "has no primary key";
}

static int check_alike(const rowtide__diff *diff, const char *name,
                       const rowtide__table_info *from,
                       const rowtide__table_info *to)
{
    const char *here = describe_fault(from), *there = describe_fault(to);
    if (here || there)
        return rowtide__fail(ROWTIDE_ESCHEMA, "diff: table \"%s\" %s in %s",
                             name, here ? here : there,
                             here ? diff->from : diff->to);
    return check_columns(diff, from, to);
}

static int has_no_key(const rowtide__table_info *info)
{
    return info->kind == ROWTIDE__TABLE_MISSING
           || info->kind == ROWTIDE__TABLE_SHADOW || info->key_count == 0;
}

/* 1 to compare the table, 0 to leave it out. */
static int choose_table(rowtide__diff *diff, const char *name,
                        const rowtide__table_info *from,
                        const rowtide__table_info *to)
{
    if (!diff->options.tables && has_no_key(from) && has_no_key(to))
        return 0;
    return rowtide__call_table_filter(diff->options.filter,
                                      diff->options.filter_user, name);
}

static int compare_table(rowtide__diff *diff, const char *name)
{
    rowtide__table_info from, to;
    memset(&from, 0, sizeof from);
    memset(&to, 0, sizeof to);
    int rc = rowtide__table_info_read(diff->db, diff->from, name, &from);
    if (rc == ROWTIDE_OK)
        rc = rowtide__table_info_read(diff->db, diff->to, name, &to);
    int chosen = rc == ROWTIDE_OK ? choose_table(diff, name, &from, &to) : rc;
    if (chosen < 0)
        rc = chosen;
    if (rc == ROWTIDE_OK && chosen)
        rc = check_alike(diff, name, &from, &to);
    diff->table = name;
    if (rc == ROWTIDE_OK && chosen)
        rc = rowtide__diff_table(diff, &from, &to);
    if (rc == ROWTIDE_OK && diff->options.progress)
        rc = report_progress(diff);
    rowtide__table_info_dispose(&from);
    rowtide__table_info_dispose(&to);
    return rc;
}

/* The library's own logs are about one database, not part of its content. */
static int is_own(const char *name)
{
    return sqlite3_strnicmp(name, "rowtide_", 8) == 0;
}

static int has_name(char **names, const char *name)
{
    for (; *names; names++)
        if (sqlite3_stricmp(*names, name) == 0)
            return 1;
    return 0;
}

static int compare_all(rowtide__diff *diff)
{
    char **from = NULL, **to = NULL;
    int count = 0;
    int rc = rowtide__table_names(diff->db, diff->from, &from, &count);
    if (rc == ROWTIDE_OK)
        rc = rowtide__table_names(diff->db, diff->to, &to, &count);
    for (char **name = from; rc == ROWTIDE_OK && *name; name++)
        if (!is_own(*name))
            rc = compare_table(diff, *name);
    for (char **name = to; rc == ROWTIDE_OK && *name; name++)
        if (!is_own(*name) && !has_name(from, *name))
            rc = compare_table(diff, *name);
    rowtide__table_names_free(from);
    rowtide__table_names_free(to);
    return rc;
}

static int compare_tables(rowtide__diff *diff)
{
    int rc = ROWTIDE_OK;
    if (!diff->options.tables)
        return compare_all(diff);
    for (size_t i = 0; rc == ROWTIDE_OK && i < diff->options.table_count; i++)
        rc = compare_table(diff, diff->options.tables[i]);
    return rc;
}

/* One state of both, however many queries it takes. */
static int compare_in_snapshot(rowtide__diff *diff)
{
    unsigned long number = rowtide__db_next_number(diff->db);
    int rc = rowtide__sql_exec(diff->db, "SAVEPOINT rowtide_diff_%d",
                               (int)number);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = compare_tables(diff);
    rowtide__error_state error;
    rowtide__error_save(&error);
    int end = rowtide__sql_exec(diff->db, "RELEASE rowtide_diff_%d",
                                (int)number);
    if (rc == ROWTIDE_OK)
        return end;
    rowtide__error_restore(&error);
    return rc;
}

static int run(rowtide__diff *diff, const rowtide_diff_options *options)
{
    if (options)
        diff->options = *options;
    int rc = check_options(&diff->options);
    if (rc != ROWTIDE_OK)
        return rc;
    diff->patchset = (diff->options.flags & ROWTIDE_CAPTURE_PATCHSET) != 0;
    rc = rowtide__db_enter(diff->db, "changeset_diff");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_stmt *pin;
    rc = rowtide__db_pin(diff->db, &pin);
    if (rc == ROWTIDE_OK)
        rc = compare_in_snapshot(diff);
    if (rc == ROWTIDE_OK && diff->sink)
        rc = hand_over(diff);
    sqlite3_finalize(pin);
    rowtide__db_leave(diff->db);
    return rc == ROWTIDE_OK && diff->sink ? rowtide__sink_flush(diff->sink)
                                          : rc;
}

int rowtide_changeset_diff(rowtide_db *db, const char *from_schema,
                           const char *to_schema,
                           const rowtide_diff_options *options,
                           rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "changeset_diff");
    *out = NULL;
    ROWTIDE__CHECK_ARG(from_schema != NULL, "changeset_diff");
    ROWTIDE__CHECK_ARG(to_schema != NULL, "changeset_diff");
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    rowtide__diff diff = {.db = db,
                          .from = from_schema,
                          .to = to_schema,
                          .options = ROWTIDE_DIFF_OPTIONS_INIT,
                          .out = &bytes};
    int rc = run(&diff, options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_take(&bytes, out);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_diff_stream(rowtide_db *db, const char *from_schema,
                                  const char *to_schema,
                                  const rowtide_diff_options *options,
                                  rowtide_sink *sink)
{
    ROWTIDE__CHECK_ARG(sink != NULL, "changeset_diff_stream");
    ROWTIDE__CHECK_ARG(from_schema != NULL, "changeset_diff_stream");
    ROWTIDE__CHECK_ARG(to_schema != NULL, "changeset_diff_stream");
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    rowtide__diff diff = {.db = db,
                          .from = from_schema,
                          .to = to_schema,
                          .options = ROWTIDE_DIFF_OPTIONS_INIT,
                          .out = &bytes,
                          .sink = sink};
    int rc = run(&diff, options);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_diff_files(const char *from_path, const char *to_path,
                                 const rowtide_diff_options *options,
                                 rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "changeset_diff_files");
    *out = NULL;
    ROWTIDE__CHECK_ARG(from_path != NULL, "changeset_diff_files");
    ROWTIDE__CHECK_ARG(to_path != NULL, "changeset_diff_files");
    rowtide_open_options open = ROWTIDE_OPEN_OPTIONS_INIT;
    open.read_only = open.must_exist = 1;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(from_path, &open, &db);
    /* What is attached is read-only and must exist like the first one. */
    if (rc == ROWTIDE_OK) {
        rc = rowtide__sql_exec(db, "ATTACH %Q AS \"to\"", to_path);
        if (rc != ROWTIDE_OK)
            rowtide__fail_context("%s", to_path);
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_diff(db, "main", "to", options, out);
    rowtide_db_free(db);
    return rc;
}
