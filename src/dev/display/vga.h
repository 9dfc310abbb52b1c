/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA: registers, planes and what they make of the screen, without the bus that it sits on (vga_pci.c, isa_vga.c).
 *
 * Video memory is one piece of guest RAM.  Byte p of plane n is vram[4 * p + n]; in chain-4 modes the guest's address is the
 * place in vram, so that what is linear to the guest is memory to its CPU.
 *
 * Under the machine's lock.  Sources: IBM PS/2 Hardware Interface Technical Reference, Video Subsystem (1992); FreeVGA project, VGA
 * chipset reference; the VBE DISPI interface as Bochs documents it.
 */
#ifndef DEV_DISPLAY_VGA_H
#define DEV_DISPLAY_VGA_H

#include "bus/dev.h"
#include "bus/machine.h"
#include "dev/display/edid.h"
#include "dev/display/framebuffer.h"
#include "ui/display.h"

/* Indices of the VBE DISPI interface. */
enum {
    DISPI_ID,
    DISPI_XRES,
    DISPI_YRES,
    DISPI_BPP,
    DISPI_ENABLE,
    DISPI_BANK,
    DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT,
    DISPI_X_OFFSET,
    DISPI_Y_OFFSET,
    DISPI_MEMORY_64K,
    DISPI_NUM
};
enum { DISPI_ENABLED = 1, DISPI_GETCAPS = 2, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40, DISPI_NOCLEAR = 0x80 };

/** struct dispi - the registers, and what they make of a memory of @size bytes. */
struct dispi {
    uint16_t reg[DISPI_NUM];
    uint32_t size;
    uint32_t stride, start; /* bytes; bpp 4: of one plane */
};

void dispi_reset(struct dispi *d, uint32_t size);
uint16_t dispi_read(const struct dispi *d, unsigned index);
/** dispi_write - true: the memory is to be cleared (a mode was set, without DISPI_NOCLEAR). */
bool dispi_write(struct dispi *d, unsigned index, uint16_t v);
/** dispi_loaded - registers have come from a stream: make them legal, derive the rest. */
void dispi_loaded(struct dispi *d);
static inline bool dispi_on(const struct dispi *d)
{
    return d->reg[DISPI_ENABLE] & DISPI_ENABLED;
}
/** dispi_view - a mode of 8 bits or more, as a frame buffer; false: it is none. */
bool dispi_view(const struct dispi *d, struct fb *fb);
extern const struct state dispi_state[];

struct vga;

/** struct vga_ext - what a chip has beyond the VGA: each says false for what is the VGA's.  It has no DISPI. */
struct vga_ext {
    bool (*read)(struct vga *v, unsigned port, bool debug, uint8_t *value);
    bool (*write)(struct vga *v, unsigned port, uint8_t value); /* false: the VGA has it, too */
    bool (*view)(struct vga *v, struct fb *fb);                 /* a mode of its own, as a frame buffer */
};

struct vga {
    struct dev *dev;
    const struct vga_ext *ext; /* NULL: a plain one */
    struct machine *m;
    struct ram *vram;
    uint32_t size;
    struct console *console;
    struct fb fb; /* linear modes */
    struct dispi dispi;
    struct edid_info edid_info;
    bool edid, mmio; /* properties */
    uint64_t vram_mb;

    uint8_t misc, feature;
    uint8_t sr_index, sr[8], gr_index, gr[16], cr_index, cr[32], ar_index, ar[32];
    bool ar_data; /* the next write to 3C0 is data */
    uint8_t dac_mask, dac_read, dac_write, dac_sub, dac_state, dac_cache[3], palette[768];
    uint8_t latch[4];
    uint16_t dispi_index;

    /* The window at A0000: one of the two, or none. */
    struct mem window, slow, fast; /* window: container of 128 KiB; fast: an alias of vram_mem */
    struct mem vram_mem;
    struct vga_ports {
        struct vga *v;
        unsigned at;
        struct mem mem;
    } ports[4];
    struct mem dispi_ports;
    uint32_t fast_at; /* what fast shows now */
    uint32_t win_base, win_size;
    bool win_fast;

    /* What was drawn last. */
    bool redraw;
    uint32_t drawn_phase;
    uint32_t colors[256]; /* as pixels, by the DAC's index */
};

#define VGA_FIELDS(type, m)                                                                                   \
    FIELD(type, m.vram_mb, F_U64, "vgamem_mb", "16", "video memory in MiB, 1 to 512, a power of two"),       \
        FIELD(type, m.edid, F_BOOL, "edid", "on", "the monitor says what it can"),                           \
        FIELD(type, m.edid_info.xres, F_U64, "xres", "0", "preferred width"),                                \
        FIELD(type, m.edid_info.yres, F_U64, "yres", "0", "preferred height"),                               \
        FIELD(type, m.edid_info.xmax, F_U64, "xmax", "0", "greatest width that the monitor has"),            \
        FIELD(type, m.edid_info.ymax, F_U64, "ymax", "0", "greatest height that the monitor has"),           \
        FIELD(type, m.edid_info.rate, F_U64, "refresh_rate", "0", "in millihertz")

extern const struct state vga_state[];
#define VGA_STATE(type, m)                                                                                    \
    {                                                                                                         \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1, .elem = sizeof(struct vga), \
        .since = 1, .table = vga_state                                                                        \
    }

/** vga_init - memory, window, registers, console (unless v->console is there already), from properties.  vga_fini - the reverse. */
int vga_init(struct vga *v, struct dev *d, struct err *e);
void vga_fini(struct vga *v);
void vga_reset(struct vga *v);
int vga_loaded(struct vga *v, struct err *e);
/** vga_show - the window in @mem and the ports in @io appear; vga_hide: no more. */
void vga_show(struct vga *v, struct mem *mem, struct mem *io);
void vga_hide(struct vga *v);

/** vram_new - memory called @name, or @name.1 and so on when there is one of that name. */
struct ram *vram_new(struct machine *m, const char *name, uint64_t size, struct err *e);

/* vga_regs.c: by port 3B0..3DF. */
uint8_t vga_port_read(struct vga *v, unsigned port, bool debug);
void vga_port_write(struct vga *v, unsigned port, uint8_t value);
/** vga_dispi_write - and what follows from it. */
void vga_dispi_write(struct vga *v, unsigned index, uint16_t value);
/** vga_changed - registers that the picture depends on: draw all anew.  vga_set_window - show what the registers say at A0000. */
void vga_changed(struct vga *v);
void vga_set_window(struct vga *v);
extern const struct mmio_ops vga_mem_ops; /* vga_mem.c: of the window; opaque: the VGA */
extern const struct console_source vga_console; /* vga_draw.c */

#endif
