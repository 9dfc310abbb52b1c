/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option ROM that starts a PVH kernel (-kernel, x86_pvh.c), which is in memory already: fetches command line and ramdisk (INITRD),
 * makes the start information and enters the kernel.
 * Sources: Xen, docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h (the ABI); ACPI 6.4, 5.2.5.1 and 15.1.
 */
#include "board/x86_rom.h"

/* The start information at INFO; a module's entry behind it, and the memory map. */
#define INFO        0x9000
#define VERSION     4
#define MODULES     12
#define MODLIST     16
#define CMDLINE     24
#define RSDP        32
#define MAP         40
#define MAP_ENTRIES 48
#define MODULE      64
#define MODULE_SIZE 72
#define THE_MAP     96

        .section .rodata
        .code16
        .globl  x86_pvh_rom, x86_pvh_rom_end
        .balign 16
x86_pvh_rom:
        rom_header x86_pvh_rom, x86_pvh_rom_end, "PVH loader"
        cld
        fetch   CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
        fetch   INITRD_ADDR, INITRD_SIZE, INITRD_DATA
        xorl    %eax, %eax
        movw    %ax, %ds
        movw    %ax, %es
        movw    $THE_MAP / 2, %cx
        movw    $INFO, %di
        rep stosw
        movl    $INFO, %esi
        movl    $0x336ec578, (%si)
        movl    $1, VERSION(%si)
        movw    $CMDLINE_ADDR, %ax
        callw   read32
        movl    %eax, CMDLINE(%si)
        movw    $INITRD_ADDR, %ax
        callw   read32
        movl    %eax, MODULE(%si)
        movw    $INITRD_SIZE, %ax
        callw   read32
        movl    %eax, MODULE_SIZE(%si)
        testl   %eax, %eax
        jz      1f
        movl    $1, MODULES(%si)
        movl    $INFO + MODULE, MODLIST(%si)
1:

        .macro  each_entry
        movl    $0, 20(%di)
        .endm
        movl    $INFO + THE_MAP, MAP(%si)
        movw    $INFO + THE_MAP, %di
        memory_map 0, each_entry
        movw    %bp, MAP_ENTRIES(%si)

        movw    $KERNEL_ENTRY, %ax
        callw   read32
        movl    %eax, %ecx
        movl    %esi, %ebx
        enter_flat x86_pvh_rom
        movl    $0xe0000, %esi
1:
        cmpl    $0x20445352, (%esi)     /* "RSD " */
        jne     2f
        cmpl    $0x20525450, 4(%esi)    /* "PTR " */
        je      3f
2:
        addl    $16, %esi
        cmpl    $0x100000, %esi
        jb      1b
        xorl    %esi, %esi
3:
        movl    %esi, RSDP(%ebx)
        jmpl    *%ecx
        .code16

        fetch_functions

        .balign 512
x86_pvh_rom_end:
        .size   x86_pvh_rom, . - x86_pvh_rom
        .section .note.GNU-stack,"",@progbits
