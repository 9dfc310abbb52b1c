# SPDX-License-Identifier: GPL-2.0-or-later
# Branches (DDI 0487, C6.2 B, B.cond, BL, BLR, BR, CBZ, CBNZ, RET, TBZ, TBNZ).

# b forwards
# in:  x0=1
# out: x0=1
    b       1f
    mov     x0, #2
1:

# a loop counts down
# in:  x0=0 x1=1000
# out: x0=1000 x1=0 nzcv=nZCv
1:  add     x0, x0, #1
    subs    x1, x1, #1
    b.ne    1b

# cbz looks at 32 bits only
# in:  x0=0 x1=0xffffffff00000000
# out: x0=1
    cbz     w1, 1f
    mov     x0, #7
1:  cbz     x1, 2f
    add     x0, x0, #1
2:

# cbnz
# in:  x0=0 x1=0x100000000
# out: x0=1
    cbnz    w1, 1f
    cbnz    x1, 2f
1:  mov     x0, #9
2:  add     x0, x0, #1

# tbz and tbnz, low and high bits
# in:  x0=0 x1=0x8000000000000001
# out: x0=3
    tbz     x1, #0, 9f
    add     x0, x0, #1
    tbnz    x1, #62, 9f
    add     x0, x0, #1
    tbz     x1, #63, 9f
    add     x0, x0, #1
9:

# bl writes the link register
# out: x30=code+4 x0=5
    bl      1f
1:  mov     x0, #5

# blr by the link register itself
# out: x30=code+8 x0=1
    adr     x30, 1f
    blr     x30
1:  mov     x0, #1

# call and return
# in:  x0=0
# out: x0=5 x30=code+4
    bl      1f
    b       2f
1:  add     x0, x0, #5
    ret
2:

# ret by another register
# out: x5=code+12 x0=1
    adr     x5, 1f
    mov     x0, #1
    ret     x5
1:

# br to a register
# out: x16=code+12 x0=4
    adr     x16, 1f
    mov     x0, #4
    br      x16
1:

# every condition, taken and not
# in:  x0=0 nzcv=nZCv
# out: x0=0x7f nzcv=nZCv
    b.ne    9f
    add     x0, x0, #1
    b.cc    9f
    add     x0, x0, #2
    b.mi    9f
    add     x0, x0, #4
    b.vs    9f
    add     x0, x0, #8
    b.hi    9f
    add     x0, x0, #16
    b.lt    9f
    add     x0, x0, #32
    b.gt    9f
    add     x0, x0, #64
9:

# brk stops
# out: sigtrap pc=code+4 x0=3
    mov     x0, #3
    brk     #1

# udf is undefined
# out: sigill pc=code
    udf     #0

# hlt, hvc and smc are not for programs
# out: sigill pc=code
    hlt     #0

# hvc
# out: sigill pc=code
    hvc     #0
