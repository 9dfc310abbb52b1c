/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which exception comes first when x87, MMX, SSE, AVX and XSAVE instructions are switched off, in all combinations of CR0.EM, MP and TS with
 * CR4.OSFXSR and OSXSAVE; a pending x87 error among them; EFER.FFXSR; alignment checks (SDM 3A, 2.5, 6.15, 13.1; SDM 1, 8.6; SDM 2 of the
 * instructions).  A letter for each instruction: U #UD, N #NM, M #MF, G #GP, A #AC, P #PF, . nothing.
 */
#include "sys.h"
#define RESUME 0x3800
#define RESUME_SP 0x3808
#define UCODE  0x51000
#define USTACK 0x52000
#define DATA   0x53000
#define ODD    0x60000 /* beyond it nothing can be written by users */

    head
    begin
    to_protected
    flat_gdt 0xfff, quad
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x00cf93000000ffff /* 20 */
    .quad 0x00cff3000000ffff /* 28 */
    .quad 0x00affb000000ffff /* 30: 64-bit, user */
    .quad 0x0000890030020067 /* 38: TSS: its stack pointers are aligned to 2 */
    .quad 0
gdt_end:

    .code32
in32:
    segments32
    paging64 7
    movl $0x61005, PT + 0x61 * 8 /* read only */
    to_long 0x80010020, 0x900 /* PG, WP, NE */

    .code64
print: /* AL */
    out %al, $0xe9
    ret
newline:
    mov $10, %al
    out %al, $0xe9
    ret

/* Goes on behind @code; prints a letter. */
.macro try code
    movl $ABS(771f), RESUME
    mov %rsp, RESUME_SP
    mov $DATA, %edi
    mov $7, %eax
    xor %edx, %edx
    xor %ecx, %ecx
    \code
    mov $'.', %al
    out %al, $0xe9
771:
.endm
.macro user code
    jmp 774f
772: pushfq
    orl $0x40000, (%rsp)
    popfq
    \code
    int $0x40
773:
774: movl $ABS(775f), RESUME
    mov %rsp, RESUME_SP
    mov $ABS(772b), %esi
    mov $773b - 772b, %ecx
    call down
775:
.endm

down:
    mov $UCODE, %edi
    rep movsb
    mov $DATA, %edi
    mov $ODD, %esi
    mov $1, %eax
    xor %edx, %edx
    xor %ecx, %ecx
    pushq $0x2b
    pushq $USTACK + 0xff0
    pushq $0x202
    pushq $0x33
    pushq $UCODE
    iretq

in64:
    mov $0x7000, %esp
    gates64 IDT, 0x8e
    orb $0x60, IDT + 0x40 * 16 + 5
    mov $ABS(idtr), %eax
    lidt (%rax)
    movq $0x6f02, TSS + 2 + 4
    mov $0x38, %ax
    ltr %ax
    fninit

    xor %ebp, %ebp          /* bits 0 to 2: MP, EM, TS; 3: OSFXSR; 4: OSXSAVE */
all:
    mov $DATA, %edi
    mov $0x80, %ecx
    xor %eax, %eax
    rep stosq
    movl $0x1f80, DATA + 24
    movw $0x37f, DATA
    mov %ebp, %eax
    shr $3, %eax
    and $1, %eax
    shl $9, %eax
    mov %ebp, %edx
    shr $4, %edx
    shl $18, %edx
    or %edx, %eax
    mov %cr4, %rdx
    and $~0x40200, %edx
    or %eax, %edx
    mov %rdx, %cr4
    test $16, %ebp
    jz 1f
    mov $7, %eax
    xor %edx, %edx
    xor %ecx, %ecx
    xsetbv
1:
    mov %ebp, %eax
    and $7, %eax
    shl $1, %eax
    mov %cr0, %rdx
    and $~14, %edx
    or %eax, %edx
    mov %rdx, %cr0
    .macro name bit, text
    test $\bit, %ebp
    jz 780f
    say "\text "
780:
    .endm
    name 1, MP
    name 2, EM
    name 4, TS
    name 8, FXSR
    name 16, XSAVE
    call newline
    say " x87 "
    try "fld1"
    try "fwait"
    try "fnstsw %ax"
    try "fnclex"
    try "fnstcw (%rdi)"
    try "fldcw (%rdi)"
    try "fstps (%rdi)"
    try "fnsave 64(%rdi)"
    call newline
    say " mmx "
    try "emms"
    try "movd %eax, %mm0"
    try "paddb %mm0, %mm1"
    try "movq %mm0, (%rdi)"
    try "maskmovq %mm0, %mm0"
    try "pshufw $0, %mm0, %mm1"
    try "paddq %mm0, %mm1"
    try "cvtpi2ps %mm0, %xmm0"
    try "cvttps2pi %xmm0, %mm0"
    try "movdq2q %xmm0, %mm0"
    try "movq2dq %mm0, %xmm0"
    try "pabsb %mm0, %mm1"
    call newline
    say " sse "
    try "movaps %xmm0, %xmm1"
    try "movups %xmm0, (%rdi)"
    try "addps %xmm0, %xmm1"
    try "divsd %xmm0, %xmm1"
    try "paddb %xmm0, %xmm1"
    try "ldmxcsr zero(%rip)"
    try "stmxcsr (%rdi)"
    try "pshufb %xmm0, %xmm1"
    try "pcmpestri $0, %xmm0, %xmm1"
    try "aesenc %xmm0, %xmm1"
    try "movntps %xmm0, (%rdi)"
    try "movaps 8(%rdi), %xmm1"
    call newline
    say " no state "
    try "crc32 %eax, %eax"
    try "popcnt %eax, %eax"
    try "movnti %eax, (%rdi)"
    try "prefetcht0 (%rdi)"
    try "sfence"
    try "lfence"
    try "mfence"
    try "pause"
    try "clflush (%rdi)"
    try "movbe (%rdi), %eax"
    call newline
    say " fxsave "
    try "fxsave (%rdi)"
    try "fxrstor (%rdi)"
    try "fxsave 8(%rdi)"
    try "fxrstor 8(%rdi)"
    call newline
    say " avx "
    try "vaddps %xmm0, %xmm1, %xmm2"
    try "vmovaps %ymm0, %ymm1"
    try "vzeroupper"
    try "vpaddb %ymm0, %ymm1, %ymm2"
    try "vldmxcsr zero(%rip)"
    try "vfmadd132ps %ymm0, %ymm1, %ymm2"
    try "andn %eax, %eax, %eax"
    try ".byte 0xc5, 0xf9, 0x80, 0xc0"
    call newline
    say " xsave "
    try "xsave (%rdi)"
    try "xrstor (%rdi)"
    try "xsaveopt (%rdi)"
    try "xsave 16(%rdi)"
    try "xgetbv"
    try "xsetbv"
    call newline
    inc %ebp
    cmp $32, %ebp
    je pending
    mov $ABS(all), %eax
    jmp *%rax

/* An x87 error that waits: with TS and MP, #NM comes first. */
    .macro waits code
    clts
    fninit
    movw $0x37b, DATA
    fldcw DATA
    fld1
    fldz
    fdivrp
    mov %rbp, %cr0
    try "\code"
    .endm
pending:
    mov %cr4, %rax
    or $0x40600, %eax
    mov %rax, %cr4
    mov %cr0, %rax
    and $~14, %eax
    mov %rax, %rbp
    mov $4, %ebx
    mov %rax, %cr0
1:  say "pending, MP TS "
    mov %ebp, %eax
    shr $1, %eax
    and $1, %al
    add $'0', %al
    call print
    mov %ebp, %eax
    shr $3, %eax
    and $1, %al
    add $'0', %al
    call print
    mov $' ', %al
    call print
    waits "fld1"
    waits "fwait"
    waits "fnstsw %ax"
    waits "fnclex"
    waits "fninit"
    waits "fnsave 64(%rdi)"
    waits "fsin"
    waits "fxsave (%rdi)"
    waits "emms"
    waits "movd %eax, %mm0"
    waits "cvtpi2ps %mm0, %xmm0"
    waits "cvtpi2pd %mm0, %xmm0"
    waits "cvtpi2ps (%rdi), %xmm0"
    waits "cvtpi2pd (%rdi), %xmm0"
    waits "movq2dq %mm0, %xmm0"
    waits "pshufw $0, %mm0, %mm1"
    waits "movdq2q %xmm0, %mm0"
    waits "cvttps2pi %xmm0, %mm0"
    waits "addps %xmm0, %xmm1"
    waits "xsave (%rdi)"
    waits "fld1; fld1"
    waits "flds 0x10000000"
    waits "fldenv (%rdi)"
    call newline
    dec %ebx
    je 2f
    xor $2, %ebp
    test $2, %ebp
    jne 3f
    xor $8, %ebp
3:  mov $ABS(1b), %eax
    jmp *%rax
2:  clts
    fninit

    say "an opcode that is none, lock, before anything else: "
    mov %cr0, %rax
    or $8, %eax
    mov %rax, %cr0
    try ".byte 0xf0, 0x0f, 0x58, 0xc0"
    try ".byte 0x0f, 0x0a"
    try ".byte 0xd9, 0xd1"
    try ".byte 0xf0, 0x0f, 0xae, 0x07"
    clts
    call newline
#ifndef REFERENCE /* it does not know #XM */
    say "xm: "
    movl $0x1d00, DATA
    ldmxcsr DATA
    pxor %xmm0, %xmm0
    try "divss %xmm0, %xmm0"
    try "divss (%rdi), %xmm0; ldmxcsr zero(%rip)"
    mov %cr4, %rax
    btr $10, %rax
    mov %rax, %cr4
    movl $0x1d00, DATA
    ldmxcsr DATA
    pxor %xmm0, %xmm0
    try "divss %xmm0, %xmm0"
    movl $0x1f80, DATA
    ldmxcsr DATA
    call newline
    say "ffxsr: "
    mov $0xc0000080, %ecx
    rdmsr
    bts $14, %eax
    wrmsr
    pcmpeqb %xmm5, %xmm5
    movq $0, DATA + 160 + 5 * 16
    fxsave DATA
    mov DATA + 160 + 5 * 16, %al
    call digit
    pxor %xmm5, %xmm5
    movq $-1, DATA + 160 + 5 * 16
    fxrstor DATA
    movq %xmm5, %rax
    call digit
    mov $0xc0000080, %ecx
    rdmsr
    btr $14, %eax
    wrmsr
    fxsave DATA
    mov DATA + 160 + 5 * 16, %al
    call digit
    movq $-1, DATA + 160 + 5 * 16
    fxrstor DATA
    movq %xmm5, %rax
    call digit
    call newline
#endif
    say "bad values: "
    mov $DATA, %edi
    fxsave (%rdi)
    movl $0x10000, DATA + 24
    try "fxrstor (%rdi)"
    try "ldmxcsr 24(%rdi)"
    movl $0x1f80, DATA + 24
    xsave (%rdi)
    movq $8, DATA + 512
    try "xrstor (%rdi)"
    movq $0, DATA + 512
    movq $1, DATA + 528
    try "xrstor (%rdi)"
    movq $0, DATA + 528
    try "xrstor (%rdi)"
    try "mov $5, %eax; xsetbv"
    try "mov $6, %eax; xsetbv"
    try "mov $1, %ecx; xsetbv"
    try "mov $1, %edx; xsetbv"
    try "mov $2, %ecx; xgetbv"
    try "xgetbv"
    call newline

    say "without AM: "
    user "mov 1(%rdi), %eax"
    mov %cr0, %rax
    bts $18, %rax
    mov %rax, %cr0
    say "\nwith AM: "
    user "mov 1(%rdi), %al"
    user "mov 1(%rdi), %ax"
    user "mov 2(%rdi), %eax"
    user "mov 4(%rdi), %rax"
    user "mov %rax, 4(%rdi)"
    user "lock incl 2(%rdi)"
    user "lock cmpxchg16b 8(%rdi)"
    user "lock cmpxchg8b 4(%rdi)"
    user "movaps 8(%rdi), %xmm0"
    user "movups 8(%rdi), %xmm0"
    user "movups 4(%rdi), %xmm0"
    user "movups 1(%rdi), %xmm0"
    user "movdqu %xmm0, 2(%rdi)"
    user "lddqu 8(%rdi), %xmm0"
    user "vmovups 8(%rdi), %ymm0"
    user "vmovups 1(%rdi), %ymm0"
    user "vaddps 4(%rdi), %xmm0, %xmm0"
    user "addps 8(%rdi), %xmm0"
    user "movss 2(%rdi), %xmm0"
    user "movsd 4(%rdi), %xmm0"
    user "movlps 4(%rdi), %xmm0"
    user "cvtps2pd 4(%rdi), %xmm0"
    user "flds 2(%rdi)"
    user "fldl 4(%rdi)"
    user "fldt 8(%rdi)"
    user "fldt 4(%rdi)"
    user "fldt 2(%rdi)"
    user "fldz; fstpt 4(%rdi)"
    user "fldz; fbstp 4(%rdi)"
    user "fnsave 4(%rdi)"
    user "fnsave 2(%rdi)"
    user "fnstenv 2(%rdi)"
    user "fxsave 8(%rdi)"
    user "xsave 16(%rdi)"
    user "mov $0x53804, %esp; push %rax"
    user "mov $0x53804, %esp; pop %rax"
    user "add $2, %rsi; movsl"
    user "inc %rdi; movsb"
    user "inc %rdi; stosb"
    user "add $2, %rdi; stosl"
    user "stmxcsr 2(%rdi)"
    user "fnstcw 1(%rdi)"
    user "movq 4(%rdi), %mm0"
    user "movnti %eax, 2(%rdi)"
    user "bt %eax, 2(%rdi)"
    user "movbe 2(%rdi), %eax"
    user "vbroadcastss 2(%rdi), %ymm0"
    user "vbroadcastf128 8(%rdi), %ymm0"
    user "pmovzxbw 4(%rdi), %xmm0"
    user "pinsrw $0, 1(%rdi), %xmm0"
    user "movhps %xmm0, 4(%rdi)"
    user "crc32l 2(%rdi), %eax"
    user "xchg %eax, 2(%rdi)"
    user "vmaskmovps 2(%rdi), %ymm0, %ymm0"

    say "\nthe CPU's own accesses: "
    user "nop"
    user "mov $0x28, %eax; mov %eax, %fs"
    mov %cr0, %rax
    btr $18, %rax
    mov %rax, %cr0

    say "\nstores over two pages: "
    mov $ODD, %edi
    mov $0x200, %ecx
    xor %eax, %eax
    rep stosq
    pcmpeqb %xmm1, %xmm1
    vinsertf128 $1, %xmm1, %ymm1, %ymm1
    .macro over code
    user "\code"
    .endm
    over "add $0xff4, %rsi; vmaskmovps %ymm1, %ymm1, (%rsi)"
    over "mov %rsi, %rdi; add $0xff4, %rdi; maskmovdqu %xmm1, %xmm1"
    over "add $0xfe0, %rsi; fnsave (%rsi)"
    over "add $0xf00, %rsi; fxsave (%rsi)"
    over "add $0xf00, %rsi; mov $7, %eax; xsave (%rsi)"
    over "add $0xd80, %rsi; mov $7, %eax; xsave (%rsi)"
    over "add $0xd80, %rsi; mov $3, %eax; xsave (%rsi)"
    mov $ODD, %edi
    xor %ecx, %ecx
1:  mov ODD(%rcx), %al
    test %al, %al
    jne 2f
    inc %ecx
    cmp $0xd80, %ecx
    jb 1b
2:  cmp $0xd80, %ecx
    jne 3f
    cmpb $0, ODD + 0xff4
    jne 3f
    say "\nnothing but the last is written"
3:  say "\n"
    finish

digit:
    test %al, %al
    mov $'0', %al
    je 1f
    inc %al
1:  out %al, $0xe9
    ret
    .balign 4
zero: .long 0x1f80

    stubs66
/* INT 40h is how code at privilege 3 says that nothing was raised. */
common:
    mov (%rsp), %ecx
    mov $'.', %al
    cmp $0x40, %ecx
    je 1f
    mov $ABS(letters), %eax
    mov (%rax, %rcx), %al
1:  out %al, $0xe9
    cmp $16, %ecx
    jne 2f
    fnclex
2:  mov RESUME_SP, %rsp
    jmp *RESUME
letters:
    .ascii "Dd2b45UN8?TnSGP?MAmX????????????????????????????????????????????"
