/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which CPUs and memory are near each other: SRAT and SLIT of PCs, and the same for old firmware.  Source: ACPI Specification 6.3, 5.2.16, 5.2.17. */
#include "board/pc_acpi.h"

#include "dev/firmware/fw_cfg.h"

#include <stdlib.h>

enum { ENABLED = 1, HOT_PLUGGABLE = 2, HOLE = 640 * 1024, HOLE_END = 1 << 20 };

static void add_cpu(struct pc *p, struct bytes *b, unsigned i)
{
    unsigned node = p->c->numa.cpu[i] - 1, id = pc_apic_id(p, i);

    if (id < 255) {
        bytes_le(b, 0x1000, 2); /* local APIC */
        bytes_le(b, node & 0xff, 1);
        bytes_le(b, id, 1);
        bytes_le(b, ENABLED, 4);
        bytes_le(b, 0, 1);
        bytes_le(b, node >> 8, 3);
        bytes_le(b, 0, 4);
        return;
    }
    bytes_le(b, 0x1802, 2); /* local x2APIC */
    bytes_le(b, 0, 2);
    bytes_le(b, node, 4);
    bytes_le(b, id, 4);
    bytes_le(b, ENABLED, 4);
    bytes_le(b, 0, 8);
}

static void add_range(struct bytes *b, unsigned node, uint64_t at, uint64_t end, uint32_t flags)
{
    if (at >= end)
        return;
    bytes_le(b, 0x2801, 2);
    bytes_le(b, node, 4);
    bytes_le(b, 0, 2);
    bytes_le(b, at, 8);
    bytes_le(b, end - at, 8);
    bytes_le(b, 0, 4);
    bytes_le(b, flags, 4);
    bytes_le(b, 0, 8);
}

/* Of RAM's bytes [@from, @to), without the holes between. */
static void add_memory(struct pc *p, struct bytes *b, unsigned node, uint64_t from, uint64_t to)
{
    uint64_t low = min_u64(to, p->low);

    add_range(b, node, from, min_u64(low, HOLE), ENABLED);
    add_range(b, node, max_u64(from, HOLE_END), low, ENABLED);
    if (to > p->low)
        add_range(b, node, PC_4G + max_u64(from, p->low) - p->low, PC_4G + to - p->low, ENABLED);
}

static void add_srat(struct pc *p, struct acpi *a)
{
    struct bytes *b = &a->tables;
    size_t start = acpi_table(a, "SRAT", 1);
    uint64_t at = 0;

    bytes_le(b, 1, 4);
    bytes_le(b, 0, 8);
    for (unsigned i = 0; i < p->c->max_cpus; i++)
        add_cpu(p, b, i);
    for (unsigned i = 0; i < p->c->numa.n; i++) {
        add_memory(p, b, i, at, at + p->c->numa.mem[i]);
        at += p->c->numa.mem[i];
    }
    add_range(b, p->c->numa.n - 1, p->plug_at, p->plug_at + p->plug_size, ENABLED | HOT_PLUGGABLE);
    acpi_table_end(a, start);
}

static void add_slit(struct pc *p, struct acpi *a)
{
    size_t start = acpi_table(a, "SLIT", 1);
    unsigned n = p->c->numa.n;

    bytes_le(&a->tables, n, 8);
    for (unsigned i = 0; i < n; i++)
        bytes_put(&a->tables, p->c->numa.distance[i], n);
    acpi_table_end(a, start);
}

void pc_numa_tables(struct pc *p, struct acpi *a)
{
    if (!p->c->numa.n)
        return;
    add_srat(p, a);
    add_slit(p, a);
}

/* Numbers of 64 bits: nodes; the node of each local APIC; bytes of each node. */
void pc_tell_numa(struct pc *p)
{
    unsigned ids = pc_apic_id_limit(p), n = p->c->numa.n;
    struct bytes b = {0};

    bytes_le(&b, n, 8);
    bytes_zero_put(&b, 8 * ids);
    for (unsigned i = 0; n && i < p->c->max_cpus; i++)
        put_le64(b.data + 8 + 8 * pc_apic_id(p, i), p->c->numa.cpu[i] - 1);
    for (unsigned i = 0; i < n; i++)
        bytes_le(&b, p->c->numa.mem[i], 8);
    fw_cfg_set(p->fw_cfg, FW_CFG_NUMA, b.data, b.len);
    free(b.data);
}
