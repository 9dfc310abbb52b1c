/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space, bridges, slots, MSI-X: whatever is written, nothing breaks, and saved state loads again. */
#include "fuzz/pci.h"

int fuzz_one(const uint8_t *data, size_t len);

static void begin(struct fuzz_pci *f)
{
    fuzz_pci_begin(f);
    fuzz_pci_add(f, "pcie-root-port", "rp", "addr=1,chassis=1", 1 << 15);
    fuzz_pci_add(f, "pci-bridge", "b", "addr=2,chassis_nr=1", 2 << 15);
    fuzz_pci_add(f, "pcie-root-port", "rp2", "addr=3,chassis=2", 3 << 15);
    fuzz_pci_add(f, "x3130-upstream", "up", "bus=rp2", 3 << 20);
    fuzz_pci_add(f, "virtio-rng-pci", "rng", "bus=b,addr=1", 2 << 20 | 1 << 15);
    fuzz_pci_add(f, "virtio-rng-pci", "rng1", "bus=rp", 1 << 20);
    fuzz_pci_add(f, "i6300esb", "dog", "addr=4", 4 << 15);
    fuzz_pci_enable(f);
}

static void reload(const struct fuzz_pci *f)
{
    struct fuzz_pci g;
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    if (!dev_find(f->m, "rng1") || !dev_find(f->m, "up")) /* the guest has switched it off */
        return;
    if (machine_save(f->m, &buf, &len, &e) < 0)
        bug("saving: %s", e.msg);
    begin(&g);
    if (machine_load(g.m, buf, len, &e) < 0)
        bug("loading: %s", e.msg);
    free(buf);
    fuzz_pci_end(&g);
}

static void nothing(void *opaque, const char *text)
{
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;

    begin(&f);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, len -= FUZZ_RECORD) {
        if (data[0] == 0xff && dev_find(f.m, "rng1"))
            dev_unplug(dev_find(f.m, "rng1"), ERR_IGNORE);
        else if (data[0] == 0xfe)
            dev_add(f.m, "virtio-rng-pci", "rng1", "bus=rp", ERR_IGNORE);
        else
            fuzz_pci_record(&f, data);
        data += FUZZ_RECORD;
    }
    pci_print(f.m, nothing, NULL);
    reload(&f);
    fuzz_pci_end(&f);
    return 0;
}
