%ignore rowtide_change;
%ignore rowtide_change_counts;
%ignore rowtide_changeset_data;
%ignore rowtide_changeset_retain;
%ignore rowtide_changeset_builder_insert;
%ignore rowtide_changeset_builder_update;
%ignore rowtide_changeset_builder_delete;
%ignore rowtide_changeset_builder_change;
%ignore rowtide_changeset_builder_table;
%ignore rowtide_changeset_builder_indirect;

%apply int VALUE {
    int rowtide_changeset_is_patchset, int rowtide_changeset_table_count
};

%thread rowtide_changeset_parse;
%thread rowtide_changeset_read;
%thread rowtide_changeset_invert;
%thread rowtide_changeset_concat;
%thread rowtide_changeset_filter;
%thread rowtide_changeset_rebase;
%thread rowtide_changeset_invert_stream;
%thread rowtide_changeset_concat_stream;
%thread rowtide_changeset_filter_stream;
%thread rowtide_changeset_rebase_stream;
%thread rowtide_changeset_builder_finish;

%include <rowtide/changeset.h>

%rename(changeset_bytes) copy_changeset;
%rename(changeset_builder_add) add_change;
%rename(source_changeset) read_changeset;
%inline %{
/* The caller keeps the changeset for as long as the source. */
static int read_changeset(rowtide_changeset *changeset, rowtide_source **out)
{
    return rowtide_source_memory(rowtide_changeset_data(changeset),
                                 rowtide_changeset_size(changeset), out);
}

static void copy_changeset(const rowtide_changeset *changeset,
                           const void **bytes, size_t *size)
{
    *bytes = rowtide_changeset_data(changeset);
    *size = rowtide_changeset_size(changeset);
}

/* A row with its values counted: `data` has one byte for each column, as in
 * rowtide_change.primary_key. */
static int add_change(rowtide_changeset_builder *builder, const char *table,
                      int kind, int indirect, const void *data, size_t size,
                      const rowtide_value *old_values, size_t old_count,
                      const rowtide_value *new_values, size_t new_count)
{
    rowtide_change change = {0};
    if ((old_count && old_count != size) || (new_count && new_count != size))
        return rowtide_error_set(
            ROWTIDE_EINVAL, "a row has another number of values than columns");
    change.table = table;
    change.kind = (rowtide_change_kind)kind;
    change.indirect = indirect;
    change.column_count = (int)size;
    change.primary_key = data;
    change.old_values = old_count ? old_values : NULL;
    change.new_values = new_count ? new_values : NULL;
    change.offset = -1;
    return rowtide_changeset_builder_change(builder, &change);
}
%}
