/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a whole register state, runs a piece of code, stores the whole state.  The code starts
 * with a load of its own x30 (which got it there) and ends with a branch to finish_case. */
#include "harness.h"

    .text
    .globl _start, run_case, finish_case, leave_case, restorer
_start:
    mov     x0, sp
    bl      main
    mov     x8, #93             /* exit */
    svc     #0

restorer:
    mov     x8, #139            /* rt_sigreturn */
    svc     #0

run_case:
    adrp    x9, saved
    add     x9, x9, :lo12:saved
    stp     x19, x20, [x9]
    stp     x21, x22, [x9, #16]
    stp     x23, x24, [x9, #32]
    stp     x25, x26, [x9, #48]
    stp     x27, x28, [x9, #64]
    stp     x29, x30, [x9, #80]
    mov     x10, sp
    str     x10, [x9, #96]

    clrex                       /* no case sees what another one left behind */
    msr     tpidr_el0, xzr
    msr     s3_3_c4_c2_5, xzr   /* DIT */
    adrp    x30, block
    add     x30, x30, :lo12:block
    ldr     x0, [x30, #ST_FPCR]
    msr     fpcr, x0
    ldr     x0, [x30, #ST_FPSR]
    msr     fpsr, x0
    ldr     x0, [x30, #ST_NZCV]
    msr     nzcv, x0
    ldr     x0, [x30, #ST_SP]
    mov     sp, x0
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ldr     q\n, [x30, #ST_V + 16 * \n]
    .endr
    ldp     x0, x1, [x30, #ST_X]
    ldp     x2, x3, [x30, #ST_X + 16]
    ldp     x4, x5, [x30, #ST_X + 32]
    ldp     x6, x7, [x30, #ST_X + 48]
    ldp     x8, x9, [x30, #ST_X + 64]
    ldp     x10, x11, [x30, #ST_X + 80]
    ldp     x12, x13, [x30, #ST_X + 96]
    ldp     x14, x15, [x30, #ST_X + 112]
    ldp     x16, x17, [x30, #ST_X + 128]
    ldp     x18, x19, [x30, #ST_X + 144]
    ldp     x20, x21, [x30, #ST_X + 160]
    ldp     x22, x23, [x30, #ST_X + 176]
    ldp     x24, x25, [x30, #ST_X + 192]
    ldp     x26, x27, [x30, #ST_X + 208]
    ldp     x28, x29, [x30, #ST_X + 224]
    ldr     x30, [x30, #ST_CODE]
    br      x30

finish_case:
    msr     tpidr_el0, x30      /* the only place to keep it without another register */
    adrp    x30, block
    add     x30, x30, :lo12:block
    stp     x0, x1, [x30, #ST_X]
    stp     x2, x3, [x30, #ST_X + 16]
    stp     x4, x5, [x30, #ST_X + 32]
    stp     x6, x7, [x30, #ST_X + 48]
    stp     x8, x9, [x30, #ST_X + 64]
    stp     x10, x11, [x30, #ST_X + 80]
    stp     x12, x13, [x30, #ST_X + 96]
    stp     x14, x15, [x30, #ST_X + 112]
    stp     x16, x17, [x30, #ST_X + 128]
    stp     x18, x19, [x30, #ST_X + 144]
    stp     x20, x21, [x30, #ST_X + 160]
    stp     x22, x23, [x30, #ST_X + 176]
    stp     x24, x25, [x30, #ST_X + 192]
    stp     x26, x27, [x30, #ST_X + 208]
    stp     x28, x29, [x30, #ST_X + 224]
    mrs     x0, tpidr_el0
    str     x0, [x30, #ST_X + 240]
    mrs     x0, nzcv
    str     x0, [x30, #ST_NZCV]
    mrs     x0, fpsr
    str     x0, [x30, #ST_FPSR]
    mrs     x0, fpcr
    str     x0, [x30, #ST_FPCR]
    mov     x0, sp
    str     x0, [x30, #ST_SP]
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    str     q\n, [x30, #ST_V + 16 * \n]
    .endr

leave_case:
    msr     fpcr, xzr
    adrp    x9, saved
    add     x9, x9, :lo12:saved
    ldp     x19, x20, [x9]
    ldp     x21, x22, [x9, #16]
    ldp     x23, x24, [x9, #32]
    ldp     x25, x26, [x9, #48]
    ldp     x27, x28, [x9, #64]
    ldp     x29, x30, [x9, #80]
    ldr     x10, [x9, #96]
    mov     sp, x10
    ret

    .bss
    .balign 16
saved:
    .skip   112
