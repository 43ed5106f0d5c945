#include "base/error.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local rowtide__error_state last = {0, 0, -1, ""};

/* Cutting at the end of the buffer may split a UTF-8 sequence. */
static void drop_partial_character(char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0xC0)
        text[start - 1] = '\0';
}

static int set_message(int code, int64_t offset, const char *format,
                       va_list arguments)
{
    /* Through a local, because an argument may be the last message. */
    char message[sizeof last.message];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0)
        message[0] = '\0';
    else if ((size_t)length >= sizeof message)
        drop_partial_character(message, sizeof message - 1);
    /* A message is one line, whatever names and values went into it. */
    rowtide__utf8_clean(message);
    last.code = code;
    last.sqlite_code = 0;
    last.offset = offset;
    memcpy(last.message, message, sizeof message);
    return code;
}

int rowtide__fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_message(code, -1, format, arguments);
    va_end(arguments);
    return code;
}

int rowtide__fail_at(int code, int64_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_message(code, offset, format, arguments);
    va_end(arguments);
    return code;
}

int rowtide__nomem(void)
{
    return rowtide__fail(ROWTIDE_ENOMEM, "out of memory");
}

int rowtide__fail_context(const char *format, ...)
{
    rowtide__error_state deeper = last;
    char context[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    rowtide__fail(deeper.code, "%s: %s", context, deeper.message);
    last.sqlite_code = deeper.sqlite_code;
    last.offset = deeper.offset;
    return deeper.code;
}

void rowtide__error_sqlite_code(int extended)
{
    last.sqlite_code = extended;
}

int rowtide__fail_callback(int code, const char *name)
{
    if (last.code == code)
        return code;
    return rowtide__fail(code, "%s callback returned %d", name, code);
}

void rowtide__error_save(rowtide__error_state *state)
{
    *state = last;
}

void rowtide__error_restore(const rowtide__error_state *state)
{
    last = *state;
}

int rowtide_error_code(void)
{
    return last.code;
}

const char *rowtide_error_message(void)
{
    return last.message;
}

int rowtide_error_sqlite_code(void)
{
    return last.sqlite_code;
}

int64_t rowtide_error_offset(void)
{
    return last.offset;
}

int rowtide_error_set(int code, const char *message)
{
    if (code >= 0)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "error_set: %d is not a negative code", code);
    return rowtide__fail(code, "%.1000s", message ? message : "");
}

void rowtide_error_clear(void)
{
    last = (rowtide__error_state){0, 0, -1, ""};
}

const char *rowtide_error_name(int code)
{
    switch (code) {
    case ROWTIDE_OK:
        return "ok";
    case ROWTIDE_DONE:
        return "done";
#define NAME_CASE(symbol, number, name, cls, base, text)                       \
    case ROWTIDE_##symbol:                                                     \
        return name;
        ROWTIDE_ERROR_MAP(NAME_CASE)
#undef NAME_CASE
    default:
        return "unknown";
    }
}

const char *rowtide_error_text(int code)
{
    switch (code) {
    case ROWTIDE_OK:
        return "no error";
    case ROWTIDE_DONE:
        return "nothing more";
#define TEXT_CASE(symbol, number, name, cls, base, text)                       \
    case ROWTIDE_##symbol:                                                     \
        return text;
        ROWTIDE_ERROR_MAP(TEXT_CASE)
#undef TEXT_CASE
    default:
        return "not a code of this library";
    }
}
