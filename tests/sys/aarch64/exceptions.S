/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception classes as EL1 sees them (DDI 0487, D1.3, ESR_ELx). */
#include "sys.h"

main:
    title("svc at EL1")
    msr     nzcv, xzr
    catch(1f)
here_svc:
    svc     #0x1234
    never()
1:  check(x20, 0x200)
    check(x22, 0x56001234)
    check(x24, 0x3c5)
    ldr     x9, =here_svc + 4
    sub     x0, x23, x9
    check(x0, 0)

    title("undefined at EL1")
    catch(1f)
here_undef:
    .inst   0x00000000
    never()
1:  check(x20, 0x200)
    check(x22, 0x02000000)
    adr     x9, here_undef
    sub     x0, x23, x9
    check(x0, 0)

    title("brk")
    catch(1f)
    brk     #0x77
    never()
1:  check(x22, 0xf2000077)

    title("hlt is undefined without a debugger")
    catch(1f)
    hlt     #0x1
    never()
1:  check(x22, 0x02000000)

    title("svc from EL0")
    catch(1f)
    to_el0  2f
2:  svc     #5
1:  check(x20, 0x400)
    check(x22, 0x56000005)
    check(x24, 0)

    title("system registers are undefined for EL0")
    catch(1f)
    to_el0  2f
2:  mrs     x0, sctlr_el1
1:  check(x20, 0x400)
    check(x22, 0x02000000)

    title("EL1 has no EL2 registers")
    catch(1f)
    mrs     x0, hcr_el2
    never()
1:  check(x22, 0x02000000)

    title("floating point that is off")
    msr     cpacr_el1, xzr
    isb
    catch(1f)
    fmov    d0, #1.0
    never()
1:  check(x22, 0x1fe00000)
    mov     x0, #(1 << 20)
    msr     cpacr_el1, x0
    isb
    fmov    d0, #1.0            /* EL1 may, EL0 not */
    catch(1f)
    to_el0  2f
2:  ldr     q0, [x0]
1:  check(x20, 0x400)
    check(x22, 0x1fe00000)
    mov     x0, #(3 << 20)
    msr     cpacr_el1, x0
    isb

    title("misaligned pc")
    catch(1f)
    adr     x0, main
    add     x0, x0, #2
    br      x0
1:  check(x22, 0x8a000000)
    adr     x1, main + 2
    sub     x0, x25, x1
    check(x0, 0)
    sub     x0, x23, x1
    check(x0, 0)

#ifndef REFERENCE               /* which does not check SP, and has AArch32 */
    title("misaligned sp")
    mrs     x0, sctlr_el1
    orr     x0, x0, #8
    msr     sctlr_el1, x0
    isb
    catch(1f)
    mov     x7, sp
    sub     x0, x7, #8
    mov     sp, x0
    ldr     x1, [sp]
    never()
1:  check(x22, 0x9a000000)
    mov     sp, x7

    title("illegal return: AArch32")
    msr     nzcv, xzr
    catch(1f)
    to_el0  2f, 0x10
2:  nop
1:  check(x20, 0x200)
    check(x22, 0x3a000000)
    check(x24, 0x00100005)
#endif

    title("illegal return: up")
    catch(1f)
    mov     x0, #0x3c9          /* EL2h */
    msr     spsr_el1, x0
    adr     x0, 2f
    msr     elr_el1, x0
    eret
2:  nop
1:  check(x22, 0x3a000000)

    title("the stack pointers")
    mov     x7, sp
    mov     x0, #0x1230
    msr     sp_el0, x0
    msr     spsel, #0
    mov     x1, sp
    mrs     x2, spsel
    catch(1f)
    mrs     x3, sp_el0
    never()
1:  check(x20, 0)
    check(x22, 0x02000000)
    check(x1, 0x1230)
    check(x2, 0)
    mrs     x2, spsel           /* the handler runs on SP_EL1 */
    check(x2, 1)
    mov     x1, sp
    sub     x0, x1, x7
    check(x0, 0)

    title("daif")
    msr     daifclr, #15
    mrs     x1, daif
    check(x1, 0)
    msr     daifset, #6
    mrs     x1, daif
    check(x1, 0x180)
    mov     x0, #0x3c0
    msr     daif, x0
    mrs     x1, daif
    check(x1, 0x3c0)
    catch(1f)
    to_el0  2f
2:  mrs     x0, daif            /* SCTLR_EL1.UMA is clear */
1:  check(x22, 0x6232d005)      /* op0 3, op2 1, op1 3, CRn 4, CRm 2, read */

    title("wfi and wfe at EL0, trapped")
    mrs     x7, sctlr_el1
    bic     x0, x7, #(1 << 16)
    bic     x0, x0, #(1 << 18)
    msr     sctlr_el1, x0
    isb
    catch(1f)
    to_el0  2f
2:  wfi
1:  check(x22, 0x07e00000)
    msr     sctlr_el1, x7

    title("currentel and the vector of SP_EL0")
    mrs     x0, currentel
    check(x0, 4)
    finish
