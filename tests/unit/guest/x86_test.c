/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 code of programs: short sequences with stated results, on both engines. */
#include "guest/x86/decode.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

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

/* Runs @text until it stops. */
static enum cpu_stop run(struct cpu *cpu, const char *text, size_t len)
{
    uint8_t *p = mmap((void *)CODE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (p == MAP_FAILED)
        return CPU_STOP_NONE;
    memcpy(p, text, len);
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
    CASE(x86, what_only_programs_of_linux_see_is_as_stated),
    CASE(x86, random_numbers_differ),
    CASE(x86, logs_have_instructions_as_the_manual_writes_them),
};
TEST_MAIN(tests)
