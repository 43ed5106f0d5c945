#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <string.h>

/* 1, 'ab', NULL, x'01', 2.5 */
static const unsigned char five[] = {5, 0x09, 1, 0x0b, 2,    'a',  'b',
                                     5, 0x0c, 1, 1,    0x02, 0x40, 0x04,
                                     0, 0,    0, 0,    0,    0};

static rowtide_value read_value(const void *pk, size_t size, int index)
{
    rowtide_value value;
    assert_ok(rowtide_crdt_key_value(pk, size, index, &value));
    return value;
}

static void one_of_each_type(void **state)
{
    (void)state;
    const rowtide_value expected[] = {
        rowtide_value_integer(1), rowtide_value_text("ab"),
        rowtide_value_null(), rowtide_value_blob("\1", 1),
        rowtide_value_real(2.5)};
    int64_t count = -1;
    assert_ok(rowtide_crdt_key_count(five, sizeof five, &count));
    assert_int_equal(count, 5);
    for (int i = 0; i < 5; i++) {
        rowtide_value value = read_value(five, sizeof five, i);
        assert_true(rowtide_value_equal(&value, &expected[i]));
    }
}

static void edges_of_integers(void **state)
{
    (void)state;
    static const unsigned char zero[] = {1, 0x01}, byte[] = {1, 0x09, 0xff},
                               minus[] = {1,    0x41, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(read_value(zero, sizeof zero, 0).integer, 0);
    assert_int_equal(read_value(byte, sizeof byte, 0).integer, 255);
    assert_int_equal(read_value(minus, sizeof minus, 0).integer, -1);
}

static void cut_anywhere(void **state)
{
    (void)state;
    int64_t count = -1;
    rowtide_value value;
    for (size_t size = 0; size < sizeof five; size++) {
        assert_status(rowtide_crdt_key_count(five, size, &count),
                      ROWTIDE_ECORRUPT);
        assert_int_equal(count, 0);
        assert_status(rowtide_crdt_key_value(five, size, 4, &value),
                      ROWTIDE_ECORRUPT);
    }
}

static void wrong_arguments(void **state)
{
    (void)state;
    int64_t count;
    rowtide_value value;
    assert_status(rowtide_crdt_key_count(NULL, 1, &count), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_key_count(five, 1, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_key_value(NULL, 1, 0, &value), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_key_value(five, sizeof five, 0, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_key_value(five, sizeof five, -1, &value),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_key_value(five, sizeof five, 5, &value),
                  ROWTIDE_EINVAL);
    assert_message("no value 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_each_type),
        cmocka_unit_test(edges_of_integers),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(wrong_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
