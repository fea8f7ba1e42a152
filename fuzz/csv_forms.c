/*
 * csv_forms: a pattern or a pair of points, and a text in that form.
 *
 * Options are taken or refused with a sentence. What is read is a canonical text:
 * of a date or moment always, and it fits its room; of a number, when it is one,
 * without the thousands.
 */
#include "fuzz.h"

#include "base/calendar.h"
#include "format/csv/forms.h"

#define TEXT_BYTES_MAX 256

static const struct haul_option table[] = {
    {.name = "date-format", .kind = HAUL_OPTION_TEXT},
    {.name = "timestamp-format", .kind = HAUL_OPTION_TEXT},
    {.name = "decimal-point", .kind = HAUL_OPTION_TEXT},
    {.name = "thousands", .kind = HAUL_OPTION_TEXT},
};

static void check(const struct csv_forms *forms, enum csv_form form, const char *text, size_t length)
{
    char out[CSV_FORM_BYTES];
    int64_t value;
    struct calendar_zone zone;
    size_t made = csv_form_read(forms, form, text, length, out);
    must(made <= sizeof out);
    if (made && form == CSV_FORM_DATE)
        must(calendar_parse_date(out, made, &value));
    if (made && form == CSV_FORM_TIMESTAMP)
        must(calendar_parse_moment(out, made, TIME_MICRO, &value, &zone) ||
             calendar_parse_moment(out, made, TIME_NANO, &value, &zone) || made > 26);
    if (form == CSV_FORM_NUMBER)
        must(made <= length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char words[6][TEXT_BYTES_MAX] = {{0}};
    size_t word = 0, at = 0;
    for (size_t i = 0; i < length && word < 6; i++) { /* a word a line: four options, then a text */
        bool end = word < 4 && data[i] == '\n';
        if (!end && at + 1 < TEXT_BYTES_MAX && data[i])
            words[word][at++] = (char)data[i];
        word += end;
        at = end ? 0 : at;
    }
    struct settings settings = {0};
    struct haul_error err = {0};
    must(settings_init(&settings, table, sizeof table / sizeof *table, &err) == HAUL_OK);
    for (size_t i = 0; i < 4; i++)
        if (words[i][0])
            must(settings_set(&settings, table[i].name, words[i], &err) == HAUL_OK);
    struct csv_forms forms;
    must_be_told(csv_forms_init(&forms, &settings, &err), &err);
    for (enum csv_form form = CSV_FORM_DATE; !err.code && form <= CSV_FORM_NUMBER; form++) {
        bool said = form == CSV_FORM_NUMBER || (form == CSV_FORM_DATE ? forms.date[0] : forms.timestamp[0]);
        if (said)
            check(&forms, form, words[4], strlen(words[4]));
    }
    settings_release(&settings);
    return 0;
}
