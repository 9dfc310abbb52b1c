/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 code of programs: short sequences with stated results, on both engines. */
#include "guest/x86/decode.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { CODE = 0x10000000, SIZE = 0x10000 };

static struct cpu *new_cpu(enum engine_kind kind, unsigned code)
{
    struct engine_conf conf = {.kind = kind, .hot_after = 2};
    const struct guest_isa *isa = code == X86_CODE64 ? &guest_x86_64 : &guest_i386;
    struct x86_features all = x86_features_all();
    struct cpu *cpu = cpu_new(isa, engine_new(isa, &conf));

    x86_program(cpu, code, (unsigned)x86_features_number(&all));
    return cpu;
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!cpu_self || !cpu_host_fault(cpu_self, sig, info, ucontext))
        signal(sig, SIG_DFL);
}

/* A division by zero of code that the host executes as it is. */
static void catch_divisions(void)
{
    static uint8_t alt[64 << 10];
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaltstack(&ss, NULL);
    sigaction(SIGFPE, &sa, NULL);
}

/* Runs @text until it stops. */
static enum cpu_stop run(struct cpu *cpu, const char *text, size_t len)
{
    uint8_t *p = mmap((void *)CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED)
        return CPU_STOP_NONE;
    memcpy(p, text, len);
    catch_divisions();
    x86(cpu)->r[X86_SP] = CODE + SIZE - 64;
    cpu->pc = CODE;
    return cpu_run(cpu);
}

static void sum(enum engine_kind kind, unsigned code)
{
    /* xor eax,eax; mov ecx,100; 1: add eax,ecx; sub ecx,1; jne 1b; ud2 */
    static const char text[] = "\x31\xc0\xb9\x64\x00\x00\x00\x01\xc8\x83\xe9\x01\x75\xf9\x0f\x0b";
    struct cpu *cpu = new_cpu(kind, code);

    CHECK_EQ(run(cpu, text, sizeof(text) - 1), CPU_STOP_UNDEFINED);
    CHECK_EQ(x86(cpu)->r[X86_AX], 5050);
    CHECK_EQ(x86_get_eflags(cpu) & X86_FL_STATUS, X86_FL_ZF | X86_FL_PF);
    CHECK_EQ(cpu->pc, CODE + 14);
}

TEST(x86, a_loop_sums)
{
    sum(ENGINE_INTERP, X86_CODE64);
    sum(ENGINE_JIT, X86_CODE64);
    sum(ENGINE_INTERP, X86_CODE32);
    sum(ENGINE_JIT, X86_CODE32);
}

static void calls(enum engine_kind kind)
{
    /* call 1f; ud2; 1: push 0x1234; pop rbx; mov bh,0x56; lea rax,[rbx+rbx*2-1]; ret */
    static const char text[] = "\xe8\x02\x00\x00\x00\x0f\x0b\x68\x34\x12\x00\x00\x5b\xb7\x56\x48\x8d\x44\x5b\xff\xc3";
    struct cpu *cpu = new_cpu(kind, X86_CODE64);

    CHECK_EQ(run(cpu, text, sizeof(text) - 1), CPU_STOP_UNDEFINED);
    CHECK_EQ(x86(cpu)->r[X86_BX], 0x5634);
    CHECK_EQ(x86(cpu)->r[X86_AX], 0x5634 * 3 - 1);
    CHECK_EQ(x86(cpu)->r[X86_SP], CODE + SIZE - 64);
    CHECK_EQ(cpu->pc, CODE + 5);
}

TEST(x86, calls_return)
{
    calls(ENGINE_INTERP);
    calls(ENGINE_JIT);
}

TEST(x86, lengths_are_decoded)
{
    static const struct {
        uint8_t bytes[16];
        uint8_t n, code;
    } cases[] = {
        {"\x48\x8b\x84\xc8\x00\x01\x00\x00", 8, X86_CODE64}, /* mov rax,[rax+rcx*8+256] */
        {"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, X86_CODE64},
        {"\x66\xb8\x01\x02", 4, X86_CODE32},
        {"\xb8\x01\x02", 3, X86_CODE16},
        {"\x8b\x05\x01\x02\x03\x04", 6, X86_CODE64},
        {"\x8b\x46\x10", 3, X86_CODE16},
    };
    struct x86_insn i;

    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        CHECK_EQ(x86_decode(X86_MODE_FLAT | cases[n].code, 0, cases[n].bytes, 16, &i), X86_OK);
        CHECK_EQ(i.len, cases[n].n);
        CHECK_EQ(x86_decode(X86_MODE_FLAT | cases[n].code, 0, cases[n].bytes, cases[n].n - 1u, &i), X86_SHORT);
    }
}

static bool same_operands(const struct x86_insn *a, const struct x86_insn *b)
{
    for (unsigned k = 0; k < a->n_ops; k++)
        if (a->op[k].kind != b->op[k].kind || a->op[k].reg != b->op[k].reg || a->op[k].size != b->op[k].size)
            return false;
    return a->n_ops == b->n_ops;
}

static bool same_insn(const struct x86_insn *a, const struct x86_insn *b)
{
    return a->row == b->row && a->len == b->len && a->op_size == b->op_size && a->addr_size == b->addr_size && a->rex == b->rex &&
           a->lock == b->lock && a->rep == b->rep && a->repne == b->repne && a->data16 == b->data16 && a->vex == b->vex &&
           a->vex_l == b->vex_l && a->w == b->w && a->seg_prefix == b->seg_prefix && a->map == b->map && a->opcode == b->opcode &&
           a->modrm == b->modrm && a->vvvv == b->vvvv && a->end == b->end && a->flags == b->flags && same_operands(a, b) &&
           a->ea.base == b->ea.base && a->ea.index == b->ea.index && a->ea.scale == b->ea.scale && a->ea.seg == b->ea.seg &&
           a->ea.rip == b->ea.rip && a->ea.disp == b->ea.disp && a->imm == b->imm && a->imm2 == b->imm2;
}

/* Prefixes, an opcode and what may follow it. */
static void random_insn(uint8_t code[16])
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0xf0, 0x64, 0x65, 0x67, 0x2e, 0x48, 0x41, 0x4f, 0x40, 0x44, 0x66, 0x48, 0x48};
    unsigned n = 0;

    for (unsigned k = 0; k < 16; k++)
        code[k] = (uint8_t)(rand() >> 8);
    for (unsigned k = (unsigned)rand() >> 8 & 3; k > 1; k--)
        code[n++] = prefixes[rand() >> 8 & 15];
    if (rand() >> 8 & 1)
        code[n++] = 0x0f;
}

/* Decoding twice: the second time a model may be there (decode_quick.c). */
TEST(x86, instructions_that_were_met_are_decoded_as_the_tables_say)
{
    static const uint32_t modes[] = {X86_CODE64 | X86_MODE_PE, X86_CODE32 | X86_MODE_PE, X86_CODE32 | X86_MODE_PE | X86_MODE_FLAT,
                                     X86_CODE64 | X86_MODE_PE | X86_MODE_SYSTEM, X86_CODE32 | X86_MODE_PE | X86_MODE_SYSTEM,
                                     X86_CODE16 | X86_MODE_PE, X86_CODE32 | X86_MODE_PE | X86_MODE_VM, X86_CODE32};
    struct x86_features all = x86_features_all(), few = {{0}};
    uint32_t sets[2];

    x86_feature_put(&few, X86_FEAT_SSE, true);
    sets[0] = (uint32_t)x86_features_number(&all) << X86_MODE_FEATURES;
    sets[1] = (uint32_t)x86_features_number(&few) << X86_MODE_FEATURES;
    for (unsigned n = 0; n < 600000; n++) {
        uint32_t mode = modes[rand() >> 8 & 7] | sets[!(rand() >> 8 & 7)];
        uint64_t pc = (uint64_t)rand() << 33 ^ (uint64_t)rand();
        struct x86_insn quick = {0}, full = {0};
        uint8_t code[16];
        bool ok;

        random_insn(code);
        x86_decode(mode, 0, code, sizeof(code), &quick);
        ok = x86_decode(mode, pc, code, sizeof(code), &quick) == x86_decode_fully(mode, pc, code, sizeof(code), &full);
        if (!ok || !same_insn(&quick, &full)) {
            printf("mode %x: %02x %02x %02x %02x %02x %02x\n", mode, code[0], code[1], code[2], code[3], code[4], code[5]);
            CHECK(false);
            return;
        }
    }
}

/* --- What random sequences beside the processor leave out --- */

struct stated {
    const char *text;
    uint8_t len;
    const char *what;
    enum cpu_stop stop;
    uint64_t detail; /* of CPU_STOP_GUEST */
    uint64_t ax, cx, end; /* RAX and RCX, and how far it comes */
    uint8_t code;
};

static void do_stated(const struct stated *c, enum engine_kind kind)
{
    struct cpu *cpu = new_cpu(kind, c->code);
    enum cpu_stop stop = run(cpu, c->text, c->len);

    if (!CHECK_EQ(stop, c->stop) || !CHECK_EQ(cpu->pc, CODE + c->end) || !CHECK_EQ(x86(cpu)->r[X86_AX], c->ax) ||
        !CHECK_EQ(x86(cpu)->r[X86_CX], c->cx) || (stop == CPU_STOP_GUEST && !CHECK_EQ(cpu->detail, c->detail)))
        printf("    %s, %s\n", c->what, kind == ENGINE_JIT ? "translated" : "interpreted");
}

#define TEXT(s) .text = s, .len = sizeof(s) - 1

TEST(x86, what_only_programs_of_linux_see_is_as_stated)
{
    static const struct stated cases[] = {
        {TEXT("\x68\xd5\x0c\x00\x00\x9d\x9c\x58\x0f\x0b"), "popf, pushf", CPU_STOP_UNDEFINED, 0, 0xed7, 0, 8, .code = X86_CODE64},
        {TEXT("\x68\xd5\x0c\x00\x00\x9d\x9c\x58\x0f\x0b"), "popf, pushf", CPU_STOP_UNDEFINED, 0, 0xed7, 0, 8, .code = X86_CODE32},
        {TEXT("\x68\x02\x30\x20\x00\x9d\x9c\x58\x0f\x0b"), "popf of IOPL and ID", CPU_STOP_UNDEFINED, 0, 0x200202, 0, 8,
         .code = X86_CODE64},
        {TEXT("\x31\xc9\x0f\x01\xd0\x31\xd2\x0f\x0b"), "xgetbv", CPU_STOP_UNDEFINED, 0, 7, 0, 7, .code = X86_CODE64},
        {TEXT("\xb1\x02\x0f\x01\xd0"), "xgetbv of no register", CPU_STOP_GUEST,
         (uint64_t)X86_STOP_EXCEPTION | X86_EXC_GP << 8 | 3 << 16, 0, 2, 2, .code = X86_CODE64},
        {TEXT("\x31\xc0\x0f\xa2\x0f\x0b"), "cpuid", CPU_STOP_UNDEFINED, 0, 0xd, 0x444d4163, 4, .code = X86_CODE64},
        {TEXT("\x8c\xd0\x8c\xc9\x0f\x0b"), "selectors", CPU_STOP_UNDEFINED, 0, 0x2b, 0x33, 4, .code = X86_CODE64},
        {TEXT("\x16\x58\x0e\x59\x0f\x0b"), "push of selectors", CPU_STOP_UNDEFINED, 0, 0x2b, 0x23, 4, .code = X86_CODE32},
        {TEXT("\x1e\x07"), "pop of a selector, after which code may mean something else", CPU_STOP_AGAIN, 0, 0, 0, 2, .code = X86_CODE32},
        {TEXT("\x1e\x0f\xa1\x8c\xe0\x0f\x0b"), "pop of FS", CPU_STOP_AGAIN, 0, 0, 0, 3, .code = X86_CODE32},
        {TEXT("\xb8\x35\x12\x00\x00\x8e\xc0"), "a bad selector", CPU_STOP_GUEST,
         (uint64_t)X86_STOP_EXCEPTION | X86_EXC_GP << 8 | 0x1234ull << 32, 0x1235, 0, 5, .code = X86_CODE64},
        {TEXT("\xb8\x34\x12\x00\x00\xf3\x48\x0f\xae\xd0\xf3\x48\x0f\xae\xc1\x0f\x0b"), "wrfsbase, rdfsbase", CPU_STOP_UNDEFINED, 0,
         0x1234, 0x1234, 15, .code = X86_CODE64},
        {TEXT("\xb0\x7f\xfe\xc0\xce\x0f\x0b"), "into", CPU_STOP_GUEST, (uint64_t)X86_STOP_INT | X86_EXC_OF << 8 | 1 << 16, 0x80, 0, 4,
         .code = X86_CODE32},
        {TEXT("\xb0\x7e\xfe\xc0\xce\x0f\x0b"), "into without overflow", CPU_STOP_UNDEFINED, 0, 0x7f, 0, 5, .code = X86_CODE32},
        {TEXT("\xf9\x0f\x05"), "syscall", CPU_STOP_SYSCALL, 0, 0, CODE + 3, 3, .code = X86_CODE64},
        {TEXT("\xcd\x80"), "int 0x80", CPU_STOP_SYSCALL, 0, 0, 0, 2, .code = X86_CODE32},
        {TEXT("\xcc"), "int3", CPU_STOP_BREAKPOINT, 0, 0, 0, 0, .code = X86_CODE64},
        {TEXT("\x99\xf7\xf9"), "a division by zero", CPU_STOP_GUEST, (uint64_t)X86_STOP_EXCEPTION | X86_EXC_DE << 8 | 2 << 16, 0, 0, 1,
         .code = X86_CODE64},
    };

    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        do_stated(&cases[n], ENGINE_INTERP);
        do_stated(&cases[n], ENGINE_JIT);
    }
}

TEST(x86, random_numbers_differ)
{
    /* rdrand rax; jnc 1f; rdrand rcx; jnc 1f; ud2; 1: hlt */
    static const char text[] = "\x48\x0f\xc7\xf0\x73\x08\x48\x0f\xc7\xf1\x73\x02\x0f\x0b\xf4";
    struct cpu *cpu = new_cpu(ENGINE_JIT, X86_CODE64);

    CHECK_EQ(run(cpu, text, sizeof(text) - 1), CPU_STOP_UNDEFINED);
    CHECK(x86(cpu)->r[X86_AX] != x86(cpu)->r[X86_CX]);
}

TEST(x86, logs_have_instructions_as_the_manual_writes_them)
{
    static const struct {
        uint8_t bytes[16];
        const char *text;
        uint8_t code;
    } cases[] = {
        {"\x48\x8b\x84\xc8\x00\x01\x00\x00", "488b84c800010000  mov rax, qword ptr [rax+rcx*8+0x100]", X86_CODE64},
        {"\x64\x8b\x45\xf8", "648b45f8  mov eax, dword ptr fs:[rbp-0x8]", X86_CODE64},
        {"\x75\xfe", "75fe  jne 0x1000", X86_CODE64},
        {"\xf3\xa4", "f3a4  rep movs byte ptr es:[rdi], byte ptr ds:[rsi]", X86_CODE64},
        {"\xf0\x0f\xb1\x0f", "f00fb10f  lock cmpxchg dword ptr [edi], ecx", X86_CODE32},
        {"\x66\x98", "6698  cbw", X86_CODE32},
        {"\x44\x8a\xe1", "448ae1  mov r12b, cl", X86_CODE64},
        {"\x8a\xe1", "8ae1  mov ah, cl", X86_CODE64},
        {"\xc8\x10\x00\x01", "c8100001  enter 0x10, 0x1", X86_CODE32},
        {"\x8b\x46\x10", "8b4610  mov ax, word ptr [bp+0x10]", X86_CODE16},
        {"\x0f\xff\xc0", "0fffc0  ud2", X86_CODE64},
    };
    char buf[80];

    for (unsigned n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        guest_x86_64.disas(X86_MODE_FLAT | cases[n].code, 0x1000, cases[n].bytes, 16, buf, sizeof(buf));
        CHECK_STR(buf, cases[n].text);
    }
    for (size_t len = 1; len < 40; len++) { /* it never writes behind the buffer */
        memset(buf, 'x', sizeof(buf));
        guest_x86_64.disas(X86_MODE_FLAT | X86_CODE64, 0x1000, cases[0].bytes, 16, buf, len);
        CHECK_EQ(buf[len], 'x');
        CHECK(strlen(buf) < len);
    }
}

static const struct test tests[] = {
    CASE(x86, a_loop_sums),
    CASE(x86, calls_return),
    CASE(x86, lengths_are_decoded),
    CASE(x86, instructions_that_were_met_are_decoded_as_the_tables_say),
    CASE(x86, what_only_programs_of_linux_see_is_as_stated),
    CASE(x86, random_numbers_differ),
    CASE(x86, logs_have_instructions_as_the_manual_writes_them),
};
TEST_MAIN(tests)
