/*
 * bcp_format: any text as a format file, classic or XML. What is taken must print, in
 * both spellings where they can say it, and read back as the same fields.
 */
#include "fuzz.h"

#include "format/bcp/layout.h"

static bool same_fields(const struct bcp_layout *a, const struct bcp_layout *b)
{
    if (a->count != b->count || a->columns != b->columns)
        return false;
    for (int i = 0; i < a->count; i++) {
        const struct bcp_field *x = &a->fields[i], *y = &b->fields[i];
        if (x->host != y->host || x->prefix != y->prefix || x->column != y->column ||
            x->end_length != y->end_length || memcmp(x->end, y->end, x->end_length) != 0)
            return false;
    }
    return true;
}

static void again(const struct bcp_layout *layout, bool xml)
{
    struct bcp_layout back = {0};
    struct haul_error err = {0};
    struct buffer text = {0};
    enum haul_code code = xml ? bcp_xml_print(layout, &text, &err) : bcp_classic_print(layout, &text, &err);
    must_be_told(code, &err);
    if (!code) {
        code = bcp_layout_parse(text.data, text.length, &back, &err);
        must_be_told(code, &err);
        must(!code && same_fields(layout, &back));
    }
    bcp_layout_release(&back);
    buffer_release(&text);
}

/* Names and collations that no line of a classic file can hold come from XML only. */
static bool says_itself(const struct bcp_layout *layout)
{
    for (int i = 0; i < layout->count; i++) {
        const char *texts[] = {layout->fields[i].name, layout->fields[i].collation};
        for (int t = 0; t < 2; t++)
            if (!texts[t][0] ? t == 0 : strpbrk(texts[t], "\"\r\n\t \v\f") != NULL)
                return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct food food = {data, length};
    struct buffer text = food_rest(&food);
    struct bcp_layout layout = {0};
    struct haul_error err = {0};
    enum haul_code code = bcp_layout_parse(text.data, text.length, &layout, &err);
    must_be_told(code, &err);
    if (!code) {
        must(layout.count >= 1 && layout.count <= BCP_FIELDS_MAX && layout.columns <= layout.count);
        if (layout.xml) {
            again(&layout, true);
            layout.version = "14.0";
        }
        if (says_itself(&layout))
            again(&layout, false);
    }
    bcp_layout_release(&layout);
    buffer_release(&text);
    return 0;
}
