/*
 * scan_avx2.c: the scan's loop with AVX2 compares, a carry-less multiplication
 * for quote parity, and BMI for taking bits apart. Compiled with its own flags;
 * nothing here runs before csv_scan_choose has seen that the machine can.
 */
#include "format/csv/scan_loop.h"

#include <immintrin.h>

CSV_INLINE uint64_t equal_mask(__m256i low, __m256i high, uint8_t byte)
{
    __m256i pattern = _mm256_set1_epi8((char)byte);
    uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, pattern));
    uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, pattern));
    return a | ((uint64_t)b << 32);
}

CSV_INLINE __m256i load(const uint8_t *block)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)block);
}

CSV_INLINE void compare_avx2(const struct csv_scan *scan, const uint8_t *block, struct csv_masks *masks)
{
    __m256i low = load(block), high = load(block + 32);
    masks->quote = scan->quote >= 0 ? equal_mask(low, high, (uint8_t)scan->quote) : 0;
    masks->escape = scan->escape >= 0 ? equal_mask(low, high, (uint8_t)scan->escape) : 0;
    if (scan->comment >= 0)
        masks->escape |= equal_mask(low, high, (uint8_t)scan->comment);
    masks->lf = equal_mask(low, high, '\n');
    masks->cr = equal_mask(low, high, '\r');
    masks->delimiter = equal_mask(low, high, scan->delimiter[0]);
    for (size_t i = 1; i < scan->delimiter_length; i++)
        masks->delimiter &= equal_mask(load(block + i), load(block + i + 32), scan->delimiter[i]);
    masks->high = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, high)) ? ~(uint64_t)0 : 0;
}

CSV_INLINE uint64_t parity_avx2(uint64_t bits)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)bits), _mm_set1_epi8((char)0xff), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* Eight at a time without asking how many there are: what is written beyond the
 * count is written over (CSV_SCAN_SLACK is the room for it). */
CSV_INLINE size_t put_avx2(uint32_t *out, uint64_t bits, size_t base)
{
    size_t count = (size_t)_mm_popcnt_u64(bits);
    for (size_t done = 0; done < count; done += 8) {
        for (size_t i = 0; i < 8; i++) {
            out[done + i] = (uint32_t)(base + _tzcnt_u64(bits));
            bits = _blsr_u64(bits);
        }
    }
    return count;
}

void csv_scan_fields_avx2(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks)
{
    scan_blocks(scan, span, marks, (struct csv_loop){compare_avx2, parity_avx2, put_avx2, true});
}

void csv_scan_records_avx2(const struct csv_scan *scan, const struct csv_span *span, struct csv_marks *marks)
{
    scan_blocks(scan, span, marks, (struct csv_loop){compare_avx2, parity_avx2, put_avx2, false});
}
