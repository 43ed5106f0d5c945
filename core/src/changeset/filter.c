#include "changeset/callback.h"
#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "changeset/pump.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <string.h>

typedef struct table_choice {
    rowtide_table_filter_cb filter;
    void *user;
    signed char *chosen; /* by the table's index: 1, 0, or -1 not asked yet */
    size_t count;
    const rowtide__table *written; /* whose header came last */
} table_choice;

static int make_room(table_choice *choice, size_t index)
{
    if (index < choice->count)
        return ROWTIDE_OK;
    size_t count = (index + 1) * 2;
    signed char *chosen = rowtide__realloc(choice->chosen, count);
    if (!chosen)
        return ROWTIDE_ENOMEM;
    memset(chosen + choice->count, -1, count - choice->count);
    choice->chosen = chosen;
    choice->count = count;
    return ROWTIDE_OK;
}

/* Each table is asked about once. */
static int choose_table(table_choice *choice, const rowtide__table *table)
{
    if (make_room(choice, table->index) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    if (choice->chosen[table->index] < 0) {
        int answer = rowtide__call_table_filter(choice->filter, choice->user,
                                                table->name);
        if (answer < 0)
            return answer;
        choice->chosen[table->index] = (signed char)answer;
    }
    return ROWTIDE_OK;
}

static int append_chosen(const rowtide__decoder *decoder, void *state,
                         rowtide_buffer *out)
{
    table_choice *choice = state;
    const rowtide__table *table = decoder->table;
    if (decoder->item == ROWTIDE__ITEM_TABLE) {
        choice->written = NULL;
        return ROWTIDE_OK;
    }
    int rc = choose_table(choice, table);
    if (rc != ROWTIDE_OK || !choice->chosen[table->index])
        return rc;
    if (choice->written != table)
        rc = rowtide__encode_table(out, decoder->patchset, table->name,
                                   table->column_count, table->primary_key);
    choice->written = table;
    const unsigned char *from = decoder->record - 2; /* kind and indirect */
    return rc == ROWTIDE_OK ? rowtide__buffer_append(
                                  out, from, (size_t)(decoder->finish - from))
                            : rc;
}

int rowtide_changeset_filter(rowtide_changeset *changeset,
                             rowtide_table_filter_cb filter, void *user,
                             rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    table_choice choice = {filter, user, NULL, 0, NULL};
    ROWTIDE__CHECK_ARG(out, "changeset_filter");
    *out = NULL;
    ROWTIDE__CHECK_ARG(changeset, "changeset_filter");
    ROWTIDE__CHECK_ARG(filter, "changeset_filter");
    int rc = rowtide__pump_changeset(changeset, append_chosen, &choice, &bytes);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_take(&bytes, out);
    rowtide__free(choice.chosen);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_filter_stream(rowtide_source *source,
                                    rowtide_table_filter_cb filter, void *user,
                                    rowtide_sink *sink)
{
    table_choice choice = {filter, user, NULL, 0, NULL};
    ROWTIDE__CHECK_ARG(source, "changeset_filter_stream");
    ROWTIDE__CHECK_ARG(filter, "changeset_filter_stream");
    ROWTIDE__CHECK_ARG(sink, "changeset_filter_stream");
    int rc = rowtide__pump_stream(source, sink, 0, append_chosen, &choice);
    rowtide__free(choice.chosen);
    return rc;
}
