#include "support/scratch.h"

#include "base/error.h"

#include <pthread.h>
#include <string.h>

static void names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(rowtide_error_name(ROWTIDE_OK), "ok");
    assert_string_equal(rowtide_error_name(ROWTIDE_DONE), "done");
    assert_string_equal(rowtide_error_name(ROWTIDE_ECORRUPT), "corrupt");
    assert_string_equal(rowtide_error_name(-999), "unknown");
    assert_string_equal(rowtide_error_text(ROWTIDE_EFULL), "the disk is full");
    assert_string_equal(rowtide_error_text(5), "not a code of this library");
#define HAS_BOTH(symbol, code, name, cls, base, text)                          \
    assert_int_equal(ROWTIDE_##symbol, code);                                  \
    assert_string_equal(rowtide_error_name(code), name);                       \
    assert_string_equal(rowtide_error_text(code), text);
    ROWTIDE_ERROR_MAP(HAS_BOTH)
#undef HAS_BOTH
}

static void set_and_clear(void **state)
{
    (void)state;
    rowtide_error_clear();
    assert_int_equal(rowtide_error_code(), 0);
    assert_string_equal(rowtide_error_message(), "");
    assert_int_equal(rowtide_error_offset(), -1);
    assert_int_equal(rowtide_error_set(ROWTIDE_EUSER, "mine"), ROWTIDE_EUSER);
    assert_int_equal(rowtide_error_code(), ROWTIDE_EUSER);
    assert_string_equal(rowtide_error_message(), "mine");
    assert_int_equal(rowtide_error_set(ROWTIDE_EUSER, NULL), ROWTIDE_EUSER);
    assert_string_equal(rowtide_error_message(), "");
    assert_status(rowtide_error_set(3, "no"), ROWTIDE_EINVAL);
}

static void message_is_one_line(void **state)
{
    (void)state;
    rowtide_error_set(ROWTIDE_EUSER, "two\nlines\tand\x7f more\r\n");
    assert_string_equal(rowtide_error_message(), "two lines and  more  ");
}

static void long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[3001] = "";
    for (int i = 0; i < 1000; i++)
        strcat(text, "\xe2\x82\xac");
    rowtide__fail(ROWTIDE_EUSER, "%s%s", "x", text);
    size_t length = strlen(rowtide_error_message());
    assert_true(length > 1000 && length < 1024);
    assert_int_equal((length - 1) % 3, 0);
}

static void message_is_utf8(void **state)
{
    (void)state;
    rowtide__fail(ROWTIDE_EUSER, "%s",
                  "\xff \xc3\xa9 \xe2\x82 \x80\x80\xe2\x80\xa8-\xc2\x85-");
    assert_string_equal(rowtide_error_message(), "? \xc3\xa9 ? ? - -");
    rowtide__fail_context("%.4s", "\xe2\x82\xac\xe2\x82\xac");
    assert_string_equal(rowtide_error_message(),
                        "\xe2\x82\xac?: ? \xc3\xa9 ? ? - -");
}

static void context_keeps_what_is_deeper(void **state)
{
    (void)state;
    rowtide__fail_at(ROWTIDE_ESQL, 12, "near \"x\": syntax error");
    rowtide__error_sqlite_code(1);
    assert_int_equal(rowtide__fail_context("table \"%s\"", "t"), ROWTIDE_ESQL);
    assert_string_equal(rowtide_error_message(),
                        "table \"t\": near \"x\": syntax error");
    assert_int_equal(rowtide_error_offset(), 12);
    assert_int_equal(rowtide_error_sqlite_code(), 1);
    rowtide__error_state saved;
    rowtide__error_save(&saved);
    rowtide__nomem();
    assert_string_equal(rowtide_error_message(), "out of memory");
    rowtide__error_restore(&saved);
    assert_int_equal(rowtide_error_offset(), 12);
}

static void callback_may_have_its_own_words(void **state)
{
    (void)state;
    rowtide_error_clear();
    assert_int_equal(rowtide__fail_callback(ROWTIDE_EUSER, "filter"),
                     ROWTIDE_EUSER);
    assert_string_equal(rowtide_error_message(),
                        "filter callback returned -22");
    rowtide_error_set(ROWTIDE_EUSER, "own words");
    rowtide__fail_callback(ROWTIDE_EUSER, "filter");
    assert_string_equal(rowtide_error_message(), "own words");
}

static void *fail_elsewhere(void *user)
{
    rowtide_error_set(ROWTIDE_EIO, "of the other thread");
    return user;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    rowtide_error_set(ROWTIDE_EUSER, "of this thread");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(rowtide_error_message(), "of this thread");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts),
        cmocka_unit_test(set_and_clear),
        cmocka_unit_test(message_is_one_line),
        cmocka_unit_test(long_message_is_cut_between_characters),
        cmocka_unit_test(message_is_utf8),
        cmocka_unit_test(context_keeps_what_is_deeper),
        cmocka_unit_test(callback_may_have_its_own_words),
        cmocka_unit_test(each_thread_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
