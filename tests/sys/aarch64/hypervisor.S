/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EL2: routing, traps of HCR_EL2, stage 2, virtual interrupts, the host's regime (DDI 0487, D1.3.4, D8.2, D8.4).
 * cpu: max neoverse-n1
 * machine: el2
 */
#include "sys.h"

#define HCR_VM   (1 << 0)
#define HCR_IMO  (1 << 4)
#define HCR_VI   (1 << 7)
#define HCR_TWI  (1 << 13)
#define HCR_TID3 (1 << 18)
#define HCR_TSC  (1 << 19)
#define HCR_TVM  (1 << 26)
#define HCR_TGE  (1 << 27)
#define HCR_TRVM (1 << 30)
#define HCR_RW   (1 << 31)
#define HCR_E2H  (1 << 34)
#define HCR_APK  (1 << 40)
#define HCR_API  (1 << 41)

#define S1_L1    TABLES
#define S2_L1    (TABLES + 0x2000)
#define S2_L2    (TABLES + 0x4000)
#define S2_L3    (TABLES + 0x5000)
#define IPA      0x80000000

#define hcr(bits)   ldr x0, =(HCR_RW | bits); msr hcr_el2, x0; isb
    /* To EL1h at a label, all masked; or with DAIF clear */
#define to_el1(label)        mov x9, #0x3c5; msr spsr_el2, x9; adr x9, label; msr elr_el2, x9; eret
#define to_el1_open(label)   mov x9, #0x5; msr spsr_el2, x9; adr x9, label; msr elr_el2, x9; eret
#define to_el0_at(label)     msr spsr_el2, xzr; adr x9, label; msr elr_el2, x9; eret

main:
    title("starts at EL2")
    mrs     x0, currentel
    check(x0, 8)
    ldr     x0, =stack_top - 2048
    msr     sp_el1, x0
    hcr(0)
    mov     x0, #3
    msr     cnthctl_el2, x0

    title("hvc")
    catch(1f)
    to_el1(2f)
2:  hvc     #0x42
1:  check(x20, 0x400)
    check(x21, 8)
    check(x22, 0x5a000042)
    and     x0, x24, #15
    check(x0, 5)
    catch(1f)
    hvc     #1
1:  check(x20, 0x200)
    check(x22, 0x5a000001)

    title("EL1's exceptions stay there")
    catch(1f)
    to_el1(2f)
2:  svc     #3
1:  check(x21, 4)
    check(x22, 0x56000003)
    catch(1f)
    hvc     #0
1:  check(x21, 8)

    title("smc is trapped")
    hcr(HCR_TSC)
    catch(1f)
    to_el1(2f)
2:  smc     #9
1:  check(x21, 8)
    check(x22, 0x5e000009)

    title("registers are trapped")
    hcr(HCR_TVM | HCR_TRVM | HCR_TID3)
    catch(1f)
    to_el1(2f)
2:  msr     ttbr0_el1, x5
1:  check(x22, 0x623008a0)
    catch(1f)
    to_el1(2f)
2:  mrs     x6, esr_el1
1:  check(x22, 0x623014c5)
    catch(1f)
    to_el1(2f)
2:  mrs     x7, id_aa64isar0_el1
1:  check(x22, 0x623000ed)

    title("wfi is trapped")
    hcr(HCR_TWI)
    catch(1f)
    to_el1(2f)
2:  wfi
1:  check(x22, 0x07e00000)

    title("floating point is trapped")
    hcr(0)
    ldr     x0, =(0x33ff | (1 << 10))
    msr     cptr_el2, x0
    catch(1f)
    to_el1(2f)
2:  fmov    d0, #1.0
1:  check(x21, 8)
    check(x22, 0x1fe00000)
    ldr     x0, =0x33ff
    msr     cptr_el2, x0

    title("EL0 below EL2 only: TGE")
    hcr(HCR_TGE)
    catch(1f)
    to_el0_at(2f)
2:  svc     #0x11
1:  check(x20, 0x400)
    check(x21, 8)
    check(x22, 0x56000011)
    catch(1f)
    to_el0_at(2f)
2:  .inst   0
1:  check(x21, 8)
    check(x22, 0x02000000)
    catch(1f)
    to_el1(2f)                          /* there is no EL1 */
2:  nop
1:  check(x20, 0x200)
    check(x22, 0x3a000000)
    hcr(0)

    title("identification that EL2 makes up")
    ldr     x0, =0x12345678
    msr     vpidr_el2, x0
    ldr     x0, =0x80000077
    msr     vmpidr_el2, x0
    catch(1f)
    to_el1(2f)
2:  mrs     x5, midr_el1
    mrs     x6, mpidr_el1
    hvc     #0
1:  check(x5, 0x12345678)
    check(x6, 0x80000077)
    mrs     x5, mpidr_el1
    check(x5, 0x80000000)

    title("the virtual counter's offset")
    mrs     x0, cntpct_el0
    msr     cntvoff_el2, x0
    isb
    catch(1f)
    to_el1(2f)
2:  mrs     x5, cntvct_el0
    hvc     #0
1:  lsr     x5, x5, #28
    check(x5, 0)
    msr     cntvoff_el2, xzr
    msr     cnthctl_el2, xzr
    catch(1f)
    to_el1(2f)
2:  mrs     x5, cntpct_el0
1:  check(x21, 8)
    check(x22, 0x6232f8a1)
    mov     x0, #3
    msr     cnthctl_el2, x0

    title("a virtual interrupt")
    hcr(HCR_IMO | HCR_VI)
    catch(1f)
    to_el1_open(2f)
2:  b       2b
1:  check(x20, 0x280)
    check(x21, 4)
    mrs     x0, isr_el1
    check(x0, 0x80)
    catch(1f)
    hvc     #0
1:  check(x21, 8)
    hcr(0)

    title("a physical interrupt goes to EL2, whatever EL1 masks")
    irq_setup
    hcr(HCR_IMO)
    ldr     x0, =62500
    msr     cnthp_tval_el2, x0
    mov     x0, #1
    msr     cnthp_ctl_el2, x0
    catch(1f)
    to_el1(2f)
2:  b       2b
1:  check(x20, 0x480)
    check(x21, 8)
    msr     cnthp_ctl_el2, xzr
    isb
    irq_done
    hcr(0)

    /* --- Stage 2: 39 bits from level 1, identity but for the window at IPA --- */
    ldr     x0, =S2_L1
    ldr     x1, =(0x7c1 | 0)            /* registers: S2AP both, AF, device */
    str     x1, [x0]
    ldr     x1, =(RAM | 0x7fd)          /* RAM: normal */
    str     x1, [x0, #8]
    ldr     x1, =(S2_L2 | 3)
    str     x1, [x0, #16]
    ldr     x0, =S2_L2
    ldr     x1, =(S2_L3 | 3)
    str     x1, [x0]
    ldr     x1, =(0x40a00000 | 0x7fd)
    str     x1, [x0, #8]
    ldr     x0, =S2_L3
    ldr     x1, =(DATA | 0x7ff)
    str     x1, [x0]                    /* 0: all */
    ldr     x1, =(DATA | 0x77f)
    str     x1, [x0, #8]                /* 1: read-only */
    ldr     x1, =(DATA | 0x3ff)
    str     x1, [x0, #24]               /* 3: AF clear */
    ldr     x1, =(DATA | 0x7ff | (2 << 53))
    str     x1, [x0, #32]               /* 4: not executable */
    ldr     x0, =(25 | 1 << 6 | 1 << 31 | 2 << 16)
    msr     vtcr_el2, x0
    ldr     x0, =S2_L1
    msr     vttbr_el2, x0
    tlbi    vmalls12e1
    dsb     sy
    isb
    ldr     x2, =DATA
    ldr     x1, =0xabcdef
    str     x1, [x2]

    title("stage 2: memory")
    hcr(HCR_VM)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =IPA
    ldr     x5, [x3]
    ldr     x3, =(IPA + (2 << 20))
    ldr     x6, [x3]
    hvc     #0
1:  check(x5, 0xabcdef)
    check(x6, 0xabcdef)

    title("stage 2: faults")
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x2008)
    ldr     w5, [x3]
1:  check(x20, 0x400)
    check(x21, 8)
    check(x22, 0x93850007)              /* ISV, word, rt 5 */
    check(x25, IPA + 0x2008)
    check(x26, (IPA + 0x2000) >> 8)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x2004)
    ldrsh   x6, [x3, #4]
1:  check(x22, 0x93668007 | 0)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x2000)
    str     x7, [x3], #8                /* write-back: no ISV */
1:  check(x22, 0x92000047)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x1000)
    strb    w8, [x3]
1:  check(x22, 0x9308004f)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x3000)
    ldp     x7, x8, [x3]
1:  check(x22, 0x9200000b)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =(IPA + 0x4000)
    br      x3
1:  check(x22, 0x8200000f)
    check(x26, (IPA + 0x4000) >> 8)
    catch(1f)
    to_el1(2f)
2:  mov     x3, #0x8000000000           /* beyond 39 bits */
    ldr     x7, [x3]
1:  check(x22, 0x93c78004)

    title("stage 2: below stage 1")
    ldr     x0, =S1_L1
    ldr     x1, =0x405
    str     x1, [x0]
    ldr     x1, =(RAM | 0x701)
    str     x1, [x0, #8]
    ldr     x1, =(IPA | 0x701)
    str     x1, [x0, #24]               /* 0xc0000000 -> IPA */
    ldr     x1, =((IPA + 0x2000) | 3)   /* 0x100000000: its table is not mapped in stage 2 */
    str     x1, [x0, #32]
    catch(1f)
    to_el1(2f)
2:  mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =(25 | 1 << 23 | 2 << 32)
    msr     tcr_el1, x0
    ldr     x0, =S1_L1
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    dsb     sy
    mrs     x0, sctlr_el1
    orr     x0, x0, #1
    msr     sctlr_el1, x0
    isb
    mov     x3, #0xc0000000
    ldr     x5, [x3]
    hvc     #0
1:  check(x5, 0xabcdef)
    catch(1f)
    to_el1(2f)
2:  mov     x3, #0xc0000000
    add     x3, x3, #0x2000
    ldr     x7, [x3]
1:  check(x22, 0x93c78007)
    check(x25, 0xc0002000)
    check(x26, (IPA + 0x2000) >> 8)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =0x100000000
    ldr     x7, [x3, #8]
1:
#ifndef REFERENCE                       /* gives stage 1's level */
    check(x22, 0x92000087)              /* S1PTW, level 3 */
#endif
    check(x25, 0x100000008)
    check(x26, (IPA + 0x2000) >> 8)
    catch(1f)
    to_el1(2f)
2:  ldr     x3, =0x140000000
    ldr     x7, [x3]
1:  check(x21, 4)                       /* stage 1's own fault is EL1's */
    check(x22, 0x96000005)
    catch(1f)
    hvc     #0
1:  title("at of both stages")
    mov     x3, #0xc0000000
    at      s12e1r, x3
    isb
    mrs     x0, par_el1
    and     x0, x0, #0xfffffff000
    check(x0, DATA)
    at      s1e1r, x3
    isb
    mrs     x0, par_el1
    and     x0, x0, #0xfffffff000
    check(x0, IPA)
    hcr(0)
    mrs     x0, sctlr_el1
    bic     x0, x0, #1
    msr     sctlr_el1, x0
    tlbi    vmalls12e1
    dsb     sy
    isb

    title("pointers are signed when EL2 lets them")
    mrs     x3, id_aa64isar1_el1
    ubfx    x3, x3, #4, #8              /* APA, API */
    cbz     x3, 9f
    mrs     x0, sctlr_el1
    orr     x0, x0, #(1 << 31)          /* EnIA */
    msr     sctlr_el1, x0
    catch(1f)
    to_el1(2f)
2:  adr     x5, 2b
    mov     x6, x5
    .inst   0xdac10065                  /* pacia x5, x3 */
    never()
1:  check(x20, 0x400)
    check(x21, 8)
    check(x22, 0x26000000)
    cmp     x5, x6                      /* it has not been done */
    cset    x7, eq
    check(x7, 1)
    catch(1f)
    to_el1(2f)
2:  .inst   0x9ac3309f                  /* pacga xzr, x4, x3: no bit of SCTLR_EL1 is asked */
    never()
1:  check(x22, 0x26000000)
    catch(1f)
    to_el1(2f)
2:  .inst   0xdac10865                  /* pacda x5, x3: the key is not enabled */
    hvc     #7
1:  check(x22, 0x5a000007)
    cmp     x5, x6
    cset    x7, eq
    check(x7, 1)
    catch(1f)
    to_el1(2f)
2:  msr     elr_el1, x5
    .inst   0xd69f0bff                  /* eretaa */
    never()
1:  check(x22, 0x26000000)
    hcr(HCR_API)
    catch(1f)
    to_el1(2f)
2:  .inst   0xdac10065                  /* pacia x5, x3 */
    .inst   0xdac143e5                  /* xpaci x5 */
    hvc     #8
1:  check(x22, 0x5a000008)
    cmp     x5, x6
    cset    x7, eq
    check(x7, 1)
    hcr(0)
    mrs     x0, sctlr_el1
    bic     x0, x0, #(1 << 31)
    msr     sctlr_el1, x0
    isb
9:
    title("a host in EL2")
    hcr(HCR_E2H | HCR_TGE)
    ldr     x0, =(3 << 20)
    msr     cpacr_el1, x0               /* CPTR_EL2 */
    mrs     x1, cptr_el2
    check(x1, 3 << 20)
    ldr     x0, =0x1234
    msr     elr_el1, x0
    mrs     x1, elr_el2
    check(x1, 0x1234)
    ldr     x0, =0x5678
    msr     s3_5_c4_c0_1, x0            /* ELR_EL12 */
    mrs     x1, elr_el1
    check(x1, 0x1234)
    mrs     x1, s3_5_c4_c0_1
    check(x1, 0x5678)
    catch(1f)
    to_el0_at(2f)
2:  svc     #0x21
1:  check(x20, 0x400)
    check(x21, 8)
    check(x22, 0x56000021)

    title("a host's translation")
    msr     pan, #0
#ifdef REFERENCE                        /* describes the access in syndromes of stage 1, too */
#define stage1_syndrome() bfc x22, #8, #17
#else
#define stage1_syndrome()
#endif
    ldr     x0, =S1_L1
    ldr     x1, =(DATA & 0x40000000 | 0x741)
    str     x1, [x0, #24]               /* 0xc0000000: RAM for EL0, too */
    mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =(25 | 1 << 23 | 2 << 32)
    msr     tcr_el1, x0                 /* TCR_EL2 */
    ldr     x0, =S1_L1
    msr     ttbr0_el1, x0
    isb
    tlbi    alle2
    dsb     sy
    isb
    mrs     x7, sctlr_el1
    orr     x0, x7, #1
    msr     sctlr_el1, x0
    isb
    ldr     x3, =(0xc0000000 + DATA - RAM)
    ldr     x5, [x3]
    check(x5, 0xabcdef)
    ldtr    x5, [x3]
    check(x5, 0xabcdef)
    ldr     x3, =DATA
    catch(1f)
    ldtr    x5, [x3]
    never()
1:  check(x20, 0x200)
    stage1_syndrome()
    check(x22, 0x9600000d)
    catch(1f)
    ldr     x3, =0x140000000
    ldr     x5, [x3]
1:  stage1_syndrome()
    check(x22, 0x96000005)
    ldr     x3, =(0xc0000000 + DATA - RAM)
    msr     pan, #1
    catch(1f)
    ldr     x5, [x3]
    never()
1:  stage1_syndrome()
    check(x22, 0x9600000d)
    msr     pan, #0
    msr     sctlr_el1, x7
    isb
    hcr(0)
    finish
