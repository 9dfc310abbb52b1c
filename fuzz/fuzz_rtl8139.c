/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rtl8139 card: registers, buffers and rings; what it sends comes back to it through its loop. */
#include "fuzz/pci.h"

int fuzz_one(const uint8_t *data, size_t len);

static void reg(struct fuzz_pci *f, unsigned off, uint32_t v, unsigned size)
{
    fuzz_store(f, fuzz_bar(0, 1) + off, v, size);
}

/* A register of the C+ mode. */
static void write_cplus(struct fuzz_pci *f, const uint8_t *p)
{
    static const uint8_t regs[] = {0xd9, 0xe0, 0xe4, 0x20, 0x28, 0x10};
    unsigned off = regs[p[1] % ARRAY_LEN(regs)];
    uint32_t v = get_le32(p + 4);

    if (off < 0xd9 || off == 0xe4)
        v = FUZZ_RAM + (v & 0x3ffff);
    reg(f, off, v, off == 0xd9 ? 1 : off == 0xe0 ? 2 : 4);
}

/* A register, with values that make sense more often than others. */
static void write(struct fuzz_pci *f, const uint8_t *p)
{
    static const uint8_t regs[] = {0x10, 0x14, 0x20, 0x30, 0x37, 0x38, 0x3c, 0x3e, 0x40, 0x44, 0x50, 0x52, 0x54, 0x48, 0x62, 0x08};
    unsigned size = 1u << (p[2] % 3), off = p[1] & 0x80 ? p[1] & 0x7f : regs[p[1] % ARRAY_LEN(regs)];
    uint32_t v = get_le32(p + 4);

    if (off == 0x20 || off == 0x30)
        v = FUZZ_RAM + (v & 0x3ffff);
    if (off == 0x10 || off == 0x14)
        v &= p[2] & 0x10 ? UINT32_MAX : 0x7ff;
    reg(f, off / size * size, v, off < 0x38 && off != 0x37 ? 4 : size);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;

    fuzz_pci_begin(&f);
    fuzz_pci_add(&f, "rtl8139", "a", "addr=1,romfile=", 1 << 15);
    fuzz_pci_enable(&f);
    reg(&f, 0x30, FUZZ_RAM + 0x10000, 4);
    reg(&f, 0x37, 0x0c, 1);
    reg(&f, 0x40, 0x60000, 4);
    reg(&f, 0x44, 0x0f, 4);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += 8, len -= 8)
        if (data[0] & 8)
            (data[2] & 0x40 ? write_cplus : write)(&f, data);
        else
            fuzz_pci_record(&f, data);
    fuzz_pci_end(&f);
    return 0;
}
