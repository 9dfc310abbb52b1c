/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of verbatim code that a table finds (verbatim_quick.c) are those that reading the instruction in full makes. */
#include "guest/x86/decode.h"
#include "guest/x86/lift_priv.h"
#include "guest/x86/x86.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

enum { LONG = 32, SHORT = X86_MAX_LEN - 1 /* too few for the table */, TRIES = 2000000, PC = 0x401000 };

static bool has_all(unsigned leaf, unsigned sub, unsigned reg, unsigned bit)
{
    return true;
}

static uint64_t state = 0x9e3779b97f4a7c15;

static uint32_t random32(void)
{
    state = state * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(state >> 32);
}

static void make_code(uint8_t code[LONG])
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0x67, 0xf0, 0x64, 0x2e};
    unsigned n = 0;

    for (unsigned i = 0; i < LONG; i++)
        code[i] = (uint8_t)random32();
    if (!(random32() & 3))
        code[n++] = prefixes[random32() % sizeof(prefixes)];
    if (random32() & 1)
        code[n++] = 0x40 | (random32() & 15);
    if (random32() & 1)
        code[n++] = 0x0f;
}

static bool same_parts(const struct verbatim_op *a, const struct verbatim_op *b)
{
    if (a->front != b->front || a->rex != b->rex || a->map != b->map || a->vex != b->vex || a->vsib != b->vsib || a->modrm != b->modrm ||
        a->modrm_there != b->modrm_there || a->high != b->high || a->byte != b->byte || a->tail != b->tail || a->reg != b->reg ||
        a->rm != b->rm || a->low != b->low || a->vvvv != b->vvvv)
        return false;
    return !a->mem || (a->rip == b->rip && a->base == b->base && a->index == b->index && a->scale == b->scale && a->seg == b->seg &&
                       (a->rip ? a->address == b->address : a->disp == b->disp));
}

static bool same_row(const struct verbatim_op *a, const struct verbatim_op *b)
{
    bool direct = a->kind == VERBATIM_JCC || a->kind == VERBATIM_LOOP || a->kind == VERBATIM_CALL || a->kind == VERBATIM_JUMP;
    bool has_imm = a->kind == VERBATIM_PUSH_IMM || a->kind == VERBATIM_RET;

    return a->code == b->code && a->at == b->at && a->kind == b->kind && a->len == b->len && a->opcode == b->opcode && a->mem == b->mem &&
           a->may_fault == b->may_fault && a->fixed == b->fixed && a->again == b->again && a->named == b->named &&
           a->rcx_dead == b->rcx_dead && (!direct || a->target == b->target) && (!has_imm || a->imm == b->imm) &&
           (!a->again || same_parts(a, b));
}

static void print_code(const uint8_t *code, unsigned n)
{
    printf("  differs:");
    for (unsigned i = 0; i < n; i++)
        printf(" %02x", code[i]);
    printf("\n");
}

TEST(verbatim_rows, of_the_table_are_those_read_in_full)
{
    struct x86_features all = x86_features_all();
    struct engine_conf conf = {.kind = ENGINE_INTERP};
    struct cpu *cpu = cpu_new(&guest_x86_64, engine_new(&guest_x86_64, &conf));
    static struct verbatim quick, full;
    unsigned known = 0, differ = 0;
    uint8_t code[LONG];

    x86_program(cpu, X86_CODE64, (unsigned)x86_features_number(&all));
    quick.moved = full.moved = 1u << X86_SP | 3u << 10;
    quick.host_has = full.host_has = has_all;
    for (unsigned i = 0; i < TRIES && differ < 10; i++) {
        make_code(code);
        x86_verbatim(&full, cpu->mode, PC, code, SHORT, 0, 1);
        x86_verbatim(&quick, cpu->mode, PC, code, LONG, 0, 1);
        if (full.n != quick.n || full.len != quick.len || full.rcx_dead != quick.rcx_dead || (full.n && !same_row(&full.op[0], &quick.op[0]))) {
            differ++;
            print_code(code, SHORT);
        }
        known += full.n;
    }
    CHECK_EQ(differ, 0);
    CHECK(known > TRIES / 4);
}

static const struct test tests[] = {
    CASE(verbatim_rows, of_the_table_are_those_read_in_full),
};
TEST_MAIN(tests)
