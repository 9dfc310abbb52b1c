/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of ACPI tables, and how firmware is told to put them into memory: fw_cfg files etc/acpi/tables, etc/acpi/rsdp
 * and etc/table-loader.  Sources: ACPI Specification 6.3, 5.2; edk2, OvmfPkg/Include/IndustryStandard/QemuLoader.h.
 */
#ifndef BOARD_ACPI_H
#define BOARD_ACPI_H

#include "base/err.h"
#include "board/aml.h"

struct dev;
struct json_object;

struct acpi {
    struct bytes tables, loader;
    char oem_id[6], oem_table_id[8];
    size_t table[16]; /* where each one but the first (DSDT) starts: XSDT's entries */
    unsigned n;
    size_t dsdt;
    bool rsdt;    /* for old systems: addresses of 32 bits, too */
    size_t pad;   /* etc/acpi/tables is at least so long, so that its length does not change when the tables do; 0: as long as it is */
    size_t pad_loader;
};

/** acpi_init - @oem_id, @oem_table_id: NULL for "BOCHS ", "BXPC    ", which guests have always seen. */
void acpi_init(struct acpi *a, const char *oem_id, const char *oem_table_id);
/** acpi_table - begin a table; what follows goes into a->tables.  acpi_table_end - length and checksum. */
size_t acpi_table(struct acpi *a, const char *signature, uint8_t revision);
void acpi_table_end(struct acpi *a, size_t start);
/** acpi_add_table - a whole table from elsewhere, whose length is right; its checksum is made. */
void acpi_add_table(struct acpi *a, const uint8_t *table, size_t len);
/** acpi_add_user_tables - those that the options -acpitable in @list (or NULL) ask for.  -EINVAL, -ENOSPC, "-acpitable: ...". */
int acpi_add_user_tables(struct acpi *a, struct json_object *list, struct err *e);
/** acpi_pointer - the field of @size bytes at @off of the tables gets the address of their offset @to. */
void acpi_pointer(struct acpi *a, size_t off, unsigned size, size_t to);
/** acpi_file - firmware makes room for the fw_cfg file @file, with its contents, at a multiple of @align; acpi_file_pointer: the field of @size
 * bytes at @off of the tables gets its address; acpi_tell_address: so do the first 8 bytes of the writable file @to. */
void acpi_file(struct acpi *a, const char *file, uint32_t align);
void acpi_file_pointer(struct acpi *a, size_t off, unsigned size, const char *file);
void acpi_tell_address(struct acpi *a, const char *to, const char *file);
/** acpi_gas_io - a generic address structure for ports. */
void acpi_gas_io(struct bytes *b, uint16_t port, uint8_t width);
/** acpi_gas - a generic address structure for memory; @width in bits. */
void acpi_gas(struct bytes *b, uint64_t addr, uint8_t width);
/** acpi_free - its buffers, when it is not published.  acpi_publish - XSDT (and RSDT) and RSDP, then all to fw_cfg; frees them, too. */
void acpi_free(struct acpi *a);
int acpi_publish(struct acpi *a, struct dev *fw_cfg, struct err *e);

#endif
