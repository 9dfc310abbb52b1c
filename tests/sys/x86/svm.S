/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor: SVM guests in long, protected and real mode, what is intercepted and what the exit says, injected events, virtual
 * interrupts, nested paging (APM 2, chapter 15).  Each line: what the guest does; the exit code, EXITINFO1, EXITINFO2, EXITINTINFO;
 * how far RIP and nRIP are from where it began.
 *
 * cpu: EPYC,+decodeassists
 * skip reference: it has no nRIP and no decode assists, and does not intercept INVD, RDTSCP, INT1 and INT3
 */
#include "sys.h"
#define RESUME    0x3400
#define RESUME_SP 0x3408
#define BEGAN     0x3410
#define NPML4     0x20000
#define NPDPT     0x21000
#define NPD       0x22000
#define NPT       0x23000
#define NPT_TABLE NPT
#define VMCB      0x30000
#define HSAVE     0x31000
#define IOPM      0x32000
#define MSRPM     0x36000
#define OTHER     0x38000
/* in the control block */
#define EXCEPTIONS (VMCB + 0x08)
#define MISC1      (VMCB + 0x0c)
#define MISC2      (VMCB + 0x10)
#define ASID       (VMCB + 0x58)
#define TLB        (VMCB + 0x5c)
#define VINT       (VMCB + 0x60)
#define SHADOW     (VMCB + 0x68)
#define NP         (VMCB + 0x90)
#define INJECT     (VMCB + 0xa8)
#define NCR3       (VMCB + 0xb0)
#define SAVE       (VMCB + 0x400)

.macro try to
    movl $ABS(\to), RESUME
    mov %rsp, RESUME_SP
.endm

/* A guest that begins at the label 1, as the block says now. */
.macro guest name
    say "\name"
    mov $ABS(1f), %eax
    call enter
    jmp 2f
1:
.endm
/* Behind its last instruction. */
.macro leave
    ud2
2:
.endm

/* One instruction, intercepted by bit @bit of word @word. */
.macro one name, word, bit, insn:vararg
    call setup
    orl $1 << \bit, \word
    guest "\name"
    \insn
    vmmcall
    leave
.endm

    head
    begin
    to_protected
    flat_gdt 0x41f, quad
    .quad 0x00af9b000000ffff /* 18: 64-bit */
    .quad 0x00cf93000000ffff /* 20 */
    .quad 0x00cffb000000ffff /* 28 */
    .quad 0x00cff3000000ffff /* 30 */
    .quad 0x00affb000000ffff /* 38 */
    .quad 0x0000890030000067 /* 40: TSS */
    .quad 0
    .quad 0x0000890031000067 /* 50: another one */
gdt_end:

    .code32
in32:
    segments32
    copy_gdt
    mov $PML4, %edi
    mov $0x28000 / 4, %ecx
    xor %eax, %eax
    rep stosl
    movl $PDPT + 7, PML4
    movl $PD + 7, PDPT
    movl $PT + 7, PD
    movl $NPDPT + 7, NPML4
    movl $NPD + 7, NPDPT
    movl $NPT_TABLE + 7, NPD
    xor %ecx, %ecx
1:  mov %ecx, %eax
    shl $12, %eax
    or $7, %eax
    mov %eax, PT(, %ecx, 8)
    mov %eax, NPT_TABLE(, %ecx, 8)
    inc %ecx
    cmp $256, %ecx
    jb 1b
    movl $0, PT + 0x52 * 8             /* not there */
    movl $0, NPT_TABLE + 0x53 * 8      /* not there for guests */
    movl $0x54005, NPT_TABLE + 0x54 * 8 /* read only */
    movl $0x80000000, NPT_TABLE + 0x55 * 8 + 4 /* not to be executed */
    movl $0x56003, NPT_TABLE + 0x56 * 8 /* of the supervisor */
    movl $0x58007, NPT_TABLE + 0x57 * 8 /* elsewhere */
    movl $0x12345678, 0x58000
    movl $0x9abcdef0, 0x57000
    to_long 0x80010000, 0x900, 0x620

    .code64
    .org 0x1ab /* exits say RIP: what follows stays where it is when what is before it changes */
    printers64
hex16:
    rol $8, %ax
    call hex8
    rol $8, %ax
    call hex8
    ret

/* The block as most guests have it: a copy of this machine. */
setup:
    mov $VMCB, %edi
    mov $0x1000 / 8, %ecx
    xor %eax, %eax
    rep stosq
    mov $IOPM, %edi
    mov $0x5000 / 8, %ecx
    rep stosq
    movl $0x80000000, MISC1 /* shutdown */
    movl $3, MISC2          /* VMRUN, VMMCALL */
    movq $IOPM, VMCB + 0x40
    movq $MSRPM, VMCB + 0x48
    movl $1, ASID
    movb $1, TLB
    movabs $0xffffffff0c930020, %rax
    mov %rax, SAVE + 0x00
    mov %rax, SAVE + 0x20
    mov %rax, SAVE + 0x30
    movabs $0xffffffff0a9b0018, %rax
    mov %rax, SAVE + 0x10
    movl $0x57, SAVE + 0x64
    movq $GDT, SAVE + 0x68
    movl $0x41f, SAVE + 0x84
    movq $IDT, SAVE + 0x88
    movq $0x1d01, SAVE + 0xd0
    mov %cr4, %rax
    mov %rax, SAVE + 0x148
    mov %cr3, %rax
    mov %rax, SAVE + 0x150
    mov %cr0, %rax
    mov %rax, SAVE + 0x158
    movq $0x400, SAVE + 0x160
    mov $0xffff0ff0, %eax
    mov %rax, SAVE + 0x168
    movq $2, SAVE + 0x170
    movq $0x40000, SAVE + 0x1d8
    movabs $0x0007040600070406, %rax
    mov %rax, SAVE + 0x268
    ret

/* Runs the guest that begins at RAX and says what came of it. */
enter:
    mov %rax, SAVE + 0x178
enter_here:
    mov %rax, BEGAN
    movl $ABS(guest_resume), RESUME
    movq $0x40000, RESUME_SP
    clgi
    mov $VMCB, %eax
    vmrun %rax
    call space
    mov VMCB + 0x70, %rax
    call hex16
    call space
    mov VMCB + 0x78, %rax
    call hex64
    call space
    mov VMCB + 0x80, %rax
    call hex64
    call space
    mov VMCB + 0x88, %rax
    call hex64
    call space
    mov SAVE + 0x178, %rax
    sub BEGAN, %rax
    call hex8
    mov VMCB + 0xc8, %rax
    test %rax, %rax
    je 1f
    call space
    sub BEGAN, %rax
    call hex8
1:  jmp newline

guest_resume:
    vmmcall

in64:
    mov $0x7000, %esp
    mov $ABS(gdtr2), %eax
    lgdt (%rax)
    gates64 IDT, 0x8e
    mov $ABS(idtr), %eax
    lidt (%rax)
    movq $0x6f00, TSS + 4
    mov $0x40, %ax
    ltr %ax

    say "off:\n"
    try 1f
    mov $VMCB, %eax
    vmrun %rax
1:  try 1f
    vmmcall
1:
    mov $0xc0000080, %ecx
    rdmsr
    or $0x1000, %eax
    wrmsr
    mov $0xc0010117, %ecx
    mov $HSAVE, %eax
    xor %edx, %edx
    wrmsr
    rdmsr
    call hex64
    call newline
    try 1f
    vmmcall
1:  try 1f
    mov $VMCB + 8, %eax
    vmrun %rax
1:
    say "refused:\n"
    call setup
    movl $0, ASID
    guest "asid"
    leave
    call setup
    movl $2, MISC2
    guest "vmrun"
    leave
    call setup
    movq $0x500, SAVE + 0xd0
    guest "svme"
    leave
    call setup
    movl $0x80000540, INJECT
    guest "event"
    leave

    say "intercepts:\n"
    call setup
    guest "vmmcall"
    vmmcall
    leave
    one "cpuid", MISC1, 18, cpuid
    one "hlt", MISC1, 24, hlt
    one "pause", MISC1, 23, pause
    one "rdtsc", MISC1, 14, rdtsc
    one "rdpmc", MISC1, 15, rdpmc
    one "pushf", MISC1, 16, pushfq
    one "popf", MISC1, 17, popfq
    one "iret", MISC1, 20, iretq
    one "int", MISC1, 21, int $0x30
    one "invd", MISC1, 22, invd
    one "invlpg", MISC1, 25, invlpg 0x1234
    one "invlpga", MISC1, 26, invlpga %rax, %ecx
    one "sidt", MISC1, 6, sidt 0x50000
    one "sgdt", MISC1, 7, sgdt 0x50000
    one "sldt", MISC1, 8, sldt %eax
    one "str", MISC1, 9, str %eax
    one "lidt", MISC1, 10, lidt 0x50000
    one "lgdt", MISC1, 11, lgdt 0x50000
    one "lldt", MISC1, 12, lldt %ax
    one "ltr", MISC1, 13, ltr %ax
    one "vmrun", MISC2, 0, vmrun %rax
    one "vmload", MISC2, 2, vmload %rax
    one "vmsave", MISC2, 3, vmsave %rax
    one "stgi", MISC2, 4, stgi
    one "clgi", MISC2, 5, clgi
    one "rdtscp", MISC2, 7, rdtscp
    one "icebp", MISC2, 8, .byte 0xf1
    one "wbinvd", MISC2, 9, wbinvd
    one "read cr0", VMCB, 0, mov %cr0, %rbx
    one "read cr3", VMCB, 3, mov %cr3, %rax
    one "write cr0", VMCB, 16, mov %rax, %cr0
    one "write cr4", VMCB, 20, mov %rbx, %cr4
    one "clts", VMCB, 16, clts
    one "smsw", VMCB, 0, smsw %eax
    one "lmsw", VMCB, 16, lmsw %ax
    one "read dr7", VMCB + 4, 7, mov %dr7, %rax
    one "write dr0", VMCB + 4, 16, mov %rax, %dr0
    one "not", MISC1, 25, nop
    one "ud2", EXCEPTIONS, 6, ud2
    one "int3", EXCEPTIONS, 3, int3

    call setup
    orl $1 << 14, EXCEPTIONS
    movq $0x1111, SAVE + 0x240
    guest "page fault"
    movl $1, 0x52344
    leave
    mov SAVE + 0x240, %rax
    call hex64
    call newline
    call setup
    orl $1 << 13, EXCEPTIONS
    guest "protection"
    mov $0x4b, %ax
    mov %ax, %ds
    leave
    call setup
    orl $1 << 13, EXCEPTIONS
    guest "in the way of int"
    int $0x80
    leave
    call setup
    movl $0, SAVE + 0x84
    guest "shutdown"
    ud2
    leave
    call setup
    orl $1 << 5, MISC1
    guest "cr0, ts"
    mov %cr0, %rbx
    or $8, %ebx
    mov %rbx, %cr0
    and $~8, %ebx
    mov %rbx, %cr0
    xor $0x10000, %rbx
    mov %rbx, %cr0
    leave

    say "ports:\n"
    call setup
    orl $1 << 27, MISC1
    movb $1, IOPM + 0x60 / 8
    movb $0x80, IOPM + 0x3f7 / 8
    guest "in"
    mov $'+', %al
    out %al, $0xe9
    in $0x60, %al
    leave
    call setup
    orl $1 << 27, MISC1
    movb $1, IOPM + 0x3f8 / 8
    guest "out, four bytes"
    mov $0x3f6, %edx
    out %eax, %dx
    leave
    call setup
    orl $1 << 27, MISC1
    movb $1, IOPM + 0x60 / 8
    guest "outs"
    mov $0x60, %edx
    mov $3, %ecx
    mov $0x50000, %esi
    rep outsw %fs:(%rsi), %dx
    leave
    call setup
    orl $1 << 27, MISC1
    movb $1, IOPM + 0x60 / 8
    guest "ins"
    mov $0x60, %edx
    mov $0x50000, %edi
    insb
    leave

    say "registers by number:\n"
    call setup
    orl $1 << 28, MISC1
    movb $4, MSRPM + 0x800 + 0x80 / 4
    movb $2, MSRPM + 0x174 / 4
    guest "read"
    mov $0xc0000080, %ecx
    rdmsr
    mov $0xc0000081, %ecx
    rdmsr
    leave
    call setup
    orl $1 << 28, MISC1
    movb $2, MSRPM + 0x174 / 4
    guest "write"
    mov $0x174, %ecx
    rdmsr
    wrmsr
    leave
    call setup
    orl $1 << 28, MISC1
    guest "elsewhere"
    mov $0x12340000, %ecx
    rdmsr
    leave

    say "injected:\n"
    call setup
    movl $0x80000b0d, INJECT
    movl $0x1234, INJECT + 4
    orl $1 << 13, EXCEPTIONS
    guest "#GP"
    leave
    call setup
    movl $0x80000040, INJECT
    guest "interrupt"
    leave
    call setup
    movl $0x80000200, INJECT
    guest "NMI"
    leave
    call setup
    movl $0x80000440, INJECT
    guest "int"
    leave
    call setup
    movl $0x80000080, INJECT
    orl $1 << 13, EXCEPTIONS
    guest "outside the table"
    leave

    say "virtual interrupts:\n"
    call setup
    movl $0x01080100, VINT
    movl $0x40, VINT + 4
    guest "taken"
    nop
    sti
    nop
    nop
    leave
    mov VINT, %rax
    call hex64
    call newline
    call setup
    movl $0x01050105, VINT
    movl $0x40, VINT + 4
    guest "masked"
    sti
    nop
    mov $1, %eax
    mov %cr8, %rbx
    mov %rax, %cr8
    nop
    leave
    mov %rbx, %rax
    call hex64
    call space
    mov VINT, %rax
    call hex64
    call newline
    call setup
    movl $0x01080100, VINT
    movl $0x40, VINT + 4
    orl $1 << 4, MISC1
    guest "caught"
    sti
    nop
    nop
    leave
    mov VINT, %rax
    call hex64
    call newline
    call setup
    orl $1 << 18, MISC1
    guest "shadow"
    sti
    cpuid
    leave
    mov SHADOW, %rax
    call hex64
    call newline

    say "other modes:\n"
    call setup
    movabs $0xffffffff0c9b0008, %rax
    mov %rax, SAVE + 0x10
    movq $0x1000, SAVE + 0xd0
    andl $0x7ffeffff, SAVE + 0x158
    orl $0x20000000, MISC1
    movl $-1, EXCEPTIONS
    guest "protected, task switch"
    .code32
    mov $0x123, %eax
    .byte 0xea
    .long 0
    .word 0x50
    .code64
    leave
    call setup
    movabs $0x0000ffff009b3000, %rax
    mov %rax, SAVE + 0x10
    movq $0x30000, SAVE + 0x18
    movabs $0x0000ffff00930000, %rax
    mov %rax, SAVE + 0x00
    mov %rax, SAVE + 0x20
    mov %rax, SAVE + 0x30
    movq $0x1000, SAVE + 0xd0
    movq $0x10, SAVE + 0x158
    movq $0, SAVE + 0x148
    movl $0xffff, SAVE + 0x84
    movq $0, SAVE + 0x88
    movq $0x6000, SAVE + 0x1d8
    orl $1 << 24, MISC1
    mov $ABS(real), %esi
    mov $0x39000, %edi
    mov $real_end - real, %ecx
    rep movsb
    movl $0x3000900c, 0x10 * 4
    say "real"
    mov $0x9000, %eax
    call enter

    say "nested paging:\n"
    .macro nested name
    call setup
    movb $1, NP
    movq $NPML4, NCR3
    guest "\name"
    .endm
    nested "none"
    vmmcall
    leave
    nested "read"
    mov 0x53010, %eax
    leave
    nested "write"
    movl $1, 0x53ffe
    leave
    nested "read only"
    mov 0x54000, %eax
    movl $1, 0x54020
    leave
    nested "fetch"
    mov $0x55000, %eax
    mov (%rax), %ebx
    call *%rax
    leave
    nested "supervisor"
    mov 0x56008, %eax
    leave
    nested "elsewhere"
    mov 0x57000, %ebx
    vmmcall
    leave
    mov %rbx, %rax
    call hex64
    call newline
    andb $~2, NPT_TABLE + 0x13 * 8
    nested "a table"
    mov 0x50000, %eax
    leave
    orb $2, NPT_TABLE + 0x13 * 8
    andb $~1, NPT_TABLE + 0x11 * 8
    nested "a table that is not there"
    mov 0x50000, %eax
    leave
    orb $1, NPT_TABLE + 0x11 * 8
    andb $~1, NPT_TABLE + 2 * 8
    nested "the interrupt table"
    ud2
    leave
    orb $1, NPT_TABLE + 2 * 8
    call setup
    movb $1, NP
    movq $NPML4, NCR3
    orl $1 << 14, EXCEPTIONS
    guest "the guest's own"
    mov 0x52010, %eax
    leave
    /* accessed and dirty */
    movb $0x07, NPT_TABLE + 0x50 * 8
    nested "flags"
    mov 0x50000, %eax
    vmmcall
    leave
    mov NPT_TABLE + 0x50 * 8, %eax
    call hex8
    call space
    movb $0x07, NPT_TABLE + 0x50 * 8
    nested "flags"
    movl $0, 0x50000
    vmmcall
    leave
    mov NPT_TABLE + 0x50 * 8, %eax
    call hex8
    call newline

    say "load and save:\n"
    mov $OTHER, %edi
    mov $0x1000 / 8, %ecx
    xor %eax, %eax
    rep stosq
    movq $0x11111111, OTHER + 0x448
    movq $0x22222222, OTHER + 0x458
    movq $0x33333333, OTHER + 0x620
    movq $0x44444444, OTHER + 0x608
    mov $OTHER, %eax
    vmload %rax
    mov $0xc0000100, %ecx
    call msr
    inc %ecx
    call msr
    inc %ecx
    call msr
    mov $0xc0000082, %ecx
    call msr
    movl $0x55555555, %eax
    xor %edx, %edx
    wrmsr
    mov $OTHER, %eax
    vmsave %rax
    mov OTHER + 0x608, %rax
    call hex64
    call newline
    call setup
    movabs $0x1000000000000000, %rax
    mov %rax, VMCB + 0x50
    guest "counter"
    rdtsc
    shr $28, %edx
    mov %edx, %ebx
    vmmcall
    leave
    mov %rbx, %rax
    call hex64
    call newline
    mov $0xc0010114, %ecx
    mov $0x18, %eax
    xor %edx, %edx
    try 1f
    wrmsr
1:  mov $0xc0000080, %ecx
    rdmsr
    and $~0x1000, %eax
    wrmsr
    try 1f
    clgi
1:  finish

msr:
    rdmsr
    shl $32, %rdx
    or %rdx, %rax
    call hex64
    jmp newline

    .code16
real:
    mov $'r', %al
    out %al, $0xe9
    int $0x10
    hlt
    hlt
    .org real + 12
    mov $'i', %al
    out %al, $0xe9
    iret
real_end:
    .code64

    stubs66
common:
    call space
    mov (%rsp), %al
    call hex8
    call space
    mov 8(%rsp), %rax
    call hex64
    call newline
    mov RESUME_SP, %rsp
    jmp *RESUME
