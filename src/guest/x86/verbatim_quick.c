/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of verbatim code without decoding: what a model of decode_quick.c is as a row (struct verbatim_form) was read in full once, and is
 * the same for all instructions of that model but for the registers and the address that ModRM, SIB and REX name.  Source: SDM 2A, chapter 2.
 */
#include "guest/x86/verbatim_priv.h"
#include "guest/x86/x86.h"

#include <pthread.h>

static struct verbatim_form forms[X86_MODELS]; /* [written under lock, known last] */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The address at ModRM @p; *@named gets the registers that it names.  Returns where it ends. */
static const uint8_t *read_address(struct verbatim_op *o, const uint8_t *p, unsigned rex, unsigned *named)
{
    unsigned mod = *p >> 6, base = *p & 7, n = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    bool sib = base == X86_SP;

    p++;
    o->index = VERBATIM_NO_REG;
    o->scale = 0;
    if (sib) {
        unsigned index = (*p >> 3 & 7u) | (rex & 2) << 2;

        o->scale = *p >> 6;
        if (index != X86_SP) {
            o->index = (uint8_t)index;
            *named |= 1u << index;
        }
        base = *p++ & 7;
    }
    o->rip = false;
    if (base == X86_BP && !mod) { /* none, but 32 bits */
        o->base = VERBATIM_NO_REG;
        o->rip = !sib;
        n = 4;
    } else {
        o->base = (uint8_t)(base | (rex & 1) << 3);
        *named |= 1u << o->base;
    }
    o->disp = (int32_t)x86_read_signed(p, n);
    return p + n;
}

/* An instruction's integer registers by field. */
struct numbers {
    unsigned reg, rm, low;
    bool high; /* one of them is AH, CH, DH or BH */
};

static unsigned number(const struct verbatim_form *f, unsigned field, unsigned r, unsigned rex, bool *high)
{
    if (!(f->byte_fields & field) || rex || r < 4)
        return r;
    *high = true;
    return r - 4;
}

static struct numbers read_numbers(const struct verbatim_form *f, const struct x86_front *front, unsigned modrm)
{
    struct numbers n = {.high = f->high};

    n.reg = number(f, FIELD_REG, (modrm >> 3 & 7u) | (front->rex & 4u) << 1, front->rex, &n.high);
    n.rm = number(f, FIELD_RM, (modrm & 7u) | (front->rex & 1u) << 3, front->rex, &n.high);
    n.low = number(f, FIELD_LOW, (front->opcode & 7u) | (front->rex & 1u) << 3, front->rex, &n.high);
    return n;
}

static unsigned named_by(const struct numbers *n, unsigned fields)
{
    return (fields & FIELD_REG ? 1u << n->reg : 0) | (fields & FIELD_RM ? 1u << n->rm : 0) | (fields & FIELD_LOW ? 1u << n->low : 0);
}

/* As use_of_rcx() of verbatim.c says; @address: registers that the address names. */
static uint8_t use_of_rcx(const struct verbatim_form *f, unsigned named, unsigned address, const struct numbers *n)
{
    enum { CX = 1 << X86_CX };

    if (f->reads_rcx)
        return RCX_READ;
    if (!(named & CX))
        return RCX_UNUSED;
    if (!(named_by(n, f->first) & CX))
        return RCX_READ;
    if (f->clears && n->reg == n->rm)
        return RCX_WRITTEN;
    return f->only_written && !((address | f->others | named_by(n, f->fields & ~(unsigned)f->first)) & CX) ? RCX_WRITTEN : RCX_READ;
}

/* What only a row has that is encoded again. */
static void set_parts(struct verbatim_op *o, const struct verbatim_form *f, const struct x86_front *front, uint8_t modrm, bool high)
{
    o->front = front->prefix != 0;
    o->rex = front->rex;
    o->map = front->map1;
    o->vex = o->vsib = false;
    o->modrm = f->modrm ? modrm : 0;
    o->modrm_there = f->modrm;
    o->high = high;
    o->byte = f->byte;
    o->tail = f->imm_bytes;
    o->reg = f->reg;
    o->rm = f->rm;
    o->low = f->low;
    o->vvvv = 0;
    o->seg = VERBATIM_NO_SEG;
    if (!f->mem) {
        o->rip = false;
        o->base = o->index = VERBATIM_NO_REG;
    }
}

static void set_row(struct verbatim *v, struct verbatim_op *o, const struct verbatim_form *f, const uint8_t *code, unsigned named)
{
    bool plain = f->kind == VERBATIM_PLAIN || f->kind == VERBATIM_NOTHING;

    o->code = code;
    o->at = v->len;
    o->kind = f->kind;
    o->mem = f->mem;
    o->may_fault = f->may_fault;
    o->fixed = f->mem && o->rip;
    o->named = (uint16_t)named;
    o->again = !plain || o->fixed || named & v->moved;
    o->rcx_dead = false;
}

bool x86_verbatim_row(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, uint8_t *rcx)
{
    struct verbatim_op *o = &v->op[v->n];
    struct x86_front front;
    unsigned model = x86_quick_find(mode, code, &front), address = 0, named;
    const struct verbatim_form *f = &forms[model];
    const uint8_t *p;
    struct numbers n;
    uint8_t modrm;
    int64_t imm;

    if (!model || __atomic_load_n(&f->known, __ATOMIC_ACQUIRE) != FORM_KNOWN)
        return false;
    p = code + front.n;
    modrm = *p;
    p = f->mem ? read_address(o, p, front.rex, &address) : p + f->modrm;
    n = read_numbers(f, &front, modrm);
    named = f->named | address | named_by(&n, f->fields);
    set_row(v, o, f, code, named);
    o->opcode = front.opcode;
    o->cond = front.opcode & 15;
    if (o->again)
        set_parts(o, f, &front, modrm, n.high);
    imm = x86_read_signed(p, f->imm_bytes);
    p += f->imm_bytes;
    o->len = (uint8_t)(p - code);
    o->imm = (uint64_t)(f->imm_unsigned ? imm & 0xffff : imm);
    o->target = pc + o->len + (uint64_t)imm;
    if (f->mem)
        o->address = (uint64_t)o->disp + (o->rip ? pc + o->len : 0);
    *rcx = use_of_rcx(f, named, address, &n);
    return true;
}

void x86_verbatim_learn(uint32_t mode, const uint8_t *code, const struct verbatim_form *f)
{
    struct x86_front front;
    unsigned model = x86_quick_find(mode, code, &front);
    struct verbatim_form *to = &forms[model];

    if (!model || __atomic_load_n(&to->known, __ATOMIC_RELAXED) != FORM_UNKNOWN)
        return;
    pthread_mutex_lock(&lock);
    if (to->known == FORM_UNKNOWN) {
        struct verbatim_form new = *f;

        new.known = FORM_UNKNOWN;
        new.imm_bytes = (uint8_t)x86_quick_immediate(model, &new.imm_unsigned);
        *to = new;
        __atomic_store_n(&to->known, f->known, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&lock);
}
