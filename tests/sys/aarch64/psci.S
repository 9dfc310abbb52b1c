/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSCI over HVC, and several CPUs: power, broadcast TLB maintenance, exclusives (DEN 0022; DDI 0487, D8.13).
 * cpu: max cortex-a72
 * machine: smp=3
 */
#include "sys.h"

#define MAILBOX  (DATA + 0x8000)
#define call(fn) ldr x0, =(fn); hvc #0

main:
    title("version and features")
    call(0x84000000)
    ubfx    x0, x0, #16, #16
    check(x0, 1)
    ldr     x1, =0xc4000003
    call(0x8400000a)
    check(x0, 0)
    ldr     x1, =0x84000005
    call(0x8400000a)
    sxtw    x0, w0
    check(x0, -1)
    call(0x84000006)
    check(x0, 2)
    call(0x84001234)
    sxtw    x0, w0
    check(x0, -1)

    title("affinity info, and CPUs that are not there")
    mov     x1, #1
    mov     x2, #0
    call(0xc4000004)
    check(x0, 1)
    mov     x1, #0
    mov     x2, #0
    call(0xc4000004)
    check(x0, 0)
    mov     x1, #77
    ldr     x2, =secondary
    call(0xc4000003)
    sxtw    x0, w0
    check(x0, -2)
    mov     x1, #0
    ldr     x2, =secondary
    call(0xc4000003)
    sxtw    x0, w0
    check(x0, -4)

    title("a CPU starts")
    ldr     x7, =MAILBOX
    stp     xzr, xzr, [x7]
    stp     xzr, xzr, [x7, #16]
    mov     x1, #1
    ldr     x2, =secondary
    ldr     x3, =0x1234567890
    call(0xc4000003)
    check(x0, 0)
1:  ldar    x0, [x7]
    cbz     x0, 1b
    check(x0, 0x1234567890)
    add     x8, x7, #8
    ldar    x0, [x8]                    /* its MPIDR */
    check(x0, 0x80000001)
    mov     x1, #1
    mov     x2, #0
    call(0xc4000004)
    check(x0, 0)

    title("it sees stores in order")
    mov     x0, #1
    add     x8, x7, #16
    stlr    x0, [x8]
1:  ldar    x0, [x8]
    cmp     x0, #2
    b.ne    1b

    title("and switches itself off, and starts again")
    mov     x0, #3
    stlr    x0, [x8]
1:  mov     x1, #1
    mov     x2, #0
    call(0xc4000004)
    cbz     x0, 1b
    check(x0, 1)
    stp     xzr, xzr, [x7]
    stp     xzr, xzr, [x7, #16]
    mov     x1, #1
    ldr     x2, =secondary
    mov     x3, #5
    call(0x84000003)
    check(x0, 0)
1:  ldar    x0, [x7]
    cbz     x0, 1b
    check(x0, 5)

    title("two CPUs add to one word")
    stp     xzr, xzr, [x7, #32]
    mov     x1, #2
    ldr     x2, =adder
    mov     x3, #0
    call(0xc4000003)
    check(x0, 0)
    add     x8, x7, #32
    mov     x1, #10000
1:  ldxr    x2, [x8]
    add     x2, x2, #1
    stxr    w3, x2, [x8]
    cbnz    w3, 1b
    subs    x1, x1, #1
    b.ne    1b
    ldr     x2, =100000000              /* long enough for anybody */
    ldr     x1, =20000
1:  ldar    x0, [x8]
    sub     x2, x2, #1
    cbz     x2, 2f
    cmp     x0, x1
    b.ne    1b
2:  ldr     x0, [x8]
    check(x0, 20000)

    title("SEV ends the WFE of another CPU, which sleeps meanwhile")
1:  mov     x1, #2
    mov     x2, #0
    call(0xc4000004)
    cbz     x0, 1b
    add     x7, x7, #64
    stp     xzr, xzr, [x7]
    stp     xzr, xzr, [x7, #16]
    mov     x1, #2
    ldr     x2, =waiter
    mov     x3, #0
    call(0xc4000003)
    check(x0, 0)
1:  ldar    x0, [x7]
    cbz     x0, 1b
    add     x8, x7, #8
    mov     x1, #(32 << 16)             /* it waits: its count stays where it is */
1:  sub     x1, x1, #1
    cbnz    x1, 1b
    ldar    x2, [x8]
    mov     x1, #(32 << 16)
1:  sub     x1, x1, #1
    cbnz    x1, 1b
    ldar    x3, [x8]
#ifndef REFERENCE
    sub     x0, x3, x2
    check(x0, 0)
#endif
    add     x8, x7, #16
    mov     x0, #1
    stlr    x0, [x8]
    dsb     sy
    sev
1:  ldar    x0, [x8]
    cmp     x0, #2
    b.ne    1b

    title("SEVL ends one's own")
    sevl
    wfe                                 /* else for ever */

    title("suspend returns when there is an interrupt")
    mov     x0, #-1
    irq_setup
    mov     x0, #1000
    msr     cntv_tval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    mov     x1, #0
    mov     x2, #0
    mov     x3, #0
    call(0xc4000001)
    check(x0, 0)
    mrs     x0, isr_el1
    check(x0, 0x80)
    finish

secondary:
    ldr     x7, =MAILBOX
    mrs     x1, mpidr_el1
    str     x1, [x7, #8]
    mrs     x1, currentel
    cmp     x1, #4
    b.ne    2f
    mrs     x1, sctlr_el1
    tbnz    x1, #0, 2f
    stlr    x0, [x7]
    add     x8, x7, #16
1:  ldar    x0, [x8]
    cmp     x0, #1
    b.ne    1b
    mov     x0, #2
    stlr    x0, [x8]
1:  ldar    x0, [x8]
    cmp     x0, #3
    b.ne    1b
2:  ldr     x0, =0x84000002
    hvc     #0
    b       2b

waiter:
    ldr     x7, =(MAILBOX + 64)
    msr     cntkctl_el1, xzr            /* no stream of events */
    mov     x0, #1
    stlr    x0, [x7]
    add     x8, x7, #8
    mov     x1, #0
    add     x6, x7, #16
1:  add     x1, x1, #1
    stlr    x1, [x8]
    wfe
    ldar    x0, [x6]
    cmp     x0, #1
    b.ne    1b
    mov     x0, #2
    stlr    x0, [x6]
    ldr     x0, =0x84000002
    hvc     #0

adder:
    ldr     x8, =(MAILBOX + 32)
    mov     x1, #10000
1:  ldxr    x2, [x8]
    add     x2, x2, #1
    stxr    w3, x2, [x8]
    cbnz    w3, 1b
    subs    x1, x1, #1
    b.ne    1b
    ldr     x0, =0x84000002
    hvc     #0
