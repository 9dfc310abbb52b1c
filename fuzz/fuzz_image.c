/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels and device trees: the input is a file that is unpacked, taken for an ELF executable and put into memory. */
#include "base/bytes.h"
#include "board/arm_boot.h"
#include "board/tree.h"
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/firmware/image.h"

#include <stdlib.h>

enum { RAM = 0x40000000, RAM_SIZE = 1 << 20 };

int fuzz_one(const uint8_t *data, size_t len);

static void as_tree(const uint8_t *data, size_t len)
{
    struct tree *t = tree_read(data, len, ERR_IGNORE);
    size_t n;

    if (!t)
        return;
    tree_del(t, "/memory");
    tree_node(t, "/memory@40000000");
    TREE_WIDE(t, "/memory@40000000", "reg", 1, 2);
    tree_blob(t, &n);
    tree_free(t);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct image img = {.data = malloc(len + 1), .len = len};
    struct machine *m = machine_new(dev_types(), NULL);
    struct arm64_image head;
    struct elf_image elf;
    struct mem mem = {0};
    struct ram *ram;

    memcpy(img.data, data, len);
    machine_lock(m);
    ram = ram_new(m, "ram", RAM_SIZE, ERR_IGNORE);
    mem_init_ram(&mem, "ram", ram, 0, RAM_SIZE);
    mem_add(machine_mem(m), RAM, &mem, 0);
    as_tree(data, len);
    arm64_image_parse(data, len, &head);
    if (image_unpack(&img, ERR_IGNORE) == 0 && image_unzboot(&img, ERR_IGNORE) == 0 &&
        image_is_elf(&img))
        image_place_elf(m, "kernel", 183, &img, &elf, ERR_IGNORE);
    image_free(&img);
    machine_reset(m);
    machine_unlock(m);
    machine_free(m);
    return 0;
}
