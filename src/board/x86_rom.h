/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the option ROMs that start kernels (x86_*.S) have in common, for the assembler: the header with a boot entry, and fetching of
 * fw_cfg's items.
 * Sources: Plug and Play BIOS Specification 1.0A, 3.2 (expansion header, BEV); fw_cfg: see dev/firmware/fw_cfg.h.
 *
 * Position-independent: addresses are offsets from the start.  Whoever publishes a ROM fixes the checksum in the last byte.
 */
#ifndef BOARD_X86_ROM_H
#define BOARD_X86_ROM_H

#define SELECT 0x510
#define DATA   0x511
#define DMA_HI 0x514
#define DMA_LO 0x518
#define DMA_READ_SELECTED 0x0a
#define DMA_ERROR 1

#define KERNEL_ADDR  0x07
#define KERNEL_SIZE  0x08
#define INITRD_ADDR  0x0a
#define INITRD_SIZE  0x0b
#define KERNEL_ENTRY 0x10
#define KERNEL_DATA  0x11
#define INITRD_DATA  0x12
#define CMDLINE_ADDR 0x13
#define CMDLINE_SIZE 0x14
#define CMDLINE_DATA 0x15
#define SETUP_ADDR   0x16
#define SETUP_SIZE   0x17
#define SETUP_DATA   0x18

/* Where the expansion header and its words are, from the start of the ROM. */
#define PNP_AT 0x20

/* From "start" to the code of the boot entry, which follows at once. */
        .macro  rom_header start, end, product
        .byte   0x55, 0xaa
        .byte   (\end - \start) / 512
        xorw    %ax, %ax                /* initialisation: nothing to be done */
        lretw
        .org    \start + 0x18
        .word   0                       /* no PCI data structure */
        .word   PNP_AT
        .org    \start + PNP_AT
        .ascii  "$PnP"
        .byte   1, 2                    /* version; length in 16 bytes */
        .word   0                       /* no further header */
        .byte   0
        .byte   0                       /* checksum: nobody looks */
        .long   0
        .word   8f - \start
        .word   9f - \start
        .byte   0, 0, 0                 /* device type */
        .byte   0x64                    /* may be booted from; nothing to share */
        .word   0, 0
        .word   7f - \start
        .word   0, 0
8:
        .asciz  "Emu"
9:
        .asciz  "\product"
7:
        .endm

/* Fetch item @data, whose address and size the items @addr and @size say. */
        .macro  fetch addr, size, data
        movw    $\addr, %ax
        callw   read32
        movl    %eax, %edi
        movw    $\size, %ax
        callw   read32
        movl    %eax, %ecx
        movw    $\data, %ax
        callw   copy
        .endm

/* The functions read32 and copy, once in each ROM. */
        .macro  fetch_functions
/* Item AX, the first four bytes, to EAX.  Changes DX. */
read32:
        movw    $SELECT, %dx
        outw    %ax, %dx
        movw    $DATA, %dx
        pushw   %cx
        movw    $4, %cx
1:
        inb     %dx, %al
        rorl    $8, %eax
        loop    1b
        popw    %cx
        retw

/* Item AX, ECX bytes of it, to physical address EDI: by DMA.  The structure is on the stack; numbers are big endian. */
copy:
        testl   %ecx, %ecx
        jz      2f
        movl    %edi, %edx
        bswapl  %edx
        pushl   %edx
        pushl   $0
        movl    %ecx, %edx
        bswapl  %edx
        pushl   %edx
        shll    $16, %eax
        movw    $DMA_READ_SELECTED, %ax
        bswapl  %eax
        pushl   %eax
        movw    %sp, %bp
        movzwl  %sp, %ebx
        xorl    %eax, %eax
        movw    $DMA_HI, %dx
        outl    %eax, %dx
        movw    %ss, %ax
        shll    $4, %eax
        addl    %ebx, %eax
        bswapl  %eax
        movw    $DMA_LO, %dx
        outl    %eax, %dx
1:
        movl    (%bp), %eax             /* zero when it is done */
        bswapl  %eax
        testl   $~DMA_ERROR, %eax
        jnz     1b
        addw    $16, %sp
        testl   %eax, %eax
        jnz     3f
2:
        retw
3:
        hlt                             /* a kernel that does not fit is refused before */
        jmp     3b
        .endm

/*
 * The rest is for ROMs that enter a kernel in 32-bit mode.  Both kinds of kernel get the memory map in entries of 24 bytes.
 *
 * memory_map: firmware's, from DS:SI + @skip on in steps of 24 bytes, at most MAP_MAX of them; their number to CX.  DS and ES are 0.
 * @each is a macro that is used for each entry, at DI (with @skip bytes before what firmware wrote).
 */
#define MAP_MAX 64
#define MAP_ENTRY 24
        .macro  memory_map skip, each
        xorl    %ebx, %ebx
        xorw    %bp, %bp
1:
        addw    $\skip, %di
        movl    $0xe820, %eax
        movl    $0x534d4150, %edx       /* "SMAP" */
        movl    $20, %ecx
        int     $0x15
        jc      2f
        subw    $\skip, %di
        cmpl    $0x534d4150, %eax
        jne     2f
        \each
        addw    $MAP_ENTRY, %di
        incw    %bp
        cmpw    $MAP_MAX, %bp
        jae     2f
        testl   %ebx, %ebx
        jnz     1b
2:
        .endm

/*
 * Flat 32-bit mode, without interrupts and paging, with a task: to the label that follows at once; what is in EBX, ECX, ESI and EDI
 * stays.  The descriptor table stays in the ROM.
 */
        .macro  enter_flat start
        cli
        cld
        xorl    %edx, %edx
        movw    %cs, %dx
        shll    $4, %edx
        leal    8f - \start(%edx), %eax
        pushl   %eax
        pushw   $4 * 8 - 1
        movw    %sp, %bp
        lgdtl   (%bp)
        movl    $1, %eax
        movl    %eax, %cr0
        leal    9f - \start(%edx), %eax
        pushl   $8
        pushl   %eax
        lretl
        .balign 8
8:
        .quad   0
        .quad   0x00cf9b000000ffff      /* code */
        .quad   0x00cf93000000ffff      /* data */
        .quad   0x0000890000000067      /* a task at 0 */
        .code32
9:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movw    $0x18, %ax
        ltr     %ax
        .endm

#endif
