/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of ACPI tables (acpi.h). */
#include "board/acpi.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 36, HEADER_LENGTH = 4, HEADER_CHECKSUM = 9, RSDP_LEN = 36 };

/* struct of the loader script: 128 bytes each. */
enum { ENTRY = 128, NAME = 56 };
enum { DO_ALLOCATE = 1, DO_ADD_POINTER = 2, DO_ADD_CHECKSUM = 3, DO_WRITE_POINTER = 4 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

static const char tables_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp",
                  loader_file[] = "etc/table-loader";

static void put_name(uint8_t *at, const char *name)
{
    memcpy(at, name, strlen(name));
}

static void allocate(struct acpi *a, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t x[ENTRY] = {0};

    put_le32(x, DO_ALLOCATE);
    put_name(x + 4, file);
    put_le32(x + 4 + NAME, align);
    x[4 + NAME + 4] = zone;
    bytes_put(&a->loader, x, sizeof(x));
}

/* The field of @file gets the address of @to added. */
static void add_pointer_to(struct acpi *a, const char *file, const char *to, uint32_t off, uint8_t size)
{
    uint8_t x[ENTRY] = {0};

    put_le32(x, DO_ADD_POINTER);
    put_name(x + 4, file);
    put_name(x + 4 + NAME, to);
    put_le32(x + 4 + 2 * NAME, off);
    x[4 + 2 * NAME + 4] = size;
    bytes_put(&a->loader, x, sizeof(x));
}

static void add_pointer(struct acpi *a, const char *file, uint32_t off, uint8_t size)
{
    add_pointer_to(a, file, tables_file, off, size);
}

static void write_pointer(struct acpi *a, const char *file, const char *to, uint8_t size)
{
    uint8_t x[ENTRY] = {0};

    put_le32(x, DO_WRITE_POINTER);
    put_name(x + 4, file);
    put_name(x + 4 + NAME, to);
    x[4 + 2 * NAME + 8] = size; /* both offsets are 0 */
    bytes_put(&a->loader, x, sizeof(x));
}

static void add_checksum(struct acpi *a, const char *file, uint32_t off, uint32_t start, uint32_t len)
{
    uint8_t x[ENTRY] = {0};

    put_le32(x, DO_ADD_CHECKSUM);
    put_name(x + 4, file);
    put_le32(x + 4 + NAME, off);
    put_le32(x + 4 + NAME + 4, start);
    put_le32(x + 4 + NAME + 8, len);
    bytes_put(&a->loader, x, sizeof(x));
}

static void padded(char *to, const char *text, size_t len)
{
    memset(to, ' ', len);
    memcpy(to, text, min_u64(strlen(text), len));
}

void acpi_init(struct acpi *a, const char *oem_id, const char *oem_table_id)
{
    *a = (struct acpi){0};
    padded(a->oem_id, oem_id ? oem_id : "BOCHS", sizeof(a->oem_id));
    padded(a->oem_table_id, oem_table_id ? oem_table_id : "BXPC", sizeof(a->oem_table_id));
    allocate(a, tables_file, 64, ZONE_HIGH);
}

size_t acpi_table(struct acpi *a, const char *signature, uint8_t revision)
{
    struct bytes *b = &a->tables;
    size_t start;

    bytes_zero_put(b, -b->len & 7);
    start = b->len;
    bytes_put(b, signature, 4);
    bytes_le(b, 0, 4);
    bytes_le(b, revision, 2); /* and the checksum, later */
    bytes_put(b, a->oem_id, 6);
    bytes_put(b, a->oem_table_id, 8);
    bytes_le(b, 1, 4);
    bytes_put(b, "BXPC", 4); /* who made it */
    bytes_le(b, 1, 4);
    if (memcmp(signature, "DSDT", 4) == 0)
        a->dsdt = start;
    else if (memcmp(signature + 1, "SDT", 3) != 0 && a->n < ARRAY_LEN(a->table))
        a->table[a->n++] = start;
    return start;
}

/* Firmware computes checksums after it has filled in addresses. */
void acpi_table_end(struct acpi *a, size_t start)
{
    size_t len = a->tables.len - start;

    put_le32(a->tables.data + start + HEADER_LENGTH, len);
    add_checksum(a, tables_file, start + HEADER_CHECKSUM, start, len);
}

void acpi_add_table(struct acpi *a, const uint8_t *table, size_t len)
{
    size_t start;

    bytes_zero_put(&a->tables, -a->tables.len & 7);
    start = a->tables.len;
    bytes_put(&a->tables, table, len);
    a->tables.data[start + HEADER_CHECKSUM] = 0;
    if (a->n < ARRAY_LEN(a->table))
        a->table[a->n++] = start;
    acpi_table_end(a, start);
}

void acpi_pointer(struct acpi *a, size_t off, unsigned size, size_t to)
{
    uint8_t le[8];

    put_le64(le, to);
    memcpy(a->tables.data + off, le, size);
    add_pointer(a, tables_file, off, size);
}

void acpi_file(struct acpi *a, const char *file, uint32_t align)
{
    allocate(a, file, align, ZONE_HIGH);
}

void acpi_file_pointer(struct acpi *a, size_t off, unsigned size, const char *file)
{
    add_pointer_to(a, tables_file, file, off, size);
}

void acpi_tell_address(struct acpi *a, const char *to, const char *file)
{
    write_pointer(a, to, file, 8);
}

void acpi_gas(struct bytes *b, uint64_t addr, uint8_t width)
{
    bytes_le(b, 0, 1); /* memory */
    bytes_le(b, width, 1);
    bytes_le(b, 0, 1);
    bytes_le(b, width == 8 ? 1 : width == 16 ? 2 : width == 32 ? 3 : 4, 1);
    bytes_le(b, addr, 8);
}

void acpi_gas_io(struct bytes *b, uint16_t port, uint8_t width)
{
    bytes_le(b, 1, 1);
    bytes_le(b, width, 1);
    bytes_le(b, 0, 2); /* any size of access */
    bytes_le(b, port, 8);
}

/* XSDT or RSDT: the others' addresses, of @size bytes. */
static size_t add_list(struct acpi *a, const char *signature, unsigned size)
{
    unsigned n = a->n;
    size_t start = acpi_table(a, signature, 1);

    bytes_zero_put(&a->tables, size * n);
    for (unsigned i = 0; i < n; i++)
        acpi_pointer(a, start + HEADER + size * i, size, a->table[i]);
    acpi_table_end(a, start);
    return start;
}

static void pad(struct bytes *b, size_t len)
{
    if (b->len < len)
        bytes_zero_put(b, len - b->len);
}

void acpi_free(struct acpi *a)
{
    free(a->tables.data);
    free(a->loader.data);
}

int acpi_publish(struct acpi *a, struct dev *fw_cfg, struct err *e)
{
    uint8_t rsdp[RSDP_LEN] = "RSD PTR ";
    size_t xsdt = add_list(a, "XSDT", 8), rsdt = a->rsdt ? add_list(a, "RSDT", 4) : 0;
    int r;

    memcpy(rsdp + 9, a->oem_id, 6);
    rsdp[15] = 2;
    put_le32(rsdp + 16, rsdt);
    put_le32(rsdp + 20, RSDP_LEN);
    put_le64(rsdp + 24, xsdt);
    allocate(a, rsdp_file, 16, ZONE_FSEG);
    add_pointer(a, rsdp_file, 24, 8);
    if (a->rsdt)
        add_pointer(a, rsdp_file, 16, 4);
    add_checksum(a, rsdp_file, 8, 0, 20);
    add_checksum(a, rsdp_file, 32, 0, RSDP_LEN);
    pad(&a->tables, a->pad);
    pad(&a->loader, a->pad_loader);
    if ((r = fw_cfg_set_file(fw_cfg, tables_file, a->tables.data, a->tables.len, e)) == 0 &&
        (r = fw_cfg_set_file(fw_cfg, rsdp_file, rsdp, sizeof(rsdp), e)) == 0)
        r = fw_cfg_set_file(fw_cfg, loader_file, a->loader.data, a->loader.len, e);
    acpi_free(a);
    return r;
}
