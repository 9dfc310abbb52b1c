/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16-bit code: IP, SP and DI that go round at 64 KiB, a segment that keeps the limit of protected mode ("unreal"), the memory behind FFFF:000F,
 * single steps over MOV SS, POP SS, POPF, INT and repeated strings (SDM 3A, 20.1; 3B, 17.3.1.4; 3A, 6.8.3).
 */
#include "sys.h"
#define STEPS 0x500

/* EBX as eight digits. */
.macro digits
    call hex32
.endm

    head
    begin
    movw $on1, 1 * 4
    movw $0xf000, 1 * 4 + 2
    movw $on80, 0x80 * 4
    movw $0xf000, 0x80 * 4 + 2

    mov $0x2000, %ax            /* IP: a jump back from the segment's start, and a call */
    mov %ax, %es
    movb $0x43, %es:0xffef      /* inc %bx; lret */
    movb $0xcb, %es:0xfff0
    xor %ebx, %ebx
    movb $0xe9, %es:0           /* jmp to FFEF */
    movw $0xffef - 3, %es:1
    lcall $0x2000, $0
    digits

    mov $0x3000, %ax            /* SP: from 0 to FFFE, and back */
    mov %ax, %ss
    xor %esp, %esp
    push $0x1234
    mov %sp, %bx
    shl $16, %ebx
    mov %ss:0xfffe, %bx
    pop %ax
    add %sp, %bx
    mov $6, %sp                 /* PUSHA in two parts, ENTER */
    mov $0x1111, %ax
    pusha
    push %ebx
    mov %sp, %bx
    movzx %bx, %ebx
    mov %ss:4(%bx), %si
    pop %ecx
    popa
    xor %ax, %ax
    mov %ax, %ss
    mov $0x7000, %sp
    digits
    mov %ecx, %ebx
    digits

    mov $0x3000, %ax            /* DI and SI: one element after the other */
    mov %ax, %es
    mov $0xfffe, %di
    mov $4, %cx
    mov $0x5a, %al
    cld
    rep stosb
    mov %di, %bx
    shl $16, %ebx
    mov %es:0, %bx
    digits
    mov $1, %di
    std
    mov $3, %cx
    mov $0x77, %al
    rep stosb
    cld
    mov %di, %bx
    shl $16, %ebx
    mov %es:0xfffe, %bx
    digits
    mov $0xfffe, %bx            /* BX + SI goes round, too */
    mov $4, %si
    movb $0x99, %es:2
    mov %es:(%bx, %si), %bl
    movzx %bl, %ebx
    digits

    lgdtl %cs:gdtr              /* DS with 4 GiB, back in real mode */
    mov %cr0, %eax
    inc %ax
    mov %eax, %cr0
    mov $8, %cx
    mov %cx, %ds
    dec %ax
    mov %eax, %cr0
    xor %cx, %cx
    mov %cx, %ds
    mov $0x100010, %eax
    movl $0x600d1dea, (%eax)
    mov $0xffff, %cx
    mov %cx, %es
    mov %es:0x20, %ebx
    digits
    incl (%eax)
    mov (%eax), %ebx
    digits

    /* single steps: how many, and the IP of the last but its start */
    .macro steps
    movl $0, STEPS
    pushf
    orb $1, 1(%esp)
    popf
    .endm
    .macro counted
    pushf                       /* one step after this one, too */
    andb $0xfe, 1(%esp)
    popf
    mov STEPS, %ebx
    digits
    .endm
    movzx %sp, %esp
    steps
    nop
    nop
    counted
    steps
    mov %ss, %ax
    mov %ax, %ss                /* no trap after this one, but after the next */
    nop
    counted
    steps
    push %ss
    pop %ss
    nop
    nop
    counted
    steps
    int $0x80                   /* the handler is not stepped through */
    nop
    counted
    mov $0x3000, %ax
    mov %ax, %es
    xor %di, %di
    mov $3, %cx
    steps
    rep stosb                   /* each time round */
    counted
    xor %cx, %cx
    steps
    rep stosb
    counted
    finish

hex32:
    push %eax
    push %cx
    mov $8, %cx
1:  rol $4, %ebx
    mov %bl, %al
    and $15, %al
    cmp $10, %al
    jb 2f
    add $7, %al
2:  add $'0', %al
    out %al, $0xe9
    loop 1b
    mov $10, %al
    out %al, $0xe9
    pop %cx
    pop %eax
    ret
on1:
    incl STEPS
    iret
on80:
    nop
    nop
    iret
gdtr: .word 0xf
    .long gdt + 0xf0000
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf93000000ffff
