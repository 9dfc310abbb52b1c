/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SCSI bus, and what all logical units do alike.  SAM-5; SPC-4 6.21 (REPORT LUNS), 6.39 (REQUEST SENSE). */
#include "base/bytes.h"
#include "dev/scsi/scsi.h"

#include <errno.h>
#include <stdlib.h>

enum { OP_INQUIRY = 0x12, OP_REQUEST_SENSE = 0x03, OP_REPORT_LUNS = 0xa0 };

size_t scsi_take(struct scsi_cmd *c, void *buf, size_t len)
{
    size_t done = 0;

    for (unsigned i = 0; i < c->n_out && done < len; i++) {
        size_t k = min_u64(len - done, c->out[i].iov_len);

        memcpy((uint8_t *)buf + done, c->out[i].iov_base, k);
        done += k;
    }
    c->moved = done;
    return done;
}

struct scsi_sense scsi_reply(struct scsi_cmd *c, const void *buf, size_t len, size_t alloc)
{
    len = min_u64(len, alloc);
    for (unsigned i = 0; i < c->n_in && c->moved < len; i++) {
        size_t k = min_u64(len - c->moved, c->in[i].iov_len);

        memcpy(c->in[i].iov_base, (const uint8_t *)buf + c->moved, k);
        c->moved += k;
    }
    return SENSE_OK;
}

unsigned scsi_cdb_len(uint8_t opcode)
{
    static const uint8_t len[8] = {6, 10, 10, 0, 16, 12, 0, 0};

    return len[opcode >> 5];
}

/* Fixed format, SPC-4 4.5.3. */
static void put_sense(uint8_t out[static SCSI_SENSE], struct scsi_sense s)
{
    memset(out, 0, SCSI_SENSE);
    out[0] = 0x70;
    out[2] = s.key;
    out[7] = SCSI_SENSE - 8;
    out[12] = s.asc >> 8;
    out[13] = s.asc;
}

/* 2 bytes that name a unit, SAM-5 4.7.5: peripheral addressing, or flat above 255. */
static void put_lun(uint8_t *p, uint32_t lun)
{
    p[0] = lun < 256 ? 0 : 0x40 | lun >> 8;
    p[1] = lun;
}

static struct scsi_unit *find(struct scsi_bus *b, uint32_t channel, uint32_t target, uint32_t lun)
{
    struct scsi_unit *any = NULL;

    for (unsigned i = 0; i < b->n; i++) {
        struct scsi_unit *u = b->unit[i];

        if (u->channel != channel || u->target != target)
            continue;
        if (u->lun == lun)
            return u;
        any = u;
    }
    return any;
}

static struct scsi_sense report_luns(struct scsi_unit *u, struct scsi_cmd *c)
{
    uint32_t alloc = get_be32(c->cdb + 6), n = 0;
    struct scsi_sense s;
    uint8_t *list;

    if (c->cdb[2] > 2)
        return SENSE_BAD_FIELD;
    if (!(list = calloc(SCSI_UNITS + 2, 8)))
        return (struct scsi_sense){KEY_HARDWARE, 0x4400};
    if (c->cdb[2] != 1) /* 1: well-known units alone, of which there are none */
        n = 1;          /* LUN 0 comes first, and always, 6.33 */
    for (unsigned i = 0; n && i < u->bus->n; i++) {
        struct scsi_unit *o = u->bus->unit[i];

        if (o->channel == u->channel && o->target == u->target && o->lun)
            put_lun(list + 8 + 8 * n++, o->lun);
    }
    put_be32(list, n * 8);
    s = scsi_reply(c, list, 8 + n * 8, alloc);
    free(list);
    return s;
}

static struct scsi_sense request_sense(struct scsi_unit *u, struct scsi_cmd *c)
{
    uint8_t s[SCSI_SENSE];

    if (c->cdb[1] & 1)
        return SENSE_BAD_FIELD; /* descriptor format */
    pthread_mutex_lock(&u->lock);
    if (u->attention.key) {
        put_sense(s, u->attention);
        u->attention = SENSE_OK;
    } else {
        memcpy(s, u->sense, sizeof(s));
        put_sense(u->sense, SENSE_OK);
    }
    pthread_mutex_unlock(&u->lock);
    return scsi_reply(c, s, sizeof(s), c->cdb[4]);
}

/* A unit that is not there answers INQUIRY with peripheral qualifier 3, SPC-4 6.6.2. */
static struct scsi_sense absent(struct scsi_unit *u, struct scsi_cmd *c)
{
    uint8_t inq[36] = {0x7f, 0, 5, 2, 31};
    uint8_t s[SCSI_SENSE];

    if (c->cdb[0] == OP_INQUIRY && !(c->cdb[1] & 1))
        return scsi_reply(c, inq, sizeof(inq), get_be16(c->cdb + 3));
    if (c->cdb[0] == OP_REQUEST_SENSE) {
        put_sense(s, SENSE_BAD_LUN);
        return scsi_reply(c, s, sizeof(s), c->cdb[4]);
    }
    return c->cdb[0] == OP_REPORT_LUNS ? report_luns(u, c) : SENSE_BAD_LUN;
}

static struct scsi_sense take_attention(struct scsi_unit *u)
{
    struct scsi_sense s;

    pthread_mutex_lock(&u->lock);
    s = u->attention;
    u->attention = SENSE_OK;
    pthread_mutex_unlock(&u->lock);
    return s;
}

static struct scsi_sense run(struct scsi_unit *u, struct scsi_cmd *c, bool there)
{
    struct scsi_sense s;

    if (!there)
        return absent(u, c);
    switch (c->cdb[0]) { /* these three pass an attention by, SAM-5 5.14 */
    case OP_REPORT_LUNS: return report_luns(u, c);
    case OP_REQUEST_SENSE: return request_sense(u, c);
    case OP_INQUIRY: return u->ops->run(u, c);
    }
    s = take_attention(u);
    return s.key ? s : u->ops->run(u, c);
}

bool scsi_bus_run(struct scsi_bus *b, uint32_t channel, uint32_t target, uint32_t lun,
                  struct scsi_cmd *c)
{
    struct scsi_sense s;
    struct scsi_unit *u;

    pthread_rwlock_rdlock(&b->lock);
    u = find(b, channel, target, lun);
    if (u) {
        c->lun = lun;
        c->moved = 0;
        c->again = false;
        s = run(u, c, u->lun == lun);
        c->status = s.key ? SCSI_CHECK_CONDITION : SCSI_GOOD;
        c->sense_len = s.key ? SCSI_SENSE : 0;
        if (s.key) {
            put_sense(c->sense, s);
            pthread_mutex_lock(&u->lock);
            put_sense(u->sense, s);
            pthread_mutex_unlock(&u->lock);
        }
    }
    pthread_rwlock_unlock(&b->lock);
    return u;
}

bool scsi_bus_moves(struct scsi_bus *b, uint32_t target, uint32_t lun, const uint8_t *cdb, uint64_t *len, bool *out)
{
    struct scsi_unit *u;

    pthread_rwlock_rdlock(&b->lock);
    u = find(b, 0, target, lun);
    if (u)
        *len = scsi_cdb_moves(cdb, u->block, u->cd, out);
    pthread_rwlock_unlock(&b->lock);
    return u;
}

unsigned scsi_bus_reset(struct scsi_bus *b, uint32_t target, uint32_t lun)
{
    unsigned n = 0;

    pthread_rwlock_rdlock(&b->lock);
    for (unsigned i = 0; i < b->n; i++) {
        struct scsi_unit *u = b->unit[i];

        if ((target != UINT32_MAX && u->target != target) || (lun != UINT32_MAX && u->lun != lun))
            continue;
        pthread_mutex_lock(&u->lock);
        u->attention = SENSE_POWER_ON;
        pthread_mutex_unlock(&u->lock);
        n++;
    }
    pthread_rwlock_unlock(&b->lock);
    return n;
}

void scsi_attention(struct scsi_unit *u, struct scsi_sense s)
{
    pthread_mutex_lock(&u->lock);
    u->attention = s;
    pthread_mutex_unlock(&u->lock);
    if (u->bus->host->noted)
        u->bus->host->noted(u->bus->opaque, u, s);
}

void scsi_unit_init(struct scsi_unit *u, const struct scsi_unit_ops *ops)
{
    u->ops = ops;
    pthread_mutex_init(&u->lock, NULL);
    put_sense(u->sense, SENSE_OK);
    u->attention = SENSE_POWER_ON;
}

void scsi_unit_fini(struct scsi_unit *u)
{
    pthread_mutex_destroy(&u->lock);
}

/* The bus as the machine knows it. */

static bool taken(struct scsi_bus *b, uint64_t channel, uint64_t target, uint64_t lun)
{
    if (b->own && target == b->own - 1)
        return true;
    for (unsigned i = 0; i < b->n; i++)
        if (b->unit[i]->channel == channel && b->unit[i]->target == target &&
            b->unit[i]->lun == lun)
            return true;
    return false;
}

static int bus_plug(struct bus *bus, struct dev *d, struct err *e)
{
    struct scsi_bus *b = (struct scsi_bus *)bus;
    struct scsi_unit *u = (struct scsi_unit *)d;
    uint64_t target = u->p_target, lun = u->p_lun;

    if (u->p_channel > b->max_channel)
        return err_set(e, -ERANGE, "bad scsi channel id: %" PRIu64, u->p_channel);
    if (target != UINT32_MAX && target > b->max_target)
        return err_set(e, -ERANGE, "bad scsi device id: %" PRIu64, target);
    if (lun != UINT32_MAX && lun > b->max_lun)
        return err_set(e, -ERANGE, "bad scsi device lun: %" PRIu64, lun);
    if (target == UINT32_MAX) {
        lun = lun == UINT32_MAX ? 0 : lun;
        for (target = 0; target <= b->max_target && taken(b, u->p_channel, target, lun);)
            target++;
    } else if (lun == UINT32_MAX) {
        for (lun = 0; lun <= b->max_lun && taken(b, u->p_channel, target, lun);)
            lun++;
    }
    if (b->own && target == b->own - 1)
        return err_set(e, -EBUSY, "scsi-id %" PRIu64 " is the controller's own", target);
    if (target > b->max_target || lun > b->max_lun || b->n == SCSI_UNITS)
        return err_set(e, -EBUSY, "no free %s", target > b->max_target ? "target" : "lun");
    if (taken(b, u->p_channel, target, lun))
        return err_set(e, -EBUSY, "lun already used by '%s'",
                       find(b, u->p_channel, target, lun)->dev.id ?: "");
    u->bus = b;
    u->channel = u->p_channel;
    u->target = target;
    u->lun = lun;
    return 0;
}

static int bus_placed(struct bus *bus, struct dev *d, struct err *e)
{
    struct scsi_bus *b = (struct scsi_bus *)bus;

    pthread_rwlock_wrlock(&b->lock);
    b->unit[b->n++] = (struct scsi_unit *)d;
    pthread_rwlock_unlock(&b->lock);
    if (d->hotplugged && b->host->plugged)
        b->host->plugged(b->opaque, (struct scsi_unit *)d);
    return 0;
}

static void bus_unplug(struct bus *bus, struct dev *d)
{
    struct scsi_bus *b = (struct scsi_bus *)bus;
    unsigned i = 0;

    while (i < b->n && b->unit[i] != (struct scsi_unit *)d)
        i++;
    if (i == b->n)
        return;
    pthread_rwlock_wrlock(&b->lock);
    b->unit[i] = b->unit[--b->n];
    pthread_rwlock_unlock(&b->lock);
    if (b->host->unplugged)
        b->host->unplugged(b->opaque, (struct scsi_unit *)d);
}

static int bus_unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    return 1;
}

void scsi_bus_init(struct scsi_bus *b, struct dev *owner, const char *name)
{
    pthread_rwlock_init(&b->lock, NULL);
    b->bus = (struct bus){.kind = "SCSI",
                          .plug = bus_plug,
                          .placed = bus_placed,
                          .unplug = bus_unplug,
                          .unplug_request = bus_unplug_request};
    bus_add(owner, &b->bus, name);
}

void scsi_bus_fini(struct scsi_bus *b)
{
    pthread_rwlock_destroy(&b->lock);
}
