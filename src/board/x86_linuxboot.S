/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM that starts Linux (-kernel) on a PC whose firmware is a BIOS: a boot entry that fetches setup code, kernel, command line
 * and ramdisk from fw_cfg, each to the address that fw_cfg names, and enters the setup code in real mode.
 * Sources: Plug and Play BIOS Specification 1.0A, 3.2 (expansion header, BEV); Linux, Documentation/x86/boot.rst, "Running the
 * kernel"; fw_cfg: see dev/firmware/fw_cfg.h.
 *
 * Position-independent: addresses are offsets from the start.  Whoever publishes it fixes the checksum in the last byte.
 */
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
#define KERNEL_DATA  0x11
#define INITRD_DATA  0x12
#define CMDLINE_ADDR 0x13
#define CMDLINE_SIZE 0x14
#define CMDLINE_DATA 0x15
#define SETUP_ADDR   0x16
#define SETUP_SIZE   0x17
#define SETUP_DATA   0x18

        .section .rodata
        .code16
        .globl  x86_linuxboot_rom, x86_linuxboot_rom_end
        .balign 16
x86_linuxboot_rom:
        .byte   0x55, 0xaa
        .byte   (x86_linuxboot_rom_end - x86_linuxboot_rom) / 512
        xorw    %ax, %ax                /* initialisation: nothing to be done */
        lretw
        .org    x86_linuxboot_rom + 0x18
        .word   0                       /* no PCI data structure */
        .word   pnp - x86_linuxboot_rom
pnp:
        .ascii  "$PnP"
        .byte   1, 2                    /* version; length in 16 bytes */
        .word   0                       /* no further header */
        .byte   0
        .byte   0                       /* checksum: nobody looks */
        .long   0
        .word   maker - x86_linuxboot_rom
        .word   product - x86_linuxboot_rom
        .byte   0, 0, 0                 /* device type */
        .byte   0x64                    /* may be booted from; nothing to share */
        .word   0, 0
        .word   boot - x86_linuxboot_rom
        .word   0, 0
maker:
        .asciz  "Emu"
product:
        .asciz  "Linux loader"

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

boot:
        cld
        fetch   SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        fetch   CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
        fetch   KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        fetch   INITRD_ADDR, INITRD_SIZE, INITRD_DATA

/* Segments are the setup code's; the stack ends below the command line, or with the segment. */
        movw    $SETUP_ADDR, %ax
        callw   read32
        movl    %eax, %ebx
        movw    $CMDLINE_ADDR, %ax
        callw   read32
        subl    %ebx, %eax
        cmpl    $0xfff0, %eax
        jbe     1f
        movl    $0xfff0, %eax
1:
        andl    $0xfff0, %eax
        shrl    $4, %ebx
        cli
        movw    %bx, %ss
        movl    %eax, %esp
        movw    %bx, %ds
        movw    %bx, %es
        movw    %bx, %fs
        movw    %bx, %gs
        addw    $0x20, %bx              /* past the boot sector */
        pushw   %bx
        pushw   $0
        xorl    %ebp, %ebp
        lretw

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

        .balign 512
x86_linuxboot_rom_end:
        .size   x86_linuxboot_rom, . - x86_linuxboot_rom
        .section .note.GNU-stack,"",@progbits
