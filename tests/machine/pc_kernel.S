# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel for -kernel that writes what it is told to COM1, and ends by isa-debug-exit.  Entered by multiboot (by addresses in the header
# when KLUDGE is defined, else as ELF) or by PVH's note (PVH).  VIDEO: asks for 640 by 480 with 32 bits.
        .set    MAGIC, 0x1badb002
        .ifdef  VIDEO
        .set    WANTS, 7
        .else
        .set    WANTS, 3
        .endif
        .ifdef  KLUDGE
        .set    FLAGS, WANTS | 0x10000
        .else
        .set    FLAGS, WANTS
        .endif

        .text
        .global _start
_start: jmp     enter
        .ifndef PVH
        .balign 4
header: .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
        .ifdef  KLUDGE
        .long   header, _start, _edata, _end, enter
        .else
        .long   0, 0, 0, 0, 0
        .endif
        .long   0, 640, 480, 32
        .endif

enter:  mov     %eax, %ebp
        mov     $stack, %esp
        xor     %ecx, %ecx
        str     %cx                     # the state that both protocols ask for
        pushf
        pop     %edx
        and     $0x20300, %edx          # VM, IF, TF
        mov     %cr0, %esi
        and     $0x80000001, %esi       # PG, PE
        .ifdef  PVH
        push    %ecx
        push    %edx
        push    %esi
        push    (%ebx)
        mov     $t_pvh, %esi
        call    say
        mov     24(%ebx), %esi
        call    quoted
        push    12(%ebx)
        mov     $t_modules, %esi
        call    say
        mov     16(%ebx), %edi
        mov     (%edi), %esi
        call    quoted
        mov     32(%ebx), %esi
        push    (%esi)
        mov     $t_number, %esi
        call    say
        mov     40(%ebx), %edi
        mov     48(%ebx), %ecx
1:      push    16(%edi)
        push    12(%edi)
        push    8(%edi)
        push    4(%edi)
        push    (%edi)
        mov     $t_map, %esi
        call    say
        add     $24, %edi
        dec     %ecx
        jnz     1b
        .else
        push    %edx
        push    %esi
        push    %ebp
        mov     $t_boot, %esi
        call    say
        push    0(%ebx)
        mov     $t_flags, %esi
        call    say
        mov     16(%ebx), %esi
        call    quoted
        mov     64(%ebx), %esi
        call    quoted
        push    8(%ebx)
        push    4(%ebx)
        mov     $t_memory, %esi
        call    say
        mov     20(%ebx), %ecx
        mov     24(%ebx), %edi
        jecxz   2f
1:      mov     4(%edi), %eax           # length, contents, string
        sub     (%edi), %eax
        push    %eax
        mov     $t_module, %esi
        call    say
        mov     (%edi), %esi
        mov     4(%edi), %edx
        movb    $0, (%edx)
        call    quoted
        mov     8(%edi), %esi
        call    quoted
        add     $16, %edi
        loop    1b
2:      mov     48(%ebx), %edi
        mov     44(%ebx), %ecx
        add     %edi, %ecx
1:      push    20(%edi)
        push    16(%edi)
        push    12(%edi)
        push    8(%edi)
        push    4(%edi)
        mov     $t_map, %esi
        call    say
        add     (%edi), %edi
        add     $4, %edi
        cmp     %ecx, %edi
        jb      1b
        testl   $0x1000, (%ebx)
        jz      3f
        movzbl  109(%ebx), %eax
        push    %eax
        movzbl  108(%ebx), %eax
        push    %eax
        push    104(%ebx)
        push    100(%ebx)
        push    96(%ebx)
        mov     $t_frame, %esi
        call    say
        mov     88(%ebx), %edi
        movl    $0x123456, (%edi)       # it is memory
        push    (%edi)
        mov     $t_number, %esi
        call    say
3:
        .endif
        movl    $0x55, in_bss           # .bss is zero, and ours
        call    timers
        mov     $t_end, %esi
        call    say
        mov     $0x10, %al
        out     %al, $0xf4
4:      hlt
        jmp     4b

# The local APIC's timer with the shortest count there is, again and again: each one comes.
timers: lidt    idtr
        lgdt    gdtr
        ljmp    $8, $1f
1:      mov     $handler, %eax
        mov     %ax, idt + 0x30 * 8
        shr     $16, %eax
        mov     %ax, idt + 0x30 * 8 + 6
        movl    $0x1ff, 0xfee000f0
        movl    $0xb, 0xfee003e0        # divide by 1
        movl    $0x30, 0xfee00320       # once, vector 30h
        mov     $0xff, %al              # nothing from the old controllers
        out     %al, $0x21
        out     %al, $0xa1
        mov     $1000, %ecx
1:      movl    $1, 0xfee00380
        sti
        hlt
        cli
        loop    1b
        push    ticks
        mov     $t_ticks, %esi
        call    say
        ret
handler:
        incl    ticks
        movl    $0, 0xfee000b0
        iret

quoted: push    %esi
        mov     $t_quote, %esi
        call    say
        pop     %esi
        call    raw
        mov     $t_unquote, %esi
        call    say
        ret

raw:    lodsb
        test    %al, %al
        jz      1f
        call    put
        jmp     raw
1:      ret

# A text whose '#' are the words on the stack, in hexadecimal; they are taken off.
say:    pop     return
1:      lodsb
        test    %al, %al
        jz      2f
        cmp     $'#', %al
        je      3f
        call    put
        jmp     1b
3:      pop     %eax
        push    %ecx
        call    hex
        pop     %ecx
        jmp     1b
2:      jmp     *return

hex:    mov     %eax, %edx
        mov     $8, %ecx
1:      rol     $4, %edx
        mov     %dl, %al
        and     $15, %al
        cmp     $10, %al
        sbb     $0x69, %al
        das
        call    put
        loop    1b
        ret

put:    push    %edx
        mov     $0x3f8, %dx
        out     %al, %dx
        pop     %edx
        ret

        .data
t_boot: .asciz  "magic #, CR0 #, flags #\n"
t_pvh:  .asciz  "magic #, CR0 #, flags #, task #\n"
t_modules: .asciz "modules #\n"
t_flags: .asciz "information #\n"
t_memory: .asciz "KiB # #\n"
t_module: .asciz "module of #\n"
t_map:  .asciz  "map # # # # #\n"
t_frame: .asciz "picture: pitch #, # by #, # bits, type #\n"
t_number: .asciz "#\n"
t_ticks: .asciz "ticks #\n"
t_quote: .asciz "<"
t_unquote: .asciz ">\n"
t_end:  .asciz  "end\n"
        .balign 8
gdt:    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:   .word   23
        .long   gdt
idtr:   .word   0x31 * 8 - 1
        .long   idt
idt:    .fill   0x30, 8, 0
        .word   0, 8, 0x8e00, 0
        .ifdef  PVH
        .section .note.Xen, "a", @note
        .long   4, 4, 18
        .asciz  "Xen"
        .long   enter
        .endif
        .bss
return: .long   0
ticks:  .long   0
in_bss: .skip   65536
        .skip   4096
stack:
        .section .note.GNU-stack, "", @progbits
