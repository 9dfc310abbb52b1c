/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe admin commands, done at once under the machine's lock (NVM Express 1.4, chapter 5). */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"

#include <stdio.h>

enum {
    ADMIN_DELETE_SQ = 0x00,
    ADMIN_CREATE_SQ = 0x01,
    ADMIN_GET_LOG = 0x02,
    ADMIN_DELETE_CQ = 0x04,
    ADMIN_CREATE_CQ = 0x05,
    ADMIN_IDENTIFY = 0x06,
    ADMIN_ABORT = 0x08,
    ADMIN_SET_FEATURES = 0x09,
    ADMIN_GET_FEATURES = 0x0a,
    ADMIN_ASYNC_EVENT = 0x0c,
    ADMIN_KEEP = -1, /* no answer now */
};
enum { CONTIGUOUS = 1, IRQ_ON = 2 };
enum { TEMPERATURE = 0x143, MQES = 0x7ff, VERSION = 0x00010400 };

/* Queues (5.3 to 5.6) ---------------------------------------------------------------------------- */

static unsigned create_cq(struct nvme *n, const struct nvme_cmd *c)
{
    uint32_t id = c->cdw10 & 0xffff, size = (c->cdw10 >> 16) + 1, vector = c->cdw11 >> 16;

    if (!id || id >= n->n_queues || n->cq[id].used)
        return NVME_QID_INVALID;
    if (size < 2 || size > MQES + 1)
        return NVME_QSIZE_INVALID;
    if (!c->prp1 || c->prp1 & (n->page - 1))
        return NVME_PRP_OFFSET;
    if (msix_enabled(&n->pci) ? vector >= n->pci.msix.vectors : vector != 0)
        return NVME_VECTOR_INVALID;
    if (!(c->cdw11 & CONTIGUOUS))
        return NVME_INVALID_FIELD;
    pthread_mutex_lock(&n->lock);
    n->cq[id] = (struct nvme_cq){.used = true,
                                 .irq_on = c->cdw11 & IRQ_ON,
                                 .phase = true,
                                 .vector = vector,
                                 .size = size,
                                 .base = c->prp1};
    pthread_mutex_unlock(&n->lock);
    return NVME_OK;
}

static unsigned create_sq(struct nvme *n, const struct nvme_cmd *c)
{
    uint32_t id = c->cdw10 & 0xffff, size = (c->cdw10 >> 16) + 1, cqid = c->cdw11 >> 16;

    if (!cqid || cqid >= n->n_queues || !n->cq[cqid].used)
        return NVME_CQ_INVALID;
    if (!id || id >= n->n_queues || n->sq[id].used)
        return NVME_QID_INVALID;
    if (size < 2 || size > MQES + 1)
        return NVME_QSIZE_INVALID;
    if (!c->prp1 || c->prp1 & (n->page - 1))
        return NVME_PRP_OFFSET;
    if (!(c->cdw11 & CONTIGUOUS))
        return NVME_INVALID_FIELD;
    pthread_mutex_lock(&n->lock);
    n->sq[id] = (struct nvme_sq){.used = true, .cqid = cqid, .size = size, .base = c->prp1};
    pthread_mutex_unlock(&n->lock);
    return NVME_OK;
}

/* What is in work ends first; what waits is dropped (5.6). */
static unsigned delete_sq(struct nvme *n, const struct nvme_cmd *c)
{
    uint32_t id = c->cdw10 & 0xffff;

    if (!id || id >= n->n_queues || !n->sq[id].used)
        return NVME_QID_INVALID;
    pthread_mutex_lock(&n->lock);
    n->sq[id].tail = n->sq[id].head;
    while (n->sq[id].inflight)
        pthread_cond_wait(&n->calm, &n->lock);
    nvme_forget_later(n, id);
    n->sq[id].used = false;
    pthread_mutex_unlock(&n->lock);
    return NVME_OK;
}

static unsigned delete_cq(struct nvme *n, const struct nvme_cmd *c)
{
    uint32_t id = c->cdw10 & 0xffff;

    if (!id || id >= n->n_queues || !n->cq[id].used)
        return NVME_QID_INVALID;
    for (uint32_t i = 1; i < n->n_queues; i++)
        if (n->sq[i].used && n->sq[i].cqid == id)
            return NVME_QUEUE_DELETION;
    pthread_mutex_lock(&n->lock);
    n->cq[id].used = false;
    pthread_mutex_unlock(&n->lock);
    nvme_update_pin(n);
    return NVME_OK;
}

/* Identify (5.15) ------------------------------------------------------------------------------ */

static void put_text(uint8_t *at, size_t len, const char *text)
{
    size_t n = strnlen(text, len);

    memset(at, ' ', len);
    memcpy(at, text, n);
}

static void identify_ctrl(const struct nvme *n, uint8_t *b)
{
    put_le16(b, pci_get16(&n->pci, PCI_VENDOR_ID));
    put_le16(b + 2, pci_get16(&n->pci, PCI_SUBSYSTEM_VENDOR_ID));
    put_text(b + 4, 20, n->serial);
    put_text(b + 24, 40, "QEMU NVMe Ctrl"); /* what guests know such disks by */
    put_text(b + 64, 8, "1.0");
    b[72] = 6; /* recommended arbitration burst */
    b[74] = 0x54;
    b[75] = 0x52;
    b[77] = n->mdts;
    put_le32(b + 80, VERSION);
    put_le32(b + 92, 1 << 8); /* events: namespace attributes */
    b[111] = 1;               /* an I/O controller */
    b[258] = 3;               /* abort limit */
    b[259] = n->aerl;
    b[260] = 3;               /* one firmware slot, read-only */
    b[261] = 1 << 1 | 1 << 2; /* log pages: effects, offsets */
    put_le16(b + 266, TEMPERATURE + 20);
    put_le16(b + 268, TEMPERATURE + 50);
    b[512] = 0x66;
    b[513] = 0x44;
    put_le32(b + 516, NVME_MAX_NS);
    /* compare, dataset management, write zeroes, timestamp, verify */
    put_le16(b + 520, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7);
    b[525] = 1 | 3 << 1; /* write cache; flush of all namespaces */
    put_le32(b + 536, 1);
    snprintf((char *)b + 768, 256, "nqn.2019-08.org.qemu:%s", n->serial);
    put_le16(b + 2048, 2500); /* power state 0: 25 W */
    put_le32(b + 2052, 16);
    put_le32(b + 2056, 4);
}

static void identify_ns(const struct nvme_ns *ns, uint8_t *b)
{
    uint64_t blocks = nvme_ns_blocks(ns), unit = 1u << ns->lba_shift;
    uint64_t granularity = ns->discard_granularity == UINT32_MAX ? unit : ns->discard_granularity;

    put_le64(b, blocks);
    put_le64(b + 8, blocks);
    put_le64(b + 16, blocks);
    b[24] = 1 << 4; /* preferred sizes are given */
    b[33] = 1 << 3; /* write zeroes may deallocate */
    put_le16(b + 64, ns->physical / unit - 1);
    put_le16(b + 66, ns->physical / unit - 1);
    put_le16(b + 68, granularity / unit ? granularity / unit - 1 : 0);
    put_le16(b + 70, granularity / unit ? granularity / unit - 1 : 0);
    put_le16(b + 72, ns->opt_io / unit ? ns->opt_io / unit - 1 : 0);
    b[99] = ns->read_only; /* write protected */
    memcpy(b + 120, ns->eui64, 8);
    b[128 + 2] = ns->lba_shift;
}

static void identify_list(const struct nvme *n, uint32_t after, uint8_t *b)
{
    unsigned at = 0;

    for (uint64_t id = (uint64_t)after + 1; id <= NVME_MAX_NS; id++)
        if (n->ns[id])
            put_le32(b + 4 * at++, id);
}

static void identify_names(const struct nvme_ns *ns, uint8_t *b)
{
    unsigned at = 0;

    if (ns->has_uuid) {
        b[at] = 3;
        b[at + 1] = 16;
        memcpy(b + at + 4, ns->uuid, 16);
        at += 20;
    }
    if (ns->has_eui64) {
        b[at] = 1;
        b[at + 1] = 8;
        memcpy(b + at + 4, ns->eui64, 8);
    }
}

static unsigned identify(struct nvme *n, const struct nvme_cmd *c)
{
    uint8_t b[NVME_PAGE] = {0};
    struct nvme_ns *ns = c->nsid && c->nsid <= NVME_MAX_NS ? n->ns[c->nsid] : NULL;
    bool in_range = c->nsid && c->nsid <= NVME_MAX_NS;

    switch (c->cdw10 & 0xff) {
    case 0: /* a namespace; zeros for one that is not there */
        if (!in_range)
            return NVME_INVALID_NS | NVME_DNR;
        if (ns)
            identify_ns(ns, b);
        break;
    case 1: identify_ctrl(n, b); break;
    case 2:
        if (c->nsid >= 0xfffffffe)
            return NVME_INVALID_NS | NVME_DNR;
        identify_list(n, c->nsid, b);
        break;
    case 3:
        if (!in_range)
            return NVME_INVALID_NS | NVME_DNR;
        if (!ns)
            return NVME_INVALID_FIELD | NVME_DNR;
        identify_names(ns, b);
        break;
    default: return NVME_INVALID_FIELD | NVME_DNR;
    }
    return nvme_copy(n, c, b, sizeof(b), true);
}

/* Log pages (5.14) ------------------------------------------------------------------------------ */

static void put_u128(uint8_t *at, uint64_t v)
{
    put_le64(at, v);
}

static void log_smart(struct nvme *n, uint8_t *b)
{
    uint64_t units = __atomic_load_n(&n->read_units, __ATOMIC_RELAXED);
    uint64_t written = __atomic_load_n(&n->written_units, __ATOMIC_RELAXED);

    put_le16(b + 1, TEMPERATURE);
    b[3] = 100; /* available spare */
    b[4] = 10;
    put_u128(b + 32, (units + 999) / 1000);
    put_u128(b + 48, (written + 999) / 1000);
    put_u128(b + 64, __atomic_load_n(&n->reads, __ATOMIC_RELAXED));
    put_u128(b + 80, __atomic_load_n(&n->writes, __ATOMIC_RELAXED));
}

static void log_effects(uint8_t *b)
{
    static const uint8_t admin[] = {0, 1, 2, 4, 5, 6, 8, 9, 0xa, 0xc}, io[] = {0, 2, 5, 0xc},
                         io_write[] = {1, 8, 9};

    for (size_t i = 0; i < ARRAY_LEN(admin); i++)
        put_le32(b + 4 * admin[i], 1);
    for (size_t i = 0; i < ARRAY_LEN(io); i++)
        put_le32(b + 1024 + 4 * io[i], 1);
    for (size_t i = 0; i < ARRAY_LEN(io_write); i++)
        put_le32(b + 1024 + 4 * io_write[i], 3); /* changes contents */
}

static void log_changed(struct nvme *n, uint8_t *b)
{
    unsigned at = 0;

    for (unsigned id = 1; id <= NVME_MAX_NS; id++)
        if (n->changed[id / 8] >> id % 8 & 1)
            put_le32(b + 4 * at++, id);
}

static unsigned get_log(struct nvme *n, const struct nvme_cmd *c)
{
    uint8_t b[NVME_PAGE] = {0};
    uint64_t len = ((uint64_t)(c->cdw11 & 0xffff) << 16 | c->cdw10 >> 16) * 4 + 4;
    uint64_t off = c->cdw12 | (uint64_t)c->cdw13 << 32, size;
    unsigned id = c->cdw10 & 0xff, status;

    switch (id) {
    case 1: size = 64; break;
    case 2: size = 512; break;
    case 3: size = 512; break;
    case 4: size = 4096; break;
    case 5: size = 4096; break;
    default: return NVME_LOG_INVALID | NVME_DNR;
    }
    if (off >= size || off & 3)
        return NVME_INVALID_FIELD | NVME_DNR;
    if (id == 2)
        log_smart(n, b);
    if (id == 3)
        b[0] = 1, put_text(b + 8, 8, "1.0");
    if (id == 4)
        log_changed(n, b);
    if (id == 5)
        log_effects(b);
    status = nvme_copy(n, c, b + off, len < size - off ? len : size - off, true);
    if (!status && id == 4) {
        if (!(c->cdw10 >> 15 & 1)) /* retain the event? */
            n->masked &= ~EVENT_NS_CHANGED;
        memset(n->changed, 0, sizeof(n->changed));
    }
    if (!status && id == 1 && !(c->cdw10 >> 15 & 1))
        n->masked &= ~EVENT_BAD_DOORBELL;
    return status;
}

/* Features (5.21) -------------------------------------------------------------------------------- */

enum {
    FEAT_ARBITRATION = 1,
    FEAT_POWER = 2,
    FEAT_TEMPERATURE = 4,
    FEAT_ERROR_RECOVERY = 5,
    FEAT_WRITE_CACHE = 6,
    FEAT_QUEUES = 7,
    FEAT_COALESCING = 8,
    FEAT_VECTOR = 9,
    FEAT_ATOMICITY = 0xa,
    FEAT_EVENTS = 0xb,
    FEAT_TIMESTAMP = 0xe,
    FEAT_NUM = 16
};
enum { SELECT_CURRENT, SELECT_DEFAULT, SELECT_SAVED, SELECT_SUPPORTED };

static bool feature_known(unsigned id)
{
    static const uint16_t known = 1 << FEAT_ARBITRATION | 1 << FEAT_POWER | 1 << FEAT_TEMPERATURE |
                                  1 << FEAT_ERROR_RECOVERY | 1 << FEAT_WRITE_CACHE |
                                  1 << FEAT_QUEUES | 1 << FEAT_COALESCING | 1 << FEAT_VECTOR |
                                  1 << FEAT_ATOMICITY | 1 << FEAT_EVENTS | 1 << FEAT_TIMESTAMP;

    return id < FEAT_NUM && known >> id & 1;
}

static bool feature_changes(unsigned id)
{
    return id != FEAT_VECTOR && id != FEAT_COALESCING && id != FEAT_ARBITRATION;
}

static uint32_t feature_default(const struct nvme *n, unsigned id)
{
    switch (id) {
    case FEAT_TEMPERATURE: return TEMPERATURE + 20;
    case FEAT_WRITE_CACHE: return 1;
    case FEAT_QUEUES: return (n->n_queues - 2) | (n->n_queues - 2) << 16;
    case FEAT_ARBITRATION: return 7; /* no limit of bursts */
    }
    return 0;
}

static uint64_t time_now(const struct nvme *n)
{
    return n->timestamp + (clock_now(n->pci.dev.m, CLK_VIRT) - n->timestamp_at) / 1000000;
}

static unsigned get_timestamp(struct nvme *n, const struct nvme_cmd *c)
{
    uint8_t b[8];

    put_le64(b, (time_now(n) & 0xffffffffffff) | (uint64_t)(n->timestamp ? 1 : 0) << 49);
    return nvme_copy(n, c, b, sizeof(b), true);
}

static unsigned set_timestamp(struct nvme *n, const struct nvme_cmd *c)
{
    uint8_t b[8];
    unsigned status = nvme_copy(n, c, b, sizeof(b), false);

    if (!status) {
        n->timestamp = get_le64(b) & 0xffffffffffff;
        n->timestamp_at = clock_now(n->pci.dev.m, CLK_VIRT);
    }
    return status;
}

static unsigned get_feature(struct nvme *n, const struct nvme_cmd *c, uint32_t *result)
{
    unsigned id = c->cdw10 & 0xff, select = c->cdw10 >> 8 & 7;

    if (!feature_known(id) || select > SELECT_SUPPORTED)
        return NVME_INVALID_FIELD | NVME_DNR;
    if (select == SELECT_SUPPORTED) {
        *result = feature_changes(id) ? 4 : 0;
        return NVME_OK;
    }
    if (id == FEAT_TIMESTAMP)
        return get_timestamp(n, c);
    *result = select == SELECT_CURRENT ? n->feature[id] : feature_default(n, id);
    if (id == FEAT_VECTOR)
        *result = (c->cdw11 & 0xffff) | (c->cdw11 & 0xffff ? 0 : 1u << 16);
    if (id == FEAT_TEMPERATURE && select == SELECT_CURRENT && c->cdw11 >> 20 & 3)
        *result = 0; /* the lower threshold */
    return NVME_OK;
}

static unsigned set_feature(struct nvme *n, const struct nvme_cmd *c, uint32_t *result)
{
    unsigned id = c->cdw10 & 0xff;

    if (c->cdw10 >> 31)
        return NVME_NOT_SAVEABLE | NVME_DNR;
    if (!feature_known(id))
        return NVME_INVALID_FIELD | NVME_DNR;
    if (!feature_changes(id))
        return NVME_OK; /* kept as they are, as drivers set them without need */
    switch (id) {
    case FEAT_QUEUES:
        if ((c->cdw11 & 0xffff) == 0xffff || c->cdw11 >> 16 == 0xffff)
            return NVME_INVALID_FIELD | NVME_DNR;
        *result = n->feature[id];
        return NVME_OK;
    case FEAT_TIMESTAMP: return set_timestamp(n, c);
    case FEAT_POWER:
        if (c->cdw11 & 0x1f)
            return NVME_INVALID_FIELD | NVME_DNR;
        break;
    case FEAT_TEMPERATURE:
        if (c->cdw11 >> 20 & 3) /* no lower threshold */
            return NVME_OK;
        break;
    }
    n->feature[id] = c->cdw11;
    return NVME_OK;
}

/* Asynchronous events (5.2) ------------------------------------------------------------------------ */

static uint32_t event_result(uint32_t event)
{
    return event == EVENT_NS_CHANGED ? 2 | 0 << 8 | 4 << 16 : 0 | 1 << 8 | 1 << 16;
}

static void send_events(struct nvme *n)
{
    bool sent = false;

    pthread_mutex_lock(&n->lock);
    for (uint32_t event = 1; event <= EVENT_BAD_DOORBELL; event <<= 1) {
        if (!(n->events & event) || n->masked & event || !n->aer_n || !nvme_unhold(n, &n->sq[0]))
            continue;
        n->events &= ~event;
        n->masked |= event;
        nvme_complete(n, &n->sq[0], n->aer_cid[--n->aer_n], NVME_OK, event_result(event));
        sent = true;
    }
    pthread_mutex_unlock(&n->lock);
    if (sent)
        nvme_tell(n, 0);
}

void nvme_event(struct nvme *n, uint32_t event)
{
    if (event == EVENT_NS_CHANGED && !(n->feature[FEAT_EVENTS] >> 8 & 1))
        return;
    n->events |= event;
    if (n->csts & 1)
        send_events(n);
}

static int async_event(struct nvme *n, const struct nvme_cmd *c)
{
    if (n->aer_n > n->aerl || n->aer_n == NVME_MAX_AER)
        return NVME_AER_LIMIT;
    n->aer_cid[n->aer_n++] = c->cid;
    return ADMIN_KEEP;
}

static int admin(struct nvme *n, const struct nvme_cmd *c, uint32_t *result)
{
    TRACE(&nvme_trace[NVME_TP_ADMIN], "opcode=%#x cid=%u nsid=%u cdw10=%#x cdw11=%#x", c->opcode,
          c->cid, c->nsid, c->cdw10, c->cdw11);
    if (c->flags & 3 || c->flags >> 6) /* PRPs only (4.3) */
        return NVME_INVALID_FIELD | NVME_DNR;
    switch (c->opcode) {
    case ADMIN_DELETE_SQ: return delete_sq(n, c);
    case ADMIN_CREATE_SQ: return create_sq(n, c);
    case ADMIN_GET_LOG: return get_log(n, c);
    case ADMIN_DELETE_CQ: return delete_cq(n, c);
    case ADMIN_CREATE_CQ: return create_cq(n, c);
    case ADMIN_IDENTIFY: return identify(n, c);
    case ADMIN_ABORT: *result = 1; return NVME_OK; /* it was too late */
    case ADMIN_SET_FEATURES: return set_feature(n, c, result);
    case ADMIN_GET_FEATURES: return get_feature(n, c, result);
    case ADMIN_ASYNC_EVENT: return async_event(n, c);
    }
    return NVME_INVALID_OPCODE | NVME_DNR;
}

static int one(struct nvme *n)
{
    struct nvme_cmd c;
    uint32_t result = 0;
    bool got;
    int status;

    pthread_mutex_lock(&n->lock);
    got = nvme_fetch(n, &n->sq[0], &c);
    pthread_mutex_unlock(&n->lock);
    if (!got)
        return false;
    status = admin(n, &c, &result);
    pthread_mutex_lock(&n->lock);
    if (status == ADMIN_KEEP)
        nvme_hold(n, &n->sq[0]);
    else
        nvme_complete(n, &n->sq[0], c.cid, status, result);
    pthread_mutex_unlock(&n->lock);
    return true;
}

/* A queue has at most 4096 entries, and its tail does not move meanwhile. */
void nvme_admin_run(struct nvme *n)
{
    bool any = false;

    while (one(n))
        any = true;
    if (n->events)
        send_events(n);
    if (any)
        nvme_tell(n, 0);
}
