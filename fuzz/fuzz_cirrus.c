/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cirrus-vga: registers by port and in memory, rectangles, banks, and what the screen makes of them.  Rectangles stay small, for time. */
#include "fuzz/pci.h"

#include "dev/backends.h"
#include "ui/display.h"

int fuzz_one(const uint8_t *data, size_t len);

static void look(struct machine *m)
{
    struct console *c;

    for (unsigned i = 0; (c = displays_console(machine_displays(m), i)); i++)
        console_update(c);
}

static void idx(struct fuzz_pci *f, unsigned port, uint8_t index, uint8_t v)
{
    bool size = port == 0x3ce && ((index & 63) == 0x21 || (index & 63) == 0x23);

    fuzz_store(f, FUZZ_IO + port, index, 1);
    fuzz_store(f, FUZZ_IO + port + 1, size ? v & 1 : v, 1);
}

static void record(struct fuzz_pci *f, struct space *low, const uint8_t *p)
{
    uint32_t v = get_le32(p + 4);
    struct access a = {.size = 1u << (p[2] & 3)};

    switch (p[1] & 7) {
    case 0: idx(f, 0x3ce, p[2], p[3]); break;
    case 1: idx(f, p[2] & 0x80 ? 0x3d4 : 0x3c4, p[2], p[3]); break;
    case 2: /* a rectangle */
        for (unsigned i = 0; i < 5; i++)
            idx(f, 0x3ce, (const uint8_t[]){0x20, 0x22, 0x30, 0x32, 0x31}[i], (const uint8_t[]){p[3], p[4], p[5], p[6], 2}[i]);
        break;
    case 3: space_store(low, 0xa0000 + (v & 0x1ffff), v * 0x9e3779b97f4a7c15ull, a); break;
    case 4: space_load(low, 0xa0000 + (v & 0x1ffff), &(uint64_t){0}, a); break;
    case 5: fuzz_store(f, FUZZ_MEM + (v & 0x1ffffff), v, a.size); break;
    case 6: (p[2] & 4 ? fuzz_load(f, FUZZ_IO + 0x3b0 + p[2] % 48, 1) : (look(f->m), 0)); break;
    case 7: fuzz_store(f, FUZZ_IO + 0x3b0 + p[2] % 48, p[3], 1); break;
    }
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;
    struct space *low;

    fuzz_pci_begin(&f);
    fuzz_pci_add(&f, "cirrus-vga", "v", "addr=1,romfile=,vgamem_mb=1", 1 << 15);
    fuzz_pci_enable(&f);
    low = space_new(f.m, "low", pci_bus_of(bus_find(f.m, "pcie.0"))->mem);
    fuzz_store(&f, FUZZ_IO + 0x3c2, 0xe3, 1);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += FUZZ_RECORD, len -= FUZZ_RECORD)
        record(&f, low, data);
    look(f.m);
    fuzz_pci_end(&f);
    return 0;
}
