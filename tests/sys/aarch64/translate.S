/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage 1 of EL1&0 (DDI 0487, D8): granules, blocks, permissions, attributes of tables, access flag, ASIDs, TLB maintenance.
 * cpu: max cortex-a53 neoverse-n1
 */
#include "sys.h"

#define L1       TABLES             /* 39 bits of address: the first table is of level 1 */
#define L2       (TABLES + 0x1000)
#define L3       (TABLES + 0x2000)
#define L1B      (TABLES + 0x3000)  /* for TTBR1 */
#define WINDOW   0x80000000         /* what L3 maps: 2 MiB */
#define HIGH     0xffffff8000000000
#define TCR      (25 | 25 << 16 | 2 << 30 | 1 << 37)  /* 4K, 39 bits each, TBI0 */
#define NORMAL   0x700              /* AF, inner shareable, attribute 0 */
#define DEVICE   0x404              /* AF, attribute 1 */
#define EL0      0x40
#define RO       0x80
#define NG       0x800
#define GP       (1 << 50)
#define PXN      (1 << 53)
#define UXN      (1 << 54)

    /* Page n of the window := descriptor; nothing was cached of it before */
#define page(n, desc)  ldr x0, =(L3 + 8 * (n)); ldr x1, =(desc); str x1, [x0]; dsb ish; isb
#define at_page(n)     (WINDOW + (n) * 4096)
#define flush()        dsb ish; tlbi vmalle1; dsb ish; isb

main:
    ldr     x0, =L1
    ldr     x1, =(DEVICE | 1)           /* 0: registers */
    str     x1, [x0]
    ldr     x1, =(RAM | NORMAL | 1)     /* 1 GiB of RAM, EL1 only */
    str     x1, [x0, #8]
    ldr     x1, =(L2 | 3)
    str     x1, [x0, #16]
    ldr     x0, =L2
    ldr     x1, =(L3 | 3)
    str     x1, [x0]
    ldr     x1, =(0x40a00000 | NORMAL | 1)  /* a block of 2 MiB at WINDOW + 2 MiB */
    str     x1, [x0, #8]
    ldr     x1, =(L3 | 3 | (1 << 61))       /* APTable: no EL0 below */
    str     x1, [x0, #16]
    ldr     x1, =(L3 | 3 | (1 << 62))       /* no writes below */
    str     x1, [x0, #24]
    ldr     x1, =(L3 | 3 | (1 << 59) | (1 << 60)) /* PXNTable, XNTable */
    str     x1, [x0, #32]
    ldr     x0, =L1B
    ldr     x1, =(RAM | NORMAL | 1)
    str     x1, [x0]
    ldr     x0, =0x44ff                 /* 0 normal, 1 nGnRnE: 0x00 */
    mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =TCR
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #15
    orr     x0, x0, x1, lsl #32
    msr     tcr_el1, x0
    ldr     x0, =L1
    msr     ttbr0_el1, x0
    ldr     x0, =L1B
    msr     ttbr1_el1, x0
    tlbi    vmalle1
    dsb     sy
    isb
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    orr     x0, x0, #(1 << 14)          /* DZE */
    orr     x0, x0, #(1 << 26)          /* UCI */
    msr     sctlr_el1, x0
    isb

    title("a page, a block, the other half")
    page(0, DATA | NORMAL | 3)
    ldr     x2, =DATA
    ldr     x1, =0x1122334455667788
    str     x1, [x2]
    ldr     x3, =at_page(0)
    ldr     x4, [x3]
    check(x4, 0x1122334455667788)
    ldr     x3, =(WINDOW + (2 << 20))
    ldr     x4, [x3]
    check(x4, 0x1122334455667788)
    ldr     x3, =(HIGH + DATA - RAM)
    ldr     x4, [x3]
    check(x4, 0x1122334455667788)
    ldr     x3, =(0x5a00000000000000 | at_page(0))      /* TBI0 */
    ldr     x4, [x3]
    check(x4, 0x1122334455667788)

    title("translation faults")
    catch(1f)
    ldr     x3, =(at_page(1) + 8)
    ldr     x4, [x3]
    never()
1:  check(x20, 0x200)
    check(x22, 0x96000007)
    check(x25, at_page(1) + 8)
    catch(1f)
    ldr     x3, =(at_page(1) + 16)
    str     x4, [x3]
    never()
1:  check(x22, 0x96000047)
    catch(1f)
    ldr     x3, =(WINDOW + (100 << 20))
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000006)
    catch(1f)
    ldr     x3, =0xc0000000
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000005)
    catch(1f)
    ldr     x3, =0x0000008000000000     /* beyond 39 bits */
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
    check(x25, 0x0000008000000000)
    catch(1f)
    ldr     x3, =0xa5ffff8000000000     /* TBI1 is clear */
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
    catch(1f)
    ldr     x3, =at_page(1)
    br      x3
1:  check(x20, 0x200)
    check(x22, 0x86000007)
    check(x25, at_page(1))
    check(x23, at_page(1))

    title("access flag")
    page(2, DATA | 3)
    catch(1f)
    ldr     x3, =at_page(2)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x9600000b)

    title("address size")
    page(3, (1 << 47) | DATA | NORMAL | 3)
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #15
    cmp     x1, #5
    b.hs    2f
    catch(1f)
    ldr     x3, =at_page(3)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000003)
2:

    title("permissions: read-only")
    page(4, DATA | NORMAL | RO | 3)
    ldr     x3, =at_page(4)
    ldr     x4, [x3]
    catch(1f)
    str     x4, [x3]
    never()
1:  check(x22, 0x9600004f)
    check(x25, at_page(4))

    title("permissions: EL0")
    adr     x0, el0_code                /* what EL0 runs is in page 5 */
    ldr     x1, =DATA + 0x1000
    mov     x2, #64
1:  ldr     w3, [x0], #4
    str     w3, [x1], #4
    subs    x2, x2, #1
    b.ne    1b
    dsb     ish
    ic      iallu
    dsb     ish
    isb
    page(5, (DATA + 0x1000) | NORMAL | EL0 | RO | 3)
    page(6, DATA | NORMAL | EL0 | 3)
    catch(1f)
    ldr     x7, =at_page(6)             /* EL0 may */
    ldr     x9, =at_page(5)
    msr     elr_el1, x9
    msr     spsr_el1, xzr
    eret
1:  check(x20, 0x400)
    check(x22, 0x56000001)
    catch(1f)
    ldr     x7, =at_page(0)             /* EL0 may not */
    ldr     x9, =at_page(5)
    msr     elr_el1, x9
    eret
1:  check(x20, 0x400)
    check(x22, 0x9200000f)
    catch(1f)
    ldr     x7, =at_page(4)
    ldr     x9, =at_page(0)             /* nor execute data that EL1 may: it may, as UXN is clear */
    msr     elr_el1, x9
    ldr     x0, =DATA
    ldr     w1, svc9
    str     w1, [x0]
    ic      iallu
    dsb     ish
    isb
    eret
1:  check(x22, 0x56000009)

    title("permissions: execution")
    page(7, DATA | NORMAL | UXN | 3)
    catch(1f)
    ldr     x9, =at_page(7)
    msr     elr_el1, x9
    msr     spsr_el1, xzr
    eret
1:  check(x20, 0x400)
    check(x22, 0x8200000f)
    page(8, DATA | NORMAL | PXN | 3)
    catch(1f)
    ldr     x9, =at_page(8)
    br      x9
1:  check(x20, 0x200)
    check(x22, 0x8600000f)
    catch(1f)
    ldr     x9, =at_page(6)             /* writable at EL0: not executable at EL1 */
    br      x9
1:  check(x22, 0x8600000f)
    catch(1f)
    ldr     x9, =at_page(0)
    br      x9
1:  check(x22, 0x56000009)
    check(x20, 0x200)

    title("tables take away")
    ldr     x7, =(WINDOW + (4 << 20) + 6 * 4096)
    ldr     x1, [x7]                    /* EL1 may */
    catch(1f)
    ldr     x9, =at_page(5)
    msr     elr_el1, x9
    msr     spsr_el1, xzr
    eret
1:  check(x22, 0x9200000f)
    ldr     x7, =(WINDOW + (6 << 20))
    ldr     x1, [x7]
    catch(1f)
    str     x1, [x7]
    never()
1:  check(x22, 0x9600004f)
    catch(1f)
    ldr     x9, =(WINDOW + (8 << 20))
    br      x9
1:  check(x22, 0x8600000f)
    catch(1f)
    ldr     x9, =(WINDOW + (8 << 20) + 5 * 4096)
    msr     elr_el1, x9
    msr     spsr_el1, xzr
    eret
1:  check(x22, 0x8200000f)

    title("unprivileged accesses")
    ldr     x3, =at_page(6)
    ldr     x1, =0x77
    sttr    x1, [x3]
    ldtr    x2, [x3]
    check(x2, 0x77)
    ldr     x3, =at_page(0)
    catch(1f)
    ldtr    x2, [x3]
    never()
1:  check(x20, 0x200)
    check(x22, 0x9600000f)
    ldr     x3, =at_page(5)
    catch(1f)
    sttrb   w2, [x3]
    never()
1:  check(x22, 0x9600004f)

    title("device memory wants aligned accesses")
    page(9, DATA | DEVICE | 3)
    ldr     x3, =at_page(9)
    ldr     x4, [x3]
#ifndef REFERENCE                       /* lets it pass */
    catch(1f)
    ldr     x4, [x3, #1]
    never()
1:  check(x22, 0x96000021)
    check(x25, at_page(9) + 1)
#endif
    ldr     x3, =at_page(0)
    ldr     x4, [x3, #1]

    title("alignment checks")
    mrs     x7, sctlr_el1
    orr     x0, x7, #2
    msr     sctlr_el1, x0
    isb
    catch(1f)
    ldr     x4, [x3, #1]
    never()
1:  check(x22, 0x96000021)
    msr     sctlr_el1, x7
    isb

#ifndef REFERENCE                       /* lets them pass */
    title("atomics and ordered accesses must be aligned")
    ldr     x3, =at_page(0)
    add     x4, x3, #1
    catch(1f)
    ldar    x5, [x4]
    never()
1:  check(x22, 0x96000021)
    catch(1f)
    stlr    w5, [x4]
    never()
1:  check(x22, 0x96000061)
    catch(1f)
    ldxr    x5, [x3]
    stxr    w6, x5, [x4]
    never()
1:  check(x22, 0x96000061)
    catch(1f)
    add     x4, x3, #8
    stxp    w6, x5, x7, [x4]
    never()
1:  check(x22, 0x96000061)
#endif
#ifndef REFERENCE                       /* has PCI there */
    title("exclusives, too")
    ldr     x8, =(DATA + 0x8004)
    catch(1f)
    ldxr    x0, [x8]
    never()
1:  check(x22, 0x96000021)
    catch(1f)
    ldaxp   x0, x1, [x8, #0]
    never()
1:  check(x22, 0x96000021)
    ldxr    w0, [x8]                    /* this one is */

    title("nothing is there")
    page(10, 0x20000000 | DEVICE | 3)
    ldr     x3, =at_page(10)
    catch(1f)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000010)
#endif

    title("cache maintenance reports itself")
    ldr     x3, =at_page(1)
#ifndef REFERENCE                       /* does not look */
    catch(1f)
    dc      civac, x3
    never()
1:  check(x22, 0x96000147)
#endif
    catch(1f)
    dc      zva, x3
    never()
1:  check(x22, 0x96000047)

    title("translations are kept until they are flushed, and not longer")
    page(11, DATA | NORMAL | 3)
    ldr     x3, =at_page(11)
    ldr     x2, =DATA
    mov     x1, #1
    str     x1, [x2]
    ldr     x2, =(DATA + 0x2000)
    mov     x1, #2
    str     x1, [x2]
    ldr     x4, [x3]
    check(x4, 1)
    page(11, (DATA + 0x2000) | NORMAL | 3)
    lsr     x0, x3, #12
    tlbi    vae1is, x0
    dsb     ish
    isb
    ldr     x4, [x3]
    check(x4, 2)
    page(11, DATA | NORMAL | 3)
    tlbi    vmalle1is
    dsb     ish
    isb
    ldr     x4, [x3]
    check(x4, 1)
    page(11, (DATA + 0x2000) | NORMAL | 3)
    lsr     x0, x3, #12
    tlbi    vaale1is, x0
    dsb     ish
    isb
    ldr     x4, [x3]
    check(x4, 2)
    page(11, 0)
    lsr     x0, x3, #12
    tlbi    vale1, x0
    dsb     ish
    isb
    catch(1f)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000007)

    title("address spaces")
    page(12, DATA | NORMAL | NG | 3)
    ldr     x3, =at_page(12)
    ldr     x0, =(L1 | (5 << 48))
    msr     ttbr0_el1, x0
    isb
    ldr     x4, [x3]
    check(x4, 1)
    page(12, (DATA + 0x2000) | NORMAL | NG | 3)
    ldr     x0, =(L1 | (6 << 48))
    msr     ttbr0_el1, x0
    isb
    ldr     x4, [x3]
    check(x4, 2)
    ldr     x0, =(5 << 48)
    tlbi    aside1is, x0
    dsb     ish
    ldr     x0, =(L1 | (5 << 48))
    msr     ttbr0_el1, x0
    isb
    ldr     x4, [x3]
    check(x4, 2)
    ldr     x0, =L1
    msr     ttbr0_el1, x0
    isb

    title("at")
    ldr     x3, =(at_page(0) + 0x123)
    at      s1e1r, x3
    isb
    mrs     x0, par_el1
    check(x0, 0xff00000000000b80 | DATA)
    at      s1e0r, x3
    isb
    mrs     x0, par_el1
    check(x0, 0x81f)
    ldr     x3, =at_page(1)
    at      s1e1w, x3
    isb
    mrs     x0, par_el1
    check(x0, 0x80f)
    ldr     x3, =at_page(4)
    at      s1e1w, x3
    isb
    mrs     x0, par_el1
    check(x0, 0x81f)

    title("walks are switched off")
    mrs     x7, tcr_el1
    orr     x0, x7, #(1 << 23)          /* EPD1 */
    msr     tcr_el1, x0
    isb
    tlbi    vmalle1
    dsb     ish
    isb
    catch(1f)
    ldr     x3, =(HIGH + DATA - RAM)
    ldr     x4, [x3]
    never()
1:  check(x22, 0x96000004)
    msr     tcr_el1, x7
    isb

    title("code that is written over")
    ldr     x0, =(DATA + 0x3000)
    adr     x1, code_one
    ldr     x2, [x1]
    str     x2, [x0]
    dc      cvau, x0
    dsb     ish
    ic      ivau, x0
    dsb     ish
    isb
    blr     x0
    check(x5, 1)
    ldr     x0, =(DATA + 0x3000)
    adr     x1, code_two
    ldr     x2, [x1]
    str     x2, [x0]
    dc      cvau, x0
    dsb     ish
    ic      ivau, x0
    dsb     ish
    isb
    blr     x0
    check(x5, 2)

    title("guarded pages")
    mrs     x0, id_aa64pfr1_el1
    and     x0, x0, #15                 /* BT */
    cbz     x0, 3f                      /* machines do not offer it yet: so far only the reference comes here */
    page(20, (DATA + 0x3000) | NORMAL | GP | 3)
    ldr     x0, =(DATA + 0x3100)
    adr     x1, code_landing
    ldp     x2, x3, [x1]
    stp     x2, x3, [x0]
    dc      cvau, x0
    dsb     ish
    ic      iallu
    dsb     ish
    isb
    catch(1f)
    ldr     x9, =at_page(20)
    blr     x9                          /* no landing for calls */
    never()
1:  check(x22, 0x36000002)
    check(x5, 2)
    catch(1f)
    ldr     x9, =at_page(20)
    br      x9                          /* from a page that is not guarded: as a call by X16 */
1:  check(x22, 0x36000001)
    ldr     x9, =(at_page(20) + 0x100)
    blr     x9
    check(x5, 3)
#ifndef REFERENCE                       /* keeps code that it has translated as guarded */
    page(20, (DATA + 0x3000) | NORMAL | 3)
    flush()
    ldr     x9, =at_page(20)
    blr     x9                          /* the same page, not guarded */
    check(x5, 2)
#endif
3:
    finish

code_one:
    mov     x5, #1
    ret
code_two:
    mov     x5, #2
    ret
code_landing:
    .inst   0xd503245f                  /* bti c */
    mov     x5, #3
    ret
    nop

    /* At EL0: x7 is an address to look at */
    .balign 8
el0_code:
    ldr     x6, [x7]
    svc     #1
svc9:
    svc     #9
