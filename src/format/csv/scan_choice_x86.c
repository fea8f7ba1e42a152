/* scan_choice_x86.c: on x86-64 the AVX2 loop runs where the processor has what
 * it needs. Compiled without special flags, so that asking is always safe. */
#include "format/csv/scan.h"

void csv_scan_choose(struct csv_scan *scan, const struct cpu_features *cpu)
{
    if (!cpu->avx2 || !cpu->pclmul || !cpu->bmi2)
        return;
    scan->fields = csv_scan_fields_avx2;
    scan->records = csv_scan_records_avx2;
}
