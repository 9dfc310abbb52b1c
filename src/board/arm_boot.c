/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How Arm boards start.  Sources: Linux, Documentation/arm64/booting.rst, Documentation/devicetree/usage-model.rst;
 * Devicetree Specification 0.4, 3.6 (/chosen).
 *
 * Memory, by Linux's protocol:   RAM base                  nothing: a kernel that asks for text_offset 0 would have it
 *                                + 2 MiB + text_offset     kernel
 *                                + 128 MiB (or half)       ramdisk, but after the kernel
 *                                the next 2 MiB            device tree
 * Bare programs and firmware find the tree at the base of RAM.
 */
#include "board/arm_boot.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#define IMAGE_MAGIC     0x644d5241u /* "ARM\x64" */
#define TEXT_OFFSET_OLD 0x80000     /* before Linux 3.17, and of what has no header */
#define TREE_ROOM       (2 * MiB)

bool arm64_image_parse(const uint8_t *p, size_t len, struct arm64_image *img)
{
    uint64_t flags;

    if (len < 64 || get_le32(p + 56) != IMAGE_MAGIC)
        return false;
    flags = get_le64(p + 24);
    *img = (struct arm64_image){.text_offset = get_le64(p + 8),
                                .size = get_le64(p + 16),
                                .big_endian = flags & 1,
                                .anywhere = flags & 8};
    if (!img->size) /* header of Linux 3.7 to 3.16: endianness of text_offset is not known */
        img->text_offset = TEXT_OFFSET_OLD;
    return true;
}

/* --- The tree --- */

static void seed(struct tree *t, const char *name, size_t len)
{
    uint8_t b[64];

    if (getrandom(b, len, 0) == (ssize_t)len)
        tree_bytes(t, "/chosen", name, b, len);
}

static void write_tree(void *opaque)
{
    struct arm_boot *b = opaque;
    struct access a = {.who = BUS_NOBODY};
    const void *blob;
    size_t len;

    if (!b->fixed_seeds) {
        seed(b->dtb, "kaslr-seed", 8);
        seed(b->dtb, "rng-seed", 32);
    }
    blob = tree_blob(b->dtb, &len);
    space_write(machine_space(b->m), b->dtb_addr, blob, len, a);
}

/* The user's own tree takes the place of the board's; memory and /chosen are still ours to say. */
static int user_tree(struct arm_boot *b, const char *name, struct err *e)
{
    struct image img;
    struct tree *t;
    char memory[64];

    if (image_open(&img, name, e) < 0)
        return e->code;
    t = tree_read(img.data, img.len, e);
    image_free(&img);
    if (!t)
        return err_wrap(e, e->code, "could not load '%s'", name);
    tree_free(b->dtb);
    b->dtb = t;
    snprintf(memory, sizeof(memory), "/memory@%" PRIx64, b->ram_base);
    tree_del(t, "/memory");
    tree_node(t, memory);
    tree_str(t, memory, "device_type", "memory");
    TREE_WIDE(t, memory, "reg", b->ram_base, b->ram_size);
    return 0;
}

/* --- Kernel and ramdisk --- */

static bool has_firmware(const struct arm_boot *b)
{
    return b->firmware;
}

/* Firmware asks fw_cfg for them. */
static int offer(struct arm_boot *b, const char *name, unsigned size_key, unsigned data_key,
                 bool unpack, struct err *e)
{
    struct image img;

    if (!name)
        return 0;
    if (image_open(&img, name, e) < 0)
        return e->code;
    if (unpack && image_unpack(&img, e) < 0) {
        image_free(&img);
        return err_wrap(e, e->code, "could not load '%s'", name);
    }
    fw_cfg_set_u32(b->fw_cfg, size_key, img.len);
    fw_cfg_set(b->fw_cfg, data_key, img.data, img.len);
    image_free(&img);
    return 0;
}

static int offer_all(struct arm_boot *b, const struct conf *c, struct err *e)
{
    const char *append = c->append ? c->append : "";

    if (!c->kernel)
        return 0;
    if (offer(b, c->kernel, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, true, e) < 0 ||
        offer(b, c->initrd, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, false, e) < 0)
        return e->code;
    fw_cfg_set_u32(b->fw_cfg, FW_CFG_CMDLINE_SIZE, strlen(append) + 1);
    fw_cfg_set_string(b->fw_cfg, FW_CFG_CMDLINE_DATA, append);
    return 0;
}

/* Linux, or what takes its protocol: [*start, *end) is what it occupies. */
static int place_linux(struct arm_boot *b, const char *name, struct image *img, uint64_t *start,
                       uint64_t *end, struct err *e)
{
    struct arm64_image h = {.text_offset = TEXT_OFFSET_OLD};
    uint64_t used, at = b->ram_base;

    arm64_image_parse(img->data, img->len, &h);
    if (h.text_offset > b->ram_size)
        return err_set(e, -EILSEQ, "kernel '%s': text offset %#" PRIx64 " is outside of RAM", name,
                       h.text_offset);
    if (h.big_endian)
        return err_set(e, -ENOTSUP, "kernel '%s' is big endian", name);
    /* The base of RAM stays free, for those who look for a tree there. */
    if (h.text_offset < 4 * KiB)
        at += 2 * MiB;
    at += h.text_offset;
    used = max_u64(h.size, img->len);
    if (used > b->ram_size || at - b->ram_base > b->ram_size - used)
        return err_set(e, -ENOMEM, "kernel '%s' needs %" PRIu64 " MiB of RAM, there are %" PRIu64,
                       name, div_up(at - b->ram_base + used, MiB), b->ram_size / MiB);
    *start = at;
    *end = at + used;
    b->linux_protocol = true;
    return image_place(b->m, name, at, img, e);
}

/* Anything may be a kernel for bare metal, but for what is no code at all. */
static int refuse_no_kernel(const char *name, const struct image *img, struct err *e)
{
    uint64_t n = img->len < 512 ? img->len : 512, text = 0;

    for (uint64_t i = 0; i < n; i++)
        text += (img->data[i] >= ' ' && img->data[i] < 0x7f) ||
                (img->data[i] >= '\t' && img->data[i] <= '\r');
    if (text < n)
        return 0;
    return err_set(e, -EINVAL, "could not load kernel '%s': it is %s", name,
                   n ? "text, no kernel" : "empty");
}

static int place_kernel(struct arm_boot *b, const char *name, uint64_t *start, uint64_t *end,
                        struct err *e)
{
    struct elf_image elf;
    struct image img;
    int r;

    if (image_open(&img, name, e) < 0)
        return err_wrap(e, e->code, "kernel");
    if ((r = image_unpack(&img, e)) < 0 || (r = image_unzboot(&img, e)) < 0) {
        image_free(&img);
        return err_wrap(e, r, "could not load kernel '%s'", name);
    }
    if (image_is_elf(&img)) {
        r = image_place_elf(b->m, name, EM_AARCH64, &img, &elf, e);
        b->pc = elf.entry;
        *start = elf.low;
        *end = elf.high;
        return r;
    }
    if ((r = refuse_no_kernel(name, &img, e)) == 0)
        r = place_linux(b, name, &img, start, end, e);
    b->pc = *start;
    image_free(&img);
    return r;
}

/* The ramdisk lies at 128 MiB, where kernels of usual size do not reach, or half-way. */
static int place_initrd(struct arm_boot *b, const char *name, uint64_t *end, struct err *e)
{
    uint64_t at = b->ram_base + min_u64(b->ram_size / 2, 128 * MiB), len;
    struct image img;
    int r;

    if (image_open(&img, name, e) < 0)
        return err_wrap(e, e->code, "ramdisk");
    at = round_up(max_u64(at, *end), 4 * KiB);
    len = img.len;
    if (at - b->ram_base > b->ram_size || len > b->ram_size - (at - b->ram_base)) {
        image_free(&img);
        return err_set(e, -ENOMEM, "ramdisk '%s' of %" PRIu64 " MiB does not fit into RAM", name,
                       len / MiB);
    }
    r = image_place(b->m, name, at, &img, e);
    image_free(&img);
    tree_u64(b->dtb, "/chosen", "linux,initrd-start", at);
    tree_u64(b->dtb, "/chosen", "linux,initrd-end", at + len);
    *end = at + len;
    return r;
}

/* After the kernel has been placed, up to @end: where is the tree? */
static int place_tree(struct arm_boot *b, uint64_t start, uint64_t end, struct err *e)
{
    size_t len;

    if (!tree_ok(b->dtb, e))
        return e->code;
    tree_blob(b->dtb, &len);
    b->dtb_addr = b->ram_base;
    b->dtb_room = TREE_ROOM;
    if (b->linux_protocol) {
        b->dtb_addr = round_up(end, 2 * MiB);
        b->x0 = b->dtb_addr;
    } else if (end > b->ram_base && start < b->ram_base + len + 4 * KiB) {
        b->dtb_room = 0; /* a bare program lies there: it has no tree */
        return 0;
    }
    if (len + 4 * KiB > b->dtb_room || b->dtb_addr - b->ram_base > b->ram_size ||
        len + 4 * KiB > b->ram_size - (b->dtb_addr - b->ram_base))
        return err_set(e, -ENOMEM, "no room for the device tree of %zu bytes", len);
    return 0;
}

/* The board's tree as it will be, with what the user said about the kernel. */
static int prepare(struct arm_boot *b, const struct conf *c, struct err *e)
{
    if (c->dtb && user_tree(b, c->dtb, e) < 0)
        return e->code;
    tree_node(b->dtb, "/chosen");
    if (c->append && !has_firmware(b))
        tree_str(b->dtb, "/chosen", "bootargs", c->append);
    if (c->initrd && !c->kernel)
        return err_set(e, -EINVAL, "-initrd only allowed with -kernel option");
    if (c->append && !c->kernel)
        return err_set(e, -EINVAL, "-append only allowed with -kernel option");
    return 0;
}

int arm_boot_load(struct machine *m, struct arm_boot *b, const struct conf *c, struct err *e)
{
    uint64_t start = 0, end = 0;

    b->m = m;
    b->pc = b->firmware_pc;
    if (prepare(b, c, e) < 0)
        return e->code;
    if (has_firmware(b)) {
        if (offer_all(b, c, e) < 0)
            return e->code;
    } else if (c->kernel) {
        if (place_kernel(b, c->kernel, &start, &end, e) < 0 ||
            (c->initrd && place_initrd(b, c->initrd, &end, e) < 0))
            return e->code;
    }
    if (place_tree(b, start, end, e) < 0)
        return e->code;
    if (b->dtb_room)
        machine_on_reset(m, write_tree, b);
    return 0;
}
