/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel on PCs: Linux (bzImage and zImage), multiboot, and ELF kernels that say where a hypervisor enters them (PVH).  The pieces are
 * items of fw_cfg; UEFI takes Linux from there by itself, a BIOS by an option ROM of ours.
 */
#ifndef BOARD_X86_KERNEL_H
#define BOARD_X86_KERNEL_H

#include "board/board.h"

struct image;

/** struct x86_kernel - what there is to start from; and what the board has to do then. */
struct x86_kernel {
    struct machine *m;
    const struct conf *c;
    struct dev *fw_cfg;
    uint64_t low;    /* bytes of RAM from address 0 on */
    const char *rom; /* out: fw_cfg's path of the ROM that boots it, first in "bootorder"; NULL: no -kernel */
};

/** x86_kernel_load - the files of -kernel, -initrd and -append.  -EINVAL "could not load kernel 'NAME': ..." and the like. */
int x86_kernel_load(struct x86_kernel *k, struct err *e);

/* For the files x86_*.c: each takes the kernel as it is in the file. */
int x86_linux_load(struct x86_kernel *k, const struct image *img, struct err *e);
/** x86_linux_is - does it have Linux's setup header? */
bool x86_linux_is(const struct image *img);
/** x86_rom_offer - put the ROM [@start, @end) into fw_cfg as @file, with its checksum. */
int x86_rom_offer(struct x86_kernel *k, const char *file, const uint8_t *start, const uint8_t *end, struct err *e);

#endif
