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
