/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stretches of a 64-bit program's code that an x86-64 host executes as they are (ir/verbatim.h): from an address on, through
 * conditional branches and calls, to the first way out, or to what only lifting can do.  Source: SDM 2.
 *
 * VMMCALL in the personality's own code is its service (cpu.h, engine_set_service).
 *
 * System calls are, if the host's kernel may be asked for them at once; one that a stretch would begin with is lifted, for those that may not.
 *
 * Not verbatim is what is not the same for the guest as for us: other system calls, CPUID, segment registers, EFLAGS as a whole and its
 * direction flag, MXCSR, x87 and MMX, whose registers the guest has in memory, and the XSAVE family.
 */
#include "guest/x86/lift_priv.h"
#include "guest/x86/verbatim_priv.h"
#include "guest/x86/x86.h"

#include <string.h>

/* Does the host's processor have what @feat says, which the guest's has? */
static bool host_has(const struct verbatim *v, enum x86_feature feat)
{
    const struct x86_place *p = x86_feature_place(feat);

    return feat == X86_FEAT_BASE || v->host_has(p->leaf, p->sub, p->reg, p->bit);
}

/* --- Which --- */

static bool is_verbatim_one_byte(const struct x86_insn *i)
{
    switch (i->opcode) {
    case 0x8c: case 0x8e:             /* segment registers */
    case 0x8f:                        /* POP to memory: an address that depends on the new RSP */
    case 0x9b: case 0x9c: case 0x9d:  /* FWAIT, PUSHF, POPF */
    case 0xc8:                        /* ENTER */
    case 0xfc: case 0xfd:             /* the direction flag is not loaded into the host's but where code is entered */
        return false;
    case 0xe0 ... 0xe3:
        return i->addr_size == 8;
    case 0xff:
        return (i->modrm >> 3 & 7) != 3 && (i->modrm >> 3 & 7) != 5;
    }
    return true;
}

static bool is_verbatim_two_bytes(const struct x86_insn *i)
{
    switch (i->opcode) {
    case 0x01: case 0xa0: case 0xa2: case 0xa8:
        return false;
    case 0xae: /* fences and CLFLUSH; not FXSAVE, MXCSR, segment bases */
        return (i->modrm >> 3 & 7) >= 5 && !i->rep && ((i->modrm >= 0xc0) || (i->modrm >> 3 & 7) >= 6) && !i->vex;
    case 0xc7: /* CMPXCHG8B, CMPXCHG16B, RDRAND, RDSEED; not RDPID */
        return (i->modrm >> 3 & 7) == 1 || ((i->modrm >> 3 & 7) >= 6 && !i->rep);
    }
    return true;
}

static bool has_odd_operand(const struct x86_insn *i)
{
    for (unsigned n = 0; n < i->n_ops; n++)
        switch (i->op[n].kind) {
        case X86_OP_SEG: case X86_OP_CR: case X86_OP_DR: case X86_OP_MM: case X86_OP_ST: case X86_OP_FAR:
            return true;
        }
    return false;
}

/* Undefined without a SIB byte, and when two of the registers are the same: the host would say so itself. */
static bool is_bad_gather(const struct x86_insn *i)
{
    return x86_rules[i->row].vsib && ((i->modrm & 7) != X86_SP || i->op[0].reg == i->ea.index || i->op[0].reg == i->vvvv || i->vvvv == i->ea.index);
}

/* What depends on the row alone. */
static bool row_is_verbatim(const struct verbatim *v, const struct x86_insn *i)
{
    enum x86_unit unit = x86_row_unit(i->row);

    return i->end != X86_TRAP && !has_odd_operand(i) &&
           (unit == X86_UNIT_INTEGER || unit == X86_UNIT_SSE || unit == X86_UNIT_AVX) && host_has(v, x86_rules[i->row].feat);
}

static bool is_verbatim(const struct verbatim *v, const struct x86_insn *i)
{
    static uint8_t rows[X86_NUM_ROWS]; /* [atomic] 0: not asked yet; 1: no; 2: yes */
    uint8_t known;

    if (i->row == X86_NO_ROW || i->addr_size == 2)
        return false;
    known = __atomic_load_n(&rows[i->row], __ATOMIC_RELAXED);
    if (!known) {
        known = row_is_verbatim(v, i) ? 2 : 1;
        __atomic_store_n(&rows[i->row], known, __ATOMIC_RELAXED);
    }
    if (known == 1 || is_bad_gather(i))
        return false;
    if (i->map == 0 && !i->vex)
        return is_verbatim_one_byte(i);
    return i->map != 1 || is_verbatim_two_bytes(i);
}

/* --- The parts --- */

static bool is_legacy_prefix(uint8_t b)
{
    return b == 0x66 || b == 0x67 || b == 0xf0 || b == 0xf2 || b == 0xf3 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x26 || b == 0x64 ||
           b == 0x65;
}

static bool is_prefix(uint8_t b)
{
    return is_legacy_prefix(b) || (b & 0xf0) == 0x40;
}

static unsigned length_of_front(const uint8_t *code, unsigned *front, struct verbatim_op *o)
{
    unsigned n = 0;

    while (is_legacy_prefix(code[n]))
        n++;
    *front = n;
    if (o->vex)
        return n + (code[n] == 0xc5 ? 2 : 3) + 1;
    if (o->rex)
        n++;
    return n + (o->map == 0 ? 1 : o->map == 1 ? 2 : 3);
}

static void set_memory(struct verbatim_op *o, const struct x86_insn *i)
{
    const struct x86_ea *ea = &i->ea;

    o->rip = ea->rip;
    o->base = ea->base;
    o->index = ea->index;
    o->scale = ea->scale;
    o->seg = ea->seg == X86_FS ? VERBATIM_FS : ea->seg == X86_GS ? VERBATIM_GS : VERBATIM_NO_SEG;
    o->disp = (int32_t)ea->disp;
    o->address = (uint64_t)ea->disp;
}

/* Operand @n is written without being read, all of the register: what is there need not be loaded. */
static bool only_written(const struct x86_insn *i, unsigned n)
{
    if (n || i->op[0].size < 4)
        return false;
    if (i->vex)
        return true;
    if (i->map == 0)
        return i->opcode == 0x8b || i->opcode == 0x89 || i->opcode == 0x8d || i->opcode == 0x63 || (i->opcode & 0xf8) == 0xb8 ||
               i->opcode == 0xc7 || i->opcode == 0x69 || i->opcode == 0x6b;
    return i->map == 1 && (i->opcode == 0xb6 || i->opcode == 0xb7 || i->opcode == 0xbe || i->opcode == 0xbf || i->opcode == 0xb8);
}

static unsigned use_of(const struct x86_insn *i, unsigned n)
{
    bool xchg = (i->map == 0 && !i->vex && (i->opcode == 0x86 || i->opcode == 0x87 || (i->opcode & 0xf8) == 0x90)) ||
                (i->map == 1 && (i->opcode == 0xc0 || i->opcode == 0xc1));
    bool mulx = i->vex && i->map == 2 && i->opcode == 0xf6;
    unsigned digit = i->modrm >> 3 & 7;

    if (n)
        return xchg ? VERBATIM_IN | VERBATIM_OUT : mulx && n == 1 ? VERBATIM_OUT : VERBATIM_IN;
    if (i->map == 0 && !i->vex) {
        if ((i->opcode >= 0x38 && i->opcode < 0x40) || i->opcode == 0x84 || i->opcode == 0x85)
            return VERBATIM_IN;
        if ((i->opcode >= 0x80 && i->opcode <= 0x83 && digit == 7) || (i->opcode == 0xff && digit >= 2))
            return VERBATIM_IN;
    }
    return only_written(i, n) ? VERBATIM_OUT : VERBATIM_IN | VERBATIM_OUT;
}

static void set_registers(struct verbatim_op *o, const struct x86_insn *i)
{
    const struct rule *r = &x86_rules[i->row];

    for (unsigned n = 0; n < i->n_ops; n++) {
        unsigned use = use_of(i, n);

        if (i->op[n].kind == X86_OP_GPRH)
            o->high = true;
        if (i->op[n].kind != X86_OP_GPR && i->op[n].kind != X86_OP_GPRH)
            continue;
        if (i->op[n].size == 1)
            o->byte = true;
        switch (r->method[n]) {
        case 'E': case 'R': o->rm |= (uint8_t)use; break;
        case 'G': o->reg |= (uint8_t)use; break;
        case 'B': o->vvvv |= (uint8_t)use; break;
        case 'Z': o->low |= (uint8_t)use; break;
        default: break; /* fixed ones are AX, CX, DX */
        }
    }
}

static enum verbatim_kind kind_of(const struct x86_insn *i)
{
    unsigned digit = i->modrm >> 3 & 7;

    switch (i->end) {
    case X86_JMP:
        return VERBATIM_JUMP;
    case X86_COND:
        return i->map == 0 && (i->opcode & 0xf0) == 0xe0 ? VERBATIM_LOOP : VERBATIM_JCC;
    case X86_CALL:
        return VERBATIM_CALL;
    case X86_RET:
        return VERBATIM_RET;
    case X86_IND:
        return digit == 2 ? VERBATIM_CALL_IND : VERBATIM_JUMP_IND;
    }
    if (i->vex || i->map)
        return i->map == 1 && i->opcode >= 0x19 && i->opcode <= 0x1f ? VERBATIM_NOTHING : VERBATIM_PLAIN;
    switch (i->opcode) {
    case 0x50 ... 0x57: return VERBATIM_PUSH;
    case 0x58 ... 0x5f: return VERBATIM_POP;
    case 0x68: case 0x6a: return VERBATIM_PUSH_IMM;
    case 0x90: return i->rep || i->rex & 1 ? VERBATIM_PLAIN : VERBATIM_NOTHING;
    case 0xc9: return VERBATIM_LEAVE;
    case 0xff: return digit == 6 ? VERBATIM_PUSH_MEM : VERBATIM_PLAIN;
    }
    return VERBATIM_PLAIN;
}

static bool may_fault(const struct x86_insn *i)
{
    if (i->vex || i->map)
        return i->map == 1 && i->opcode == 0xf7; /* MASKMOVDQU, to [RDI] */
    return i->opcode == 0xf6 || i->opcode == 0xf7 || i->opcode == 0xd7; /* divisions; XLAT */
}

/* Registers that operands and addresses name, and what else the host must know to take the bytes as they are. */
static void survey(struct verbatim_op *o, const struct x86_insn *i)
{
    uint32_t named = 0;

    o->may_fault = may_fault(i);
    for (unsigned n = 0; n < i->n_ops; n++)
        switch (i->op[n].kind) {
        case X86_OP_GPR: case X86_OP_GPRH:
            named |= 1u << i->op[n].reg;
            break;
        case X86_OP_MEM:
            o->may_fault = o->mem = true;
            if (i->ea.base != X86_NO_REG)
                named |= 1u << i->ea.base;
            if (i->ea.index != X86_NO_REG && !x86_rules[i->row].vsib)
                named |= 1u << i->ea.index;
            o->fixed |= i->ea.rip || i->ea.seg >= X86_FS;
            break;
        case X86_OP_STR_SRC: case X86_OP_STR_DST:
            o->may_fault = true;
            o->fixed |= i->seg_prefix == X86_FS || i->seg_prefix == X86_GS;
            break;
        }
    o->named = (uint16_t)named;
}

/* Where the parts are, for an instruction that is encoded again.  False: not in this form. */
static bool take_apart(struct verbatim_op *o, const struct x86_insn *i)
{
    const struct rule *r = &x86_rules[i->row];
    unsigned front, n;

    o->vex = i->vex;
    o->rex = i->rex;
    o->map = i->map;
    o->modrm = i->modrm;
    o->modrm_there = r->modrm;
    o->vsib = r->vsib;
    n = length_of_front(o->code, &front, o);
    o->front = (uint8_t)front;
    if (is_prefix(o->code[front + (!o->vex && o->rex)]))
        return false; /* a REX prefix before others means nothing */
    if (r->modrm)
        n += x86_modrm_length(o->code + n);
    if (n > i->len || (o->mem && !r->modrm) || (o->fixed && (!o->mem || i->addr_size == 4)))
        return false;
    o->tail = (uint8_t)(i->len - n);
    set_registers(o, i);
    if (o->mem)
        set_memory(o, i);
    return true;
}

/* False: not in this form. */
static bool set_op(struct verbatim *v, const struct x86_insn *i, const uint8_t *code)
{
    struct verbatim_op *o = &v->op[v->n];
    enum verbatim_kind kind = kind_of(i);

    if (i->op_size == 2 && kind != VERBATIM_PLAIN && kind != VERBATIM_NOTHING)
        return false;
    *o = (struct verbatim_op){.code = code, .at = v->len, .len = i->len, .kind = (uint8_t)kind, .opcode = i->opcode, .cond = i->opcode & 15,
                              .base = VERBATIM_NO_REG, .index = VERBATIM_NO_REG, .target = (uint64_t)i->imm,
                              .imm = kind == VERBATIM_RET && !i->n_ops ? 0 : (uint64_t)i->imm};
    survey(o, i);
    o->again = o->fixed || o->named & v->moved || (kind != VERBATIM_PLAIN && kind != VERBATIM_NOTHING);
    return !o->again || take_apart(o, i);
}

/* --- Is RCX wanted? --- */

/* XOR of two registers, which clears one if they are the same. */
static bool may_clear(const struct x86_insn *i)
{
    return i->map == 0 && !i->vex && (i->opcode == 0x31 || i->opcode == 0x33) && i->modrm >= 0xc0;
}

/* Branches: it may be wanted elsewhere. */
static bool reads_rcx(const struct verbatim_op *o, const struct x86_insn *i)
{
    return o->kind >= VERBATIM_JCC || i->rep || i->repne || (i->map == 1 && i->opcode == 0xc7);
}

static enum rcx_use use_of_rcx(const struct verbatim_op *o, const struct x86_insn *i)
{
    bool clears = may_clear(i) && i->op[0].reg == i->op[1].reg;
    unsigned others = 0;

    if (reads_rcx(o, i))
        return RCX_READ;
    if (!(o->named >> X86_CX & 1))
        return RCX_UNUSED;
    if (i->op[0].kind != X86_OP_GPR || i->op[0].reg != X86_CX || i->op[0].size < 4)
        return RCX_READ;
    for (unsigned n = 1; n < i->n_ops; n++)
        others |= i->op[n].kind == X86_OP_GPR || i->op[n].kind == X86_OP_GPRH ? 1u << i->op[n].reg : 0;
    if (o->mem)
        others |= (i->ea.base == X86_CX || i->ea.index == X86_CX) << X86_CX;
    return clears || (only_written(i, 0) && !(others >> X86_CX & 1)) ? RCX_WRITTEN : RCX_READ;
}

static bool dead_from(const struct verbatim *v, const uint8_t *rcx, uint32_t k)
{
    while (k < v->n && rcx[k] == RCX_UNUSED)
        k++;
    return k < v->n && rcx[k] == RCX_WRITTEN;
}

static void mark_dead(struct verbatim *v, const uint8_t *rcx)
{
    v->rcx_dead = dead_from(v, rcx, 0);
    for (uint32_t k = 0; k < v->n; k++)
        v->op[k].rcx_dead = (v->op[k].kind == VERBATIM_CALL || v->op[k].kind == VERBATIM_CALL_IND) && dead_from(v, rcx, k + 1);
}

/* --- Forms --- */

static unsigned field_of(char method)
{
    return method == 'E' || method == 'R' ? FIELD_RM : method == 'G' ? FIELD_REG : method == 'Z' ? FIELD_LOW : 0;
}

static void learn_operand(struct verbatim_form *f, const struct x86_insn *i, unsigned n)
{
    const struct x86_operand *o = &i->op[n];
    unsigned field = field_of(x86_rules[i->row].method[n]);

    if (o->kind != X86_OP_GPR && o->kind != X86_OP_GPRH)
        return;
    f->byte |= o->size == 1;
    if (field) {
        f->fields |= (uint8_t)field;
        f->byte_fields |= o->size == 1 ? (uint8_t)field : 0;
        if (!n && o->size >= 4)
            f->first = (uint8_t)field;
        return;
    }
    f->high |= o->kind == X86_OP_GPRH;
    f->named |= (uint16_t)(1u << o->reg);
    f->others |= n ? (uint16_t)(1u << o->reg) : 0;
}

/* @i, which was read at @code as row @o (NULL: it is not verbatim), is one of a form that need not be read again. */
static void learn(uint32_t mode, const uint8_t *code, const struct verbatim_op *o, const struct x86_insn *i)
{
    struct verbatim_form new = {.known = FORM_NEVER};
    struct verbatim_op uses = {0};

    if (o && (i->map || i->opcode != 0x90)) { /* with REX.B, 90 is not NOP */
        set_registers(&uses, i);
        new = (struct verbatim_form){.known = FORM_KNOWN, .kind = o->kind, .mem = o->mem, .may_fault = o->may_fault, .modrm = x86_rules[i->row].modrm,
                                     .reg = uses.reg, .rm = uses.rm, .low = uses.low, .only_written = only_written(i, 0),
                                     .clears = may_clear(i), .reads_rcx = reads_rcx(o, i)};
        for (unsigned n = 0; n < i->n_ops; n++)
            learn_operand(&new, i, n);
    }
    x86_verbatim_learn(mode, code, &new);
}

/* What comes behind a branch may never run: a stretch of so many instructions ends there. */
enum { LONG_ENOUGH = 16 };

enum { OTHER_MODES = X86_MODE_AC | X86_MODE_CHECKED | X86_MODE_VM | X86_MODE_SYSTEM | X86_MODE_FP_SLOW | X86_MODE_NO_SSE | X86_MODE_SSE_NM };

/* VMMCALL where it is the personality's own; then, as the rest of a function that C calls, whatever is there may be lost. */
static bool service_row(struct verbatim *v, uint64_t pc, const uint8_t *code, size_t avail, uint8_t *rcx)
{
    static const uint8_t vmmcall[] = {0x0f, 0x01, 0xd9};

    if (pc - v->service_start >= v->service_end - v->service_start || avail < sizeof(vmmcall) || memcmp(code, vmmcall, sizeof(vmmcall)) != 0)
        return false;
    v->op[v->n] = (struct verbatim_op){.code = code, .at = v->len, .len = sizeof(vmmcall), .kind = VERBATIM_SERVICE, .again = true};
    *rcx = RCX_WRITTEN;
    return true;
}

/* SYSCALL, without prefixes. */
static bool syscall_row(struct verbatim *v, const uint8_t *code, size_t avail, uint8_t *rcx)
{
    if (!v->calls || !v->n || avail < 2 || code[0] != 0x0f || code[1] != 0x05)
        return false;
    v->op[v->n] = (struct verbatim_op){.code = code, .at = v->len, .len = 2, .kind = VERBATIM_SYSCALL, .again = true};
    *rcx = RCX_WRITTEN;
    return true;
}

/* The next row of @v, by reading all of it. */
static bool read_row(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint8_t *rcx)
{
    struct verbatim_op *o = &v->op[v->n];
    struct x86_insn i;
    bool yes;

    if (x86_decode(mode, pc, code, avail, &i) != X86_OK)
        return false;
    yes = is_verbatim(v, &i) && set_op(v, &i, code);
    if (yes)
        *rcx = (uint8_t)use_of_rcx(o, &i);
    if (avail >= X86_MAX_LEN)
        learn(mode, code, yes ? o : NULL, &i);
    return yes;
}

uint32_t x86_verbatim(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit)
{
    uint8_t rcx[VERBATIM_MAX];
    bool ended = false;

    v->n = v->len = 0;
    if (mode & (uint32_t)OTHER_MODES || x86_code(mode) != X86_CODE64)
        return 0;
    while (!ended && v->n < VERBATIM_MAX && v->n < limit && pc + v->len != end && v->len < avail) {
        const struct verbatim_op *o = &v->op[v->n];
        uint64_t at = pc + v->len;
        const uint8_t *p = code + v->len;

        if (!(avail - v->len >= X86_MAX_LEN && x86_verbatim_row(v, mode, at, p, &rcx[v->n])) &&
            !read_row(v, mode, at, p, avail - v->len, &rcx[v->n]) &&
            !syscall_row(v, p, avail - v->len, &rcx[v->n]) && !service_row(v, at, p, avail - v->len, &rcx[v->n]))
            break;
        ended = o->kind >= VERBATIM_JUMP;
        v->n++;
        v->len += o->len;
        if (v->n >= LONG_ENOUGH && (o->kind == VERBATIM_JCC || o->kind == VERBATIM_CALL))
            break;
    }
    mark_dead(v, rcx);
    return v->len;
}
