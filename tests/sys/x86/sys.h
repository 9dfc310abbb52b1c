/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the x86 system level are written with (gas, AT&T).  The start is 16-bit real mode at label "start", CS = F000,
 * DS = SS = 0, SP = 7000h; memory from 0 to 9FFFFh is free.  Tests print with `say` and `hex`: the same on every engine and the
 * reference, which is what run.py compares; `finish` ends.
 */
/* Labels are offsets in segment F000; this is the linear address. */
#define ABS(x) ((x) + 0xf0000)

.macro say16 text
    jmp 772f
771: .asciz "\text"
772:
    push %si
    mov $771b, %si
773: mov %cs:(%si), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %si
    jmp 773b
774: pop %si
.endm

/* 32- and 64-bit code. */
.macro say text
    jmp 772f
771: .asciz "\text"
772:
    mov $ABS(771b), %esi
773: mov (%esi), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %esi
    jmp 773b
774:
.endm

.macro finish
    mov $0x10, %al
    out %al, $0xf4
775: hlt
    jmp 775b
.endm

.macro head
    .section .reset, "ax"
    .code16
    ljmp $0xf000, $start
    .text
    .code16
.endm

.macro begin
start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %sp
.endm

/* 32-bit code, just in protected mode: data segments of selector 10h, and a stack. */
.macro segments32
    mov $0x10, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %esp
    cld
.endm

/* 64-bit code: hex8 prints AL, hex64 RAX, as do space and newline what they are called; the latter changes AL. */
.macro printers64
hex8:
    push %rax
    shr $4, %al
    call nibble
    pop %rax
nibble:
    push %rax
    and $15, %al
    cmp $10, %al
    jb 1f
    add $7, %al
1:  add $'0', %al
    out %al, $0xe9
    pop %rax
    ret
hex64:
    push %rcx
    mov $8, %ecx
1:  rol $8, %rax
    call hex8
    dec %ecx
    jne 1b
    pop %rcx
    ret
space:
    push %rax
    mov $' ', %al
    out %al, $0xe9
    pop %rax
    ret
newline:
    mov $10, %al
    out %al, $0xe9
    ret
.endm

/* 64-bit code: gates of @type (8Eh: interrupt, 8Fh: trap) at @idt to 66 stubs of 16 bytes. */
.macro gates64 idt, type
    mov $\idt, %edi
    mov $ABS(stubs), %eax
    mov $66, %ecx
1:  mov %eax, %edx
    and $0xffff, %edx
    or $0x180000, %edx
    mov %edx, (%rdi)
    mov %eax, %edx
    and $0xffff0000, %edx
    or $(\type << 8), %edx
    mov %edx, 4(%rdi)
    movq $0, 8(%rdi)
    add $16, %edi
    add $16, %eax
    dec %ecx
    jne 1b
.endm
