/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM that starts a multiboot kernel (-kernel, x86_multiboot.c): fetches the information structure (item INITRD, in the first
 * 64 KiB) and kernel with modules, sets the video mode that the structure asks for, fills the memory map in and enters the kernel.
 * Sources: Multiboot Specification 0.6.96, 3.2 and 3.3; VESA BIOS Extension 3.0, functions 00h, 01h, 02h, 0Ah; ACPI 6.4, 15.1 (E820).
 */
#include "board/x86_rom.h"

/* The information structure. */
#define FLAGS       0
#define MEM_LOWER   4
#define MEM_UPPER   8
#define MMAP_LENGTH 44
#define MMAP_ADDR   48
#define VBE_CONTROL 72
#define VBE_MODE_INFO 76
#define VBE_MODE    80
#define VBE_SEG     82
#define VBE_OFF     84
#define VBE_LEN     86
#define FB_ADDR     88
#define FB_PITCH    96
#define FB_WIDTH    100
#define FB_HEIGHT   104
#define FB_BPP      108
#define FB_TYPE     109
#define FB_COLOR    110
#define HAS_VBE     0x0800
#define HAS_FB      0x1000

/* VBE's blocks. */
#define MODES_OFF   0x0e
#define MODES_SEG   0x10
#define M_ATTRIBUTES 0x00
#define M_PITCH     0x10
#define M_WIDTH     0x12
#define M_HEIGHT    0x14
#define M_BPP       0x19
#define M_COLOR     0x1f
#define M_ADDR      0x28
#define USABLE      0x99                /* supported, colour, graphics, linear */
#define LINEAR      0x4000

        .section .rodata
        .code16
        .globl  x86_multiboot_rom, x86_multiboot_rom_end
        .balign 16
x86_multiboot_rom:
        rom_header x86_multiboot_rom, x86_multiboot_rom_end, "multiboot loader"
        cld
        fetch   INITRD_ADDR, INITRD_SIZE, INITRD_DATA
        fetch   KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        movw    $INITRD_ADDR, %ax
        callw   read32
        movl    %eax, %esi
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        callw   video
        callw   memory
        movw    $KERNEL_ENTRY, %ax
        callw   read32
        movl    %eax, %ecx
        movl    %esi, %ebx
        enter_flat x86_multiboot_rom
        movl    $0x2badb002, %eax
        jmpl    *%ecx
        .code16

/* Each entry begins with its length.  KiB of RAM from 0 and from 1 MiB on are told besides. */
        .macro  each_entry
        movl    $MAP_ENTRY - 4, (%di)
        cmpl    $1, 20(%di)
        jne     3f
        cmpl    $0, 8(%di)
        jne     3f
        movl    12(%di), %eax
        cmpl    $0, 16(%di)
        je      4f
        orl     $-1, %eax
4:
        shrl    $10, %eax
        cmpl    $0, 4(%di)
        jne     4f
        movl    %eax, MEM_LOWER(%si)
4:
        cmpl    $0x100000, 4(%di)
        jne     3f
        movl    %eax, MEM_UPPER(%si)
3:
        .endm

memory:
        movw    MMAP_ADDR(%si), %di
        memory_map 4, each_entry
        movw    $MAP_ENTRY, %ax
        mulw    %bp
        movw    %ax, MMAP_LENGTH(%si)
        retw

/*
 * The structure at SI asks for a picture of FB_WIDTH by FB_HEIGHT with FB_BPP bits (0: any) by naming places for VBE's blocks; for text
 * by FB_BPP without them.  What cannot be had becomes text.
 */
video:
        cmpl    $0, VBE_CONTROL(%si)
        je      text_if_asked
        movl    VBE_CONTROL(%si), %eax
        shrl    $4, %eax
        movw    %ax, %es
        xorw    %di, %di
        movl    $0x32454256, %es:(%di)  /* "VBE2" */
        movw    $0x4f00, %ax
        int     $0x10
        cmpw    $0x4f, %ax
        jne     text
        lfsw    %es:MODES_OFF(%di), %bx
        movl    VBE_MODE_INFO(%si), %eax
        shrl    $4, %eax
        movw    %ax, %es
1:
        movw    %fs:(%bx), %cx
        addw    $2, %bx
        cmpw    $0xffff, %cx
        je      text
        movw    $0x4f01, %ax
        int     $0x10
        cmpw    $0x4f, %ax
        jne     1b
        movb    %es:M_ATTRIBUTES(%di), %al
        andb    $USABLE, %al
        cmpb    $USABLE, %al
        jne     1b
        movzwl  %es:M_WIDTH(%di), %eax
        cmpl    $0, FB_WIDTH(%si)
        je      2f
        cmpl    %eax, FB_WIDTH(%si)
        jne     1b
2:
        movzwl  %es:M_HEIGHT(%di), %eax
        cmpl    $0, FB_HEIGHT(%si)
        je      2f
        cmpl    %eax, FB_HEIGHT(%si)
        jne     1b
2:
        movb    %es:M_BPP(%di), %al
        cmpb    $0, FB_BPP(%si)
        je      2f
        cmpb    %al, FB_BPP(%si)
        jne     1b
2:
        cmpb    $16, %al                /* with fewer there would be a palette to tell */
        jb      1b
        movw    %cx, VBE_MODE(%si)
        movw    %cx, %bx
        orw     $LINEAR, %bx
        movw    $0x4f02, %ax
        int     $0x10
        cmpw    $0x4f, %ax
        jne     text

        movl    %es:M_ADDR(%di), %eax
        movl    %eax, FB_ADDR(%si)
        movzwl  %es:M_PITCH(%di), %eax
        movl    %eax, FB_PITCH(%si)
        movzwl  %es:M_WIDTH(%di), %eax
        movl    %eax, FB_WIDTH(%si)
        movzwl  %es:M_HEIGHT(%di), %eax
        movl    %eax, FB_HEIGHT(%si)
        movb    %es:M_BPP(%di), %al
        movb    %al, FB_BPP(%si)
        movb    $1, FB_TYPE(%si)
        movw    $3, %cx                 /* red, green, blue: VBE has size and place, we tell place and size */
        movw    %si, %bx
2:
        movw    %es:M_COLOR(%di), %ax
        xchgb   %ah, %al
        movw    %ax, FB_COLOR(%bx)
        addw    $2, %bx
        addw    $2, %di
        loop    2b
        orl     $HAS_VBE | HAS_FB, FLAGS(%si)

        movw    $0x4f0a, %ax            /* the protected-mode interface, where there is one */
        xorw    %bx, %bx
        int     $0x10
        cmpw    $0x4f, %ax
        jne     3f
        movw    %es, VBE_SEG(%si)
        movw    %di, VBE_OFF(%si)
        movw    %cx, VBE_LEN(%si)
        jmp     3f

text_if_asked:
        cmpb    $0, FB_BPP(%si)
        je      3f
text:
        movl    $0, VBE_CONTROL(%si)
        movl    $0, VBE_MODE_INFO(%si)
        movl    $0xb8000, FB_ADDR(%si)
        movl    $160, FB_PITCH(%si)
        movl    $80, FB_WIDTH(%si)
        movl    $25, FB_HEIGHT(%si)
        movw    $2 << 8 | 16, FB_BPP(%si) /* and the type: text */
        orl     $HAS_FB, FLAGS(%si)
3:
        xorw    %ax, %ax
        movw    %ax, %es
        retw

        fetch_functions

        .balign 512
x86_multiboot_rom_end:
        .size   x86_multiboot_rom, . - x86_multiboot_rom
        .section .note.GNU-stack,"",@progbits
