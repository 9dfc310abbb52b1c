/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC's north bridge decides about the first mebibyte and SMM's memory: for each piece of 0xc0000 to 0xfffff whether reads
 * and writes meet RAM or PCI (PAM), and who sees the RAM at 0xa0000 (SMRAM) and at the end of low RAM (TSEG).
 * Sources: Intel 82441FX data sheet 3.2.18 (PAM), 3.2.19 (SMRAM); Intel 3 Series (82Q35) data sheet 5.1.14 to 5.1.22.
 */
#ifndef DEV_PC_PAM_H
#define DEV_PC_PAM_H

#include "bus/machine.h"

enum { PAM_SEGMENTS = 13, PAM_REGS = 7 };
/* Register SMRAM: its bits, which of them can be written, its value after a reset. */
enum { SMRAM_G_SMRAME = 0x08, SMRAM_D_LCK = 0x10, SMRAM_D_CLS = 0x20, SMRAM_D_OPEN = 0x40,
       SMRAM_MASK = SMRAM_D_OPEN | SMRAM_D_CLS | SMRAM_D_LCK | SMRAM_G_SMRAME, SMRAM_BASE = 2 };

/** struct pam - embedded in the host bridge. */
struct pci_dev;

struct pam {
    struct machine *m;
    struct ram *ram;
    struct mem *pci; /* PCI's memory */
    struct space *pci_space;
    struct pam_segment {
        struct pam *pam;
        struct mem pci, rom, shadow; /* all PCI; reads RAM; writes RAM */
        uint32_t at;
    } segment[PAM_SEGMENTS];
    struct mem nobody;    /* in PCI's memory from 0xa0000 to 0xfffff, behind what devices have there */
    struct mem vga;       /* PCI at 0xa0000 for who is not in SMM */
    struct mem tseg_hole; /* and at TSEG, nothing */
    /* What CPUs in SMM see. */
    struct mem smm_root, smm_system, smm_vga, smm_tseg;
    struct space *smm;
    uint64_t low; /* bytes of RAM from address 0 on */
};

/** pam_init - @ram's first @low bytes are at address 0; over them come PCI's @pci (a container) where registers say. */
void pam_init(struct pam *p, struct machine *m, struct ram *ram, uint64_t low, struct mem *pci);
void pam_fini(struct pam *p);
/** pam_set - @regs: PAM0 to PAM6. */
void pam_set(struct pam *p, const uint8_t regs[PAM_REGS]);
/** pam_pci_reset - pci_dev_reset of a host bridge whose PAM0 is at @pam0: when the machine wakes they stay, since memory does, and
 * firmware wants to go on from its copy there. */
void pam_pci_reset(struct pci_dev *d, unsigned pam0);
/** pam_set_smram - @open: all see RAM at 0xa0000; @smm: CPUs in SMM do; @tseg: bytes at the end of low RAM that only those see. */
void pam_set_smram(struct pam *p, bool open, bool smm, uint64_t tseg);

#endif
