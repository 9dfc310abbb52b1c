/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores of 16 and 32 bytes of which a part cannot be made, because of a page or of the segment's limit: none of it is
 * (an Intel Xeon, which runs tests/programs/src/x86/stores.c).
 */
#include "pm.h"
LOW = 0x60000  /* two pages, */
SEEN = 0xa0000 /* as the stores see them */
PAGE_RW = 3
PAGE_RO = 1
PAGE_NONE = 0

.macro set_up
.endm
    descriptors
    .quad 0x0046930000000fff /* 80: up to 60FFFh */
    end_descriptors

    identity PT, 7, 4, 256
    movl $PT + 7, PD
    mov $PD, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x40200, %eax /* OSXSAVE, OSFXSR */
    mov %eax, %cr4
    mov $7, %eax
    xor %edx, %edx
    xor %ecx, %ecx
    xsetbv
    mov %cr0, %eax
    or $0x80010000, %eax /* PG, WP */
    mov %eax, %cr0
    jmp start_of_cases

/* How many bytes of the two pages are not as `fill` left them, and CR2. */
written:
    mov $LOW, %esi
    xor %edx, %edx
1:  cmpb $0x5a, (%esi)
    je 2f
    inc %edx
2:  inc %esi
    cmp $LOW + 0x2000, %esi
    jne 1b
    say "  written "
    mov %edx, %eax
    call hex8
    say ", CR2 "
    mov %cr2, %eax
    call hex32
    call newline
    ret
fill:
    mov $LOW, %edi
    mov $0x800, %ecx
    mov $0x5a5a5a5a, %eax
    rep stosl
    xor %eax, %eax
    mov %eax, %cr2
    mov %cr3, %eax
    mov %eax, %cr3
    vpcmpeqb %ymm1, %ymm1, %ymm1
    ret

    .macro store first, second, in
    case "vmovdqu, 32 bytes, \in in a page of \first, then \second"
    movl $LOW + PAGE_\first, PT + (SEEN >> 12) * 4
    movl $LOW + 0x1000 + PAGE_\second, PT + (SEEN >> 12) * 4 + 4
    call fill
8:  vmovdqu %ymm1, SEEN + 0x1000 - \in
    say "done\n"
    done
    call written
    case "movdqu, 16 bytes, 8 in a page of \first, then \second"
    call fill
8:  movdqu %xmm1, SEEN + 0x1000 - 8
    say "done\n"
    done
    call written
    .endm
    .macro limit in
    case "\in bytes within the limit"
    call fill
    mov $0x80, %eax
    mov %eax, %fs
8:  vmovups %ymm1, %fs:LOW + 0x1000 - \in
    say "done\n"
    done
    call written
    .endm

start_of_cases:
    .irp in, 12, 16, 20
    store RW, RW, \in
    store RW, RO, \in
    store RW, NONE, \in
    store RO, RW, \in
    store NONE, RW, \in
    limit \in
    .endr
    limit 32
    finish
