/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers as gdb numbers them: org.gnu.gdb.i386.core, .sse and, of 64 bits, .segments and .avx (gdb manual, appendix G.5.5).
 */
#include "guest/x86/x86.h"

#include <stdlib.h>
#include <string.h>

/* How they follow one another; some are of 64-bit descriptions only. */
enum part { GPR, PC, EFLAGS, SEG, ST, FCTRL, XMM, MXCSR, BASE, YMMH, NONE };
enum { N_SEGS = 6, N_FCTRL = 8 };

struct where {
    enum part part;
    unsigned n;
};

static struct where find(bool wide, unsigned n)
{
    const struct {
        enum part part;
        unsigned count;
    } parts[] = {
        {GPR, wide ? 16 : 8}, {PC, 1}, {EFLAGS, 1}, {SEG, N_SEGS}, {ST, 8}, {FCTRL, N_FCTRL}, {XMM, wide ? 16 : 8}, {MXCSR, 1},
        {BASE, wide ? 2 : 0}, {YMMH, wide ? 16 : 8},
    };

    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (n < parts[i].count)
            return (struct where){parts[i].part, n};
        n -= parts[i].count;
    }
    return (struct where){NONE, 0};
}

static size_t size_of(bool wide, unsigned n)
{
    switch (find(wide, n).part) {
    case GPR: case PC:
        return wide ? 8 : 4;
    case ST:
        return 10;
    case XMM: case YMMH:
        return 16;
    case BASE:
        return 8;
    case NONE:
        return 0;
    default:
        return 4;
    }
}

/* gdb's order of the general registers and of segments. */
static const uint8_t wide_order[16] = {X86_AX, X86_BX, X86_CX, X86_DX, X86_SI, X86_DI, X86_BP, X86_SP, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t seg_order[N_SEGS] = {X86_CS, X86_SS, X86_DS, X86_ES, X86_FS, X86_GS};

static unsigned gpr(bool wide, unsigned n)
{
    return wide ? wide_order[n] : n;
}

/* Two bits for each physical register: valid, zero, special, empty (SDM 1, 8.1.7). */
static unsigned full_tag(const struct x86_state *s)
{
    unsigned tag = 0;

    for (unsigned i = 0; i < 8; i++) {
        const struct x86_x87 *r = &s->fpr[i];
        unsigned e = r->exponent & 0x7fff;
        unsigned kind = !(s->ftag >> i & 1)                                ? 3
                        : !e && !r->mantissa                               ? 1
                        : !e || e == 0x7fff || !(r->mantissa >> 63)        ? 2
                                                                           : 0;

        tag |= kind << 2 * i;
    }
    return tag;
}

static uint32_t fctrl(const struct x86_state *s, unsigned n)
{
    const uint32_t v[N_FCTRL] = {s->fcw, (s->fsw & ~(7u << 11)) | (s->ftop & 7u) << 11, full_tag(s), s->fcs, (uint32_t)s->fip, s->fds,
                                 (uint32_t)s->fdp, s->fop};

    return v[n];
}

/* What gdb is told of an address in code: the offset in CS, as the processor has it. */
static uint64_t ip_of(struct cpu *cpu)
{
    return x86_code(cpu->mode) == X86_CODE64 ? cpu->pc : (uint32_t)(cpu->pc - x86(cpu)->base[X86_CS]);
}

static bool read_reg(struct cpu *cpu, bool wide, unsigned n, uint8_t *out)
{
    struct x86_state *s = x86(cpu);
    struct where w = find(wide, n);
    uint64_t v;

    switch (w.part) {
    case GPR: v = s->r[gpr(wide, w.n)]; break;
    case PC: v = ip_of(cpu); break;
    case EFLAGS: v = x86_get_eflags(cpu); break;
    case SEG: v = s->seg[seg_order[w.n]].selector; break;
    case FCTRL: v = fctrl(s, w.n); break;
    case MXCSR: v = x86_get_mxcsr(cpu); break;
    case BASE: v = s->base[X86_FS + w.n]; break;
    case ST:
        memcpy(out, &s->fpr[(s->ftop + w.n) & 7], 10);
        return true;
    case XMM:
        memcpy(out, &s->xmm[w.n], 16);
        return true;
    case YMMH:
        memcpy(out, &s->ymmh[w.n], 16);
        return true;
    default: return false;
    }
    memcpy(out, &v, size_of(wide, n));
    return true;
}

/* Selectors are not loaded by writing them here, nor are the x87's control registers set: those can only be written as they are. */
static bool unchanged(struct cpu *cpu, bool wide, unsigned n, const uint8_t *in)
{
    uint8_t now[GUEST_GDB_REG];

    return read_reg(cpu, wide, n, now) && !memcmp(now, in, size_of(wide, n));
}

static bool write_reg(struct cpu *cpu, bool wide, unsigned n, const uint8_t *in)
{
    struct x86_state *s = x86(cpu);
    struct where w = find(wide, n);
    uint64_t v = 0;

    memcpy(&v, in, size_of(wide, n) < 8 ? size_of(wide, n) : 8);
    switch (w.part) {
    case GPR: s->r[gpr(wide, w.n)] = v; return true;
    case PC:
        if (v != ip_of(cpu))
            cpu->pc = x86_code(cpu->mode) == X86_CODE64 ? v : (uint32_t)(v + s->base[X86_CS]);
        return true;
    case EFLAGS: x86_set_eflags(cpu, (uint32_t)v); return true;
    case MXCSR: x86_set_mxcsr(cpu, (uint32_t)v); return true;
    case BASE: s->base[X86_FS + w.n] = v; return true;
    case ST: memcpy(&s->fpr[(s->ftop + w.n) & 7], in, 10); return true;
    case XMM: memcpy(&s->xmm[w.n], in, 16); return true;
    case YMMH: memcpy(&s->ymmh[w.n], in, 16); return true;
    default: return unchanged(cpu, wide, n, in);
    }
}

/* --- The description --- */

static void describe_core(FILE *f, bool wide)
{
    static const char *const names64[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"};
    static const char *const names32[] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const char *const segs[] = {"cs", "ss", "ds", "es", "fs", "gs"};
    static const char *const ctrl[] = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"};
    static const struct {
        char name[5];
        uint8_t bit;
    } flags[] = {{"CF", 0}, {"PF", 2}, {"AF", 4}, {"ZF", 6}, {"SF", 7}, {"TF", 8}, {"IF", 9}, {"DF", 10}, {"OF", 11}, {"NT", 14},
                 {"RF", 16}, {"VM", 17}, {"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}};
    unsigned bits = wide ? 64 : 32;

    fprintf(f, "<feature name=\"org.gnu.gdb.i386.core\"><flags id=\"i386_eflags\" size=\"4\">");
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        fprintf(f, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", flags[i].name, flags[i].bit, flags[i].bit);
    fprintf(f, "</flags>");
    for (unsigned i = 0; i < 8; i++) {
        const char *n = wide ? names64[i] : names32[i];
        bool data = !strcmp(n + 1, "sp") || !strcmp(n + 1, "bp");

        fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", n, bits, data ? "data_ptr" : wide ? "int64" : "int32");
    }
    for (unsigned i = 8; wide && i < 16; i++)
        fprintf(f, "<reg name=\"r%u\" bitsize=\"64\" type=\"int64\"/>", i);
    fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"code_ptr\"/><reg name=\"eflags\" bitsize=\"32\" type=\"i386_eflags\"/>",
            wide ? "rip" : "eip", bits);
    for (unsigned i = 0; i < N_SEGS; i++)
        fprintf(f, "<reg name=\"%s\" bitsize=\"32\" type=\"int32\"/>", segs[i]);
    for (unsigned i = 0; i < 8; i++)
        fprintf(f, "<reg name=\"st%u\" bitsize=\"80\" type=\"i387_ext\"/>", i);
    for (unsigned i = 0; i < N_FCTRL; i++)
        fprintf(f, "<reg name=\"%s\" bitsize=\"32\" type=\"int\" group=\"float\"/>", ctrl[i]);
    fprintf(f, "</feature>");
}

static void describe_vectors(FILE *f, bool wide)
{
    unsigned n = wide ? 16 : 8;

    fprintf(f, "<feature name=\"org.gnu.gdb.i386.sse\">"
               "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
               "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
               "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
               "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
               "<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
               "<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
               "<field name=\"uint128\" type=\"uint128\"/></union>");
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "<reg name=\"xmm%u\" bitsize=\"128\" type=\"vec128\"/>", i);
    fprintf(f, "<reg name=\"mxcsr\" bitsize=\"32\" type=\"int\" group=\"vector\"/></feature>");
    if (wide)
        fprintf(f, "<feature name=\"org.gnu.gdb.i386.segments\"><reg name=\"fs_base\" bitsize=\"64\" type=\"int\"/>"
                   "<reg name=\"gs_base\" bitsize=\"64\" type=\"int\"/></feature>");
    fprintf(f, "<feature name=\"org.gnu.gdb.i386.avx\">");
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "<reg name=\"ymm%uh\" bitsize=\"128\" type=\"uint128\"/>", i);
    fprintf(f, "</feature>");
}

static char *describe(struct cpu *cpu, bool wide, const char *annex)
{
    char *text = NULL;
    size_t size;
    FILE *f = strcmp(annex, "target.xml") == 0 ? open_memstream(&text, &size) : NULL;

    if (!f)
        return NULL;
    fprintf(f, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\"><architecture>%s</architecture>",
            wide ? "i386:x86-64" : "i386");
    if (!cpu->memory)
        fprintf(f, "<osabi>GNU/Linux</osabi>");
    describe_core(f, wide);
    describe_vectors(f, wide);
    fprintf(f, "</target>");
    fclose(f);
    return text;
}

/* --- Both --- */

enum { CORE64 = 16 + 2 + N_SEGS + 8 + N_FCTRL, CORE32 = 8 + 2 + N_SEGS + 8 + N_FCTRL };

static unsigned n_regs64(struct cpu *cpu)
{
    return CORE64 + 16 + 1 + 2 + 16;
}

static unsigned n_regs32(struct cpu *cpu)
{
    return CORE32 + 8 + 1 + 8;
}

static size_t size64(struct cpu *cpu, unsigned n)
{
    return size_of(true, n);
}

static size_t size32(struct cpu *cpu, unsigned n)
{
    return size_of(false, n);
}

static bool read64(struct cpu *cpu, unsigned n, uint8_t *out)
{
    return read_reg(cpu, true, n, out);
}

static bool read32(struct cpu *cpu, unsigned n, uint8_t *out)
{
    return read_reg(cpu, false, n, out);
}

static bool write64(struct cpu *cpu, unsigned n, const uint8_t *in)
{
    return write_reg(cpu, true, n, in);
}

static bool write32(struct cpu *cpu, unsigned n, const uint8_t *in)
{
    return write_reg(cpu, false, n, in);
}

static char *describe64(struct cpu *cpu, const char *annex)
{
    return describe(cpu, true, annex);
}

static char *describe32(struct cpu *cpu, const char *annex)
{
    return describe(cpu, false, annex);
}

/* 32-bit names of 64-bit registers, and segments' bases, as "cs.base". */
static bool also(struct cpu *cpu, const char *name, uint64_t *v)
{
    static const char gprs[8][4] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const char segs[N_SEGS][3] = {"es", "cs", "ss", "ds", "fs", "gs"};
    const struct x86_state *s = x86(cpu);

    for (unsigned i = 0; i < 8; i++)
        if (!strcmp(name, gprs[i])) {
            *v = (uint32_t)s->r[i];
            return true;
        }
    for (unsigned i = 0; i < N_SEGS; i++)
        if (!strncmp(name, segs[i], 2) && !strcmp(name + 2, ".base")) {
            *v = s->base[i];
            return true;
        }
    if (strcmp(name, "eip") != 0)
        return false;
    *v = (uint32_t)ip_of(cpu);
    return true;
}

const struct guest_gdb x86_gdb64 = {
    .n_regs = n_regs64,
    .n_core = CORE64 + 16 + 1,
    .size = size64,
    .read = read64,
    .write = write64,
    .describe = describe64,
    .also = also,
};

const struct guest_gdb x86_gdb32 = {
    .n_regs = n_regs32,
    .n_core = CORE32 + 8 + 1,
    .size = size32,
    .read = read32,
    .write = write32,
    .describe = describe32,
    .also = also,
};
