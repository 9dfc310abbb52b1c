/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Multiboot kernels on PCs: where kernel and modules go, and the information structure as far as it is known before firmware runs
 * (x86_multiboot_rom.S fills in the rest).  Modules follow the kernel as a part of it, and the structure is in the place of a ramdisk:
 * firmware that starts such kernels by itself (qboot) looks for them there.  Source: Multiboot Specification 0.6.96.
 */
#include "board/x86_kernel.h"

#include "base/bytes.h"
#include "board/aml.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SEARCH = 8192, MAGIC = 0x1badb002 };
/* Flags of the header; those below 16 that we do not know must be refused. */
enum { WANTS_PAGES = 1, WANTS_MEMORY = 2, WANTS_VIDEO = 4, UNKNOWN = 0xfff8, HAS_ADDRESSES = 1 << 16 };
/* Its fields. */
enum { FLAGS = 4, CHECKSUM = 8, HEADER_ADDR = 12, LOAD_ADDR = 16, LOAD_END = 20, BSS_END = 24, ENTRY = 28, MODE_TYPE = 32,
       WIDTH = 36, HEIGHT = 40, DEPTH = 44 };
/* Fields of the information structure, and what is set in its flags. */
enum { I_FLAGS = 0, I_BOOT_DEVICE = 12, I_CMDLINE = 16, I_MODS_COUNT = 20, I_MODS = 24, I_MMAP = 48, I_LOADER = 64,
       I_VBE_CONTROL = 72, I_VBE_MODE = 76, I_FB_WIDTH = 100, I_FB_HEIGHT = 104, I_FB_BPP = 108, I_LEN = 128 };
enum { HAS_MEMORY = 1, HAS_BOOT_DEVICE = 2, HAS_CMDLINE = 4, HAS_MODULES = 8, HAS_MMAP = 0x40, HAS_LOADER = 0x200 };
enum { VBE_CONTROL_LEN = 512, VBE_MODE_LEN = 256, MODULE_LEN = 16, PAGE = 4096, TEXT_BPP = 16 };
#define FIRST_HARD_DISK 0x8000ffffu

struct multiboot {
    struct x86_kernel *k;
    const struct image *img;
    size_t header;
    struct image kernel; /* as it will be in memory */
    uint64_t at;
    uint32_t entry;
    struct bytes all, info, list; /* kernel and modules, from "at" on; at X86_INFO_AT; the modules' entries */
    unsigned n_modules;
};

extern const uint8_t x86_multiboot_rom[], x86_multiboot_rom_end[];

static uint32_t field(const struct multiboot *b, unsigned off)
{
    return get_le32(b->img->data + b->header + off);
}

/* Where the header is; 0: there is none, for it cannot be at the start of an ELF file, and elsewhere it does no harm. */
static bool find_header(const struct image *img, size_t *at)
{
    for (size_t i = 0; i + 12 <= img->len && i < SEARCH; i += 4) {
        const uint8_t *h = img->data + i;

        if (get_le32(h) == MAGIC && (uint32_t)(MAGIC + get_le32(h + FLAGS) + get_le32(h + CHECKSUM)) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

bool x86_multiboot_is(const struct image *img)
{
    size_t at;

    return find_header(img, &at);
}

/* --- The kernel ----------------------------------------------------------------------------- */

static int bad(const struct multiboot *b, struct err *e, const char *what)
{
    return err_set(e, -EINVAL, "could not load kernel '%s': %s", b->k->c->kernel, what);
}

/* The header itself says what goes where. */
static int load_by_header(struct multiboot *b, struct err *e)
{
    uint64_t load = field(b, LOAD_ADDR), before = field(b, HEADER_ADDR) - load, len, mem;

    if (field(b, HEADER_ADDR) < load || before > b->header)
        return bad(b, e, "its multiboot header is not at the address that it says");
    len = b->img->len - (b->header - before);
    if (field(b, LOAD_END)) {
        if (field(b, LOAD_END) < load || field(b, LOAD_END) - load > len)
            return bad(b, e, "it is shorter than its multiboot header says");
        len = field(b, LOAD_END) - load;
    }
    mem = field(b, BSS_END) && field(b, BSS_END) - load > len ? field(b, BSS_END) - load : len;
    if (field(b, BSS_END) && field(b, BSS_END) < load)
        return bad(b, e, "its multiboot header ends before it begins");
    if (mem > b->k->low)
        return bad(b, e, "it does not fit into memory (-m)");
    if (!(b->kernel.data = calloc(1, mem + 1)))
        return err_set(e, -ENOMEM, "could not load kernel '%s': no memory for %" PRIu64 " bytes", b->k->c->kernel, mem);
    memcpy(b->kernel.data, b->img->data + (b->header - before), len);
    b->kernel.len = mem;
    b->at = load;
    b->entry = field(b, ENTRY);
    return 0;
}

static int load_elf(struct multiboot *b, struct err *e)
{
    struct elf_image elf;

    if (!image_is_elf(b->img))
        return bad(b, e, "it is no ELF file, and its multiboot header has no addresses");
    if (b->img->data[EI_CLASS] != ELFCLASS32)
        return bad(b, e, "multiboot kernels are 32-bit ELF files, this one is 64-bit");
    if (image_flatten_elf(b->k->c->kernel, b->img, &b->kernel, &elf, e) < 0)
        return err_wrap(e, e->code, "could not load kernel");
    b->at = elf.low;
    b->entry = (uint32_t)elf.physical_entry;
    return 0;
}

static int load_kernel(struct multiboot *b, struct err *e)
{
    uint32_t flags = field(b, FLAGS);

    if (flags & UNKNOWN)
        return err_set(e, -ENOTSUP, "could not load kernel '%s': its multiboot header asks for what we do not know (flags %#x)",
                       b->k->c->kernel, flags & UNKNOWN);
    if ((flags & HAS_ADDRESSES && b->header + MODE_TYPE > b->img->len) ||
        (flags & WANTS_VIDEO && b->header + DEPTH + 4 > b->img->len))
        return bad(b, e, "it is cut short");
    if ((flags & HAS_ADDRESSES ? load_by_header(b, e) : load_elf(b, e)) < 0)
        return e->code;
    return x86_kernel_fits(b->k, b->at, b->kernel.len, e);
}

/* --- Modules -------------------------------------------------------------------------------- */

/* A string in the information structure: its address. */
static uint32_t add_text(struct multiboot *b, const char *text)
{
    uint32_t at = X86_INFO_AT + (uint32_t)b->info.len;

    bytes_put(&b->info, text, strlen(text) + 1);
    return at;
}

/* "FILE arguments": the module is the file, all of it its string. */
static int add_module(struct multiboot *b, char *text, struct err *e)
{
    uint64_t at;
    char *space = strchr(text, ' ');
    struct image img;

    bytes_zero_put(&b->all, round_up(b->at + b->all.len, PAGE) - (b->at + b->all.len));
    at = b->at + b->all.len;
    if (space)
        *space = 0;
    if (image_open(&img, text, e) < 0)
        return err_wrap(e, e->code, "-initrd");
    if (space)
        *space = ' ';
    if (img.len > b->k->low - X86_TOP_RESERVED || at > b->k->low - X86_TOP_RESERVED - img.len) {
        err_set(e, -E2BIG, "-initrd: '%s' has %zu bytes, which do not fit into memory beside the kernel (-m)", text, img.len);
    } else {
        bytes_put(&b->all, img.data, img.len);
        bytes_le(&b->list, at, 4);
        bytes_le(&b->list, at + img.len, 4);
        bytes_le(&b->list, add_text(b, text), 4);
        bytes_le(&b->list, 0, 4);
        b->n_modules++;
    }
    image_free(&img);
    return e->code;
}

/* Modules are separated by commas; ",," is a comma. */
static int add_modules(struct multiboot *b, struct err *e)
{
    const char *p = b->k->c->initrd;
    char *one;

    bytes_put(&b->all, b->kernel.data, b->kernel.len);
    if (!p)
        return 0;
    if (b->at < MiB) /* there is no room below */
        bytes_zero_put(&b->all, MiB - b->at - b->all.len);
    if (!(one = malloc(strlen(p) + 1)))
        fatal("out of memory");
    for (bool more = true; more && e->code == 0;) {
        size_t n = 0;

        for (; *p && (*p != ',' || p[1] == ','); p++) {
            if (*p == ',')
                p++;
            one[n++] = *p;
        }
        one[n] = 0;
        more = *p++;
        add_module(b, one, e);
    }
    free(one);
    return e->code;
}

/* --- What the kernel is told ---------------------------------------------------------------- */

/* A block of @len bytes on a 16-byte boundary: its address. */
static uint32_t add_block(struct multiboot *b, size_t len)
{
    uint32_t at;

    bytes_zero_put(&b->info, round_up(b->info.len, 16) - b->info.len);
    at = X86_INFO_AT + (uint32_t)b->info.len;
    bytes_zero_put(&b->info, len);
    return at;
}

static void put(struct multiboot *b, unsigned off, uint32_t v)
{
    put_le32(b->info.data + off, v);
}

/* What the ROM looks for: a picture of some size, or text. */
static void ask_for_video(struct multiboot *b)
{
    if (!(field(b, FLAGS) & WANTS_VIDEO))
        return;
    if (field(b, MODE_TYPE) == 1) {
        b->info.data[I_FB_BPP] = TEXT_BPP;
        return;
    }
    put(b, I_VBE_CONTROL, add_block(b, VBE_CONTROL_LEN));
    put(b, I_VBE_MODE, add_block(b, VBE_MODE_LEN));
    put(b, I_FB_WIDTH, field(b, WIDTH));
    put(b, I_FB_HEIGHT, field(b, HEIGHT));
    b->info.data[I_FB_BPP] = (uint8_t)min_u64(field(b, DEPTH), 255);
}

/* The structure comes first, then strings, blocks, and last the place for the memory map. */
static int add_info(struct multiboot *b, struct err *e)
{
    const struct conf *c = b->k->c;
    uint32_t at, list;

    at = add_text(b, c->kernel);
    if (c->append && *c->append) {
        b->info.data[b->info.len - 1] = ' ';
        add_text(b, c->append);
    }
    put(b, I_CMDLINE, at);
    at = add_text(b, "Emu");
    put(b, I_LOADER, at);
    list = add_block(b, 0);
    bytes_put(&b->info, b->list.data, b->list.len);
    put(b, I_MODS_COUNT, b->n_modules);
    put(b, I_MODS, list);
    ask_for_video(b);
    put(b, I_BOOT_DEVICE, FIRST_HARD_DISK);
    at = add_block(b, X86_MAP_LEN);
    put(b, I_MMAP, at);
    put(b, I_FLAGS, HAS_MEMORY | HAS_BOOT_DEVICE | HAS_CMDLINE | HAS_MODULES | HAS_MMAP | HAS_LOADER);
    if (b->info.len > X86_INFO_MAX)
        return err_set(e, -E2BIG, "-append, -initrd: %zu bytes of text are too many for a multiboot kernel", b->info.len);
    return 0;
}

static int load(struct multiboot *b, struct err *e)
{
    bytes_zero_put(&b->info, I_LEN);
    if (load_kernel(b, e) < 0 || add_modules(b, e) < 0 || add_info(b, e) < 0)
        return e->code;
    fw_cfg_set_u32(b->k->fw_cfg, FW_CFG_KERNEL_ENTRY, b->entry);
    x86_piece_set(b->k, X86_KERNEL, b->at, b->all.data, b->all.len);
    x86_piece_set(b->k, X86_INITRD, X86_INFO_AT, b->info.data, b->info.len);
    b->k->rom = "/rom@genroms/multiboot_dma.bin";
    return x86_rom_offer(b->k, "genroms/multiboot_dma.bin", x86_multiboot_rom, x86_multiboot_rom_end, e);
}

int x86_multiboot_load(struct x86_kernel *k, const struct image *img, struct err *e)
{
    struct multiboot b = {.k = k, .img = img};

    find_header(img, &b.header);
    load(&b, e);
    image_free(&b.kernel);
    free(b.info.data);
    free(b.all.data);
    free(b.list.data);
    return e->code;
}
