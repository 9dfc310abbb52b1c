/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes its first argument through INT 0x80 and ends with the number of arguments; i386, no library. */
    .globl _start
_start:
    mov (%esp), %edi
    mov 8(%esp), %ecx
    xor %edx, %edx
1:  cmpb $0, (%ecx,%edx)
    je 2f
    add $1, %edx
    jmp 1b
2:  mov $4, %eax
    mov $1, %ebx
    int $0x80
    mov $252, %eax
    mov %edi, %ebx
    int $0x80
    .section .note.GNU-stack, "", @progbits
