/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -kernel on PCs (x86_kernel.h): what kind of kernel it is, and the ROM that boots it. */
#include "board/x86_kernel.h"

#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of an option ROM add up to zero. */
int x86_rom_offer(struct x86_kernel *k, const char *file, const uint8_t *start, const uint8_t *end, struct err *e)
{
    size_t len = (size_t)(end - start);
    uint8_t *rom = malloc(len), sum = 0;
    int r;

    if (!rom)
        fatal("out of memory");
    memcpy(rom, start, len);
    for (size_t i = 0; i < len - 1; i++)
        sum += rom[i];
    rom[len - 1] = -sum;
    r = fw_cfg_set_file(k->fw_cfg, file, rom, (uint32_t)len, e);
    free(rom);
    return r;
}

void x86_piece_set(struct x86_kernel *k, enum x86_piece piece, uint64_t at, const void *data, size_t len)
{
    static const struct {
        unsigned addr, size, data;
    } keys[] = {
        [X86_KERNEL] = {FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA},
        [X86_INITRD] = {FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA},
        [X86_CMDLINE] = {FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA},
        [X86_SETUP] = {FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA},
    };

    fw_cfg_set_u32(k->fw_cfg, keys[piece].addr, (uint32_t)at);
    fw_cfg_set_u32(k->fw_cfg, keys[piece].size, (uint32_t)len);
    fw_cfg_set(k->fw_cfg, keys[piece].data, data, (uint32_t)len);
}

int x86_kernel_fits(const struct x86_kernel *k, uint64_t at, uint64_t len, struct err *e)
{
    uint64_t end;

    if (add_u64(at, len, &end) && ((at >= X86_LOW_AT && end <= X86_LOW_END) ||
                                   (at >= MiB && k->low > 2 * MiB && end <= k->low - X86_TOP_RESERVED)))
        return 0;
    return err_set(e, -E2BIG, "could not load kernel '%s': %" PRIu64 " bytes at %#" PRIx64 " do not fit into memory (-m)",
                   k->c->kernel, len, at);
}

static int load(struct x86_kernel *k, const struct image *img, struct err *e)
{
    if (x86_linux_is(img))
        return x86_linux_load(k, img, e);
    if (x86_multiboot_is(img))
        return x86_multiboot_load(k, img, e);
    if (x86_pvh_is(img))
        return x86_pvh_load(k, img, e);
    if (image_is_elf(img))
        return err_set(e, -EINVAL, "could not load kernel '%s': an ELF file without multiboot header or PVH entry (Xen's ELF note 18)",
                       k->c->kernel);
    return err_set(e, -EINVAL, "could not load kernel '%s': it is no kernel for PCs (want bzImage, multiboot, or ELF with a PVH entry)",
                   k->c->kernel);
}

int x86_kernel_load(struct x86_kernel *k, struct err *e)
{
    struct image img;
    int r;

    if (!k->c->kernel)
        return 0;
    if (k->c->dtb)
        return err_set(e, -ENOTSUP, "-dtb: PCs have no device tree");
    if (image_open(&img, k->c->kernel, e) < 0)
        return e->code;
    r = image_unpack(&img, e) < 0 ? err_wrap(e, e->code, "could not load kernel '%s'", k->c->kernel) : load(k, &img, e);
    image_free(&img);
    return r;
}
