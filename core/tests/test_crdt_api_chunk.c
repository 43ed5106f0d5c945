#include "support/scratch.h"

#include "crdt/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of one chunk, without a database. */

typedef struct chunk_bytes {
    rowtide__payload_chunk head;
    char *data;
} chunk_bytes;

static const unsigned char SITE_A[16] = "site a.........", SITE_B[3] = "bb";

static rowtide_crdt_change cell(const char *table, const char *pk,
                                const char *column, rowtide_value value)
{
    rowtide_crdt_change change = {.table = table,
                                  .pk = pk,
                                  .pk_size = strlen(pk),
                                  .column = column,
                                  .value = value,
                                  .column_version = 1,
                                  .db_version = 7,
                                  .site_id = SITE_A,
                                  .site_id_size = sizeof SITE_A,
                                  .causal_length = 1};
    return change;
}

static chunk_bytes write_chunk(const rowtide_crdt_change *changes, size_t count)
{
    chunk_bytes chunk;
    const void *data;
    rowtide__chunk_writer writer;
    rowtide__chunk_writer_init(&writer);
    for (size_t i = 0; i < count; i++)
        assert_ok(rowtide__chunk_writer_add(&writer, &changes[i]));
    assert_ok(rowtide__chunk_writer_finish(&writer, &data));
    chunk.head = writer.chunk;
    chunk.data = malloc(writer.chunk.stored);
    assert_non_null(chunk.data);
    memcpy(chunk.data, data, writer.chunk.stored);
    rowtide__chunk_writer_dispose(&writer);
    return chunk;
}

static int open_chunk(rowtide__chunk_reader *reader,
                      const rowtide__payload_chunk *head, const void *data)
{
    rowtide_buffer stored = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink = NULL;
    assert_ok(rowtide_sink_buffer(&stored, &sink));
    assert_ok(rowtide_sink_write(sink, data, head->stored));
    assert_ok(rowtide_sink_close(sink));
    rowtide_sink_free(sink);
    int rc = rowtide__chunk_reader_open(reader, head, 72, &stored);
    rowtide_buffer_dispose(&stored);
    return rc;
}

static void expect_change(const rowtide_crdt_change *a,
                          const rowtide_crdt_change *b)
{
    assert_string_equal(a->table, b->table);
    assert_int_equal(a->pk_size, b->pk_size);
    assert_memory_equal(a->pk, b->pk, b->pk_size);
    assert_string_equal(a->column, b->column);
    assert_true(rowtide_value_equal(&a->value, &b->value));
    assert_true(a->column_version == b->column_version);
    assert_true(a->db_version == b->db_version);
    assert_int_equal(a->site_id_size, b->site_id_size);
    assert_memory_equal(a->site_id, b->site_id, b->site_id_size);
    assert_true(a->causal_length == b->causal_length);
    assert_true(a->sequence == b->sequence);
}

static void expect_round_trip(const rowtide_crdt_change *changes, size_t count)
{
    rowtide__chunk_reader reader;
    rowtide_crdt_change change;
    chunk_bytes chunk = write_chunk(changes, count);
    rowtide__chunk_reader_init(&reader);
    assert_ok(open_chunk(&reader, &chunk.head, chunk.data));
    for (size_t i = 0; i < count; i++) {
        assert_ok(rowtide__chunk_reader_next(&reader, &change));
        expect_change(&change, &changes[i]);
    }
    assert_int_equal(rowtide__chunk_reader_next(&reader, &change),
                     ROWTIDE_DONE);
    rowtide__chunk_reader_dispose(&reader);
    free(chunk.data);
}

static void every_kind_of_change(void **state)
{
    (void)state;
    rowtide_crdt_change changes[] = {
        cell("t", "\x01\x09\x01", "a", rowtide_value_integer(INT64_MIN)),
        cell("t", "\x01\x09\x01", "b", rowtide_value_integer(INT64_MAX)),
        cell("t", "\x01\x09\x01", "b", rowtide_value_real(-0.0)),
        cell("a \"name\"", "\x01\x09\x02", "", rowtide_value_text("")),
        cell("", "", "a", rowtide_value_blob("a\0b", 3)),
        cell("t", "\x01\x09\x01", "-1", rowtide_value_null()),
        cell("t", "\x01\x09\x01", "-1", rowtide_value_integer(5)),
        cell("t", "\x01\x09\x01", "a", rowtide_value_null()),
    };
    changes[1].sequence = INT64_MAX;
    changes[2].sequence = INT64_MIN;
    changes[3].db_version = INT64_MAX;
    changes[4].db_version = INT64_MIN;
    changes[5].causal_length = 2;
    changes[5].column_version = INT64_MIN;
    changes[6].site_id = SITE_B;
    changes[6].site_id_size = sizeof SITE_B;
    expect_round_trip(changes, sizeof changes / sizeof *changes);
}

static void many_names(void **state)
{
    enum { COUNT = 3000 };
    static char names[COUNT][8];
    rowtide_crdt_change *changes = calloc(COUNT, sizeof *changes);
    (void)state;
    assert_non_null(changes);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i * 7 % 1000);
        changes[i] = cell(names[i], names[i], names[i],
                          rowtide_value_integer(i));
        changes[i].sequence = i;
    }
    expect_round_trip(changes, COUNT);
    free(changes);
}

static void successive_cells_are_small(void **state)
{
    enum { COUNT = 1000 };
    static char keys[COUNT][8];
    rowtide_crdt_change *changes = calloc(COUNT, sizeof *changes);
    (void)state;
    assert_non_null(changes);
    for (int i = 0; i < COUNT; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i / 4);
        changes[i] = cell("orders", keys[i], i % 4 == 1 ? "b" : "a",
                          rowtide_value_integer(i));
        changes[i].sequence = i;
    }
    chunk_bytes chunk = write_chunk(changes, COUNT);
    assert_true(chunk.head.size < 7 * COUNT);
    assert_true(chunk.head.stored < chunk.head.size);
    assert_int_equal(chunk.head.method, ROWTIDE__PAYLOAD_DEFLATED);
    free(chunk.data);
    free(changes);
}

/* A value that deflates beyond the limit is stored as it is. */
static void a_large_value_does_not_expand(void **state)
{
    size_t size = 9 * 1024 * 1024;
    char *zeros = calloc(1, size);
    (void)state;
    assert_non_null(zeros);
    rowtide_crdt_change change = cell("t", "\x01\x09\x01", "a",
                                      rowtide_value_blob(zeros, size));
    chunk_bytes chunk = write_chunk(&change, 1);
    assert_int_equal(chunk.head.method, ROWTIDE__PAYLOAD_STORED);
    free(chunk.data);
    expect_round_trip(&change, 1);
    free(zeros);
}

static void expect_refused_head(rowtide__payload_chunk head, const char *why)
{
    unsigned char record[ROWTIDE__PAYLOAD_CHUNK];
    rowtide__payload_put_chunk(&head, record);
    assert_status(rowtide__payload_get_chunk(record, 500, &head),
                  ROWTIDE_ECORRUPT);
    assert_int_equal(rowtide_error_offset(), 500);
    assert_message(why);
}

static void heads_that_lie(void **state)
{
    (void)state;
    rowtide__payload_chunk head = {.method = ROWTIDE__PAYLOAD_DEFLATED,
                                   .count = 1,
                                   .size = 100,
                                   .stored = 10};
    rowtide__payload_chunk lie = head;
    lie.size = UINT32_MAX;
    expect_refused_head(lie, "too large");
    lie = head;
    lie.count = 101;
    expect_refused_head(lie, "number of changes");
    lie = head;
    lie.count = 0;
    expect_refused_head(lie, "number of changes");
    lie = head;
    lie.method = 2;
    expect_refused_head(lie, "no known way");
    lie = head;
    lie.method = ROWTIDE__PAYLOAD_STORED;
    expect_refused_head(lie, "two sizes");
    lie = head;
    lie.least = 1;
    expect_refused_head(lie, "wrong way round");
}

/* Whatever happens, it ends, and without reading where nothing is. */
static int read_raw(rowtide__payload_chunk head, const void *data)
{
    rowtide__chunk_reader reader;
    rowtide_crdt_change change;
    head.checksum = rowtide__payload_checksum(0, data, head.stored);
    rowtide__chunk_reader_init(&reader);
    int rc = open_chunk(&reader, &head, data);
    while (rc == ROWTIDE_OK)
        rc = rowtide__chunk_reader_next(&reader, &change);
    rowtide__chunk_reader_dispose(&reader);
    return rc;
}

static void cut_and_damaged_bodies(void **state)
{
    (void)state;
    rowtide_crdt_change changes[] = {
        cell("table", "key", "column", rowtide_value_text("value")),
        cell("table", "key", "other", rowtide_value_real(1.5)),
        cell("table", "another", "column", rowtide_value_integer(-70000)),
    };
    rowtide__chunk_writer writer;
    rowtide__chunk_writer_init(&writer);
    for (int i = 0; i < 3; i++)
        assert_ok(rowtide__chunk_writer_add(&writer, &changes[i]));
    rowtide__payload_chunk head = writer.chunk;
    head.method = ROWTIDE__PAYLOAD_STORED;
    head.size = head.stored = (uint32_t)writer.body.size;
    assert_int_equal(read_raw(head, writer.body.data), ROWTIDE_DONE);
    while (head.size-- > 0) {
        /* In memory of its own, so that reading behind it is noticed. */
        char *part = malloc(head.size + 1);
        head.stored = head.size;
        memcpy(part, writer.body.data, head.size);
        assert_int_equal(read_raw(head, part), ROWTIDE_ECORRUPT);
        assert_int_equal(rowtide_error_offset(), 72);
        free(part);
    }
    head.size = head.stored = (uint32_t)writer.body.size;
    for (size_t i = 0; i < writer.body.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            writer.body.data[i] ^= (char)(1 << bit);
            int rc = read_raw(head, writer.body.data);
            assert_true(rc == ROWTIDE_DONE || rc == ROWTIDE_ECORRUPT);
            writer.body.data[i] ^= (char)(1 << bit);
        }
    rowtide__chunk_writer_dispose(&writer);
}

static void a_wrong_checksum(void **state)
{
    rowtide__chunk_reader reader;
    rowtide_crdt_change change = cell("t", "k", "c", rowtide_value_integer(1));
    chunk_bytes chunk = write_chunk(&change, 1);
    (void)state;
    chunk.head.checksum ^= 1;
    rowtide__chunk_reader_init(&reader);
    assert_status(open_chunk(&reader, &chunk.head, chunk.data),
                  ROWTIDE_ECORRUPT);
    assert_message("checksum");
    rowtide__chunk_reader_dispose(&reader);
    free(chunk.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_change),
        cmocka_unit_test(many_names),
        cmocka_unit_test(successive_cells_are_small),
        cmocka_unit_test(a_large_value_does_not_expand),
        cmocka_unit_test(heads_that_lie),
        cmocka_unit_test(cut_and_damaged_bodies),
        cmocka_unit_test(a_wrong_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
