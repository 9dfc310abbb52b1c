/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Big-endian data (SCTLR_EL1.EE, E0E) and translation tables (DDI 0487, B2.6).  Literals of checks are little endian, so data is
 * accessed in big(...).
 * cpu: max cortex-a76
 */
#include "sys.h"
    .arch   armv8.5-a

#define L1       TABLES
#define L2       (TABLES + 0x1000)
#define L3       (TABLES + 0x2000)
#define EE       (1 << 25)
#define E0E      (1 << 24)
#define big(...) msr sctlr_el1, x8; isb; __VA_ARGS__; msr sctlr_el1, x7; isb
#define put_big(at, desc)  ldr x0, =(at); ldr x1, =(desc); rev x1, x1; str x1, [x0]

main:
    mrs     x0, id_aa64mmfr0_el1
    ubfx    x0, x0, #8, #4
    check(x0, 1)
    mrs     x7, sctlr_el1
    tst     x7, #EE
    cset    x0, ne
    check(x0, 0)
    orr     x8, x7, #EE
    ldr     x2, =DATA
    ldr     x0, =0x0706050403020100
    ldr     x1, =0x0f0e0d0c0b0a0908
    stp     x0, x1, [x2]
    ldr     x0, =0xf7f6f5f4f3f2f1f0
    ldr     x1, =0xfffefdfcfbfaf9f8
    stp     x0, x1, [x2, #16]
    add     x3, x2, #64
    add     x4, x2, #16

    title("loads")
    big(ldr x0, [x2])
    check(x0, 0x0001020304050607)
    big(ldr w0, [x2, #4])
    check(x0, 0x04050607)
    big(ldrh w0, [x2, #2])
    check(x0, 0x0203)
    big(ldrb w0, [x2, #3])
    check(x0, 3)
    big(ldrsh x0, [x4])
    check(x0, 0xfffffffffffff0f1)
    big(ldrsh w0, [x4])
    check(x0, 0xfffff0f1)
    big(ldrsb x0, [x4, #1])
    check(x0, 0xfffffffffffffff1)
    big(ldrsb w0, [x4, #1])
    check(x0, 0xfffffff1)
    big(ldrsw x0, [x4])
    check(x0, 0xfffffffff0f1f2f3)
    big(ldp x0, x1, [x2])
    check(x0, 0x0001020304050607)
    check(x1, 0x08090a0b0c0d0e0f)
    big(ldpsw x0, x1, [x4])
    check(x1, 0xfffffffff4f5f6f7)
    big(ldar w0, [x2])
    check(x0, 0x00010203)
    big(ldr x0, literal)
    check(x0, 0x8877665544332211)
    big(ldtr x0, [x2])
    check(x0, 0x0001020304050607)

    title("stores")
    ldr     x5, =0x1122334455667788
    big(str x5, [x3])
    ldr     x0, [x3]
    check(x0, 0x8877665544332211)
    big(str w5, [x3])
    ldr     x0, [x3]
    check(x0, 0x8877665588776655)
    big(strh w5, [x3])
    ldr     x0, [x3]
    check(x0, 0x8877665588778877)
    big(strb w5, [x3, #1])
    ldrb    w0, [x3, #1]
    check(x0, 0x88)
    big(stp w5, wzr, [x3])
    ldr     x0, [x3]
    check(x0, 0x88776655)
    big(stlr x5, [x3])
    ldr     x0, [x3]
    check(x0, 0x8877665544332211)

    title("vectors")
    big(ldr q0, [x2])
    mov     x0, v0.d[1]
    check(x0, 0x0001020304050607)
    mov     x0, v0.d[0]
    check(x0, 0x08090a0b0c0d0e0f)
    big(str q0, [x3])
    ldp     x0, x1, [x3]
    check(x0, 0x0706050403020100)
    check(x1, 0x0f0e0d0c0b0a0908)
    big(ldr d0, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0001020304050607)
    big(ldr s0, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x00010203)
    big(ldr h0, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0001)
    big(str s0, [x3])
    ldr     w0, [x3]
    check(x0, 0x01000000)
    big(str h0, [x3])
    ldrh    w0, [x3]
    check(x0, 0x0100)
    big(ldp d0, d1, [x2])
    mov     x0, v1.d[0]
    check(x0, 0x08090a0b0c0d0e0f)
    big(ld1 {v0.4s}, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0405060700010203)
    big(st1 {v0.4s}, [x3])
    ldr     x0, [x3]
    check(x0, 0x0706050403020100)
    big(ld1 {v0.8h}, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0607040502030001)
    big(ld1 {v0.16b}, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0706050403020100)
    big(ld1 {v0.2d}, [x2])
    mov     x0, v0.d[1]
    check(x0, 0x08090a0b0c0d0e0f)
    big(ld2 {v0.4h, v1.4h}, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0c0d080904050001)
    big(st2 {v0.4h, v1.4h}, [x3])
    ldp     x0, x1, [x3]
    check(x0, 0x0706050403020100)
    check(x1, 0x0f0e0d0c0b0a0908)
    movi    v0.2d, #0
    big(ld1 {v0.s}[1], [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0001020300000000)
    big(st1 {v0.s}[1], [x3])
    ldr     w0, [x3]
    check(x0, 0x03020100)
    big(ld1r {v0.4h}, [x2])
    mov     x0, v0.d[0]
    check(x0, 0x0001000100010001)

    title("exclusives")
    big(ldxr x0, [x2]; add x1, x0, #1; stxr w5, x1, [x2])
    check(x0, 0x0001020304050607)
    check(x5, 0)
    ldr     x0, [x2]
    check(x0, 0x0806050403020100)
    big(ldaxr w0, [x2, #0]; sub w1, w0, #1; stlxr w5, w1, [x2])
    check(x0, 0x00010203)
    check(x5, 0)
    ldr     x0, [x2]
    check(x0, 0x0806050402020100)
    big(ldaxrh w0, [x2]; add w1, w0, #0x100; stlxrh w5, w1, [x2])
    ldr     x0, [x2]
    check(x0, 0x0806050402020101)
    big(ldxp x0, x1, [x2]; stxp w5, x1, x0, [x2])
    check(x0, 0x0101020204050608)
    check(x1, 0x08090a0b0c0d0e0f)
    check(x5, 0)
    ldp     x0, x1, [x2]
    check(x0, 0x0f0e0d0c0b0a0908)
    check(x1, 0x0806050402020101)
    big(ldxp w0, w1, [x2]; stxp w5, w1, w0, [x2])
    check(x0, 0x08090a0b)
    check(x1, 0x0c0d0e0f)
    ldr     x0, [x2]
    check(x0, 0x0b0a09080f0e0d0c)

    title("atomics")
    ldr     x0, =0x00ff000000000000
    str     x0, [x2]
    mov     x1, #0x0102
    big(ldadd x1, x0, [x2])
    check(x0, 0xff00)
    ldr     x0, [x2]
    check(x0, 0x0200010000000000)
    mov     w1, #1
    big(ldaddalh w1, w0, [x2, #0])
    check(x0, 0)
    ldrh    w0, [x2]
    check(x0, 0x0100)
    mov     w1, #-2
    big(ldsmin w1, w0, [x2])
    check(x0, 0x00010000)
    ldr     w0, [x2]
    check(x0, 0xfeffffff)
    mov     w1, #5
    big(ldsmaxh w1, w0, [x2])
    check(x0, 0xffff)
    ldrh    w0, [x2]
    check(x0, 0x0500)
    mov     w1, #0x400
    big(ldumaxh w1, w0, [x2])
    check(x0, 5)
    ldrh    w0, [x2]
    check(x0, 0x0004)
    mov     w1, #7
    big(lduminh w1, w0, [x2])
    ldrh    w0, [x2]
    check(x0, 0x0700)
    mov     w1, #0x4000
    big(ldset w1, w0, [x2])
    ldrb    w0, [x2, #2]
    check(x0, 0xff)
    mov     x1, #0xff00
    big(ldclr x1, x0, [x2])
    ldrb    w0, [x2, #6]
    check(x0, 0)
    mov     x1, #0x1234
    big(swp x1, x0, [x2])
    ldr     x0, [x2]
    check(x0, 0x3412000000000000)
    mov     x0, #0x1234
    mov     x1, #0x5678
    big(cas x0, x1, [x2])
    check(x0, 0x1234)
    ldr     x0, [x2]
    check(x0, 0x7856000000000000)
    mov     x0, #0x5678
    ldr     x1, [x2, #8]
    rev     x1, x1
    mov     x4, #1
    mov     x5, #2
    big(casp x0, x1, x4, x5, [x2])
    check(x0, 0x5678)
    ldp     x0, x1, [x2]
    check(x0, 1 << 56)
    check(x1, 2 << 56)

    title("programs")
    orr     x0, x7, #E0E
    msr     sctlr_el1, x0
    isb
    mov     x1, #0x1122
    str     x1, [x3]
    ldr     x0, [x3]
    check(x0, 0x1122)
    catch(1f)
    to_el0  user
1:  check(x20, 0x400)
    check(x5, 0x2211000000000000)
    msr     sctlr_el1, x7
    isb
    catch(1f)
    to_el0  user
1:  check(x5, 0x1122)

    title("tables")
    put_big(L1, 0x405)
    put_big(L1 + 8, RAM | 0x701)
    put_big(L1 + 16, L2 | 3)
    put_big(L2, L3 | 3)
    put_big(L3, DATA | 0x303)           /* the access flag is not set */
    mov     x0, #0xff
    msr     mair_el1, x0
    ldr     x0, =(25 | 1 << 23 | 2 << 32 | 1 << 39)
    msr     tcr_el1, x0
    ldr     x0, =L1
    msr     ttbr0_el1, x0
    tlbi    vmalle1
    dsb     sy
    isb
    ldr     x4, =0x80000040
    orr     x8, x8, #1
    ldr     x0, =0x8877665544332211
    str     x0, [x3]
    big(ldr x5, [x4])
    check(x5, 0x1122334455667788)
    ldr     x0, =L3
    ldr     x0, [x0]
    rev     x0, x0
    check(x0, DATA | 0x703)
    tlbi    vmalle1
    dsb     sy
    isb
    finish

    .balign 8
literal:
    .quad   0x1122334455667788
    .ltorg
user:
    ldr     x5, [x3]
    svc     #0
