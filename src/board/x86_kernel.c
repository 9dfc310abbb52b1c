/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -kernel on PCs (x86_kernel.h): what kind of kernel it is, and the ROM that boots it. */
#include "board/x86_kernel.h"

#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"

#include <errno.h>
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
    if (x86_linux_is(&img))
        r = x86_linux_load(k, &img, e);
    else
        r = err_set(e, -EINVAL, "could not load kernel '%s': it is no Linux kernel for PCs (bzImage)", k->c->kernel);
    image_free(&img);
    return r;
}
