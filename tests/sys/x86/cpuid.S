/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every leaf of CPUID (SDM 2A; APM 3, appendix E): "leaf.subleaf: EAX EBX ECX EDX" a line.  Of leaves with subleaves as many as tell something.
 * cpuid_models.py runs it as every -cpu model; on its own, as 486, which has few.
 * cpu: 486
 * skip pc: cpuid_models.py has all models
 * skip reference: cpuid_models.py has it beside the reference
 */
#include "sys.h"

    head
    begin
    xor %eax, %eax
    call range
    mov $0x40000000, %eax
    call range
    mov $0x80000000, %eax
    call range
    finish

/* Leaves from EAX on, as many as the first says. */
range:
    xor %ecx, %ecx
    push %eax
    cpuid
    mov %eax, %edi
    pop %edx
    sub %edx, %edi
    cmp $0x100, %edi /* none at all: what is said is another leaf's */
    jbe 1f
    xor %edi, %edi
1:  xor %esi, %esi
2:  mov %edx, %eax
    add %esi, %eax
    push %edx
    push %edi
    push %esi
    call leaf
    pop %esi
    pop %edi
    pop %edx
    inc %esi
    cmp %edi, %esi
    jbe 2b
    ret

leaf:
    mov $1, %edi
    mov $many, %bx
1:  mov %cs:(%bx), %ecx
    test %ecx, %ecx
    je 3f
    cmp %ecx, %eax
    je 2f
    add $8, %bx
    jmp 1b
2:  mov %cs:4(%bx), %edi
3:  xor %esi, %esi
4:  push %eax
    push %edi
    push %eax
    call hex
    mov $'.', %al
    out %al, $0xe9
    mov %esi, %eax
    call hex
    mov $':', %al
    out %al, $0xe9
    pop %eax
    mov %esi, %ecx
    cpuid
    push %edx
    push %ecx
    push %ebx
    push %eax
    mov $4, %bp
5:  mov $' ', %al
    out %al, $0xe9
    pop %eax
    call hex
    dec %bp
    jne 5b
    mov $10, %al
    out %al, $0xe9
    pop %edi
    pop %eax
    inc %esi
    cmp %edi, %esi
    jb 4b
    ret

/* Leaves with subleaves, and how many. */
    .balign 4
many:
    .long 4, 5, 7, 2, 0xb, 3, 0xd, 10, 0x14, 2, 0x1f, 4, 0x8000001d, 5, 0

hex:
    push %cx
    push %eax
    mov $8, %cx
1:  rol $4, %eax
    push %eax
    and $15, %al
    cmp $10, %al
    jb 2f
    add $7, %al
2:  add $'0', %al
    out %al, $0xe9
    pop %eax
    loop 1b
    pop %eax
    pop %cx
    ret
