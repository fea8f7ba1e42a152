/*
 * leaf_type.h: one Parquet leaf <-> one Arrow type: physical, logical and
 * converted types. Specification: section 7.
 */
#ifndef HAUL_FORMAT_PARQUET_LEAF_TYPE_H
#define HAUL_FORMAT_PARQUET_LEAF_TYPE_H

#include "format/parquet/schema.h"

/* Sets type, width, precision, unit, ... of `field` (not its name), and physical,
 * type_length and refusal of `node`. Annotations that do not fit the physical
 * type are ignored. HAUL_DATA when there is no such
 * physical type. */
enum haul_code leaf_from_element(const struct schema_element *element, struct field *field, struct node *node,
                                 struct haul_error *err);

/* Sets type, type_length, converted, scale, precision and logical of `element`. */
enum haul_code leaf_to_element(const struct field *field, struct arena *arena, struct schema_element *element,
                               struct haul_error *err);

/* Bytes of a FIXED decimal of this precision. */
int leaf_decimal_bytes(int precision);

#endif
