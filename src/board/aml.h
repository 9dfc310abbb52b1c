/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing AML, the byte code of ACPI tables, and tables of numbers.  Source: ACPI Specification 6.3, chapter 20
 * (AML), 6.4 (resources).
 *
 *     size_t dev = aml_device(b, "RTC0");
 *     aml_name_string(b, "_HID", "ARMH0031");
 *     aml_close(b, dev);
 */
#ifndef BOARD_AML_H
#define BOARD_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct bytes - a growing buffer; free(data) at the end. */
struct bytes {
    uint8_t *data;
    size_t len, cap;
};
void bytes_put(struct bytes *b, const void *p, size_t len);
void bytes_zero_put(struct bytes *b, size_t len);
void bytes_le(struct bytes *b, uint64_t v, unsigned size);

/* Things with a length: closed by aml_close with what opening gave. */
size_t aml_scope(struct bytes *b, const char *name); /* "\\_SB" or four letters */
size_t aml_device(struct bytes *b, const char *name);
size_t aml_method(struct bytes *b, const char *name, unsigned args, bool serialized);
size_t aml_package(struct bytes *b, unsigned elements);
size_t aml_if(struct bytes *b);   /* the condition follows */
size_t aml_else(struct bytes *b); /* right after the If was closed */
void aml_close(struct bytes *b, size_t open);

/** aml_name - Name (@name, ...): the value follows.  The others: with it. */
void aml_name(struct bytes *b, const char *name);
void aml_name_int(struct bytes *b, const char *name, uint64_t v);
void aml_name_string(struct bytes *b, const char *name, const char *v);
void aml_int(struct bytes *b, uint64_t v);
void aml_string(struct bytes *b, const char *v);
/** aml_path - a name that is used: one to three segments, "PCI0", "\\_SB.PCI0", "^S28.PCNT" (from the parent on). */
void aml_path(struct bytes *b, const char *path);
void aml_op(struct bytes *b, uint8_t op);
/** aml_eisa - "PNP0A08" as the number that it is short for. */
uint32_t aml_eisa(const char *id);
/** aml_buffer - Buffer () {bytes}. */
void aml_buffer(struct bytes *b, const void *p, size_t len);
/** aml_uuid - as ToUUID ("33DB4D5B-1FF7-...") . */
void aml_uuid(struct bytes *b, const char *text);

/** aml_region - OperationRegion (@name, @space, @at, @len).  aml_field - its parts follow, each by aml_bits (@name NULL: skipped); aml_close. */
enum aml_region_space { AML_SYSTEM_MEMORY, AML_SYSTEM_IO, AML_PCI_CONFIG };
void aml_region(struct bytes *b, const char *name, enum aml_region_space space, uint64_t at, uint32_t len);
size_t aml_field(struct bytes *b, const char *region, unsigned access_bytes);
/** aml_field_zeros - the same; bits of a part that are not written are 0, not what they were. */
size_t aml_field_zeros(struct bytes *b, const char *region, unsigned access_bytes);
void aml_bits(struct bytes *b, const char *name, unsigned bits);
/** aml_mutex, aml_acquire, aml_release - a lock that methods wait for as long as it takes. */
void aml_mutex(struct bytes *b, const char *name);
void aml_acquire(struct bytes *b, const char *name);
void aml_release(struct bytes *b, const char *name);
size_t aml_while(struct bytes *b); /* the condition follows */

/* What methods often say.  aml_set - @name = @v.  aml_set_to - @name = object @op (AML_ARG0 ...).  aml_is - the condition @name == @v.
 * aml_notify - Notify (@path, @v).  aml_return - an integer. */
void aml_set(struct bytes *b, const char *name, uint64_t v);
void aml_set_to(struct bytes *b, const char *name, uint8_t op);
void aml_is(struct bytes *b, const char *name, uint64_t v);
void aml_notify(struct bytes *b, const char *path, uint64_t v);
void aml_return(struct bytes *b, uint64_t v);

/* _CRS and the like: resources between aml_resources and aml_resources_end. */
size_t aml_resources(struct bytes *b, const char *name);
void aml_resources_end(struct bytes *b, size_t open);
void aml_memory32(struct bytes *b, uint32_t base, uint32_t len);
/** aml_interrupt - level, active high, or edge. */
void aml_interrupt(struct bytes *b, uint32_t gsi, bool edge);

/** aml_irqs - @n of them, level-triggered, active high, shared: those that a link can be set to. */
void aml_irqs(struct bytes *b, const uint32_t *gsi, unsigned n);
/** aml_io - @len ports at @base.  aml_irq - of ISA: edge, active high.  aml_dma - channel 0 to 3, compatible. */
void aml_io(struct bytes *b, uint16_t base, uint8_t len);
void aml_irq(struct bytes *b, unsigned n);
void aml_dma(struct bytes *b, unsigned channel);

enum aml_space { AML_MEMORY, AML_IO, AML_BUS };
/** aml_window - addresses that a bridge passes on; @offset is added to get the CPU's address.  @size: of the descriptor's numbers. */
void aml_window(struct bytes *b, enum aml_space space, unsigned size, uint64_t first, uint64_t last,
                uint64_t offset);

enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_LOCAL0 = 0x60,
    AML_ARG0 = 0x68,
    AML_STORE = 0x70,
    AML_ADD = 0x72,
    AML_INCREMENT = 0x75,
    AML_SHIFT_LEFT = 0x79,
    AML_AND = 0x7b,
    AML_OR = 0x7d,
    AML_NOTIFY = 0x86,
    AML_INDEX = 0x88,
    AML_CREATE_DWORD = 0x8a,
    AML_LNOT = 0x92,
    AML_LEQUAL = 0x93,
    AML_LLESS = 0x95,
    AML_RETURN = 0xa4,
    AML_ONES = 0xff,
};

#endif
