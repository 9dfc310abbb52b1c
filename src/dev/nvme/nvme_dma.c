/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe data pointers: physical region pages and scatter gather lists (NVM Express 1.4, 4.3 and 4.4). */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"

#include <string.h>

struct list {
    struct nvme *n;
    struct iovec *iov;
    unsigned count;
    bool write;
};

static unsigned add(struct list *l, uint64_t addr, uint64_t len)
{
    while (len) {
        uint64_t part = len;
        uint8_t *host = pci_dma_map(&l->n->pci, addr, &part, l->write);
        struct iovec *last = l->count ? &l->iov[l->count - 1] : NULL;

        if (!host || !part)
            return NVME_DATA_TRANSFER;
        if (last && (uint8_t *)last->iov_base + last->iov_len == host) {
            last->iov_len += part;
        } else if (l->count < NVME_MAX_IOV) {
            l->iov[l->count++] = (struct iovec){host, part};
        } else {
            return NVME_INTERNAL;
        }
        addr += part;
        len -= part;
    }
    return NVME_OK;
}

bool nvme_ram(struct nvme *n, uint64_t addr, void *buf, uint64_t len, bool to_guest)
{
    uint8_t *at = buf;

    while (len) {
        uint64_t part = len;
        void *host = pci_dma_map(&n->pci, addr, &part, to_guest);

        if (!host || !part)
            return false;
        memcpy(to_guest ? host : at, to_guest ? at : host, part);
        pci_dma_unmap(&n->pci, host, to_guest ? part : 0);
        at += part;
        addr += part;
        len -= part;
    }
    return true;
}

/* A list of pages; its last entry, when there is more than it holds, is the address of the next list. */
static unsigned add_prp_list(struct list *l, uint64_t at, uint64_t len)
{
    uint32_t page = l->n->page;
    uint8_t entries[64 * 8];
    unsigned have = 0, used = 0, status = NVME_OK;

    if (at & 7)
        return NVME_PRP_OFFSET;
    while (len && status == NVME_OK) {
        bool last_of_page = (at & (page - 1)) == page - 8;
        uint64_t entry, part = len < page ? len : page;

        if (used == have) {
            have = (page - (at & (page - 1))) / 8;
            have = have < 64 ? have : 64;
            used = 0;
            if (!nvme_ram(l->n, at, entries, have * 8, false))
                return NVME_DATA_TRANSFER;
        }
        entry = get_le64(entries + 8 * used++);
        if (entry & (page - 1))
            return NVME_PRP_OFFSET;
        if (last_of_page && len > page) {
            at = entry;
            have = used = 0;
            continue;
        }
        at += 8;
        status = add(l, entry, part);
        len -= part;
    }
    return status;
}

static unsigned add_prps(struct list *l, const struct nvme_cmd *c, uint64_t len)
{
    uint32_t page = l->n->page, off = c->prp1 & (page - 1);
    uint64_t part = len < page - off ? len : page - off;
    unsigned status;

    if (off & 3)
        return NVME_PRP_OFFSET;
    status = add(l, c->prp1, part);
    len -= part;
    if (status || !len)
        return status;
    if (len > page)
        return add_prp_list(l, c->prp2, len);
    return c->prp2 & (page - 1) ? NVME_PRP_OFFSET : add(l, c->prp2, len);
}

enum { SGL_DATA = 0, SGL_SEGMENT = 2, SGL_LAST = 3, SGL_LIMIT = 1024 };

/* Descriptors until the data is described; each list is bounded, and so are all of them together. */
static unsigned add_sgl(struct list *l, const struct nvme_cmd *c, uint64_t len)
{
    uint8_t d[16];
    uint64_t at = 0;
    uint32_t left = 1; /* descriptors in this segment */
    bool last = false;

    memcpy(d, c->dptr, sizeof(d));
    for (unsigned total = 0; len; total++) {
        uint64_t addr = get_le64(d), size = get_le32(d + 8), part = size < len ? size : len;
        unsigned type = d[15] >> 4, status;

        if (total == SGL_LIMIT)
            return NVME_SGL_COUNT;
        if (d[15] & 0xf)
            return NVME_SGL_TYPE;
        left--;
        if (type == SGL_DATA) {
            if ((status = add(l, addr, part)))
                return status;
            len -= part;
        } else if ((type == SGL_SEGMENT || type == SGL_LAST) && !left && !last) {
            if (!size || size % 16)
                return NVME_SGL_SEGMENT;
            last = type == SGL_LAST;
            at = addr;
            left = size / 16;
        } else {
            return type == SGL_SEGMENT || type == SGL_LAST ? NVME_SGL_SEGMENT : NVME_SGL_TYPE;
        }
        if (!len)
            break;
        if (!left)
            return NVME_SGL_LENGTH;
        if (!nvme_ram(l->n, at, d, 16, false))
            return NVME_DATA_TRANSFER;
        at += 16;
    }
    return NVME_OK;
}

unsigned nvme_map(struct nvme *n, const struct nvme_cmd *c, uint64_t len, bool write,
                  struct iovec *iov, unsigned *count)
{
    struct list l = {.n = n, .iov = iov, .write = write};
    unsigned psdt = c->flags >> 6;
    unsigned status = psdt == 0   ? add_prps(&l, c, len)
                      : psdt == 3 ? NVME_INVALID_FIELD
                                  : add_sgl(&l, c, len);

    *count = l.count;
    if (status) {
        nvme_unmap(n, iov, l.count, false);
        return status | NVME_DNR;
    }
    return NVME_OK;
}

void nvme_unmap(struct nvme *n, const struct iovec *iov, unsigned count, bool write)
{
    for (unsigned i = 0; i < count; i++)
        pci_dma_unmap(&n->pci, iov[i].iov_base, write ? iov[i].iov_len : 0);
}

unsigned nvme_copy(struct nvme *n, const struct nvme_cmd *c, void *buf, uint64_t len, bool to_guest)
{
    struct iovec iov[NVME_MAX_IOV];
    unsigned count, status = nvme_map(n, c, len, to_guest, iov, &count);
    uint8_t *at = buf;

    if (status)
        return status;
    for (unsigned i = 0; i < count; i++) {
        memcpy(to_guest ? iov[i].iov_base : at, to_guest ? at : iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    nvme_unmap(n, iov, count, to_guest);
    return NVME_OK;
}
