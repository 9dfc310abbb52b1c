/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "vmcoreinfo": the file etc/vmcoreinfo of fw_cfg, where a guest's kernel says where its note for memory dumps lies.
 * Source: VMCoreInfo device description; Linux, Documentation/ABI/testing/sysfs-kernel-vmcoreinfo.
 */
#include "dev/firmware/fw_cfg.h"

#include "base/bytes.h"

#include <errno.h>

enum { LEN = 16, FORMAT_ELF = 1 }; /* formats of host and guest, 16 bits each; size, 32; address, 64 */

static const uint8_t at_first[LEN] = {FORMAT_ELF};

struct vmcoreinfo {
    struct dev dev;
    uint8_t *file; /* fw_cfg's bytes, which stay */
    uint8_t told[LEN];
};

/* The host's formats are not the guest's to change. */
static void set(struct vmcoreinfo *v, const uint8_t *bytes)
{
    memmove(v->told, bytes, LEN);
    put_le16(v->told, FORMAT_ELF);
    memcpy(v->file, v->told, LEN);
}

static void written(void *opaque)
{
    struct vmcoreinfo *v = opaque;

    set(v, v->file);
}

static int init(struct dev *d, struct err *e)
{
    struct vmcoreinfo *v = (struct vmcoreinfo *)d;
    struct dev *fw_cfg = fw_cfg_find(d->m);

    if (!fw_cfg)
        return err_set(e, -ENODEV, "vmcoreinfo device requires fw_cfg with DMA");
    if (fw_cfg_file(fw_cfg, "etc/vmcoreinfo", &(uint32_t){0}))
        return err_set(e, -EBUSY, "at most one vmcoreinfo device is permitted");
    return fw_cfg_add_writable(fw_cfg, "etc/vmcoreinfo", at_first, LEN, written, v, &v->file, e);
}

static void reset(struct dev *d)
{
    set((struct vmcoreinfo *)d, at_first);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct vmcoreinfo *v = (struct vmcoreinfo *)d;

    set(v, v->told);
    return 0;
}

static const struct state state[] = {
    STATE(vmcoreinfo, told, S_U8, 1, "what the guest wrote"),
    STATE_END,
};

const struct dev_type dev_vmcoreinfo = {
    .name = "vmcoreinfo",
    .help = "where a guest's note for memory dumps is",
    .class = DEV_MISC,
    .size = sizeof(struct vmcoreinfo),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
};
