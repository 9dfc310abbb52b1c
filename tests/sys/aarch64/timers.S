/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic timers, interrupts, WFI, the performance monitor (DDI 0487, D11, D1.3.6, D12).
 * cpu: max cortex-a57
 */
#include "sys.h"

main:
    irq_setup
    title("frequency")
    mrs     x0, cntfrq_el0
    check(x0, 62500000)

    title("the counters run together")
    mrs     x1, cntvct_el0
    isb
    mrs     x2, cntpct_el0
    isb
    mrs     x3, cntvct_el0
    cmp     x1, x3
    cset    x0, ls
    check(x0, 1)
    sub     x0, x2, x1
    lsr     x0, x0, #27
    cmp     x0, #0
    cset    x0, eq
    check(x0, 1)

    title("timer value and compare value")
    mov     x0, #1000
    msr     cntv_tval_el0, x0
    isb
    mrs     x1, cntvct_el0
    mrs     x2, cntv_cval_el0
    sub     x0, x2, x1
    cmp     x0, #1000
    cset    x0, le
    check(x0, 1)
    mov     x0, #-1
    msr     cntv_tval_el0, x0
    isb
    mrs     x0, cntv_tval_el0
    lsr     x1, x0, #31
    check(x1, 1)
    mrs     x0, cntv_ctl_el0
    check(x0, 0)
    mov     x0, #3
    msr     cntv_ctl_el0, x0
    isb
    mrs     x0, cntv_ctl_el0
    check(x0, 7)
    mov     x0, #0
    msr     cntv_ctl_el0, x0

    .irp    timer, cntv, cntp
    title("\timer: a pending interrupt is taken when it is unmasked")
    mov     x0, #-1
    msr     \timer\()_tval_el0, x0
    mov     x0, #1
    msr     \timer\()_ctl_el0, x0
    isb
1:  mrs     x0, isr_el1
    tbz     x0, #7, 1b
    catch(1f)
    msr     daifclr, #2
    nop
    nop
    never()
1:  check(x20, 0x280)
    msr     \timer\()_ctl_el0, xzr
    isb
    irq_done
    mrs     x0, isr_el1
    check(x0, 0)

    title("\timer: wfi sleeps until the timer rings, masked")
    msr     daifset, #2
    mrs     x7, cntvct_el0
    ldr     x0, =625000                 /* 10 ms */
    msr     \timer\()_tval_el0, x0
    mov     x0, #1
    msr     \timer\()_ctl_el0, x0
    isb
    wfi
    mrs     x8, cntvct_el0
    sub     x0, x8, x7
    ldr     x1, =625000
    cmp     x0, x1
    cset    x0, hs
    check(x0, 1)
    mrs     x0, isr_el1
    check(x0, 0x80)

    title("\timer: wfi and an interrupt that is taken")
    ldr     x0, =62500
    msr     \timer\()_tval_el0, x0
    catch(1f)
    msr     daifclr, #2
2:  wfi
    b       2b
1:  check(x20, 0x280)
    msr     \timer\()_ctl_el0, xzr
    isb
    irq_done
    .endr

    title("an interrupt from a loop without calls")
    ldr     x0, =62500
    msr     cntv_tval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    catch(1f)
    msr     daifclr, #2
    mov     x5, #0
2:  add     x5, x5, #1
    b       2b
1:  check(x20, 0x280)
    msr     cntv_ctl_el0, xzr
    isb
    irq_done

    title("an interrupt at EL0")
    ldr     x0, =62500
    msr     cntv_tval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    catch(1f)
    to_el0  2f
2:  add     x5, x5, #1
    b       2b
1:  check(x20, 0x480)
    msr     cntv_ctl_el0, xzr
    isb
    irq_done

    title("EL0 and the counters")
    msr     cntkctl_el1, xzr
    isb
    catch(1f)
    to_el0  2f, 0x3c0
2:  mrs     x5, cntvct_el0
1:  check(x22, 0x6234f8a1)
    mov     x0, #2
    msr     cntkctl_el1, x0
    isb
    catch(1f)
    to_el0  2f, 0x3c0
2:  mrs     x5, cntvct_el0
    svc     #7
1:  check(x22, 0x56000007)
    catch(1f)
    to_el0  2f, 0x3c0
2:  mrs     x5, cntpct_el0
1:  check(x22, 0x6232f8a1)
    catch(1f)
    to_el0  2f, 0x3c0
2:  msr     cntv_ctl_el0, x5
1:  check(x22, 0x6232f8a6)

    title("cycle counter")
    mov     x0, #0x46                   /* LC, C, P */
    msr     pmcr_el0, x0
    mov     x0, #(1 << 31)
    msr     pmcntenset_el0, x0
    mov     x0, #0x41                   /* LC, E */
    msr     pmcr_el0, x0
    isb
    mrs     x1, pmccntr_el0
    isb
2:  mrs     x2, pmccntr_el0
    cmp     x2, x1
    b.ls    2b
    mrs     x0, pmcntenset_el0
    check(x0, 0x80000000)

    title("cycle counter: overflow")
    mov     x0, #(1 << 31)
    msr     pmintenset_el1, x0
    ldr     x0, =-1000000               /* a millisecond or so */
    msr     pmccntr_el0, x0
    isb
    catch(1f)
    msr     daifclr, #2
2:  wfi
    b       2b
1:  check(x20, 0x280)
    mrs     x0, pmovsclr_el0
    check(x0, 0x80000000)
    msr     pmovsclr_el0, x0
    isb
    irq_done
    mrs     x0, pmovsset_el0
    check(x0, 0)
    msr     pmcr_el0, xzr

    title("counters count where their filters say")
    mov     x0, #(1 << 31)
    msr     pmcntenclr_el0, x0
    msr     pmintenclr_el1, x0
    msr     pmccfiltr_el0, x0           /* P: not at EL1 */
    mov     x0, #0x46
    msr     pmcr_el0, x0
    mov     x0, #(1 << 31)
    msr     pmcntenset_el0, x0
    mov     x0, #0x41
    msr     pmcr_el0, x0
    isb
    mrs     x1, pmccntr_el0
    mov     x3, #10000
1:  sub     x3, x3, #1
    cbnz    x3, 1b
    isb
    mrs     x2, pmccntr_el0
    sub     x0, x2, x1
    check(x0, 0)
    catch(1f)
    to_el0  2f, 0x3c0
2:  mov     x3, #10000
3:  sub     x3, x3, #1
    cbnz    x3, 3b
    svc     #0
1:  mrs     x2, pmccntr_el0
    sub     x0, x2, x1
    cmp     x0, #1000
    cset    x0, hi
    check(x0, 1)
    mov     x0, #(1 << 30)              /* U: not at EL0 */
    msr     pmccfiltr_el0, x0
    isb
    mrs     x1, pmccntr_el0
    mov     x3, #10000
1:  sub     x3, x3, #1
    cbnz    x3, 1b
    isb
    mrs     x2, pmccntr_el0
    sub     x0, x2, x1
    cmp     x0, #1000
    cset    x0, hi
    check(x0, 1)
    msr     pmccfiltr_el0, xzr
    mov     x0, #(1 << 31)
    msr     pmcntenclr_el0, x0
    msr     pmcr_el0, xzr

    title("event counters")
    mrs     x0, pmcr_el0
    ubfx    x0, x0, #11, #5
    check(x0, 6)
    msr     pmselr_el0, xzr
    msr     pmxevtyper_el0, xzr         /* SW_INCR */
    msr     pmevcntr0_el0, xzr
    mov     x0, #1
    msr     pmcntenset_el0, x0
    msr     pmcr_el0, x0
    isb
    msr     pmswinc_el0, x0
    msr     pmswinc_el0, x0
    isb
    mrs     x0, pmevcntr0_el0
    check(x0, 2)
    mrs     x0, pmxevcntr_el0
    check(x0, 2)
    finish
