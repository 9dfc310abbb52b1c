/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: the chips of PCs.  The first byte chooses i440FX or Q35; then records of six bytes: what (configuration space, ports,
 * memory, time), where, value.  At the end the machine is saved and loaded.
 */
#include "fuzz/machine.h"

#include "base/bytes.h"
#include "dev/acpi/cpu_hotplug.h"
#include "dev/acpi/memory_hotplug.h"
#include "dev/acpi/pci_hotplug.h"
#include "dev/pc/pc_host.h"
#include "dev/pc/q35.h"

enum { RECORD = 6, RAM_LOW = 1 << 20 };

static const uint16_t ports[] = {0xcf8, 0xcf9, 0xcfc, 0xcfe, 0xb2, 0xb3, 0xafe0, 0xafe2, 0xb100, 0xb102, 0xb105, 0xb107,
                                 0x510, 0x511, 0x514, 0x518, 0x600, 0x604, 0x608, 0x620, 0x628, 0x630, 0x634, 0x660,
                                 0x664, 0x668, 0x672, 0xae00, 0xae04, 0xae08, 0xae0c, 0xae10, 0xae14, 0xaf00, 0xaf04, 0xaf05,
                                 0xaf08, 0x505,  0xa00,  0xa04,  0xa08,  0xa0c,  0xa10,  0xa14};

static struct mem low;

static void add(struct machine *m, const char *type, const char *props)
{
    if (!dev_add(m, type, NULL, props, ERR_IGNORE))
        abort();
}

static void gone(void *opaque, unsigned slot)
{
}

/* Two slots, one with a module that may go. */
static void add_memory(struct machine *m)
{
    struct dev *d = dev_add(m, "acpi-memory-hotplug", NULL, NULL, ERR_IGNORE);
    struct ram *ram = ram_new(m, "module", 2 * MiB, ERR_IGNORE);

    memory_hotplug_start(d, UINT64_C(1) << 32, 4 * MiB, 4 * MiB, 2, 1);
    mem_add(machine_io_mem(m), 0xa00, &d->mmio, 0);
    machine_add_backend(m, "memory-backend", "m0", ram, ERR_IGNORE);
    add(m, "pc-dimm", "memdev=m0");
}

/* What comes and goes: four CPUs that nobody has a device of, and on i440FX a PCI device. */
static void add_plugs(struct machine *m, struct pci_bus *bus)
{
    static const struct cpu_plug ops = {.type = "cpu", .gone = gone};
    static struct cpu_slot slots[4];
    struct dev *cpu = dev_add(m, "acpi-cpu-hotplug", NULL, NULL, ERR_IGNORE), *pci;

    memset(slots, 0, sizeof(slots));
    cpu_hotplug_start(cpu, slots, 4, &ops, NULL);
    mem_add(machine_io_mem(m), 0xaf00, &cpu->mmio, 0);
    add_memory(m);
    if (!bus)
        return;
    pci = dev_add(m, "acpi-pci-hotplug", NULL, NULL, ERR_IGNORE);
    pci_hotplug_start(pci, bus, true);
    mem_add(machine_io_mem(m), 0xae00, &pci->mmio, 0);
    add(m, "pvpanic", NULL);
    add(m, "pvpanic-pci", "addr=5");
}

static void make(struct machine *m, struct ram *ram, bool q35)
{
    struct dev *host = dev_add(m, q35 ? "q35-pcihost" : "i440FX-pcihost", NULL, NULL, ERR_IGNORE);

    mem_init_ram(&low, "low", ram, 0, RAM_LOW);
    mem_add(machine_mem(m), 0, &low, 0);
    if (!host || pc_host_start(host, ram, RAM_LOW, ERR_IGNORE) < 0)
        abort();
    add(m, "fw_cfg_io", NULL);
    if (q35) {
        add(m, "ICH9-LPC", "addr=1f.0,multifunction=on,smm-enabled=on");
        add(m, "ICH9-SMB", "addr=1f.3,multifunction=on");
    } else {
        add(m, "PIIX3", "addr=1.0,multifunction=on");
        add(m, "PIIX4_PM", "addr=1.3,multifunction=on,smb_io_base=0xb100,smm-enabled=on");
    }
    add(m, "smbus-eeprom", "address=0x50");
    add_plugs(m, q35 ? NULL : &pc_host_of(host)->bus);
    machine_reset(m);
}

static void config(struct machine *m, uint8_t fn, uint8_t off, uint32_t v)
{
    static const uint8_t fns[] = {0, 8, 11, 0xf8, 0xfb, 0x28};
    struct access a = {.size = 4};
    uint64_t x;

    space_store(machine_io_space(m), 0xcf8, 0x80000000 | fns[fn % sizeof(fns)] << 8 | (off & 0xfc), a);
    space_store(machine_io_space(m), 0xcfc, v, a);
    space_load(machine_io_space(m), 0xcfc, &x, a);
}

static void record(struct machine *m, const uint8_t *p)
{
    struct access a = {.size = 1u << (p[0] >> 4 & 3) % 3};
    uint16_t port = ports[p[1] % ARRAY_LEN(ports)];
    uint32_t v = get_le32(p + 2);
    uint64_t x;

    switch (p[0] & 7) {
    case 0:
    case 1: config(m, p[0] >> 4, p[1], v); break;
    case 2: space_store(machine_io_space(m), port, v, a); break;
    case 3: space_load(machine_io_space(m), port, &x, a); break;
    case 4: space_store(machine_space(m), 0xa0000 + (p[1] << 12 | (v & 0xfff)), v, a); break;
    case 5: space_load(machine_space(m), p[1] & 1 ? 0xb0000000 + (v & 0xfffffff) : 0xfed1c000 + (v & 0x3fff), &x, a); break;
    case 6: clock_step(m, v); break;
    case 7: space_store(machine_space(m), 0xfed1c000 + (p[1] << 6 & 0x3fff), v, a); break;
    }
}

int fuzz_one(const uint8_t *data, size_t len)
{
    struct mem mem;
    struct machine *m = fuzz_machine(&mem);
    struct ram *ram;
    struct err e = {0};
    uint8_t *buf;
    size_t n;

    machine_lock(m);
    if (!(ram = ram_new(m, "pc.ram", RAM_LOW, ERR_IGNORE)))
        abort();
    make(m, ram, len && data[0] & 1);
    for (size_t i = 1; i + RECORD <= len && i < 4096; i += RECORD)
        record(m, data + i);
    if (machine_save(m, &buf, &n, &e) < 0 || machine_load(m, buf, n, &e) < 0)
        bug("what was saved is refused: %s", e.msg);
    free(buf);
    machine_unlock(m);
    machine_free(m);
    return 0;
}
