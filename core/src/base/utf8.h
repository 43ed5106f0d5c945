#ifndef ROWTIDE_BASE_UTF8_H
#define ROWTIDE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that the character at the start of `data` takes, its number in `*out`;
 * 0 if there is none: overlong forms, surrogates and what lies above U+10FFFF
 * are no characters. */
int rowtide__utf8_decode(const void *data, size_t size, uint32_t *out);

/* Write a character, return its bytes. */
int rowtide__utf8_encode(uint32_t character, char out[4]);

/* 1 if all of it is UTF-8. */
int rowtide__utf8_valid(const void *data, size_t size);

/* Make one line of UTF-8 of a text with a NUL at its end: control characters
 * and line separators become spaces, what is no character a question mark. */
void rowtide__utf8_clean(char *text);

/* 1 for what must not reach a terminal or a reader's eye as it is: control
 * characters, and those that are invisible or change the order of others. */
int rowtide__utf8_unsafe(uint32_t character);

#endif
