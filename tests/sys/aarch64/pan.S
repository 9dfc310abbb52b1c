/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PSTATE.PAN and UAO, execute-only pages, hardware access flag and dirty state (DDI 0487, D8.4, D8.5).
 * cpu: max cortex-a76
 */
#include "sys.h"
    .arch   armv8.2-a

#define L1       TABLES
#define L2       (TABLES + 0x1000)
#define L3       (TABLES + 0x2000)
#define WINDOW   0x80000000
#define TCR      (25 | 1 << 23 | 2 << 32)
#define HA       (1 << 39)
#define HD       (1 << 40)
#define page(n, desc)  ldr x0, =(L3 + 8 * (n)); ldr x1, =(desc); str x1, [x0]; dsb ish; isb
#define at_page(n)     (WINDOW + (n) * 4096)

main:
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
    mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =TCR
    msr     tcr_el1, x0
    ldr     x0, =L1
    msr     ttbr0_el1, x0
    tlbi    vmalle1
    dsb     sy
    isb
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    orr     x0, x0, #(1 << 23)          /* SPAN: exceptions leave PAN alone */
    msr     sctlr_el1, x0
    isb
    page(0, DATA | 0x743)               /* EL0 may */
    page(1, DATA | 0x703)               /* EL1 only */

    title("pan")
    ldr     x3, =at_page(0)
    ldr     x4, =at_page(1)
    ldr     x5, [x3]
    msr     pan, #1
    mrs     x0, pan
    check(x0, 1 << 22)
    catch(1f)
    ldr     x5, [x3]
    never()
1:  check(x20, 0x200)
    check(x22, 0x9600000f)
    and     x0, x24, #(1 << 22)
    check(x0, 1 << 22)
    catch(1f)
    str     x5, [x3]
    never()
1:  check(x22, 0x9600004f)
    ldr     x5, [x4]
    ldtr    x5, [x3]
    at      s1e1rp, x3
    isb
    mrs     x0, par_el1
    and     x0, x0, #0x7f
    check(x0, 0x1f)
    at      s1e1r, x3
    isb
    mrs     x0, par_el1
    and     x0, x0, #1
    check(x0, 0)
    msr     pan, #0
    ldr     x5, [x3]

    title("exceptions set pan when SCTLR says so")
    mrs     x7, sctlr_el1
    bic     x0, x7, #(1 << 23)
    msr     sctlr_el1, x0
    isb
    catch(1f)
    svc     #0
1:  mrs     x0, pan
    check(x0, 1 << 22)
    msr     pan, #0
    msr     sctlr_el1, x7
    isb

    title("uao")
    catch(1f)
    ldtr    x5, [x4]
    never()
1:  check(x22, 0x9600000f)
    msr     uao, #1
    mrs     x0, uao
    check(x0, 1 << 23)
    ldtr    x5, [x4]
    catch(1f)
    svc     #0
1:  mrs     x0, uao
    check(x0, 0)
    and     x0, x24, #(1 << 23)
    check(x0, 1 << 23)

    title("hardware access flag")
    ldr     x0, =(TCR | HA)
    msr     tcr_el1, x0
    isb
    page(2, DATA | 0x303)
    ldr     x3, =at_page(2)
    ldr     x5, [x3]
    ldr     x0, =(L3 + 16)
    ldr     x0, [x0]
    check(x0, DATA | 0x703)

    title("hardware dirty state")
    ldr     x0, =(TCR | HA | HD)
    msr     tcr_el1, x0
    isb
    page(3, DATA | 0x783 | (1 << 51))   /* read-only, DBM */
    ldr     x3, =at_page(3)
    ldr     x5, [x3]
    ldr     x0, =(L3 + 24)
    ldr     x0, [x0]
    check(x0, DATA | 0x783 | (1 << 51))
    str     x5, [x3]
    ldr     x0, =(L3 + 24)
    ldr     x0, [x0]
    check(x0, DATA | 0x703 | (1 << 51))
    page(4, DATA | 0x783)               /* without DBM */
    ldr     x3, =at_page(4)
    catch(1f)
    str     x5, [x3]
    never()
1:  check(x22, 0x9600004f)

    title("atomics report what they could not do")
    catch(1f)
    ldadd   x5, x6, [x3]
    never()
1:  check(x22, 0x9600004f)              /* it may be read */
    ldr     x3, =at_page(9)
    catch(1f)
    ldadd   x5, x6, [x3]
    never()
1:  check(x22, 0x96000007)
    catch(1f)
    cas     x5, x6, [x3]
    never()
1:  check(x22, 0x96000007)
    finish
