/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SCRIPTS processor of an LSI53C895A, as initiator: technical manual 2.2, chapter 5. */
#include "dev/scsi/lsi_priv.h"

/* At a time, instructions and so many bytes moved by them; then others get the machine's lock, for longer each time when there is no end. */
enum { SLICE = 5000, BYTES_PER_INSN = 64, PAUSE_NS = 10000, PAUSE_MAX_NS = 10000000, COPY = 4096 };
enum { KIND_MOVE, KIND_IO, KIND_CONTROL, KIND_MEMORY };

struct insn {
    uint32_t at, op, arg;
    unsigned cost;
};

static int32_t sext24(uint32_t v)
{
    return (int32_t)(v << 8) >> 8;
}

static uint64_t with_upper(struct lsi *s, unsigned reg, uint32_t low)
{
    return (uint64_t)lsi_get(s, reg) << 32 | low;
}

static bool fetch32(struct lsi *s, uint32_t *v)
{
    uint32_t at = lsi_get(s, DSP);
    uint8_t le[4];

    if (!lsi_read(s, with_upper(s, SFS, at), le, 4))
        return false;
    *v = get_le32(le);
    lsi_set(s, DSP, at + 4);
    return true;
}

/* The instruction, after which DSP is already, has to be tried again when the target goes on, or when the host does.  Selection takes its
 * time on a bus, while SCRIPTS go on up to here: then it is known that nobody has answered. */
static void wait_in(struct lsi *s, const struct insn *i, enum lsi_run why)
{
    s->waits_in = i->at;
    s->run = why;
    if (s->selecting)
        lsi_scsi_irq(s, SIST1_STO << 8);
    s->selecting = false;
}

/* --- Block moves, 5.2 ----------------------------------------------------------------------- */

struct block {
    uint64_t at;
    uint32_t count, entry; /* entry: where in memory, of table indirect moves */
    uint8_t upper;         /* byte of the count, for RBC */
};

/* Upper halves that the entry chooses, manual of CCNTL1: 16 scratch registers, then the selectors. */
static uint64_t selected(struct lsi *s, uint8_t n, uint32_t low)
{
    enum { SCRATCH = 16, ALL = 22 };

    n &= 0x1f;
    return n >= ALL ? low : with_upper(s, n < SCRATCH ? SCRATCHC + 4 * n : MMRS + 4 * (n - SCRATCH), low);
}

static bool table_entry(struct lsi *s, uint32_t offset, struct block *b)
{
    uint8_t ccntl1 = s->reg[CCNTL1], e[8];
    uint32_t low;

    b->entry = lsi_get(s, DSA) + (uint32_t)sext24(offset);
    if (!lsi_read(s, with_upper(s, DRS, b->entry), e, 8))
        return false;
    b->count = get_le32(e) & 0xffffff;
    b->upper = e[3];
    low = get_le32(e + 4);
    if (!(ccntl1 & CCNTL1_EN64TIBMV))
        b->at = with_upper(s, SBMS, low);
    else
        b->at = ccntl1 & CCNTL1_64TIMOD ? (uint64_t)e[3] << 32 | low : selected(s, e[3], low);
    return true;
}

static bool find_block(struct lsi *s, const struct insn *i, struct block *b)
{
    enum { TABLE = 1 << 28, INDIRECT = 1 << 29 };
    uint32_t upper = lsi_get(s, SBMS);
    uint8_t le[4];

    if (i->op & TABLE)
        return table_entry(s, i->arg, b);
    *b = (struct block){.count = i->op & 0xffffff, .upper = (uint8_t)(i->op >> 24)};
    if (s->reg[CCNTL1] & CCNTL1_EN64DBMV && !fetch32(s, &upper))
        return false;
    b->at = (uint64_t)upper << 32 | i->arg;
    if (!(i->op & INDIRECT))
        return true;
    if (!lsi_read(s, b->at, le, 4))
        return false;
    b->at = with_upper(s, SBMS, get_le32(le));
    return true;
}

/* The target asks for another phase, and @left bytes have not been moved. */
static void mismatch(struct lsi *s, const struct insn *i, const struct block *b, uint32_t moved)
{
    uint8_t ccntl0 = s->reg[CCNTL0];
    bool in = i->op >> 24 & 1; /* I/O of the instruction's phase */

    if (!(ccntl0 & CCNTL0_ENPMJ)) {
        lsi_scsi_irq(s, SIST0_MA);
        return;
    }
    lsi_set(s, UA, (uint32_t)b->at + moved);
    lsi_set(s, RBC, (uint32_t)b->upper << 24 | (b->count - moved));
    lsi_set(s, ESA, b->entry);
    lsi_set(s, IA, i->at);
    lsi_set(s, DSP, lsi_get(s, ccntl0 & CCNTL0_PMJCTL && in ? PMJAD2 : PMJAD1)); /* else by WSR, which is never set here */
}

static void block_move(struct lsi *s, struct insn *i)
{
    uint8_t phase = i->op >> 24 & 7, first = 0;
    uint32_t moved = 0, n;
    struct block b;

    if (!s->link.connected || s->link.busy) {
        wait_in(s, i, LSI_WAITS_TARGET);
        return;
    }
    if (!find_block(s, i, &b))
        return;
    if (!b.count) /* illegal by the manual; SeaBIOS has it in commands without data */
        return;
    if (phase == PHASE_MSG_OUT)
        lsi_hear(s);
    while (moved < b.count && s->link.phase == phase && (n = (uint32_t)min_u64(lsi_wants(s), b.count - moved))) {
        uint8_t byte;

        if (!lsi_move(s, b.at + moved, n, &byte))
            return;
        first = moved ? first : byte;
        moved += n;
        i->cost += n / BYTES_PER_INSN;
    }
    if (moved) {
        s->reg[SFBR] = first;
        lsi_out_ends(s);
    }
    lsi_set(s, SBC, moved);
    lsi_set(s, CSBC, lsi_get(s, CSBC) + (phase <= PHASE_DATA_IN ? moved : 0));
    put_le16(s->reg + DBC, (uint16_t)(b.count - moved));
    s->reg[DBC + 2] = (uint8_t)((b.count - moved) >> 16);
    lsi_set(s, DNAD, (uint32_t)b.at + moved);
    if (moved < b.count && s->run == LSI_RUNNING)
        mismatch(s, i, &b, moved);
}

/* --- I/O and registers, 5.3 and 5.4 --------------------------------------------------------- */

enum { IO_RELATIVE = 1 << 26, IO_TABLE = 1 << 25, IO_ATN = 1 << 24, IO_CARRY = 1 << 10, IO_ACK = 1 << 6, IO_SET_ATN = 1 << 3 };

static void jump(struct lsi *s, const struct insn *i, bool relative)
{
    lsi_set(s, DSP, relative ? lsi_get(s, DSP) + (uint32_t)sext24(i->arg) : i->arg);
}

static void select_target(struct lsi *s, const struct insn *i)
{
    uint8_t e[4] = {[2] = (uint8_t)(i->op >> 16)};

    if (s->link.taken && s->link.after == LSI_BUS_FREE) /* SeaBIOS leaves the target of its last command like that */
        lsi_drop(s);
    if (s->link.connected) { /* it was selected itself, or this is nonsense: the alternative */
        jump(s, i, i->op & IO_RELATIVE);
        return;
    }
    if (i->op & IO_TABLE) {
        if (!lsi_read(s, with_upper(s, DRS, lsi_get(s, DSA) + (uint32_t)sext24(i->op)), e, 4))
            return;
        s->reg[SXFER] = e[1];
        s->reg[SCNTL3] = e[3];
    }
    s->reg[SDID] = e[2] & 0xf;
    s->selecting = !lsi_select(s, s->reg[SDID], i->op & IO_ATN);
}

/* Nobody reselects us, so this ends only when the host has something new (SIGP). */
static void wait_reselect(struct lsi *s, const struct insn *i)
{
    if (s->reg[ISTAT0] & ISTAT_SIGP)
        jump(s, i, i->op & IO_RELATIVE);
    else
        wait_in(s, i, LSI_WAITS_RESELECT);
}

static void set_or_clear(struct lsi *s, const struct insn *i, bool on)
{
    if (i->op & IO_CARRY)
        s->carry = on;
    if (i->op & IO_SET_ATN && s->link.connected)
        s->link.atn = on;
    if (i->op & IO_ACK && !on)
        lsi_ack(s);
}

static void wait_disconnect(struct lsi *s, const struct insn *i)
{
    s->reg[SCNTL2] &= (uint8_t)~SCNTL2_SDU; /* that is what is waited for */
    lsi_ack(s);
    if (s->link.connected)
        wait_in(s, i, LSI_WAITS_TARGET);
}

/* Operators of register moves, with the carry. */
static uint8_t combine(struct lsi *s, unsigned operator, uint8_t a, uint8_t b)
{
    unsigned sum;
    bool c = s->carry;

    switch (operator) {
    case 0: return b;
    case 1: s->carry = a >> 7; return (uint8_t)(a << 1 | c);
    case 2: return a | b;
    case 3: return a ^ b;
    case 4: return a & b;
    case 5: s->carry = a & 1; return (uint8_t)(a >> 1 | c << 7);
    default:
        sum = a + b + (operator == 7 && c);
        s->carry = sum >> 8;
        return (uint8_t)sum;
    }
}

static void register_move(struct lsi *s, const struct insn *i)
{
    enum { TO_SFBR = 6, FROM_SFBR = 5, USE_SFBR = 1 << 23 };
    unsigned how = i->op >> 27 & 7;
    uint8_t reg = (uint8_t)((i->op >> 16 & 0x7f) | (i->op & 0x80)), data = (uint8_t)(i->op >> 8), v;

    if (i->op & USE_SFBR)
        data = s->reg[SFBR];
    v = combine(s, i->op >> 24 & 7, how == FROM_SFBR ? s->reg[SFBR] : lsi_reg_read(s, reg), data);
    if (how == TO_SFBR)
        s->reg[SFBR] = v;
    else
        lsi_reg_write(s, reg, v);
}

static void input_output(struct lsi *s, const struct insn *i)
{
    switch (i->op >> 27 & 7) {
    case 0: select_target(s, i); break;
    case 1: wait_disconnect(s, i); break;
    case 2: wait_reselect(s, i); break;
    case 3: set_or_clear(s, i, true); break;
    case 4: set_or_clear(s, i, false); break;
    default: register_move(s, i); break;
    }
}

/* --- Transfer of control, 5.5 --------------------------------------------------------------- */

enum { TC_RELATIVE = 1 << 23, TC_CARRY = 1 << 21, TC_FLY = 1 << 20, TC_TRUE = 1 << 19, TC_DATA = 1 << 18, TC_PHASE = 1 << 17, TC_WAIT = 1 << 16 };

static bool condition(struct lsi *s, const struct insn *i)
{
    uint8_t mask = (uint8_t)(i->op >> 8), data = (uint8_t)i->op;
    bool yes = true;

    if (i->op & TC_CARRY)
        yes = s->carry;
    if (i->op & TC_PHASE)
        yes = yes && s->link.connected && s->link.phase == (i->op >> 24 & 7);
    if (i->op & TC_DATA)
        yes = yes && ((s->reg[SFBR] ^ data) & (uint8_t)~mask) == 0;
    return yes == !!(i->op & TC_TRUE);
}

static void transfer_control(struct lsi *s, const struct insn *i)
{
    enum { JUMP, CALL, RETURN, INT };

    if (i->op & TC_WAIT && i->op & TC_PHASE && (!s->link.connected || s->link.busy || s->link.taken)) {
        wait_in(s, i, LSI_WAITS_TARGET);
        return;
    }
    if (!condition(s, i))
        return;
    switch (i->op >> 27 & 7) {
    case CALL:
        lsi_set(s, TEMP, lsi_get(s, DSP));
        jump(s, i, i->op & TC_RELATIVE);
        break;
    case JUMP: jump(s, i, i->op & TC_RELATIVE); break;
    case RETURN: lsi_set(s, DSP, lsi_get(s, TEMP)); break;
    case INT:
        if (i->op & TC_FLY) {
            s->reg[ISTAT0] |= ISTAT_INTF;
            lsi_update_irq(s);
        } else {
            lsi_dma_irq(s, DSTAT_SIR);
        }
        break;
    default: lsi_dma_irq(s, DSTAT_IID); break;
    }
}

/* --- Memory, 5.6 and 5.7 -------------------------------------------------------------------- */

static void memory_move(struct lsi *s, struct insn *i)
{
    uint32_t count = i->op & 0xffffff, to;
    uint64_t src = with_upper(s, MMRS, i->arg), dest;
    uint8_t buf[COPY];

    if (!fetch32(s, &to))
        return;
    lsi_set(s, TEMP, to);
    dest = with_upper(s, MMWS, to);
    i->cost += count / BYTES_PER_INSN;
    for (uint32_t at = 0, n; at < count; at += n) {
        n = (uint32_t)min_u64(count - at, COPY);
        if (!lsi_read(s, src + at, buf, n) || !lsi_write(s, dest + at, buf, n))
            return;
    }
}

static void load_store(struct lsi *s, const struct insn *i)
{
    enum { FROM_DSA = 1 << 28, LOAD = 1 << 24 };
    uint8_t reg = (uint8_t)(i->op >> 16), buf[4];
    unsigned n = i->op & 7;
    uint64_t at = i->op & FROM_DSA ? with_upper(s, DRS, lsi_get(s, DSA) + (uint32_t)sext24(i->arg))
                                   : with_upper(s, i->op & LOAD ? MMRS : MMWS, i->arg);

    if (!n || n > 4) {
        lsi_dma_irq(s, DSTAT_IID);
        return;
    }
    if (i->op & LOAD) {
        if (!lsi_read(s, at, buf, n))
            return;
        for (unsigned k = 0; k < n; k++)
            lsi_reg_write(s, (uint8_t)(reg + k), buf[k]);
        return;
    }
    for (unsigned k = 0; k < n; k++)
        buf[k] = lsi_reg_read(s, (uint8_t)(reg + k));
    lsi_write(s, at, buf, n);
}

/* --- The processor -------------------------------------------------------------------------- */

static unsigned step(struct lsi *s)
{
    enum { LOAD_STORE = 1 << 29 };
    struct insn i = {.at = lsi_get(s, DSP), .cost = 1};

    if (!fetch32(s, &i.op) || !fetch32(s, &i.arg))
        return 1;
    TRACE(&lsi_trace[TP_LSI_INSN], "at=%#x op=%#x arg=%#x", i.at, i.op, i.arg);
    s->reg[DCMD] = (uint8_t)(i.op >> 24);
    put_le16(s->reg + DBC, (uint16_t)i.op);
    s->reg[DBC + 2] = (uint8_t)(i.op >> 16);
    lsi_set(s, DSPS, i.arg);
    switch (i.op >> 30) {
    case KIND_MOVE: block_move(s, &i); break;
    case KIND_IO: input_output(s, &i); break;
    case KIND_CONTROL: transfer_control(s, &i); break;
    case KIND_MEMORY: (i.op & LOAD_STORE) ? load_store(s, &i) : memory_move(s, &i); break;
    }
    if (s->reg[DCNTL] & DCNTL_SSM && s->run == LSI_RUNNING)
        lsi_dma_irq(s, DSTAT_SSI);
    return i.cost;
}

void lsi_execute(struct lsi *s)
{
    unsigned done = 0;

    if (s->executing) /* by an instruction, in its own registers */
        return;
    s->executing = true;
    while (s->run == LSI_RUNNING && done < SLICE)
        done += step(s);
    s->executing = false;
    lsi_resets(s);
    s->pause = s->run != LSI_RUNNING ? 0 : s->pause ? (uint32_t)min_u64(2 * s->pause, PAUSE_MAX_NS) : PAUSE_NS;
    if (s->pause)
        timer_at(&s->resume, clock_now(s->pci.dev.m, CLK_VIRT) + s->pause);
}

void lsi_go_on(struct lsi *s)
{
    lsi_set(s, DSP, s->waits_in);
    s->run = LSI_RUNNING;
    if (s->held)
        timer_at(&s->resume, 0);
    else
        lsi_execute(s);
}
