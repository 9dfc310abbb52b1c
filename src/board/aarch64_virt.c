/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "virt": the Arm machine without a model in hardware.  Guests learn of everything by a device tree or ACPI; the
 * addresses are nevertheless those that people's guests have always met.
 */
#include "board/aarch64_virt_priv.h"

#include "board/asked.h"
#include "board/boot_order.h"
#include "board/smbios.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/flash/cfi_pflash01.h"
#include "dev/gpio/gpio_key.h"
#include "dev/gpio/pl061.h"
#include "dev/intc/gic.h"
#include "dev/pci/gpex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum on_off_auto { ON, OFF, AUTO };
static const char *const on_off_auto[] = {"on", "off", "auto", NULL};

static const struct field virt_props[] = {
    FIELD_ENUM(virt_props, acpi, on_off_auto, "acpi", "auto", "Enable ACPI"),
    FIELD(virt_props, dt_compatible, F_STR, "dt-compatible", NULL,
          "Overrides the \"compatible\" property of the dt root node"),
    FIELD(virt_props, dtb_kaslr_seed, F_BOOL, "dtb-kaslr-seed", "on",
          "Deprecated synonym of dtb-randomness"),
    FIELD(virt_props, dtb_randomness, F_BOOL, "dtb-randomness", "on",
          "Set off to disable passing random or non-deterministic dtb nodes to guest"),
    FIELD(virt_props, gic_version, F_STR, "gic-version", NULL,
          "Set GIC version. Valid values are 2, 3, host and max"),
    FIELD(virt_props, highmem, F_BOOL, "highmem", "on",
          "Set on/off to enable/disable using physical address space above 32 bits"),
    FIELD(virt_props, highmem_ecam, F_BOOL, "highmem-ecam", "on",
          "Set on/off to enable/disable high memory region for PCI ECAM"),
    FIELD(virt_props, highmem_mmio, F_BOOL, "highmem-mmio", "on",
          "Set on/off to enable/disable high memory region for PCI MMIO"),
    FIELD(virt_props, highmem_redists, F_BOOL, "highmem-redists", "on",
          "Set on/off to enable/disable high memory region for GICv3 or GICv4 redistributor"),
    FIELD(virt_props, iommu, F_STR, "iommu", "none", "Set the IOMMU type. Valid values are none"),
    FIELD(virt_props, its, F_BOOL, "its", "on", "Set on/off to enable/disable ITS instantiation"),
    FIELD(virt_props, mte, F_BOOL, "mte", "off",
          "Set on/off to enable/disable emulating a guest CPU which implements the ARM Memory Tagging "
          "Extension"),
    FIELD(virt_props, ras, F_BOOL, "ras", "off",
          "Set on/off to enable/disable reporting host memory errors to a guest"),
    FIELD(virt_props, secure, F_BOOL, "secure", "off",
          "Set on/off to enable/disable the ARM Security Extensions (TrustZone)"),
    FIELD(virt_props, virtualization, F_BOOL, "virtualization", "off",
          "Set on/off to enable/disable emulating a guest CPU which implements the ARM Virtualization "
          "Extensions"),
    FIELD(virt_props, oem_id, F_STR, "x-oem-id", NULL,
          "Override the default value of field OEMID in ACPI table header"),
    FIELD(virt_props, oem_table_id, F_STR, "x-oem-table-id", NULL,
          "Override the default value of field OEM Table ID in ACPI table header"),
    FIELD_END,
};

/* Newest first.  What a row says has been so in that version and, by its own row, in those before. */
#define LACKS_6_2  .no_lpa2 = true
#define LACKS_6_1  LACKS_6_2, .no_its = true, .no_cpu_map = true
#define LACKS_2_12 LACKS_6_1, .no_high_ecam = true
#define LACKS_2_8  LACKS_2_12, .edge_timers = true
static const struct virt_version versions[] = {
    {"virt-7.2"},
    {"virt-7.1"},
    {"virt-7.0"},
    {"virt-6.2", LACKS_6_2},
    {"virt-6.1", LACKS_6_1},
    {"virt-6.0", LACKS_6_1},
    {"virt-5.2", LACKS_6_1},
    {"virt-5.1", LACKS_6_1},
    {"virt-5.0", LACKS_6_1},
    {"virt-4.2", LACKS_6_1},
    {"virt-4.1", LACKS_6_1},
    {"virt-4.0", LACKS_6_1},
    {"virt-3.1", LACKS_6_1},
    {"virt-3.0", LACKS_6_1},
    {"virt-2.12", LACKS_2_12},
    {"virt-2.11", LACKS_2_12},
    {"virt-2.10", LACKS_2_12},
    {"virt-2.9", LACKS_2_12},
    {"virt-2.8", LACKS_2_8},
    {"virt-2.7", LACKS_2_8},
    {"virt-2.6", LACKS_2_8, .no_pmu = true},
};

/* --- What was asked for --- */

static int choose_gic(struct virt *v, struct err *e)
{
    const char *s = v->p->gic_version;

    if (!s || strcmp(s, "2") == 0)
        v->gic_version = 2;
    else if (strcmp(s, "3") == 0 || strcmp(s, "max") == 0)
        v->gic_version = 3;
    else if (strcmp(s, "host") == 0)
        return err_set(e, -EINVAL, "gic-version=host requires KVM");
    else if (strcmp(s, "4") == 0)
        return err_set(e, -ENOTSUP, "gic-version=4 is not supported; did you mean '3'?");
    else
        return err_set(e, -EINVAL, "Invalid gic-version value '%s': valid values are 2, 3, host, max", s);
    v->its = v->gic_version == 3 && v->p->its && !v->version->no_its;
    return 0;
}

static int check_oem(const char *what, const char *value, size_t max, struct err *e)
{
    if (value && strlen(value) > max)
        return err_set(e, -EINVAL, "User specified %s value is bigger than %zu bytes in size", what,
                       max);
    return 0;
}

/* What we have not got is refused by name. */
static int check_props(struct virt *v, struct err *e)
{
    const struct virt_props *p = v->p;

    if (p->secure)
        return err_set(e, -ENOTSUP, "secure=on: TrustZone (EL3) is not supported");
    if (p->mte)
        return err_set(e, -ENOTSUP, "MTE requested, but not supported by the guest CPU");
    if (p->ras)
        return err_set(e, -ENOTSUP, "ras=on: memory errors are not reported to guests");
    if (strcmp(p->iommu, "smmuv3") == 0)
        return err_set(e, -ENOTSUP, "iommu=smmuv3 is not supported: valid values are none");
    if (strcmp(p->iommu, "none") != 0)
        return err_set(e, -EINVAL, "Invalid iommu value '%s': valid values are none", p->iommu);
    if (check_oem("oem-id", p->oem_id, 6, e) < 0 ||
        check_oem("oem-table-id", p->oem_table_id, 8, e) < 0)
        return e->code;
    v->acpi = p->acpi != OFF;
    return 0;
}

/* The next @size bytes, on a boundary of their size, if physical addresses reach so far. */
static struct virt_window high(uint64_t *at, uint64_t size, uint64_t end)
{
    struct virt_window w = {round_up(*at, size), size};

    *at = w.base + size;
    return *at <= end ? w : (struct virt_window){0};
}

/* Above 4 GiB: redistributors, ECAM, PCI memory, from 256 GiB on or the end of RAM. */
static int lay_out(struct virt *v, struct err *e)
{
    unsigned bits = v->p->highmem ? a64_pa_bits(v->cpu.model) : 32;
    uint64_t end = UINT64_C(1) << bits, at, ram_end;
    unsigned first = VIRT_REDIST_SIZE / VIRT_REDIST_EACH, redists = v->c->max_cpus;

    if (!add_u64(VIRT_RAM, max_u64(v->c->ram, v->c->max_ram), &ram_end) || ram_end > end)
        return err_set(e, -EINVAL,
                       "Addressing limited to %u bits, but memory exceeds it by %" PRIu64 " bytes", bits,
                       ram_end - end);
    at = max_u64(256 * GiB, round_up(ram_end, GiB));
    v->redist2 = high(&at, 512 * (uint64_t)VIRT_REDIST_EACH, end);
    v->ecam = high(&at, 256 * MiB, end);
    v->mmio64 = high(&at, 512 * GiB, end);
    if (!v->p->highmem_mmio)
        v->mmio64 = (struct virt_window){0};
    if (!v->p->highmem_ecam || v->version->no_high_ecam || !v->ecam.size)
        v->ecam = (struct virt_window){VIRT_PCIE_ECAM, VIRT_PCIE_ECAM_SIZE};
    if (redists <= first || !v->p->highmem_redists || v->gic_version < 3)
        v->redist2 = (struct virt_window){0};
    if (v->gic_version == 2 && redists > 8)
        return err_set(e, -EINVAL,
                       "Number of SMP CPUs requested (%u) exceeds max CPUs supported by machine "
                       "'mach-virt' (8); gic-version=3 has more",
                       redists);
    if (v->gic_version == 3 && redists > first && !v->redist2.size)
        return err_set(e, -EINVAL, "%u CPUs need highmem=on and highmem-redists=on: at most %u without",
                       redists, first);
    return 0;
}

/* --- Memory and CPUs --- */

static int add_ram(struct virt *v, struct err *e)
{
    if (v->c->ram_backend) {
        v->ram = machine_backend(v->m, "memory-backend", v->c->ram_backend);
        if (!v->ram)
            return err_set(e, -ENOENT, "Memory backend '%s' not found", v->c->ram_backend);
        if (v->ram->size != v->c->ram)
            return err_set(e, -EINVAL, "Machine memory size does not match the size of memory backend '%s'",
                           v->c->ram_backend);
    } else if (!(v->ram = ram_new(v->m, "mach-virt.ram", v->c->ram, e))) {
        return e->code;
    }
    mem_init_ram(&v->ram_mem, "mach-virt.ram", v->ram, 0, v->c->ram);
    mem_add(machine_mem(v->m), VIRT_RAM, &v->ram_mem, 0);
    return 0;
}

uint64_t virt_mpidr(const struct virt *v, unsigned n)
{
    unsigned each = v->gic_version == 2 ? 8 : 16;

    return v->gic_version == 3 ? gic_affinity(n) : (uint64_t)(n / each) << 8 | n % each;
}

static int add_cpus(struct virt *v, struct err *e)
{
    struct engine *engine = engine_new(&guest_aarch64_system, &v->c->engine);
    struct a64_conf one = v->cpu;

    v->cpus = calloc(v->c->cpus, sizeof(*v->cpus));
    v->icc = calloc(v->c->cpus, sizeof(*v->icc));
    if (!engine || !v->cpus || !v->icc)
        return err_set(e, -ENOMEM, "out of memory for %u CPUs", v->c->cpus);
    for (unsigned i = 0; i < v->c->cpus; i++) {
        one.mpidr = virt_mpidr(v, i);
        v->cpus[i] = a64_cpu_new(v->m, engine, &one, i, e);
        if (!v->cpus[i])
            return e->code;
    }
    return 0;
}

/* --- The interrupt controller --- */

/* Who accesses GICv3's system registers, as it wants to know. */
static unsigned icc_how(struct cpu *cpu)
{
    uint64_t hcr = a64_hcr(cpu);
    enum { HCR_FMO = 1 << 3, HCR_IMO = 1 << 4 };

    return a64_el(cpu) | (hcr & HCR_IMO ? ICC_VIRT_IRQ : 0) | (hcr & HCR_FMO ? ICC_VIRT_FIQ : 0);
}

static enum a64_icc icc_answer(enum icc_result r)
{
    return r == ICC_OK ? A64_ICC_OK : r == ICC_TRAP_EL2 ? A64_ICC_TRAP_EL2 : A64_ICC_UNDEFINED;
}

static enum a64_icc icc_read(void *opaque, uint32_t encoding, uint64_t *value)
{
    struct irq_hooks *h = opaque;

    return icc_answer(gicv3_icc_read(h->icc, encoding, icc_how(h->cpu), value));
}

static enum a64_icc icc_write(void *opaque, uint32_t encoding, uint64_t value)
{
    struct irq_hooks *h = opaque;

    return icc_answer(gicv3_icc_write(h->icc, encoding, icc_how(h->cpu), value));
}

static const struct a64_icc_ops icc_ops = {icc_read, icc_write};

static void connect_cpu(struct virt *v, unsigned i)
{
    static const struct {
        enum a64_timer timer;
        unsigned ppi;
    } timers[] = {{A64_TIMER_PHYS, VIRT_PPI_PHYS},
                  {A64_TIMER_VIRT, VIRT_PPI_VIRT},
                  {A64_TIMER_HYP, VIRT_PPI_HYP},
                  {A64_TIMER_HYPVIRT, VIRT_PPI_HYPVIRT}};
    static const struct {
        enum gic_output from;
        enum a64_irq to;
    } outs[] = {{GIC_IRQ, A64_IRQ}, {GIC_FIQ, A64_FIQ}, {GIC_VIRQ, A64_VIRQ}, {GIC_VFIQ, A64_VFIQ}};
    struct cpu *cpu = v->cpus[i];

    for (unsigned k = 0; k < ARRAY_LEN(timers); k++)
        irq_connect(a64_timer_line(cpu, timers[k].timer), gic_ppi(v->gic, i, timers[k].ppi));
    irq_connect(a64_pmu_line(cpu), gic_ppi(v->gic, i, VIRT_PPI_PMU));
    for (unsigned k = 0; k < ARRAY_LEN(outs); k++)
        irq_connect(gic_output(v->gic, i, outs[k].from), a64_irq_in(cpu, outs[k].to));
    if (v->gic_version == 3) {
        v->icc[i] = (struct irq_hooks){cpu, gicv3_icc(v->gic, i)};
        a64_set_icc(cpu, &icc_ops, &v->icc[i]);
    }
}

static int add_gicv2(struct virt *v, struct err *e)
{
    struct mem *root = machine_mem(v->m);
    char props[128];
    struct dev *v2m;

    snprintf(props, sizeof(props), "num-cpu=%u,num-irq=%u,has-virtualization-extensions=%s", v->c->cpus,
             VIRT_NUM_IRQS, v->p->virtualization ? "on" : "off");
    v->gic = dev_add(v->m, "arm-gic", NULL, props, e);
    if (!v->gic)
        return e->code;
    mem_add(root, VIRT_GIC_DIST, gic_regs(v->gic, GIC_DIST, 0), 0);
    mem_add(root, VIRT_GIC_CPU, gic_regs(v->gic, GIC_CPU_IF, 0), 0);
    if (v->p->virtualization) {
        mem_add(root, VIRT_GIC_HYP, gic_regs(v->gic, GIC_HYP, 0), 0);
        mem_add(root, VIRT_GIC_VCPU, gic_regs(v->gic, GIC_VCPU, 0), 0);
    }
    snprintf(props, sizeof(props), "base-spi=%u,num-spi=%u", 32 + VIRT_SPI_GICV2M, VIRT_NUM_GICV2M);
    if (!(v2m = dev_add(v->m, "arm-gicv2m", NULL, props, e)))
        return e->code;
    mem_add(root, VIRT_GICV2M, &v2m->mmio, 0);
    for (unsigned i = 0; i < VIRT_NUM_GICV2M; i++)
        irq_connect(gicv2m_out(v2m, i), gic_spi(v->gic, VIRT_SPI_GICV2M + i));
    return 0;
}

static int add_gicv3(struct virt *v, struct err *e)
{
    struct mem *root = machine_mem(v->m);
    char props[128];
    struct dev *its;

    snprintf(props, sizeof(props), "num-cpu=%u,num-irq=%u,redist-region-0=%u,has-lpi=%s", v->c->cpus,
             VIRT_NUM_IRQS, v->redist2.size ? VIRT_REDIST_SIZE / VIRT_REDIST_EACH : 0,
             v->its ? "on" : "off");
    v->gic = dev_add(v->m, "arm-gicv3", "gic", props, e);
    if (!v->gic)
        return e->code;
    mem_add(root, VIRT_GIC_DIST, gic_regs(v->gic, GIC_DIST, 0), 0);
    mem_add(root, VIRT_REDIST, gic_regs(v->gic, GIC_REDIST, 0), 0);
    if (v->redist2.size && gic_regs(v->gic, GIC_REDIST, 1))
        mem_add(root, v->redist2.base, gic_regs(v->gic, GIC_REDIST, 1), 0);
    if (!v->its)
        return 0;
    if (!(its = dev_add(v->m, "arm-gicv3-its", NULL, "parent-gicv3=gic", e)))
        return e->code;
    mem_add(root, VIRT_ITS, &its->mmio, 0);
    return 0;
}

static int add_gic(struct virt *v, struct err *e)
{
    int r = v->gic_version == 2 ? add_gicv2(v, e) : add_gicv3(v, e);

    for (unsigned i = 0; r == 0 && i < v->c->cpus; i++)
        connect_cpu(v, i);
    return r;
}

/* --- Devices --- */

/* @type with registers at @at and its first interrupt on @spi. */
static struct dev *add_dev(struct virt *v, const char *type, const char *props, paddr at, unsigned spi,
                           struct err *e)
{
    struct dev *d = dev_add(v->m, type, NULL, props, e);

    if (!d)
        return NULL;
    mem_add(machine_mem(v->m), at, &d->mmio, 0);
    irq_connect(&d->irq[0], gic_spi(v->gic, spi));
    return d;
}

/* Two banks of 64 MiB: firmware and its variables. */
static int add_flash(struct virt *v, unsigned n, struct err *e)
{
    const struct drive *drive = asked_drive(v->m, IF_PFLASH, 0, n);
    char props[256];
    int len = snprintf(props, sizeof(props),
                       "name=virt.flash%u,num-blocks=256,sector-length=256k,width=4,device-width=2,"
                       "max-device-width=2,id0=0x89,id1=0x18",
                       n);

    if (drive)
        snprintf(props + len, sizeof(props) - len, ",drive=%s", drive->id);
    v->flash[n] = dev_add(v->m, "cfi.pflash01", NULL, props, e);
    if (!v->flash[n])
        return e->code;
    mem_add(machine_mem(v->m), n ? VIRT_FLASH1 : VIRT_FLASH0, &v->flash[n]->mmio, 0);
    v->boot.firmware |= drive && n == 0;
    return 0;
}

/* -bios: a file of any length in the first bank. */
static int add_bios(struct virt *v, struct err *e)
{
    struct image img;
    int r;

    if (!v->c->bios)
        return 0;
    if (cfi_pflash01_has_drive(v->flash[0]))
        return err_set(e, -EINVAL,
                       "The contents of the first flash device may be specified with -bios or with "
                       "-drive if=pflash... but you cannot use both options at once");
    if (asked_firmware(v->c, v->c->bios, &img, e) < 0)
        return e->code;
    if (img.len > VIRT_FLASH_SIZE)
        r = err_set(e, -EFBIG, "Could not load ROM image '%s': %zu bytes, at most %u", v->c->bios, img.len,
                    VIRT_FLASH_SIZE);
    else
        r = image_place(v->m, v->c->bios, VIRT_FLASH0, &img, e);
    image_free(&img);
    v->boot.firmware = true;
    return r;
}

static void press_power(void *opaque)
{
    gpio_key_press(opaque);
}

static int add_power_key(struct virt *v, struct err *e)
{
    v->gpio = add_dev(v, "pl061", "pullups=0,pulldowns=255", VIRT_GPIO, VIRT_SPI_GPIO, e);
    if (!v->gpio || !(v->key = dev_add(v->m, "gpio-key", NULL, NULL, e)))
        return e->code;
    irq_connect(&v->key->irq[0], pl061_in(v->gpio, VIRT_POWER_PIN));
    machine_on_power_button(v->m, press_power, v->key);
    return 0;
}

/* The name of the slot's bus counts addresses; the slot that is filled first is the last one. */
static int add_slot(struct virt *v, unsigned i, struct err *e)
{
    struct dev *d = add_dev(v, "virtio-mmio", NULL, VIRT_MMIO + i * VIRT_MMIO_SIZE, VIRT_SPI_MMIO + i, e);
    char name[32];

    if (!d)
        return e->code;
    snprintf(name, sizeof(name), "virtio-mmio-bus.%u", i);
    free(d->buses->name);
    d->buses->name = strdup(name);
    return 0;
}

static int add_pci(struct virt *v, struct err *e)
{
    struct gpex_map map = {.ecam = v->ecam.base,
                           .ecam_size = v->ecam.size,
                           .mem32 = VIRT_PCIE_MMIO,
                           .mem32_size = VIRT_PCIE_MMIO_SIZE,
                           .mem64 = v->mmio64.base,
                           .mem64_size = v->mmio64.size,
                           .io = VIRT_PCIE_PIO,
                           .io_size = VIRT_PCIE_PIO_SIZE};

    v->pci = dev_add(v->m, "gpex-pcihost", NULL, NULL, e);
    if (!v->pci)
        return e->code;
    gpex_map(gpex_of(v->pci), &map);
    for (unsigned i = 0; i < 4; i++)
        irq_connect(&v->pci->irq[i], gic_spi(v->gic, VIRT_SPI_PCIE + i));
    return 0;
}

static int tell_smbios(void *opaque, struct err *e)
{
    const struct virt *v = opaque;
    const struct smbios_machine self = {"QEMU", "QEMU Virtual Machine", v->version->name, .area = {{VIRT_RAM, v->c->ram}}};

    return smbios_publish(v->m, v->c, &self, v->fw_cfg, e);
}

static int add_fw_cfg(struct virt *v, struct err *e)
{
    const struct conf *c = v->c;

    v->fw_cfg = dev_add(v->m, "fw_cfg_mem", NULL, NULL, e);
    if (!v->fw_cfg)
        return e->code;
    mem_add(machine_mem(v->m), VIRT_FW_CFG, &v->fw_cfg->mmio, 0);
    fw_cfg_set_u16(v->fw_cfg, FW_CFG_NB_CPUS, c->cpus);
    fw_cfg_set_u16(v->fw_cfg, FW_CFG_MAX_CPUS, c->max_cpus);
    fw_cfg_set(v->fw_cfg, FW_CFG_UUID, c->uuid, 16);
    fw_cfg_set_u64(v->fw_cfg, FW_CFG_RAM_SIZE, c->ram);
    fw_cfg_set_u16(v->fw_cfg, FW_CFG_NOGRAPHIC, !c->graphics);
    fw_cfg_set_u16(v->fw_cfg, FW_CFG_BOOT_MENU, c->boot_menu);
    boot_order_offer(v->m, c, v->fw_cfg, NULL);
    machine_on_ready(v->m, tell_smbios, v);
    return asked_files(c, v->fw_cfg, e);
}

static int add_devices(struct virt *v, struct conf *c, struct err *e)
{
    char props[128] = "";

    if (c->serial[0])
        snprintf(props, sizeof(props), "chardev=%s", chr_id(c->serial[0]));
    if (add_flash(v, 0, e) < 0 || add_flash(v, 1, e) < 0 || add_bios(v, e) < 0)
        return e->code;
    if (!(v->uart = add_dev(v, "pl011", props, VIRT_UART, VIRT_SPI_UART, e)) ||
        !add_dev(v, "pl031", NULL, VIRT_RTC, VIRT_SPI_RTC, e))
        return e->code;
    if (add_pci(v, e) < 0 || add_power_key(v, e) < 0 || add_fw_cfg(v, e) < 0)
        return e->code;
    for (unsigned i = VIRT_SLOTS; i-- > 0;)
        if (add_slot(v, i, e) < 0)
            return e->code;
    for (unsigned i = 0; i < c->n_nics; i++)
        if (!c->nic[i].used && asked_nic(v->m, c, &c->nic[i], e) < 0)
            return e->code;
    return 0;
}

/* --- The start --- */

static void start_at(void *opaque, unsigned cpu, uint64_t pc)
{
    struct virt *v = opaque;

    a64_set_reset_state(v->cpus[cpu], &(struct a64_reset){.pc = pc});
}

static int boot(struct virt *v, struct err *e)
{
    struct a64_reset r = {0};

    v->boot.ram_base = VIRT_RAM;
    v->boot.ram_size = v->c->ram;
    v->boot.fw_cfg = v->fw_cfg;
    v->boot.dtb = virt_tree(v);
    v->boot.fixed_seeds = !v->p->dtb_randomness || !v->p->dtb_kaslr_seed;
    if (arm_boot_load(v->m, &v->boot, v->c, e) < 0)
        return e->code;
    r.pc = v->boot.pc;
    r.x[0] = v->boot.x0;
    a64_set_reset_state(v->cpus[0], &r);
    v->boot_cpus = (struct boot_cpus){v->c->cpus, start_at, v};
    return machine_add_backend(v->m, "boot", "cpus", &v->boot_cpus, e);
}

static int dump_tree(struct virt *v, struct err *e)
{
    size_t len;
    const void *blob = tree_blob(v->boot.dtb, &len);
    FILE *f = fopen(v->c->dumpdtb, "w");
    bool ok = f && fwrite(blob, len, 1, f) == 1;

    if ((f && fclose(f) != 0) || !ok)
        return err_set(e, -errno, "cannot write device tree to '%s': %s", v->c->dumpdtb, strerror(errno));
    return BOARD_DONE;
}

static void virt_end(void *opaque)
{
    struct virt *v = opaque;

    tree_free(v->boot.dtb);
    free(v->cpus);
    free(v->icc);
    free(v);
}

static const struct virt_version *version_of(const struct board *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(versions); i++)
        if (strcmp(versions[i].name, b->name) == 0)
            return &versions[i];
    bug("no version '%s'", b->name);
}

static int virt_build(struct machine *m, struct conf *c, struct err *e)
{
    struct virt *v = calloc(1, sizeof(*v));
    int r;

    if (!v)
        return err_set(e, -ENOMEM, "out of memory");
    v->m = m;
    v->c = c;
    v->p = c->board_props;
    v->version = version_of(c->board);
    machine_on_end(m, virt_end, v);
    if ((r = a64_conf_parse(&v->cpu, c->cpu, c->cpu_features, c->board->default_cpu, e)) < 0)
        return r;
    if ((r = choose_gic(v, e)) < 0 || (r = check_props(v, e)) < 0 || (r = lay_out(v, e)) < 0)
        return r;
    v->cpu.el2 = v->p->virtualization;
    v->cpu.pmu &= !v->version->no_pmu;
    v->cpu.lpa2 &= !v->version->no_lpa2;
    v->cpu.gic_regs = v->gic_version == 3;
    v->cpu.psci = v->p->virtualization ? A64_PSCI_SMC : A64_PSCI_HVC;
    if ((r = add_ram(v, e)) < 0 || (r = add_cpus(v, e)) < 0 || (r = add_gic(v, e)) < 0 ||
        (r = add_devices(v, c, e)) < 0 || (r = boot(v, e)) < 0 || (v->acpi && (r = virt_acpi(v, e)) < 0))
        return r;
    return c->dumpdtb ? dump_tree(v, e) : 0;
}

/* --- Rows --- */

#define VIRT(id, version, ...)                                                                     \
    const struct board board_aarch64_virt_##id = {                                                 \
        .arch = "aarch64",                                                                         \
        .name = "virt-" version,                                                                   \
        .help = "QEMU " version " ARM Virtual Machine",                                            \
        .props = virt_props,                                                                       \
        .props_size = sizeof(struct virt_props),                                                   \
        .default_cpu = "cortex-a57",                                                               \
        .max_cpus = 512,                                                                           \
        .clusters = true,                                                                          \
        .default_ram = 128 * MiB,                                                                  \
        .default_if = IF_VIRTIO,                                                                   \
        .default_nic = "virtio-net-pci",                                                           \
        .build = virt_build,                                                                       \
        __VA_ARGS__}

VIRT(7_2, "7.2", .alias = "virt");
VIRT(7_1, "7.1");
VIRT(7_0, "7.0");
VIRT(6_2, "6.2");
VIRT(6_1, "6.1");
VIRT(6_0, "6.0");
VIRT(5_2, "5.2");
VIRT(5_1, "5.1");
VIRT(5_0, "5.0");
VIRT(4_2, "4.2");
VIRT(4_1, "4.1");
VIRT(4_0, "4.0");
VIRT(3_1, "3.1");
VIRT(3_0, "3.0");
VIRT(2_12, "2.12");
VIRT(2_11, "2.11");
VIRT(2_10, "2.10");
VIRT(2_9, "2.9");
VIRT(2_8, "2.8");
VIRT(2_7, "2.7");
VIRT(2_6, "2.6");
