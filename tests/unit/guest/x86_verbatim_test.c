/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code that the host executes as it is (ir/verbatim.h): what random sequences (x86_native_test.c) do not have, calls, returns, indirect
 * branches, loops, with status flags that live across them; beside the interpreter.
 */
#include "cpu/jit.h"
#include "guest/x86/decode.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CODE = 0x10000000, DATA = 0x10100000, STACK = 0x10200000, SIZE = 0x100000 };

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!cpu_self || !cpu_host_fault(cpu_self, sig, info, ucontext))
        signal(sig, SIG_DFL);
}

static void take_faults(void)
{
    static uint8_t alt[64 << 10];
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE};
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigfillset(&sa.sa_mask);
    sigaltstack(&ss, NULL);
    for (unsigned i = 0; i < 3; i++)
        sigaction(sigs[i], &sa, NULL);
}

static struct cpu *new_cpu(enum engine_kind kind)
{
    struct engine_conf conf = {.kind = kind, .hot_after = ~0u};
    struct x86_features all = x86_features_all();
    struct cpu *cpu = cpu_new(&guest_x86_64, engine_new(&guest_x86_64, &conf));

    x86_program(cpu, X86_CODE64, (unsigned)x86_features_number(&all));
    take_faults();
    return cpu;
}

static void set_up(struct cpu *cpu, const char *text, size_t len)
{
    static const int prot = PROT_READ | PROT_WRITE | PROT_EXEC, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    mmap((void *)CODE, SIZE, prot, flags, -1, 0);
    mmap((void *)DATA, SIZE, prot, flags, -1, 0);
    mmap((void *)STACK, SIZE, prot, flags, -1, 0);
    memcpy((void *)CODE, text, len);
    for (unsigned i = 0; i < 16; i++)
        x86(cpu)->r[i] = 0x1111111111111111ull * i;
    x86(cpu)->r[X86_SP] = STACK + SIZE - 64;
    x86(cpu)->r[X86_SI] = x86(cpu)->r[X86_DI] = DATA;
    x86(cpu)->base[X86_FS] = DATA + 0x100;
    x86_set_eflags(cpu, X86_FL_ONE);
    cpu->pc = CODE;
}

struct program {
    const char *name, *text;
    size_t len;
};
#define TEXT(s) s, sizeof(s) - 1

/* Each ends with UD2. */
static const struct program programs[] = {
    /* call f; jc 1f; ud2; 1: adc rax, 0; ud2; f: stc; ret */
    {"carry lives across a return", TEXT("\xe8\x0a\x00\x00\x00\x72\x02\x0f\x0b\x48\x83\xd0\x00\x0f\x0b\xf9\xc3")},
    /* mov ecx, 5; call f; jnc 1f; mov ecx, 7; ud2; f: clc; ret; 1: mov eax, ecx; ud2 */
    {"RCX lives behind a branch behind a call",
     TEXT("\xb9\x05\x00\x00\x00\xe8\x09\x00\x00\x00\x73\x09\xb9\x07\x00\x00\x00\x0f\x0b\xf8\xc3\x89\xc8\x0f\x0b")},
    /* stc; lea r11, [rip+f]; call r11; adc rax, 0; ud2; f: adc rbx, 0; stc; ret */
    {"and across an indirect call", TEXT("\xf9\x4c\x8d\x1d\x09\x00\x00\x00\x41\xff\xd3\x48\x83\xd0\x00\x0f\x0b\x48\x83\xd3\x00\xf9\xc3")},
    /* stc; lea r10, [rip+f]; jmp r10; ud2; f: adc rbx, 0; ud2 */
    {"and an indirect jump", TEXT("\xf9\x4c\x8d\x15\x05\x00\x00\x00\x41\xff\xe2\x0f\x0b\x48\x83\xd3\x00\x0f\x0b")},
    /* mov ecx, 1000; clc; 1: adc rax, rcx; dec ecx; jnz 1b; ud2 */
    {"and around a loop", TEXT("\xb9\xe8\x03\x00\x00\xf8\x48\x11\xc8\xff\xc9\x75\xf9\x0f\x0b")},
    /* mov ecx, 50; xor eax, eax; 1: add eax, ecx; loop 1b; jrcxz 2f; ud2; 2: add eax, 7; ud2 */
    {"LOOP and JRCXZ", TEXT("\xb9\x32\x00\x00\x00\x31\xc0\x01\xc8\xe2\xfc\xe3\x02\x0f\x0b\x83\xc0\x07\x0f\x0b")},
    /* push r10; push r11; push rsp; push 5; push qword [rsp]; pop r11; pop r10; pop rax; pop rbx; pop rsp... */
    {"the stack and registers that move",
     TEXT("\x41\x52\x41\x53\x54\x6a\x05\xff\x34\x24\x41\x5b\x41\x5a\x58\x5b\x5a\x4c\x01\xd8\x49\x89\xe2\x54\x5c\x0f\x0b")},
    /* mov [fs:0x10], r10; mov rax, [fs:rdi-0x100100f0]; xchg r10, r11; lea r11, [r10+r11*2+8]; add [rdi+8], r11; ud2 */
    {"FS, and exchanges",
     TEXT("\x64\x4c\x89\x14\x25\x10\x00\x00\x00\x4d\x87\xda\x4f\x8d\x5c\x5a\x08\x4c\x01\x5f\x08\x48\x8b\x47\x08\x0f\x0b")},
    /* lea r11, [rip+x]; mov r10, [r11]; mov rax, [rip+x]; add r10, [rip+x]; ud2; x: .quad */
    {"RIP", TEXT("\x4c\x8d\x1d\x13\x00\x00\x00\x4d\x8b\x13\x48\x8b\x05\x09\x00\x00\x00\x4c\x03\x15\x02\x00\x00\x00\x0f\x0b"
                 "\x88\x77\x66\x55\x44\x33\x22\x11")},
    /* mov ecx, 20000; call f; ud2; f: push rbx; dec ecx; jz 1f; call f; 1: pop rbx; inc eax; ret */
    {"calls deeper than the shadow stack",
     TEXT("\xb9\x20\x4e\x00\x00\xe8\x02\x00\x00\x00\x0f\x0b\x53\xff\xc9\x74\x05\xe8\xf6\xff\xff\xff\x5b\xff\xc0\xc3")},
    /* call f; ud2; f: call g; add eax, 100; ret; g: add rsp, 8; ret -- which returns to f's caller */
    {"a return that skips a caller", TEXT("\xe8\x02\x00\x00\x00\x0f\x0b\xe8\x04\x00\x00\x00\x83\xc0\x64\xc3\x48\x83\xc4\x08\xc3")},
    /* call 1f; 1: pop rax; lea rbx, [rip+f]; push rbx; ret; ud2; f: inc ecx; ud2 */
    {"a call for the address, a return as a jump",
     TEXT("\xe8\x00\x00\x00\x00\x58\x48\x8d\x1d\x04\x00\x00\x00\x53\xc3\x0f\x0b\xff\xc1\x0f\x0b")},
    /* push rbp; mov rbp, rsp; sub rsp, 32; mov [rbp-8], rax; leave; ret 8 would go on: here ud2 */
    {"LEAVE", TEXT("\x55\x48\x89\xe5\x48\x83\xec\x20\x48\x89\x45\xf8\x48\x8b\x5c\x24\x18\xc9\x0f\x0b")},
    /* xor edx, edx; xor ecx, ecx; mov eax, 5; div ecx */
    {"a division by zero", TEXT("\x31\xd2\x31\xc9\xb8\x05\x00\x00\x00\xf7\xf1\x0f\x0b")},
    /* stc; mov r10, [r11 + r10*8 + 0x7fff] */
    {"a fault with registers put away", TEXT("\xf9\x4f\x8b\x94\xd3\xff\x7f\x00\x00\x0f\x0b")},
    /* stc; REX.WRB, which means nothing before 66; adc r10w, bx; FS, too, with a dead REX.B before VEX: andn rax, r10, [fs:rdi-0x10010100] */
    {"REX prefixes that mean nothing",
     TEXT("\xf9\x4d\x66\x41\x11\xda\x4d\x89\xd3\x41\x64\xc4\xe2\xa8\xf2\x87\x00\xff\xfe\xef\x0f\x0b")},
    /* cpuid between: xor eax, eax; inc ecx; cpuid; mov rsi, r10; stc; cpuid; adc r10, 0; ud2 */
    {"what is not verbatim, and back", TEXT("\x31\xc0\xff\xc1\x0f\xa2\x4c\x89\xd6\xf9\x31\xc0\xf9\x0f\xa2\x49\x83\xd2\x00\x0f\x0b")},
    /* mov ecx, 3; 1: lea rax, [rip+f]; call rax; dec ecx; jnz 1b; ud2; f: fld1; fstp st0; inc rbx; stc; ret */
    {"indirect calls of what is not verbatim",
     TEXT("\xb9\x03\x00\x00\x00\x48\x8d\x05\x08\x00\x00\x00\xff\xd0\xff\xc9\x75\xf3\x0f\x0b"
          "\xd9\xe8\xdd\xd8\x48\xff\xc3\xf9\xc3")},
    /* rdtsc to rsi, rdtscp to rdi, rdtsc to rax; bl: rdi >= rsi, cl: rax >= rdi */
    {"one counter, verbatim or not",
     TEXT("\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x48\x89\xc6\x0f\x01\xf9\x48\xc1\xe2\x20\x48\x09\xd0\x48\x89\xc7"
          "\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x48\x39\xf7\x0f\x93\xc3\x48\x39\xf8\x0f\x93\xc1"
          "\x31\xc0\x31\xd2\x31\xf6\x31\xff\x0f\xb6\xc9\x0f\xb6\xdb\x0f\x0b")},
    /* std; mov ecx, 3; add rdi, 64; mov al, 7; rep stosb; cld; ud2 */
    {"the direction flag", TEXT("\xfd\xb9\x03\x00\x00\x00\x48\x83\xc7\x40\xb0\x07\xf3\xaa\xeb\x00\xaa\xfc\x0f\x0b")},
};
enum { PROGRAMS = sizeof(programs) / sizeof(programs[0]) };

struct outcome {
    enum cpu_stop stop;
    uint64_t detail, pc, r[16];
    uint32_t flags;
    uint8_t data[256], stack[256];
};

static void play(struct cpu *cpu, const struct program *p, struct outcome *o)
{
    memset(o, 0, sizeof(*o));
    set_up(cpu, p->text, p->len);
    o->stop = cpu_run(cpu);
    o->detail = o->stop == CPU_STOP_GUEST ? cpu->detail : 0;
    o->pc = cpu->pc;
    memcpy(o->r, x86(cpu)->r, sizeof(o->r));
    o->flags = x86_get_eflags(cpu) & (X86_FL_STATUS | X86_FL_DF);
    memcpy(o->data, (void *)DATA, sizeof(o->data));
    memcpy(o->stack, (void *)(STACK + SIZE - 256), sizeof(o->stack));
}

TEST(verbatim, ends_as_interpreted)
{
    for (unsigned i = 0; i < PROGRAMS; i++) {
        struct outcome a, b;

        play(new_cpu(ENGINE_INTERP), &programs[i], &a);
        play(new_cpu(ENGINE_JIT), &programs[i], &b);
        if (memcmp(&a, &b, sizeof(a)))
            printf("%s: stop %d %d, pc %llx %llx, flags %x %x\n", programs[i].name, a.stop, b.stop, (unsigned long long)a.pc,
                   (unsigned long long)b.pc, (unsigned)a.flags, (unsigned)b.flags);
        CHECK(!memcmp(&a, &b, sizeof(a)));
    }
}

/* Nobody but a kick ends these. */
static const struct program endless[] = {
    /* 1: adc rax, 1; inc rbx; jmp 1b */
    {"a jump", TEXT("\x48\x83\xd0\x01\x48\xff\xc3\xeb\xf7")},
    /* 1: inc rbx; cmp rbx, rcx; jnz 1b; jmp 1b */
    {"a condition", TEXT("\x48\xff\xc3\x48\x39\xcb\x75\xf8\xeb\xf6")},
    /* lea rdx, [rip]; 1: inc rbx; jmp rdx */
    {"an indirect jump", TEXT("\x48\x8d\x15\x00\x00\x00\x00\x48\xff\xc3\xff\xe2")},
    /* mov ecx, 1000; 1: inc rbx; dec ecx; jnz 1b; stc; 2: jc 2b */
    {"a branch to itself", TEXT("\xb9\xe8\x03\x00\x00\x48\xff\xc3\xff\xc9\x75\xf9\xf9\x72\xfe")},
    /* clc; 1: inc rbx; jnc 2f; cmp rax, rax; 2: jnc 1b */
    {"a branch that is entered behind its comparison", TEXT("\xf8\x48\xff\xc3\x73\x03\x48\x39\xc0\x73\xf6")},
    /* 1: mov ecx, 5; 2: inc rbx; loop 2b; jmp 1b */
    {"LOOP", TEXT("\xb9\x05\x00\x00\x00\x48\xff\xc3\xe2\xfb\xeb\xf4")},
};

static void *kick(void *opaque)
{
    usleep(20000);
    cpu_kick(opaque);
    return NULL;
}

TEST(verbatim, loops_are_left_when_kicked)
{
    for (unsigned i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        struct cpu *cpu = new_cpu(ENGINE_JIT);
        uint64_t before;
        pthread_t t;

        set_up(cpu, endless[i].text, endless[i].len);
        for (unsigned n = 0; n < 3; n++) {
            before = x86(cpu)->r[X86_BX];
            pthread_create(&t, NULL, kick, cpu);
            CHECK_EQ(cpu_run(cpu), CPU_STOP_ATTENTION);
            pthread_join(t, NULL);
            CHECK(n || x86(cpu)->r[X86_BX] - before > 100);
            CHECK(cpu->pc >= CODE && cpu->pc < CODE + endless[i].len);
        }
    }
}

/* What lies behind a call is written anew while the callee runs. */
TEST(verbatim, returns_are_to_code_as_it_is_now)
{
    /* call f; mov eax, 1; ud2; f: syscall; ret */
    static const char text[] = "\xe8\x07\x00\x00\x00\xb8\x01\x00\x00\x00\x0f\x0b\x0f\x05\xc3";
    struct cpu *cpu = new_cpu(ENGINE_JIT);

    set_up(cpu, text, sizeof(text) - 1);
    CHECK_EQ(cpu_run(cpu), CPU_STOP_SYSCALL);
    ((char *)CODE)[6] = 2;
    engine_invalidate(cpu->engine, CODE + 5, 5);
    CHECK_EQ(cpu_run(cpu), CPU_STOP_UNDEFINED);
    CHECK_EQ(x86(cpu)->r[X86_AX], 2);
}

TEST(verbatim, faults_are_at_their_instruction)
{
    /* push rbx; push 1; push 2; pop rax; mov rbx, [0x10]; ud2 */
    static const char text[] = "\x53\x6a\x01\x6a\x02\x58\x48\x8b\x1c\x25\x10\x00\x00\x00\x0f\x0b";
    struct cpu *cpu = new_cpu(ENGINE_JIT);

    set_up(cpu, text, sizeof(text) - 1);
    CHECK_EQ(cpu_run(cpu), CPU_STOP_FAULT);
    CHECK_EQ(cpu->pc, CODE + 6);
    CHECK_EQ(cpu->fault_addr, 0x10);
    CHECK_EQ(x86(cpu)->r[X86_AX], 2);
    CHECK_EQ(x86(cpu)->r[X86_SP], STACK + SIZE - 64 - 16);
}

static void run_from(struct cpu *cpu, uint64_t pc, uint64_t rbx)
{
    cpu->pc = pc;
    x86(cpu)->r[X86_AX] = 0;
    x86(cpu)->r[X86_BX] = rbx;
    CHECK_EQ(cpu_run(cpu), CPU_STOP_UNDEFINED);
}

/* And lead to what is there later, too. */
TEST(verbatim, ways_out_lead_to_known_code_before_they_are_met)
{
    /* test rbx, rbx; jz x; ud2; x: inc eax; ud2 */
    static const char text[] = "\x48\x85\xdb\x0f\x84\x02\x00\x00\x00\x0f\x0b\xff\xc0\x0f\x0b";
    struct cpu *cpu = new_cpu(ENGINE_JIT);
    enum { X = CODE + 11 };
    struct region *r;

    set_up(cpu, text, sizeof(text) - 1);
    run_from(cpu, X, 0);
    run_from(cpu, CODE, 1);
    r = region_find(jit_of(cpu->engine), X, X, ENGINE_NOWHERE, cpu->mode);
    CHECK(r && r->links);
    run_from(cpu, CODE, 0);
    CHECK_EQ(x86(cpu)->r[X86_AX], 1);
    ((char *)X)[1] = '\xc8'; /* dec eax */
    engine_invalidate(cpu->engine, X, 2);
    run_from(cpu, CODE, 0);
    CHECK_EQ((uint32_t)x86(cpu)->r[X86_AX], ~0u);
}

/* Functions are aligned to 16 bytes, and libraries lie anywhere. */
TEST(verbatim, targets_64_kib_apart_are_both_known)
{
    /* lea rdx, [rip+0x39]; call rdx; lea rdx, [rip+0x10030]; call rdx; ud2 */
    static const char text[] = "\x48\x8d\x15\x39\x00\x00\x00\xff\xd2\x48\x8d\x15\x30\x00\x01\x00\xff\xd2\x0f\x0b";
    static const uint64_t targets[2] = {CODE + 0x40, CODE + 0x10040};
    struct cpu *cpu = new_cpu(ENGINE_JIT);

    if (host_verbatim_slot(targets[0]) == host_verbatim_slot(targets[1]))
        return; /* a host without BMI2 */
    set_up(cpu, text, sizeof(text) - 1);
    for (unsigned i = 0; i < 2; i++)
        *(uint8_t *)targets[i] = 0xc3; /* ret */
    run_from(cpu, CODE, 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct region *r = region_find(jit_of(cpu->engine), targets[i], targets[i], ENGINE_NOWHERE, cpu->mode);

        CHECK(r && r->indirect && cpu->v_jc[host_verbatim_slot(targets[i])] == r->indirect);
    }
}

/* System calls that the kernel is given as they are; others, and with closed pages those that fail for them, stop. */
TEST(verbatim, system_calls_that_are_the_hosts_own)
{
    static struct engine_quick_calls calls;
    /* mov eax, 110 (getppid); syscall; mov rbx, rax; mov eax, 39 (getpid); syscall; ud2 */
    static const char two[] = "\xb8\x6e\x00\x00\x00\x0f\x05\x48\x89\xc3\xb8\x27\x00\x00\x00\x0f\x05\x0f\x0b";
    /* mov eax, 63 (uname); mov edi, 8; syscall; ud2 */
    static const char bad[] = "\xb8\x3f\x00\x00\x00\xbf\x08\x00\x00\x00\x0f\x05\x0f\x0b";
    struct cpu *cpu = new_cpu(ENGINE_JIT);

    calls.quick[110] = calls.quick[63] = 1;
    engine_set_quick_calls(cpu->engine, &calls);
    set_up(cpu, two, sizeof(two) - 1);
    CHECK_EQ(cpu_run(cpu), CPU_STOP_SYSCALL);
    CHECK_EQ(x86(cpu)->r[X86_AX], 39);
    CHECK_EQ(x86(cpu)->r[X86_BX], getppid());
    CHECK_EQ(cpu->pc, CODE + 17);
    for (unsigned closed = 0; closed < 2; closed++) {
        calls.closed = closed;
        set_up(cpu, bad, sizeof(bad) - 1);
        engine_invalidate(cpu->engine, CODE, SIZE);
        CHECK_EQ(cpu_run(cpu), closed ? CPU_STOP_SYSCALL : CPU_STOP_UNDEFINED);
        CHECK_EQ(x86(cpu)->r[X86_AX], closed ? 63 : (uint64_t)-14);
    }
    cpu_free(cpu);
}

static const struct test tests[] = {
    CASE(verbatim, ends_as_interpreted),
    CASE(verbatim, loops_are_left_when_kicked),
    CASE(verbatim, returns_are_to_code_as_it_is_now),
    CASE(verbatim, faults_are_at_their_instruction),
    CASE(verbatim, system_calls_that_are_the_hosts_own),
    CASE(verbatim, ways_out_lead_to_known_code_before_they_are_met),
    CASE(verbatim, targets_64_kib_apart_are_both_known),
};
TEST_MAIN(tests)
