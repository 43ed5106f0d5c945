#include "support/oom.h"
#include "support/peers.h"
#include "support/recording.h"
#include "support/scratch.h"

#include "crdt/payload.h"

#include <stdlib.h>
#include <string.h>

static const char rows[] = "SELECT * FROM notes ORDER BY id";

static const char many[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
    "5000) INSERT INTO notes SELECT i, 'note number ' || i, i % 3 FROM n";

static void dispose(rowtide_buffer *payload, rowtide_db *a, rowtide_db *b)
{
    rowtide_buffer_dispose(payload);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void a_payload_carries_everything(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_crdt_report *report = NULL;
    rowtide_db *b = peers_db(NULL);
    rowtide_db *a = peers_db(
        "INSERT INTO notes VALUES(-9223372036854775808, x'00ff00', 1.5);"
        "INSERT INTO notes VALUES(9223372036854775807, '', NULL);"
        "INSERT INTO notes VALUES(1, 'a' || char(0) || 'b', -1);"
        "INSERT INTO notes VALUES(2, 'gone', 0);"
        "UPDATE notes SET id = 3, done = 9e999 WHERE id = 1;"
        "DELETE FROM notes WHERE id = 2");
    peers_pull(a, 0, NULL, &payload);
    assert_ok(peers_merge(b, payload.data, payload.size, &report));
    assert_int_equal(rowtide_crdt_report_version(report), peers_version(a));
    assert_true(rowtide_crdt_report_applied(report) > 0);
    rowtide_crdt_report_free(report);
    peers_same(a, b);
    assert_ok(peers_merge(b, payload.data, payload.size, &report));
    assert_int_equal(rowtide_crdt_report_applied(report), 0);
    rowtide_crdt_report_free(report);
    dispose(&payload, a, b);
}

static void an_empty_payload(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_crdt_report *report = NULL;
    rowtide_db *a = peers_db(NULL), *b = peers_db(NULL);
    peers_pull(a, 0, NULL, &payload);
    assert_int_equal(payload.size,
                     ROWTIDE__PAYLOAD_HEAD + ROWTIDE__PAYLOAD_END);
    assert_ok(peers_merge(b, payload.data, payload.size, &report));
    assert_int_equal(rowtide_crdt_report_count(report), 0);
    rowtide_crdt_report_free(report);
    dispose(&payload, a, b);
}

/* The smaller the chunks, the more bytes; the content is the same. */
static void chunks_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 4096, 0};
    rowtide_db *a = peers_db(many);
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
        rowtide_db *b = peers_db(NULL);
        peers_pull_chunks(a, sizes[i], &payload);
        assert_true(payload.size < last || sizes[i] == 0);
        last = payload.size;
        assert_ok(peers_merge(b, payload.data, payload.size, NULL));
        peers_same(a, b);
        dispose(&payload, NULL, b);
    }
    assert_true(last < 5000 * 2 * 7);
    rowtide_db_free(a);
}

static void chunk_size_has_a_limit(void **state)
{
    (void)state;
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink = NULL;
    rowtide_db *db = peers_db(NULL);
    assert_ok(rowtide_sink_buffer(&payload, &sink));
    options.chunk_size = 4 * 1024 * 1024 + 1;
    assert_status(rowtide_crdt_pull_payload(db, &options, sink),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_pull_payload(db, NULL, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_pull_payload(NULL, NULL, sink), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_merge_payload(db, NULL, NULL), ROWTIDE_EINVAL);
    rowtide_sink_free(sink);
    dispose(&payload, db, NULL);
}

/* ## Bytes that are wrong */

static void cut_anywhere_nothing_is_applied(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(9, 'mine', 0)");
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0)");
    peers_pull_chunks(a, 1, &payload);
    for (size_t size = 0; size < payload.size; size++) {
        char *part = malloc(size + 1);
        assert_non_null(part);
        memcpy(part, payload.data, size);
        assert_status(peers_merge(b, part, size, NULL), ROWTIDE_ECORRUPT);
        assert_int_equal(rowtide_error_offset(), size);
        free(part);
    }
    assert_int_equal(rowtide_db_in_transaction(b), 0);
    assert_rows(b, rows, "9|'mine'|0;");
    assert_int_equal(peers_cursor(b, a), 0);
    assert_ok(peers_merge(b, payload.data, payload.size, NULL));
    dispose(&payload, a, b);
}

static void any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *b = peers_db(NULL);
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0)");
    peers_pull_chunks(a, 30, &payload);
    for (size_t i = 0; i < payload.size; i++) {
        payload.data[i] ^= (char)(1 << i % 8);
        int rc = peers_merge(b, payload.data, payload.size, NULL);
        assert_true(rc == ROWTIDE_ECORRUPT || rc == ROWTIDE_EUNSUPPORTED);
        assert_true(rowtide_error_offset() >= 0);
        payload.data[i] ^= (char)(1 << i % 8);
    }
    assert_rows(b, rows, "");
    assert_int_equal(peers_version(b), 0);
    dispose(&payload, a, b);
}

static void bytes_behind_the_end(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    rowtide_db *b = peers_db(NULL);
    peers_pull(a, 0, NULL, &payload);
    /* The NUL that every buffer has behind its bytes. */
    assert_status(peers_merge(b, payload.data, payload.size + 1, NULL),
                  ROWTIDE_ECORRUPT);
    assert_int_equal(rowtide_error_offset(), payload.size);
    assert_rows(b, rows, "");
    dispose(&payload, a, b);
}

/* Chunks that are left out, doubled or in another order. */
static void chunks_that_do_not_follow(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide__payload_chunk first;
    rowtide_db *b = peers_db(NULL);
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0)");
    peers_pull_chunks(a, 1, &payload);
    size_t at = ROWTIDE__PAYLOAD_HEAD;
    assert_ok(rowtide__payload_get_chunk((unsigned char *)payload.data + at,
                                         (int64_t)at, &first));
    size_t next = at + ROWTIDE__PAYLOAD_CHUNK + first.stored;
    size_t end = payload.size - ROWTIDE__PAYLOAD_END;
    char *bytes = malloc(payload.size * 2);
    assert_non_null(bytes);
    memcpy(bytes, payload.data, at);
    memcpy(bytes + at, payload.data + next, payload.size - next);
    assert_status(peers_merge(b, bytes, payload.size - (next - at), NULL),
                  ROWTIDE_ECORRUPT);
    memcpy(bytes, payload.data, next);
    memcpy(bytes + next, payload.data + at, payload.size - at);
    assert_status(peers_merge(b, bytes, payload.size + (next - at), NULL),
                  ROWTIDE_ECORRUPT);
    memcpy(bytes, payload.data, next);
    memcpy(bytes + next, payload.data + end, ROWTIDE__PAYLOAD_END);
    assert_status(peers_merge(b, bytes, next + ROWTIDE__PAYLOAD_END, NULL),
                  ROWTIDE_ECORRUPT);
    assert_rows(b, rows, "");
    free(bytes);
    dispose(&payload, a, b);
}

/* A change that does not fit fails all of it, with the reason and the place. */
static void a_change_that_fails_fails_the_merge(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 13)");
    rowtide_db *b = scratch_db(
        "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT NULL, title TEXT, "
        "done INTEGER CHECK (done IS NOT 13))");
    assert_ok(rowtide_crdt_enable(b, "notes"));
    peers_pull_chunks(a, 1, &payload);
    assert_status(peers_merge(b, payload.data, payload.size, NULL),
                  ROWTIDE_ECONSTRAINT);
    assert_message("notes");
    assert_message("done");
    assert_true(rowtide_error_offset() > ROWTIDE__PAYLOAD_HEAD);
    assert_rows(b, rows, "");
    assert_int_equal(peers_cursor(b, a), 0);
    scratch_exec(b, "INSERT INTO notes VALUES(7, 'tracked', 0)");
    assert_rows(b, "SELECT cid FROM crsql_changes", "'title';'done';");
    dispose(&payload, a, b);
}

/* ## Streams */

static void from_a_source_that_drips(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 100000};
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    peers_pull(a, 0, NULL, &payload);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        void *drip = NULL;
        rowtide_db *b = peers_db(NULL);
        rowtide_source *source = dripping_source(payload.data, payload.size,
                                                 steps[i], &drip);
        assert_ok(rowtide_crdt_merge_payload(b, source, NULL));
        peers_same(a, b);
        rowtide_source_free(source);
        free(drip);
        rowtide_db_free(b);
    }
    dispose(&payload, a, NULL);
}

typedef struct meddler {
    rowtide_db *db;
    const rowtide_buffer *payload;
    size_t at;
    const char *sql;
} meddler;

static int meddle(void *data, size_t *size, void *user)
{
    meddler *self = user;
    size_t left = self->payload->size - self->at;
    if (self->at > ROWTIDE__PAYLOAD_HEAD && self->sql) {
        if (rowtide_db_exec(self->db, self->sql) != ROWTIDE_OK)
            return ROWTIDE_EUSER;
        self->sql = NULL;
    }
    if (*size > left)
        *size = left;
    memcpy(data, self->payload->data + self->at, *size);
    self->at += *size;
    return 0;
}

/* A source whose callback ends the transaction of the merge. */
static void a_source_that_meddles(void **state)
{
    (void)state;
    static const char *const statements[] = {"COMMIT; BEGIN", "ROLLBACK"};
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    peers_pull_chunks(a, 1, &payload);
    for (int i = 0; i < 2; i++) {
        rowtide_db *b = peers_db(NULL);
        meddler self = {b, &payload, 0, statements[i]};
        rowtide_source *source = NULL;
        assert_ok(rowtide_source_callback(meddle, &self, &source));
        assert_status(rowtide_crdt_merge_payload(b, source, NULL),
                      ROWTIDE_EMISUSE);
        assert_int_equal(rowtide_db_in_transaction(b), i == 0);
        rowtide_source_free(source);
        rowtide_db_free(b);
    }
    dispose(&payload, a, NULL);
}

static int interrupt(void *data, size_t *size, void *user)
{
    meddler *self = user;
    if (self->at > ROWTIDE__PAYLOAD_HEAD)
        rowtide_db_interrupt(self->db);
    return meddle(data, size, user);
}

static void a_merge_that_is_interrupted(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    rowtide_db *b = peers_db(NULL);
    meddler self = {b, &payload, 0, NULL};
    rowtide_source *source = NULL;
    peers_pull_chunks(a, 1, &payload);
    assert_ok(rowtide_source_callback(interrupt, &self, &source));
    assert_status(rowtide_crdt_merge_payload(b, source, NULL),
                  ROWTIDE_ECANCELLED);
    assert_int_equal(rowtide_db_in_transaction(b), 0);
    assert_rows(b, rows, "");
    rowtide_source_free(source);
    dispose(&payload, a, b);
}

static int fail_write(const void *data, size_t size, void *user)
{
    (void)data;
    (void)size;
    (void)user;
    return rowtide_error_set(ROWTIDE_EUSER, "the wire is cut");
}

static void a_sink_that_fails(void **state)
{
    (void)state;
    rowtide_sink *sink = NULL;
    rowtide_db *a = peers_db(many);
    assert_ok(rowtide_sink_callback(fail_write, NULL, &sink));
    assert_status(rowtide_crdt_pull_payload(a, NULL, sink), ROWTIDE_EUSER);
    assert_message("the wire is cut");
    rowtide_sink_free(sink);
    scratch_exec(a, "INSERT INTO notes VALUES(0, 'goes on', 0)");
    rowtide_db_free(a);
}

/* ## Memory */

static int scenario(void *ctx)
{
    const rowtide_buffer *payload = ctx;
    rowtide_db *db = NULL;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE notes(id INTEGER PRIMARY KEY "
                                 "NOT NULL, title TEXT, done INTEGER)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_enable(db, "notes");
    if (rc == ROWTIDE_OK)
        rc = rowtide_source_memory(payload->data, payload->size, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_merge_payload(db, source, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_buffer(&out, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_pull_payload(db, NULL, sink);
    rowtide_buffer_dispose(&out);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0)");
    peers_pull_chunks(a, 1, &payload);
    oom_loop(scenario, &payload);
    dispose(&payload, a, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_carries_everything),
        cmocka_unit_test(an_empty_payload),
        cmocka_unit_test(chunks_of_any_size),
        cmocka_unit_test(chunk_size_has_a_limit),
        cmocka_unit_test(cut_anywhere_nothing_is_applied),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(bytes_behind_the_end),
        cmocka_unit_test(chunks_that_do_not_follow),
        cmocka_unit_test(a_change_that_fails_fails_the_merge),
        cmocka_unit_test(from_a_source_that_drips),
        cmocka_unit_test(a_source_that_meddles),
        cmocka_unit_test(a_merge_that_is_interrupted),
        cmocka_unit_test(a_sink_that_fails),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
