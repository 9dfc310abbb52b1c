/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe I/O commands, as blocking calls on a worker (NVM Express 1.4, chapter 6). */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"
#include "dev/drive_errors.h"

#include <stdlib.h>

enum {
    IO_FLUSH = 0x00,
    IO_WRITE = 0x01,
    IO_READ = 0x02,
    IO_COMPARE = 0x05,
    IO_WRITE_ZEROES = 0x08,
    IO_DATASET = 0x09,
    IO_VERIFY = 0x0c,
};
enum { FUA = 1u << 30, DEALLOCATE = 1u << 25, VOLATILE_CACHE = 6 };
enum { DSM_RANGES = 256, DSM_RANGE = 16, DSM_DEALLOCATE = 4 };
enum { PIECE = 1 << 20 };

/* struct range - the blocks that a command is about. */
struct range {
    struct nvme_ns *ns;
    struct blk *blk;
    uint64_t off, len; /* bytes */
    unsigned req;      /* BLK_REQ_* */
};

/* The host cannot: what -drive's werror= and rerror= say. */
static unsigned failed(const struct nvme_ns *ns, const struct err *e, bool write)
{
    enum drive_error a = drive_error_decide(ns->ctrl->pci.dev.m, ns->drive, DRIVE_ERRORS_AUTO, DRIVE_ERRORS_AUTO, write, e);

    if (a == DRIVE_IGNORE || a == DRIVE_STOP)
        return a == DRIVE_STOP ? NVME_AGAIN : NVME_OK;
    host_error(&ns->ctrl->pci.dev, "%s of drive '%s' fails: %s", write ? "writing" : "reading", ns->drive->id, e->msg);
    return write ? NVME_WRITE_FAULT : NVME_READ_ERROR;
}

static unsigned get_range(struct nvme *n, const struct nvme_cmd *c, struct range *r)
{
    uint64_t slba = c->cdw10 | (uint64_t)c->cdw11 << 32, count = (c->cdw12 & 0xffff) + 1;
    struct nvme_ns *ns = r->ns;

    if (slba > nvme_ns_blocks(ns) || count > nvme_ns_blocks(ns) - slba)
        return NVME_LBA_RANGE | NVME_DNR;
    r->off = slba << ns->lba_shift;
    r->len = count << ns->lba_shift;
    r->req = c->cdw12 & FUA || !(n->feature[VOLATILE_CACHE] & 1) ? BLK_REQ_FUA : 0;
    return NVME_OK;
}

/* MDTS bounds what moves data, not what only names blocks. */
static unsigned check_length(const struct nvme *n, const struct range *r)
{
    return n->mdts && r->len > (uint64_t)NVME_PAGE << n->mdts ? NVME_INVALID_FIELD | NVME_DNR
                                                              : NVME_OK;
}

static void account(uint64_t *commands, uint64_t *units, uint64_t len)
{
    __atomic_fetch_add(commands, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(units, len / 512, __ATOMIC_RELAXED);
}

static unsigned io_read(struct nvme_worker *w, const struct nvme_cmd *c, const struct range *r)
{
    unsigned count, status = check_length(w->n, r);
    struct err e = {0};
    int ret;

    if (status || (status = nvme_map(w->n, c, r->len, true, w->iov, &count)))
        return status;
    ret = blk_readv(r->blk, r->off, w->iov, count, &e);
    nvme_unmap(w->n, w->iov, count, true);
    account(&w->n->reads, &w->n->read_units, r->len);
    return ret < 0 ? failed(r->ns, &e, false) : NVME_OK;
}

static unsigned io_write(struct nvme_worker *w, const struct nvme_cmd *c, const struct range *r)
{
    unsigned count, status = check_length(w->n, r);
    struct err e = {0};
    int ret;

    if (status || (status = nvme_map(w->n, c, r->len, false, w->iov, &count)))
        return status;
    ret = blk_writev(r->blk, r->off, w->iov, count, r->req, &e);
    nvme_unmap(w->n, w->iov, count, false);
    account(&w->n->writes, &w->n->written_units, r->len);
    return ret < 0 ? failed(r->ns, &e, true) : NVME_OK;
}

static unsigned io_compare(struct nvme_worker *w, const struct nvme_cmd *c, const struct range *r)
{
    unsigned count, status = check_length(w->n, r);
    uint8_t *disk = status ? NULL : malloc(r->len), *at = disk;
    struct err e = {0};
    int ret;

    if (status)
        return status;
    if (!disk)
        return NVME_INTERNAL;
    ret = blk_read(r->blk, r->off, r->len, disk, &e);
    status = ret < 0 ? failed(r->ns, &e, false) : nvme_map(w->n, c, r->len, false, w->iov, &count);
    for (unsigned i = 0; !status && i < count; at += w->iov[i++].iov_len)
        if (memcmp(at, w->iov[i].iov_base, w->iov[i].iov_len) != 0) {
            nvme_unmap(w->n, w->iov, count, false);
            status = NVME_COMPARE | NVME_DNR;
        }
    if (!status)
        nvme_unmap(w->n, w->iov, count, false);
    free(disk);
    return status;
}

static unsigned io_verify(const struct range *r)
{
    uint8_t *buf = malloc(PIECE);
    struct err e = {0};
    int ret = 0;

    if (!buf)
        return NVME_INTERNAL;
    for (uint64_t done = 0; done < r->len && ret >= 0; done += PIECE)
        ret = blk_read(r->blk, r->off + done, r->len - done < PIECE ? r->len - done : PIECE, buf, &e);
    free(buf);
    return ret < 0 ? failed(r->ns, &e, false) : NVME_OK;
}

static unsigned io_write_zeroes(const struct nvme_cmd *c, const struct range *r)
{
    unsigned req = r->req | (c->cdw12 & DEALLOCATE ? BLK_REQ_UNMAP : 0);
    struct err e = {0};
    int ret = blk_zero(r->blk, r->off, r->len, req, &e);

    return ret < 0 ? failed(r->ns, &e, true) : NVME_OK;
}

/* 6.7: hints; ranges that cannot be given up stay as they are. */
static unsigned io_dataset(struct nvme *n, const struct nvme_cmd *c, const struct range *r)
{
    uint8_t ranges[DSM_RANGES * DSM_RANGE];
    unsigned count = (c->cdw10 & 0xff) + 1, status;

    if (!(c->cdw11 & DSM_DEALLOCATE))
        return NVME_OK;
    if ((status = nvme_copy(n, c, ranges, count * DSM_RANGE, false)))
        return status;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *p = ranges + i * DSM_RANGE;
        uint64_t len = get_le32(p + 4), slba = get_le64(p + 8);

        if (slba > nvme_ns_blocks(r->ns) || len > nvme_ns_blocks(r->ns) - slba)
            return NVME_LBA_RANGE | NVME_DNR;
        if (len)
            blk_discard(r->blk, slba << r->ns->lba_shift, len << r->ns->lba_shift, ERR_IGNORE);
    }
    return NVME_OK;
}

static unsigned flush_one(struct nvme_ns *ns)
{
    struct err e = {0};
    int r = ns->drive->blk && !ns->read_only ? blk_flush(ns->drive->blk, &e) : 0;

    return r < 0 ? failed(ns, &e, true) : NVME_OK;
}

static unsigned io_flush(struct nvme *n, const struct nvme_cmd *c)
{
    unsigned status = NVME_OK;

    for (unsigned id = 1; id <= NVME_MAX_NS; id++) {
        if (!n->ns[id] || (c->nsid != id && c->nsid != UINT32_MAX))
            continue;
        status = flush_one(n->ns[id]);
        if (status)
            return status;
    }
    return status;
}

static unsigned on_namespace(struct nvme_worker *w, const struct nvme_cmd *c, struct range *r)
{
    bool writes = c->opcode == IO_WRITE || c->opcode == IO_WRITE_ZEROES || c->opcode == IO_DATASET;
    unsigned status;

    if (writes && r->ns->read_only)
        return NVME_WRITE_PROTECTED | NVME_DNR;
    if (c->opcode == IO_DATASET)
        return io_dataset(w->n, c, r);
    if ((status = get_range(w->n, c, r)))
        return status;
    switch (c->opcode) {
    case IO_WRITE: return io_write(w, c, r);
    case IO_READ: return io_read(w, c, r);
    case IO_COMPARE: return io_compare(w, c, r);
    case IO_WRITE_ZEROES: return io_write_zeroes(c, r);
    case IO_VERIFY: return io_verify(r);
    }
    return NVME_INVALID_OPCODE | NVME_DNR;
}

unsigned nvme_io(struct nvme_worker *w, const struct nvme_cmd *c)
{
    struct nvme *n = w->n;
    struct range r = {0};

    TRACE(&nvme_trace[NVME_TP_IO], "opcode=%#x cid=%u nsid=%u lba=%#x blocks=%u", c->opcode, c->cid,
          c->nsid, c->cdw10, (c->cdw12 & 0xffff) + 1);
    if (c->flags & 3) /* fused operations, which nobody offered */
        return NVME_INVALID_FIELD | NVME_DNR;
    if (c->opcode == IO_FLUSH && c->nsid == UINT32_MAX)
        return io_flush(n, c);
    if (!c->nsid || c->nsid > NVME_MAX_NS)
        return NVME_INVALID_NS | NVME_DNR;
    r.ns = n->ns[c->nsid];
    if (!r.ns || !r.ns->drive->blk)
        return NVME_INVALID_FIELD | NVME_DNR; /* 6.1: not an active namespace */
    r.blk = r.ns->drive->blk;
    return c->opcode == IO_FLUSH ? io_flush(n, c) : on_namespace(w, c, &r);
}
