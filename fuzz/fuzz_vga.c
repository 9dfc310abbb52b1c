/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VGA and bochs-display: registers, the window at A0000, DISPI modes, and what the screen makes of them. */
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

/* Records of kind 7: the window, the screen, a port or DISPI register by its number, registers in a row. */
static void record(struct fuzz_pci *f, struct space *low, const uint8_t *p)
{
    uint32_t v = get_le32(p + 4);

    switch (p[1] & 7) {
    case 0: space_store(low, 0xa0000 + (v & 0x1ffff), p[2], (struct access){.size = 1}); break;
    case 1: space_load(low, 0xa0000 + (v & 0x1ffff), &(uint64_t){0}, (struct access){.size = 4}); break;
    case 2: look(f->m); break;
    case 3:
        fuzz_store(f, FUZZ_IO + 0x1ce, p[2] % 12, 2);
        fuzz_store(f, FUZZ_IO + 0x1d0, get_le16(p + 4), 2);
        break;
    case 4:
        fuzz_store(f, FUZZ_IO + (p[2] & 1 ? 0x3d4 : p[2] & 2 ? 0x3c4 : 0x3ce), get_le16(p + 4), 2);
        break;
    case 5: fuzz_store(f, FUZZ_IO + 0x3b0 + p[2] % 48, p[4], 1); break;
    case 6: fuzz_load(f, FUZZ_IO + 0x3b0 + p[2] % 48, 1); break;
    case 7: clock_step(f->m, v); break;
    }
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct fuzz_pci f;
    struct space *low;

    fuzz_pci_begin(&f);
    fuzz_pci_add(&f, "VGA", "v", "addr=1,vgamem_mb=1", 1 << 15);
    fuzz_pci_add(&f, "bochs-display", "b", "addr=2,vgamem=4M", 2 << 15);
    fuzz_pci_enable(&f);
    low = space_new(f.m, "low", pci_bus_of(bus_find(f.m, "pcie.0"))->mem);
    for (unsigned n = 0; len >= FUZZ_RECORD && n < FUZZ_RECORDS; n++, data += FUZZ_RECORD, len -= FUZZ_RECORD) {
        if ((data[0] & 7) == 7)
            record(&f, low, data);
        else
            fuzz_pci_record(&f, data);
    }
    look(f.m);
    fuzz_pci_end(&f);
    return 0;
}
