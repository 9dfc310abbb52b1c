/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PAM and SMRAM (pam.h).  Nodes for every case are there from the start; registers switch them on and off. */
#include "dev/pc/pam.h"

#include "base/bytes.h"
#include "dev/pci/pci.h"

enum { PRIORITY = 1, PIECE = 0x4000, VGA = 0xa0000, VGA_SIZE = 0x20000, FIRST = 0xc0000, LAST = 0xf0000 };

static uint64_t hole_read(void *opaque, paddr off, struct access a)
{
    return UINT64_MAX;
}

static void hole_write(void *opaque, paddr off, uint64_t v, struct access a)
{
}

static const struct mmio_ops hole_ops = {hole_read, hole_write, .unaligned = true};

/* Reads PCI, writes RAM: by hand, since memory cannot be both. */
static uint64_t shadow_read(void *opaque, paddr off, struct access a)
{
    struct pam_segment *s = opaque;
    uint64_t v;

    return space_load(s->pam->pci_space, s->at + off, &v, a) ? v : UINT64_MAX;
}

static void shadow_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pam_segment *s = opaque;
    uint8_t b[8];

    put_le64(b, v);
    memcpy(s->pam->ram->host + s->at + off, b, a.size);
    ram_written(s->pam->m, s->pam->ram, s->at + off, a.size);
}

static const struct mmio_ops shadow_ops = {shadow_read, shadow_write};

static void add_segment(struct pam *p, unsigned i, uint32_t at, uint32_t size)
{
    struct pam_segment *s = &p->segment[i];
    struct mem *root = machine_mem(p->m);

    s->pam = p;
    s->at = at;
    mem_init_alias(&s->pci, "pam-pci", p->pci, at, size);
    mem_init_ram(&s->rom, "pam-rom", p->ram, at, size);
    s->rom.kind = MEM_ROM;
    mem_init_mmio(&s->shadow, "pam-shadow", size, &shadow_ops, s);
    s->rom.off = s->shadow.off = true;
    mem_add(root, at, &s->pci, PRIORITY);
    mem_add(root, at, &s->rom, PRIORITY);
    mem_add(root, at, &s->shadow, PRIORITY);
}

static void add_smm(struct pam *p)
{
    mem_init_container(&p->smm_root, "smm", 0);
    mem_init_alias(&p->smm_system, "memory", machine_mem(p->m), 0, 0);
    mem_add(&p->smm_root, 0, &p->smm_system, 0);
    mem_init_ram(&p->smm_vga, "smram", p->ram, VGA, VGA_SIZE);
    p->smm_vga.off = true;
    mem_add(&p->smm_root, VGA, &p->smm_vga, PRIORITY);
    p->smm = space_new(p->m, "smm", &p->smm_root);
}

void pam_init(struct pam *p, struct machine *m, struct ram *ram, uint64_t low, struct mem *pci)
{
    p->m = m;
    p->ram = ram;
    p->low = low;
    p->pci = pci;
    p->pci_space = space_new(m, "pam-pci", pci);
    mem_begin(m);
    mem_init_mmio(&p->nobody, "pci-nobody", 0x100000 - VGA, &hole_ops, p);
    mem_add(pci, VGA, &p->nobody, -1);
    mem_init_alias(&p->vga, "smram-region", pci, VGA, VGA_SIZE);
    mem_add(machine_mem(m), VGA, &p->vga, PRIORITY);
    for (unsigned i = 0; i < PAM_SEGMENTS - 1; i++)
        add_segment(p, i, FIRST + i * PIECE, PIECE);
    add_segment(p, PAM_SEGMENTS - 1, LAST, 0x100000 - LAST);
    add_smm(p);
    mem_end(m);
}

static void gone(struct mem *m)
{
    mem_remove(m);
}

void pam_fini(struct pam *p)
{
    if (!p->m)
        return;
    mem_begin(p->m);
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        gone(&p->segment[i].pci);
        gone(&p->segment[i].rom);
        gone(&p->segment[i].shadow);
    }
    gone(&p->nobody);
    gone(&p->vga);
    gone(&p->tseg_hole);
    mem_end(p->m);
    space_free(p->smm);
    space_free(p->pci_space);
}

/* Bits: 0 reads, 1 writes RAM. */
static void set_segment(struct pam_segment *s, unsigned mode)
{
    mem_enable(&s->pci, mode == 0);
    mem_enable(&s->rom, mode == 1);
    mem_enable(&s->shadow, mode == 2);
}

/* PAM0's high half is 0xf0000; then each register has two pieces, the low half first. */
void pam_set(struct pam *p, const uint8_t regs[PAM_REGS])
{
    mem_begin(p->m);
    for (unsigned i = 0; i < PAM_SEGMENTS - 1; i++)
        set_segment(&p->segment[i], regs[1 + i / 2] >> (i % 2 * 4) & 3);
    set_segment(&p->segment[PAM_SEGMENTS - 1], regs[0] >> 4 & 3);
    mem_end(p->m);
}

static void set_tseg(struct pam *p, uint64_t tseg)
{
    if (tseg > p->low)
        tseg = p->low;
    if (p->tseg_hole.parent && p->tseg_hole.size == tseg)
        return;
    gone(&p->tseg_hole);
    gone(&p->smm_tseg);
    if (!tseg)
        return;
    mem_init_mmio(&p->tseg_hole, "tseg-blackhole", tseg, &hole_ops, p);
    mem_add(machine_mem(p->m), p->low - tseg, &p->tseg_hole, PRIORITY);
    mem_init_ram(&p->smm_tseg, "smram-high", p->ram, p->low - tseg, tseg);
    mem_add(&p->smm_root, p->low - tseg, &p->smm_tseg, PRIORITY);
}

void pam_set_smram(struct pam *p, bool open, bool smm, uint64_t tseg)
{
    mem_begin(p->m);
    mem_enable(&p->vga, !open);
    mem_enable(&p->smm_vga, smm);
    set_tseg(p, tseg);
    mem_end(p->m);
}

void pam_pci_reset(struct pci_dev *d, unsigned pam0)
{
    uint8_t regs[PAM_REGS];

    memcpy(regs, d->config + pam0, sizeof(regs));
    pci_dev_reset(d);
    if (machine_wakes(d->dev.m))
        memcpy(d->config + pam0, regs, sizeof(regs));
}
