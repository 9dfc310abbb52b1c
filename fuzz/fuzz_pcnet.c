/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pcnet card: registers, initialization blocks and rings; what it sends comes back to it through its loop. */
#include "fuzz/pci.h"

int fuzz_one(const uint8_t *data, size_t len);

static void csr(struct fuzz_pci *f, unsigned n, uint16_t v)
{
    fuzz_store(f, fuzz_bar(0, 1) + 0x12, n, 2);
    fuzz_store(f, fuzz_bar(0, 1) + 0x10, v, 2);
}

/* Registers that matter, more often than others. */
static void write(struct fuzz_pci *f, const uint8_t *p)
{
    static const uint8_t regs[] = {0, 0, 0, 1, 2, 3, 4, 5, 15, 24, 25, 30, 31, 58, 76, 78};
    uint16_t v = get_le16(p + 4);

    if (p[1] & 0x80)
        fuzz_store(f, fuzz_bar(0, 1) + (p[1] & 0x1e), get_le32(p + 4), p[2] & 1 ? 2 : 4);
    else
        csr(f, regs[p[1] % ARRAY_LEN(regs)], v);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;

    fuzz_pci_begin(&f);
    fuzz_pci_add(&f, "pcnet", "a", "addr=1,romfile=", 1 << 15);
    fuzz_pci_enable(&f);
    fuzz_store(&f, fuzz_bar(0, 1) + 0x12, 20, 2);
    fuzz_store(&f, fuzz_bar(0, 1) + 0x16, 2, 2);
    fuzz_store(&f, FUZZ_RAM + 0x100, 0x22008004, 4); /* promiscuous, loop; rings of four */
    fuzz_store(&f, FUZZ_RAM + 0x114, FUZZ_RAM + 0x1000, 4);
    fuzz_store(&f, FUZZ_RAM + 0x118, FUZZ_RAM + 0x2000, 4);
    csr(&f, 1, 0x100);
    csr(&f, 2, FUZZ_RAM >> 16);
    csr(&f, 0, 3);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += 8, len -= 8)
        (data[0] & 8) ? write(&f, data) : fuzz_pci_record(&f, data);
    fuzz_pci_end(&f);
    return 0;
}
