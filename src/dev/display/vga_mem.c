/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The window at A0000: planes, latches, write and read modes (FreeVGA, "Accessing the VGA Display Memory" and "Graphics Registers"; IBM PS/2
 * Hardware Interface Technical Reference, Video Subsystem, section 2).
 */
#include "dev/display/vga.h"

#include "base/bytes.h"

#include <string.h>

enum { SR_MASK = 2, SR_MODE = 4, SR_CHAIN4 = 8, SR_ODD_EVEN_OFF = 4 };
enum {
    GR_SET_RESET = 0, GR_ENABLE_SET = 1, GR_COMPARE = 2, GR_ROTATE = 3, GR_READ_PLANE = 4, GR_MODE = 5, GR_MISC = 6,
    GR_DONT_CARE = 7, GR_BIT_MASK = 8,
};
enum { GR_MODE_READ1 = 8, GR_MODE_ODD_EVEN = 0x10 };

/* Four bytes, one for each plane whose bit is set. */
static uint32_t spread(unsigned planes)
{
    static const uint32_t all[16] = {
        0, 0xff, 0xff00, 0xffff, 0xff0000, 0xff00ff, 0xffff00, 0xffffff, 0xff000000, 0xff0000ff, 0xff00ff00, 0xff00ffff,
        0xffff0000, 0xffff00ff, 0xffffff00, 0xffffffff,
    };

    return all[planes & 15];
}

static uint32_t everywhere(uint8_t byte)
{
    return byte * 0x01010101u;
}

/* Where @off in the window lies: the place of a byte (of plane 0, unless chain 4), and which planes it reaches. */
static bool place(const struct vga *v, paddr off, bool write, uint32_t *at, unsigned *planes)
{
    uint64_t p = off - v->win_base;

    if (off < v->win_base || p >= v->win_size)
        return false;
    p += (uint64_t)v->dispi.reg[DISPI_BANK] << 16;
    *planes = 15;
    if (v->sr[SR_MODE] & SR_CHAIN4) {
        *planes = 1u << (p & 3);
        *at = (uint32_t)(p & ~3ull);
    } else {
        if (write ? !(v->sr[SR_MODE] & SR_ODD_EVEN_OFF) : v->gr[GR_MODE] & GR_MODE_ODD_EVEN) {
            *planes = p & 1 ? 10 : 5;
            p &= ~1ull;
        }
        *at = (uint32_t)(p * 4);
    }
    return p < v->size && *at <= v->size - 4;
}

static uint8_t read_byte(struct vga *v, paddr off, bool debug)
{
    uint32_t at, latch, differs;
    unsigned planes, n = v->gr[GR_READ_PLANE] & 3;
    uint8_t same = 0xff;

    if (!place(v, off, false, &at, &planes))
        return 0xff;
    latch = get_le32(v->vram->host + at);
    if (!debug)
        put_le32(v->latch, latch);
    if (v->sr[SR_MODE] & SR_CHAIN4)
        n = (unsigned)__builtin_ctz(planes);
    else if (planes != 15)
        n = (n & 2) | (planes == 10);
    if (!(v->gr[GR_MODE] & GR_MODE_READ1))
        return (uint8_t)(latch >> (8 * n));
    differs = (latch ^ spread(v->gr[GR_COMPARE])) & spread(v->gr[GR_DONT_CARE]);
    for (unsigned i = 0; i < 4; i++)
        same &= (uint8_t)~(differs >> (8 * i));
    return same;
}

static uint32_t operate(const struct vga *v, uint32_t data, uint32_t latch)
{
    switch (v->gr[GR_ROTATE] >> 3 & 3) {
    case 1: return data & latch;
    case 2: return data | latch;
    case 3: return data ^ latch;
    default: return data;
    }
}

static uint8_t rotated(const struct vga *v, uint8_t byte)
{
    unsigned n = v->gr[GR_ROTATE] & 7;

    return (uint8_t)(byte >> n | byte << (8 - n));
}

/* What the four planes get, mask aside. */
static uint32_t written(const struct vga *v, uint8_t byte)
{
    uint32_t latch = get_le32(v->latch), data, mask = everywhere(v->gr[GR_BIT_MASK]);
    uint32_t forced = spread(v->gr[GR_ENABLE_SET]);

    switch (v->gr[GR_MODE] & 3) {
    case 0:
        data = (everywhere(rotated(v, byte)) & ~forced) | (spread(v->gr[GR_SET_RESET]) & forced);
        data = operate(v, data, latch);
        break;
    case 1: return latch;
    case 2: data = operate(v, spread(byte), latch); break;
    default:
        mask &= everywhere(rotated(v, byte));
        data = spread(v->gr[GR_SET_RESET]);
        break;
    }
    return (data & mask) | (latch & ~mask);
}

static void write_byte(struct vga *v, paddr off, uint8_t byte)
{
    uint32_t at, mask, old;
    unsigned planes;

    if (!place(v, off, true, &at, &planes))
        return;
    mask = spread(planes & v->sr[SR_MASK]);
    old = get_le32(v->vram->host + at);
    put_le32(v->vram->host + at, (written(v, byte) & mask) | (old & ~mask));
    ram_written(v->m, v->vram, at, 4);
}

static uint64_t mem_read(void *opaque, paddr off, struct access a)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < a.size; i++)
        value |= (uint64_t)read_byte(opaque, off + i, a.debug) << (8 * i);
    return value;
}

static void mem_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    for (unsigned i = 0; i < a.size; i++)
        write_byte(opaque, off + i, (uint8_t)(value >> (8 * i)));
}

const struct mmio_ops vga_mem_ops = {.read = mem_read, .write = mem_write, .min = 1, .max = 8, .unaligned = true};

/* Is a byte that the guest writes just that byte in memory, and one that it reads? */
static bool is_linear(const struct vga *v)
{
    return v->sr[SR_MODE] & SR_CHAIN4 && (v->sr[SR_MASK] & 15) == 15 && !(v->gr[GR_MODE] & 11) && !(v->gr[GR_ENABLE_SET] & 15) &&
           !(v->gr[GR_ROTATE] & 31) && v->gr[GR_BIT_MASK] == 0xff;
}

void vga_set_window(struct vga *v)
{
    static const struct { uint32_t base, size; } maps[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned map = v->gr[GR_MISC] >> 2 & 3;
    uint32_t base = maps[map].base, size = v->misc & 2 ? maps[map].size : 0, at = (uint32_t)v->dispi.reg[DISPI_BANK] << 16;
    bool fast = size && is_linear(v) && at + size <= v->size;

    if (v->win_base == base && v->win_size == size && v->win_fast == fast && (!fast || v->fast_at == at))
        return;
    mem_begin(v->m);
    mem_remove(&v->fast);
    v->win_base = base;
    v->win_size = size;
    v->win_fast = fast;
    v->fast_at = at;
    mem_enable(&v->slow, size > 0);
    if (fast) {
        memset(&v->fast, 0, sizeof(v->fast));
        mem_init_alias(&v->fast, "vga.window", &v->vram_mem, at, size);
        mem_add(&v->window, base, &v->fast, 1);
    }
    mem_end(v->m);
}
