/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two CPUs: locked accesses in two cache lines and in two pages are atomic to both (SDM 3A, 9.1.2), and code that one writes is what the other
 * executes once it has seen that it was written (8.1.3; PCs do not ask for more than that).
 * skip reference: on a busy machine its second CPU goes on with old code now and then
 */
#include "sys.h"
#define PD32  0x10000
#define PT32  0x11000
#define WHERE 0x5000 /* the second CPU's orders: a number, its answer: the same */
#define DONE  0x5004
#define WRITTEN 0x6000
#define LINES 0x2003e
#define PAGES 0x30ffe /* whose two pages are not beside each other in memory */
#define CODE  0x40004
#define TIMES 4000
#define VERSIONS 30000

    head
    begin
    movb $0xea, 0x8000          /* the second CPU starts here: JMP F000:second */
    movw $second, 0x8001
    movw $0xf000, 0x8003
    movl $0, WHERE
    movl $0, DONE
    mov $in32, %ebx
enter:
    lgdtl %cs:gdtr
    mov %cr0, %eax
    and $~0x60000000, %eax
    or $1, %al
    mov %eax, %cr0
    add $0xf0000, %ebx
    ljmpl $8, $ABS(flat)
second:
    cli
    mov $second32, %ebx
    jmp enter
    flat_gdt
gdt_end:

    .code32
flat:
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    cld
    jmp *%ebx

    printers32
print:
    call hex32
    jmp newline

paging:
    mov $PD32, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x10, %eax
    mov %eax, %cr4
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ret

second32:
    mov $0x7800, %esp
    call paging
    xor %ebp, %ebp
1:  pause
    mov WHERE, %eax
    cmp %eax, %ebp
    je 1b
    mov %eax, %ebp
    call *ABS(orders - 4)(, %ebp, 4)
    mov %ebp, DONE
    jmp 1b
    .balign 4
orders:
    .long ABS(lines), ABS(pages), ABS(exchange), ABS(upper), ABS(write_code)

/* The second CPU does @n; the first one the same, or @also. */
.macro both n, also
    movl $\n, WHERE
    call \also
1:  pause
    cmpl $\n, DONE
    jne 1b
.endm

in32:
    mov $0x7000, %esp
    mov $PD32, %edi
    mov $0x800, %ecx
    xor %eax, %eax
    rep stosl
    movl $PT32 + 3, PD32
    movl $0xfec00093, PD32 + 0x3fb * 4
    identity PT32, 3, 4, 1024
    movl $0x38003, PT32 + 0x31 * 4
    call paging
    movl $0x000c4500, 0xfee00300 /* INIT and start-up to all others */
    movl $0x000c4608, 0xfee00300
    movl $0, LINES
    both 1, lines
    mov LINES, %eax
    call print
    movl $0, PAGES
    both 2, pages
    mov PAGES, %eax
    call print
    movl $0, PAGES
    movl $0, LINES
    both 3, exchange
    mov PAGES, %eax
    call print
    mov LINES, %eax
    call print
    movl $0, PAGES
    both 4, pages
    mov PAGES, %eax
    call print
    movw $0, 0x38000
    movb $0xb8, CODE - 1        /* MOV EAX, version; RET */
    movl $0, CODE
    movb $0xc3, CODE + 4
    movl $0, WRITTEN
    both 5, execute
    mov $5, %eax                /* ROM is read, and not written */
    xchg %eax, ABS(constant)
    call print
    mov ABS(constant), %eax
    call print
    finish
    .balign 4
constant:
    .long 0x12345678

lines:
    mov $TIMES, %ecx
1:  lock incl LINES
    lock addl $2, LINES
    loop 1b
    ret
pages:
    mov $TIMES, %ecx
1:  lock incl PAGES
    loop 1b
    ret
/* A lock taken by XCHG and by CMPXCHG, let go by XADD. */
exchange:
    mov $TIMES / 4, %ecx
1:  mov $1, %edx
2:  pause
    mov %edx, %eax
    xchg %eax, PAGES
    test %eax, %eax
    jne 2b
    incl LINES
    mov $-1, %eax
    lock xadd %eax, PAGES
3:  pause
    xor %eax, %eax
    lock cmpxchg %edx, PAGES
    jne 3b
    incl LINES
    movl $0, PAGES
    loop 1b
    ret
/* Only the half in the second page, while the other CPU has both. */
upper:
    mov $TIMES, %ecx
1:  lock incw 0x31000
    loop 1b
    ret
write_code:
    xor %eax, %eax
1:  inc %eax
    mov %eax, CODE
    mov %eax, WRITTEN
    mov %eax, %ecx
    and $63, %ecx
    inc %ecx
2:  loop 2b
    cmp $VERSIONS, %eax
    jb 1b
    ret
execute:
    xor %edi, %edi
    mov $CODE - 1, %esi
1:  mov WRITTEN, %ebx
    call *%esi
    cmp %ebx, %eax
    jae 2f
    inc %edi
2:  cmp $VERSIONS, %ebx
    jb 1b
    mov %edi, %eax              /* how often the code was older than what was said of it */
    jmp print
