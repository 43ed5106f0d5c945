#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "changeset/decode.h"
#include "base/alloc.h"

struct rowtide_changeset_iter {
    rowtide_changeset *changeset; /* NULL for a stream */
    atomic_flag in_use;           /* of a stream: its callback may come back */
    int table_started;
    rowtide__decoder decoder;
};

static int check_flags(unsigned flags)
{
    if (flags & ~ROWTIDE_ITER_INVERT)
        return rowtide__fail(ROWTIDE_EINVAL, "changeset_iter: unknown flags %u",
                             flags & ~ROWTIDE_ITER_INVERT);
    return ROWTIDE_OK;
}

static unsigned decoder_flags(unsigned flags)
{
    return flags & ROWTIDE_ITER_INVERT ? ROWTIDE__DECODE_INVERT : 0;
}

int rowtide_changeset_iter_new(rowtide_changeset *changeset, unsigned flags,
                               rowtide_changeset_iter **out)
{
    ROWTIDE__CHECK_ARG(out, "changeset_iter_new");
    *out = NULL;
    ROWTIDE__CHECK_ARG(changeset, "changeset_iter_new");
    int rc = check_flags(flags);
    if (rc != ROWTIDE_OK)
        return rc;
    if ((flags & ROWTIDE_ITER_INVERT) && changeset->patchset)
        return rowtide__fail(ROWTIDE_EINVAL, "a patchset cannot be inverted");
    rowtide_changeset_iter *iter = rowtide__alloc_zero(sizeof *iter);
    if (!iter)
        return ROWTIDE_ENOMEM;
    iter->changeset = rowtide_changeset_retain(changeset);
    rowtide__decoder_open(&iter->decoder, changeset->bytes.data,
                          changeset->bytes.size, &changeset->tables,
                          decoder_flags(flags) | ROWTIDE__DECODE_TRUSTED);
    *out = iter;
    return ROWTIDE_OK;
}

int rowtide_changeset_iter_stream(rowtide_source *source, unsigned flags,
                                  rowtide_changeset_iter **out)
{
    ROWTIDE__CHECK_ARG(out, "changeset_iter_stream");
    *out = NULL;
    ROWTIDE__CHECK_ARG(source, "changeset_iter_stream");
    int rc = check_flags(flags);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_changeset_iter *iter = rowtide__alloc_zero(sizeof *iter);
    if (!iter)
        return ROWTIDE_ENOMEM;
    atomic_flag_clear(&iter->in_use);
    rowtide__decoder_open_source(&iter->decoder, source, decoder_flags(flags));
    *out = iter;
    return ROWTIDE_OK;
}

static int step_to_change(rowtide_changeset_iter *iter)
{
    rowtide__decoder *decoder = &iter->decoder;
    int rc;
    iter->table_started = 0;
    while ((rc = rowtide__decoder_step(decoder)) == ROWTIDE_OK) {
        if (decoder->item == ROWTIDE__ITEM_CHANGE)
            return ROWTIDE_OK;
        iter->table_started = 1;
    }
    return rc;
}

int rowtide_changeset_iter_next(rowtide_changeset_iter *iter,
                                const rowtide_change **out)
{
    ROWTIDE__CHECK_ARG(out, "changeset_iter_next");
    *out = NULL;
    ROWTIDE__CHECK_ARG(iter, "changeset_iter_next");
    if (!iter->changeset && atomic_flag_test_and_set(&iter->in_use))
        return rowtide__fail(ROWTIDE_ETHREAD,
                             "changeset_iter_next: the iterator is in use");
    int rc = step_to_change(iter);
    if (!iter->changeset)
        atomic_flag_clear(&iter->in_use);
    if (rc == ROWTIDE_OK)
        *out = &iter->decoder.change;
    return rc;
}

void rowtide_changeset_iter_free(rowtide_changeset_iter *iter)
{
    if (!iter)
        return;
    rowtide__decoder_dispose(&iter->decoder);
    rowtide_changeset_free(iter->changeset);
    rowtide__free(iter);
}

int rowtide__iter_is_patchset(const rowtide_changeset_iter *iter)
{
    return iter->decoder.patchset;
}

int rowtide__iter_table_started(const rowtide_changeset_iter *iter)
{
    return iter->table_started;
}

int64_t rowtide__iter_position(const rowtide_changeset_iter *iter)
{
    return rowtide__decoder_position(&iter->decoder);
}
