/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Cirrus Logic CL-GD5446, a VGA with a BitBLT engine, a cursor and modes of 8 to 32 bits a pixel: what its files share.
 * Source: Cirrus Logic, CL-GD5446 Technical Reference Manual (1996); its register names (SR, GR, CR, HDR) are used here.
 * Under the machine's lock.
 */
#ifndef DEV_DISPLAY_CIRRUS_H
#define DEV_DISPLAY_CIRRUS_H

#include "dev/display/cirrus_blt.h"
#include "dev/display/vga.h"
#include "dev/pci/pci.h"

enum { CIRRUS_SRS = 32, CIRRUS_GRS = 64, CIRRUS_CRS = 64, CIRRUS_BAR = 32 << 20, CIRRUS_BLT_AREA = 16 << 20, CIRRUS_REGS = 4096 };
enum { SR_UNLOCK = 6, SR_MODE7 = 7, SR_DRAM = 0xf, SR_CURSOR_X = 0x10, SR_CURSOR_Y, SR_CURSOR, SR_PATTERN, SR_MEMORY = 0x15, SR_CONFIG = 0x17 };
enum { GR_BG, GR_FG, GR_BANK0 = 9, GR_BANK1, GR_EXT, GR_BLT_START = 0x31 };

struct cirrus {
    struct pci_dev pci;
    struct vga vga;
    uint8_t sr[CIRRUS_SRS], gr[CIRRUS_GRS], cr[CIRRUS_CRS]; /* those that the VGA has not; GR0, GR1 and GR5 with all bits */
    uint8_t sr_index, gr_index, cr_index, cursor_low[2];    /* cursor_low: lowest three bits of SR10 and SR11, which are the index's highest */
    uint8_t hidden, dac_reads, extra[6];                    /* HDR; reads of 3C6 in a row; the cursor's colours 0 and 1 */
    uint8_t blitter;                                        /* the CPU's writes go to @blt */
    struct blt blt;

    struct mem lfb, lfb_slow, lfb_regs, area;  /* BAR 0: memory; over it what must be seen; the engine's 4 MiB */
    struct mem low, bank[2], low_regs, regs;   /* at A0000; the engine's registers at B8000; BAR 1 */
    uint32_t bank_at[2];
    bool bank_on;
    uint8_t shown[64 * 16]; /* the cursor's pattern as it was drawn */
};

static inline struct cirrus *cirrus_of(struct vga *v)
{
    return (struct cirrus *)((char *)v - offsetof(struct cirrus, vga));
}

/* cirrus_mem.c */
void cirrus_mem_init(struct cirrus *c);
/** cirrus_map - what registers say of the memory that the CPU sees. */
void cirrus_map(struct cirrus *c);

/* cirrus_regs.c */
extern const struct vga_ext cirrus_ext;
uint8_t cirrus_blt_read(const struct cirrus *c, unsigned off); /* by its place in the memory-mapped block */
void cirrus_blt_write(struct cirrus *c, unsigned off, uint8_t value);
void cirrus_feed(struct cirrus *c, uint8_t byte);
/** cirrus_blt_setup - the operation that registers describe; what was fed so far is lost. */
void cirrus_blt_setup(struct cirrus *c);

/* cirrus_draw.c */
bool cirrus_view(struct vga *v, struct fb *fb);

#endif
