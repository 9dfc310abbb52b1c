# SPDX-License-Identifier: GPL-2.0-or-later
# A boot sector that reads and writes the disk it came from through the BIOS, says so on COM1 and ends by isa-debug-exit.
# NTH: a sector of the first track, read together with those before it.
        .code16
        .global _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        ljmp    $0, $1f
1:      mov     %dl, drive
        mov     $boot, %si
        call    print
        mov     $0x0200 + NTH - 1, %ax  # read sectors 2 to NTH of cylinder 0, head 0
        mov     $0x0002, %cx
        call    bios
        mov     $0x8000, %si
        call    print
        mov     $0x8000 + (NTH - 2) * 512, %si
        call    print
        mov     $0x0301, %ax            # sector 2 to sector 5 of head 1
        mov     $0x0005, %cx
        mov     $1, %dh
        call    bios
        movw    $0, 0x8000
        mov     $0x0201, %ax            # and back
        mov     $0x0005, %cx
        call    bios
        mov     $0x8000, %si
        call    print
        mov     $0x10, %al
end:    mov     $0xf4, %dx
        out     %al, %dx
2:      hlt
        jmp     2b

# INT 13h at 8000h, on our drive; DH: the head, kept.
bios:   push    %dx
        mov     drive, %dl
        mov     $0x8000, %bx
        int     $0x13
        pop     %dx
        jc      3f
        ret
3:      mov     %ah, %al
        jmp     end

print:  lodsb
        test    %al, %al
        jz      4f
        mov     $0x3f8, %dx
        out     %al, %dx
        xor     %dx, %dx
        jmp     print
4:      ret
drive:  .byte   0
boot:   .asciz  "boot "
        .org    510
        .word   0xaa55
        .org    512
        .asciz  "second "
        .org    512 * (NTH - 1)
        .asciz  "nth "
