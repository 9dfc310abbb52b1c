/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86-64 encoder against objdump: every instruction with all registers, and every form of memory
 * operand.  Each emission is written down as objdump should print it.
 */
#include "host/x86_64/asm.h"
#include "tests/test.h"

#include <stdarg.h>

enum { CAP = 1 << 20, MAX = 100000 };

static struct x64_asm as;
static uint32_t at[MAX];
static char *want[MAX];
static unsigned n_want;

static const char *const r64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const r32[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi",
                                  "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
static const char *const r16[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di",
                                  "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"};
static const char *const r8[] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil",
                                 "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};
static const char *const conds[] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                    "s", "ns", "p", "np", "l", "ge", "le", "g"};

static const char *reg(unsigned size, unsigned r)
{
    return size == 8 ? r64[r] : size == 4 ? r32[r] : size == 2 ? r16[r] : r8[r];
}

static const char *unit(unsigned size)
{
    return size == 16 ? "XMMWORD" : size == 8 ? "QWORD" : size == 4 ? "DWORD" : size == 2 ? "WORD"
                                                                                          : "BYTE";
}

/* An immediate as objdump shows it: extended to the operand's size. */
static unsigned long long imm_of(unsigned size, int64_t imm)
{
    return (unsigned long long)imm & (size == 8 ? ~0ull : (1ull << (8 * size)) - 1);
}

/* What comes next should read like this. */
static void expect(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (n_want == MAX || vasprintf(&want[n_want], fmt, ap) < 0)
        abort();
    va_end(ap);
    at[n_want++] = as.n;
}

/* A memory operand as objdump prints it, in one of four buffers. */
static const char *mem(struct x64_mem m)
{
    static char text[4][80];
    static unsigned turn;
    char *t = text[turn++ % 4], *p = t;
    const char *gs = m.gs ? "gs:" : "";

    if (m.base == NOREG && m.index == NOREG) {
        sprintf(t, "%s0x%llx", m.gs ? gs : "ds:", (unsigned long long)(int64_t)m.disp);
        return t;
    }
    p += sprintf(p, "%s[", gs);
    if (m.base != NOREG)
        p += sprintf(p, "%s", r64[m.base]);
    if (m.index != NOREG)
        p += sprintf(p, "%s%s*%d", m.base != NOREG ? "+" : "", r64[m.index], 1 << m.scale);
    if (m.disp || m.base == NOREG || (m.base & 7) == RBP)
        p += sprintf(p, "%c0x%x", m.disp < 0 ? '-' : '+', m.disp < 0 ? -(unsigned)m.disp : (unsigned)m.disp);
    sprintf(p, "]");
    return t;
}

static const int32_t disps[] = {0, 8, -8, 127, -128, 128, 0x12345678, -0x1234567};

/* A few operands that need every prefix bit: number @i of @n. */
static struct x64_mem some_mem(unsigned i)
{
    static const uint8_t base[] = {RAX, RSP, RBP, R12, R13, R9, NOREG, RBX};
    static const uint8_t index[] = {NOREG, RCX, R8, NOREG, R13, NOREG, R10, RBP, NOREG};

    return (struct x64_mem){.base = base[i % 8], .index = index[i % 9],
                            .scale = index[i % 9] == NOREG ? 0 : i % 4, .gs = i % 5 == 0,
                            .disp = base[i % 8] == NOREG ? 0x1234 : disps[i % 8]};
}
enum { N_MEM = 72 };

/* --- Comparison --- */

static void normalise(char *s)
{
    char *d = s, *hash = strchr(s, '#');

    if (hash)
        *hash = 0;
    for (char *p = s; *p; p++) /* runs of spaces become one */
        if (*p != '\n' && !((*p == ' ' || *p == '\t') && (d == s || d[-1] == ' ')))
            *d++ = *p == '\t' ? ' ' : *p;
    while (d > s && d[-1] == ' ')
        d--;
    *d = 0;
}

static void compare(FILE *dump)
{
    char line[300];
    unsigned i = 0, bad = 0;

    while (fgets(line, sizeof(line), dump) && bad < 20) {
        char *colon = strchr(line, ':'), *end;
        unsigned long where = strtoul(line, &end, 16);

        if (!colon || end != colon)
            continue;
        normalise(colon + 1);
        if (!CHECK(i < n_want) || !CHECK_EQ(where, at[i]) || !CHECK_STR(colon + 1, want[i]))
            bad++;
        i++;
        while (i < n_want && at[i] < where) /* lengths differ: find together again */
            i++;
    }
    if (!bad)
        CHECK_EQ(i, n_want);
}

static void begin(bool avx)
{
    as = (struct x64_asm){.buf = malloc(CAP), .cap = CAP, .f = {.avx = avx}};
    n_want = 0;
}

static void finish(void)
{
    char file[64], command[200];
    FILE *f;

    CHECK(!as.full);
    snprintf(file, sizeof(file), "/tmp/emu-asm-test.%d", (int)getpid());
    f = fopen(file, "w");
    if (!f || fwrite(as.buf, 1, as.n, f) != as.n || fclose(f))
        SKIP("cannot write to /tmp");
    snprintf(command, sizeof(command),
             "objdump -D -w -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s", file);
    f = popen(command, "r");
    if (!CHECK(f != NULL))
        return;
    compare(f);
    pclose(f);
    unlink(file);
    free(as.buf);
}

static void need_objdump(void)
{
    if (system("objdump --version >/dev/null 2>&1") != 0)
        SKIP("no objdump (package binutils)");
}

/* --- Integer --- */

static void moves(unsigned d, unsigned s)
{
    for (unsigned size = 4; size <= 8; size += 4) {
        expect("mov %s,%s", reg(size, d), reg(size, s));
        x64_mov_rr(&as, size, d, s);
        expect("movsx %s,%s", reg(size, d), r8[s]);
        x64_movsx(&as, 1, size, d, s);
        expect("movsx %s,%s", reg(size, d), r16[s]);
        x64_movsx(&as, 2, size, d, s);
    }
    expect("movsxd %s,%s", r64[d], r32[s]);
    x64_movsx(&as, 4, 8, d, s);
    expect("movzx %s,%s", r32[d], r8[s]);
    x64_movzx(&as, 1, d, s);
    expect("movzx %s,%s", r32[d], r16[s]);
    x64_movzx(&as, 2, d, s);
}

static const char *const alu[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};

static void two_registers(unsigned d, unsigned s)
{
    for (unsigned size = 4; size <= 8; size += 4) {
        const char *a = reg(size, d), *b = reg(size, s);

        for (unsigned op = 0; op < 8; op++) {
            expect("%s %s,%s", alu[op], a, b);
            x64_alu_rr(&as, op, size, d, s);
        }
        expect("test %s,%s", a, b);
        x64_test_rr(&as, size, s, d);
        expect("imul %s,%s", a, b);
        x64_imul_rr(&as, size, d, s);
        expect("imul %s,%s,0x7f", a, b);
        x64_imul_rri(&as, size, d, s, 127);
        expect("imul %s,%s,0x%llx", a, b, imm_of(size, -129));
        x64_imul_rri(&as, size, d, s, -129);
        expect("shrd %s,%s,0x5", a, b);
        x64_shrd(&as, size, d, s, 5);
        expect("bsr %s,%s", a, b);
        x64_op0f(&as, 0, size, 0xbd, d, s);
        expect("lzcnt %s,%s", a, b);
        x64_op0f(&as, 0xf3, size, 0xbd, d, s);
        expect("popcnt %s,%s", a, b);
        x64_op0f(&as, 0xf3, size, 0xb8, d, s);
        expect("crc32 %s,%s", a, b);
        x64_op0f38(&as, 0xf2, size, 0xf1, d, s);
        expect("cmov%s %s,%s", conds[(d + s) % 16], a, b);
        x64_cmov(&as, (d + s) % 16, size, d, s);
        expect("rorx %s,%s,0x1f", a, b);
        x64_rorx(&as, size, d, s, 31);
    }
}

static void three_registers(unsigned d, unsigned s, unsigned t)
{
    for (unsigned size = 4; size <= 8; size += 4) {
        expect("shlx %s,%s,%s", reg(size, d), reg(size, s), reg(size, t));
        x64_shiftx(&as, SH_SHL, size, d, s, t);
        expect("shrx %s,%s,%s", reg(size, d), reg(size, s), reg(size, t));
        x64_shiftx(&as, SH_SHR, size, d, s, t);
        expect("sarx %s,%s,%s", reg(size, d), reg(size, s), reg(size, t));
        x64_shiftx(&as, SH_SAR, size, d, s, t);
        expect("andn %s,%s,%s", reg(size, d), reg(size, s), reg(size, t));
        x64_andn(&as, size, d, s, t);
    }
}

static void shifts(unsigned size, unsigned r)
{
    static const char *const name[] = {"rol", "ror", "", "", "shl", "shr", "", "sar"};

    for (unsigned op = 0; op < 8; op++) {
        if (!*name[op])
            continue;
        expect("%s %s,0x7", name[op], reg(size, r));
        x64_shift_ri(&as, op, size, r, 7);
        expect("%s %s,cl", name[op], reg(size, r));
        x64_shift_cl(&as, op, size, r);
    }
}

static void immediates(unsigned size, unsigned r)
{
    static const int32_t imms[] = {0, 1, 127, 128, -1, -128, -129, 0x7fffffff, -0x7fffffff - 1};

    for (unsigned i = 0; i < sizeof(imms) / sizeof(imms[0]); i++) {
        bool is_long = imms[i] != (int8_t)imms[i];

        for (unsigned op = 0; op < 8; op++) {
            expect("%s %s,0x%llx", alu[op], reg(size, r), imm_of(size, imms[i]));
            x64_alu_ri(&as, op, size, r, imms[i]);
        }
        if (is_long || imms[i] < 0)
            expect("test %s,0x%llx", reg(size, r), imm_of(size, imms[i]));
        else /* the low byte is enough */
            expect("test %s,0x%x", r8[r], (unsigned)imms[i]);
        x64_test_ri(&as, size, r, imms[i]);
    }
}

static void one_register(unsigned r)
{
    static const struct {
        const char *name;
        void (*fn)(struct x64_asm *, unsigned, unsigned);
    } ops[] = {{"not", x64_not}, {"neg", x64_neg}, {"mul", x64_mul}, {"imul", x64_imul},
               {"div", x64_div}, {"idiv", x64_idiv}, {"bswap", x64_bswap}};

    for (unsigned size = 4; size <= 8; size += 4) {
        for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
            expect("%s %s", ops[i].name, reg(size, r));
            ops[i].fn(&as, size, r);
        }
        shifts(size, r);
        immediates(size, r);
        expect("bt %s,0x3", reg(size, r));
        x64_bt_ri(&as, size, r, 3);
    }
    for (unsigned cc = 0; cc < 16; cc++) {
        expect("set%s %s", conds[cc], r8[r]);
        x64_setcc(&as, cc, r);
    }
    expect("push %s", r64[r]);
    x64_push(&as, r);
    expect("pop %s", r64[r]);
    x64_pop(&as, r);
    expect("jmp %s", r64[r]);
    x64_jmp_r(&as, r);
    expect("call %s", r64[r]);
    x64_call_r(&as, r);
    expect("mov %s,0xffffffff", r32[r]);
    x64_mov_ri(&as, r, 0xffffffff);
    expect("mov %s,0xffffffff80000000", r64[r]);
    x64_mov_ri(&as, r, 0xffffffff80000000);
    expect("movabs %s,0x123456789abcdef0", r64[r]);
    x64_mov_ri(&as, r, 0x123456789abcdef0);
}

TEST(asm, registers)
{
    need_objdump();
    begin(true);
    for (unsigned d = 0; d < 16; d++) {
        one_register(d);
        for (unsigned s = 0; s < 16; s++) {
            moves(d, s);
            two_registers(d, s);
            three_registers(d, s, (d + 5 * s + 3) % 16);
        }
    }
    expect("cdq");
    x64_cdq(&as, 4);
    expect("cqo");
    x64_cdq(&as, 8);
    expect("lock or DWORD PTR [rsp-0x8],0x0");
    x64_mfence(&as);
    expect("ret");
    x64_ret(&as, 0);
    expect("ud2");
    x64_ud2(&as);
    finish();
}

/* --- Memory operands --- */

static void one_operand(struct x64_mem m, unsigned r)
{
    expect("mov %s,QWORD PTR %s", r64[r], mem(m));
    x64_load(&as, 8, r, m);
    if (m.gs || m.index != NOREG || m.base > RDI || m.base == RSP)
        return;
    m.disp = (int8_t)m.disp | 1; /* zero would have a shorter form */
    expect("mov %s,QWORD PTR %s", r64[r], mem(m));
    x64_mov_near(&as, false, r, m.base, (int8_t)m.disp);
    expect("mov QWORD PTR %s,%s", mem(m), r64[r]);
    x64_mov_near(&as, true, r, m.base, (int8_t)m.disp);
}

TEST(asm, memory_operands)
{
    need_objdump();
    begin(true);
    for (unsigned d = 0; d < sizeof(disps) / sizeof(disps[0]); d++)
        for (unsigned gs = 0; gs < 2; gs++) {
            for (unsigned b = 0; b < 16; b++) {
                one_operand((struct x64_mem){b, NOREG, 0, gs, disps[d], NULL}, (b + d) % 16);
                for (unsigned i = 0; i < 16; i++)
                    if (i != RSP)
                        one_operand((struct x64_mem){b, i, (b + i) % 4, gs, disps[d], NULL}, (b + d) % 16);
            }
            for (unsigned i = 0; i < 16; i++)
                if (i != RSP)
                    one_operand((struct x64_mem){NOREG, i, i % 4, gs, disps[d], NULL}, i);
            one_operand((struct x64_mem){NOREG, NOREG, 0, gs, disps[d], NULL}, 3);
        }
    finish();
}

static void loads_and_stores(struct x64_mem m, unsigned r)
{
    for (unsigned size = 1; size <= 8; size *= 2) {
        const char *u = unit(size);

        if (size <= 2)
            expect("movzx %s,%s PTR %s", r32[r], u, mem(m));
        else
            expect("mov %s,%s PTR %s", reg(size, r), u, mem(m));
        x64_load(&as, size, r, m);
        for (unsigned to = 4; to <= 8 && size < 8; to += 4) {
            if (size == 4 && to == 4)
                continue;
            expect("%s %s,%s PTR %s", size == 4 ? "movsxd" : "movsx", reg(to, r), u, mem(m));
            x64_load_sx(&as, size, to, r, m);
        }
        expect("mov %s PTR %s,%s", u, mem(m), reg(size, r));
        x64_store(&as, size, m, r);
        expect("mov %s PTR %s,0x%llx", u, mem(m), imm_of(size, -2));
        x64_store_imm(&as, size, m, -2);
        expect("mov %s PTR %s,0x%llx", u, mem(m), imm_of(size, 0x12345678));
        x64_store_imm(&as, size, m, 0x12345678);
        expect("xchg %s PTR %s,%s", u, mem(m), reg(size, r));
        x64_xchg_mr(&as, size, m, r);
        expect("lock xadd %s PTR %s,%s", u, mem(m), reg(size, r));
        x64_lock(&as);
        x64_xadd_mr(&as, size, m, r);
        expect("lock cmpxchg %s PTR %s,%s", u, mem(m), reg(size, r));
        x64_lock(&as);
        x64_cmpxchg_mr(&as, size, m, r);
    }
    expect("setg BYTE PTR %s", mem(m));
    x64_setcc_m(&as, CC_G, m);
    expect("lock cmpxchg16b OWORD PTR %s", mem(m));
    x64_lock(&as);
    x64_cmpxchg16b(&as, m);
    expect("jmp QWORD PTR %s", mem(m));
    x64_jmp_m(&as, m);
    expect("call QWORD PTR %s", mem(m));
    x64_call_m(&as, m);
}

static void arithmetic_in_memory(struct x64_mem m, unsigned r)
{
    struct x64_mem plain = m;

    plain.gs = false;
    for (unsigned op = 0; op < 8; op++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            expect("%s %s PTR %s,%s", alu[op], unit(size), mem(m), reg(size, r));
            x64_alu_mr(&as, op, size, m, r);
            expect("%s %s PTR %s,0x%llx", alu[op], unit(size), mem(m), imm_of(size, -3));
            x64_alu_mi(&as, op, size, m, -3);
            expect("%s %s PTR %s,0x%llx", alu[op], unit(size), mem(m),
                   imm_of(size, size == 1 ? 0x18 : 0x1218));
            x64_alu_mi(&as, op, size, m, size == 1 ? 0x18 : 0x1218);
            if (size == 2)
                continue;
            expect("%s %s,%s PTR %s", alu[op], reg(size, r), unit(size), mem(m));
            x64_alu_rm(&as, op, size, r, m);
        }
    }
    for (unsigned size = 4; size <= 8; size += 4) {
        expect("lea %s,%s", reg(size, r), mem(plain));
        x64_lea(&as, size, r, plain);
    }
}

TEST(asm, memory_instructions)
{
    need_objdump();
    begin(true);
    for (unsigned i = 0; i < N_MEM; i++) {
        struct x64_mem m = some_mem(i);

        for (unsigned r = i % 2; r < 16; r += 3)
            loads_and_stores(m, r);
        if (m.base != NOREG || m.index != NOREG)
            arithmetic_in_memory(m, (i * 5 + 3) % 16);
    }
    finish();
}

/* --- Vectors --- */

static void vectors(bool avx, unsigned d, unsigned s, unsigned t)
{
    const char *v = avx ? "v" : "";
    char first[20] = "";

    if (avx)
        snprintf(first, sizeof(first), "xmm%u,", s);
    else if (d == t && d != s)
        return; /* not allowed */
#define COPY()                                                                                     \
    if (!avx && d != s)                                                                            \
    expect("movaps xmm%u,xmm%u", d, s)
    /* the copy comes from the same call: its length is known */
    unsigned copy = avx || d == s ? 0 : (d >= 8 || s >= 8) ? 4 : 3;

#define THREE(name, vi)                                                                            \
    COPY();                                                                                        \
    as.n += copy;                                                                                  \
    expect("%s" name " xmm%u,%sxmm%u", v, d, first, t);                                            \
    as.n -= copy;                                                                                  \
    x64_v3(&as, vi, d, s, t)
    THREE("paddd", VX(0x66, 1, 0xfe));
    THREE("pshufb", VX(0x66, 2, 0x00));
    THREE("addps", VX(0, 1, 0x58));
    THREE("addsd", VX(0xf2, 1, 0x58));
    THREE("mulss", VX(0xf3, 1, 0x59));
#undef THREE
    COPY();
    as.n += copy;
    expect("%spalignr xmm%u,%sxmm%u,0x5", v, d, first, t);
    as.n -= copy;
    x64_v3i(&as, VX(0x66, 3, 0x0f), d, s, t, 5);
    COPY();
    as.n += copy;
    if (avx)
        expect("vpslld xmm%u,xmm%u,0x9", d, s);
    else
        expect("pslld xmm%u,0x9", d);
    as.n -= copy;
    x64_vshift(&as, VX(0x66, 1, 0x72), 6, d, s, 9);
    COPY();
    as.n += copy;
    expect("%spinsrq xmm%u,%s%s,0x1", v, d, first, r64[t]);
    as.n -= copy;
    x64_v3i(&as, VX(0x66, 3, 0x22) | VX_W, d, s, t, 1);
    expect("%spextrq %s,xmm%u,0x1", v, r64[t], d);
    x64_v2i(&as, VX(0x66, 3, 0x16) | VX_W, d, t, 1);
    expect("%sucomisd xmm%u,xmm%u", v, d, s);
    x64_v2(&as, VX(0x66, 1, 0x2e), d, s);
    expect("%spshufd xmm%u,xmm%u,0x1b", v, d, s);
    x64_v2i(&as, VX(0x66, 1, 0x70), d, s, 0x1b);
    if (d != s) {
        expect("%smovaps xmm%u,xmm%u", v, d, s);
        x64_vmov(&as, d, s);
    }
    for (unsigned size = 4; size <= 8; size += 4) {
        expect("%smov%c xmm%u,%s", v, size == 8 ? 'q' : 'd', d, reg(size, t));
        x64_movq_xr(&as, size, d, t);
        expect("%smov%c %s,xmm%u", v, size == 8 ? 'q' : 'd', reg(size, t), s);
        x64_movq_rx(&as, size, t, s);
    }
}

static void vector_memory(bool avx, struct x64_mem m, unsigned d)
{
    const char *v = avx ? "v" : "";
    char first[20] = "";

    if (avx)
        snprintf(first, sizeof(first), "xmm%u,", d);
    expect("%smovups xmm%u,XMMWORD PTR %s", v, d, mem(m));
    x64_vload(&as, d, m);
    expect("%smovups XMMWORD PTR %s,xmm%u", v, mem(m), d);
    x64_vstore(&as, m, d);
    expect("%smovd xmm%u,DWORD PTR %s", v, d, mem(m));
    x64_vload_n(&as, 4, d, m);
    expect("%smovq xmm%u,QWORD PTR %s", v, d, mem(m));
    x64_vload_n(&as, 8, d, m);
    expect("%spinsrw xmm%u,%sWORD PTR %s,0x0", v, d, first, mem(m));
    x64_vload_n(&as, 2, d, m);
    expect("%smovd DWORD PTR %s,xmm%u", v, mem(m), d);
    x64_vstore_n(&as, 4, m, d);
    expect("%smovq QWORD PTR %s,xmm%u", v, mem(m), d);
    x64_vstore_n(&as, 8, m, d);
    expect("%spextrw WORD PTR %s,xmm%u,0x0", v, mem(m), d);
    x64_vstore_n(&as, 2, m, d);
    expect("%spaddd xmm%u,%sXMMWORD PTR %s", v, d, first, mem(m));
    x64_v3m(&as, VX(0x66, 1, 0xfe), d, d, m);
    expect("%spshufd xmm%u,XMMWORD PTR %s,0x4e", v, d, mem(m));
    x64_v2mi(&as, VX(0x66, 1, 0x70), d, m, 0x4e);
}

static void check_vectors(bool avx)
{
    need_objdump();
    begin(avx);
    for (unsigned d = 0; d < 16; d++)
        for (unsigned s = 0; s < 16; s++)
            vectors(avx, d, s, (3 * d + 7 * s + 1) % 16);
    for (unsigned i = 0; i < N_MEM; i++)
        for (unsigned d = i % 3; d < 16; d += 3)
            vector_memory(avx, some_mem(i), d);
    finish();
}

TEST(asm, vectors_with_avx)
{
    check_vectors(true);
}
TEST(asm, vectors_without_avx)
{
    check_vectors(false);
}

/* --- Labels --- */

TEST(asm, labels)
{
    struct x64_label ahead = {0}, back = {0}, data = {0};

    need_objdump();
    begin(true);
    expect("jmp 0x37");
    x64_jmp(&as, &ahead);
    x64_bind(&as, &back);
    expect("jne 0x5");
    x64_jcc(&as, CC_NE, &back);
    expect("jle 0x37");
    x64_jcc(&as, CC_LE, &ahead);
    expect("mov r9,QWORD PTR [rip+0x21]");
    x64_load(&as, 8, R9, x64_rip(&data));
    expect("vpaddd xmm1,xmm1,XMMWORD PTR [rip+0x19]");
    x64_v3m(&as, VX(0x66, 1, 0xfe), 1, 1, x64_rip(&data));
    expect("vpshufd xmm1,XMMWORD PTR [rip+0x10],0x4e"); /* an immediate behind the offset */
    x64_v2mi(&as, VX(0x66, 1, 0x70), 1, x64_rip(&data), 0x4e);
    expect("cmp DWORD PTR [rip+0x9],0x7");
    x64_alu_mi(&as, ALU_CMP, 4, x64_rip(&data), 7);
    CHECK_EQ(as.n, 0x30);
    for (unsigned i = 0; i < 7; i++) {
        expect("ret");
        x64_ret(&as, 0);
    }
    x64_bind(&as, &ahead);
    expect("ud2");
    x64_ud2(&as);
    x64_bind(&as, &data);
    finish();
}

TEST(asm, a_full_buffer_drops_what_does_not_fit)
{
    struct x64_label l = {0};
    uint8_t buf[32];

    for (unsigned cap = 0; cap < 24; cap++) {
        memset(buf, 0xcc, sizeof(buf));
        l = (struct x64_label){0};
        as = (struct x64_asm){.buf = buf, .cap = cap, .f = {.avx = true}};
        x64_jcc(&as, CC_E, &l);
        x64_mov_ri(&as, RAX, 0x123456789abcdef0);
        x64_jmp(&as, &l);
        x64_bind(&as, &l);
        x64_load(&as, 8, RAX, x64_rip(&l));
        CHECK(as.full);
        CHECK(as.n <= cap);
        for (unsigned i = cap; i < sizeof(buf); i++)
            CHECK_EQ(buf[i], 0xcc);
    }
}

static const struct test tests[] = {
    CASE_SLOW(asm, registers, 30),
    CASE_SLOW(asm, memory_operands, 30),
    CASE_SLOW(asm, memory_instructions, 30),
    CASE_SLOW(asm, vectors_with_avx, 30),
    CASE_SLOW(asm, vectors_without_avx, 30),
    CASE(asm, labels),
    CASE(asm, a_full_buffer_drops_what_does_not_fit),
};
TEST_MAIN(tests)
