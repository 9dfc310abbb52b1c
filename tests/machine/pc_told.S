# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware that prints what a PC tells firmware, on port E9h, and ends by isa-debug-exit: fw_cfg's items 0 to 21h, 16 bytes of each; its
# directory; each file, whole; the 128 bytes of CMOS.
        .code16
        .globl  _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ss
        mov     $0x7000, %sp
        mov     $0x1000, %ax            # the directory is kept at 1000h:0
        mov     %ax, %es
        mov     %ax, %ds
        cld
        xor     %bx, %bx
1:      mov     %bx, %ax
        mov     $16, %ecx
        call    item
        inc     %bx
        cmp     $0x22, %bx
        jne     1b

        mov     $0x19, %ax
        mov     $0x510, %dx
        out     %ax, %dx
        xor     %di, %di
        mov     $0x511, %dx
        mov     $4, %cx
        rep insb
        mov     2, %bh                  # how many: big endian, below 65536
        mov     3, %bl
        mov     %bx, %cx
        shl     $6, %cx
        rep insb
        mov     %di, %cx
        xor     %si, %si
        mov     $0xe9, %dx
        rep outsb

        mov     $4, %si                 # of each entry: size, selector, big endian
2:      test    %bx, %bx
        jz      3f
        mov     4(%si), %ah
        mov     5(%si), %al
        mov     (%si), %ecx
        bswap   %ecx
        call    item
        add     $64, %si
        dec     %bx
        jmp     2b

3:      mov     %bl, %al
        out     %al, $0x70
        in      $0x71, %al
        out     %al, $0xe9
        inc     %bx
        cmp     $128, %bx
        jne     3b
        mov     $0x10, %al
        mov     $0xf4, %dx
        out     %al, %dx
        hlt

# ECX bytes of item AX.
item:   mov     $0x510, %dx
        out     %ax, %dx
        mov     $0x511, %dx
4:      test    %ecx, %ecx
        jz      5f
        in      %dx, %al
        out     %al, $0xe9
        dec     %ecx
        jmp     4b
5:      ret

        .org    0xfff0
        ljmp    $0xf000, $_start
        .org    0x10000
