/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux on PCs: where its parts go, and what the loader says in the setup header.  The parts are items of fw_cfg.
 * Source: Linux, Documentation/x86/boot.rst (boot protocol 2.15).
 */
#include "board/x86_kernel.h"

#include "base/bytes.h"
#include "dev/firmware/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the setup header. */
enum { SETUP_SECTS = 0x1f1, VID_MODE = 0x1fa, HEADER = 0x202, VERSION = 0x206, TYPE_OF_LOADER = 0x210, LOADFLAGS = 0x211,
       RAMDISK_IMAGE = 0x218, RAMDISK_SIZE = 0x21c, HEAP_END_PTR = 0x224, CMD_LINE_PTR = 0x228, INITRD_ADDR_MAX = 0x22c,
       CMDLINE_SIZE = 0x238, LEAST = 0x250 };
/* The old way to tell the command line. */
enum { CL_MAGIC = 0x20, CL_OFFSET = 0x22, CL_MAGIC_VALUE = 0xa33f };
enum { LOADED_HIGH = 1, CAN_USE_HEAP = 0x80, LOADER_QEMU = 0xb0 };
enum { SECTOR = 512, HEAP = 0x200 };

struct linux_kernel {
    struct x86_kernel *k;
    uint8_t *setup; /* a copy, whose header is filled in */
    size_t setup_len;
    uint16_t version;
    bool high;
    uint32_t setup_at, cmdline_at, kernel_at;
    const char *cmdline;
};

extern const uint8_t x86_linuxboot_rom[], x86_linuxboot_rom_end[];

bool x86_linux_is(const struct image *img)
{
    return img->len > LEAST && get_le16(img->data + 0x1fe) == 0xaa55 && memcmp(img->data + HEADER, "HdrS", 4) == 0;
}

/* Setup code and command line below 640 KiB, the kernel from 1 MiB on; old ones keep to what they know. */
static void lay_out(struct linux_kernel *l)
{
    size_t cmdline = strlen(l->cmdline) + 1;

    l->kernel_at = l->high ? 0x100000 : 0x10000;
    l->setup_at = l->high && l->version >= 0x202 ? 0x10000 : 0x90000;
    l->cmdline_at = l->setup_at == 0x10000 ? 0x20000 : (0x9a000 - (uint32_t)cmdline) & ~15u;
}

static int check(struct linux_kernel *l, const struct image *img, struct err *e)
{
    const char *name = l->k->c->kernel;
    size_t most = l->version >= 0x206 ? get_le32(l->setup + CMDLINE_SIZE) : 255;

    if (most > 0xffff)
        most = 0xffff;
    if (strlen(l->cmdline) > most)
        return err_set(e, -EINVAL, "-append: %zu characters, kernel '%s' takes %zu", strlen(l->cmdline), name, most);
    if (img->len - l->setup_len > l->k->low - X86_TOP_RESERVED - l->kernel_at || l->k->low < 4 * MiB)
        return err_set(e, -E2BIG, "could not load kernel '%s': it does not fit into memory (-m)", name);
    if (!l->high && img->len - l->setup_len > l->setup_at - l->kernel_at)
        return err_set(e, -E2BIG, "could not load kernel '%s': %zu bytes are too many for a zImage", name, img->len);
    return 0;
}

/* vga= is the loader's to understand. */
static void set_vid_mode(struct linux_kernel *l)
{
    const char *vga = strstr(l->cmdline, "vga=");
    uint16_t mode;

    if (!vga)
        return;
    vga += 4;
    mode = strncmp(vga, "normal", 6) == 0 ? 0xffff
           : strncmp(vga, "ext", 3) == 0  ? 0xfffe
           : strncmp(vga, "ask", 3) == 0  ? 0xfffd
                                          : (uint16_t)strtoul(vga, NULL, 0);
    put_le16(l->setup + VID_MODE, mode);
}

static void fill_header(struct linux_kernel *l)
{
    uint8_t *h = l->setup;

    h[TYPE_OF_LOADER] = LOADER_QEMU;
    if (l->version >= 0x201) {
        h[LOADFLAGS] |= CAN_USE_HEAP;
        put_le16(h + HEAP_END_PTR, l->cmdline_at - l->setup_at - HEAP > 0xfffe - HEAP
                                       ? 0xfffe - HEAP
                                       : l->cmdline_at - l->setup_at - HEAP);
    }
    if (l->version >= 0x202) {
        put_le32(h + CMD_LINE_PTR, l->cmdline_at);
    } else {
        put_le16(h + CL_MAGIC, CL_MAGIC_VALUE);
        put_le16(h + CL_OFFSET, l->cmdline_at - l->setup_at);
    }
    set_vid_mode(l);
}

/* As high as the kernel allows and memory is, below what firmware keeps for itself. */
static int add_initrd(struct linux_kernel *l, uint64_t kernel_end, struct err *e)
{
    const char *name = l->k->c->initrd;
    uint64_t most = l->version >= 0x203 ? (uint64_t)get_le32(l->setup + INITRD_ADDR_MAX) + 1 : 0x38000000, at;
    struct image img;

    if (!name)
        return 0;
    if (image_open(&img, name, e) < 0)
        return err_wrap(e, e->code, "-initrd");
    most = min_u64(most, l->k->low - X86_TOP_RESERVED);
    if (img.len > most || (at = round_down(most - img.len, 4096)) < kernel_end) {
        err_set(e, -E2BIG, "-initrd: '%s' has %zu bytes, which do not fit into memory beside the kernel (-m)", name,
                img.len);
    } else {
        put_le32(l->setup + RAMDISK_IMAGE, (uint32_t)at);
        put_le32(l->setup + RAMDISK_SIZE, (uint32_t)img.len);
        x86_piece_set(l->k, X86_INITRD, at, img.data, img.len);
    }
    image_free(&img);
    return e->code;
}

static int load(struct linux_kernel *l, const struct image *img, struct err *e)
{
    lay_out(l);
    if (check(l, img, e) < 0)
        return e->code;
    fill_header(l);
    if (add_initrd(l, l->kernel_at + (img->len - l->setup_len), e) < 0)
        return e->code;
    x86_piece_set(l->k, X86_CMDLINE, l->cmdline_at, l->cmdline, strlen(l->cmdline) + 1);
    x86_piece_set(l->k, X86_KERNEL, l->kernel_at, img->data + l->setup_len, img->len - l->setup_len);
    x86_piece_set(l->k, X86_SETUP, l->setup_at, l->setup, l->setup_len);
    l->k->rom = "/rom@genroms/linuxboot_dma.bin";
    return x86_rom_offer(l->k, "genroms/linuxboot_dma.bin", x86_linuxboot_rom, x86_linuxboot_rom_end, e);
}

int x86_linux_load(struct x86_kernel *k, const struct image *img, struct err *e)
{
    struct linux_kernel l = {.k = k, .cmdline = k->c->append ? k->c->append : ""};
    unsigned sects = img->data[SETUP_SECTS] ? img->data[SETUP_SECTS] : 4;

    l.version = get_le16(img->data + VERSION);
    l.setup_len = (sects + 1) * SECTOR;
    if (l.setup_len >= img->len || l.setup_len < LEAST)
        return err_set(e, -EINVAL, "could not load kernel '%s': it is cut short", k->c->kernel);
    if (l.version < 0x200)
        return err_set(e, -ENOTSUP, "could not load kernel '%s': boot protocol %u.%02u is too old, want 2.00 or newer",
                       k->c->kernel, l.version >> 8, l.version & 0xff);
    l.high = img->data[LOADFLAGS] & LOADED_HIGH;
    if (!(l.setup = malloc(l.setup_len)))
        fatal("out of memory");
    memcpy(l.setup, img->data, l.setup_len);
    load(&l, img, e);
    free(l.setup);
    return e->code;
}
