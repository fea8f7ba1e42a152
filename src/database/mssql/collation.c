/*
 * collation.c: collation to code page (MS-TDS "Collation Rule Definition").
 *
 * A UTF-8 bit wins; then the sort order of the old SQL_ collations; then the
 * locale. Locales whose language needs no page of its own share 1252, which is
 * therefore not listed.
 */
#include "database/mssql/collation.h"

#include "base/codepage.h"
#include <stdbool.h>
#include <stddef.h>

#define UTF8_BIT     (1u << 26)
#define PAGE_DEFAULT 1252

struct sort_row {
    uint8_t first, last;
    int page;
};

static const struct sort_row sorts[] = {
    {30, 35, 437},    {40, 49, 850},    {50, 54, 1252},   {55, 61, 850},    {71, 75, 1252},
    {80, 98, 1250},   {104, 108, 1251}, {112, 124, 1253}, {128, 130, 1254}, {136, 138, 1255},
    {144, 146, 1256}, {152, 160, 1257}, {183, 186, 1252}, {192, 193, 932},  {194, 195, 949},
    {196, 197, 950},  {198, 199, 936},  {200, 200, 932},  {201, 201, 949},  {202, 202, 950},
    {203, 203, 936},  {204, 206, 874},  {210, 217, 1252},
};

struct locale_row {
    uint16_t locale;
    int page;
};

static const struct locale_row locales[] = {
    {0x041e, 874},  {0x0411, 932},  {0x0804, 936},  {0x1004, 936},  {0x0412, 949},  {0x0012, 949},
    {0x0404, 950},  {0x0c04, 950},  {0x1404, 950},  {0x7c04, 950},  {0x0405, 1250}, {0x040e, 1250},
    {0x0415, 1250}, {0x0418, 1250}, {0x041a, 1250}, {0x041b, 1250}, {0x041c, 1250}, {0x0424, 1250},
    {0x0442, 1250}, {0x081a, 1250}, {0x101a, 1250}, {0x141a, 1250}, {0x181a, 1250}, {0x0402, 1251},
    {0x0419, 1251}, {0x0422, 1251}, {0x0423, 1251}, {0x0428, 1251}, {0x042f, 1251}, {0x043f, 1251},
    {0x0440, 1251}, {0x0444, 1251}, {0x0450, 1251}, {0x046d, 1251}, {0x0485, 1251}, {0x082c, 1251},
    {0x0843, 1251}, {0x0850, 1251}, {0x0c1a, 1251}, {0x1c1a, 1251}, {0x201a, 1251}, {0x0408, 1253},
    {0x041f, 1254}, {0x042c, 1254}, {0x0443, 1254}, {0x040d, 1255}, {0x0401, 1256}, {0x0420, 1256},
    {0x0429, 1256}, {0x0480, 1256}, {0x048c, 1256}, {0x0801, 1256}, {0x0c01, 1256}, {0x1001, 1256},
    {0x1401, 1256}, {0x1801, 1256}, {0x1c01, 1256}, {0x2001, 1256}, {0x2401, 1256}, {0x2801, 1256},
    {0x2c01, 1256}, {0x3001, 1256}, {0x3401, 1256}, {0x3801, 1256}, {0x3c01, 1256}, {0x4001, 1256},
    {0x0425, 1257}, {0x0426, 1257}, {0x0427, 1257}, {0x0827, 1257}, {0x042a, 1258},
};

int ms_collation_page(const uint8_t collation[5])
{
    uint32_t info = collation[0] | (uint32_t)collation[1] << 8 | (uint32_t)collation[2] << 16 |
                    (uint32_t)collation[3] << 24;
    uint8_t sort = collation[4];
    if (info & UTF8_BIT)
        return CODEPAGE_UTF8;
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
        if (sort >= sorts[i].first && sort <= sorts[i].last)
            return sorts[i].page;
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
        if (locales[i].locale == (info & 0xffff))
            return locales[i].page;
    return PAGE_DEFAULT;
}
