#include "changeset/rows.h"
#include "changeset/bytes.h"
#include "changeset/codec.h"
#include "base/alloc.h"
#include "base/buffer.h"

struct rowtide_changeset_builder {
    int patchset;
    int indirect;
    rowtide__table *table; /* that rows are added to, or NULL */
    rowtide__rows rows;
    rowtide_buffer record; /* of the change being added */
};

int rowtide_changeset_builder_new(int patchset, rowtide_changeset_builder **out)
{
    ROWTIDE__CHECK_ARG(out, "changeset_builder_new");
    *out = NULL;
    rowtide_changeset_builder *builder = rowtide__alloc_zero(sizeof *builder);
    if (!builder)
        return ROWTIDE_ENOMEM;
    builder->patchset = patchset != 0;
    builder->rows = (rowtide__rows)ROWTIDE__ROWS_INIT;
    builder->rows.patchset = builder->patchset;
    *out = builder;
    return ROWTIDE_OK;
}

static int has_key(const unsigned char *primary_key, int column_count)
{
    for (int i = 0; i < column_count; i++)
        if (primary_key[i])
            return 1;
    return 0;
}

int rowtide_changeset_builder_table(rowtide_changeset_builder *builder,
                                    const char *table, int column_count,
                                    const unsigned char *primary_key)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_table");
    ROWTIDE__CHECK_ARG(table && *table, "changeset_builder_table");
    ROWTIDE__CHECK_ARG(column_count >= 1
                           && column_count <= ROWTIDE__COLUMNS_MAX,
                       "changeset_builder_table");
    ROWTIDE__CHECK_ARG(primary_key, "changeset_builder_table");
    if (!has_key(primary_key, column_count))
        return rowtide__fail(ROWTIDE_EINVAL,
                             "builder: table \"%s\" has no primary key", table);
    rowtide__table shape = {.name = table,
                            .name_size = strlen(table),
                            .column_count = column_count,
                            .primary_key = primary_key};
    if (shape.name_size >= ROWTIDE__NAME_MAX)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "builder: a table name has %zu bytes",
                             shape.name_size);
    rowtide__table *entered = NULL;
    int rc = rowtide__rows_table(&builder->rows, &shape, &entered);
    if (rc == ROWTIDE__TABLE_DIFFERS)
        return rowtide__fail(
            ROWTIDE_EINVAL,
            "builder: table \"%s\" comes again with other columns or key",
            table);
    if (rc == ROWTIDE_OK)
        builder->table = entered;
    return rc;
}

int rowtide_changeset_builder_indirect(rowtide_changeset_builder *builder,
                                       int indirect)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_indirect");
    builder->indirect = indirect != 0;
    return ROWTIDE_OK;
}

static int check_table(const rowtide_changeset_builder *builder,
                       const char *function)
{
    if (builder->table)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_EMISUSE, "%s: no table was named yet",
                         function);
}

static int fail_column(const rowtide_changeset_builder *builder, int column,
                       const char *problem)
{
    return rowtide__fail(ROWTIDE_EINVAL, "builder: table \"%s\": column %d %s",
                         builder->table->name, column + 1, problem);
}

static int is_null(const rowtide_value *value)
{
    return value->type == ROWTIDE_NULL
           || (value->type == ROWTIDE_REAL && value->real != value->real);
}

static int has_bytes(const rowtide_value *value)
{
    return value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB;
}

static int check_value(const rowtide_changeset_builder *builder,
                       const rowtide_value *values, int column)
{
    const rowtide_value *value = &values[column];
    if ((int)value->type < ROWTIDE_UNDEFINED || (int)value->type > ROWTIDE_NULL)
        return fail_column(builder, column, "has no such type of value");
    if (has_bytes(value) && value->size && !value->data)
        return fail_column(builder, column, "has a size but no bytes");
    return ROWTIDE_OK;
}

static int check_key(const rowtide_changeset_builder *builder,
                     const rowtide_value *values)
{
    const rowtide__table *table = builder->table;
    for (int i = 0; i < table->key_count; i++) {
        int column = table->key_columns[i];
        int rc = check_value(builder, values, column);
        if (rc != ROWTIDE_OK)
            return rc;
        if (values[column].type == ROWTIDE_UNDEFINED
            || is_null(&values[column]))
            return fail_column(builder, column,
                               "is in the primary key and has no value");
    }
    return ROWTIDE_OK;
}

static int check_row(const rowtide_changeset_builder *builder,
                     const rowtide_value *values)
{
    int rc = check_key(builder, values);
    for (int i = 0; i < builder->table->column_count && rc == ROWTIDE_OK; i++) {
        rc = check_value(builder, values, i);
        if (rc == ROWTIDE_OK && values[i].type == ROWTIDE_UNDEFINED)
            rc = fail_column(builder, i, "is undefined");
    }
    return rc;
}

/* Encode the records and merge them with what the row had before. */
static int add_change(rowtide_changeset_builder *builder,
                      const rowtide_change *change)
{
    const rowtide__table *table = builder->table;
    rowtide__buffer_clear(&builder->record);
    int rc = rowtide__encode_change(&builder->record, builder->patchset,
                                    change);
    if (rc != ROWTIDE_OK)
        return rc;
    const unsigned char *start = (const unsigned char *)builder->record.data;
    rowtide__piece piece = {(int)change->kind, change->indirect, start + 2,
                            start + builder->record.size,
                            start + builder->record.size};
    if (change->kind == ROWTIDE_CHANGE_UPDATE && !builder->patchset)
        piece.second = rowtide__skip_values(piece.record, table->column_count);
    return rowtide__rows_merge(&builder->rows, table, &piece);
}

static rowtide_change start_change(const rowtide_changeset_builder *builder,
                                   rowtide_change_kind kind)
{
    return (rowtide_change){.table = builder->table->name,
                            .kind = kind,
                            .indirect = builder->indirect,
                            .column_count = builder->table->column_count,
                            .primary_key = builder->table->primary_key};
}

int rowtide_changeset_builder_insert(rowtide_changeset_builder *builder,
                                     const rowtide_value *new_values)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_insert");
    ROWTIDE__CHECK_ARG(new_values, "changeset_builder_insert");
    int rc = check_table(builder, "changeset_builder_insert");
    if (rc == ROWTIDE_OK)
        rc = check_row(builder, new_values);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_change change = start_change(builder, ROWTIDE_CHANGE_INSERT);
    change.new_values = new_values;
    return add_change(builder, &change);
}

int rowtide_changeset_builder_delete(rowtide_changeset_builder *builder,
                                     const rowtide_value *old_values)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_delete");
    ROWTIDE__CHECK_ARG(old_values, "changeset_builder_delete");
    int rc = check_table(builder, "changeset_builder_delete");
    if (rc == ROWTIDE_OK)
        rc = builder->patchset ? check_key(builder, old_values)
                               : check_row(builder, old_values);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_change change = start_change(builder, ROWTIDE_CHANGE_DELETE);
    change.old_values = old_values;
    return add_change(builder, &change);
}

typedef struct update_rows {
    rowtide_value *old_values, *new_values; /* as they go into the record */
    int changed;
} update_rows;

/* Equal by bytes, as SQLite compares them: 0.0 and -0.0 differ here. */
static int same_value(const rowtide_value *a, const rowtide_value *b)
{
    return rowtide_value_equal(a, b)
           && (a->type != ROWTIDE_REAL
               || memcmp(&a->real, &b->real, sizeof a->real) == 0);
}

static int place_key_column(const rowtide_changeset_builder *builder,
                            const rowtide_value *old_value,
                            const rowtide_value *new_value, int column,
                            update_rows *rows)
{
    if (new_value->type != ROWTIDE_UNDEFINED
        && !same_value(old_value, new_value))
        return fail_column(
            builder, column,
            "is in the primary key, which an UPDATE cannot change");
    rows->old_values[column] = *old_value;
    rows->new_values[column].type = ROWTIDE_UNDEFINED;
    return ROWTIDE_OK;
}

static int place_column(const rowtide_changeset_builder *builder,
                        const rowtide_value *old_value,
                        const rowtide_value *new_value, int column,
                        update_rows *rows)
{
    int has_old = old_value->type != ROWTIDE_UNDEFINED;
    int has_new = new_value->type != ROWTIDE_UNDEFINED;
    rows->old_values[column].type = ROWTIDE_UNDEFINED;
    rows->new_values[column].type = ROWTIDE_UNDEFINED;
    if (!builder->patchset && has_old != has_new)
        return fail_column(builder, column,
                           "has only one of an old and a new value");
    if (!has_new || (has_old && same_value(old_value, new_value)))
        return ROWTIDE_OK;
    rows->old_values[column] = *old_value;
    rows->new_values[column] = *new_value;
    rows->changed = 1;
    return ROWTIDE_OK;
}

static int place_update(const rowtide_changeset_builder *builder,
                        const rowtide_value *old_values,
                        const rowtide_value *new_values, update_rows *rows)
{
    const rowtide__table *table = builder->table;
    int rc = check_key(builder, old_values);
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK; i++) {
        rc = check_value(builder, old_values, i);
        if (rc == ROWTIDE_OK)
            rc = check_value(builder, new_values, i);
        if (rc != ROWTIDE_OK)
            break;
        rc = table->primary_key[i] ? place_key_column(builder, &old_values[i],
                                                      &new_values[i], i, rows)
                                   : place_column(builder, &old_values[i],
                                                  &new_values[i], i, rows);
    }
    return rc;
}

/* An UPDATE that changes nothing is left out. */
int rowtide_changeset_builder_update(rowtide_changeset_builder *builder,
                                     const rowtide_value *old_values,
                                     const rowtide_value *new_values)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_update");
    ROWTIDE__CHECK_ARG(old_values, "changeset_builder_update");
    ROWTIDE__CHECK_ARG(new_values, "changeset_builder_update");
    int rc = check_table(builder, "changeset_builder_update");
    if (rc != ROWTIDE_OK)
        return rc;
    size_t count = (size_t)builder->table->column_count;
    rowtide_value *values = rowtide__alloc_array(count * 2, sizeof *values);
    if (!values)
        return ROWTIDE_ENOMEM;
    update_rows rows = {values, values + count, 0};
    rc = place_update(builder, old_values, new_values, &rows);
    if (rc == ROWTIDE_OK && rows.changed) {
        rowtide_change change = start_change(builder, ROWTIDE_CHANGE_UPDATE);
        change.old_values = rows.old_values;
        change.new_values = rows.new_values;
        rc = add_change(builder, &change);
    }
    rowtide__free(values);
    return rc;
}

static int add_by_kind(rowtide_changeset_builder *builder,
                       const rowtide_change *change)
{
    switch (change->kind) {
    case ROWTIDE_CHANGE_INSERT:
        return rowtide_changeset_builder_insert(builder, change->new_values);
    case ROWTIDE_CHANGE_UPDATE:
        return rowtide_changeset_builder_update(builder, change->old_values,
                                                change->new_values);
    case ROWTIDE_CHANGE_DELETE:
        return rowtide_changeset_builder_delete(builder, change->old_values);
    default:
        return rowtide__fail(ROWTIDE_EINVAL,
                             "changeset_builder_change: %d is no kind",
                             (int)change->kind);
    }
}

int rowtide_changeset_builder_change(rowtide_changeset_builder *builder,
                                     const rowtide_change *change)
{
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_change");
    ROWTIDE__CHECK_ARG(change, "changeset_builder_change");
    rowtide__table *table = builder->table;
    int indirect = builder->indirect;
    int rc = rowtide_changeset_builder_table(
        builder, change->table, change->column_count, change->primary_key);
    if (rc == ROWTIDE_OK) {
        builder->indirect = change->indirect != 0;
        rc = add_by_kind(builder, change);
    }
    builder->table = table;
    builder->indirect = indirect;
    return rc;
}

int rowtide_changeset_builder_finish(rowtide_changeset_builder *builder,
                                     rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out, "changeset_builder_finish");
    *out = NULL;
    ROWTIDE__CHECK_ARG(builder, "changeset_builder_finish");
    int rc = rowtide__rows_finish(&builder->rows, out);
    if (rc != ROWTIDE_OK)
        return rc;
    builder->rows.patchset = builder->patchset;
    builder->table = NULL;
    builder->indirect = 0;
    return ROWTIDE_OK;
}

void rowtide_changeset_builder_free(rowtide_changeset_builder *builder)
{
    if (!builder)
        return;
    rowtide__rows_dispose(&builder->rows);
    rowtide_buffer_dispose(&builder->record);
    rowtide__free(builder);
}
