/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions as text for logs, in the syntax of Intel's manuals (SDM 2A, 3.1.1.3): made from the decoder's rows. */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct text {
    char *buf;
    size_t at, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->buf + t->at, t->len - t->at, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->at = t->at + (size_t)n < t->len ? t->at + (size_t)n : t->len - 1;
}

/* --- Names --- */

static const char conditions[16][3] = {"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"};

/* Rows of several instructions, and rows whose name is not the manual's. */
static const struct {
    char row[14], name[10];
} renamed[] = {
    {"imul1", "imul"}, {"jmp_ind", "jmp"}, {"call_ind", "call"}, {"push_seg", "push"}, {"pop_seg", "pop"},
    {"mov_to_seg", "mov"}, {"mov_from_seg", "mov"}, {"ud", "ud2"}, {"rdbase", "rdbase"},
    {"far_jmp", "jmp far"}, {"far_call", "call far"}, {"far_ret", "retf"}, {"mov_to_cr", "mov"}, {"mov_from_cr", "mov"},
    {"mov_to_dr", "mov"}, {"mov_from_dr", "mov"},
};

static void put_mnemonic(struct text *t, const struct x86_insn *i)
{
    static const char by_size[][3][5] = {{"cbw", "cwde", "cdqe"}, {"cwd", "cdq", "cqo"}};
    const char *name = x86_row_name(i->row);
    unsigned size = i->op_size == 2 ? 0 : i->op_size == 4 ? 1 : 2;

    if (!strncmp(name, "sys_", 4)) /* rows of machines */
        name += 4;
    if (!strcmp(name, "jcc") || !strcmp(name, "cmov") || !strcmp(name, "setcc")) {
        put(t, "%.*s%s", (int)(strlen(name) - (strstr(name, "cc") ? 2 : 0)), name, conditions[i->opcode & 15]);
        return;
    }
    if (!strcmp(name, "cbw") || !strcmp(name, "cwd")) {
        put(t, "%s", by_size[name[1] == 'w'][size]);
        return;
    }
    for (unsigned k = 0; k < sizeof(renamed) / sizeof(renamed[0]); k++)
        if (!strcmp(name, renamed[k].row)) {
            put(t, "%s", renamed[k].name);
            return;
        }
    put(t, "%s%s", i->vex && x86_row_unit(i->row) >= X86_UNIT_SSE && name[0] != 'v' ? "v" : "", name);
}

static void put_gpr(struct text *t, unsigned reg, unsigned size)
{
    static const char low[8][5] = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    static const char names[8][3] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};

    if (reg >= 8)
        put(t, "r%u%s", reg, size == 1 ? "b" : size == 2 ? "w" : size == 4 ? "d" : "");
    else if (size == 1)
        put(t, "%s", low[reg]);
    else
        put(t, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", names[reg]);
}

static const char segments[][3] = {"es", "cs", "ss", "ds", "fs", "gs"};

/* --- Operands --- */

static void put_hex(struct text *t, int64_t v)
{
    put(t, "%s%#" PRIx64, v < 0 ? "-" : "", v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static const char *width(unsigned size)
{
    switch (size) {
    case 1: return "byte ptr ";
    case 2: return "word ptr ";
    case 4: return "dword ptr ";
    case 6: return "fword ptr ";
    case 8: return "qword ptr ";
    case 10: return "tbyte ptr ";
    case 16: return "xmmword ptr ";
    case 32: return "ymmword ptr ";
    default: return "";
    }
}

static void put_memory(struct text *t, const struct x86_insn *i, unsigned size)
{
    const struct x86_ea *ea = &i->ea;
    bool some = ea->base != X86_NO_REG || ea->index != X86_NO_REG;

    put(t, "%s", width(size));
    if (i->seg_prefix != X86_NO_SEG)
        put(t, "%s:", segments[ea->seg]);
    put(t, "[");
    if (ea->base != X86_NO_REG)
        put_gpr(t, ea->base, i->addr_size);
    if (ea->index != X86_NO_REG) {
        if (ea->base != X86_NO_REG)
            put(t, "+");
        put_gpr(t, ea->index, i->addr_size);
        if (ea->scale)
            put(t, "*%u", 1u << ea->scale);
    }
    if (some && ea->disp > 0)
        put(t, "+");
    if (!some)
        put(t, "%s%#" PRIx64, ea->rip ? "rip: " : "", (uint64_t)ea->disp & (uint64_t)-1 >> (64 - 8 * i->addr_size));
    else if (ea->disp)
        put_hex(t, ea->disp);
    put(t, "]");
}

static void put_operand(struct text *t, const struct x86_insn *i, unsigned n, bool second_immediate)
{
    const struct x86_operand *o = &i->op[n];

    switch (o->kind) {
    case X86_OP_GPR: put_gpr(t, o->reg, o->size); break;
    case X86_OP_GPRH: put(t, "%ch", "acdb"[o->reg & 3]); break;
    case X86_OP_MEM: put_memory(t, i, o->size); break;
    case X86_OP_IMM: put_hex(t, second_immediate ? i->imm2 : i->imm); break;
    case X86_OP_REL: put(t, "%#" PRIx64, (uint64_t)i->imm); break;
    case X86_OP_FAR: put(t, "%#x:%#" PRIx64, (unsigned)i->imm2, (uint64_t)i->imm); break;
    case X86_OP_SEG: put(t, "%s", o->reg < X86_NUM_SEGS ? segments[o->reg] : "?"); break;
    case X86_OP_CR: put(t, "cr%u", o->reg); break;
    case X86_OP_DR: put(t, "dr%u", o->reg); break;
    case X86_OP_MM: put(t, "mm%u", o->reg); break;
    case X86_OP_VEC: put(t, "%cmm%u", o->size == 32 ? 'y' : 'x', o->reg); break;
    case X86_OP_ST: put(t, "st(%u)", o->reg); break;
    case X86_OP_STR_SRC: case X86_OP_STR_DST:
        put(t, "%s%s:[", width(o->size), o->kind == X86_OP_STR_DST ? "es" : segments[i->ea.seg]);
        put_gpr(t, o->kind == X86_OP_STR_DST ? X86_DI : X86_SI, i->addr_size);
        put(t, "]");
        break;
    default: break;
    }
}

static void put_operands(struct text *t, const struct x86_insn *i)
{
    bool immediate = false;

    for (unsigned n = 0; n < i->n_ops; n++) {
        put(t, n ? ", " : " ");
        put_operand(t, i, n, immediate);
        immediate |= i->op[n].kind == X86_OP_IMM;
    }
}

unsigned x86_disas(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    struct text t = {buf, 0, len};
    struct x86_insn i;

    if (x86_decode(mode, pc, code, avail, &i) != X86_OK) {
        put(&t, "(unreadable)");
        return 1;
    }
    for (unsigned n = 0; n < i.len; n++)
        put(&t, "%02x", code[n]);
    put(&t, "  ");
    if (i.row == X86_NO_ROW) {
        put(&t, "(undefined)");
        return i.len ? i.len : 1;
    }
    if (i.lock)
        put(&t, "lock ");
    if (x86_insn_repeats(&i))
        put(&t, i.repne ? "repne " : "rep ");
    put_mnemonic(&t, &i);
    put_operands(&t, &i);
    return i.len ? i.len : 1;
}
