/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AArch64 guest as the translator sees it: slots, helpers, reset, FP status (cpu/cpu.h). */
#include "guest/aarch64/lift.h"
#include "guest/aarch64/gdb.h"
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/system_priv.h"

#include "cpu/fpmode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define OFF(field) (offsetof(struct cpu, guest) + offsetof(struct a64_state, field))
#define X(n)       [A64_X0 + n] = {"x" #n, OFF(x[n]), IR_I64}
#define KEY(n)     [A64_PAC_KEYS + n] = {"pac_key" #n, OFF(pac_keys[n]), IR_I64}
#define V(n)       [A64_V0 + n] = {"v" #n, OFF(vreg[n]), IR_V128}

#define SYS(field) (offsetof(struct cpu, guest) + offsetof(struct a64_sys, field)), IR_I64

const struct ir_slot a64_slots[A64_NUM_SLOTS] = {
    X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15),
    X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23), X(24), X(25), X(26), X(27), X(28), X(29), X(30),
    V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13), V(14), V(15),
    V(16), V(17), V(18), V(19), V(20), V(21), V(22), V(23), V(24), V(25), V(26), V(27), V(28), V(29), V(30),
    V(31),
    KEY(0), KEY(1), KEY(2), KEY(3), KEY(4), KEY(5), KEY(6), KEY(7),
    [A64_SP] = {"sp", OFF(sp), IR_I64},
    [A64_N] = {"n", OFF(n), IR_I1, true},
    [A64_Z] = {"z", OFF(z), IR_I1, true},
    [A64_C] = {"c", OFF(c), IR_I1, true},
    [A64_V] = {"v", OFF(v), IR_I1, true},
    [A64_EXCL_ADDR] = {"excl_addr", OFF(excl_addr), IR_I64},
    [A64_EXCL_LO] = {"excl_lo", OFF(excl_val[0]), IR_I64},
    [A64_EXCL_HI] = {"excl_hi", OFF(excl_val[1]), IR_I64},
    [A64_TPIDR] = {"tpidr_el0", OFF(tpidr), IR_I64},
    [A64_QC] = {"qc", OFF(qc), IR_V128},
    [A64_DIT] = {"dit", OFF(dit), IR_I1},
    [A64_SSBS] = {"ssbs", OFF(ssbs), IR_I1},
    [A64_SP_EL0] = {"sp_el0", SYS(sp_el[0])},
    [A64_SP_EL1] = {"sp_el1", SYS(sp_el[1])},
    [A64_ELR_EL1] = {"elr_el1", SYS(elr[1])},
    [A64_ELR_EL2] = {"elr_el2", SYS(elr[2])},
    [A64_SPSR_EL1] = {"spsr_el1", SYS(spsr[1])},
    [A64_SPSR_EL2] = {"spsr_el2", SYS(spsr[2])},
    [A64_ESR_EL1] = {"esr_el1", SYS(esr[1])},
    [A64_ESR_EL2] = {"esr_el2", SYS(esr[2])},
    [A64_FAR_EL1] = {"far_el1", SYS(far[1])},
    [A64_FAR_EL2] = {"far_el2", SYS(far[2])},
    [A64_TPIDR_EL1] = {"tpidr_el1", SYS(tpidr[1])},
    [A64_TPIDR_EL2] = {"tpidr_el2", SYS(tpidr[2])},
    [A64_TPIDRRO] = {"tpidrro_el0", SYS(tpidrro)},
    [A64_CONTEXTIDR_EL1] = {"contextidr_el1", SYS(contextidr[1])},
    [A64_CONTEXTIDR_EL2] = {"contextidr_el2", SYS(contextidr[2])},
    [A64_PAR] = {"par_el1", SYS(par)},
    [A64_DAIF] = {"daif", SYS(daif)},
};

static const struct ir_helper helpers[] = {
#define HELPER(name, full) {#name, help_##name, full},
#include "guest/aarch64/helpers.def"
#undef HELPER
};

_Static_assert(sizeof(struct a64_state) <= CPU_GUEST_MAX, "the state fits struct cpu");

/* --- FPCR, FPSR, NZCV --- */

enum {
    FPCR_FZ16 = 1 << 19,
    FPCR_FZ = 1 << 24,
    FPCR_DN = 1 << 25,
    FPCR_AHP = 1 << 26,
    FPCR_RMODE = 3 << 22,
    FPCR_BITS = FPCR_FZ16 | FPCR_FZ | FPCR_DN | FPCR_AHP | FPCR_RMODE,
    FPSR_QC = 1 << 27,
    FPSR_FLAGS = 0x9f,
};

uint32_t a64_get_fpsr(struct cpu *cpu)
{
    const union ir_u *qc = &a64(cpu)->qc;

    fpmode_gather(&cpu->fp);
    return (cpu->fp.flags & FPSR_FLAGS) | (qc->d[0] | qc->d[1] ? FPSR_QC : 0);
}

void a64_set_fpsr(struct cpu *cpu, uint32_t v)
{
    fpmode_gather(&cpu->fp);
    cpu->fp.flags = v & FPSR_FLAGS;
    fpmode_load(&cpu->fp);
    a64(cpu)->qc.d[0] = v & FPSR_QC;
    a64(cpu)->qc.d[1] = 0;
}

void a64_set_fpcr(struct cpu *cpu, uint32_t v)
{
    uint32_t mode = (v & (FPCR_FZ16 | FPCR_AHP) ? A64_MODE_FP_SLOW : 0) |
                    (v & FPCR_FZ ? A64_MODE_FP_FLUSH : 0);

    v &= FPCR_BITS;
    a64(cpu)->fpcr = v;
    cpu->fp.rounding = v >> 22 & 3;
    cpu->fp.fz = v & FPCR_FZ;
    cpu->fp.fz16 = v & FPCR_FZ16;
    cpu->fp.dn = v & FPCR_DN;
    cpu->fp.ahp = v & FPCR_AHP;
    fpmode_load(&cpu->fp);
    cpu_set_mode(cpu, (cpu->mode & ~(A64_MODE_FP_SLOW | A64_MODE_FP_FLUSH)) | mode);
}

uint32_t a64_get_nzcv(struct cpu *cpu)
{
    const struct a64_state *s = a64(cpu);

    return (uint32_t)s->n << 31 | (uint32_t)s->z << 30 | (uint32_t)s->c << 29 | (uint32_t)s->v << 28;
}

void a64_set_nzcv(struct cpu *cpu, uint32_t v)
{
    struct a64_state *s = a64(cpu);

    s->n = v >> 31 & 1;
    s->z = v >> 30 & 1;
    s->c = v >> 29 & 1;
    s->v = v >> 28 & 1;
}

enum { PSTATE_DIT = 24, PSTATE_SSBS = 12, PSTATE_BTYPE = 10 }; /* lowest bits */

uint32_t a64_get_pstate(struct cpu *cpu)
{
    const struct a64_state *s = a64(cpu);

    return a64_get_nzcv(cpu) | (uint32_t)s->dit << PSTATE_DIT | (uint32_t)s->ssbs << PSTATE_SSBS |
           cpu->landing << PSTATE_BTYPE;
}

void a64_set_pstate(struct cpu *cpu, uint32_t v)
{
    struct a64_state *s = a64(cpu);

    a64_set_nzcv(cpu, v);
    s->dit = v >> PSTATE_DIT & 1;
    s->ssbs = v >> PSTATE_SSBS & 1;
    cpu->landing = v >> PSTATE_BTYPE & 3;
}

/* --- Reset --- */

void a64_reset_pac_keys(struct cpu *cpu, unsigned which)
{
    uint64_t *keys = a64(cpu)->pac_keys;

    uint64_t fresh[10];

    while (getrandom(fresh, sizeof(fresh), 0) != sizeof(fresh))
        ;
    for (unsigned i = 0; i < 10; i++) {
        if (!which || (which >> i / 2 & 1))
            keys[i] = fresh[i];
    }
}

static void reset(struct cpu *cpu)
{
    memset(cpu->guest, 0, sizeof(cpu->guest));
    cpu->mode = 0;
    memset(&cpu->fp, 0, sizeof(cpu->fp));
    a64(cpu)->excl_addr = ~0ull;
}

/* --- For logs: the row and its fields; a real disassembler is not worth its size here --- */

unsigned a64_disas(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len)
{
    struct a64_fields f;
    const uint32_t *field = &f.a;
    uint32_t word;
    unsigned row;
    int n;

    if (avail < 4) {
        snprintf(buf, len, "(unreadable)");
        return 4;
    }
    memcpy(&word, code, sizeof(word));
    row = a64_decode(word, a64_mode_feats(mode), &f);
    n = snprintf(buf, len, "%08x  %s", word, a64_row_name(row));
    if (row == A64_NO_ROW)
        return 4;
    for (char c = 'a'; c <= 'z' && n > 0 && (size_t)n < len; c++) {
        if (strchr(a64_row_pattern(row), c))
            n += snprintf(buf + n, len - n, " %c=%u", c, field[c - 'a']);
    }
    return 4;
}

static void dump(struct cpu *cpu, FILE *f, bool vectors)
{
    static const char letters[] = "VCZN";
    const struct a64_state *s = a64(cpu);
    uint32_t nzcv = a64_get_nzcv(cpu);

    fprintf(f, " PC=%016" PRIx64, cpu->pc);
    for (unsigned i = 0; i < 31; i++)
        fprintf(f, "%sX%02u=%016" PRIx64, i % 3 == 2 ? "\n" : " ", i, s->x[i]);
    fprintf(f, "  SP=%016" PRIx64 "\nPSTATE=%08x ", s->sp, nzcv);
    for (unsigned i = 4; i-- > 0;)
        putc(nzcv >> (28 + i) & 1 ? letters[i] : '-', f);
    fprintf(f, " FPCR=%08x FPSR=%08x\n", (unsigned)s->fpcr, a64_get_fpsr(cpu));
    for (unsigned i = 0; vectors && i < 32; i++)
        fprintf(f, "Q%02u=%016" PRIx64 ":%016" PRIx64 "%c", i, s->vreg[i].d[1], s->vreg[i].d[0],
                i % 2 ? '\n' : ' ');
}

const struct guest_isa guest_aarch64 = {
    .mode_fp_slow = A64_MODE_FP_SLOW,
    .tag_bits = 8,
    .mode_fp_flush = A64_MODE_FP_FLUSH,
    .name = "aarch64",
    .pc_shift = 2,
    .longest = 4,
    .slots = a64_slots,
    .n_slots = A64_USER_SLOTS,
    .helpers = helpers,
    .n_helpers = A64_NUM_HELPERS,
    .lift = a64_lift,
    .flat = a64_flat,
    .scan = a64_scan,
    .idle_dead = a64_idle_dead,
    .idle_effect = a64_idle_effect,
    .lands = a64_lands,
    .reset = reset,
    .disas = a64_disas,
    .dump = dump,
    .gdb = &a64_gdb,
};
