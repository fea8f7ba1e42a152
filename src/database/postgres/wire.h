/* wire.h: numbers as PostgreSQL sends them: big-endian; read.c, decode*.c and
 * encode*.c alone. The machine is little-endian. */
#ifndef HAUL_DATABASE_POSTGRES_WIRE_H
#define HAUL_DATABASE_POSTGRES_WIRE_H

#include <stdint.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define WIRE_EPOCH_DAYS   10957
#define WIRE_EPOCH_MICROS INT64_C(946684800000000)
#define WIRE_DAY_MICROS   INT64_C(86400000000)

/* Signs of a numeric. */
#define WIRE_NUMERIC_POSITIVE 0x0000
#define WIRE_NUMERIC_NEGATIVE 0x4000

static inline uint16_t wire_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}
static inline uint32_t wire_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}
static inline uint64_t wire_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}
static inline uint8_t *wire_put_u16(uint8_t *at, uint16_t value)
{
    value = __builtin_bswap16(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}
static inline uint8_t *wire_put_u32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}
static inline uint8_t *wire_put_u64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

#endif
