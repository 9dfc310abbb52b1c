/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The e1000 and e1000e cards: registers, descriptors, packets; what is sent comes back. */
#include "fuzz/pci.h"

#include "dev/net/e1000_regs.h"

int fuzz_one(const uint8_t *data, size_t len);

enum { RX = 0x1000, TX = 0x2000, BUFFERS = 0x10000, ENTRIES = 16 };

static void reg(struct fuzz_pci *f, unsigned dev, unsigned off, uint32_t v)
{
    fuzz_store(f, fuzz_bar(dev, 0) + off, v, 4);
}

static void start(struct fuzz_pci *f, unsigned dev)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        put_le64(f->ram->host + RX + 16 * i, FUZZ_RAM + BUFFERS + 2048 * i);
    reg(f, dev, RDBAL, FUZZ_RAM + RX);
    reg(f, dev, RDLEN, ENTRIES * 16);
    reg(f, dev, RDT, ENTRIES - 1);
    reg(f, dev, RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM | 1 << 6);
    reg(f, dev, TDBAL, FUZZ_RAM + TX);
    reg(f, dev, TDLEN, ENTRIES * 16);
    reg(f, dev, TCTL, TCTL_EN);
    reg(f, dev, IMS, UINT32_MAX);
}

/* A descriptor of the input, sent by the first or the second card. */
static void transmit(struct fuzz_pci *f, unsigned dev, const uint8_t *data, size_t len)
{
    uint32_t tail = fuzz_load(f, fuzz_bar(dev, 0) + TDT, 4) % ENTRIES;
    uint8_t *d = f->ram->host + TX + 16 * tail;

    memset(d, 0, 16);
    memcpy(d, data, len < 16 ? len : 16);
    reg(f, dev, TDT, (tail + 1) % ENTRIES);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;

    fuzz_pci_begin(&f);
    fuzz_pci_add(&f, "e1000", "a", "addr=1", 1 << 15);
    fuzz_pci_add(&f, "e1000e", "b", "addr=2", 2 << 15);
    fuzz_pci_enable(&f);
    start(&f, 0);
    start(&f, 1);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++) {
        size_t used = FUZZ_RECORD;

        if ((data[0] & 7) == 7 && data[0] & 8) {
            used = len < 18 ? len : 18;
            transmit(&f, data[1] & 1, data + 2, used - 2);
        } else {
            fuzz_pci_record(&f, data);
        }
        data += used;
        len -= used;
    }
    fuzz_pci_end(&f);
    return 0;
}
