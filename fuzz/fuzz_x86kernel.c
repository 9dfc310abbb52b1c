/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels of PCs: the input is the file that -kernel names. */
#include "board/x86_kernel.h"
#include "dev/devices.h"
#include "dev/firmware/image.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    struct image img = {.data = malloc(len + 1), .len = len};
    struct machine *m = machine_new(dev_types(), NULL);
    struct conf c = {.kernel = (char *)"kernel", .append = (char *)"quiet vga=ext"};
    struct x86_kernel k = {.m = m, .c = &c, .low = 16 << 20};

    memcpy(img.data, data, len);
    machine_lock(m);
    k.fw_cfg = dev_add(m, "fw_cfg_io", NULL, NULL, ERR_IGNORE);
    if (k.fw_cfg && x86_linux_is(&img))
        x86_linux_load(&k, &img, ERR_IGNORE);
    if (k.fw_cfg && x86_multiboot_is(&img))
        x86_multiboot_load(&k, &img, ERR_IGNORE);
    if (k.fw_cfg && x86_pvh_is(&img))
        x86_pvh_load(&k, &img, ERR_IGNORE);
    image_free(&img);
    machine_unlock(m);
    machine_free(m);
    return 0;
}
