/*
 * codepage.h: text of Windows code pages as UTF-8, and back. A byte that the page
 * gives no meaning, or a character that it does not have, is not turned into
 * anything: the caller refuses the value.
 * All-zero may be released, twice; one thread at a time may use one that is open.
 */
#ifndef HAUL_BASE_CODEPAGE_H
#define HAUL_BASE_CODEPAGE_H

#include "base/error.h"

#define CODEPAGE_UTF8         65001
#define CODEPAGE_GROWTH(size) ((size)*3) /* bytes of UTF-8 that `size` bytes need at most */

struct codepage {
    int number;
    bool single;           /* one byte is one character: the table has them */
    uint8_t table[256][4]; /* up to three bytes, then their count; 0: no meaning */
    void *converter;       /* iconv_t of the others */

    /* the way back; made by codepage_add_reverse */
    uint8_t (*reverse)[256]; /* blocks of 256 characters: the byte, 0 none (but for U+0000) */
    uint8_t blocks[256];     /* which block has U+nn00 to U+nnff; block 0 is empty */
    void *back;              /* iconv_t from UTF-8 */
};

enum haul_code codepage_open(struct codepage *page, int number, struct haul_error *err);
void codepage_release(struct codepage *page);

/* Returns how many bytes were understood (== size: all); `out` has CODEPAGE_GROWTH(size). */
size_t codepage_to_utf8(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out, size_t *written);

/* Asks for codepage_from_utf8; once or more often. */
enum haul_code codepage_add_reverse(struct codepage *page, struct haul_error *err);

/* Returns how many bytes of UTF-8 the page has a character for (== size: all);
 * `out` has `size` bytes. What is written reads back as the same text. */
size_t codepage_from_utf8(struct codepage *page, const uint8_t *in, size_t size, uint8_t *out,
                          size_t *written);

#endif
