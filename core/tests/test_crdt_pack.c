#include "support/oom.h"
#include "support/scratch.h"

#include "crdt/pack.h"

#include <rowtide/crdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rowtide_db *open_db(void)
{
    rowtide_db *db = scratch_db(NULL);
    assert_ok(rowtide_crdt_open(db));
    return db;
}

static void packs_every_kind_of_value(void **state)
{
    (void)state;
    static const struct {
        const char *values, *packed;
    } cases[] = {
        {"", "'00'"},
        {"1", "'010901'"},
        {"0", "'0101'"},
        {"255, 256", "'0209FF110100'"},
        {"2147483648", "'012180000000'"},
        {"-1", "'0141FFFFFFFFFFFFFFFF'"},
        {"9223372036854775807", "'01417FFFFFFFFFFFFFFF'"},
        {"2.5, -0.0", "'02024004000000000000028000000000000000'"},
        {"'', x'', 'a', x'01', NULL", "'0503040B01610C010105'"},
        {"1, 'ab', NULL, x'01', 2.5",
         "'0509010B026162050C0101024004000000000000'"},
    };
    rowtide_db *db = open_db();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[256], expected[256];
        snprintf(sql, sizeof sql, "SELECT hex(crsql_pack_columns(%s))",
                 cases[i].values);
        snprintf(expected, sizeof expected, "%s;", cases[i].packed);
        assert_rows(db, sql, expected);
    }
    assert_rows(db,
                "SELECT hex(substr(crsql_pack_columns(zeroblob(300)), 1, 4)), "
                "hex(substr(crsql_pack_columns(printf('%.128c', 'x')), 1, 4))",
                "'0114012C'|'010B8078';");
    rowtide_db_free(db);
}

static void unpacks_what_was_packed(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    assert_rows(db,
                "SELECT cell FROM crsql_unpack_columns WHERE package = "
                "crsql_pack_columns(-1, 1.5, 'a', x'00ff', NULL, 0, '')",
                "-1;1.5;'a';x'00ff';NULL;0;'';");
    assert_rows(db, "SELECT cell FROM crsql_unpack_columns(x'00')", "");
    assert_rows(db,
                "SELECT v, cell FROM (SELECT crsql_pack_columns(1, 2) AS p, 7 "
                "AS v) JOIN crsql_unpack_columns ON package = p",
                "7|1;7|2;");
    rowtide_db_free(db);
}

static void numbers_are_zero_extended(void **state)
{
    (void)state;
    rowtide__unpack unpack;
    rowtide_value value;
    assert_ok(rowtide__unpack_open(&unpack, "\x01\x11\x00\xff", 4));
    assert_ok(rowtide__unpack_next(&unpack, &value));
    assert_int_equal(value.type, ROWTIDE_INTEGER);
    assert_int_equal(value.integer, 255);
    assert_int_equal(rowtide__unpack_next(&unpack, &value), ROWTIDE_DONE);
}

/* Whatever comes, it is an error or values that lie within. */
static void reads_nothing_beyond_its_bytes(void **state)
{
    (void)state;
    uint32_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        unsigned char *data = malloc(12);
        size_t size = (size_t)round % 13;
        assert_non_null(data);
        for (size_t i = 0; i < 12; i++) {
            seed = seed * 1664525u + 1013904223u;
            data[i] = (unsigned char)(seed >> 24);
        }
        unsigned char *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, data, size);
        rowtide__unpack unpack;
        rowtide_value value;
        int rc = rowtide__unpack_open(&unpack, exact, size), count = 0;
        while (rc == ROWTIDE_OK
               && (rc = rowtide__unpack_next(&unpack, &value)) == ROWTIDE_OK) {
            const unsigned char *at = value.data;
            assert_true(count++ < 255);
            if (value.size > 0)
                assert_true(at >= exact && at + value.size <= exact + size);
        }
        assert_true(rc == ROWTIDE_DONE || rc == ROWTIDE_ECORRUPT);
        free(exact);
        free(data);
    }
}

static void refuses_what_is_not_packed(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "x''",
        "x'01'",
        "x'0109'",
        "x'0100'",
        "x'0106'",
        "x'0107'",
        "x'014900112233445566778899'",
        "x'010B05'",
        "x'0201'",
        "x'0102'",
        "x'0143FFFFFFFFFFFFFFFF'",
    };
    rowtide_db *db = open_db();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[128];
        snprintf(sql, sizeof sql,
                 "SELECT cell FROM crsql_unpack_columns WHERE package = %s",
                 cases[i]);
        assert_int_not_equal(rowtide_db_exec(db, sql), ROWTIDE_OK);
    }
    assert_int_not_equal(
        rowtide_db_exec(db, "SELECT cell FROM crsql_unpack_columns"),
        ROWTIDE_OK);
    rowtide_db_free(db);
}

static int unpack_all(void *ctx)
{
    return rowtide_db_exec(ctx, "SELECT cell FROM crsql_unpack_columns WHERE "
                                "package = crsql_pack_columns(1, 'x', x'01')");
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    rowtide_db *db = open_db();
    oom_loop(unpack_all, db);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packs_every_kind_of_value),
        cmocka_unit_test(unpacks_what_was_packed),
        cmocka_unit_test(numbers_are_zero_extended),
        cmocka_unit_test(reads_nothing_beyond_its_bytes),
        cmocka_unit_test(refuses_what_is_not_packed),
        cmocka_unit_test(runs_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
