/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operands of 16 bytes that must be aligned, and those that need not (SDM 1, 4.1.1; SDM 2); an unmasked exception with CR4.OSXMMEXCPT
 * and without (SDM 3A, 2.5).
 * skip reference: it has no unmasked SSE exceptions
 */
#include "sys.h"

.macro may text, insn:vararg
    movw $778f, 0x500
    say16 "\text"
    \insn
    say16 " done\n"
778:
.endm

    head
    begin
    movw $on13, 13 * 4
    movw $0xf000, 13 * 4 + 2
    movw $on6, 6 * 4
    movw $0xf000, 6 * 4 + 2
    movw $on19, 19 * 4
    movw $0xf000, 19 * 4 + 2
    mov %cr4, %eax
    or $0x200, %eax
    mov %eax, %cr4
    mov $2, %bp
1:  mov $0x1000, %bx
2:  may "movaps", movaps (%bx), %xmm0
    may "movaps to memory", movaps %xmm0, (%bx)
    may "movups", movups (%bx), %xmm0
    may "movdqa", movdqa (%bx), %xmm0
    may "movdqu", movdqu %xmm0, (%bx)
    may "movntdq", movntdq %xmm0, (%bx)
    may "paddb", paddb (%bx), %xmm0
    may "addsd", addsd (%bx), %xmm0
    may "cvtps2pd", cvtps2pd (%bx), %xmm0
    add $8, %bx
    cmp $0x1010, %bx
    jne 2b
    dec %bp
    jne 1b
    movl $0x1d00, 0x1010 /* MXCSR: invalid and zero divide unmasked */
    ldmxcsr 0x1010
    pxor %xmm0, %xmm0
    may "0 / 0", divss %xmm0, %xmm0
    mov %cr4, %eax
    or $0x400, %eax
    mov %eax, %cr4
    may "0 / 0", divss %xmm0, %xmm0
    finish
on6:
    say16 " #UD\n"
    add $6, %sp
    jmp *0x500
on19:
    say16 " #XM\n"
    add $6, %sp
    jmp *0x500
on13:
    say16 " #GP\n"
    add $6, %sp
    jmp *0x500
