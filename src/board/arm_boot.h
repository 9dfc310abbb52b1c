/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How Arm boards start: a kernel by Linux's boot protocol (Documentation/arm64/booting.rst), a bare program, or firmware
 * in flash, which finds the kernel in fw_cfg.  CPUs other than the first wait for PSCI.
 */
#ifndef BOARD_ARM_BOOT_H
#define BOARD_ARM_BOOT_H

#include "board/board.h"
#include "board/tree.h"

/** struct arm_boot - what the board has made, and where its CPUs start. */
struct arm_boot {
    uint64_t ram_base, ram_size; /* the part below any hole */
    uint64_t firmware_pc;        /* where flash starts */
    bool firmware;               /* there is something in it */
    struct dev *fw_cfg;          /* NULL: none */
    struct tree *dtb;            /* the board's; replaced when the user has one (-dtb) */
    bool fixed_seeds;            /* leave random seeds out of /chosen */

    /* Set by arm_boot_load(). */
    uint64_t pc, x0;     /* of the first CPU */
    uint64_t dtb_addr;   /* where the tree goes */
    uint64_t dtb_room;   /* bytes that it may have there */
    struct machine *m;
    bool linux_protocol; /* x0 has the tree */
};

/**
 * arm_boot_load - place kernel and ramdisk of @c, write what they need into the tree.
 * The tree itself is written to memory at each reset, with new seeds.  @b lives as long as the machine.
 * 0, or -errno with a message that names the file.
 */
int arm_boot_load(struct machine *m, struct arm_boot *b, const struct conf *c, struct err *e);

/** struct arm64_image - an arm64 kernel's header, bytes 0 to 63. */
struct arm64_image {
    uint64_t text_offset; /* from a 2 MiB boundary */
    uint64_t size;        /* of memory that it uses; 0: not said */
    bool big_endian;
    bool anywhere; /* any 2 MiB boundary will do */
};
/** arm64_image_parse - false: no such header. */
bool arm64_image_parse(const uint8_t *p, size_t len, struct arm64_image *img);

#endif
