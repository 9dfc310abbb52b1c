/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What most x86 instructions are, by a table: prefix, REX.W, opcode and ModRM's mod and reg fields find a model, an instruction as
 * the rows had it decoded the first time (decode.c); registers, the address and the immediate are what is filled in (SDM 2A, chapter 2).
 *
 * Known are instructions of protected 32-bit and 64-bit code with at most one prefix besides REX, none of them LOCK, a segment's or
 * the address size, and with operands as the simple rows have them.  Rows depend on the CPU's features: the table is for one set of
 * them, that of the first CPU which learns.
 */
#include "guest/x86/decode_priv.h"

#include "guest/x86/x86.h"

#include <pthread.h>

enum { UNKNOWN = 0, NEVER = 1 };
enum imm_how { IMM_NONE, IMM_SIGNED, IMM_UNSIGNED, IMM_RELATIVE };
enum from { FROM_MODEL, FROM_REG, FROM_RM, FROM_OPCODE };

struct model {
    struct x86_insn i;
    uint8_t from[X86_MAX_OPERANDS]; /* enum from: where the number of the operand's register is; of the first n_from */
    uint8_t n_from;
    uint8_t imm_bytes, imm;         /* imm: enum imm_how */
    bool modrm, mem, high;          /* mem: an address follows; high: a register may be AH and its kin */
};

static struct model models[X86_MODELS];
static unsigned n_models = NEVER + 1; /* [lock] */
/*
 * By machine and 64-bit code, prefix, W and 0F, and opcode: a group of models, by register form and reg.  Few opcodes are met, and a program
 * that runs for a millisecond pays for each page that it touches.  [atomic; written under lock]
 */
enum { PLACES = 64 };
static uint16_t group_of[PLACES][256]; /* 0: nothing is known of it, as groups[0] says */
static uint16_t groups[PLACES * 256 + 1][16];
static unsigned n_groups = 1; /* [lock] */
static uint32_t owner; /* number of the set of features, plus 1; 0: nobody's yet [atomic; written under lock] */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_protected(uint32_t mode)
{
    return (mode & (X86_MODE_PE | X86_MODE_VM)) == X86_MODE_PE && x86_code(mode) != X86_CODE16;
}

static inline struct x86_front read_front(uint32_t mode, const uint8_t *code)
{
    struct x86_front f = {.is64 = x86_code(mode) == X86_CODE64};
    uint8_t b = code[0];

    if (b == 0x66 || (b & 0xfe) == 0xf2) {
        f.prefix = b;
        b = code[++f.n];
    }
    if (f.is64 && (b & 0xf0) == 0x40) {
        f.rex = b;
        b = code[++f.n];
    }
    if (b == 0x0f) {
        f.map1 = true;
        b = code[++f.n];
    }
    f.opcode = b;
    f.n++;
    return f;
}

static inline uint16_t *group_place(uint32_t mode, const struct x86_front *f)
{
    unsigned prefix = f->prefix & 3; /* none, F2, F3: 0, 2, 3 */

    if (f->prefix == 0x66)
        prefix = 1;
    return &group_of[(mode & X86_MODE_SYSTEM ? 32u : 0) | f->is64 << 4 | prefix << 2 | (f->rex >> 2 & 2u) | f->map1][f->opcode];
}

static inline uint16_t *model_place(uint32_t mode, const struct x86_front *f, uint8_t modrm)
{
    unsigned group = __atomic_load_n(group_place(mode, f), __ATOMIC_ACQUIRE);

    return &groups[group][(modrm >= 0xc0 ? 8 : 0) | (modrm >> 3 & 7)];
}

static uint32_t owner_of(uint32_t mode)
{
    return (mode >> X86_MODE_FEATURES & 127) + 1;
}

/* --- Using a model --- */

/* The address at ModRM @p, with 32 or 64 bits; returns where it ends. */
static inline const uint8_t *read_address(const struct x86_front *f, const uint8_t *p, struct x86_ea *ea)
{
    unsigned mod = *p >> 6, base = *p & 7;

    p++;
    if (base == X86_SP) {
        unsigned index = (*p >> 3 & 7) | (f->rex & 2) << 2;

        ea->scale = *p >> 6;
        ea->index = index == X86_SP ? X86_NO_REG : (uint8_t)index;
        base = *p++ & 7;
    } else if (base == X86_BP && !mod) {
        ea->rip = f->is64;
    }
    ea->base = (uint8_t)(base | (f->rex & 1) << 3);
    if (base == X86_BP && !mod)
        ea->base = X86_NO_REG;
    ea->seg = ea->base == X86_BP || ea->base == X86_SP ? X86_SS : X86_DS;
    if (mod == 1) {
        ea->disp = (int8_t)*p;
        return p + 1;
    }
    if (mod == 2 || (base == X86_BP && !mod)) {
        ea->disp = x86_read_signed(p, 4);
        return p + 4;
    }
    return p;
}

static inline void fill_registers(const struct model *m, const struct x86_front *f, struct x86_insn *out)
{
    for (unsigned k = 0; k < m->n_from; k++) {
        struct x86_operand *o = &out->op[k];
        unsigned r = m->from[k];

        if (r == FROM_REG)
            r = (out->modrm >> 3 & 7u) | (f->rex & 4u) << 1;
        else if (r != FROM_MODEL)
            r = ((r == FROM_RM ? out->modrm : f->opcode) & 7u) | (f->rex & 1u) << 3;
        else
            continue;
        if (m->high && r >= 4 && !f->rex && o->kind == X86_OP_GPR && o->size == 1)
            *o = (struct x86_operand){X86_OP_GPRH, (uint8_t)(r - 4), 1};
        else
            o->reg = (uint8_t)r;
    }
}

unsigned x86_quick_find(uint32_t mode, const uint8_t *code, struct x86_front *f)
{
    unsigned n;

    if (!is_protected(mode) || __atomic_load_n(&owner, __ATOMIC_RELAXED) != owner_of(mode))
        return 0;
    *f = read_front(mode, code);
    n = __atomic_load_n(model_place(mode, f, code[f->n]), __ATOMIC_ACQUIRE);
    return n <= NEVER ? 0 : n;
}

bool x86_quick_decode(uint32_t mode, uint64_t pc, const uint8_t *code, struct x86_insn *out)
{
    struct x86_front f;
    unsigned n = x86_quick_find(mode, code, &f);
    const struct model *m = &models[n];
    const uint8_t *p;

    if (!n)
        return false;
    p = code + f.n;
    *out = m->i;
    out->rex = f.rex;
    out->opcode = f.opcode;
    if (m->modrm) {
        out->modrm = *p;
        p = m->mem ? read_address(&f, p, &out->ea) : p + 1;
    }
    fill_registers(m, &f, out);
    if (m->imm_bytes) {
        out->imm = x86_read_signed(p, m->imm_bytes);
        p += m->imm_bytes;
        if (m->imm == IMM_UNSIGNED && m->imm_bytes < 8)
            out->imm &= (1ll << 8 * m->imm_bytes) - 1;
        else if (m->imm == IMM_RELATIVE)
            out->imm = (int64_t)((uint64_t)out->imm + pc + (uint64_t)(p - code)) & (f.is64 ? -1 : 0xffffffffll);
    }
    out->len = (uint8_t)(p - code);
    if (out->ea.rip)
        out->ea.disp = (int64_t)((uint64_t)out->ea.disp + pc + out->len);
    return true;
}

unsigned x86_quick_immediate(unsigned model, bool *is_unsigned)
{
    *is_unsigned = models[model].imm == IMM_UNSIGNED;
    return models[model].imm_bytes;
}

/* --- Making a model --- */

static bool read_immediate(struct model *m, const struct rule *r, unsigned k)
{
    char type = r->type[k];
    unsigned size = m->i.op[k].size;

    if (m->imm)
        return false; /* two of them */
    if (r->method[k] == 'J') {
        m->imm = IMM_RELATIVE;
        m->imm_bytes = type == 'b' ? 1 : 4;
        return m->i.op_size > 2;
    }
    if (type == 'b' || type == 'w') {
        m->imm_bytes = type == 'b' ? 1 : 2;
        m->imm = type == 'b' && r->sx ? IMM_SIGNED : IMM_UNSIGNED;
        return true;
    }
    m->imm = IMM_SIGNED;
    m->imm_bytes = (uint8_t)(type == 'z' && m->i.op_size > 4 ? 4 : size);
    return type == 'z' || type == 'v';
}

static bool model_operand(struct model *m, const struct rule *r, unsigned k)
{
    struct x86_operand *o = &m->i.op[k];

    if (o->kind == X86_OP_GPRH && r->method[k] != 'r')
        *o = (struct x86_operand){X86_OP_GPR, 0, 1};
    m->high |= o->kind == X86_OP_GPR && o->size == 1;
    switch (r->method[k]) {
    case 'r':
    case 'M':
        return true;
    case 'E':
    case 'W':
    case 'R':
    case 'U':
        m->from[k] = o->kind == X86_OP_MEM ? FROM_MODEL : FROM_RM;
        return true;
    case 'G':
    case 'V':
        m->from[k] = FROM_REG;
        return true;
    case 'Z':
        m->from[k] = FROM_OPCODE;
        return true;
    case 'I':
    case 'J':
        return read_immediate(m, r, k);
    default:
        return false;
    }
}

/* All that ModRM can be with these fields is this row. */
static bool depends_on_rm(const struct x86_front *f)
{
    const uint16_t *row = x86_rules_of(false, f->map1, f->opcode);

    for (; row && *row != X86_NO_ROW; row++)
        if (x86_rules[*row].fixed)
            return true;
    return false;
}

static bool make_model(struct model *m, const struct x86_front *f, const struct x86_insn *i)
{
    const struct rule *r = &x86_rules[i->row];

    *m = (struct model){.i = *i, .modrm = r->modrm, .mem = r->modrm && i->modrm < 0xc0};
    if (i->vex || i->lock || i->seg_prefix != X86_NO_SEG || i->map != f->map1 || i->opcode != f->opcode || depends_on_rm(f) ||
        i->addr_size != (f->is64 ? 8 : 4) || i->rex != f->rex || i->data16 != (f->prefix == 0x66))
        return false;
    for (unsigned k = 0; k < i->n_ops; k++) {
        if (!model_operand(m, r, k))
            return false;
        if (m->from[k])
            m->n_from = (uint8_t)(k + 1);
    }
    if (m->imm)
        m->i.imm = 0;
    m->i.ea = (struct x86_ea){.base = X86_NO_REG, .index = X86_NO_REG};
    return true;
}

static void have_group_locked(uint32_t mode, const struct x86_front *f)
{
    uint16_t *place = group_place(mode, f);

    if (!*place)
        __atomic_store_n(place, (uint16_t)n_groups++, __ATOMIC_RELEASE);
}

static void learn_locked(uint16_t *place, const struct x86_front *f, const struct x86_insn *i)
{
    bool known;

    if (*place != UNKNOWN || n_models == X86_MODELS)
        return;
    known = make_model(&models[n_models], f, i);
    __atomic_store_n(place, known ? (uint16_t)n_models : NEVER, __ATOMIC_RELEASE);
    n_models += known;
}

void x86_quick_learn(uint32_t mode, const uint8_t *code, const struct x86_insn *i)
{
    struct x86_front f;

    if (!is_protected(mode) || i->row == X86_NO_ROW)
        return;
    f = read_front(mode, code);
    if (__atomic_load_n(model_place(mode, &f, code[f.n]), __ATOMIC_RELAXED) != UNKNOWN)
        return;
    pthread_mutex_lock(&lock);
    if (!owner)
        __atomic_store_n(&owner, owner_of(mode), __ATOMIC_RELAXED);
    if (owner == owner_of(mode)) {
        have_group_locked(mode, &f);
        learn_locked(model_place(mode, &f, code[f.n]), &f, i);
    }
    pthread_mutex_unlock(&lock);
}
