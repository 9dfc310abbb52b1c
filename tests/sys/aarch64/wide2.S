/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of 52 bits at stage 2 and in EL2's own regime (DDI 0487, D8.2): VTCR_EL2.DS and SL2, TCR_EL2.DS, what HPFAR_EL2 says.
 * cpu: max
 * machine: el2
 */
#include "sys.h"

#define TOP      0x40c00000
#define NEXT     0x40c10000
#define L2       0x40c20000
#define WIDE     (1 << 51)
#define RES1     (1 << 31)
#define PS52     (6 << 16)
#define DS       (1 << 32)
#define SL2      (1 << 33)
#define HCR_RW   (1 << 31)

#define hcr(bits)   ldr x0, =(HCR_RW | bits); msr hcr_el2, x0; isb
#define to_el1(label)  mov x9, #0x3c5; msr spsr_el2, x9; adr x9, label; msr elr_el2, x9; eret

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
    .macro stage2 vtcr
    ldr     x0, =(RES1 | PS52 | \vtcr)
    msr     vtcr_el2, x0
    ldr     x0, =TOP
    msr     vttbr_el2, x0
    isb
    tlbi    alle1
    dsb     sy
    isb
    hcr(1)
    .endm
    /* From EL1, whose own translation is off */
    .macro reads ipa, value
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(\ipa)
    ldr     x5, [x3, #8]
    hvc     #0
1:  check(x22, 0x5a000000)
    check(x5, \value)
    .endm
    .macro faults ipa, esr
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(\ipa)
    ldr     x5, [x3, #8]
    hvc     #0
1:  check(x22, \esr)
    check(x26, ((\ipa) >> 12 << 4))
    .endm

main:
    ldr     x2, =DATA
    ldr     x1, =0x1111
    str     x1, [x2, #8]

    title("4K: from the level before level 0")
    clear
    entry   TOP, 0, NEXT | 3
    entry   TOP, 8, NEXT | 3
    entry   NEXT, 0, (NEXT + 0x1000) | 3
    entry   NEXT, 1, 0x4fd              /* 512 GiB from 0 */
    entry   NEXT + 0x1000, 0, 0x4c5
    entry   NEXT + 0x1000, 1, RAM | 0x4fd
    stage2  12 | SL2 | DS
    reads   WIDE | DATA, 0x1111
    reads   0x8000000000 | DATA, 0x1111
    faults  (1 << 48) | DATA, 0x93c5802b
    faults  WIDE | 0x80000000, 0x93c58005
    hcr(0)

#ifndef REFERENCE                       /* knows no level 0 there */
    title("16K: from level 0")
    clear
    entry   TOP, 0, NEXT | 3
    entry   TOP, 16, NEXT | 3
    entry   NEXT, 0, L2 | 3
    entry   NEXT, 1, 0x4fd              /* 64 GiB from 0 */
    entry   L2, 4, 0x08000000 | 0x4c5
    entry   L2, 32, RAM | 0x4fd
    stage2  12 | 3 << 6 | 2 << 14 | DS
    reads   WIDE | DATA, 0x1111
    reads   (1 << 36) | DATA, 0x1111
    faults  (1 << 47) | DATA, 0x93c58004
    faults  WIDE | 0x2000000000, 0x93c58005
    hcr(0)
#endif

    title("64K: from level 1")
    clear
    entry   TOP, 0, L2 | 3
    entry   TOP, 512, L2 | 3
    entry   TOP, 1, 0x7fd               /* 4 TiB from 0 */
    entry   L2, 0, 0x7c5
    entry   L2, 2, RAM | 0x7fd
    stage2  12 | 2 << 6 | 1 << 14
    reads   WIDE | DATA, 0x1111
    reads   (1 << 42) | DATA, 0x1111
    faults  (2 << 42) | DATA, 0x93c58005
    faults  WIDE | 0x20000000, 0x93c58006
    hcr(0)

    title("EL2: 4K from the level before level 0")
    clear
    entry   TOP, 0, NEXT | 3
    entry   TOP, 8, NEXT | 3
    entry   NEXT, 0, (NEXT + 0x1000) | 3
    entry   NEXT + 0x1000, 0, 0x405
    entry   NEXT + 0x1000, 1, RAM | 0x401
    ldr     x0, =(12 | PS52 | DS | 1 << 31 | 1 << 23)
    msr     tcr_el2, x0
    ldr     x0, =TOP
    msr     ttbr0_el2, x0
    mov     x0, #0xff
    msr     mair_el2, x0
    isb
    tlbi    alle2
    dsb     sy
    mrs     x0, sctlr_el2
    orr     x0, x0, #1
    msr     sctlr_el2, x0
    isb
    ldr     x3, =(WIDE | DATA)
    ldr     x4, [x3, #8]
    check(x4, 0x1111)
    catch(1f)
    ldr     x3, =(1 << 48)
    ldr     x4, [x3, #8]
    never()
#ifdef REFERENCE                        /* describes the instruction, too */
1:  and     x22, x22, #~(0x1ff << 16)
    and     x22, x22, #~(1 << 15)
#else
1:
#endif
    check(x22, 0x9600002b)
    mrs     x0, sctlr_el2
    bic     x0, x0, #1
    msr     sctlr_el2, x0
    isb
    finish
