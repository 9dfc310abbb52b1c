/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Self-hosted debug: software step, breakpoints, watchpoints, the OS lock (DDI 0487, D2).
 * cpu: max cortex-a53
 */
#include "sys.h"

#define unlock() msr oslar_el1, xzr; isb

main:
    title("the OS lock")
    mov     x0, #1
    msr     oslar_el1, x0
    isb
    mrs     x0, oslsr_el1
    check(x0, 10)
    unlock()
    mrs     x0, oslsr_el1
    check(x0, 8)

    title("registers")
    mrs     x0, id_aa64dfr0_el1
    and     x0, x0, #0xfff000
    check(x0, 0x305000)
    ldr     x0, =0x12345678
    msr     dbgbvr5_el1, x0
    mrs     x1, dbgbvr5_el1
    check(x1, 0x12345678)
    msr     dbgbvr5_el1, xzr

    title("software step at EL0")
    ldr     x7, =DATA
    mov     x0, #1                      /* SS */
    msr     mdscr_el1, x0
    isb
    mov     x5, #0
    catch(1f)
    to_el0  2f, (1 << 21)
2:  add     x5, x5, #1
    add     x5, x5, #16
    svc     #0
1:  check(x20, 0x400)
    check(x22, 0xcb000022)
    check(x5, 1)
    adr     x1, 2b + 4
    sub     x0, x23, x1
    check(x0, 0)
    check(x24, 0)
    catch(1f)
    msr     elr_el1, x23
    mov     x0, #(1 << 21)
    msr     spsr_el1, x0
    eret
1:  check(x22, 0xcb000022)
    check(x5, 17)
    catch(1f)                           /* without PSTATE.SS: at once, nothing was stepped */
    msr     elr_el1, x23
    msr     spsr_el1, xzr
    eret
1:  check(x22, 0xca000022)
    check(x5, 17)
    catch(1f)                           /* an instruction that is an exception */
    msr     elr_el1, x23
    mov     x0, #(1 << 21)
    msr     spsr_el1, x0
    eret
1:  check(x22, 0x56000000)
    catch(1f)                           /* a load exclusive is told */
    to_el0  2f, (1 << 21)
2:  ldxr    x0, [x7]
    nop
1:
#ifndef REFERENCE                       /* which does not */
    check(x22, 0xcb000062)
#endif
    msr     mdscr_el1, xzr
    isb

    title("breakpoint at EL0")
    mov     x0, #(1 << 15)              /* MDE */
    msr     mdscr_el1, x0
    adr     x1, 3f
    msr     dbgbvr1_el1, x1
    mov     x0, #0x1e5                  /* BAS, EL0, enabled */
    msr     dbgbcr1_el1, x0
    isb
    mov     x5, #0
    catch(1f)
    to_el0  2f
2:  add     x5, x5, #1
    add     x5, x5, #1
3:  add     x5, x5, #1
    svc     #0
1:  check(x20, 0x400)
    check(x22, 0xc2000022)
    check(x5, 2)
    adr     x1, 3b
    sub     x0, x23, x1
    check(x0, 0)
    msr     dbgbcr1_el1, xzr
    isb
    catch(1f)
    msr     elr_el1, x23
    msr     spsr_el1, xzr
    eret
1:  check(x22, 0x56000000)
    check(x5, 3)

    title("watchpoint at EL0")
    ldr     x7, =DATA
    add     x0, x7, #8
    msr     dbgwvr2_el1, x0
    ldr     x0, =(0xf << 5 | 2 << 3 | 2 << 1 | 1)  /* four bytes, stores, EL0 */
    msr     dbgwcr2_el1, x0
    isb
    mov     x6, #0
    catch(1f)
    to_el0  2f
2:  ldr     x6, [x7, #8]
    str     w5, [x7, #4]
    str     w5, [x7, #12]
    mov     x6, #1
3:  str     x5, [x7, #8]
    svc     #0
1:  check(x20, 0x400)
    check(x22, 0xd2000062)
    check(x6, 1)
    adr     x1, 3b
    sub     x0, x23, x1
    check(x0, 0)
    sub     x0, x25, x7
    check(x0, 8)
    catch(1f)                           /* overlapping from below */
    to_el0  2f
2:  str     x5, [x7, #4]
    svc     #0
1:  check(x22, 0xd2000062)
    str     x5, [x7, #8]                /* EL1 may */
    msr     dbgwcr2_el1, xzr
    msr     mdscr_el1, xzr
    isb

    title("breakpoint at EL1, where debug exceptions must be enabled")
    ldr     x0, =(1 << 15 | 1 << 13)
    msr     mdscr_el1, x0
    adr     x1, 3f
    msr     dbgbvr0_el1, x1
    mov     x0, #0x1e3
    msr     dbgbcr0_el1, x0
    isb
    catch(1f)
    msr     daifclr, #8
    mov     x5, #1
3:  mov     x5, #2
    never()
1:  check(x20, 0x200)
    check(x22, 0xc6000022)
    check(x5, 1)
    msr     dbgbcr0_el1, xzr
    msr     mdscr_el1, xzr
    finish
