/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guarded copies between guest memory and ours.  The copy loops are assembly between two labels, so
 * that the fault handler can tell them from everything else and make them return an error.
 */
#include "cpu/cpu.h"
#include "cpu/engine.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

/* guard_copy(rdi dst, rsi src, rdx len): 0, or -1 when a byte could not be reached.  What an
 * instruction accesses (2, 4, 8 or 16 bytes) is stored whole or not at all.
 * guard_same(rdi a, rsi b, rdx len): 0, 1 when they differ, -1.
 * guard_chr0(rdi s, rsi max): length up to a zero byte, or -1.
 * guard_cas(rdi p, rsi expected, rdx desired, ecx log2 size): 1 swapped, 0 not and expected is what
 * was there, -1.  rbx, which cmpxchg16b wants, waits in r8.
 * guard_moves(rdi dst, rsi src, rdx n, ecx log2 size), guard_fills(rdi dst, rsi value, rdx n, ecx log2 size): the host's own REP
 * MOVS and STOS; the number of elements that are left at a fault, where rcx has it (SDM 1, 7.3.9.2). */
__asm__(".text\n"
        ".globl guard_copy, guard_same\n"
        ".hidden guard_copy, guard_same\n"
        "guard_start:\n"
        "guard_copy:\n"
        "    xor %eax, %eax\n"
        "    cmp $8, %rdx\n"
        "    jne 1f\n"
        "    mov (%rsi), %rcx\n"
        "    mov %rcx, (%rdi)\n"
        "    ret\n"
        "1:  cmp $4, %rdx\n"
        "    jne 2f\n"
        "    mov (%rsi), %ecx\n"
        "    mov %ecx, (%rdi)\n"
        "    ret\n"
        "2:  cmp $2, %rdx\n"
        "    jne 3f\n"
        "    movzwl (%rsi), %ecx\n"
        "    mov %cx, (%rdi)\n"
        "    ret\n"
        "3:  cmp $16, %rdx\n"
        "    jne 11f\n"
        "    movups (%rsi), %xmm0\n"
        "    movups %xmm0, (%rdi)\n"
        "    ret\n"
        "11: mov %rdx, %rcx\n"
        "    rep movsb\n"
        "    ret\n"
        "guard_chr0:\n"
        "    xor %eax, %eax\n"
        "4:  cmp %rsi, %rax\n"
        "    je 5f\n"
        "    cmpb $0, (%rdi,%rax)\n"
        "    je 5f\n"
        "    inc %rax\n"
        "    jmp 4b\n"
        "5:  ret\n"
        "guard_same:\n"
        "    xor %eax, %eax\n"
        "12: cmp $8, %rdx\n"
        "    jb 13f\n"
        "    mov (%rdi), %rcx\n"
        "    cmp (%rsi), %rcx\n"
        "    jne 14f\n"
        "    add $8, %rdi\n"
        "    add $8, %rsi\n"
        "    sub $8, %rdx\n"
        "    jmp 12b\n"
        "13: test %rdx, %rdx\n"
        "    je 15f\n"
        "    movzbl (%rdi), %ecx\n"
        "    cmp (%rsi), %cl\n"
        "    jne 14f\n"
        "    inc %rdi\n"
        "    inc %rsi\n"
        "    dec %rdx\n"
        "    jmp 13b\n"
        "14: mov $1, %eax\n"
        "15: ret\n"
        "guard_rep_start:\n"
        "guard_moves:\n"
        "    mov %ecx, %eax\n"
        "    mov %rdx, %rcx\n"
        "    cmp $1, %eax\n"
        "    jb 16f\n"
        "    je 17f\n"
        "    cmp $3, %eax\n"
        "    je 18f\n"
        "    rep movsl\n"
        "    jmp guard_left\n"
        "16: rep movsb\n"
        "    jmp guard_left\n"
        "17: rep movsw\n"
        "    jmp guard_left\n"
        "18: rep movsq\n"
        "    jmp guard_left\n"
        "guard_fills:\n"
        "    mov %ecx, %r8d\n"
        "    mov %rdx, %rcx\n"
        "    mov %rsi, %rax\n"
        "    cmp $1, %r8d\n"
        "    jb 19f\n"
        "    je 20f\n"
        "    cmp $3, %r8d\n"
        "    je 21f\n"
        "    rep stosl\n"
        "    jmp guard_left\n"
        "19: rep stosb\n"
        "    jmp guard_left\n"
        "20: rep stosw\n"
        "    jmp guard_left\n"
        "21: rep stosq\n"
        "    jmp guard_left\n"
        "guard_cas_start:\n"
        "guard_cas:\n"
        "    mov %rbx, %r8\n"
        "    mov %rdx, %r9\n"
        "    mov (%rsi), %rax\n"
        "    mov 8(%rsi), %rdx\n"
        "    mov (%r9), %rbx\n"
        "    mov 8(%r9), %r9\n"
        "    xchg %rcx, %r9\n"
        "    cmp $1, %r9d\n"
        "    jb 6f\n"
        "    je 7f\n"
        "    cmp $3, %r9d\n"
        "    jb 8f\n"
        "    je 9f\n"
        "    lock cmpxchg16b (%rdi)\n"
        "    jmp 10f\n"
        "6:  lock cmpxchg %bl, (%rdi)\n"
        "    jmp 10f\n"
        "7:  lock cmpxchg %bx, (%rdi)\n"
        "    jmp 10f\n"
        "8:  lock cmpxchg %ebx, (%rdi)\n"
        "    jmp 10f\n"
        "9:  lock cmpxchg %rbx, (%rdi)\n"
        "10: mov %r8, %rbx\n"
        "    mov %rax, (%rsi)\n"
        "    mov %rdx, 8(%rsi)\n"
        "    sete %al\n"
        "    movzbl %al, %eax\n"
        "    ret\n"
        "guard_end:\n"
        "guard_left:\n"
        "    mov %rcx, %rax\n"
        "    ret\n"
        "guard_cas_failed:\n"
        "    mov %r8, %rbx\n"
        "guard_failed:\n"
        "    mov $-1, %rax\n"
        "    ret\n");

extern char guard_start[], guard_rep_start[], guard_cas_start[], guard_end[], guard_failed[], guard_left[], guard_cas_failed[];
uint64_t guard_moves(void *dst, const void *src, uint64_t n, unsigned log2_size);
uint64_t guard_fills(void *dst, uint64_t v, uint64_t n, unsigned log2_size);
long guard_chr0(const char *s, size_t max);
long guard_cas(void *p, union ir_u *expected, const union ir_u *desired, unsigned log2_size);

/* Nothing in the guarded code pushes, so the return address is on top of the stack. */
bool guard_fault(void *ucontext)
{
    ucontext_t *uc = ucontext;
    greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];

    if (*rip < (greg_t)guard_start || *rip >= (greg_t)guard_end)
        return false;
    *rip = (greg_t)(*rip >= (greg_t)guard_cas_start ? guard_cas_failed :
                    *rip >= (greg_t)guard_rep_start ? guard_left : guard_failed);
    return true;
}

void *guest_ptr(const struct cpu *cpu, uint64_t addr)
{
    unsigned n = cpu->isa->tag_bits; /* they follow the bit below them */

    addr = (uint64_t)((int64_t)(addr << n) >> n);
    return (void *)(uintptr_t)(addr + cpu->engine->conf.guest_base);
}

int guest_read(struct cpu *cpu, void *dst, uint64_t addr, size_t len)
{
    return guard_copy(dst, guest_ptr(cpu, addr), len) ? -EFAULT : 0;
}

int guest_store(struct cpu *cpu, uint64_t addr, const void *src, size_t len)
{
    return guard_copy(guest_ptr(cpu, addr), src, len) ? -EFAULT : 0;
}

int guest_write(struct cpu *cpu, uint64_t addr, const void *src, size_t len)
{
    struct engine *e = cpu->engine;

    if (guest_store(cpu, addr, src, len) == 0)
        return 0;
    return e->lift && e->lift(e->lift_opaque, addr, len) ? guest_store(cpu, addr, src, len) : -EFAULT;
}

uint64_t guest_move_elements(struct cpu *cpu, uint64_t dst, uint64_t src, uint64_t n, unsigned log2_size)
{
    return n - guard_moves(guest_ptr(cpu, dst), guest_ptr(cpu, src), n, log2_size);
}

uint64_t guest_fill_elements(struct cpu *cpu, uint64_t dst, uint64_t v, uint64_t n, unsigned log2_size)
{
    return n - guard_fills(guest_ptr(cpu, dst), v, n, log2_size);
}

int guest_cas(struct cpu *cpu, uint64_t addr, unsigned log2_size, union ir_u *expected,
              const union ir_u *desired)
{
    long r = guard_cas(guest_ptr(cpu, addr), expected, desired, log2_size);

    return r < 0 ? -EFAULT : (int)r;
}

long guest_strlen(struct cpu *cpu, uint64_t addr, size_t max)
{
    long n = guard_chr0(guest_ptr(cpu, addr), max);

    return n < 0 ? -EFAULT : (size_t)n == max ? -ENAMETOOLONG : n;
}
