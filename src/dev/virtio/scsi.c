/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-scsi: a SCSI controller.  Virtio 1.2, 5.6.  Commands are done on worker threads (workers.h), control requests and
 * events under the machine's lock.
 */
#include "dev/drive_errors.h"
#include "dev/scsi/scsi.h"
#include "dev/virtio/virtio.h"
#include "dev/virtio/workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { F_INOUT = 0, F_HOTPLUG = 1, F_CHANGE = 2 };
enum { Q_CONTROL, Q_EVENT, Q_REQUEST };

/* Configuration space, 5.6.4. */
enum {
    C_NUM_QUEUES = 0,
    C_SEG_MAX = 4,
    C_MAX_SECTORS = 8,
    C_CMD_PER_LUN = 12,
    C_EVENT_INFO_SIZE = 16,
    C_SENSE_SIZE = 20,
    C_CDB_SIZE = 24,
    C_MAX_CHANNEL = 28,
    C_MAX_TARGET = 30,
    C_MAX_LUN = 32,
    CONFIG_LEN = 36
};
enum { EVENT_LEN = 16, SENSE_LEN = 96, CDB_LEN = 32, MAX_TARGET = 255, MAX_LUN = 16383 };

/* A request: lun[8], id[8], three bytes, the CDB; its answer: sense length, residual, qualifier, status, response, sense. */
enum { REQ_CDB = 19, RESP_RESID = 4, RESP_STATUS = 10, RESP_RESPONSE = 11, RESP_SENSE = 12 };
enum {
    OK = 0,
    OVERRUN = 1,
    BAD_TARGET = 3,
    FAILURE = 9,
    COMPLETE = 0,
    SUCCEEDED = 10,
    REJECTED = 11,
    INCORRECT_LUN = 12
};
/* Control requests, 5.6.6.2. */
enum { T_TMF = 0, T_AN_QUERY = 1, T_AN_SUBSCRIBE = 2, TMF_LEN = 24, AN_LEN = 16 };
enum {
    TMF_ABORT_TASK,
    TMF_ABORT_TASK_SET,
    TMF_CLEAR_ACA,
    TMF_CLEAR_TASK_SET,
    TMF_I_T_NEXUS_RESET,
    TMF_LUN_RESET,
    TMF_QUERY_TASK,
    TMF_QUERY_TASK_SET
};
/* Events, 5.6.6.3. */
enum { EV_TRANSPORT_RESET = 1, EV_PARAM_CHANGE = 3, RESET_RESCAN = 1, RESET_REMOVED = 2 };
#define EV_MISSED 0x80000000u

enum { THREADS = 4, MAX_QUEUES = 256, QUEUES_UNSAID = 65535 };

struct vscsi {
    struct virtio v;
    struct scsi_bus bus;
    struct workers *ws;
    struct drive_wait wait;
    struct state_blob waiting; /* when saved: requests that wait for the machine to run */
    uint32_t cdb_len, sense_len; /* as the driver set them */
    bool missed;                 /* an event found no buffer */

    char *iothread;
    uint64_t num_queues, queue_size, max_sectors, cmd_per_lun;
    bool hotplug, param_change, seg_max_adjust;
};

static const struct field vscsi_props[] = {
    FIELD(vscsi, num_queues, F_U64, "num_queues", "65535", "queues; 65535: as many as are useful"),
    FIELD(vscsi, queue_size, F_U64, "virtqueue_size", "256", "entries of a queue, a power of two"),
    FIELD(vscsi, max_sectors, F_U64, "max_sectors", "65535", "in one command"),
    FIELD(vscsi, cmd_per_lun, F_U64, "cmd_per_lun", "128", "commands at a time for a unit"),
    FIELD(vscsi, hotplug, F_BOOL, "hotplug", "on", "tell of units that come and go"),
    FIELD(vscsi, param_change, F_BOOL, "param_change", "on", "tell of media that change"),
    FIELD(vscsi, seg_max_adjust, F_BOOL, "seg_max_adjust", "on", "pieces follow the queue's size"),
    FIELD(vscsi, iothread, F_STR, "iothread", NULL, "ID of an iothread object"),
    FIELD_END};

static const struct state vscsi_state[] = {STATE(vscsi, cdb_len, S_U32, 1, "bytes"),
                                           STATE(vscsi, sense_len, S_U32, 1, "bytes"),
                                           STATE(vscsi, missed, S_BOOL, 1, NULL),
                                           STATE_BLOB(vscsi, waiting, WORKERS_STATE_MAX, 2, "requests"),
                                           STATE_END};

static struct vscsi *of(struct virtio *v)
{
    return (struct vscsi *)v;
}

/* 5.6.6.1: one, the target, and the unit as a two-byte number; false: another form. */
static bool parse_lun(const uint8_t l[static 8], uint32_t *target, uint32_t *lun)
{
    *target = l[1];
    *lun = get_be16(l + 2) & 0x3fff;
    return l[0] == 1 && (l[2] & 0x80) == 0;
}

static void put_lun(uint8_t l[static 8], const struct scsi_unit *u)
{
    memset(l, 0, 8);
    l[0] = 1;
    l[1] = (uint8_t)u->target;
    put_be16(l + 2, (uint16_t)(0x4000 | u->lun));
}

/* Commands, on a worker. */

static void answer(struct vscsi *s, struct work *w, unsigned i, const struct scsi_cmd *c,
                   uint8_t response, uint64_t resid)
{
    struct vq_elem *el = &work_get(w, i)->el;
    uint8_t a[RESP_SENSE + SENSE_LEN] = {0};

    put_le32(a, c->sense_len);
    put_le32(a + RESP_RESID, (uint32_t)resid);
    a[RESP_STATUS] = c->status;
    a[RESP_RESPONSE] = response;
    memcpy(a + RESP_SENSE, c->sense, min_u64(c->sense_len, s->sense_len));
    iov_write(el->wr, el->n_wr, 0, a, RESP_SENSE + s->sense_len);
    work_done(w, i, (uint32_t)(RESP_SENSE + s->sense_len + (c->in_len ? c->moved : 0)));
}

/* Until it goes well, or is to be told of, or nobody waits any more (c->again).  False: there is no such target. */
static bool run(struct vscsi *s, uint32_t target, uint32_t lun, struct scsi_cmd *c)
{
    unsigned mark;
    bool there;

    c->may_wait = true;
    do {
        mark = drive_wait_mark(&s->wait);
        there = scsi_bus_run(&s->bus, 0, target, lun, c);
    } while (there && c->again && drive_wait(&s->wait, mark));
    return there;
}

/* Nothing is in work afterwards; who waits for the machine to run has given up. */
static void drain(struct vscsi *s)
{
    drive_wait_cancel(&s->wait, true);
    workers_drain(s->ws);
    drive_wait_cancel(&s->wait, false);
}

static void do_command(struct vscsi *s, struct work *w, unsigned i)
{
    struct vq_elem *el = &work_get(w, i)->el;
    unsigned head = REQ_CDB + s->cdb_len, room = RESP_SENSE + s->sense_len;
    struct iovec out[VQ_MAX_SEGS], in[VQ_MAX_SEGS];
    struct scsi_cmd c = {.out = out, .in = in};
    uint8_t h[REQ_CDB + CDB_LEN] = {0};
    uint8_t response = OK;
    uint32_t target, lun;

    if (el->rd_len < head || el->wr_len < room) {
        virtio_break(&s->v, "a command of %" PRIu64 " bytes, with %" PRIu64 " for the answer",
                     el->rd_len, el->wr_len);
        return;
    }
    iov_read(el->rd, el->n_rd, 0, h, head);
    memcpy(c.cdb, h + REQ_CDB, s->cdb_len);
    c.out_len = el->rd_len - head;
    c.in_len = el->wr_len - room;
    c.n_out = vq_iov_slice(el->rd, el->n_rd, head, c.out_len, out);
    c.n_in = vq_iov_slice(el->wr, el->n_wr, room, c.in_len, in);
    if (c.in_len && c.out_len)
        response = FAILURE; /* INOUT is not offered */
    else if (!parse_lun(h, &target, &lun) || !run(s, target, lun, &c))
        response = BAD_TARGET;
    if (c.again) {
        work_again(w, i);
        return;
    }
    answer(s, w, i, &c, response, c.in_len + c.out_len - c.moved);
}

static void do_batch(struct virtio *v, struct vq *q, struct work *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        do_command(of(v), w, i);
}

static const struct work_ops work_ops = {.item_size = sizeof(struct work_item),
                                         .do_batch = do_batch};

/* Control requests. */

/* Commands run to their end: a task to be aborted is done when we have waited for all. */
static uint8_t task_management(struct vscsi *s, const uint8_t *r)
{
    uint32_t target, lun;

    if (!parse_lun(r + 8, &target, &lun))
        return BAD_TARGET;
    drain(s);
    workers_go(s->ws);
    switch (get_le32(r + 4)) {
    case TMF_ABORT_TASK:
    case TMF_ABORT_TASK_SET:
    case TMF_CLEAR_TASK_SET:
    case TMF_QUERY_TASK:
    case TMF_QUERY_TASK_SET: return COMPLETE;
    case TMF_I_T_NEXUS_RESET:
        return scsi_bus_reset(&s->bus, target, UINT32_MAX) ? COMPLETE : BAD_TARGET;
    case TMF_LUN_RESET: return scsi_bus_reset(&s->bus, target, lun) ? COMPLETE : INCORRECT_LUN;
    }
    return REJECTED;
}

static void control_one(struct vscsi *s, struct vq *q, const struct vq_elem *el)
{
    uint8_t r[TMF_LEN] = {0}, a[5] = {0};
    uint32_t type;

    iov_read(el->rd, el->n_rd, 0, r, sizeof(r));
    type = get_le32(r);
    if (el->rd_len < 4 || el->rd_len < (type == T_TMF ? TMF_LEN : AN_LEN) ||
        el->wr_len < (type == T_TMF ? 1 : 5)) {
        virtio_break(&s->v, "a control request of %" PRIu64 " bytes", el->rd_len);
        return;
    }
    if (type == T_TMF) {
        a[0] = task_management(s, r);
        vq_push(q, el, (uint32_t)iov_write(el->wr, el->n_wr, 0, a, 1));
        return;
    }
    a[4] = type > T_AN_SUBSCRIBE ? FAILURE : OK; /* no asynchronous notifications: none granted */
    vq_push(q, el, (uint32_t)iov_write(el->wr, el->n_wr, 0, a, 5));
}

static void control(struct vscsi *s, struct vq *q)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};

    do {
        while (vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0)
            control_one(s, q, &el);
    } while (vq_listen(q));
    vq_notify(q);
}

/* Events. */

static bool send_event(struct vscsi *s, uint32_t event, const struct scsi_unit *u, uint32_t reason)
{
    struct vq *q = &s->v.vq[Q_EVENT];
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};
    uint8_t m[EVENT_LEN] = {0};

    if (!(s->v.status & VIRTIO_DRIVER_OK) || vq_pop(q, &el, iov, VQ_MAX_SEGS) <= 0) {
        vq_listen(q);
        return false;
    }
    put_le32(m, event | (s->missed ? EV_MISSED : 0));
    if (u)
        put_lun(m + 4, u);
    put_le32(m + 12, reason);
    s->missed = false;
    vq_push(q, &el, (uint32_t)iov_write(el.wr, el.n_wr, 0, m, sizeof(m)));
    vq_notify(q);
    return true;
}

static void tell(struct vscsi *s, uint32_t event, const struct scsi_unit *u, uint32_t reason)
{
    if (s->v.status & VIRTIO_DRIVER_OK && !send_event(s, event, u, reason))
        s->missed = true;
}

static void plugged(void *opaque, struct scsi_unit *u)
{
    struct vscsi *s = opaque;

    if (virtio_has(&s->v, F_HOTPLUG))
        tell(s, EV_TRANSPORT_RESET, u, RESET_RESCAN);
}

static void unplugged(void *opaque, struct scsi_unit *u)
{
    struct vscsi *s = opaque;

    if (virtio_has(&s->v, F_HOTPLUG))
        tell(s, EV_TRANSPORT_RESET, u, RESET_REMOVED);
}

static void noted(void *opaque, struct scsi_unit *u, struct scsi_sense what)
{
    struct vscsi *s = opaque;

    if (virtio_has(&s->v, F_CHANGE)) /* additional code, qualifier */
        tell(s, EV_PARAM_CHANGE, u, (what.asc >> 8 & 0xff) | (uint32_t)(what.asc & 0xff) << 8);
}

static const struct scsi_host host = {.plugged = plugged, .unplugged = unplugged, .noted = noted};

/* Registers. */

static void vscsi_kick(struct virtio *v, struct vq *q)
{
    struct vscsi *s = of(v);

    if (q->index == Q_CONTROL)
        control(s, q);
    else if (q->index == Q_EVENT && s->missed)
        send_event(s, 0, NULL, 0); /* "some were missed" */
    else if (q->index >= Q_REQUEST)
        workers_kick(s->ws, q);
}

static void vscsi_config(struct virtio *v, uint8_t *c)
{
    struct vscsi *s = of(v);

    put_le32(c + C_NUM_QUEUES, (uint32_t)s->num_queues);
    put_le32(c + C_SEG_MAX, s->seg_max_adjust ? (uint32_t)s->queue_size - 2 : 126);
    put_le32(c + C_MAX_SECTORS, (uint32_t)s->max_sectors);
    put_le32(c + C_CMD_PER_LUN, (uint32_t)s->cmd_per_lun);
    put_le32(c + C_EVENT_INFO_SIZE, EVENT_LEN);
    put_le32(c + C_SENSE_SIZE, s->sense_len);
    put_le32(c + C_CDB_SIZE, s->cdb_len);
    put_le16(c + C_MAX_TARGET, MAX_TARGET);
    put_le32(c + C_MAX_LUN, MAX_LUN);
}

static void vscsi_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    struct vscsi *s = of(v);
    uint32_t sense = get_le32(cfg + C_SENSE_SIZE), cdb = get_le32(cfg + C_CDB_SIZE);

    if (sense > SENSE_LEN || !cdb || cdb > CDB_LEN || v->status & VIRTIO_DRIVER_OK) {
        guest_error(v->dev, "sense of %u bytes, commands of %u", sense, cdb);
        return;
    }
    s->sense_len = sense;
    s->cdb_len = cdb;
}

static void vscsi_reset(struct virtio *v)
{
    struct vscsi *s = of(v);

    drain(s);
    workers_forget(s->ws);
    s->sense_len = SENSE_LEN;
    s->cdb_len = CDB_LEN;
    s->missed = false;
    scsi_bus_reset(&s->bus, UINT32_MAX, UINT32_MAX);
}

static void vscsi_queue_reset(struct virtio *v, struct vq *q)
{
    drain(of(v));
    workers_forget_queue(of(v)->ws, q);
}

static void vscsi_saving(struct virtio *v)
{
    struct vscsi *s = of(v);

    drive_wait_cancel(&s->wait, true);
    workers_saving(s->ws, &s->waiting);
    drive_wait_cancel(&s->wait, false);
}

static void vscsi_saved(struct virtio *v)
{
    workers_go(of(v)->ws);
}

static int vscsi_loaded(struct virtio *v, int version, struct err *e)
{
    struct vscsi *s = of(v);

    if (s->sense_len > SENSE_LEN || !s->cdb_len || s->cdb_len > CDB_LEN)
        return err_set(e, -EILSEQ, "sense of %u bytes, commands of %u", s->sense_len, s->cdb_len);
    return workers_loaded(s->ws, &s->waiting, e);
}

static int check_props(struct vscsi *s, struct err *e)
{
    if (s->num_queues == QUEUES_UNSAID)
        s->num_queues = 1;
    if (!s->num_queues || s->num_queues > MAX_QUEUES)
        return err_set(e, -EINVAL,
                       "Invalid number of queues (= %" PRIu64
                       "), must be a positive integer less than %d.",
                       s->num_queues, MAX_QUEUES + 1);
    if (!is_pow2(s->queue_size) || s->queue_size < 4 || s->queue_size > VQ_MAX_SIZE)
        return err_set(e, -EINVAL,
                       "Property 'virtqueue_size' is %" PRIu64 ": want a power of two, 4 to %d",
                       s->queue_size, VQ_MAX_SIZE);
    if (s->max_sectors > UINT32_MAX || s->cmd_per_lun > UINT32_MAX)
        return err_set(e, -ERANGE, "max_sectors or cmd_per_lun is too large");
    return 0;
}

static int vscsi_init(struct virtio *v, struct err *e)
{
    struct vscsi *s = of(v);
    struct iothread *io;
    char name[80];
    int r;

    if ((r = check_props(s, e)) < 0 || (r = workers_io(v, s->iothread, &io, e)) < 0)
        return r;
    v->host_features |=
        (s->hotplug ? VIRTIO_BIT(F_HOTPLUG) : 0) | (s->param_change ? VIRTIO_BIT(F_CHANGE) : 0);
    v->config_len = CONFIG_LEN;
    s->sense_len = SENSE_LEN;
    s->cdb_len = CDB_LEN;
    virtio_add_queues(v, Q_REQUEST + (unsigned)s->num_queues, (unsigned)s->queue_size);
    drive_wait_init(&s->wait, v->m);
    s->ws = workers_new(v, &work_ops, THREADS, io);
    s->bus =
        (struct scsi_bus){.host = &host, .opaque = s, .max_target = MAX_TARGET, .max_lun = MAX_LUN};
    snprintf(name, sizeof(name), "%.70s.0", v->dev->id ? v->dev->id : "");
    for (unsigned n = 0; !v->dev->id || bus_find(v->m, name); n++) {
        snprintf(name, sizeof(name), "scsi%u.0", n);
        if (!bus_find(v->m, name))
            break;
    }
    scsi_bus_init(&s->bus, v->dev, name);
    return 0;
}

static void vscsi_fini(struct virtio *v)
{
    struct vscsi *s = of(v);

    drain(s);
    workers_free(s->ws);
    free(s->waiting.data);
    drive_wait_fini(&s->wait);
    scsi_bus_fini(&s->bus);
}

const struct virtio_type virtio_scsi = {
    .name = "scsi",
    .help = "SCSI controller",
    .class = DEV_STORAGE,
    .id = 8,
    .legacy_pci_id = 0x1004,
    .pci_class = 0x010000,
    .size = sizeof(struct vscsi),
    .props = vscsi_props,
    .state = vscsi_state,
    .state_version = 2,
    .init = vscsi_init,
    .fini = vscsi_fini,
    .reset = vscsi_reset,
    .kick = vscsi_kick,
    .config = vscsi_config,
    .config_written = vscsi_config_written,
    .queue_reset = vscsi_queue_reset,
    .saving = vscsi_saving,
    .saved = vscsi_saved,
    .loaded = vscsi_loaded,
};
