# SPDX-License-Identifier: GPL-2.0-or-later
# System registers, hints, barriers, cache maintenance (DDI 0487, C5.3, C6.2 MRS, MSR, DC ZVA).

# the thread pointer holds its value
# in:  x0=0x123456789abcdef0
# out: x1=0x123456789abcdef0 x2=0
    mrs     x2, tpidr_el0
    msr     tpidr_el0, x0
    mrs     x1, tpidr_el0
    msr     tpidr_el0, x2
    mov     x2, #0

# fpcr keeps its modes and loses reserved bits
# in:  x0=0xf7c000ff
# out: fpcr=0x07c00000 x1=0x07c00000
    msr     fpcr, x0
    mrs     x1, fpcr

# fpsr keeps its flags
# in:  x0=0x0800009f
# out: fpsr=0x0800009f x1=0x0800009f
    msr     fpsr, x0
    mrs     x1, fpsr

# hints and barriers do nothing to see
# out: x0=1
    nop
    yield
    sev
    hint    #34
    hint    #100
    csdb
    dmb     ish
    dmb     ishld
    dsb     ishst
    isb
    sb
    mov     x0, #1

# dc zva clears the block that dczid_el0 tells, wherever in it the address points
# in:  x0=mem+2048
# out: x1=0 x2=0 x3=0
    mrs     x3, dczid_el0
    mov     x1, #4
    lsl     x1, x1, x3
    add     x2, x0, x1
    sub     x2, x2, #8
    sub     x1, x1, #1
    bic     x3, x0, x1
    ldr     x1, [x3]
    dc      zva, x2
    ldr     x2, [x2]
    str     x1, [x3]
    mov     x3, #0
    mov     x1, #0

# the counter runs
# out: x0=1 x1=1 nzcv=nzCv
    mrs     x0, cntvct_el0
    mrs     x1, cntvct_el0
    cmp     x1, x0
    cset    x0, hs
    mov     x1, #1
    cmp     x1, #0

# dit holds its value
# in:  x0=0x1000000
# out: x1=0x1000000 x2=0
    msr     dit, x0
    mrs     x1, dit
    msr     dit, #0
    mrs     x2, dit

# privileged registers are undefined
# out: sigill pc=code
    mrs     x0, sctlr_el1

# the identification registers may be read
# in:  x1=0xf
# out: x0=1
    mrs     x0, id_aa64pfr0_el1
    and     x0, x0, x1

# random numbers come, and say so
# in:  nzcv=NZCV
# out: x0=1 nzcv=nzcv
    mrs     x0, rndr
    cset    x0, ne

# the midr may be read
# out: x0=0xf
    mrs     x0, midr_el1
    ubfx    x0, x0, #16, #4

# fpcr takes effect at once, also where it makes code mean something else
# in:  x0=0x1000000 x1=0x2000000 d1=0x0000000000000001 d2=0x8000000000000001 d5=0x7ff0000000000001
# out: fpcr=0 d0=0 d3=0x8000000000000000 fpsr=0x81 v4=0x7ff8000000000000 d6=2
    msr     fpcr, x0
    fadd    d0, d1, d1
    fadd    d3, d2, d2
    msr     fpcr, x1
    fadd    d4, d5, d5
    msr     fpcr, xzr
    fadd    d6, d1, d1

# a system call that does not exist says so
# in:  x8=0xffff x0=5
# out: x0=0xffffffffffffffda
    svc     #0

# waiting for events and interrupts ends
# out: x0=1
    sevl
    wfe
    wfi
    mov     x0, #1

# cache maintenance does nothing to see
# in:  x9=mem+5
# out: x0=1
    dc      cvac, x9
    dc      cvau, x9
    dc      civac, x9
    ic      ivau, x9
    mov     x0, #1

# to the points of persistence neither
# in:  x9=mem+5
# out: x0=1
# skip: reference it takes them for undefined
    dc      cvap, x9
    dc      cvadp, x9
    mov     x0, #1

# speculative stores bypass or not, by register and by immediate
# in:  x0=0x1000
# out: x1=0x1000 x2=0 x3=0x1000 x4=0
    msr     ssbs, x0
    mrs     x1, ssbs
    msr     ssbs, xzr
    mrs     x2, ssbs
    msr     ssbs, #1
    mrs     x3, ssbs
    msr     ssbs, #0
    mrs     x4, ssbs

# the cache type register names lines of 16 to 1024 bytes
# out: x0=1 nzcv=Nzcv
    mrs     x0, ctr_el0
    and     x0, x0, #15
    sub     x0, x0, #2
    cmp     x0, #7
    cset    x0, lo

# the counter has a frequency, and can be read in order
# out: x0=1 x1=1 x2=0 nzcv=nZCv
# skip: reference it does not have FEAT_ECV
    mrs     x0, cntfrq_el0
    cmp     x0, #0
    cset    x0, hi
    mrs     x1, cntvct_el0
    mrs     x2, s3_3_c14_c0_6   // cntvctss_el0
    cmp     x2, x1
    cset    x1, hs
    mov     x2, #0
    cmp     x2, #0

# the second thread pointer is the kernel's to write: zero
# out: x0=0
    mrs     x0, tpidrro_el0
