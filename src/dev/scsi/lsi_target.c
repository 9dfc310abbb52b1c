/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SCSI bus of an LSI53C895A: a target that was selected asks for one phase after the other.  It never disconnects while it works,
 * which targets need not do.  SPI-3 (phases, messages, negotiations); SAM-5.
 */
#include "dev/scsi/lsi_priv.h"

#include <stdlib.h>

/* Messages, SPI-3 16. */
enum { M_COMPLETE = 0, M_EXTENDED = 1, M_ABORT = 6, M_REJECT = 7, M_RESET = 0x0c, M_ABORT_TAG = 0x0d, M_CLEAR_QUEUE = 0x0e, M_SIMPLE = 0x20,
       M_ORDERED = 0x22, M_IDENTIFY = 0x80 };
enum { X_SYNC = 1, X_WIDE = 3, X_PARALLEL = 4 };

static void bus_free(struct lsi *s)
{
    lsi_drop(s);
    if (s->reg[SCNTL2] & SCNTL2_SDU)
        lsi_scsi_irq(s, SIST0_UDC);
}

static void free_data(struct lsi *s)
{
    free(s->data.data);
    s->data = (struct state_blob){NULL, 0};
}

void lsi_drop(struct lsi *s)
{
    free_data(s);
    memset(&s->link, 0, sizeof(s->link));
    s->reg[SCNTL1] &= (uint8_t)~SCNTL1_CON;
}

bool lsi_select(struct lsi *s, uint8_t target, bool atn)
{
    static const uint8_t test_ready[LSI_CDB];
    uint64_t len;
    bool out;

    if (!scsi_bus_moves(&s->bus, target, 0, test_ready, &len, &out))
        return false;
    lsi_drop(s);
    s->link.connected = true;
    s->link.target = target;
    s->link.atn = atn;
    s->link.phase = atn ? PHASE_MSG_OUT : PHASE_COMMAND;
    s->link.back = PHASE_COMMAND;
    s->reg[SCNTL1] |= SCNTL1_CON;
    s->reg[SCNTL2] |= SCNTL2_SDU;
    return true;
}

/* SeaBIOS selects without ATN, and identifies itself all the same: our targets hear it. */
void lsi_hear(struct lsi *s)
{
    struct lsi_link *l = &s->link;

    if (l->phase == PHASE_COMMAND && !l->cdb_n)
        l->phase = PHASE_MSG_OUT;
}

/* --- Messages ------------------------------------------------------------------------------- */

static void say(struct lsi_link *l, const uint8_t *msg, uint8_t n, enum lsi_after after)
{
    if (l->msg_n + n > LSI_MSG)
        return;
    memcpy(l->msg + l->msg_n, msg, n);
    l->msg_n += n;
    l->after = after;
}

static void reject(struct lsi_link *l)
{
    uint8_t no = M_REJECT;

    say(l, &no, 1, LSI_BACK);
}

/* Whatever widths and rates are asked for are fine with us: the answer is the question.  Returns its length. */
static unsigned negotiate(struct lsi_link *l, const uint8_t *m, unsigned left)
{
    unsigned len = left < 3 ? left : 2u + (m[1] ? m[1] : 256);
    static const uint8_t lens[] = {[X_SYNC] = 3, [X_WIDE] = 2, [X_PARALLEL] = 6};

    if (len > left || len < 3 || m[2] >= sizeof(lens) || lens[m[2]] != m[1]) {
        reject(l);
        return left;
    }
    say(l, m, (uint8_t)len, LSI_BACK);
    return len;
}

/* Returns how long it is; 0: the bus is free after it. */
static unsigned message(struct lsi *s, const uint8_t *m, unsigned left)
{
    struct lsi_link *l = &s->link;

    if (m[0] & M_IDENTIFY) {
        l->lun = m[0] & 7;
        return 1;
    }
    if (m[0] >= M_SIMPLE && m[0] <= M_ORDERED)
        return 2; /* a queue tag: there is one command at a time */
    switch (m[0]) {
    case M_EXTENDED: return negotiate(l, m, left);
    case M_RESET: scsi_bus_reset(&s->bus, l->target, UINT32_MAX); return 0;
    case M_ABORT:
    case M_ABORT_TAG:
    case M_CLEAR_QUEUE: return 0;
    case 5: /* initiator detected error, */
    case M_REJECT:
    case 8: /* no operation, */
    case 9: /* message parity error: we never said anything that matters */ return 1;
    default: reject(l); return 1;
    }
}

static void next_phase(struct lsi_link *l)
{
    l->phase = l->msg_at < l->msg_n ? PHASE_MSG_IN : l->atn ? PHASE_MSG_OUT : l->back;
}

static void messages_end(struct lsi *s)
{
    struct lsi_link *l = &s->link;
    unsigned at = 0, n;

    l->msg_n = l->msg_at = 0;
    for (; at < l->out_n; at += n) {
        if (!(n = message(s, l->out + at, l->out_n - at))) {
            bus_free(s);
            return;
        }
    }
    l->out_n = 0;
    if (l->back == PHASE_MSG_IN && !l->msg_n) { /* the command was complete already */
        bus_free(s);
        return;
    }
    next_phase(l);
}

void lsi_ack(struct lsi *s)
{
    struct lsi_link *l = &s->link;

    if (!l->connected || !l->taken)
        return;
    l->taken = false;
    if (l->after == LSI_BUS_FREE && !l->atn) {
        bus_free(s);
        return;
    }
    next_phase(l);
}

/* --- The command ---------------------------------------------------------------------------- */

static void done(struct scsi_job *j, bool found)
{
    struct lsi *s = (struct lsi *)((char *)j - offsetof(struct lsi, job));
    struct lsi_link *l = &s->link;

    if (j->c.again) {
        l->again = true;
        return;
    }
    l->busy = false;
    l->status = found ? j->c.status : SCSI_CHECK_CONDITION;
    l->at = 0;
    l->len = l->to_target ? 0 : (uint32_t)min_u64(j->c.moved, l->len);
    s->data.len = l->len;
    l->phase = l->back = l->len ? PHASE_DATA_IN : PHASE_STATUS;
    if (!l->len)
        free_data(s);
    if (s->run == LSI_WAITS_TARGET)
        lsi_go_on(s);
}

void lsi_command(struct lsi *s)
{
    struct lsi_link *l = &s->link;

    TRACE(&lsi_trace[TP_LSI_COMMAND], "target=%u lun=%u op=%#x len=%u", l->target, l->lun, l->cdb[0], l->len);
    s->job = (struct scsi_job){.target = l->target, .lun = l->lun, .done = done};
    memcpy(s->job.c.cdb, l->cdb, LSI_CDB);
    s->iov = (struct iovec){s->data.data, l->len};
    s->job.c.in = s->job.c.out = &s->iov;
    *(l->to_target ? &s->job.c.n_out : &s->job.c.n_in) = l->len ? 1 : 0;
    *(l->to_target ? &s->job.c.out_len : &s->job.c.in_len) = l->len;
    l->busy = true;
    l->phase = l->back = PHASE_STATUS; /* most likely; it is not asked for yet */
    scsi_job_start(&s->jobs, &s->job);
}

/* A command that would move more than we keep is run without data, and fails for that. */
static void command_ends(struct lsi *s)
{
    struct lsi_link *l = &s->link;
    uint64_t len = 0;

    if (!scsi_bus_moves(&s->bus, l->target, l->lun, l->cdb, &len, &l->to_target) || len > LSI_DATA_MAX)
        len = 0;
    free_data(s);
    l->at = 0;
    l->len = (uint32_t)len;
    if (len && !(s->data.data = calloc(1, len)))
        l->len = 0;
    s->data.len = l->len;
    if (l->to_target && l->len)
        l->phase = l->back = PHASE_DATA_OUT;
    else
        lsi_command(s);
}

/* --- Bytes ---------------------------------------------------------------------------------- */

uint32_t lsi_wants(const struct lsi *s)
{
    const struct lsi_link *l = &s->link;

    switch (l->phase) {
    case PHASE_DATA_OUT:
    case PHASE_DATA_IN: return l->len - l->at;
    case PHASE_COMMAND: return LSI_CDB - l->cdb_n; /* more than the command needs: SeaBIOS always sends 16 bytes */
    case PHASE_STATUS: return 1;
    case PHASE_MSG_OUT: return LSI_MSG - l->out_n;
    default: return l->taken ? 0 : l->msg_n - l->msg_at;
    }
}

/* CDBs of groups that have no length of their own are as long as the initiator makes them. */
static bool take_cdb(struct lsi *s, uint64_t at, uint32_t n)
{
    struct lsi_link *l = &s->link;

    if (!lsi_read(s, at, l->cdb + l->cdb_n, n))
        return false;
    l->cdb_n += (uint8_t)n;
    return true;
}

static bool move_data(struct lsi *s, uint64_t at, uint32_t n)
{
    struct lsi_link *l = &s->link;
    uint8_t *p = s->data.data + l->at;

    if (!(l->to_target ? lsi_read(s, at, p, n) : lsi_write(s, at, p, n)))
        return false;
    l->at += n;
    return true;
}

static bool move_byte(struct lsi *s, uint64_t at, uint8_t v)
{
    return lsi_write(s, at, &v, 1);
}

bool lsi_move(struct lsi *s, uint64_t at, uint32_t n, uint8_t *first)
{
    struct lsi_link *l = &s->link;
    bool ok = true;

    switch (l->phase) {
    case PHASE_COMMAND: ok = take_cdb(s, at, n); *first = l->cdb[0]; break;
    case PHASE_STATUS: ok = move_byte(s, at, *first = l->status); break;
    case PHASE_MSG_OUT:
        ok = lsi_read(s, at, l->out + l->out_n, n);
        *first = l->out[l->out_n];
        l->out_n += (uint8_t)n;
        break;
    case PHASE_MSG_IN:
        *first = l->msg[l->msg_at];
        ok = lsi_write(s, at, l->msg + l->msg_at, n);
        l->msg_at += (uint8_t)n;
        break;
    default: *first = s->data.data[l->at]; ok = move_data(s, at, n); break;
    }
    return ok;
}

/* Every phase but that of messages out ends when the target has what it wants. */
void lsi_out_ends(struct lsi *s)
{
    static const uint8_t complete = M_COMPLETE;
    struct lsi_link *l = &s->link;
    unsigned cdb = scsi_cdb_len(l->cdb[0]);

    switch (l->phase) {
    case PHASE_MSG_OUT: l->atn = false; messages_end(s); break;
    case PHASE_COMMAND:
        if (l->cdb_n && (!cdb || l->cdb_n >= cdb))
            command_ends(s);
        break;
    case PHASE_STATUS:
        l->back = l->phase = PHASE_MSG_IN;
        l->msg_n = l->msg_at = 0;
        say(l, &complete, 1, LSI_BUS_FREE);
        break;
    case PHASE_MSG_IN: l->taken = l->msg_at == l->msg_n; break;
    case PHASE_DATA_OUT:
        if (l->at == l->len)
            lsi_command(s);
        break;
    case PHASE_DATA_IN:
        if (l->at < l->len)
            break;
        l->phase = l->back = PHASE_STATUS;
        l->at = l->len = 0;
        free_data(s);
        break;
    }
}
