/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls something that is no landing pad; when that works: exits with 42, or, as an interpreter (-DINTERP),
 * goes on to the program.  -DMARKED: says that it is built for BTI (AArch64 ELF ABI, GNU property). */
        .arch   armv8.5-a
        .globl  _start
_start: mov     x19, sp
        adr     x0, target
        blr     x0
#ifdef INTERP
        ldr     x1, [x19], #8           /* argc; then argv, NULL, envp, NULL, auxv */
        add     x19, x19, x1, lsl #3
        add     x19, x19, #8
1:      ldr     x0, [x19], #8
        cbnz    x0, 1b
2:      ldp     x0, x1, [x19], #16
        cbz     x0, 3f
        cmp     x0, #9                  /* AT_ENTRY */
        b.ne    2b
        br      x1
#endif
3:      mov     x0, #42
        mov     x8, #93
        svc     #0
target: nop
        ret
#ifdef MARKED
        .section .note.gnu.property, "a"
        .balign 8
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 1, 0     /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
#endif
