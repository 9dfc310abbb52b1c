/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 errors with CR0.NE clear: FERR#, which is interrupt 75h; a write to port F0h lets the CPU go on until the error is cleared (SDM 1,
 * 8.7.2 and appendix D); with CR0.NE set #MF.
 * cpu: max,-apic
 * skip reference: it ends by an assertion of its own
 */
#include "sys.h"

.macro port n, v
    mov $\v, %al
    out %al, $\n
.endm

    head
    begin
    movw $on10, 0x10 * 4
    movw $0xf000, 0x10 * 4 + 2
    movw $on75, 0x75 * 4
    movw $0xf000, 0x75 * 4 + 2
    port 0x20, 0x11 /* the PICs, for the reference: vectors from 8 and 70h on, all masked but IRQ 2 and 13 */
    port 0x21, 0x08
    port 0x21, 0x04
    port 0x21, 0x01
    port 0xa0, 0x11
    port 0xa1, 0x70
    port 0xa1, 0x02
    port 0xa1, 0x01
    port 0x21, 0xfb
    port 0xa1, 0xdf
    mov %cr0, %eax
    and $~0x2e, %eax /* no NE, TS, EM, MP */
    mov %eax, %cr0
    movb $1, 0x600
    call divide
    say16 "pending\n"
    sti
    nop
    fwait
    say16 "went on\n"
    call status

    movb $0, 0x600 /* the handler does not clear the error */
    cli
    call divide
    sti
    nop
    fwait
    fwait
    fld1            /* done with the error pending */
    cli
    say16 "ignored\n"
    call status
    fnclex
    say16 "again:\n"
    movb $1, 0x600
    call divide     /* IGNNE# has ended with the error */
    sti
    nop
    fwait
    cli
    call status

    mov %cr0, %eax
    or $0x20, %eax
    mov %eax, %cr0
    call divide
    fwait
    say16 "after mf\n"
    call status
    finish

divide:
    fninit
    movw $0x37b, 0x500 /* zero divide is not masked */
    fldcw 0x500
    fld1
    fldz
    fdivrp
    ret
status:
    fnstsw %ax
    test $0x80, %al
    jz 1f
    say16 "ES is set\n"
    ret
1:  say16 "ES is clear\n"
    ret
on75:
    push %ax
    say16 "irq 13\n"
    port 0xf0, 0
    port 0xa0, 0x20
    port 0x20, 0x20
    cmpb $1, 0x600
    jne 1f
    fnclex
1:  pop %ax
    iret
on10:
    say16 "mf\n"
    fnclex
    iret
