/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of the x86 system level are written with (gas, AT&T).  The start is 16-bit real mode at label "start", CS = F000,
 * DS = SS = 0, SP = 7000h; memory from 0 to 9FFFFh is free.  Tests print with `say` and `hex`: the same on every engine and the
 * reference, which is what run.py compares; `finish` ends.
 */
/* Labels are offsets in segment F000; this is the linear address. */
#define ABS(x) ((x) + 0xf0000)

/* Where programs that have them have descriptors, gates, the task state, and the page tables of long mode. */
GDT = 0x1000
IDT = 0x2000
TSS = 0x3000
PML4 = 0x10000
PDPT = 0x11000
PD = 0x12000
PT = 0x13000

.macro say16 text
    jmp 772f
771: .asciz "\text"
772:
    push %si
    mov $771b, %si
773: mov %cs:(%si), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %si
    jmp 773b
774: pop %si
.endm

/* 32- and 64-bit code. */
.macro say text
    jmp 772f
771: .asciz "\text"
772:
    mov $ABS(771b), %esi
773: mov (%esi), %al
    test %al, %al
    je 774f
    out %al, $0xe9
    inc %esi
    jmp 773b
774:
.endm

.macro finish
    mov $0x10, %al
    out %al, $0xf4
775: hlt
    jmp 775b
.endm

.macro head
    .section .reset, "ax"
    .code16
    ljmp $0xf000, $start
    .text
    .code16
.endm

.macro begin
start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %sp
.endm

/* On in protected mode, at label "in32". */
.macro to_protected
    lgdtl %cs:gdtr
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $ABS(in32)
.endm

/*
 * What `to_protected` loads, and what LGDT (gdtr2) and LIDT (idtr) load when both tables are in RAM: @base is "quad" for 64-bit code.
 * The program's own descriptors follow, from 18h on, then label "gdt_end".
 */
.macro flat_gdt idt_limit=0x7ff, base=long
gdtr: .word gdt_end - gdt - 1
    .long gdt + 0xf0000
gdtr2: .word gdt_end - gdt - 1
    .\base GDT
idtr: .word \idt_limit
    .\base IDT
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 08: 32-bit code */
    .quad 0x00cf93000000ffff /* 10: data */
.endm

/* 32- and 64-bit code: the descriptors to RAM. */
.macro copy_gdt
    mov $ABS(gdt), %esi
    mov $GDT, %edi
    mov $(gdt_end - gdt) / 4, %ecx
    rep movsl
.endm

/* 32-bit code, just in protected mode: data segments of selector 10h, and a stack. */
.macro segments32
    mov $0x10, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x7000, %esp
    cld
.endm

/* 32-bit code: @count entries of @size bytes at @table, which map what is from 0 on where it is. */
.macro identity table, flags, size, count
    xor %ecx, %ecx
1:  mov %ecx, %eax
    shl $12, %eax
    or $\flags, %eax
    mov %eax, \table(, %ecx, \size)
    inc %ecx
    cmp $\count, %ecx
    jb 1b
.endm

/* Tables at PML4 and behind it, at PDPT: the first GiB, everybody's. */
.macro one_gib
    mov $PML4, %edi
    xor %eax, %eax
    mov $0x800, %ecx
    rep stosl
    movl $PDPT + 7, PML4
    movl $0x87, PDPT
.endm

/* 32-bit code: the first MiB in pages of 4 KiB with @flags, for long mode. */
.macro paging64 flags
    mov $PML4, %edi
    mov $0x4000 / 4, %ecx
    xor %eax, %eax
    rep stosl
    movl $PDPT + 7, PML4
    movl $PD + 7, PDPT
    movl $PT + 7, PD
    identity PT, \flags, 8, 256
.endm

/* 32-bit code: on in long mode, at label "in64" in the code segment 18h, with these bits set; ECX is the number of EFER. */
.macro to_long cr0, efer, cr4=0x20
    mov %cr4, %eax
    or $\cr4, %eax
    mov %eax, %cr4
    mov $PML4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $\efer, %eax
    wrmsr
    mov %cr0, %eax
    or $\cr0, %eax
    mov %eax, %cr0
    ljmp $0x18, $ABS(in64)
.endm

/* 32-bit code: hex8, hex16 and hex32 print AL, AX and EAX, as do space, colon and newline what they are called. */
.macro printers32
hex8:
    push %eax
    shr $4, %al
    call nibble
    pop %eax
nibble:
    push %eax
    and $15, %al
    cmp $10, %al
    jb 1f
    add $7, %al
1:  add $'0', %al
    out %al, $0xe9
    pop %eax
    ret
hex32:
    rol $16, %eax
    call hex16
    rol $16, %eax
hex16:
    xchg %al, %ah
    call hex8
    xchg %al, %ah
    jmp hex8
space:
    push %eax
    mov $' ', %al
    jmp 1f
colon:
    push %eax
    mov $':', %al
    jmp 1f
newline:
    push %eax
    mov $10, %al
1:  out %al, $0xe9
    pop %eax
    ret
.endm

/* 64-bit code: hex8 prints AL, hex64 RAX, as do space and newline what they are called; the latter changes AL. */
.macro printers64
hex8:
    push %rax
    shr $4, %al
    call nibble
    pop %rax
nibble:
    push %rax
    and $15, %al
    cmp $10, %al
    jb 1f
    add $7, %al
1:  add $'0', %al
    out %al, $0xe9
    pop %rax
    ret
hex64:
    push %rcx
    mov $8, %ecx
1:  rol $8, %rax
    call hex8
    dec %ecx
    jne 1b
    pop %rcx
    ret
space:
    push %rax
    mov $' ', %al
    out %al, $0xe9
    pop %rax
    ret
newline:
    mov $10, %al
    out %al, $0xe9
    ret
.endm

/* 32-bit code: gates of @type (8Eh: interrupt, 8Fh: trap) at @idt to `stubs66`. */
.macro gates32 idt, type
    mov $\idt, %edi
    mov $ABS(stubs), %edx
    mov $66, %ecx
1:  mov %edx, %eax
    and $0xffff, %eax
    or $0x80000, %eax
    stosl
    mov %edx, %eax
    and $0xffff0000, %eax
    or $(\type << 8), %eax
    stosl
    add $16, %edx
    loop 1b
.endm

/* 64-bit code: gates of @type (8Eh: interrupt, 8Fh: trap) at @idt to `stubs66`. */
.macro gates64 idt, type
    mov $\idt, %edi
    mov $ABS(stubs), %eax
    mov $66, %ecx
1:  mov %eax, %edx
    and $0xffff, %edx
    or $0x180000, %edx
    mov %edx, (%rdi)
    mov %eax, %edx
    and $0xffff0000, %edx
    or $(\type << 8), %edx
    mov %edx, 4(%rdi)
    movq $0, 8(%rdi)
    add $16, %edi
    add $16, %eax
    dec %ecx
    jne 1b
.endm

/* 32- and 64-bit code: where those gates lead.  On at label "common" with the vector and an error code, 0 where there is none, on the stack. */
.macro stubs66
    .balign 16
stubs:
    .set n, 0
    .rept 66
    .balign 16
    .if (n == 8) || ((n >= 10) && (n <= 14)) || (n == 17)
    .else
    push $0
    .endif
    push $n
    jmp common
    .set n, n + 1
    .endr
.endm
