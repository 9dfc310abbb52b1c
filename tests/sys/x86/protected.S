/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 32-bit protected mode: exceptions with their error codes, segment loads, gates and privilege, task switches, paging faults, debug
 * exceptions, virtual-8086 mode.  Each line is: a letter, vector, error code, privilege that was left, CR2.
 */
#include "sys.h"
#define TSS2  0x3100
#define VARS  0x3400
#define RESUME (VARS)
#define RESUME_ESP (VARS + 4)
#define CR2VAR (VARS + 8)
#define PD32  0x10000
#define PT32  0x11000

/* Selectors. */
#define CS0 0x08
#define DS0 0x10
#define CS3 (0x18 + 3)
#define DS3 (0x20 + 3)
#define TR1 0x28
#define TR2 0x30
#define SMALL 0x38
#define READONLY 0x40
#define NOTPRESENT 0x48
#define CALLGATE 0x50
#define TASKGATE 0x58
#define DOWN 0x60
#define CONFORMING 0x68
#define EXECONLY 0x70

/* On at label @to when something is raised. */
.macro try to
    movl $ABS(\to), RESUME
    mov %esp, RESUME_ESP
.endm

    head
    begin
    to_protected
    flat_gdt
    .quad 0x00cffb000000ffff /* 18 */
    .quad 0x00cff3000000ffff /* 20 */
    .quad 0x0000890030000067 /* 28: TSS at 3000 */
    .quad 0x0000890031000067 /* 30: TSS2 */
    .quad 0x0040930050000fff /* 38: 5000, 4 KiB, byte granular */
    .quad 0x0040910050000fff /* 40: read only */
    .quad 0x00cf13000000ffff /* 48: not present */
    .quad 0                  /* 50: call gate, made later */
    .quad 0x0000e50000300000 /* 58: task gate to TR2, DPL 3 */
    .quad 0x0040970050000fff /* 60: expands down, above fff */
    .quad 0x00cf9f000000ffff /* 68 */
    .quad 0x00cf99000000ffff /* 70 */
    .quad 0
gdt_end:

    .code32
    printers32

in32:
    segments32
    copy_gdt
    lgdt ABS(gdtr2)
    /* IDT: 32 trap gates, then INT 40h callable from privilege 3, 41h not */
    gates32 IDT, 0x8f
    orb $0x60, IDT + 0x40 * 8 + 5
    lidt ABS(idtr)
    movl $0x6f00, TSS + 4
    movl $DS0, TSS + 8
    movw $0x68, TSS + 102
    mov $TR1, %ax
    ltr %ax

    say "errors:\n"
    try 1f
    ud2
1:  try 1f
    xor %edx, %edx
    xor %ecx, %ecx
    div %ecx
1:  try 1f
    mov $0x78 + 0x10, %ax
    mov %ax, %ds
1:  try 1f
    mov $NOTPRESENT, %ax
    mov %ax, %es
1:  try 1f
    mov $NOTPRESENT, %ax
    mov %ax, %ss
1:  try 1f
    mov $READONLY, %ax
    mov %ax, %ss
1:  try 1f
    xor %ax, %ax
    mov %ax, %ss
1:  try 1f
    mov $EXECONLY, %ax
    mov %ax, %es
1:  try 1f
    int $0x80
1:  try 1f
    int $0x41
1:  try 1f
    ljmp $DS0, $0
1:  try 1f
    ljmp $NOTPRESENT, $0
1:  try 1f
    mov $0x2b, %ax /* TSS that is busy */
    ltr %ax
1:  try 1f
    mov $TR1, %ax
    lldt %ax
1:  try 1f
    int3
1:  try 1f
    mov $0x7fffffff, %eax
    add $1, %eax
    into
1:
    say "lar lsl:\n"
    mov $SMALL, %ax
    lar %eax, %ebx
    setz %al
    call hex8
    mov %ebx, %eax
    call hex32
    mov $SMALL, %ax
    lsl %eax, %ebx
    mov %ebx, %eax
    call hex32
    mov $READONLY, %ax
    verw %ax
    setz %al
    call hex8
    mov $READONLY, %ax
    verr %ax
    setz %al
    call hex8
    call newline

    say "privilege 3:\n"
    call to_user
    cli
    call to_user
    hlt
    call to_user
    in $0x60, %al
    call to_user
    mov %cr0, %eax
    call to_user
    int $0x41
    call to_user
    int $0x40
    call to_user
    lgdt ABS(gdtr2)
    call to_user
    mov $DS0, %ax
    mov %ax, %ds
    call to_user
    ljmp $CS0, $0
    call to_user
    pushf
    popl %eax
    or $0x3200, %eax
    push %eax
    popf
    pushf
    pop %ebx
    ud2
    mov %ebx, %eax
    and $0x3200, %eax
    call hex32
    call newline

    say "call gate:\n"
    movl $ABS(through_gate), %eax
    movl %eax, %edx
    and $0xffff, %edx
    or $CS0 << 16, %edx
    movl %edx, GDT + CALLGATE
    and $0xffff0000, %eax
    or $0xec02, %eax /* DPL 3, two parameters */
    movl %eax, GDT + CALLGATE + 4
    call to_user
    push $0x11111111
    push $0x22222222
    lcall $CALLGATE, $0
    ud2

    say "task switch:\n"
    mov $TSS2, %edi
    movl $0, 28(%edi)
    movl $ABS(task2), 32(%edi)
    movl $2, 36(%edi)
    movl $0x6800, 56(%edi)
    movl $0x12345678, 40(%edi)
    movl $DS0, 72(%edi)
    movl $CS0, 76(%edi)
    movl $DS0, 80(%edi)
    movl $DS0, 84(%edi)
    movl $0, 88(%edi)
    movl $0, 92(%edi)
    movl $0, 96(%edi)
    lcall $TR2, $0
    say "back\n"
    str %eax
    call hex32
    mov TSS2, %eax
    call hex32
    pushf
    pop %eax
    and $0x4000, %eax
    call hex32
    mov %cr0, %eax
    and $8, %eax
    call hex32
    clts
    mov GDT + TR2 + 4, %eax
    call hex32
    call newline
    lcall $TASKGATE, $0
    say "back again\n"
    clts

    say "paging:\n"
    mov $PD32, %edi
    mov $0x800, %ecx
    xor %eax, %eax
    rep stosl
    movl $PT32 + 7, PD32
    movl $0xffc00083, PD32 + 0xffc /* 4 MiB page at the top, supervisor */
    identity PT32, 7, 4, 256
    movl $0x50005, PT32 + 0x50 * 4   /* read only, user */
    movl $0x51003, PT32 + 0x51 * 4   /* supervisor */
    movl $0x52000, PT32 + 0x52 * 4   /* not there */
    movl $0x53007, PT32 + 0x53 * 4
    mov %cr4, %eax
    or $0x10, %eax
    mov %eax, %cr4
    mov $PD32, %eax
    mov %eax, %cr3
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    jmp 1f
1:  try 1f
    mov 0x52123, %eax
1:  try 1f
    movl $1, 0x52ffe
1:  try 1f
    mov 0x51ffe, %eax
1:  mov %cr0, %eax
    movl $1, 0x50000
    say "no fault without WP\n"
    or $0x10000, %eax
    mov %cr0, %eax
    or $0x10000, %eax
    mov %eax, %cr0
    try 1f
    movl $1, 0x50004
1:  call to_user
    mov 0x51004, %eax
    call to_user
    movl $2, 0x50008
    call to_user
    mov 0x50008, %eax
    ud2
    call to_user
    movl $ABS(1f), RESUME
    mov $0x52000, %eax
    jmp *%eax
1:  mov 0x53000, %eax
    mov PT32 + 0x53 * 4, %eax
    call hex32
    movl $1, 0x53000
    mov PT32 + 0x53 * 4, %eax
    call hex32
    mov PT32 + 0x50 * 4, %eax
    call hex32
    mov PD32, %eax
    call hex32
    call newline
    movl $0x54007, PT32 + 0x53 * 4
    movl $0x600d, 0x54000
    invlpg 0x53000
    mov 0x53000, %eax
    call hex32
    call newline
    say "small segment:\n"
    mov $SMALL, %ax
    mov %ax, %fs
    mov %fs:0xffc, %eax
    say "debug:\n"
    try 1f
    pushf
    orl $0x100, (%esp)
    popf
    nop
    nop
1:  mov %dr6, %eax
    call hex32
    xor %eax, %eax
    mov %eax, %dr6
    mov $ABS(2f), %eax
    mov %eax, %dr0
    mov $0x401, %eax
    mov %eax, %dr7
    try 3f
    nop
2:  nop
    nop
3:  mov %dr6, %eax
    call hex32
    xor %eax, %eax
    mov %eax, %dr6
    mov %eax, %dr7
    mov $0x53010, %eax
    mov %eax, %dr1
    mov $0x00d00404, %eax /* four bytes, writes */
    mov %eax, %dr7
    try 4f
    mov 0x53010, %eax
    movl $7, 0x53010
    nop
4:  mov %dr6, %eax
    call hex32
    xor %eax, %eax
    mov %eax, %dr7
    mov %eax, %dr6
    call newline

    say "virtual-8086:\n"
    mov $0x400, %eax
    mov $TSS + 4, %edi
    mov %esp, RESUME_ESP
    movl $ABS(after_v86), RESUME
    push $0 /* GS */
    push $0
    push $0
    push $0
    push $0 /* SS */
    push $0x6000
    push $0x20202 /* VM */
    push $0xf000
    push $in_v86
    iret
after_v86:
    say "done\n"
    finish

    .code16
in_v86:
    mov %cs, %ax
    mov %ax, %bx
    sti
    hlt
    .code32

/* The code after the call to here runs at privilege 3, until it raises something: then on after that instruction ... which the label
 * after the next `call to_user` is: the handler looks for it. */
to_user:
    pop %eax
    movl %esp, RESUME_ESP
    movl $0, RESUME
    push $DS3
    push $0x6400
    pushf
    push $CS3
    push %eax
    mov $DS3, %ax
    mov %ax, %ds
    mov %ax, %es
    iret

through_gate:
    mov $DS0, %ax
    mov %ax, %ds
    mov 8(%esp), %eax
    call hex32
    mov 12(%esp), %eax
    call hex32
    mov %cs, %ax
    call hex8
    call newline
    mov $DS3, %ax
    mov %ax, %ds
    lret $8

task2:
    call hex32
    str %eax
    call hex32
    pushf
    pop %eax
    and $0x4000, %eax
    call hex32
    call newline
    iret
    say "task again\n"
    iret

/* Handlers: what was raised is printed; on at RESUME, or after the instruction that raised it when that is 0: they are looked up. */
    stubs66

common: /* vector, error, EIP, CS, EFLAGS, ESP, SS */
    pusha
    mov $DS0, %ax
    mov %ax, %ds
    mov %ax, %es
    mov 32(%esp), %al
    call hex8
    call space
    mov 36(%esp), %eax
    call hex32
    call space
    mov 44(%esp), %al
    and $3, %al
    testl $0x20000, 48(%esp)
    je 1f
    mov $8, %al
1:  call hex8
    cmpl $14, 32(%esp)
    jne 1f
    call space
    mov %cr2, %eax
    call hex32
1:  call newline
    cmpl $0, RESUME
    jne 1f
    /* the length of what raised it, by its first byte: the tests use few */
    mov 40(%esp), %eax
    call length
    add 40(%esp), %eax
    mov RESUME_ESP, %esp
    jmp *%eax
1:  mov RESUME_ESP, %esp
    jmp *RESUME

length:
    cmpl $0x40, 36(%esp) /* INT n: the address is after it */
    je 9f
    movzbl (%eax), %edx
    mov $1, %ecx
    cmp $0xfa, %dl
    je 8f
    cmp $0xf4, %dl
    je 8f
    mov $2, %ecx
    cmp $0xe4, %dl
    je 8f
    cmp $0xcd, %dl
    je 8f
    cmp $0x8e, %dl
    je 8f
    mov $5, %ecx
    cmp $0xa1, %dl
    je 8f
    mov $10, %ecx
    cmp $0xc7, %dl
    je 8f
    mov $7, %ecx
    cmp $0xea, %dl
    je 8f
    cmp $0x0f, %dl
    jne 7f
    mov $2, %ecx
    cmpb $0x0b, 1(%eax)
    je 8f
    mov $3, %ecx
    cmpb $0x20, 1(%eax)
    je 8f
    mov $7, %ecx
    jmp 8f
7:  mov $0, %ecx
8:  mov %ecx, %eax
    ret
9:  xor %eax, %eax
    ret
