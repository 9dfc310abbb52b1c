/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branch targets in guarded pages (FEAT_BTI: DDI 0487, D8.4.6, and PSTATE.BTYPE in C6.2.36 BLR, C6.2.37 BR).
 * cpu: max
 */
#include "sys.h"
    .arch   armv8.5-a

#define L1       TABLES
#define L2       (TABLES + 0x1000)
#define L3       (TABLES + 0x2000)
#define WINDOW   0x80000000
#define GP       (1 << 50)
#define BT0      (1 << 35)
#define BT1      (1 << 36)
#define at(off)  (WINDOW + (off))
#define page(n, label, attrs)  ldr x0, =(L3 + 8 * (n)); ldr x1, =(label); ldr x2, =(attrs); orr x1, x1, x2; str x1, [x0]

/* By BLR, by BR through @reg, by RET; back behind it */
#define call(off)        ldr x0, =at(off); blr x0
#define jump(off, reg)   ldr reg, =at(off); adr x30, 77f; br reg; 77:
/* In the guarded page: BR through x1 or x16 to off */
#define jump_there(by, off)  ldr x1, =at(off); mov x16, x1; ldr x3, =at(by); adr x30, 77f; ret x3; 77:
#define refused(btype)   check(x20, 0x200); check(x22, 0x36000000 | btype); ubfx x0, x24, #10, #2; check(x0, btype)

main:
    mrs     x0, id_aa64pfr1_el1
    and     x0, x0, #15
    check(x0, 1)
    ldr     x0, =L1
    ldr     x1, =0x405
    str     x1, [x0]
    ldr     x1, =(RAM | 0x701)
    str     x1, [x0, #8]
    ldr     x1, =(L2 | 3)
    str     x1, [x0, #16]
    ldr     x0, =L2
    ldr     x1, =(L3 | 3)
    str     x1, [x0]
    page(0, guarded, GP | 0x703)
    page(1, guarded, 0x703)
    page(2, guarded, GP | (1 << 53) | 0x7c3)    /* EL0 may, read-only, PXN */
    page(3, user, (1 << 53) | 0x7c3)
    mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =(25 | 1 << 23 | 2 << 32)
    msr     tcr_el1, x0
    ldr     x0, =L1
    msr     ttbr0_el1, x0
    tlbi    vmalle1
    dsb     sy
    isb
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    msr     sctlr_el1, x0
    isb

    title("calls")
    catch(1f)
    call(0x00)
    never()
1:  refused(2)
    ldr     x1, =at(0x00)
    check(x23, WINDOW)
    call(0x08)
    catch(1f)
    call(0x10)
    never()
1:  refused(2)
    call(0x18)
    catch(1f)
    call(0x20)
    never()
1:  refused(2)
    call(0x28)

    title("jumps from a page that is not guarded")
    catch(1f)
    jump(0x00, x0)
    never()
1:  refused(1)
    jump(0x08, x0)
    jump(0x10, x0)
    jump(0x18, x0)
    jump(0x28, x0)
    catch(1f)
    jump(0x20, x0)
    never()
1:  refused(1)

    title("jumps from a guarded page")
    catch(1f)
    jump_there(0x40, 0x08)
    never()
1:  refused(3)
    jump_there(0x40, 0x10)
    jump_there(0x40, 0x18)
    catch(1f)
    jump_there(0x40, 0x00)
    never()
1:  refused(3)
    jump_there(0x44, 0x08)
    jump_there(0x44, 0x10)
    catch(1f)
    jump_there(0x44, 0x00)
    never()
1:  refused(1)

    title("paciasp is like bti jc, or like bti c")
    jump_there(0x40, 0x28)
    mrs     x7, sctlr_el1
    orr     x0, x7, #BT0
    msr     sctlr_el1, x0
    isb
    jump_there(0x40, 0x28)
    orr     x0, x7, #BT1
    msr     sctlr_el1, x0
    isb
    mrs     x0, sctlr_el1
    and     x0, x0, #(BT0 | BT1)
    check(x0, BT1)
    catch(1f)
    jump_there(0x40, 0x28)
    never()
1:  refused(3)
    call(0x28)
    jump_there(0x44, 0x28)
    msr     sctlr_el1, x7
    isb

    title("a breakpoint instruction may be branched to")
    catch(1f)
    call(0x38)
    never()
1:  check(x22, 0xf2000001)

    title("returns and exception returns")
    ldr     x3, =at(0x00)
    adr     x30, 1f
    ret     x3
1:  ldr     x0, =at(0x00)
    adr     x30, 1f
    msr     elr_el1, x0
    ldr     x0, =0x3c5
    msr     spsr_el1, x0
    eret
1:  catch(1f)
    ldr     x0, =at(0x00)
    msr     elr_el1, x0
    ldr     x0, =0xbc5
    msr     spsr_el1, x0
    eret
    never()
1:  refused(2)

    title("the same code in a page that is not guarded")
    ldr     x0, =at(0x1000)
    blr     x0
    ldr     x0, =at(0x1020)
    blr     x0

    title("again and again")
    mov     x5, #300
2:  call(0x08)
    jump(0x10, x0)
    jump_there(0x40, 0x10)
    jump_there(0x44, 0x08)
    subs    x5, x5, #1
    b.ne    2b
    mov     x5, #20
2:  catch(1f)
    jump_there(0x40, 0x08)
    never()
1:  refused(3)
    catch(1f)
    call(0x10)
    never()
1:  refused(2)
    subs    x5, x5, #1
    b.ne    2b

#ifndef REFERENCE /* goes by what the page was when the code was translated */
    title("guarded and then not, in the same place")
    mov     x5, #300
2:  call(0x08)
    subs    x5, x5, #1
    b.ne    2b
    page(0, guarded, 0x703)
    ldr     x0, =(WINDOW >> 12)
    dsb     ish
    tlbi    vaae1is, x0
    dsb     ish
    isb
    call(0x00)
    call(0x10)
    page(0, guarded, GP | 0x703)
    ldr     x0, =(WINDOW >> 12)
    dsb     ish
    tlbi    vaae1is, x0
    dsb     ish
    isb
    catch(1f)
    call(0x10)
    never()
1:  refused(2)

#endif

    title("programs")
    catch(1f)
    ldr     x0, =at(0x2008)
    ldr     x1, =at(0x2000)
    ldr     x2, =at(0x3000)
    msr     spsr_el1, xzr
    msr     elr_el1, x2
    eret
1:  check(x20, 0x400)
    check(x22, 0x36000002)
    check(x23, WINDOW + 0x2000)
    ubfx    x0, x24, #10, #2
    check(x0, 2)
    finish
    .ltorg

    .balign 4096
guarded:
    nop                 /* 00 */
    ret
    bti     c           /* 08 */
    ret
    bti     j           /* 10 */
    ret
    bti     jc          /* 18 */
    ret
    bti                 /* 20 */
    ret
    paciasp             /* 28 */
    autiasp
    ret
    nop
    brk     #1          /* 38 */
    ret
    br      x1          /* 40 */
    br      x16         /* 44 */

    .balign 4096
user:
    blr     x0
    blr     x1
    svc     #0
