/* support.h: a column with a decoder or an encoder over it, without a server. */
#ifndef TESTS_UNIT_POSTGRES_SUPPORT_H
#define TESTS_UNIT_POSTGRES_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "database/postgres/decode.h"
#include "database/postgres/encode.h"
#include "database/postgres/wire.h"

/* A column of one type under a decoder. */
struct column_in {
    struct field field;
    struct builder builder;
    struct decoder decoder;
    struct haul_error err;
};

static inline void column_open(struct column_in *in, const struct source_column *column, int64_t rows)
{
    assert_int_equal(builder_init(&in->builder, &in->field, NULL, &in->err), HAUL_OK);
    assert_int_equal(builder_reserve(&in->builder, rows, 0, &in->err), HAUL_OK);
    assert_int_equal(pg_decoder_init(&in->decoder, column, &in->builder, &in->err), HAUL_OK);
}

/* The bytes are copied to the end of an exact allocation, so that a sanitizer
 * sees a read beyond them. */
static inline enum haul_code column_put(struct column_in *in, const void *bytes, size_t length)
{
    uint8_t *exact = malloc(length ? length : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    in->decoder.misfit = NULL;
    enum haul_code code = in->decoder.decode(&in->decoder, exact, (uint32_t)length, &in->err);
    free(exact);
    return code;
}

static inline void column_close(struct column_in *in)
{
    pg_decoder_release(&in->decoder);
    builder_release(&in->builder);
}

/* What was put so far, one value a line. */
static inline void assert_column(struct column_in *in, const char *lines)
{
    struct ArrowArray array = {0};
    struct view view;
    struct buffer text = {0};
    assert_int_equal(builder_finish(&in->builder, &array, &in->err), HAUL_OK);
    assert_int_equal(view_init(&view, &in->field, &array, &in->err), HAUL_OK);
    for (int64_t i = 0; i < array.length; i++) {
        assert_int_equal(view_print(&view, i, &text, &in->err), HAUL_OK);
        assert_int_equal(buffer_append(&text, "\n", 1, &in->err), HAUL_OK);
    }
    assert_int_equal(buffer_append(&text, "", 1, &in->err), HAUL_OK);
    assert_string_equal((const char *)text.data, lines);
    buffer_release(&text);
    array.release(&array);
}

#endif
