/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to IR; the form is described in text.h.  The text is trusted for nothing but its meaning. */
#include "ir/text.h"

#include "ir/ir_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 32, MAX_BLOCKS = 1 << 12, MAX_VALUES = 1 << 16 };

struct parser {
    struct ir *ir;
    struct err *e;
    const char *p; /* what is still to be read */
    unsigned line;
    uint32_t *index; /* number in the text to operation, 0 unknown; MAX_VALUES entries */
    uint32_t block;
    uint32_t max_block; /* largest number mentioned */
};

static bool fail(struct parser *s, const char *what)
{
    if (!s->e->code)
        err_set(s->e, -EINVAL, "line %u: %s at '%.20s'", s->line, what, s->p);
    return false;
}

/* --- Words and numbers; all skip blanks in front --- */

static void blanks(struct parser *s)
{
    while (*s->p == ' ' || *s->p == '\t')
        s->p++;
}

static bool accept(struct parser *s, const char *word)
{
    size_t n = strlen(word);

    blanks(s);
    if (strncmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool expect(struct parser *s, const char *word)
{
    return accept(s, word) || fail(s, word);
}

static bool name(struct parser *s, char buf[MAX_NAME])
{
    unsigned n = 0;

    blanks(s);
    while ((isalnum((unsigned char)*s->p) || *s->p == '_') && n < MAX_NAME - 1)
        buf[n++] = *s->p++;
    buf[n] = 0;
    return n > 0 || fail(s, "a name is missing");
}

static bool number(struct parser *s, uint64_t *v)
{
    char *end;

    blanks(s);
    if (!isdigit((unsigned char)*s->p))
        return fail(s, "a number is missing");
    *v = strtoull(s->p, &end, 0);
    s->p = end;
    return true;
}

static bool small_number(struct parser *s, uint64_t limit, uint32_t *v)
{
    uint64_t n;

    if (!number(s, &n))
        return false;
    *v = (uint32_t)n;
    return n < limit || fail(s, "number too large");
}

static bool end_of_line(struct parser *s)
{
    blanks(s);
    if (*s->p && *s->p != '\n')
        return fail(s, "end of line expected");
    return true;
}

static bool next_line(struct parser *s)
{
    for (;;) {
        s->p += strcspn(s->p, "\n");
        if (!*s->p)
            return false;
        s->p++;
        s->line++;
        blanks(s);
        if (*s->p && *s->p != '\n' && *s->p != '#')
            return true;
    }
}

static bool in_list(struct parser *s, const char *word, const char *const *list, unsigned n,
                    unsigned *i)
{
    for (*i = 0; *i < n; ++*i)
        if (strcmp(word, list[*i]) == 0)
            return true;
    return fail(s, "unknown name");
}

/* --- References --- */

/* %N; kept as the text's number until all definitions are known. */
static bool value(struct parser *s, uint32_t *v)
{
    return expect(s, "%") && small_number(s, MAX_VALUES, v);
}

static bool block_ref(struct parser *s, uint32_t *b)
{
    if (!expect(s, "b") || !small_number(s, MAX_BLOCKS, b))
        return false;
    if (*b > s->max_block)
        s->max_block = *b;
    return true;
}

static bool slot_ref(struct parser *s, uint32_t *slot)
{
    char buf[MAX_NAME];

    if (!name(s, buf))
        return false;
    for (*slot = 0; *slot < s->ir->n_slots; ++*slot)
        if (strcmp(buf, s->ir->slots[*slot].name) == 0)
            return true;
    return fail(s, "unknown slot");
}

/* slot=%N, ... } */
static bool slot_list(struct parser *s, uint32_t *sets)
{
    uint32_t slot, v;

    while (!accept(s, "}")) {
        if (!slot_ref(s, &slot) || !expect(s, "=") || !value(s, &v))
            return false;
        *sets = ir_push_set(s->ir, slot, v, *sets);
        accept(s, ",");
    }
    return true;
}

static void maybe_clean(struct parser *s, uint32_t *sets)
{
    if (accept(s, "clean:"))
        *sets = ir_push_set(s->ir, IR_SLOT_CLEAN, 0, 0);
}

static bool snapshot(struct parser *s, uint32_t *snap)
{
    uint32_t sets = 0;
    uint64_t pc;

    if (!accept(s, "{"))
        return true;
    maybe_clean(s, &sets);
    if (!number(s, &pc) || !expect(s, ":") || !slot_list(s, &sets))
        return false;
    *snap = ir_push_snap(s->ir, pc, sets, s->block);
    return true;
}

/* --- Operations --- */

static bool memop(struct parser *s, struct ir_op *o)
{
    uint64_t bits;

    if (accept(s, "s"))
        o->imm |= IR_MEM_SIGN;
    else if (!expect(s, "u"))
        return false;
    if (!number(s, &bits))
        return false;
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64 && bits != 128 && (bits != 256 || o->op != IRO_store2))
        return fail(s, "no memory operand has that size");
    o->imm |= (unsigned)__builtin_ctzll(bits) - 3;
    if (accept(s, ".acq_rel"))
        o->imm |= IR_ACQ_REL << IR_MEM_ORDER_SHIFT;
    else if (accept(s, ".acq"))
        o->imm |= IR_ACQUIRE << IR_MEM_ORDER_SHIFT;
    else if (accept(s, ".rel"))
        o->imm |= IR_RELEASE << IR_MEM_ORDER_SHIFT;
    if (accept(s, ".be"))
        o->imm |= IR_MEM_BE;
    return true;
}

static bool helper_ref(struct parser *s, struct ir_op *o)
{
    char buf[MAX_NAME];

    if (!name(s, buf))
        return false;
    for (o->imm = 0; o->imm < s->ir->n_helpers; o->imm++)
        if (strcmp(buf, s->ir->helpers[o->imm].name) == 0)
            return true;
    return fail(s, "unknown helper");
}

static bool exit_kind(struct parser *s, uint32_t *kind, uint64_t *ret)
{
    *kind = IR_EXIT_JUMP;
    if (accept(s, "call")) {
        *kind = IR_EXIT_CALL;
        return number(s, ret);
    }
    if (accept(s, "ret"))
        *kind = IR_EXIT_RET;
    return true;
}

static bool successors(struct parser *s, unsigned n)
{
    struct ir_block *blk = &s->ir->blocks[s->block];

    blk->n_succ = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        if ((n == 2 || i) && !expect(s, ","))
            return false;
        if (!block_ref(s, &blk->succ[i]))
            return false;
    }
    return true;
}

static bool trap_reason(struct parser *s, uint32_t *reason)
{
    uint64_t n;

    if (!number(s, &n))
        return false;
    *reason = (uint32_t)n;
    return true;
}

static bool control(struct parser *s, struct ir_op *o)
{
    uint64_t ret = 0, landing = 0;

    switch (o->op) {
    case IRO_jmp: return successors(s, 1);
    case IRO_br: return successors(s, 2);
    case IRO_exit:
        if (!number(s, &o->imm) || !exit_kind(s, &o->arg[0], &ret))
            return false;
        o->arg[1] = (uint32_t)ret;
        o->arg[2] = (uint32_t)(ret >> 32);
        return true;
    case IRO_exit_ind:
        if (!exit_kind(s, &o->arg[1], &o->imm) || (accept(s, "land") && !number(s, &landing)))
            return false;
        o->arg[2] = (uint32_t)landing;
        return landing <= IR_LANDINGS || fail(s, "no such landing");
    default:
        return trap_reason(s, &o->arg[0]) && number(s, &o->imm);
    }
}

static bool vector_constant(struct parser *s, struct ir_op *o)
{
    uint64_t high;

    if (!number(s, &o->imm) || !number(s, &high))
        return false;
    o->arg[0] = (uint32_t)high;
    o->arg[1] = (uint32_t)(high >> 32);
    return true;
}

/* The number of arguments goes into imm until predecessors are known. */
static bool phi_arguments(struct parser *s, struct ir_op *o)
{
    struct ir *ir = s->ir;
    uint32_t v;

    o->arg[0] = ir->n_phi_args;
    do {
        if (!value(s, &v))
            return false;
        ir->phi_args = ir_array(ir->phi_args, &ir->cap_phi_args, ir->n_phi_args + 1,
                                sizeof(*ir->phi_args));
        ir->phi_args[ir->n_phi_args++] = v;
        o->imm++;
    } while (accept(s, ","));
    return true;
}

static bool arguments(struct parser *s, struct ir_op *o)
{
    unsigned n = ir_info[o->op].n_args;

    for (unsigned i = 0; i < n; i++) {
        if (o->op == IRO_call && (blanks(s), *s->p != (i ? ',' : '%')))
            return true;
        if ((i && !expect(s, ",")) || !value(s, &o->arg[i]))
            return false;
    }
    return true;
}

static bool immediate(struct parser *s, struct ir_op *o)
{
    const struct ir_info *info = &ir_info[o->op];
    uint32_t slot;

    switch (o->op) {
    case IRO_get:
        if (!slot_ref(s, &slot))
            return false;
        o->imm = slot;
        return true;
    case IRO_const: return number(s, &o->imm);
    case IRO_vconst: return vector_constant(s, o);
    case IRO_phi: return phi_arguments(s, o);
    case IRO_call: return true;
    case IRO_check: return expect(s, ",") && trap_reason(s, &o->arg[1]) && number(s, &o->imm);
    case IRO_fence:
    case IRO_called: return expect(s, "#") && number(s, &o->imm);
    }
    if (info->effects == IR_END)
        return control(s, o);
    if (info->effects == IR_READ || info->effects == IR_WRITE)
        return expect(s, ",") && memop(s, o);
    return accept(s, ",") ? expect(s, "#") && number(s, &o->imm) : true;
}

static bool type_and_lane(struct parser *s, struct ir_op *o)
{
    char buf[MAX_NAME];
    const char *lane;
    unsigned type;

    if (!name(s, buf) || !in_list(s, buf, ir_type_names, IR_NUM_TYPES, &type))
        return false;
    o->type = (uint8_t)type;
    if (accept(s, ".")) {
        lane = *s->p ? strchr("bhsd", *s->p) : NULL;
        if (!lane)
            return fail(s, "no such lane size");
        o->lane = (uint8_t)(lane - "bhsd");
        s->p++;
    }
    return true;
}

static bool opcode(struct parser *s, struct ir_op *o)
{
    char buf[MAX_NAME];

    if (!name(s, buf))
        return false;
    for (o->op = 0; o->op < IR_NUM_OPS; o->op++)
        if (strcmp(buf, ir_info[o->op].name) == 0)
            return true;
    return fail(s, "unknown operation");
}

static bool operation(struct parser *s)
{
    struct ir_op o = {0};
    uint32_t text_number = 0, snap = 0;
    bool has_value = *s->p == '%';

    if (has_value && (!value(s, &text_number) || !expect(s, "=")))
        return false;
    if (!opcode(s, &o) || (has_value && !type_and_lane(s, &o)) ||
        (o.op == IRO_call && !helper_ref(s, &o)) || !arguments(s, &o) || !immediate(s, &o) ||
        !snapshot(s, &snap))
        return false;
    o.snap = snap;
    if (has_value && (text_number == 0 || s->index[text_number]))
        return fail(s, "value defined twice, or %0");
    if (has_value)
        s->index[text_number] = s->ir->n_ops;
    ir_push_op(s->ir, &o);
    return true;
}

/* --- Blocks --- */

static bool block_ins(struct parser *s)
{
    struct ir *ir = s->ir;
    uint32_t slot, v, k = s->block;

    ir->blocks[k].in_first = ir->n_ins;
    while (!accept(s, "}")) {
        if (!slot_ref(s, &slot) || !expect(s, "=") || !value(s, &v))
            return false;
        ir->ins = ir_array(ir->ins, &ir->cap_ins, ir->n_ins + 1, sizeof(*ir->ins));
        ir->ins[ir->n_ins++] = (struct ir_in){.slot = slot, .val = v};
        ir->blocks[k].in_count++;
        accept(s, ",");
    }
    return true;
}

static bool block_attributes(struct parser *s, struct ir_block *blk)
{
    uint32_t pred;

    while (*s->p && *s->p != '\n') {
        if (accept(s, "heat=")) {
            if (!small_number(s, ~0u, &blk->heat))
                return false;
        } else if (accept(s, "exit")) {
            blk->exit_only = true;
        } else if (accept(s, "pred=")) {
            if (!block_ref(s, &pred))
                return false;
            blk->pred = pred + 1;
        } else if (accept(s, "in {")) {
            if (!block_ins(s))
                return false;
        } else {
            return end_of_line(s);
        }
        blanks(s);
    }
    return true;
}

static bool block_header(struct parser *s)
{
    uint32_t k;
    uint64_t pc;

    if (!block_ref(s, &k))
        return false;
    if (k != s->ir->n_blocks)
        return fail(s, "blocks must be numbered in order");
    if (!expect(s, ":") || !expect(s, "pc=") || !number(s, &pc))
        return false;
    s->block = ir_push_block(s->ir, pc);
    s->ir->blocks[s->block].first = s->ir->n_ops;
    blanks(s);
    return block_attributes(s, &s->ir->blocks[s->block]);
}

static bool at_block_header(const struct parser *s)
{
    return s->p[0] == 'b' && isdigit((unsigned char)s->p[1]);
}

static bool block(struct parser *s, bool *more)
{
    if (!block_header(s))
        return false;
    while ((*more = next_line(s)) && !at_block_header(s)) {
        if (accept(s, "end {")) {
            uint32_t sets = 0;

            maybe_clean(s, &sets);
            if (!slot_list(s, &sets) || !end_of_line(s))
                return false;
            s->ir->blocks[s->block].end_sets = sets;
        } else if (!operation(s) || !end_of_line(s)) {
            return false;
        }
    }
    s->ir->blocks[s->block].end = s->ir->n_ops;
    return true;
}

/* --- Connecting --- */

static bool resolve(struct parser *s, uint32_t *v)
{
    if (*v && !s->index[*v]) {
        s->p = "";
        err_set(s->e, -EINVAL, "value %%%u is not defined", *v);
        return false;
    }
    *v = s->index[*v];
    return true;
}

static bool resolve_all(struct parser *s)
{
    struct ir *ir = s->ir;
    bool ok = true;

    for (uint32_t i = 1; ok && i < ir->n_ops; i++)
        for (unsigned k = 0; ok && k < ir_info[ir->ops[i].op].n_args; k++)
            ok = resolve(s, &ir->ops[i].arg[k]);
    for (uint32_t i = 0; ok && i < ir->n_phi_args; i++)
        ok = resolve(s, &ir->phi_args[i]);
    for (uint32_t i = 1; ok && i < ir->n_sets; i++)
        ok = resolve(s, &ir->sets[i].val);
    for (uint32_t i = 0; ok && i < ir->n_ins; i++)
        ok = resolve(s, &ir->ins[i].val);
    return ok;
}

static bool is_full_call(const struct ir *ir, const struct ir_op *o)
{
    return o->op == IRO_call && ir->helpers[o->imm].full;
}

static bool finish_blocks(struct parser *s)
{
    struct ir *ir = s->ir;

    if (s->max_block >= ir->n_blocks)
        return fail(s, "a block that is mentioned does not exist");
    ir_fill_graph(ir);
    for (uint32_t i = 0; i < ir->n_blocks; i++) {
        struct ir_block *blk = &ir->blocks[i];

        if (blk->pred)
            blk->entry_sets = blk->end_sets = ir->blocks[blk->pred - 1].end_sets;
        for (uint32_t k = blk->first; k < blk->end; k++) {
            struct ir_op *o = &ir->ops[k];

            blk->full_call |= is_full_call(ir, o);
            if (o->op != IRO_phi)
                continue;
            if (o->imm != blk->n_preds)
                return fail(s, "a phi needs one value per predecessor");
            o->imm = 0;
        }
    }
    return true;
}

static bool region(struct parser *s)
{
    bool more;

    blanks(s);
    if ((!*s->p || *s->p == '\n' || *s->p == '#') && !next_line(s))
        return fail(s, "nothing there");
    if (!expect(s, "region"))
        return false;
    s->ir->promoted = accept(s, "promoted");
    if (!end_of_line(s) || !(more = next_line(s)))
        return fail(s, "a block is missing");
    while (more)
        if (!block(s, &more))
            return false;
    return resolve_all(s) && finish_blocks(s);
}

int ir_parse(struct ir *ir, const char *text, struct err *e)
{
    struct parser s = {.ir = ir, .e = e, .p = text, .line = 1};
    bool ok;

    ir_reset(ir);
    s.index = calloc(MAX_VALUES, sizeof(*s.index));
    if (!s.index)
        bug("out of memory for a region");
    ok = region(&s);
    free(s.index);
    return ok ? 0 : e->code;
}
