/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio on PCI.  Virtio 1.2, 4.1: capabilities that point into BAR 4, MSI-X in BAR 1; and the I/O port
 * registers of before 1.0 in BAR 0 (4.1.4.8), for transitional devices.
 */
#include "dev/virtio/virtio_pci.h"

#include <errno.h>
#include <stdlib.h>

enum { VENDOR = 0x1af4, MODERN_ID = 0x1040 };
enum { BAR_LEGACY = 0, BAR_MSIX = 1, BAR_MODERN = 4 }; /* the latter two unless bars_moved */
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_ACCESS };

/* BAR 4, one page each. */
enum { AT_COMMON = 0, AT_ISR = 0x1000, AT_DEVICE = 0x2000, AT_NOTIFY = 0x3000, BAR_LEN = 0x4000 };
enum { PART_LEN = 0x1000, NOTIFY_MULTIPLIER = 4 };

/* struct virtio_pci_common_cfg, 4.1.4.3. */
enum {
    C_DEVICE_FEATURE_SELECT = 0x00,
    C_DEVICE_FEATURE = 0x04,
    C_DRIVER_FEATURE_SELECT = 0x08,
    C_DRIVER_FEATURE = 0x0c,
    C_CONFIG_MSIX_VECTOR = 0x10,
    C_NUM_QUEUES = 0x12,
    C_DEVICE_STATUS = 0x14,
    C_CONFIG_GENERATION = 0x15,
    C_QUEUE_SELECT = 0x16,
    C_QUEUE_SIZE = 0x18,
    C_QUEUE_MSIX_VECTOR = 0x1a,
    C_QUEUE_ENABLE = 0x1c,
    C_QUEUE_NOTIFY_OFF = 0x1e,
    C_QUEUE_DESC = 0x20,
    C_QUEUE_DRIVER = 0x28,
    C_QUEUE_DEVICE = 0x30,
    C_QUEUE_NOTIFY_DATA = 0x38,
    C_QUEUE_RESET = 0x3a,
    COMMON_LEN = 0x3c
};

/* I/O ports of transitional devices. */
enum {
    L_DEVICE_FEATURES = 0,
    L_DRIVER_FEATURES = 4,
    L_QUEUE_ADDRESS = 8,
    L_QUEUE_SIZE = 12,
    L_QUEUE_SELECT = 14,
    L_QUEUE_NOTIFY = 16,
    L_STATUS = 18,
    L_ISR = 19,
    L_CONFIG = 20, /* without MSI-X */
    L_CONFIG_VECTOR = 20,
    L_QUEUE_VECTOR = 22,
    L_CONFIG_MSIX = 24,
    LEGACY_PAGE = 4096
};
#define LEGACY_FEATURES (VIRTIO_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT))

enum { VECTORS_UNSAID = 0xffff };
const char *const vpci_on_off_auto[] = {"on", "off", "auto", NULL};
static const struct field vpci_props[] = {VPCI_FIELDS, FIELD_END};

static const struct state vpci_state[] = {VPCI_STATE, STATE_END};

static unsigned bar_modern(const struct vpci *p)
{
    return p->bars_moved ? VPCI_MOVED_MODERN : BAR_MODERN;
}

static struct virtio *model(struct vpci *p)
{
    return virtio_of(&p->pci.dev);
}

static void update_irq(struct vpci *p)
{
    pci_set_irq(&p->pci,
                !msix_enabled(&p->pci) && __atomic_load_n(&model(p)->isr, __ATOMIC_SEQ_CST));
}

static void interrupt(struct virtio *v, uint16_t vector)
{
    struct vpci *p = (struct vpci *)v->dev;

    if (!msix_enabled(&p->pci))
        update_irq(p);
    else if (vector != VIRTIO_NO_VECTOR)
        msix_notify(&p->pci, vector);
}

static void raise_queue(struct virtio *v, struct vq *q)
{
    interrupt(v, q->vector);
}

static void raise_config(struct virtio *v)
{
    interrupt(v, v->config_vector);
}

static const struct virtio_transport transport = {.queue = raise_queue, .config = raise_config};

/* A vector that does not exist reads back as none, 4.1.5.1.2. */
static uint16_t vector(const struct vpci *p, uint16_t n)
{
    return n < p->pci.msix.vectors ? n : VIRTIO_NO_VECTOR;
}

static uint8_t read_isr(struct vpci *p)
{
    uint8_t isr = __atomic_exchange_n(&model(p)->isr, 0, __ATOMIC_SEQ_CST);

    update_irq(p);
    return isr;
}

static void set_status(struct vpci *p, uint8_t status)
{
    virtio_set_status(model(p), status);
    update_irq(p);
}

static uint64_t queue_read(struct vpci *p, unsigned off)
{
    struct vq *q = virtio_queue(model(p), p->queue_sel);

    if (!q)
        return off == C_QUEUE_MSIX_VECTOR ? VIRTIO_NO_VECTOR : 0;
    switch (off) {
    case C_QUEUE_SIZE: return q->size;
    case C_QUEUE_MSIX_VECTOR: return q->vector;
    case C_QUEUE_ENABLE: return q->enabled;
    case C_QUEUE_NOTIFY_OFF:
    case C_QUEUE_NOTIFY_DATA: return p->queue_sel;
    case C_QUEUE_DESC: return (uint32_t)q->desc;
    case C_QUEUE_DESC + 4: return q->desc >> 32;
    case C_QUEUE_DRIVER: return (uint32_t)q->driver;
    case C_QUEUE_DRIVER + 4: return q->driver >> 32;
    case C_QUEUE_DEVICE: return (uint32_t)q->device;
    case C_QUEUE_DEVICE + 4: return q->device >> 32;
    }
    return 0;
}

static uint32_t feature_word(uint64_t f, uint32_t sel)
{
    return sel < 2 ? f >> 32 * sel : 0;
}

static uint64_t common_read(void *opaque, paddr off, struct access a)
{
    struct vpci *p = opaque;
    struct virtio *v = model(p);

    switch (off) {
    case C_DEVICE_FEATURE_SELECT: return p->device_sel;
    case C_DEVICE_FEATURE: return feature_word(v->host_features & ~LEGACY_FEATURES, p->device_sel);
    case C_DRIVER_FEATURE_SELECT: return p->driver_sel;
    case C_DRIVER_FEATURE: return feature_word(v->guest_features, p->driver_sel);
    case C_CONFIG_MSIX_VECTOR: return v->config_vector;
    case C_NUM_QUEUES: return v->n_queues;
    case C_DEVICE_STATUS: return v->status;
    case C_CONFIG_GENERATION: return (uint8_t)v->generation;
    case C_QUEUE_SELECT: return p->queue_sel;
    }
    return queue_read(p, off);
}

static void half(uint64_t *reg, bool high, uint32_t v)
{
    *reg = high ? (*reg & UINT64_C(0xffffffff)) | (uint64_t)v << 32
                : (*reg & ~UINT64_C(0xffffffff)) | v;
}

static void queue_write(struct vpci *p, unsigned off, uint32_t val)
{
    struct virtio *v = model(p);
    struct vq *q = virtio_queue(v, p->queue_sel);

    if (!q)
        return;
    switch (off) {
    case C_QUEUE_SIZE: virtio_set_size(q, val); break;
    case C_QUEUE_MSIX_VECTOR: q->vector = vector(p, val); break;
    case C_QUEUE_ENABLE:
        if (val == 1)
            virtio_enable(q, true);
        else
            guest_error(v->dev, "queue_enable: %u written", val); /* 4.1.4.3.2: MUST NOT write 0 */
        break;
    case C_QUEUE_DESC:
    case C_QUEUE_DESC + 4: half(&q->desc, off & 4, val); break;
    case C_QUEUE_DRIVER:
    case C_QUEUE_DRIVER + 4: half(&q->driver, off & 4, val); break;
    case C_QUEUE_DEVICE:
    case C_QUEUE_DEVICE + 4: half(&q->device, off & 4, val); break;
    case C_QUEUE_RESET:
        if (val == 1 && virtio_has(v, VIRTIO_F_RING_RESET))
            virtio_reset_queue(q);
        break;
    default: guest_error(v->dev, "write to common register %#x", off);
    }
}

static void common_write(void *opaque, paddr off, uint64_t val, struct access a)
{
    struct vpci *p = opaque;
    struct virtio *v = model(p);

    switch (off) {
    case C_DEVICE_FEATURE_SELECT: p->device_sel = val; break;
    case C_DRIVER_FEATURE_SELECT: p->driver_sel = val; break;
    case C_DRIVER_FEATURE:
        if (p->driver_sel < 2)
            virtio_set_features(v, p->driver_sel, val);
        break;
    case C_CONFIG_MSIX_VECTOR: v->config_vector = vector(p, val); break;
    case C_DEVICE_STATUS: set_status(p, val); break;
    case C_QUEUE_SELECT: p->queue_sel = val; break;
    default: queue_write(p, off, val);
    }
}

static uint64_t isr_read(void *opaque, paddr off, struct access a)
{
    return off == 0 && !a.debug ? read_isr(opaque) : 0;
}

static void isr_write(void *opaque, paddr off, uint64_t val, struct access a)
{
}

static uint64_t device_read(void *opaque, paddr off, struct access a)
{
    return virtio_config_read(model(opaque), off, a.size);
}

static void device_write(void *opaque, paddr off, uint64_t val, struct access a)
{
    virtio_config_write(model(opaque), off, val, a.size);
}

static uint64_t notify_read(void *opaque, paddr off, struct access a)
{
    return 0;
}

static void notify_write(void *opaque, paddr off, uint64_t val, struct access a)
{
    virtio_kick(model(opaque), off / NOTIFY_MULTIPLIER);
}

static const struct mmio_ops common_ops = {
    .read = common_read, .write = common_write, .min = 1, .max = 4};
static const struct mmio_ops isr_ops = {.read = isr_read, .write = isr_write, .min = 1, .max = 4};
static const struct mmio_ops device_ops = {
    .read = device_read, .write = device_write, .min = 1, .max = 4};
static const struct mmio_ops notify_ops = {
    .read = notify_read, .write = notify_write, .min = 1, .max = 4};

/* Before 1.0. */

static unsigned legacy_config(const struct vpci *p)
{
    return msix_enabled(&p->pci) ? L_CONFIG_MSIX : L_CONFIG;
}

static uint64_t legacy_read(void *opaque, paddr off, struct access a)
{
    struct vpci *p = opaque;
    struct virtio *v = model(p);
    struct vq *q = virtio_queue(v, p->queue_sel);

    if (off >= legacy_config(p))
        return virtio_config_read(v, off - legacy_config(p), a.size);
    switch (off) {
    case L_DEVICE_FEATURES: return (uint32_t)v->host_features;
    case L_DRIVER_FEATURES: return (uint32_t)v->guest_features;
    case L_QUEUE_ADDRESS: return q && q->enabled ? q->desc / LEGACY_PAGE : 0;
    case L_QUEUE_SIZE: return q ? q->size_max : 0;
    case L_QUEUE_SELECT: return p->queue_sel;
    case L_STATUS: return v->status;
    case L_ISR: return read_isr(p);
    case L_CONFIG_VECTOR: return v->config_vector;
    case L_QUEUE_VECTOR: return q ? q->vector : VIRTIO_NO_VECTOR;
    }
    return 0;
}

static void legacy_address(struct vpci *p, struct vq *q, uint32_t pfn)
{
    if (pfn)
        virtio_legacy_layout(q, (uint64_t)pfn * LEGACY_PAGE, LEGACY_PAGE);
    else
        virtio_reset_queue(q);
}

static void legacy_write(void *opaque, paddr off, uint64_t val, struct access a)
{
    struct vpci *p = opaque;
    struct virtio *v = model(p);
    struct vq *q = virtio_queue(v, p->queue_sel);

    if (off >= legacy_config(p)) {
        virtio_config_write(v, off - legacy_config(p), val, a.size);
        return;
    }
    switch (off) {
    case L_DRIVER_FEATURES:
        v->guest_features &= UINT32_MAX;
        virtio_set_features(v, false, val);
        break;
    case L_QUEUE_ADDRESS:
        if (q)
            legacy_address(p, q, val);
        break;
    case L_QUEUE_SELECT: p->queue_sel = val; break;
    case L_QUEUE_NOTIFY: virtio_kick(v, val & 0xffff); break;
    case L_STATUS: set_status(p, val); break;
    case L_CONFIG_VECTOR: v->config_vector = vector(p, val); break;
    case L_QUEUE_VECTOR:
        if (q)
            q->vector = vector(p, val);
        break;
    default: guest_error(v->dev, "write to port %#" PRIx64, off);
    }
}

static const struct mmio_ops legacy_ops = {
    .read = legacy_read, .write = legacy_write, .min = 1, .max = 4};

/* The configuration space's way to BAR 4, 4.1.4.9: for firmware that cannot reach memory. */

enum { A_BAR = 4, A_OFFSET = 8, A_LENGTH = 12, A_DATA = 16, A_LEN = 20 };

static bool access_target(struct vpci *p, struct mem **m, paddr *off, struct access *a)
{
    unsigned c = p->access_cap;
    uint32_t at = pci_get32(&p->pci, c + A_OFFSET), len = pci_get32(&p->pci, c + A_LENGTH);
    struct mem *parts[] = {&p->common, &p->isr, &p->device, &p->notify};

    if (p->pci.config[c + A_BAR] != bar_modern(p) || at >= BAR_LEN || !is_pow2(len) || len > 4 ||
        at % len)
        return false;
    *m = parts[at / PART_LEN];
    *off = at % PART_LEN;
    *a = (struct access){.who = BUS_NOBODY, .size = len};
    return true;
}

static void config_reading(struct pci_dev *d, unsigned off, unsigned size)
{
    struct vpci *p = (struct vpci *)d;
    struct access a;
    struct mem *m;
    paddr at;

    if (p->access_cap && pci_touches(off, size, p->access_cap + A_DATA, 4) &&
        access_target(p, &m, &at, &a))
        pci_set32(d, p->access_cap + A_DATA, m->ops->read(m->opaque, at, a));
}

/* The command register's bus master bit, and the power state.  What came while it was off is looked at. */
static void follow_master(struct vpci *p)
{
    struct virtio *v = virtio_of(&p->pci.dev);
    bool off = !pci_dma_on(&p->pci), was = v->no_dma;

    __atomic_store_n(&v->no_dma, off, __ATOMIC_RELAXED);
    for (unsigned i = 0; was && !off && i < v->n_queues; i++)
        if (v->vq[i].enabled && virtio_running(v) && v->type->kick)
            v->type->kick(v, &v->vq[i]);
}

static void config_written(struct pci_dev *d, unsigned off, unsigned size)
{
    struct vpci *p = (struct vpci *)d;
    struct access a;
    struct mem *m;
    paddr at;

    follow_master(p);
    if (p->access_cap && pci_touches(off, size, p->access_cap + A_DATA, 4) &&
        access_target(p, &m, &at, &a))
        m->ops->write(m->opaque, at,
                      pci_get32(d, p->access_cap + A_DATA) &
                          (a.size == 4 ? UINT32_MAX : (1u << 8 * a.size) - 1),
                      a);
}

/* A capability, 4.1.4: @extra bytes behind its common part. */
static unsigned add_cap(struct vpci *p, uint8_t kind, uint32_t at, uint32_t len, unsigned extra)
{
    unsigned c = pci_add_cap(&p->pci, PCI_CAP_VENDOR, 0, 16 + extra);

    pci_set8(&p->pci, c + 2, 16 + extra);
    pci_set8(&p->pci, c + 3, kind);
    pci_set8(&p->pci, c + 4, kind == CAP_ACCESS ? 0 : bar_modern(p));
    pci_set32(&p->pci, c + 8, at);
    pci_set32(&p->pci, c + 12, len);
    return c;
}

static void add_part(struct vpci *p, struct mem *m, const char *name, paddr at,
                     const struct mmio_ops *ops)
{
    mem_init_mmio(m, name, PART_LEN, ops, p);
    mem_add(&p->bar, at, m, 0);
}

static void add_modern(struct vpci *p)
{
    struct pci_dev *d = &p->pci;
    unsigned c;

    mem_init_container(&p->bar, "virtio-pci", BAR_LEN);
    add_part(p, &p->common, "virtio-pci-common", AT_COMMON, &common_ops);
    add_part(p, &p->isr, "virtio-pci-isr", AT_ISR, &isr_ops);
    add_part(p, &p->device, "virtio-pci-device", AT_DEVICE, &device_ops);
    add_part(p, &p->notify, "virtio-pci-notify", AT_NOTIFY, &notify_ops);
    add_cap(p, CAP_COMMON, AT_COMMON, PART_LEN, 0);
    add_cap(p, CAP_ISR, AT_ISR, PART_LEN, 0);
    add_cap(p, CAP_DEVICE, AT_DEVICE, PART_LEN, 0);
    c = add_cap(p, CAP_NOTIFY, AT_NOTIFY, PART_LEN, 4);
    pci_set32(d, c + 16, NOTIFY_MULTIPLIER);
    c = p->access_cap = add_cap(p, CAP_ACCESS, 0, 0, 4);
    pci_wmask8(d, c + A_BAR, 0xff);
    pci_wmask32(d, c + A_OFFSET, UINT32_MAX);
    pci_wmask32(d, c + A_LENGTH, UINT32_MAX);
    pci_wmask32(d, c + A_DATA, UINT32_MAX);
    pci_add_bar(d, bar_modern(p), PCI_BAR_64 | PCI_BAR_PREFETCH, &p->bar);
}

static uint64_t round_pow2(uint64_t v)
{
    uint64_t p = 1;

    while (p < v)
        p <<= 1;
    return p;
}

static void add_legacy(struct vpci *p, const struct virtio *v)
{
    mem_init_mmio(&p->legacy, "virtio-pci-legacy", round_pow2(L_CONFIG_MSIX + v->config_len),
                  &legacy_ops, p);
    pci_add_bar(&p->pci, BAR_LEGACY, PCI_BAR_IO, &p->legacy);
    /* 4.1.2.3: a transitional device has its old ID and the subsystem says what it is. */
    pci_set16(&p->pci, PCI_DEVICE_ID, v->type->legacy_pci_id);
    pci_set8(&p->pci, PCI_REVISION_ID, 0);
    pci_set16(&p->pci, PCI_SUBSYSTEM_VENDOR_ID, VENDOR);
    pci_set16(&p->pci, PCI_SUBSYSTEM_ID, v->type->id);
}

/* Which of the two it shows: by name, by property, or by where it is plugged in. */
static int choose(struct vpci *p, struct err *e)
{
    const struct virtio_wrap *w = virtio_wrap_of(p->pci.dev.type);
    bool old = virtio_type_of(p->pci.dev.type)->legacy_pci_id != 0;
    bool port = p->pci.express && !pci_bus_is_root(p->pci.bus);

    p->has_modern = true;
    if (w == &virtio_wrap_pci_transitional) {
        p->has_legacy = true;
    } else if (w == &virtio_wrap_pci) {
        p->has_modern = !p->disable_modern;
        p->has_legacy = old && (p->disable_legacy == VPCI_OFF || (p->disable_legacy == VPCI_AUTO && !port));
    }
    if (!p->has_legacy && !p->has_modern)
        return err_set(e, -EINVAL,
                       "device cannot work as neither modern nor legacy mode is enabled");
    return 0;
}

void vpci_fini(struct dev *d)
{
    virtio_fini(virtio_of(d));
    pci_dev_fini((struct pci_dev *)d);
}

static void add_vectors(struct vpci *p, struct virtio *v)
{
    uint64_t n = p->vectors;

    if (n == VECTORS_UNSAID)
        n = v->type->pci_vectors ? v->type->pci_vectors : v->n_queues + 1;
    if (n)
        msix_add_bar(&p->pci, 0, min_u64(n, 2048), p->bars_moved ? VPCI_MOVED_MSIX : BAR_MSIX);
}

int vpci_init(struct dev *d, struct err *e)
{
    struct vpci *p = (struct vpci *)d;
    struct virtio *v = virtio_of(d);
    int r;

    if ((r = choose(p, e)) < 0 || (r = virtio_init(v, d, virtio_type_of(d->type), &transport,
                                                   pci_dma_space(&p->pci), e)) < 0) {
        pci_dev_fini(&p->pci);
        return r;
    }
    if (p->has_modern)
        v->host_features |= VIRTIO_BIT(VIRTIO_F_VERSION_1);
    pci_pin(&p->pci, 1);
    add_vectors(p, v);
    if (p->has_modern)
        add_modern(p);
    if (p->has_legacy)
        add_legacy(p, v);
    pcie_add_endpoint(&p->pci, 0, true);
    pci_add_pm(&p->pci, 0);
    return 0;
}

void vpci_reset(struct dev *d)
{
    struct vpci *p = (struct vpci *)d;

    virtio_reset(virtio_of(d));
    p->device_sel = p->driver_sel = p->queue_sel = 0;
    pci_dev_reset(&p->pci);
    follow_master(p);
    update_irq(p);
}

int vpci_loaded(struct dev *d, int version, struct err *e)
{
    struct vpci *p = (struct vpci *)d;
    int r;

    if ((r = pci_dev_loaded(&p->pci, e)) < 0)
        return r;
    virtio_of(d)->no_dma = !pci_dma_on(&p->pci);
    if ((r = virtio_loaded(virtio_of(d), version, e)) < 0)
        return r;
    update_irq(p);
    return 0;
}

static bool has_legacy_id(const struct virtio_type *t)
{
    return t->legacy_pci_id;
}

const void *vpci_ops(const struct virtio_type *t)
{
    struct pci_type *p = calloc(1, sizeof(*p));

    if (!p)
        fatal("out of memory");
    *p = (struct pci_type){
        .vendor = VENDOR,
        .device = MODERN_ID + t->id,
        .rom = t->id == 1 ? "efi-virtio.rom" : NULL, /* network cards: their boot programs */
        .class = t->pci_class >> 8,
        .prog_if = t->pci_class,
        .revision = 1,
        .kind = PCI_HYBRID,
        .config_reading = config_reading,
        .config_written = config_written,
    };
    return p;
}

#define VPCI                                                                                       \
    .bus = "pci", .size = sizeof(struct vpci), .props = vpci_props, .state = vpci_state,           \
    .ops = vpci_ops, .init = vpci_init, .reset = vpci_reset, .fini = vpci_fini,                     \
    .loaded = vpci_loaded

const struct virtio_wrap virtio_wrap_pci = {.name = "virtio-%s-pci", .alias = "virtio-%s", VPCI};
const struct virtio_wrap virtio_wrap_pci_transitional = {
    .name = "virtio-%s-pci-transitional", .fits = has_legacy_id, VPCI};
const struct virtio_wrap virtio_wrap_pci_non_transitional = {
    .name = "virtio-%s-pci-non-transitional", VPCI};
