/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 code that the host executes as it is (ir/verbatim.h): random bytes, or instructions made from the decoder's rows.  What the guest
 * says of them holds together, and says nothing less than libcapstone does; an instruction that is encoded again is the same one, but
 * for registers.  Those are followed: what is emitted around it is executed here, with a value of its own in each register, so that what
 * an operand reads, the address, and where results are in the end must be the guest's.
 */
#ifdef HAVE_CAPSTONE /* names of its that are ours, too */
#define x86_insn   capstone_insn
#define X86_OP_IMM CAPSTONE_IMM
#define X86_OP_MEM CAPSTONE_MEM
#include <capstone.h>
#undef x86_insn
#undef X86_OP_IMM
#undef X86_OP_MEM
#endif

#include "base/err.h"
#include "guest/x86/lift_priv.h"
#include "host/x86_64/host_priv.h"
#include "host/x86_64/verbatim.h"
#include "tests/unit/guest/x86_random.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { PC = 0x10000000, GPRS = 0x1000, SCRATCH = 0x2000, FS_BASE = 0x3000, GS_BASE = 0x3008, CODE = 4096 };
enum { READ = 1, WRITE = 2 };

/* The host while it executes what is around an instruction. */
static struct {
    uint64_t r[16], gpr[16], scratch[3], base[2];
} sim;
static uint64_t guest[16], bases[2];

static bool has_all(unsigned leaf, unsigned sub, unsigned reg, unsigned bit)
{
    return true;
}

static void wrong(const struct verbatim_op *o, const char *what)
{
    char text[3 * X86_MAX_LEN + 1] = "";

    for (unsigned i = 0; i < o->len; i++)
        snprintf(text + 3 * i, 4, " %02x", o->code[i]);
    bug("x86 verbatim,%s: %s", text, what);
}

/* --- What another decoder says --- */

struct second {
    bool known;
    uint32_t explicit, implicit; /* registers named, and others used */
    bool mem, fixed, nothing;    /* nothing: its memory operand is not accessed */
    uint8_t access[X86_MAX_OPERANDS];
};

#ifdef HAVE_CAPSTONE
static int number_of(csh h, unsigned reg)
{
    static const char names[16][4] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    const char *s = reg ? cs_reg_name(h, reg) : NULL;
    unsigned n = 0;

    if (!s)
        return -1;
    if (s[0] == 'r' && s[1] >= '0' && s[1] <= '9')
        return atoi(s + 1);
    s += (s[0] == 'r' || s[0] == 'e') && s[1] && s[2];
    for (n = 0; n < 8; n++)
        if (!strcmp(s, names[n]) || (n < 4 && s[0] == names[n][0] && (s[1] == 'l' || s[1] == 'h') && !s[2]) ||
            (n >= 4 && !strncmp(s, names[n], 2) && s[2] == 'l' && !s[3]))
            return (int)n;
    return -1;
}

static uint32_t bit_of(csh h, unsigned reg)
{
    int n = number_of(h, reg);

    return n < 0 ? 0 : 1u << n;
}

static void ask(const struct verbatim_op *o, struct second *s)
{
    static csh h;
    static cs_insn *i;

    *s = (struct second){0};
    if (!h) {
        if (cs_open(CS_ARCH_X86, CS_MODE_64, &h) != CS_ERR_OK)
            bug("libcapstone does not open");
        cs_option(h, CS_OPT_DETAIL, CS_OPT_ON);
        i = cs_malloc(h);
    }
    const uint8_t *p = o->code;
    size_t left = o->len;
    uint64_t at = PC + o->at;

    if (!cs_disasm_iter(h, &p, &left, &at, i) || i->size != o->len)
        return; /* prefixes that mean nothing are not its strength */
    s->known = true;
    for (unsigned k = 0; k < i->detail->x86.op_count; k++) {
        const cs_x86_op *a = &i->detail->x86.operands[k];

        if (a->type == X86_OP_REG)
            s->explicit |= bit_of(h, a->reg);
        if (a->type == X86_OP_REG && k < X86_MAX_OPERANDS)
            s->access[k] = a->access;
        if (a->type != CAPSTONE_MEM)
            continue;
        s->mem = true;
        s->explicit |= bit_of(h, a->mem.base) | bit_of(h, a->mem.index);
        s->fixed |= a->mem.base == X86_REG_RIP || a->mem.segment == X86_REG_FS || a->mem.segment == X86_REG_GS;
    }
    for (unsigned k = 0; k < i->detail->regs_read_count; k++)
        s->implicit |= bit_of(h, i->detail->regs_read[k]);
    for (unsigned k = 0; k < i->detail->regs_write_count; k++)
        s->implicit |= bit_of(h, i->detail->regs_write[k]);
    s->nothing = i->id == X86_INS_LEA || i->id == X86_INS_NOP || !strncmp(i->mnemonic, "prefetch", 8);
}
#else
static void ask(const struct verbatim_op *o, struct second *s)
{
    *s = (struct second){0};
}
#endif

/* --- What is around an instruction --- */

static uint64_t *slot(const struct verbatim_op *o, int64_t off)
{
    if (off >= GPRS && off < GPRS + 128 && off % 8 == 0)
        return &sim.gpr[(off - GPRS) / 8];
    if (off >= SCRATCH && off < SCRATCH + 24 && off % 8 == 0)
        return &sim.scratch[(off - SCRATCH) / 8];
    if (off == FS_BASE || off == GS_BASE)
        return &sim.base[off == GS_BASE];
    wrong(o, "reaches into the CPU block where nothing of it is");
    return NULL;
}

/* Without the index when that is a vector. */
static uint64_t address_of(const struct x86_insn *i, const uint64_t *r, bool vsib, uint64_t seg_base)
{
    uint64_t v = (uint64_t)i->ea.disp;

    if (i->ea.base != X86_NO_REG)
        v += r[i->ea.base];
    if (i->ea.index != X86_NO_REG && !vsib)
        v += r[i->ea.index] << i->ea.scale;
    return (i->addr_size == 4 ? (uint32_t)v : v) + seg_base;
}

static void execute_one(const struct verbatim_op *o, const struct x86_insn *i)
{
    bool mem = i->ea.seg == X86_GS && i->ea.base == X86_NO_REG && i->ea.index == X86_NO_REG && !i->ea.rip;
    unsigned reg = (i->modrm >> 3 & 7) | (i->rex & 4) << 1, rm = (i->modrm & 7) | (i->rex & 1) << 3;

    if (i->map || i->lock || i->rep || i->repne)
        wrong(o, "has an unknown instruction around it");
    if (i->opcode == 0x8b && i->op_size == 8)
        sim.r[reg] = i->modrm >= 0xc0 ? sim.r[rm] : mem ? *slot(o, i->ea.disp) : (wrong(o, "loads from elsewhere"), 0);
    else if (i->opcode == 0x89 && i->op_size == 8 && i->modrm >= 0xc0)
        sim.r[rm] = sim.r[reg];
    else if (i->opcode == 0x89 && i->op_size == 8 && mem)
        *slot(o, i->ea.disp) = sim.r[reg];
    else if (i->opcode == 0x8d && i->op_size == 8 && !i->ea.rip)
        sim.r[reg] = address_of(i, sim.r, false, 0);
    else if ((i->opcode & 0xf8) == 0xb8 && i->op_size >= 4)
        sim.r[i->op[0].reg] = i->op_size == 8 ? (uint64_t)i->imm : (uint32_t)i->imm;
    else if (i->opcode == 0xc7 && i->op_size == 8 && i->modrm >= 0xc0)
        sim.r[rm] = (uint64_t)i->imm;
    else
        wrong(o, "has an instruction around it that is none of moves");
}

static void execute(const struct verbatim_op *o, const uint8_t *code, uint32_t len)
{
    struct x86_insn i;

    for (uint32_t at = 0; at < len; at += i.len) {
        if (x86_decode(X86_CODE64, 0, code + at, len - at, &i) != X86_OK)
            wrong(o, "has something around it that is no instruction");
        execute_one(o, &i);
    }
}

static void begin(void)
{
    for (unsigned k = 0; k < 16; k++) {
        guest[k] = x86_random();
        sim.r[k] = HOST_VERBATIM_MOVED >> k & 1 ? x86_random() : guest[k];
        sim.gpr[k] = k == R10 || k == R11 ? guest[k] : x86_random();
    }
    sim.r[XV_SP] = guest[X86_SP];
    for (unsigned k = 0; k < 2; k++)
        sim.base[k] = bases[k] = x86_random();
}

/* --- The instruction itself --- */

static uint64_t low(uint64_t v, unsigned size)
{
    return size >= 8 ? v : v & ((1ull << 8 * size) - 1);
}

static uint64_t written(uint64_t old, unsigned kind, unsigned size, uint64_t v)
{
    if (kind == X86_OP_GPRH)
        return (old & ~0xff00ull) | (v & 0xff) << 8;
    return size == 8 ? v : size == 4 ? (uint32_t)v : (old & ~low(~0ull, size)) | low(v, size);
}

static void compare_operand(const struct verbatim_op *o, const struct x86_insn *i, const struct x86_insn *d, unsigned n)
{
    const struct x86_operand *a = &i->op[n], *b = &d->op[n];
    bool vsib = o->vsib;

    if (a->kind != b->kind || a->size != b->size)
        wrong(o, "has other operands when encoded again");
    switch (a->kind) {
    case X86_OP_MEM:
        if (d->ea.rip || d->ea.seg >= X86_FS)
            wrong(o, "still has an address that depends on what it must not");
        if (vsib && (i->ea.index != d->ea.index || i->ea.scale != d->ea.scale))
            wrong(o, "has another vector of indices");
        if (address_of(i, guest, vsib, i->ea.seg >= X86_FS ? bases[i->ea.seg == X86_GS] : 0) != address_of(d, sim.r, vsib, 0))
            wrong(o, "has another address");
        break;
    case X86_OP_GPR:
        break;
    default:
        if (a->reg != b->reg)
            wrong(o, "has another register that is none of those that move");
    }
}

static unsigned access_of(const struct second *s, const struct x86_insn *i, unsigned n)
{
    return s->access[n] ? s->access[n] : i->op[n].size < 4 ? READ | WRITE : WRITE;
}

/* Reads what it should; then its results are there. */
static void run_operands(const struct verbatim_op *o, const struct second *s, const struct x86_insn *i, const struct x86_insn *d)
{
    for (unsigned n = 0; n < i->n_ops; n++) {
        const struct x86_operand *a = &i->op[n];
        unsigned how = access_of(s, i, n);

        if (a->kind != X86_OP_GPR)
            continue;
        if (how & WRITE && a->size < 4)
            how |= READ;
        if (how & READ && low(guest[a->reg], a->size) != low(sim.r[d->op[n].reg], a->size))
            wrong(o, "reads another register");
    }
    for (unsigned k = 0; k < 16; k++)
        if (s->implicit >> k & 1 && k != X86_SP && sim.r[k] != guest[k])
            wrong(o, "wants a register that has been put away");
    for (unsigned n = 0; n < i->n_ops; n++) {
        const struct x86_operand *a = &i->op[n];
        uint64_t v = x86_random();

        if ((a->kind != X86_OP_GPR && a->kind != X86_OP_GPRH) || !(access_of(s, i, n) & WRITE))
            continue;
        sim.r[d->op[n].reg] = written(sim.r[d->op[n].reg], a->kind, a->size, v);
        guest[a->reg] = written(guest[a->reg], a->kind, a->size, v);
    }
}

static void end(const struct verbatim_op *o)
{
    for (unsigned k = 0; k < 16; k++) {
        uint64_t v = k == X86_SP ? sim.r[XV_SP] : HOST_VERBATIM_MOVED >> k & 1 ? sim.gpr[k] : sim.r[k];

        if (v != guest[k])
            wrong(o, "leaves a register as it should not be");
    }
}

static void encode(const struct verbatim_op *o, const struct second *s, const struct x86_insn *i, uint32_t mode)
{
    static struct host_layout lay = {.g = {.gpr = GPRS, .fs_base = FS_BASE, .gs_base = GS_BASE}, .v = {.scratch = SCRATCH}};
    static uint8_t around[CODE];
    struct x64 x = {.lay = &lay, .a = {.buf = around, .cap = CODE}};
    struct xv_rewrite w = {.o = o};
    uint8_t code[32];
    struct x86_insn d;
    unsigned n;

    begin();
    xv_set_fields(&x, &w);
    if (w.failed || (o->high && xv_needs_rex(&w)))
        return;
    execute(o, around, x.a.n);
    n = xv_encode(&w, code);
    if (n > sizeof(code) || x86_decode(mode, 0, code, n, &d) != X86_OK || d.len != n)
        wrong(o, "is no instruction when encoded again");
    if (d.row != i->row || d.n_ops != i->n_ops || d.op_size != i->op_size || d.addr_size != i->addr_size || d.lock != i->lock || d.rep != i->rep ||
        d.repne != i->repne || d.vex_l != i->vex_l || d.w != i->w || d.imm != i->imm)
        wrong(o, "is another instruction when encoded again");
    for (unsigned k = 0; k < i->n_ops; k++)
        compare_operand(o, i, &d, k);
    if (!s->known)
        return; /* which operands are results is not known */
    run_operands(o, s, i, &d);
    x.a.n = 0;
    xv_put_back(&x, &w);
    execute(o, around, x.a.n);
    end(o);
}

/* By libcapstone 4.0: F3 REX.W 0F 7E is no MOVD. */
static bool misread(const struct x86_insn *i)
{
    return i->map == 1 && i->opcode == 0x7e && i->rep && !i->vex;
}

static void look_at(const struct verbatim *v, const struct verbatim_op *o, uint32_t mode)
{
    bool plain = o->kind == VERBATIM_PLAIN || o->kind == VERBATIM_NOTHING;
    struct second s = {0};
    struct x86_insn i;

    if (x86_decode(mode, PC + o->at, o->code, o->len, &i) != X86_OK || i.len != o->len)
        wrong(o, "is not what the decoder says");
    if (!misread(&i))
        ask(o, &s);
    if (s.known && o->kind != VERBATIM_NOTHING && s.explicit & v->moved & ~(uint32_t)o->named)
        wrong(o, "names a register more");
    if (s.known && o->kind == VERBATIM_PLAIN && s.implicit >> X86_SP & 1)
        wrong(o, "uses the stack");
    if (s.known && s.fixed && !s.nothing && !o->fixed)
        wrong(o, "depends on where it is");
    if (s.known && s.mem && !s.nothing && plain && !o->may_fault)
        wrong(o, "may fault");
    if (!o->again && (o->named & v->moved || o->fixed || !plain))
        wrong(o, "cannot be left as it is");
    if (o->again && o->kind == VERBATIM_PLAIN)
        encode(o, &s, &i, mode);
}

/* What x86_make leaves out: addresses with R8 to R15, and relative to FS and GS. */
static unsigned vary(uint8_t *code, unsigned n)
{
    unsigned at = 0;

    if (n && x86_roll(8) == 0) {
        memmove(code + 1, code, n++);
        code[0] = (uint8_t)(0x64 + x86_roll(2));
    }
    while (at < n && (code[at] == 0x66 || code[at] == 0x67 || code[at] == 0xf2 || code[at] == 0xf3 || code[at] == 0xf0 || (code[at] & 0xfe) == 0x64))
        at++;
    if (at + 1 < n && (code[at] & 0xf0) == 0x40)
        code[at] ^= (uint8_t)x86_roll(4);
    else if (at + 1 < n && code[at] == 0xc4)
        code[at + 1] ^= (uint8_t)(x86_roll(4) << 5);
    return n;
}

/* 64-bit programs of a processor that has everything. */
static uint32_t everything(void)
{
    struct x86_features all = x86_features_all();

    return X86_CODE64 | (uint32_t)x86_features_number(&all) << X86_MODE_FEATURES;
}

/* Instructions made from rows, as many as there is room for. */
static size_t make(uint32_t mode, uint8_t *code, size_t cap)
{
    size_t n = 0;

    while (n + X86_MAX_LEN < cap)
        n += vary(code + n, x86_make(mode, x86_roll(X86_NUM_ROWS), code + n));
    return n;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    static struct verbatim v;
    static uint8_t code[512];
    size_t n = len < 9 ? 0 : len - 9 < sizeof(code) ? len - 9 : sizeof(code);
    uint32_t mode = everything(), at = 0;

    if (!n)
        return 0;
    memcpy(&x86_seed, data, 8);
    if (data[8] & 1)
        memcpy(code, data + 9, n);
    else
        n = make(mode, code, sizeof(code));
    v.moved = HOST_VERBATIM_MOVED;
    v.host_has = has_all;
    for (size_t from = 0; from < n;) {
        uint32_t took = x86_verbatim(&v, mode, PC, code + from, n - from, ~0ull, VERBATIM_MAX);
        struct x86_insn i;

        for (uint32_t k = 0; k < v.n; at += v.op[k++].len) {
            if (v.op[k].at != at || v.op[k].code != code + from + at)
                wrong(&v.op[k], "is not where it should be");
            look_at(&v, &v.op[k], mode);
        }
        if (at != took || took > n - from)
            bug("x86 verbatim: rows of %u bytes, a stretch of %u", at, took);
        at = 0;
        if (took)
            from += took;
        else
            from += x86_decode(mode, PC, code + from, n - from, &i) == X86_OK ? i.len : 1;
    }
    return 0;
}
