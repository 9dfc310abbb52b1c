/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration ports (pci_ports.h). */
#include "dev/pc/pci_ports.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, RC = 1 /* off ADDRESS */ };
enum { RC_CPU = 4 /* rising: reset */, RC_KEPT = 0x0a };
#define ENABLE     0x80000000u
#define WRITABLE   0x80fffffcu

static uint64_t address_read(void *opaque, paddr off, struct access a)
{
    struct pci_ports *p = opaque;

    if (off == RC && a.size == 1)
        return p->reset_control;
    return a.size == 4 ? p->address : UINT64_MAX;
}

static void write_reset_control(struct pci_ports *p, uint8_t v)
{
    p->reset_control = v & RC_KEPT;
    if (v & RC_CPU)
        machine_ask(p->m, ASK_RESET, "guest-reset");
}

/* Only a dword is this register. */
static void address_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pci_ports *p = opaque;

    if (a.size == 4)
        p->address = v & WRITABLE;
    else if (off == RC && a.size == 1)
        write_reset_control(p, v);
}

/* bus 23..16, function 15..8, register 7..2 -> bus << 20 | function << 12 | register. */
static uint32_t target(const struct pci_ports *p, paddr off)
{
    return (p->address >> 8 & 0xffff) << 12 | (p->address & 0xfc) | (uint32_t)off;
}

static uint64_t data_read(void *opaque, paddr off, struct access a)
{
    struct pci_ports *p = opaque;

    return p->address & ENABLE ? pci_root_config_read(p->root, target(p, off), a.size) : UINT64_MAX;
}

static void data_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pci_ports *p = opaque;

    if (p->address & ENABLE)
        pci_root_config_write(p->root, target(p, off), (uint32_t)v, a.size);
}

static const struct mmio_ops address_ops = {address_read, address_write, 1, 4};
static const struct mmio_ops data_ops = {data_read, data_write, 1, 4};

void pci_ports_init(struct pci_ports *p, struct machine *m, struct pci_root *root)
{
    p->m = m;
    p->root = root;
    mem_init_mmio(&p->address_mem, "pci-conf-idx", 4, &address_ops, p);
    mem_init_mmio(&p->data_mem, "pci-conf-data", 4, &data_ops, p);
    mem_add(machine_io_mem(m), ADDRESS, &p->address_mem, 0);
    mem_add(machine_io_mem(m), DATA, &p->data_mem, 0);
}

void pci_ports_reset(struct pci_ports *p)
{
    p->address = 0;
    p->reset_control = 0;
}

void pci_ports_fini(struct pci_ports *p)
{
    mem_remove(&p->address_mem);
    mem_remove(&p->data_mem);
}
