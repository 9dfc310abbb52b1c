/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Granules of 64K and 16K, and 4K tables of other sizes (DDI 0487, D8.2): pages, blocks, levels in syndromes.
 * cpu: max neoverse-n1
 */
#include "sys.h"

#define TOP      0x40c00000
#define L3       0x40c20000
#define WINDOW   0x80000000

    /* The tables at TOP are cleared, so that a case has only what it puts there */
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
    .macro walk tcr, ttbr
    ldr     x0, =(\tcr | 2 << 32 | 1 << 23)
    msr     tcr_el1, x0
    ldr     x0, =(\ttbr)
    msr     ttbr0_el1, x0
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

main:
    ldr     x2, =DATA
    ldr     x1, =0x1111
    str     x1, [x2, #8]
    add     x3, x2, #0x5, lsl #12       /* in a 64K page, not in a 4K one */
    ldr     x1, =0x5555
    str     x1, [x3, #8]

    title("64K: a page, a block, faults")
    clear
    entry   TOP, 0, 0x405               /* 512 MiB of registers */
    entry   TOP, 2, RAM | 0x701
    entry   TOP, 4, L3 | 3
    entry   L3, 3, DATA | 0x703
    entry   L3, 4, DATA | 0x783
    walk    22 | 1 << 14, TOP           /* 42 bits: from level 2 */
    ldr     x3, =(WINDOW + 3 * 0x10000)
    ldr     x4, [x3, #8]
    check(x4, 0x1111)
    ldr     x3, =(WINDOW + 3 * 0x10000 + 0x5000)
    ldr     x4, [x3, #8]
    check(x4, 0x5555)
    catch(1f)
    ldr     x3, =(WINDOW + 5 * 0x10000)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000007)
    catch(1f)
    ldr     x3, =(WINDOW + 4 * 0x10000 + 0x8000)
    str     x4, [x3]
    never()
1:  check(x22, 0x9600004f)
    catch(1f)
    ldr     x3, =(WINDOW + 0x20000000)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000006)
    catch(1f)
    ldr     x3, =(1 << 42)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
    off

    title("64K: flushing one page drops all of it")
    clear
    entry   TOP, 0, 0x405
    entry   TOP, 2, RAM | 0x701
    entry   TOP, 4, L3 | 3
    entry   L3, 3, DATA | 0x703
    walk    22 | 1 << 14, TOP
    ldr     x3, =(WINDOW + 3 * 0x10000 + 0x5000)
    ldr     x4, [x3, #8]
    ldr     x5, =(WINDOW + 3 * 0x10000)
    ldr     x4, [x5, #8]
    entry   L3, 3, 0
    dsb     ish
    lsr     x0, x5, #12
    tlbi    vaae1is, x0
    dsb     ish
    isb
    catch(1f)
    ldr     x4, [x3, #8]
    never()
1:  check(x22, 0x96000007)
    off

    title("16K: a page, a block, faults")
    clear
    entry   TOP, 4, 0x08000000 | 0x405  /* 32 MiB each */
    entry   TOP, 32, RAM | 0x701
    entry   TOP, 64, L3 | 3
    entry   L3, 2, DATA | 0x703
    walk    28 | 2 << 14, TOP           /* 36 bits: from level 2 */
    ldr     x3, =(WINDOW + 2 * 0x4000)
    ldr     x4, [x3, #8]
    check(x4, 0x1111)
    catch(1f)
    ldr     x3, =(WINDOW + 3 * 0x4000)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000007)
    catch(1f)
    ldr     x3, =(WINDOW + 0x2000000)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000006)
    off

    title("4K: from level 0, with blocks of 1 GiB")
    clear
    entry   TOP, 0, (TOP + 0x1000) | 3
    entry   TOP + 0x1000, 0, 0x405
    entry   TOP + 0x1000, 1, RAM | 0x701
    entry   TOP + 0x1000, 3, RAM | 0x701
    entry   TOP, 1, 0x40000701          /* there are no blocks of level 0 */
    walk    16, TOP
    ldr     x3, =(0xc0000000 + DATA - RAM)
    ldr     x4, [x3, #8]
    check(x4, 0x1111)
#ifndef REFERENCE                       /* takes it for something else */
    catch(1f)
    ldr     x3, =(1 << 39)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
#endif
    catch(1f)
    ldr     x3, =0x1c0000000
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000005)
    off

    title("4K: a small table, from level 1 with two entries")
    clear
    entry   TOP, 0, 0x405
    entry   TOP, 1, RAM | 0x701
    walk    33, TOP
    ldr     x3, =DATA
    ldr     x4, [x3, #8]
    check(x4, 0x1111)
    catch(1f)
    ldr     x3, =0x80000000
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
    off
    finish
