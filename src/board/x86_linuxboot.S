/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM that starts Linux (-kernel) on a PC whose firmware is a BIOS: a boot entry that fetches setup code, kernel, command line
 * and ramdisk from fw_cfg, each to the address that fw_cfg names, and enters the setup code in real mode.
 * Source: Linux, Documentation/x86/boot.rst, "Running the kernel".
 */
#include "board/x86_rom.h"

        .section .rodata
        .code16
        .globl  x86_linuxboot_rom, x86_linuxboot_rom_end
        .balign 16
x86_linuxboot_rom:
        rom_header x86_linuxboot_rom, x86_linuxboot_rom_end, "Linux loader"
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

        fetch_functions

        .balign 512
x86_linuxboot_rom_end:
        .size   x86_linuxboot_rom, . - x86_linuxboot_rom
        .section .note.GNU-stack,"",@progbits
