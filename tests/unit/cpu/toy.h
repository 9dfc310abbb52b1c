/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest architecture of 24 instructions, made for tests: every word means something, so that random
 * bytes are programs, and all of them end.  It has what an engine must get right: calls and returns that
 * match or do not, stacks deeper than the host's, indirect branches with landings, idle flags, flushed
 * denormals, faults, code that changes itself, and modes.
 *
 * A word is four bytes: operation and landings, a, b, c.  Registers are x0 to x15: x14 is the stack
 * pointer, x15 the link; x13 is fuel, an address that every branch reads and moves on, until it faults.
 */
#ifndef TESTS_UNIT_CPU_TOY_H
#define TESTS_UNIT_CPU_TOY_H

#include "base/err.h"
#include "cpu/cpu.h"
#include "cpu/fpmode.h"
#include "ir/build.h"

#include <string.h>
#include <sys/mman.h>

enum {
    TOY_WORDS = 256,
    TOY_DATA = 4096, /* bytes */
    TOY_STACK = 1 << 17,
    TOY_FUEL = 1 << 18,
    TOY_SP = 14,
    TOY_LINK = 15,
    TOY_FUEL_REG = 13,
};

/* Guest addresses; those of a CPU are TOY_NEXT apart. */
#define TOY_CODE_AT 0x51000000ull
#define TOY_DATA_AT 0x52000000ull
#define TOY_STACK_AT (TOY_DATA_AT + 0x100000)
#define TOY_FUEL_AT (TOY_DATA_AT + 0x200000) /* nothing is mapped behind it */
#define TOY_NEXT 0x400000ull

enum toy_op {
    TOY_ADD, TOY_ADDI, TOY_SUBS, TOY_XOR, TOY_MUL, TOY_LOAD, TOY_STORE, TOY_ANYWHERE, TOY_FADD, TOY_FMUL,
    TOY_FDIV, TOY_FSQRT, TOY_PUSH, TOY_POP, TOY_MODE, TOY_PATCH, TOY_JUMP, TOY_BNZ, TOY_BCOND, TOY_CALL,
    TOY_CALLR, TOY_RET, TOY_JUMPR, TOY_TRAP, TOY_NUM_OPS,
};

struct toy_insn {
    uint8_t op, land, a, b, c;
};

struct toy_state {
    uint64_t x[16];
    uint64_t d[8];
    uint64_t data; /* guest address of this CPU's memory */
    uint8_t flag[4]; /* n z c v */
};

enum { TOY_D = 16, TOY_BASE = TOY_D + 8, TOY_FLAG, TOY_NUM_SLOTS = TOY_FLAG + 4 };

static inline struct toy_state *toy(struct cpu *cpu)
{
    return (struct toy_state *)(void *)cpu->guest;
}

static inline struct toy_insn toy_decode(const uint8_t *p)
{
    return (struct toy_insn){p[0] % 32 % TOY_NUM_OPS, p[0] >> 5, p[1] & 15, p[2], p[3]};
}

static inline uint64_t toy_at(unsigned word)
{
    return TOY_CODE_AT + 4 * (word % TOY_WORDS);
}

/* --- Helpers --- */

/* Bits 0, 1: rounding; 2: flushing; 3: floating point out of line.  What addi adds depends on it. */
static inline uint64_t toy_mode(struct cpu *cpu, uint64_t mode, uint64_t next, uint64_t c)
{
    fpmode_gather(&cpu->fp);
    cpu->fp.rounding = mode & 3;
    cpu->fp.fz = mode & 4;
    cpu->fp.dn = mode & 8;
    fpmode_load(&cpu->fp);
    cpu_set_mode(cpu, mode & 15);
    return next;
}

/* Word @to becomes what word @from is. */
static inline uint64_t toy_patch(struct cpu *cpu, uint64_t to, uint64_t from, uint64_t next)
{
    const uint32_t *src = (uint32_t *)(uintptr_t)toy_at((unsigned)(from % TOY_WORDS));
    uint32_t *dst = (uint32_t *)(uintptr_t)toy_at((unsigned)(to % TOY_WORDS));

    __atomic_store_n(dst, __atomic_load_n(src, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
    engine_code_changed(cpu->engine, toy_at((unsigned)(to % TOY_WORDS)), 4);
    return next;
}

enum { TOY_HELP_MODE, TOY_HELP_PATCH };

/* --- Lifting --- */

static inline ir_val toy_x(struct ir *ir, unsigned n)
{
    return ir_get(ir, n & 15);
}

static inline ir_val toy_near(struct ir *ir, ir_val index, uint64_t off, uint64_t mask)
{
    return ir_add(ir, ir_add_imm(ir, ir_get(ir, TOY_BASE), (int64_t)off), ir_and_imm(ir, index, mask));
}

/* The address of the word that register @n means. */
static inline ir_val toy_word(struct ir *ir, unsigned n)
{
    ir_val word = ir_and_imm(ir, toy_x(ir, n), TOY_WORDS - 1);

    return ir_add_imm(ir, ir_shift_imm(ir, IRO_shl, word, 2), TOY_CODE_AT);
}

/* Before every branch. */
static inline void toy_burn(struct ir *ir)
{
    ir_val fuel = ir_get(ir, TOY_FUEL_REG);

    ir_load(ir, IR_I64, ir_mem(3, false, IR_RELAXED), fuel);
    ir_set(ir, TOY_FUEL_REG, ir_add_imm(ir, fuel, 8));
}

static inline void toy_set(struct ir *ir, unsigned n, ir_val v)
{
    if ((n & 15) != TOY_FUEL_REG)
        ir_set(ir, n & 15, v);
}

static inline void toy_subs(struct ir *ir, ir_val a, ir_val b, unsigned to)
{
    ir_val r = ir_sub(ir, a, b);

    ir_set(ir, TOY_FLAG, ir_cmp(ir, IRO_slt, r, ir_const(ir, IR_I64, 0)));
    ir_set(ir, TOY_FLAG + 1, ir_cmp(ir, IRO_eq, a, b));
    ir_set(ir, TOY_FLAG + 2, ir_cmp(ir, IRO_ule, b, a));
    ir_set(ir, TOY_FLAG + 3, ir_cmp(ir, IRO_sub_v, a, b));
    toy_set(ir, to, r);
}

static inline ir_val toy_cond(struct ir *ir, unsigned kind)
{
    ir_val n = ir_get(ir, TOY_FLAG), z = ir_get(ir, TOY_FLAG + 1);
    ir_val c = ir_get(ir, TOY_FLAG + 2), v = ir_get(ir, TOY_FLAG + 3);

    switch (kind % 4) {
    case 0: return ir_not(ir, z);
    case 1: return ir_and(ir, c, ir_not(ir, z));
    case 2: return ir_xor(ir, n, v);
    default: return n;
    }
}

static inline void toy_memory(struct ir *ir, struct toy_insn i)
{
    uint64_t memop = ir_mem(3, false, IR_RELAXED);
    ir_val addr = toy_near(ir, toy_x(ir, i.b), i.c, TOY_DATA - 512), sp = toy_x(ir, TOY_SP);

    switch (i.op) {
    case TOY_LOAD: toy_set(ir, i.a, ir_load(ir, IR_I64, memop, addr)); break;
    case TOY_STORE: ir_store(ir, memop, addr, toy_x(ir, i.a)); break;
    case TOY_ANYWHERE: toy_set(ir, i.a, ir_load(ir, IR_I64, memop, toy_x(ir, i.b))); break;
    case TOY_PUSH:
        sp = ir_add_imm(ir, sp, 8);
        ir_store(ir, memop, toy_near(ir, sp, TOY_STACK_AT - TOY_DATA_AT, TOY_STACK - 8), toy_x(ir, i.a));
        toy_set(ir, TOY_SP, sp);
        break;
    default:
        addr = ir_load(ir, IR_I64, memop, toy_near(ir, sp, TOY_STACK_AT - TOY_DATA_AT, TOY_STACK - 8));
        toy_set(ir, TOY_SP, ir_add_imm(ir, sp, -8));
        toy_set(ir, i.a, addr);
        break;
    }
}

static inline void toy_compute(struct ir *ir, struct toy_insn i, uint32_t mode)
{
    static const uint16_t op[] = {[TOY_ADD] = IRO_add, [TOY_XOR] = IRO_xor, [TOY_MUL] = IRO_mul};
    static const uint16_t fp[] = {IRO_fadd, IRO_fmul, IRO_fdiv, IRO_fsqrt};
    ir_val a = toy_x(ir, i.b), b = toy_x(ir, i.c);

    switch (i.op) {
    case TOY_ADDI: toy_set(ir, i.a, ir_add_imm(ir, a, (int8_t)i.c + (int)mode)); break;
    case TOY_SUBS: toy_subs(ir, a, b, i.a); break;
    case TOY_ADD:
    case TOY_XOR:
    case TOY_MUL: toy_set(ir, i.a, ir_bin(ir, op[i.op], a, b)); break;
    default:
        a = ir_conv(ir, IRO_fbits, IR_F64, ir_get(ir, TOY_D + i.b % 8));
        b = ir_conv(ir, IRO_fbits, IR_F64, ir_get(ir, TOY_D + i.c % 8));
        a = ir_op(ir, fp[i.op - TOY_FADD], IR_F64, 0, 0, a, i.op == TOY_FSQRT ? IR_NONE : b, IR_NONE);
        ir_set(ir, TOY_D + i.a % 8, ir_conv(ir, IRO_fbits, IR_I64, a));
        break;
    }
}

static inline void toy_branch(struct ir *ir, struct toy_insn i, uint64_t next)
{
    ir_val to = i.op == TOY_RET && i.b % 8 ? toy_x(ir, TOY_LINK) : toy_word(ir, i.a);
    enum ir_exit_kind kind = i.op == TOY_RET ? IR_EXIT_RET
                             : i.op == TOY_CALLR ? IR_EXIT_CALL : IR_EXIT_JUMP;

    toy_burn(ir);
    switch (i.op) {
    case TOY_JUMP: ir_goto(ir, toy_at(i.c)); break;
    case TOY_BNZ:
        ir_goto_if(ir, ir_cmp(ir, IRO_ne, toy_x(ir, i.a), ir_const(ir, IR_I64, 0)), toy_at(i.c), next);
        break;
    case TOY_BCOND: ir_goto_if(ir, toy_cond(ir, i.a), toy_at(i.c), next); break;
    case TOY_CALL:
        toy_set(ir, TOY_LINK, ir_const(ir, IR_I64, next));
        ir_goto_call(ir, toy_at(i.c), next);
        break;
    default:
        if (i.op == TOY_CALLR)
            toy_set(ir, TOY_LINK, ir_const(ir, IR_I64, next));
        if (i.op != TOY_RET && i.b % 2)
            ir_goto_land(ir, to, kind, 1 + i.c % IR_LANDINGS, next);
        else
            ir_goto_ind(ir, to, kind, next);
        break;
    }
}

static inline void toy_lift_one(struct ir *ir, struct toy_insn i, uint64_t pc, uint32_t mode)
{
    ir_val next = ir_const(ir, IR_I64, pc + 4);

    if (i.op >= TOY_JUMP && i.op < TOY_TRAP)
        toy_branch(ir, i, pc + 4);
    else if (i.op == TOY_TRAP)
        ir_trap(ir, i.b % 2 ? CPU_STOP_SYSCALL : CPU_STOP_UNDEFINED, i.c, pc + 4);
    else if (i.op == TOY_MODE)
        ir_goto_ind(ir, ir_call(ir, TOY_HELP_MODE, ir_const(ir, IR_I64, i.c), next, IR_NONE),
                    IR_EXIT_JUMP, 0);
    else if (i.op == TOY_PATCH)
        ir_goto_ind(ir, ir_call(ir, TOY_HELP_PATCH, toy_x(ir, i.a), ir_const(ir, IR_I64, i.c), next),
                    IR_EXIT_JUMP, 0);
    else if ((i.op >= TOY_LOAD && i.op <= TOY_ANYWHERE) || i.op >= TOY_PUSH)
        toy_memory(ir, i);
    else
        toy_compute(ir, i, mode);
}

static inline uint32_t toy_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code,
                                size_t avail, uint64_t end, unsigned limit)
{
    uint32_t done = 0;

    if (pc & 3) {
        ir_at(ir, pc);
        ir_trap(ir, CPU_STOP_ALIGN, 0, pc);
        return 4;
    }
    for (; !ir_ended(ir); done += 4) {
        if (limit-- == 0 || pc + done == end || avail - done < 4) {
            ir_goto(ir, pc + done);
            break;
        }
        ir_at(ir, pc + done);
        toy_lift_one(ir, toy_decode(code + done), pc + done, mode);
    }
    return done;
}

static inline uint8_t toy_end(struct toy_insn i)
{
    switch (i.op) {
    case TOY_JUMP: return GUEST_END_JUMP;
    case TOY_BNZ:
    case TOY_BCOND: return GUEST_END_COND;
    case TOY_CALL: return GUEST_END_CALL;
    case TOY_RET: return GUEST_END_RET;
    case TOY_CALLR:
    case TOY_JUMPR: return GUEST_END_IND;
    case TOY_TRAP:
    case TOY_MODE:
    case TOY_PATCH: return GUEST_END_TRAP;
    default: return GUEST_END_FALL;
    }
}

static inline void toy_scan(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit,
                            struct guest_scan *out)
{
    *out = (struct guest_scan){.end = pc, .kind = GUEST_END_FALL};
    if (pc & 3) {
        *out = (struct guest_scan){.end = pc + 4, .kind = GUEST_END_TRAP, .n_insns = 1};
        return;
    }
    for (size_t off = 0; out->n_insns < limit && avail - off >= 4; off += 4) {
        struct toy_insn i = toy_decode(code + off);

        out->end = pc + off + 4;
        out->n_insns++;
        out->kind = toy_end(i);
        out->target = toy_at(i.c);
        if (out->kind != GUEST_END_FALL)
            return;
    }
}

static inline bool toy_idle_dead(uint32_t mode, uint64_t pc, const uint8_t *(*code)(void *opaque, uint64_t pc, size_t *avail),
                                 void *opaque)
{
    for (unsigned n = 0; n < 4; n++, pc += 4) {
        size_t avail;
        const uint8_t *p = code(opaque, pc, &avail);
        struct toy_insn i;

        if (!p || avail < 4)
            return false;
        i = toy_decode(p);
        if (i.op == TOY_SUBS)
            return true;
        if (toy_end(i) != GUEST_END_FALL)
            return false;
    }
    return false;
}

static inline enum guest_idle toy_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len)
{
    *len = 4;
    switch (toy_decode(code).op) {
    case TOY_SUBS: return GUEST_IDLE_WRITES;
    case TOY_JUMP:
    case TOY_BNZ:
    case TOY_CALL: return GUEST_IDLE_BRANCH;
    case TOY_BCOND:
    case TOY_RET:
    case TOY_CALLR:
    case TOY_JUMPR:
    case TOY_TRAP:
    case TOY_MODE:
    case TOY_PATCH: return GUEST_IDLE_READS;
    default: return GUEST_IDLE_NONE;
    }
}

static inline unsigned toy_lands(uint32_t mode, const uint8_t *code, size_t avail)
{
    return avail < 4 ? 0 : (unsigned)toy_decode(code).land << 1;
}

static inline void toy_reset(struct cpu *cpu)
{
    memset(cpu->guest, 0, sizeof(cpu->guest));
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    cpu->mode = 0;
}

/* --- The guest --- */

#define TOY_OFF(field) (offsetof(struct cpu, guest) + offsetof(struct toy_state, field))
#define TOY_X(n) [n] = {"x" #n, TOY_OFF(x[n]), IR_I64}
#define TOY_DN(n) [TOY_D + n] = {"d" #n, TOY_OFF(d[n]), IR_I64}

static const struct ir_slot toy_slots[TOY_NUM_SLOTS] = {
    TOY_X(0), TOY_X(1), TOY_X(2), TOY_X(3), TOY_X(4), TOY_X(5), TOY_X(6), TOY_X(7), TOY_X(8), TOY_X(9),
    TOY_X(10), TOY_X(11), TOY_X(12), TOY_X(13), TOY_X(14), TOY_X(15),
    TOY_DN(0), TOY_DN(1), TOY_DN(2), TOY_DN(3), TOY_DN(4), TOY_DN(5), TOY_DN(6), TOY_DN(7),
    [TOY_BASE] = {"data", TOY_OFF(data), IR_I64},
    [TOY_FLAG] = {"n", TOY_OFF(flag[0]), IR_I1, true},
    [TOY_FLAG + 1] = {"z", TOY_OFF(flag[1]), IR_I1, true},
    [TOY_FLAG + 2] = {"c", TOY_OFF(flag[2]), IR_I1, true},
    [TOY_FLAG + 3] = {"v", TOY_OFF(flag[3]), IR_I1, true},
};

static const struct ir_helper toy_helpers[] = {
    [TOY_HELP_MODE] = {"mode", (void *)toy_mode, true},
    [TOY_HELP_PATCH] = {"patch", (void *)toy_patch, true},
};

static const struct guest_isa toy_isa = {
    .name = "toy",
    .slots = toy_slots,
    .n_slots = TOY_NUM_SLOTS,
    .helpers = toy_helpers,
    .n_helpers = 2,
    .lift = toy_lift,
    .scan = toy_scan,
    .idle_dead = toy_idle_dead,
    .idle_effect = toy_idle_effect,
    .lands = toy_lands,
    .mode_fp_flush = 4,
    .mode_fp_slow = 8,
    .tag_bits = 8,
    .reset = toy_reset,
};

/* --- The machine around it --- */

static inline size_t toy_fetch(void *opaque, uint64_t pc, uint32_t *mode)
{
    return pc - TOY_CODE_AT < 4 * TOY_WORDS ? TOY_CODE_AT + 4 * TOY_WORDS - pc : 0;
}

static inline void toy_on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!cpu_host_fault(cpu_self, sig, info, ucontext))
        signal(sig, SIG_DFL);
}

static inline void *toy_map(uint64_t at, size_t len)
{
    void *p = mmap((void *)(uintptr_t)at, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (p == MAP_FAILED)
        bug("no memory for the test at %#llx", (unsigned long long)at);
    return p;
}

static inline void toy_signals(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE};
    struct sigaction sa = {.sa_sigaction = toy_on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigfillset(&sa.sa_mask);
    for (unsigned i = 0; i < 3; i++)
        sigaction(signals[i], &sa, NULL);
}

/* Memory for @n_cpus. */
static inline void toy_open(unsigned n_cpus)
{
    toy_map(TOY_CODE_AT, 4 * TOY_WORDS);
    for (unsigned i = 0; i < n_cpus; i++) {
        toy_map(TOY_DATA_AT + i * TOY_NEXT, TOY_DATA);
        toy_map(TOY_STACK_AT + i * TOY_NEXT, TOY_STACK);
        toy_map(TOY_FUEL_AT + i * TOY_NEXT, TOY_FUEL);
    }
    toy_signals();
}

/* Translated code has a stack of its own, where no signal can be taken: each thread's business. */
static inline void toy_signal_stack(void)
{
    static __thread uint8_t stack[64 << 10];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};

    sigaltstack(&ss, NULL);
}

static inline struct engine *toy_engine(const struct engine_conf *conf)
{
    struct engine *e = engine_new(&toy_isa, conf);

    if (!e)
        bug("out of memory");
    engine_set_fetch(e, toy_fetch, NULL, NULL);
    return e;
}

static inline struct cpu *toy_cpu(struct engine *e)
{
    struct cpu *cpu = cpu_new(&toy_isa, e);

    if (!cpu)
        bug("out of memory");
    return cpu;
}

#endif
