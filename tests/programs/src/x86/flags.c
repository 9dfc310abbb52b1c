/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that return flags or are given them, called from code that reads them and from code that does not, directly and through
 * pointers, often enough to be compiled. */
#include <stdio.h>

__asm__(".globl odd_in_carry, deep, parity_and_sign\n"
        "odd_in_carry: bt $0, %edi; ret\n"
        "parity_and_sign: mov %edi, %eax; sub $100, %eax; ret\n"
        "deep: push %rbx; mov %edi, %ebx; test %edi, %edi; je 1f\n"
        "    lea -1(%rdi), %edi; call deep; adc $0, %eax; cmp $7, %ebx; pop %rbx; ret\n"
        "1:  xor %eax, %eax; stc; pop %rbx; ret\n"
        /* edi: flags; esi: what to do with them, through a pointer; tail calls and calls take turns */
        ".globl given\n"
        "given: lea table(%rip), %rdx; mov (%rdx,%rsi,8), %rdx; xor %eax, %eax; test $8, %esi; jne 2f\n"
        "    sub $3, %edi; jmp *%rdx\n"
        "2:  sub $5, %edi; call *%rdx; lea (%rax,%rax,2), %eax; ret\n"
        "on_carry: setc %al; ret\n"
        "on_sign: mov %esi, %ecx; mov %ecx, %ecx; sets %al; ret\n"
        "on_parity: lea 7(%rsi), %eax; jmp 3f; 3: jnp 4f; inc %eax; 4: ret\n"
        "on_none: xor %eax, %eax; mov $9, %al; ret\n"
        "on_adjust: lahf; movzbl %ah, %eax; and $0xd5, %eax; ret\n"
        "on_more: jmp *more(%rip)\n"
        "on_zero: setz %al; ret\n"
        ".section .data.rel.ro\n"
        "more: .quad on_zero\n"
        "table: .quad on_carry, on_sign, on_none, on_parity, on_none, on_adjust, on_more, on_none\n"
        "    .quad on_carry, on_sign, on_none, on_parity, on_none, on_adjust, on_more, on_none\n"
        ".text\n");

static unsigned carries(unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("mov %1, %%edi; call odd_in_carry; adc $0, %0" : "+r"(count) : "r"(i) : "rdi", "cc", "memory");
    return count;
}

static unsigned others(unsigned n)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned char less, even;
        unsigned ah;

        __asm__ volatile("mov %3, %%edi; call parity_and_sign; setl %0; setp %1; lahf; mov %%eax, %2"
                         : "=&r"(less), "=&r"(even), "=&b"(ah) : "r"(i) : "rax", "rdi", "cc", "memory");
        count = count * 31 + less * 4u + even * 2u + (ah >> 8 & 0xd5);
    }
    return count;
}

static unsigned nested(unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned r;

        __asm__ volatile("mov %1, %%edi; call deep; adc $0, %%eax; mov %%eax, %0" : "=r"(r) : "r"(i % 20)
                         : "rax", "rdi", "cc", "memory");
        sum = sum * 7 + r;
    }
    return sum;
}

/* A function small enough to be made part of its caller, that returns behind the instruction after the call now and then. */
__asm__(".globl skips\n"
        "skips: lea 1(%rdi), %eax; test $7, %edi; jne 1f; addq $3, (%rsp)\n1: ret\n");

static unsigned skipped(unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("mov %1, %%edi; call skips; .byte 0x8d, 0x40, 0x05; add %%eax, %0" /* lea 5(%rax), %eax */
                         : "+r"(sum) : "r"(i) : "rax", "rdi", "cc", "memory");
    return sum;
}

/* Small ones that now and then call what is not (rare), jump there, or go there through a pointer, one inside the other. */
__asm__(".globl rarely\n"
        "rare: push %rdi; xor %eax, %eax; 5: lea 3(%rax,%rdi), %eax; imul $77, %edi, %edi; rol $5, %edi; xor %edi, %eax\n"
        "    nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop\n"
        "    nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop; nop\n"
        "    test $31, %eax; jne 6f; add $1000, %edi; jmp 5b; 6: cmp %edi, %eax; pop %rdi; ret\n"
        "calls: test $63, %edi; je 7f; lea 1(%rdi), %eax; ret; 7: call rare; adc $2, %eax; ret\n"
        "jumps: test $127, %edi; je rare; lea 2(%rdi), %eax; ret\n"
        "points: test $255, %edi; lea 5(%rdi), %eax; je 8f; ret; 8: lea rare(%rip), %rax; jmp *%rax\n"
        "rarely: call calls; push %rax; call jumps; add %eax, (%rsp); call points; pop %rdx; adc %edx, %eax; ret\n");

static unsigned ways_out(unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("mov %1, %%edi; call rarely; adc %%eax, %0" : "+r"(sum) : "r"(i) : "rax", "rdx", "rdi", "cc", "memory");
    return sum;
}

/* Sums with carries and wide products, as long numbers are multiplied: several results of one instruction, all of them wanted. */
static unsigned products(unsigned n)
{
    unsigned long a = 0x9e3779b97f4a7c15, b = 0xbf58476d1ce4e5b9, low = 1, high = 2, count = 0;

    for (unsigned i = 0; i < n; i++) {
        __asm__ volatile("mov %0, %%rax; mul %1; add %%rax, %2; adc %%rdx, %3; adc $0, %4; mov %3, %%rcx; sbb %1, %%rcx; sbb %2, %0\n"
                         "seto %%al; movzbl %%al, %%eax; lea (%4,%%rax,2), %4; mov %1, %%rax; imul %2; adc %%rax, %1; seto %%al; adc %%rdx, %3\n"
                         "movzbl %%al, %%eax; adc %%rax, %4; mov %0, %%rax; mul %%rax; xor %%rdx, %0; add %%rax, %0; adc %4, %4; rol $7, %0"
                         : "+r"(a), "+r"(b), "+r"(low), "+r"(high), "+r"(count) : : "rax", "rcx", "rdx", "cc");
    }
    return (unsigned)((a ^ b ^ low ^ high ^ count) * 0x9e3779b97f4a7c15 >> 32);
}

unsigned given(unsigned flags, unsigned long what);

static unsigned through(unsigned n)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum = sum * 7 + given(i % 11, i % 16);
    return sum;
}

int main(void)
{
    printf("%u %u %u %u %u %u %u\n", carries(20000), others(20000), nested(20000), through(200000), skipped(200000), ways_out(200000), products(200000));
    return 0;
}
