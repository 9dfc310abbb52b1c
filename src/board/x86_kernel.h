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

/* For the files x86_*.c: each takes the kernel as it is in the file, and puts its parts into fw_cfg for a ROM to fetch. */
int x86_linux_load(struct x86_kernel *k, const struct image *img, struct err *e);
int x86_multiboot_load(struct x86_kernel *k, const struct image *img, struct err *e);
int x86_pvh_load(struct x86_kernel *k, const struct image *img, struct err *e);
/** x86_linux_is, x86_multiboot_is, x86_pvh_is - has it Linux's setup header, multiboot's header, the note that has PVH's entry? */
bool x86_linux_is(const struct image *img);
bool x86_multiboot_is(const struct image *img);
bool x86_pvh_is(const struct image *img);

/*
 * What multiboot and PVH kernels are told lies in low memory, which firmware leaves alone from 0x9000 on:
 *     X86_INFO_AT      structures and the memory map, which is last and has room for 64 entries of 24 bytes (PVH's: x86_pvh_rom.S)
 *     X86_CMDLINE_AT   PVH's command line
 *     X86_LOW_AT       kernels that want low memory, from here to 0x90000; all others lie from 1 MiB on
 * Firmware puts its own tables at the end of memory.
 */
enum { X86_INFO_AT = 0x9000, X86_INFO_MAX = 0x7000, X86_MAP_LEN = 64 * 24, X86_CMDLINE_AT = 0x10000, X86_CMDLINE_MAX = 0x10000,
       X86_LOW_AT = 0x20000, X86_LOW_END = 0x90000, X86_TOP_RESERVED = 1 << 20 };
/** x86_kernel_fits - may [@at, @at + @len) be the kernel's?  -E2BIG "could not load kernel 'NAME': ..." */
int x86_kernel_fits(const struct x86_kernel *k, uint64_t at, uint64_t len, struct err *e);

enum x86_piece { X86_KERNEL, X86_INITRD, X86_CMDLINE, X86_SETUP };
/** x86_piece_set - fw_cfg's three items of a part: address, size, and a copy of the bytes. */
void x86_piece_set(struct x86_kernel *k, enum x86_piece piece, uint64_t at, const void *data, size_t len);
/** x86_rom_offer - put the ROM [@start, @end) into fw_cfg as @file, with its checksum. */
int x86_rom_offer(struct x86_kernel *k, const char *file, const uint8_t *start, const uint8_t *end, struct err *e);

#endif
