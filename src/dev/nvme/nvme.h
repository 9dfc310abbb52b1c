/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMe controller and its namespaces: what the files of this folder share (NVM Express 1.4).
 *
 * Threads: registers and admin commands run under the machine's lock; I/O commands on workers.  n->lock guards
 * the queues' heads and tails, and is inner to the machine's lock.  Workers reach guest memory only where it is
 * RAM, so that they never wait for the machine's lock while somebody who has it waits for them.
 */
#ifndef DEV_NVME_NVME_H
#define DEV_NVME_NVME_H

#include "base/trace.h"
#include "block/drive.h"
#include "dev/pci/pci.h"

#include <pthread.h>
#include <sys/uio.h>

enum {
    NVME_MAX_NS = 256,
    NVME_MAX_AER = 16,
    NVME_MAX_IOV = 1024,
    NVME_PAGE = 4096,
    NVME_SQE = 64,
    NVME_CQE = 16
};

/* Status codes: type << 8 | code (4.5). */
enum nvme_status {
    NVME_OK = 0,
    NVME_INVALID_OPCODE = 0x01,
    NVME_INVALID_FIELD = 0x02,
    NVME_DATA_TRANSFER = 0x04,
    NVME_INTERNAL = 0x06,
    NVME_INVALID_NS = 0x0b,
    NVME_SEQUENCE = 0x0c,
    NVME_SGL_SEGMENT = 0x0d,
    NVME_SGL_COUNT = 0x0e,
    NVME_SGL_LENGTH = 0x0f,
    NVME_SGL_TYPE = 0x11,
    NVME_PRP_OFFSET = 0x13,
    NVME_WRITE_PROTECTED = 0x20,
    NVME_LBA_RANGE = 0x80,
    NVME_CAPACITY = 0x81,
    NVME_CQ_INVALID = 0x100,
    NVME_QID_INVALID = 0x101,
    NVME_QSIZE_INVALID = 0x102,
    NVME_AER_LIMIT = 0x105,
    NVME_VECTOR_INVALID = 0x108,
    NVME_LOG_INVALID = 0x109,
    NVME_QUEUE_DELETION = 0x10c,
    NVME_NOT_SAVEABLE = 0x10d,
    NVME_NOT_CHANGEABLE = 0x10e,
    NVME_WRITE_FAULT = 0x280,
    NVME_READ_ERROR = 0x281,
    NVME_COMPARE = 0x285,
    NVME_DNR = 0x4000, /* trying again is of no use */
    NVME_AGAIN = 0x10000, /* ours, no answer: the host's disk failed and the machine stops; to be done when it runs */
};

/** struct nvme_cmd - a submission queue entry, host order (4.2). */
struct nvme_cmd {
    uint8_t opcode, flags;
    uint16_t cid;
    uint32_t nsid;
    uint8_t dptr[16];
    uint64_t prp1, prp2; /* the same */
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};

/** struct nvme_later - a command that is to be done again: its slot in the completion queue stays reserved. */
struct nvme_later {
    uint16_t sqid;
    struct nvme_cmd c;
};
enum { NVME_MAX_LATER = 64 /* as many as workers can have at a time: none is fetched while one waits */ };

struct nvme_sq {
    bool used;
    uint16_t cqid;
    uint32_t size, head, tail;
    uint64_t base;
    uint32_t inflight;
};

struct nvme_cq {
    bool used, irq_on, phase;
    uint16_t vector;
    uint32_t size, head, tail;
    uint64_t base;
    uint32_t reserved; /* slots for commands in work */
};

/** struct nvme_ns - one namespace. */
struct nvme_ns {
    struct nvme *ctrl; /* NULL: not attached */
    struct drive *drive;
    uint32_t nsid;
    bool read_only;
    unsigned lba_shift;
    uint8_t uuid[16], eui64[8];
    bool has_uuid, has_eui64;
    /* Properties: NVME_NS_FIELDS. */
    char *drive_id;
    uint64_t logical, physical, min_io, opt_io, discard_granularity;
    int write_cache;
};

extern const char *const nvme_on_off_auto[];
#define NVME_NS_FIELDS(type, m)                                                                    \
    FIELD(type, m drive_id, F_STR, "drive", NULL, "ID of the disk"),                               \
        FIELD(type, m logical, F_SIZE, "logical_block_size", "0", "512 to 4096; 0: 512"),          \
        FIELD(type, m physical, F_SIZE, "physical_block_size", "0", "for the guest to know"),      \
        FIELD(type, m min_io, F_SIZE, "min_io_size", "0", "for the guest to know"),                \
        FIELD(type, m opt_io, F_SIZE, "opt_io_size", "0", "for the guest to know"),                \
        FIELD(type, m discard_granularity, F_SIZE, "discard_granularity", "4294967295",            \
              "for the guest to know"),                                                            \
        FIELD_ENUM(type, m write_cache, nvme_on_off_auto, "write-cache", "auto",                   \
                   "the disk has a write cache")

struct nvme_worker {
    struct nvme *n;
    pthread_t thread;
    struct nvme_worker *next;
    unsigned limit; /* commands to take at once */
    struct iovec iov[NVME_MAX_IOV];
};

struct nvme {
    struct pci_dev pci;
    struct bus bus; /* "nvme": namespaces plug in */
    struct mem bar, regs;
    struct nvme_ns own; /* what drive= says: namespace 1 */
    struct nvme_ns *ns[NVME_MAX_NS + 1];

    /* Registers. */
    uint32_t cc, csts, intms, aqa;
    uint64_t asq, acq;
    uint32_t page; /* bytes, while enabled */

    pthread_mutex_t lock; /* queues and the next ones */
    pthread_cond_t wake, calm;
    uint32_t n_queues; /* of each kind, the admin queue is one */
    struct nvme_sq *sq;
    struct nvme_cq *cq;
    struct nvme_worker *workers;
    unsigned n_workers, idle, next_sq;
    uint32_t inflight;
    struct nvme_later later[NVME_MAX_LATER];
    uint32_t n_later, n_retry; /* waiting; the first so many may be done now */
    unsigned resumes;          /* how often the machine has begun to run */
    bool held, gone;
    bool stopped;   /* the machine stands still */
    uint64_t epoch; /* [machine's lock] of resets: who was in work before tells nobody */

    /* Admin state. */
    uint16_t aer_cid[NVME_MAX_AER];
    uint8_t aer_n;
    uint32_t events; /* bits of enum nvme_event that nobody has been told of */
    uint32_t masked; /* told, and their log page has not been read yet */
    uint32_t feature[16];
    uint64_t timestamp;
    int64_t timestamp_at;
    uint8_t changed[NVME_MAX_NS / 8 + 1];              /* namespaces, for log page 4 */
    uint64_t reads, writes, read_units, written_units; /* [atomic] since birth */

    /* Properties. */
    char *serial, *bootindex;
    uint64_t max_ioqpairs, msix_qsize, mdts, aerl, aer_max_queued, num_queues, cmb_size_mb;
    bool use_intel_id, ioeventfd, msix_exclusive;
};

enum nvme_event { EVENT_NS_CHANGED = 1, EVENT_BAD_DOORBELL = 2 };

static inline struct nvme *nvme_of(struct dev *d)
{
    return (struct nvme *)d;
}

extern struct trace_point nvme_trace[];
enum { NVME_TP_ADMIN, NVME_TP_IO, NVME_TP_DONE, NVME_TP_ENABLE, NVME_TP_IRQ };

/* nvme_dma.c */
/** nvme_map - the command's @len bytes of guest memory as host memory in @iov; n in *@count.  nvme_unmap afterwards;
 * @write: the device has written them. */
unsigned nvme_map(struct nvme *n, const struct nvme_cmd *c, uint64_t len, bool write,
                  struct iovec *iov, unsigned *count);
void nvme_unmap(struct nvme *n, const struct iovec *iov, unsigned count, bool write);
/** nvme_copy - @len bytes from or to @buf; a status. */
unsigned nvme_copy(struct nvme *n, const struct nvme_cmd *c, void *buf, uint64_t len,
                   bool to_guest);
/** nvme_ram - copy where guest memory is RAM; false: it is not. */
bool nvme_ram(struct nvme *n, uint64_t addr, void *buf, uint64_t len, bool to_guest);

/* nvme_queue.c */
void nvme_kick(struct nvme *n); /* workers look for commands; without n->lock */
/** nvme_drain - nothing is in work when it returns, and nothing begins until nvme_go(). */
void nvme_drain(struct nvme *n);
void nvme_go(struct nvme *n);
void nvme_join(struct nvme *n); /* workers end; drops the machine's lock meanwhile */
/** nvme_fetch - the next command of a queue; with n->lock; false: none, or there is no room for its answer. */
bool nvme_fetch(struct nvme *n, struct nvme_sq *q, struct nvme_cmd *c);
/** nvme_complete - with n->lock. */
void nvme_complete(struct nvme *n, struct nvme_sq *q, uint16_t cid, unsigned status,
                   uint32_t result);
/** nvme_hold - a command that is answered later, or never: it is no longer in work.  nvme_unhold - it is again; false:
 * there is no room for the answer. */
void nvme_hold(struct nvme *n, struct nvme_sq *q);
bool nvme_unhold(struct nvme *n, struct nvme_sq *q);
/** nvme_reserve - a slot for an answer; false: there is none. */
bool nvme_reserve(struct nvme_cq *q);
/** nvme_forget_later - commands of a queue that are to be done again are dropped; with n->lock. */
void nvme_forget_later(struct nvme *n, unsigned sqid);
/** nvme_tell - under the machine's lock, without n->lock: something completed in this queue. */
void nvme_tell(struct nvme *n, unsigned cqid);
void nvme_update_pin(struct nvme *n);

/* nvme_admin.c */
void nvme_admin_run(struct nvme *n);
void nvme_event(struct nvme *n, uint32_t event);
/* nvme_io.c */
unsigned nvme_io(struct nvme_worker *w, const struct nvme_cmd *c);

/* nvme_ns.c */
int nvme_ns_open(struct nvme_ns *ns, struct nvme *n, struct dev *d, uint32_t nsid, struct err *e);
void nvme_ns_close(struct nvme_ns *ns);
static inline uint64_t nvme_ns_blocks(const struct nvme_ns *ns)
{
    return ns->drive->blk ? blk_size(ns->drive->blk) >> ns->lba_shift : 0;
}

#endif
