#include "support/changesets.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rowtide_changeset *record(rowtide_db *db, const char *sql,
                                 unsigned flags)
{
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    options.flags = flags;
    assert_ok(rowtide_capture_begin(db, &options, &capture));
    scratch_exec(db, sql);
    assert_ok(rowtide_capture_end(capture, &changeset));
    rowtide_capture_free(capture);
    return changeset;
}

rowtide_changeset *changesets_record(rowtide_db *db, const char *sql)
{
    return record(db, sql, 0);
}

rowtide_changeset *changesets_record_patchset(rowtide_db *db, const char *sql)
{
    return record(db, sql, ROWTIDE_CAPTURE_PATCHSET);
}

rowtide_changeset *changesets_of(const char *schema, const char *sql)
{
    rowtide_db *db = scratch_db(schema);
    rowtide_changeset *changeset = changesets_record(db, sql);
    rowtide_db_free(db);
    return changeset;
}

static void print_value(FILE *file, const rowtide_value *value)
{
    switch (value->type) {
    case ROWTIDE_INTEGER:
        fprintf(file, "%lld", (long long)value->integer);
        break;
    case ROWTIDE_REAL:
        fprintf(file, "%.17g", value->real);
        break;
    case ROWTIDE_TEXT:
        fprintf(file, "'%.*s'", (int)value->size, (const char *)value->data);
        break;
    case ROWTIDE_BLOB:
        fprintf(file, "blob(%zu)", value->size);
        break;
    case ROWTIDE_NULL:
        fputs("NULL", file);
        break;
    case ROWTIDE_UNDEFINED:
        fputs("-", file);
        break;
    }
}

static void print_values(FILE *file, const rowtide_value *values, int count)
{
    for (int i = 0; i < count; i++) {
        fputc(i ? '|' : ' ', file);
        print_value(file, &values[i]);
    }
}

static void print_change(FILE *file, const rowtide_change *change)
{
    fprintf(file, "%s %s%s", rowtide_change_kind_name((int)change->kind),
            change->table, change->indirect ? " indirect" : "");
    if (change->old_values)
        print_values(file, change->old_values, change->column_count);
    if (change->old_values && change->new_values)
        fputs(" ->", file);
    if (change->new_values)
        print_values(file, change->new_values, change->column_count);
    fputc(';', file);
}

char *changesets_text(rowtide_changeset *changeset)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    rowtide_changeset_iter *iter;
    const rowtide_change *change;
    int rc;
    assert_non_null(file);
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        print_change(file, change);
    assert_int_equal(rc, ROWTIDE_DONE);
    rowtide_changeset_iter_free(iter);
    fclose(file);
    return text;
}
