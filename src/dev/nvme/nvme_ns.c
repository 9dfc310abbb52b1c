/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme-ns: a namespace, which is a drive, on a controller's bus. */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"
#include "dev/backends.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

const char *const nvme_on_off_auto[] = {"auto", "on", "off", NULL};
enum { CACHE_AUTO, CACHE_ON, CACHE_OFF };

static void changed(void *owner, struct drive *d)
{
    struct nvme_ns *ns = owner;

    ns->ctrl->changed[ns->nsid / 8] |= 1u << ns->nsid % 8;
    nvme_event(ns->ctrl, EVENT_NS_CHANGED);
}

static int check_sizes(struct nvme_ns *ns, struct err *e)
{
    if (!ns->logical)
        ns->logical = 512;
    if (ns->physical < ns->logical)
        ns->physical = ns->logical;
    if (ns->logical & (ns->logical - 1) || ns->logical < 512 || ns->logical > NVME_PAGE)
        return err_set(e, -EINVAL, "logical_block_size is 512, 1024, 2048 or 4096, not %llu",
                       (unsigned long long)ns->logical);
    if (ns->physical & (ns->physical - 1) || ns->physical > 2 * MiB)
        return err_set(e, -EINVAL, "physical_block_size must be a power of two up to 2 MiB");
    ns->lba_shift = __builtin_ctzll(ns->logical);
    return 0;
}

/* A name that the guest sees again each time, when the user gives none: from the controller's serial number. */
int nvme_ns_open(struct nvme_ns *ns, struct nvme *n, struct dev *d, uint32_t nsid, struct err *e)
{
    int r = check_sizes(ns, e);

    if (r < 0)
        return r;
    if (!ns->drive_id)
        return err_set(e, -EINVAL, "block backend not configured");
    for (uint32_t id = 1; !nsid && id <= NVME_MAX_NS; id++)
        if (!n->ns[id])
            nsid = id;
    if (!nsid || nsid > NVME_MAX_NS)
        return err_set(e, -EINVAL, "invalid namespace id (must be between 0 and %d)", NVME_MAX_NS);
    if (n->ns[nsid])
        return err_set(e, -EBUSY, "namespace id '%u' already allocated", nsid);
    if ((r = dev_take_drive(d, ns->drive_id, &ns->drive, e)) < 0)
        return r;
    if (!ns->drive->blk) {
        dev_drop_drive(ns->drive);
        return err_set(e, -EINVAL, "drive '%s' is empty", ns->drive_id);
    }
    ns->drive->owner = ns;
    ns->drive->changed = changed;
    ns->read_only = ns->drive->read_only || !(blk_flags(ns->drive->blk) & BLK_RDWR);
    ns->ctrl = n;
    ns->nsid = nsid;
    n->ns[nsid] = ns;
    return 0;
}

void nvme_ns_close(struct nvme_ns *ns)
{
    if (!ns->ctrl)
        return;
    ns->ctrl->ns[ns->nsid] = NULL;
    dev_drop_drive(ns->drive);
    ns->ctrl = NULL;
}

/* As a device ------------------------------------------------------------------------------------ */

struct ns_dev {
    struct dev dev;
    struct nvme_ns ns;
    char *uuid, *bootindex;
    uint64_t nsid, eui64;
    bool detached, shared, share_rw;
};

static const struct field props[] = {
    NVME_NS_FIELDS(ns_dev, ns.),
    FIELD(ns_dev, nsid, F_U64, "nsid", "0", "number of the namespace; 0: the first that is free"),
    FIELD(ns_dev, uuid, F_STR, "uuid", "auto", "UUID, or auto"),
    FIELD(ns_dev, eui64, F_U64, "eui64", "0", "EUI-64 of the namespace"),
    FIELD(ns_dev, shared, F_BOOL, "shared", "on", "has no effect with one controller"),
    FIELD(ns_dev, share_rw, F_BOOL, "share-rw", "off", "others may write the disk, too"),
    FIELD(ns_dev, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD_END,
};

static int parse_uuid(const char *text, uint8_t uuid[16], struct err *e)
{
    static const uint8_t dash[] = {8, 13, 18, 23};
    unsigned n = 0, v;

    for (unsigned i = 0; i < 4 && strlen(text) == 36; i++)
        n += text[dash[i]] == '-';
    if (n != 4)
        return err_set(e, -EINVAL, "'%s' is not a UUID", text);
    for (n = 0; n < 16; n++, text += 2) {
        int used = 0;

        text += *text == '-';
        if (sscanf(text, "%2x%n", &v, &used) != 1 || used != 2)
            return err_set(e, -EINVAL, "'%s' is not a UUID", text);
        uuid[n] = v;
    }
    return 0;
}

static int set_names(struct ns_dev *d, struct err *e)
{
    struct nvme_ns *ns = &d->ns;
    int r = 0;

    for (int i = 0; i < 8; i++)
        ns->eui64[i] = d->eui64 >> (56 - 8 * i);
    ns->has_eui64 = d->eui64;
    ns->has_uuid = true;
    if (strcmp(d->uuid, "auto") != 0)
        r = parse_uuid(d->uuid, ns->uuid, e);
    else if (getrandom(ns->uuid, 16, 0) != 16)
        ns->has_uuid = false;
    else
        ns->uuid[6] = (ns->uuid[6] & 0xf) | 0x40, ns->uuid[8] = (ns->uuid[8] & 0x3f) | 0x80;
    return r;
}

static int init(struct dev *dev, struct err *e)
{
    struct ns_dev *d = (struct ns_dev *)dev;
    struct nvme *n = nvme_of(dev->parent->owner);
    int r = set_names(d, e);

    if (r < 0)
        return r;
    if (d->nsid > NVME_MAX_NS)
        return err_set(e, -EINVAL, "invalid namespace id (must be between 0 and %d)", NVME_MAX_NS);
    if ((r = nvme_ns_open(&d->ns, n, dev, d->nsid, e)) < 0)
        return r;
    n->changed[d->ns.nsid / 8] |= 1u << d->ns.nsid % 8;
    nvme_event(n, EVENT_NS_CHANGED);
    return 0;
}

/* Commands that are in work see the namespace to their end. */
static void fini(struct dev *dev)
{
    struct ns_dev *d = (struct ns_dev *)dev;
    struct nvme *n = d->ns.ctrl;

    nvme_drain(n);
    n->changed[d->ns.nsid / 8] |= 1u << d->ns.nsid % 8;
    nvme_ns_close(&d->ns);
    nvme_go(n);
    nvme_event(n, EVENT_NS_CHANGED);
}

const struct dev_type dev_nvme_ns = {
    .name = "nvme-ns",
    .help = "Virtual NVMe namespace",
    .class = DEV_STORAGE,
    .bus = "nvme",
    .size = sizeof(struct ns_dev),
    .props = props,
    .init = init,
    .fini = fini,
};
