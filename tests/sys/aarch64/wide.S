/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of 52 bits: FEAT_LVA and FEAT_LPA with 64K, FEAT_LPA2 with 4K and 16K (DDI 0487, D8.2): the level before the first, blocks, outputs,
 * syndromes; and what else goes by the size of addresses: signatures of pointers, TLBI of ranges.
 * cpu: max
 */
#include "sys.h"

#define TOP      0x40c00000
#define NEXT     0x40c10000
#define L2       0x40c20000
#define L3       0x40c30000
#define DS       (1 << 59)
#define PS52     (6 << 32)
#define PS48     (5 << 32)
#define WIDE     (1 << 51)

    .macro clear
    ldr     x0, =TOP
    ldr     x1, =0x40000
1:  stp     xzr, xzr, [x0], #16
    subs    x1, x1, #16
    b.ne    1b
    .endm
    .macro entry table, index, value
    ldr     x0, =(\table + 8 * \index)
    ldr     x1, =(\value)
    str     x1, [x0]
    .endm
    /* Both halves have the tables at TOP */
    .macro walk tcr, ttbr1=TOP
    ldr     x0, =(\tcr)
    msr     tcr_el1, x0
    ldr     x0, =TOP
    msr     ttbr0_el1, x0
    ldr     x0, =(\ttbr1)
    msr     ttbr1_el1, x0
    mov     x0, #0xff
    msr     mair_el1, x0
    isb
    tlbi    vmalle1
    dsb     sy
    isb
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    msr     sctlr_el1, x0
    isb
    .endm
    .macro off
    mrs     x0, sctlr_el1
    bic     x0, x0, #1
    msr     sctlr_el1, x0
    isb
    .endm
    .macro reads va, value
    ldr     x3, =(\va)
    ldr     x4, [x3, #8]
    check(x4, \value)
    .endm
    .macro faults va, esr
    catch(1f)
    ldr     x3, =(\va)
    ldr     x4, [x3, #8]
    never()
1:  check(x22, \esr)
    .endm
    /* Where an address leads to, without looking there: the attributes, NS and bit 11 are fixed */
    .macro leads va, pa, sh
    ldr     x3, =(\va)
    at      s1e1r, x3
    isb
    mrs     x0, par_el1
    check(x0, 0xff00000000000a00 | \sh << 7 | \pa)
    .endm

main:
    mrs     x0, id_aa64mmfr0_el1
    and     x1, x0, #15
    check(x1, 6)
    ubfx    x1, x0, #20, #4
    check(x1, 2)
    ubfx    x1, x0, #28, #16
    check(x1, 0x3231)
    mrs     x0, id_aa64mmfr2_el1
    ubfx    x0, x0, #16, #4
    check(x0, 1)
    ldr     x2, =DATA
    ldr     x1, =0x1111
    str     x1, [x2, #8]
    add     x3, x2, #0x5, lsl #12
    ldr     x1, =0x5555
    str     x1, [x3, #8]

    title("4K: from the level before level 0")
    clear
    entry   TOP, 0, NEXT | 3
    entry   TOP, 8, NEXT | 3
    entry   TOP, 2, NEXT | 3
    entry   TOP, 3, (1 << 48) | NEXT | 3
    entry   NEXT, 0, (NEXT + 0x1000) | 3
    entry   NEXT, 1, 0x401              /* 512 GiB from 0 */
    entry   NEXT, 2, 0x8000000000 | (3 << 48) | (3 << 8) | 0x401
    entry   NEXT + 0x1000, 0, 0x405
    entry   NEXT + 0x1000, 1, RAM | 0x401
    entry   NEXT + 0x1000, 2, RAM | (1 << 48) | (1 << 8) | 0x401
    entry   NEXT + 0x1000, 3, L2 | 3
    entry   L2, 0, L3 | 3
    entry   L3, 0, DATA | 0x403
    walk    12 | 12 << 16 | 3 << 12 | 2 << 30 | 2 << 28 | PS52 | DS
    reads   WIDE | DATA, 0x1111
    reads   0x8000000000 | DATA, 0x1111
    reads   0xfff8000000000000 | DATA, 0x1111
    faults  (1 << 48) | DATA, 0x9600002b
    faults  WIDE | 0x18000000000, 0x96000004
    faults  (1 << 52) | DATA, 0x96000004
    faults  0xfff2000000000000 | 0x18000000000, 0x96000004
    leads   WIDE | 0x80000000, 0x5000040000000, 3
    leads   0xfff8000080000000, 0x5000040000000, 2
    leads   0x10000000000, 0xf008000000000, 3
    faults  0x80000008, 0x96000010      /* nobody is there */
    off
    title("4K: outputs of 48 bits only")
    walk    12 | 12 << 16 | 2 << 30 | PS48 | DS
    reads   WIDE | DATA, 0x1111
    faults  3 << 48, 0x96000029
    faults  WIDE | 0x80000000, 0x96000001
    off
    title("the tables' own address")
    walk    12 | 12 << 16 | 2 << 30 | PS48 | DS, (TOP | 1 << 2)
#ifndef REFERENCE                       /* leaves the bits out */
    faults  0xfff8000040000000, 0x96000000
#endif
    off
    walk    12 | 12 << 16 | 2 << 30 | PS52 | DS, (TOP | 1 << 2)
    faults  0xfff8000040000000, 0x96000013
    off

    title("sizes that are too small and too big")
    clear
    entry   TOP, 0, (TOP + 0x1000) | 3
    entry   TOP + 0x1000, 0, 0x405
    entry   TOP + 0x1000, 1, RAM | 0x701
    walk    16 | 12 << 16 | 2 << 30 | PS52
    reads   DATA, 0x1111
    faults  0xffffffff00000000, 0x96000004
    off
    walk    16 | 49 << 16 | 2 << 30 | PS52
    faults  0xffffffffffff0000, 0x96000004
    off

    title("4K: ranges of the TLB")
    clear
    entry   TOP, 0, NEXT | 3
    entry   NEXT, 0, (NEXT + 0x1000) | 3
    entry   NEXT + 0x1000, 0, 0x405
    entry   NEXT + 0x1000, 1, RAM | 0x401
    entry   NEXT + 0x1000, 3, L2 | 3
    entry   L2, 0, L3 | 3
    entry   L3, 0, DATA | 0x403
    walk    12 | 1 << 23 | 1 << 37 | PS52 | DS
    reads   0xc0000000, 0x1111
    entry   L3, 0, (DATA + 0x5000) | 0x403
    dsb     ish
    ldr     x0, =(0xc000 | 1 << 46)
    sys     #0, c8, c2, #3, x0          /* TLBI RVAAE1IS: two pages */
    dsb     ish
    isb
    reads   0xc0000000, 0x5555

    title("signatures of pointers")
    ldr     x0, =0x123456789abcdef
    msr     apiakeylo_el1, x0
    msr     apiakeyhi_el1, x0
    mrs     x0, sctlr_el1
    orr     x0, x0, #(1 << 31)
    msr     sctlr_el1, x0
    isb
    mov     x1, #99
    ldr     x5, =0xf000040a12340
    mov     x6, x5
    pacia   x6, x1
    mov     x7, x6
    ubfx    x0, x6, #0, #52
    check(x0, 0xf000040a12340)
    autia   x6, x1
    check(x6, 0xf000040a12340)
    xpaci   x7
    check(x7, 0xf000040a12340)
    pacia   x5, x1
    eor     x5, x5, #(1 << 50)          /* not a bit of the signature, but signed */
    autia   x5, x1
    ubfx    x0, x5, #52, #3
    cmp     x0, #0
    cset    x0, ne
    check(x0, 1)
    off

    title("64K: from level 1 with 1024 entries")
    clear
    entry   TOP, 0, L2 | 3
    entry   TOP, 512, L2 | 3
    entry   TOP, 1, 0x701               /* 4 TiB from 0 */
    entry   L2, 0, 0x405
    entry   L2, 2, RAM | 0x701
    entry   L2, 5, 0xa0000000 | 0xd000 | 0x701
    walk    12 | 12 << 16 | 1 << 14 | 3 << 30 | PS52
    reads   WIDE | DATA, 0x1111
    reads   (1 << 42) | DATA, 0x1111
    reads   0xfff8000000000000 | DATA, 0x1111
    faults  (2 << 42) | DATA, 0x96000005
    faults  WIDE | 0x20000000, 0x96000006
    leads   WIDE | 0xa0000000, 0xd0000a0000000, 3
    off
    walk    12 | 12 << 16 | 1 << 14 | 3 << 30 | PS48
#ifndef REFERENCE                       /* asks for the address, without a check */
    faults  WIDE | 0xa0000000, 0x96000002
#endif
    off

    title("16K: from level 0 with 32 entries")
    clear
    entry   TOP, 0, NEXT | 3
    entry   TOP, 16, NEXT | 3
    entry   NEXT, 0, L2 | 3
    entry   NEXT, 1, 0x401              /* 64 GiB from 0 */
    entry   L2, 4, 0x08000000 | 0x405
    entry   L2, 32, RAM | 0x401
    entry   L2, 64, 0x80000000 | (2 << 48) | (2 << 8) | 0x401
    walk    12 | 12 << 16 | 2 << 14 | 1 << 30 | PS52 | DS
    reads   WIDE | DATA, 0x1111
    reads   (1 << 36) | DATA, 0x1111
    reads   0xfff8000000000000 | DATA, 0x1111
    faults  (1 << 47) | DATA, 0x96000004
    faults  WIDE | 0x2000000000, 0x96000005
    leads   WIDE | 0x80000000, 0xa000080000000, 0
    off
    finish
