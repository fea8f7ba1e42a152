/* scan_choice_any.c: on machines without a loop of their own the portable one
 * stays. */
#include "format/csv/scan.h"

void csv_scan_choose(struct csv_scan *scan, const struct cpu_features *cpu)
{
    (void)scan;
    (void)cpu;
}
