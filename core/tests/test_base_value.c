#include "support/oom.h"
#include "support/scratch.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <rowtide.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int equal(rowtide_value a, rowtide_value b)
{
    return rowtide_value_equal(&a, &b);
}

static void equality(void **state)
{
    (void)state;
    assert_true(equal(rowtide_value_integer(1), rowtide_value_integer(1)));
    assert_false(equal(rowtide_value_integer(1), rowtide_value_integer(2)));
    assert_false(equal(rowtide_value_integer(1), rowtide_value_real(1)));
    assert_true(equal(rowtide_value_real(0.0), rowtide_value_real(-0.0)));
    assert_true(equal(rowtide_value_text("a"), rowtide_value_text("a")));
    assert_false(equal(rowtide_value_text("a"), rowtide_value_text("ab")));
    assert_false(equal(rowtide_value_text("a"), rowtide_value_blob("a", 1)));
    assert_true(equal(rowtide_value_blob("a", 0), rowtide_value_blob(NULL, 0)));
    assert_true(equal(rowtide_value_null(), rowtide_value_null()));
    assert_false(equal(rowtide_value_null(), rowtide_value_undefined()));
    assert_true(equal(rowtide_value_text(NULL), rowtide_value_null()));
    rowtide_value one = rowtide_value_integer(1);
    assert_false(rowtide_value_equal(&one, NULL));
    assert_false(rowtide_value_equal(NULL, &one));
}

static void version(void **state)
{
    (void)state;
    assert_string_equal(rowtide_version(), ROWTIDE_VERSION);
    assert_int_equal(rowtide_version_number(), ROWTIDE_VERSION_NUMBER);
    assert_ok(rowtide_check_runtime());
}

static void allocator(void **state)
{
    (void)state;
    rowtide_allocator incomplete = {0};
    assert_status(rowtide_set_allocator(&incomplete), ROWTIDE_EINVAL);
    assert_ok(rowtide_set_allocator(NULL));
    assert_null(rowtide__alloc_array(SIZE_MAX / 2, 3));
    assert_int_equal(rowtide_error_code(), ROWTIDE_ENOMEM);
    void *nothing = rowtide__alloc(0);
    assert_non_null(nothing);
    rowtide__free(nothing);
    rowtide__free(NULL);
}

static void buffer_grows(void **state)
{
    (void)state;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide__buffer_append(&buffer, NULL, 0));
    assert_int_equal(buffer.data[0], '\0');
    for (int i = 0; i < 1000; i++)
        assert_ok(rowtide__buffer_append_format(&buffer, "%03d,", i));
    assert_int_equal(buffer.size, 4000);
    assert_int_equal(strlen(buffer.data), 4000);
    assert_memory_equal(buffer.data + 3996, "999,", 5);
    assert_status(rowtide__buffer_reserve(&buffer, SIZE_MAX - 10),
                  ROWTIDE_ENOMEM);
    rowtide__buffer_clear(&buffer);
    assert_string_equal(buffer.data, "");
    assert_ok(rowtide__buffer_append_byte(&buffer, 'x'));
    assert_ok(rowtide__buffer_append_text(&buffer, "yz"));
    assert_string_equal(buffer.data, "xyz");
    rowtide_buffer_dispose(&buffer);
    rowtide_buffer_dispose(&buffer);
    rowtide_buffer_dispose(NULL);
    assert_int_equal(buffer.size, 0);
}

static int fill(void *ctx)
{
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    (void)ctx;
    for (int i = 0; i < 100 && rc == ROWTIDE_OK; i++)
        rc = rowtide__buffer_append_format(&buffer, "%d %s", i, "some text");
    rowtide_buffer_dispose(&buffer);
    return rc;
}

static void buffer_out_of_memory(void **state)
{
    (void)state;
    oom_loop(fill, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality),
        cmocka_unit_test(version),
        cmocka_unit_test(allocator),
        cmocka_unit_test(buffer_grows),
        cmocka_unit_test(buffer_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
