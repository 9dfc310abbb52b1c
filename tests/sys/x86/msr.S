/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Model-specific registers by number (SDM 4, chapter 2; APM 2, appendix A): which do not read 0 after reset, and what happens with those
 * that are not there: they read 0 and keep nothing.  A line: number, exceptions (each is a bit: reading, writing, reading again), value.
 * Left out: registers of time (10h) and of the APIC (1Bh), which do not read the same everywhere, and C0010015h, which says here that the
 * time stamp counter counts at a fixed rate.
 * cpu: qemu64
 */
#include "sys.h"

    head
    begin
    to_protected
    flat_gdt 0xff
gdt_end:

    .code32
in32:
    segments32
    mov $IDT, %edi
    mov $32, %ecx
1:  mov $ABS(trap), %eax
    mov %ax, (%edi)
    movw $8, 2(%edi)
    movw $0x8e00, 4(%edi)
    shr $16, %eax
    mov %ax, 6(%edi)
    add $8, %edi
    loop 1b
    lidtl ABS(idtr)

    say "after reset:\n"
    mov $ABS(ranges), %ebp
1:  mov (%ebp), %ecx
    mov 4(%ebp), %esi
    add $8, %ebp
    test %esi, %esi
    je 3f
2:  call unless_zero
    inc %ecx
    dec %esi
    jne 2b
    jmp 1b
3:
    mov $0x35, %ecx
    call read
#if defined PC || defined REFERENCE
    cmp $0x00020002, %eax /* two CPUs */
#else
    cmp $0x00010001, %eax
#endif
    jne 4f
    say "cores and threads\n"
4:
    say "written:\n"
    mov $ABS(absent), %ebp
5:  mov (%ebp), %ecx
    add $4, %ebp
    test %ecx, %ecx
    je 6f
    call keeps
    jmp 5b
6:  finish

/* First number, how many. */
ranges:
    .long 0, 0x10,  0x11, 0x1b - 0x11,  0x1c, 0x35 - 0x1c,  0x36, 0x1000 - 0x36
    .long 0x40000000, 0x100,  0x4b564d00, 0x10,  0x80000000, 0x10
    .long 0xc0000000, 0x200,  0xc0010000, 0x15,  0xc0010016, 0x300 - 0x16,  0xc0011000, 0x100
    .long 0x12345678, 1,  0xffffffff, 1,  0, 0

/* Of no processor, of others, and of features that this model lacks. */
absent:
    .long 0x33, 0x10a, 0x122, 0x1ff, 0x606, 0x802, 0x8ff, 0xda0, 0x1000, 0x40000000, 0x4b564d00, 0xc0000104, 0xc0010299, 0x12345678, 0xdeadbeef, 0

unless_zero:
    call read
    test %edi, %edi
    jne line
    push %eax
    or %edx, %eax
    pop %eax
    jne line
    ret

keeps:
    call read
    mov $-1, %eax
    mov $-1, %edx
    xor %ebx, %ebx
    wrmsr
    shl $1, %ebx
    or %ebx, %edi
    push %edi
    call read
    shl $2, %edi
    or (%esp), %edi
    add $4, %esp
/* ECX, EDI, EDX:EAX */
line:
    push %eax
    push %edx
    mov %ecx, %eax
    call hex32
    call space
    mov %edi, %eax
    call nibble
    call space
    pop %eax
    call hex32
    pop %eax
    call hex32
    jmp newline

/* EDX:EAX of ECX; EDI is 1 if it raised something. */
read:
    xor %ebx, %ebx
    rdmsr
    mov %ebx, %edi
    ret

/* Behind the instruction of two bytes, with EBX 1; #GP has an error code. */
trap:
    add $4, %esp
    addl $2, (%esp)
    mov $1, %ebx
    xor %eax, %eax
    xor %edx, %edx
    iret

    printers32
