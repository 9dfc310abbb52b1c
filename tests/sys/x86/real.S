/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real mode: interrupts of software, limits, the shadow of STI, HLT, far calls and returns, segment loads.
 * skip reference: it has no limits in real mode, for 16-bit addresses either
 * skip pc: interrupts are asked for at port EAh
 */
#include "sys.h"
    head
    begin
    movw $on3, 3 * 4
    movw $0xf000, 3 * 4 + 2
    movw $on13, 13 * 4
    movw $0xf000, 13 * 4 + 2
    movw $on_irq, 0x40 * 4
    movw $0xf000, 0x40 * 4 + 2
    int3
    say16 "back\n"
    mov $0xffff, %bx
    movw $over, 0x500
    mov (%bx), %ax
    say16 "never\n"
over:
    mov %ds, %ax                /* the last word of a segment that still has room, and one that has not */
    mov %ax, %es
    mov $0xfffd, %di
    mov $4, %cx
    movw $over2, 0x500
    rep stosw
    say16 "never\n"
over2:
    cmp $3, %cx
    jne 1f
    cmp $0xffff, %di
    jne 1f
    say16 "one of four\n"
1:
    mov $0x17000, %edi          /* 32-bit addresses may go beyond 64 KiB, as the reference's do (x86_big_real) */
    mov %edi, %ebx
    movl $0x5678, (%ebx)
    mov $2, %ecx
    mov $0x9a, %al
    addr32 rep stosb
    cmpl $0x9a9a, (%ebx)
    jne 1f
    say16 "beyond 64 KiB\n"
1:  mov $0x40, %al
    out %al, $0xea              /* waits for IF */
    say16 "masked\n"
    sti
    say16 "after sti\n"         /* its first instruction is shielded: the handler says so */
    cli
    sti
    mov $0x40, %al
    out %al, $0xea
    nop
    cli
    lcall $0xf000, $far
    say16 "returned\n"
    mov $0x40, %al
    out %al, $0xea
    sti
    hlt
    say16 "awake\n"
    cli
    pushf
    pop %ax
    test $0x200, %ax
    jne 1f
    say16 "IF is clear\n"
1:  fxsave 0x6000 /* CR4.OSFXSR is clear: that is no matter (SDM 2, FXSAVE) */
    fxrstor 0x6000
    say16 "fxsave\n"
    finish
on3:
    say16 "int3\n"
    iret
on13:
    say16 "gp\n"
    mov %sp, %bp
    mov 0x500, %ax
    mov %ax, (%bp)
    iret
on_irq:
    say16 "irq\n"
    iret
far:
    say16 "far\n"
    lret
