/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF kernels on PCs that say where a hypervisor enters them (PVH): Linux's vmlinux and others.  They are in memory when the
 * machine starts; x86_pvh_rom.S, or firmware by itself (qboot), tells them what they need.
 * Sources: Xen, docs/misc/pvh.pandoc, public/arch-x86/hvm/start_info.h and public/elfnote.h (the ABI).
 */
#include "board/x86_kernel.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { XEN_ELFNOTE_PHYS32_ENTRY = 18 };
/* What of the file firmware is shown that looks what kind of kernel it is (qboot). */
enum { HEAD = 8192 };

extern const uint8_t x86_pvh_rom[], x86_pvh_rom_end[];

bool x86_pvh_is(const struct image *img)
{
    uint64_t entry;

    return image_elf_note(img, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &entry);
}

/* As high as may be below 4 GiB, under what firmware keeps for itself. */
static int add_initrd(struct x86_kernel *k, uint64_t kernel_end, struct err *e)
{
    uint64_t top = k->low - X86_TOP_RESERVED, at;
    struct image img;

    if (!k->c->initrd)
        return 0;
    if (image_open(&img, k->c->initrd, e) < 0)
        return err_wrap(e, e->code, "-initrd");
    if (img.len > top || (at = round_down(top - img.len, 4096)) < kernel_end) {
        err_set(e, -E2BIG, "-initrd: '%s' has %zu bytes, which do not fit into memory beside the kernel (-m)", k->c->initrd,
                img.len);
    } else {
        x86_piece_set(k, X86_INITRD, at, img.data, img.len);
    }
    image_free(&img);
    return e->code;
}

static int load(struct x86_kernel *k, uint64_t entry, const struct image *img, const struct elf_image *elf, struct image *flat,
                struct err *e)
{
    const char *cmdline = k->c->append ? k->c->append : "";

    if (x86_kernel_fits(k, elf->low, flat->len, e) < 0)
        return e->code;
    if (entry < elf->low || entry >= elf->high)
        return err_set(e, -EINVAL, "could not load kernel '%s': its PVH entry point %#" PRIx64 " is not in it", k->c->kernel, entry);
    if (strlen(cmdline) >= X86_CMDLINE_MAX)
        return err_set(e, -E2BIG, "-append: %zu characters, a PVH kernel gets at most %d", strlen(cmdline), X86_CMDLINE_MAX - 1);
    if (add_initrd(k, max_u64(elf->high, MiB), e) < 0)
        return e->code;
    fw_cfg_set_u32(k->fw_cfg, FW_CFG_KERNEL_ENTRY, (uint32_t)entry);
    x86_piece_set(k, X86_CMDLINE, X86_CMDLINE_AT, cmdline, strlen(cmdline) + 1);
    x86_piece_set(k, X86_SETUP, 0, img->data, min_u64(img->len, HEAD));
    x86_piece_set(k, X86_KERNEL, elf->low, NULL, 0);
    fw_cfg_set_u32(k->fw_cfg, FW_CFG_KERNEL_SIZE, (uint32_t)flat->len);
    k->rom = "/rom@genroms/pvh.bin";
    if (x86_rom_offer(k, "genroms/pvh.bin", x86_pvh_rom, x86_pvh_rom_end, e) < 0)
        return e->code;
    return image_place(k->m, k->c->kernel, elf->low, flat, e);
}

int x86_pvh_load(struct x86_kernel *k, const struct image *img, struct err *e)
{
    struct elf_image elf;
    struct image flat;
    uint64_t entry = 0;

    image_elf_note(img, "Xen", XEN_ELFNOTE_PHYS32_ENTRY, &entry);
    if (image_flatten_elf(k->c->kernel, img, &flat, &elf, e) < 0)
        return err_wrap(e, e->code, "could not load kernel");
    if (elf.arch != EM_386 && elf.arch != EM_X86_64)
        err_set(e, -EINVAL, "could not load kernel '%s': ELF machine number %u is no PC", k->c->kernel, elf.arch);
    else
        load(k, entry, img, &elf, &flat, e);
    image_free(&flat);
    return e->code;
}
