/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cirrus-vga: the Cirrus Logic CL-GD5446 on PCI, 1013:00b8.  BAR 0: 32 MiB, video memory first, from 16 MiB on what the CPU brings to the
 * BitBLT engine; BAR 1: registers.  Source: cirrus.h.
 */
#include "dev/display/cirrus.h"

#include <errno.h>
#include <string.h>

enum { CLASS_VGA = 0x0300, DRAM_2M = 0x18, DRAM_4M = 0x98, CONFIG_PCI = 0x20, MCLK = 0x2d };

static struct cirrus *of(struct dev *d)
{
    return (struct cirrus *)d;
}

static int init(struct dev *d, struct err *e)
{
    struct cirrus *c = of(d);
    struct pci_bus *root = c->pci.bus->root->bus;
    int r;

    if (c->vga.vram_mb < 1 || c->vga.vram_mb > 16)
        return err_set(e, -EINVAL, "vgamem_mb=%llu: want a power of two from 1 to 16", (unsigned long long)c->vga.vram_mb);
    c->vga.ext = &cirrus_ext;
    if ((r = vga_init(&c->vga, d, e)) < 0)
        return r;
    cirrus_mem_init(c);
    pci_add_bar(&c->pci, 0, PCI_BAR_PREFETCH, &c->lfb);
    pci_add_bar(&c->pci, 1, 0, &c->regs);
    if (root->mem && root->io)
        vga_show(&c->vga, root->mem, root->io);
    return 0;
}

static void reset(struct dev *d)
{
    struct cirrus *c = of(d);

    pci_dev_reset(&c->pci);
    memset(c->sr, 0, sizeof(c->sr));
    memset(c->gr, 0, sizeof(c->gr));
    memset(c->cr, 0, sizeof(c->cr));
    memset(c->extra, 0, sizeof(c->extra));
    memset(c->cursor_low, 0, sizeof(c->cursor_low));
    c->sr_index = c->gr_index = c->cr_index = c->hidden = c->dac_reads = c->blitter = 0;
    c->sr[SR_UNLOCK] = 0x0f;
    c->sr[SR_DRAM] = c->vga.vram_mb < 4 ? DRAM_2M : DRAM_4M;
    c->sr[SR_MEMORY] = c->vga.vram_mb < 4 ? 3 : 4;
    c->sr[SR_CONFIG] = CONFIG_PCI;
    c->sr[0x1f] = MCLK;
    c->gr[0x18] = 0x0f;
    vga_reset(&c->vga);
    cirrus_map(c);
}

static void fini(struct dev *d)
{
    vga_fini(&of(d)->vga);
    pci_dev_fini(&of(d)->pci);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct cirrus *c = of(d);
    uint32_t y = c->blt.y, have = c->blt.have;
    uint8_t row[sizeof(c->blt.row)];
    int r;

    if ((r = pci_dev_loaded(&c->pci, e)) < 0 || (r = vga_loaded(&c->vga, e)) < 0)
        return r;
    if (c->blitter) { /* it waits for the CPU */
        memcpy(row, c->blt.row, sizeof(row));
        cirrus_blt_setup(c);
        blt_run(&c->blt);
        if (!(c->blt.mode & BLT_FROM_SYSTEM) || y >= c->blt.height || have >= c->blt.row_len)
            return err_set(e, -EILSEQ, "cirrus-vga: an operation that cannot be");
        memcpy(c->blt.row, row, sizeof(row));
        c->blt.y = y;
        c->blt.have = have;
    }
    if (c->cursor_low[0] > 7 || c->cursor_low[1] > 7 || c->dac_reads > 4)
        return err_set(e, -EILSEQ, "cirrus-vga: a register is out of range");
    cirrus_map(c);
    return 0;
}

static const struct field props[] = {
    PCI_FIELDS(cirrus, pci),
    FIELD(cirrus, vga.vram_mb, F_U64, "vgamem_mb", "4", "video memory in MiB, 1 to 16, a power of two"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(cirrus, pci),
    VGA_STATE(cirrus, vga),
    STATE(cirrus, sr, S_U8, 1, NULL),
    STATE(cirrus, gr, S_U8, 1, NULL),
    STATE(cirrus, cr, S_U8, 1, NULL),
    STATE(cirrus, sr_index, S_U8, 1, NULL),
    STATE(cirrus, gr_index, S_U8, 1, NULL),
    STATE(cirrus, cr_index, S_U8, 1, NULL),
    STATE(cirrus, cursor_low, S_U8, 1, "0..7"),
    STATE(cirrus, hidden, S_U8, 1, NULL),
    STATE(cirrus, dac_reads, S_U8, 1, "0..4"),
    STATE(cirrus, extra, S_U8, 1, NULL),
    STATE(cirrus, blitter, S_U8, 1, NULL),
    STATE(cirrus, blt.y, S_U32, 1, "lines that the CPU has brought"),
    STATE(cirrus, blt.have, S_U32, 1, "bytes of the next one"),
    STATE(cirrus, blt.row, S_U8, 1, NULL),
    STATE_END,
};

static const struct pci_type cirrus_pci = {
    .vendor = 0x1013, .device = 0x00b8, .class = CLASS_VGA, .revision = 0, .rom = "vgabios-cirrus.bin", .no_hotplug = true};

const struct dev_type dev_cirrus = {
    .name = "cirrus-vga",
    .help = "Cirrus CLGD 54xx VGA",
    .class = DEV_DISPLAY,
    .bus = "pci",
    .size = sizeof(struct cirrus),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .class_ops = &cirrus_pci,
};
