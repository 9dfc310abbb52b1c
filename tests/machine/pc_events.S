# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware that prints A, does what the symbol defined says, once, and waits; begun again it prints B and waits; an NMI prints N.
# With CLOCK it prints the clock's year, month, day, hours, minutes and seconds, and each second that follows.
# Register \reg of function \devfn's configuration is \value.
.macro CONFIG devfn, reg, value, from=%eax
        mov     $0x80000000 + (\devfn << 8) + \reg, %eax
        mov     $0xcf8, %dx
        out     %eax, %dx
        mov     $0xcfc, %dx
        mov     $\value, %eax
        out     \from, %dx
.endm

# Port \port is \value.
.macro PUT port, value
        mov     $\port, %dx
        mov     $\value, %al
        out     %al, %dx
.endm
# One write to the watchdog's registers is taken.
.macro UNLOCK
        movb    $0x80, 12
        movb    $0x86, 12
.endm

        .code16
        .globl  _start
_start: xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $nmi, 8
        movw    $0xf000, 10
.ifdef CLOCK
1:      mov     $10, %al                # not while it changes
        out     %al, $0x70
        in      $0x71, %al
        test    $0x80, %al
        jnz     1b
        mov     $digits, %si
2:      cs lodsb
        out     %al, $0x70
        test    %al, %al
        in      $0x71, %al
        out     %al, $0xe9
        jnz     2b
        mov     %al, %ah
3:      in      $0x71, %al
        cmp     %ah, %al
        je      3b
        mov     %al, %ah
        out     %al, $0xe9
        jmp     3b
digits: .byte   9, 8, 7, 4, 2, 0
.else
        mov     $'B', %al
        cmpl    $0x12345678, 0x500
        je      say
        movl    $0x12345678, 0x500
        mov     $'A', %al
        out     %al, $0xe9
.ifdef POWEROFF          # PIIX4: its registers at 600h, then S5
        CONFIG  0x0b, 0x40, 0x601
        CONFIG  0x0b, 0x80, 1
        mov     $0x604, %dx
        mov     $0x2000, %ax
        out     %ax, %dx
.endif
.ifdef TRIPLE_FAULT
        lidt    %cs:none
        int3
.endif
.ifdef RESET_KEYBOARD
        PUT     0x64, 0xfe
.endif
.ifdef RESET_PORT
        PUT     0xcf9, 2
        PUT     0xcf9, 6
.endif
.ifdef PANIC
        PUT     0x505, 1
.endif
.ifdef CRASH_LOADED
        PUT     0x505, 2
.endif
.ifdef IB700             # at once
        PUT     0x443, 15
.endif
.ifdef I6300ESB          # in slot 5, its registers at E0000h: twice a millisecond
        CONFIG  0x28, 0x10, 0xe0000
        CONFIG  0x28, 0x04, 2
        CONFIG  0x28, 0x60, 3, %ax      # without an interrupt
        mov     $0xe000, %ax
        mov     %ax, %ds
        UNLOCK
        movl    $0, 0
        UNLOCK
        movl    $0, 4
        CONFIG  0x28, 0x68, 2, %al
        xor     %ax, %ax
        mov     %ax, %ds
.endif
wait:   cli
        hlt
        jmp     wait
say:    out     %al, $0xe9
        jmp     wait
.endif
nmi:    push    %ax
        mov     $'N', %al
        out     %al, $0xe9
        pop     %ax
        iret
none:   .word   0, 0, 0
        .org    0xfff0
        ljmp    $0xf000, $_start
        .org    0x10000
