/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-balloon: memory that the guest gives back, and tells of.  Virtio 1.2, 5.5.  Under the machine's lock. */
#include "dev/virtio/balloon.h"
#include "dev/virtio/virtio.h"
#include "dev/virtio/wrap.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/mman.h>
#include <unistd.h>

enum { F_STATS_VQ = 1, F_DEFLATE_ON_OOM = 2, F_PAGE_POISON = 4, F_REPORTING = 5 };
enum { C_NUM_PAGES = 0, C_ACTUAL = 4, C_POISON = 12, CONFIG_LEN = 16 };
enum { Q_INFLATE, Q_DEFLATE, Q_STATS, Q_REPORTING };
enum {
    QUEUE_SIZE = 128,
    PAGE = 4096,
    PFNS = 256,
    STAT_LEN = 10,
    MAX_STATS = 64,
    MAX_INFLATE = 1 << 20
};

struct balloon {
    struct virtio v;
    uint32_t num_pages, actual; /* 4 KiB each */
    uint32_t poison;
    uint64_t ram; /* bytes, when a monitor has said so; else 0 */
    uint64_t stats[BALLOON_STATS];
    int64_t updated;
    bool have_stats; /* a buffer of the guest's lies in the queue and has been read */

    bool deflate_on_oom, reporting, page_poison, free_page_hint;
};

static const struct field balloon_props[] = {
    FIELD(balloon, deflate_on_oom, F_BOOL, "deflate-on-oom", "off",
          "the guest may take memory back when it has none"),
    FIELD(balloon, reporting, F_BOOL, "free-page-reporting", "off",
          "the guest tells of free memory"),
    FIELD(balloon, page_poison, F_BOOL, "page-poison", "on",
          "the guest tells what free memory holds"),
    FIELD(balloon, free_page_hint, F_BOOL, "free-page-hint", "off", "can only be off"), FIELD_END};

static const struct state balloon_state[] = {STATE(balloon, num_pages, S_U32, 1, "4 KiB"),
                                             STATE(balloon, actual, S_U32, 1, "4 KiB"),
                                             STATE(balloon, poison, S_U32, 1, NULL), STATE_END};

/* Whole pages of [addr, addr + len) go back to the host; they read as zeros or as they were. */
static void give_up(struct balloon *b, paddr addr, uint64_t len)
{
    uint64_t host_page = (uint64_t)sysconf(_SC_PAGESIZE);

    while (len) {
        struct mem_hit h;
        uint64_t k;

        if (!space_find(b->v.space, addr, &h) || !h.len)
            return;
        k = min_u64(h.len, len);
        if (h.host && h.ram && h.writable) {
            uint64_t from = round_up((uint64_t)(uintptr_t)h.host, host_page),
                     to = round_down((uint64_t)(uintptr_t)h.host + k, host_page);

            if (from < to && madvise((void *)(uintptr_t)from, to - from,
                                     h.ram->fd >= 0 ? MADV_REMOVE : MADV_DONTNEED) == 0)
                ram_written(b->v.m, h.ram, h.ram_off, k);
        }
        addr += k;
        len -= k;
    }
}

/* Page numbers of one chain, neighbours in one go. */
static void inflate(struct balloon *b, const struct vq_elem *el)
{
    uint8_t raw[4 * PFNS];
    uint64_t from = 0, n = 0;

    if (el->rd_len > MAX_INFLATE) {
        virtio_break(&b->v, "%" PRIu64 " bytes of page numbers", el->rd_len);
        return;
    }
    for (uint64_t at = 0; at + 4 <= el->rd_len;) {
        size_t k = iov_read(el->rd, el->n_rd, at, raw, sizeof(raw)) / 4;

        for (size_t i = 0; i < k; i++) {
            uint64_t pfn = get_le32(raw + 4 * i);

            if (n && pfn == from + n) {
                n++;
                continue;
            }
            give_up(b, from * PAGE, n * PAGE);
            from = pfn;
            n = 1;
        }
        at += 4 * k;
    }
    give_up(b, from * PAGE, n * PAGE);
}

/* Free memory, as the pieces of a chain. */
static void reported(struct balloon *b, const struct vq_elem *el)
{
    if (virtio_has(&b->v, F_PAGE_POISON) && b->poison)
        return; /* it must keep what it holds */
    for (unsigned i = 0; i < el->n_wr; i++)
        give_up(b, el->addr[el->n_rd + i], el->wr[i].iov_len);
}

static void take_stats(struct balloon *b, const struct vq_elem *el)
{
    uint8_t s[STAT_LEN];

    memset(b->stats, 0xff, sizeof(b->stats));
    for (unsigned i = 0; i < MAX_STATS; i++) {
        if (iov_read(el->rd, el->n_rd, i * STAT_LEN, s, sizeof(s)) < sizeof(s))
            break;
        if (get_le16(s) < BALLOON_STATS)
            b->stats[get_le16(s)] = get_le64(s + 2);
    }
    b->updated = clock_now(b->v.m, CLK_RTC);
}

/* The guest's buffer stays in the queue until new numbers are wanted: giving it back asks for them, 5.5.6.3. */
static void stats_kick(struct balloon *b, struct vq *q)
{
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};

    if (!b->have_stats && vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
        take_stats(b, &el);
        vq_unpop(q, &el);
        b->have_stats = true;
    }
    vq_notify(q);
}

static void ask_stats(struct balloon *b)
{
    struct vq *q = &b->v.vq[Q_STATS];
    struct iovec iov[VQ_MAX_SEGS];
    struct vq_elem el = {0};

    if (!b->have_stats || !virtio_running(&b->v) || vq_pop(q, &el, iov, VQ_MAX_SEGS) <= 0)
        return;
    b->have_stats = false;
    vq_push(q, &el, 0);
    vq_listen(q);
    vq_notify(q);
}

static void balloon_kick(struct virtio *v, struct vq *q)
{
    struct balloon *b = (struct balloon *)v;
    struct iovec iov[VQ_MAX_SEGS];
    uint64_t addr[VQ_MAX_SEGS];
    struct vq_elem el = {.addr = addr};

    if (q->index == Q_STATS) {
        stats_kick(b, q);
        return;
    }
    do {
        while (vq_pop(q, &el, iov, VQ_MAX_SEGS) > 0) {
            if (q->index == Q_INFLATE)
                inflate(b, &el);
            else if (q->index == Q_REPORTING)
                reported(b, &el);
            vq_push(q, &el, 0);
        }
    } while (vq_listen(q));
    vq_notify(q);
}

static void balloon_config(struct virtio *v, uint8_t *c)
{
    struct balloon *b = (struct balloon *)v;

    put_le32(c + C_NUM_PAGES, b->num_pages);
    put_le32(c + C_ACTUAL, b->actual);
    put_le32(c + C_POISON, b->poison);
}

static void tell_change(struct balloon *b)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "actual",
                           json_object_new_int64((int64_t)(b->ram - (uint64_t)b->actual * PAGE)));
    machine_event(b->v.m, "BALLOON_CHANGE", o);
}

static void balloon_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    struct balloon *b = (struct balloon *)v;
    uint32_t was = b->actual;

    if (off < C_ACTUAL + 4 && off + len > C_ACTUAL)
        b->actual = get_le32(cfg + C_ACTUAL);
    if (off < C_POISON + 4 && off + len > C_POISON)
        b->poison = get_le32(cfg + C_POISON);
    if (b->actual != was && b->ram && b->actual <= b->ram / PAGE)
        tell_change(b);
}

static void balloon_reset(struct virtio *v)
{
    struct balloon *b = (struct balloon *)v;

    b->poison = 0;
    b->have_stats = false;
}

static int balloon_init(struct virtio *v, struct err *e)
{
    struct balloon *b = (struct balloon *)v;

    if (b->free_page_hint)
        return err_set(e, -ENOTSUP, "Property 'free-page-hint' can only be off");
    memset(b->stats, 0xff, sizeof(b->stats));
    v->host_features |= VIRTIO_BIT(F_STATS_VQ) |
                        (b->deflate_on_oom ? VIRTIO_BIT(F_DEFLATE_ON_OOM) : 0) |
                        (b->reporting ? VIRTIO_BIT(F_REPORTING) : 0) |
                        (b->page_poison ? VIRTIO_BIT(F_PAGE_POISON) : 0);
    v->config_len = CONFIG_LEN;
    virtio_add_queues(v, b->reporting ? 4 : 3, QUEUE_SIZE);
    return 0;
}

const struct virtio_type virtio_balloon = {
    .name = "balloon",
    .help = "memory that the guest gives back",
    .class = DEV_MISC,
    .id = 5,
    .legacy_pci_id = 0x1002,
    .pci_class = 0x00ff00,
    .size = sizeof(struct balloon),
    .props = balloon_props,
    .state = balloon_state,
    .init = balloon_init,
    .reset = balloon_reset,
    .kick = balloon_kick,
    .config = balloon_config,
    .config_written = balloon_config_written,
};

/* For monitors. */

static bool is_balloon(void *opaque, struct dev *d)
{
    struct dev **found = opaque;

    if (virtio_is(d) && virtio_of(d)->type == &virtio_balloon)
        *found = d;
    return !*found;
}

static struct balloon *find(struct machine *m, struct err *e)
{
    struct dev *d = NULL;

    machine_each_dev(m, is_balloon, &d);
    if (d)
        return (struct balloon *)virtio_of(d);
    err_set(e, -ENODEV, "No balloon device has been activated");
    return NULL;
}

int balloon_set(struct machine *m, uint64_t target, uint64_t ram, struct err *e)
{
    struct balloon *b = find(m, e);
    uint32_t pages;

    if (!b)
        return e->code;
    b->ram = ram;
    pages = (uint32_t)((ram - min_u64(target, ram)) / PAGE);
    if (pages != b->num_pages) {
        b->num_pages = pages;
        virtio_config_changed(&b->v);
    }
    return 0;
}

int balloon_query(struct machine *m, uint64_t ram, struct balloon_info *i, struct err *e)
{
    struct balloon *b = find(m, e);

    if (!b)
        return e->code;
    i->actual = ram - min_u64(ram, (uint64_t)b->actual * PAGE);
    memcpy(i->stats, b->stats, sizeof(i->stats));
    i->updated = b->updated;
    ask_stats(b);
    return 0;
}
