/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device tree of the Arm "virt" machine.  Bindings: Devicetree Specification 0.4; Linux,
 * Documentation/devicetree/bindings: arm/{cpus,psci,pmu}.yaml, interrupt-controller/arm,gic*.yaml, timer/arm,arch_timer.yaml,
 * pci/host-generic-pci.yaml, virtio/mmio.yaml, firmware/qemu,fw-cfg-mmio.yaml, gpio/pl061-gpio.yaml, mtd/mtd-physmap.yaml.
 */
#include "board/aarch64_virt_priv.h"

#include <inttypes.h>
#include <stdio.h>

enum { GIC_SPI, GIC_PPI };
enum { IRQ_EDGE = 1, IRQ_LEVEL = 4 };
enum { PSCI_MIGRATE = 5, PSCI_CPU_SUSPEND = 1, PSCI_CPU_OFF = 2, PSCI_CPU_ON = 3 };

struct handles {
    uint32_t gic, msi, clock, gpio;
};

static const char *core_name(const struct virt *v)
{
    static char name[64];
    const char *model = v->c->cpu ? v->c->cpu : v->c->board->default_cpu;

    snprintf(name, sizeof(name), "arm,%s", strcmp(model, "max") == 0 ? "cortex-a57" : model);
    return name;
}

static void add_cpus(struct virt *v, struct tree *t)
{
    char path[64];

    tree_node(t, "/cpus");
    tree_u32(t, "/cpus", "#address-cells", 1);
    tree_u32(t, "/cpus", "#size-cells", 0);
    for (unsigned i = v->c->cpus; i-- > 0;) {
        snprintf(path, sizeof(path), "/cpus/cpu@%u", i);
        tree_node(t, path);
        tree_str(t, path, "device_type", "cpu");
        tree_str(t, path, "compatible", core_name(v));
        if (v->c->cpus > 1)
            tree_str(t, path, "enable-method", "psci");
        tree_u32(t, path, "reg", virt_mpidr(v, i));
        if (!v->version->no_cpu_map)
            tree_phandle(t, path);
    }
}

/* Sockets, clusters, cores and threads, as -smp has them. */
static void add_cpu_map(struct virt *v, struct tree *t)
{
    const struct conf *c = v->c;
    char path[128], cpu[64];
    int n;

    if (v->version->no_cpu_map)
        return;
    tree_node(t, "/cpus/cpu-map");
    for (unsigned i = 0; i < c->cpus; i++) {
        unsigned core = i / c->threads, cluster = core / c->cores, socket = cluster / c->clusters;

        n = snprintf(path, sizeof(path), "/cpus/cpu-map/socket%u", socket);
        tree_node(t, path);
        n += snprintf(path + n, sizeof(path) - n, "/cluster%u", cluster % c->clusters);
        tree_node(t, path);
        n += snprintf(path + n, sizeof(path) - n, "/core%u", core % c->cores);
        tree_node(t, path);
        if (c->threads > 1) {
            snprintf(path + n, sizeof(path) - n, "/thread%u", i % c->threads);
            tree_node(t, path);
        }
        snprintf(cpu, sizeof(cpu), "/cpus/cpu@%u", i);
        tree_u32(t, path, "cpu", tree_cell(t, cpu, "phandle", 0, 0));
    }
}

static void add_memory(struct virt *v, struct tree *t)
{
    char path[64];

    snprintf(path, sizeof(path), "/memory@%x", VIRT_RAM);
    tree_node(t, path);
    tree_str(t, path, "device_type", "memory");
    TREE_WIDE(t, path, "reg", VIRT_RAM, v->c->ram);
}

/* The third cell of a private interrupt: GICv2's also says which CPUs have it. */
static uint32_t ppi_flags(const struct virt *v, uint32_t kind)
{
    return v->gic_version == 2 ? ((1u << v->c->cpus) - 1) << 8 | kind : kind;
}

static void add_timer_and_pmu(struct virt *v, struct tree *t)
{
    uint32_t f = ppi_flags(v, v->version->edge_timers ? IRQ_EDGE : IRQ_LEVEL);
    static const char timers[] = "arm,armv8-timer\0arm,armv7-timer";

    tree_node(t, "/timer");
    tree_bytes(t, "/timer", "compatible", timers, sizeof(timers));
    tree_flag(t, "/timer", "always-on");
    TREE_CELLS(t, "/timer", "interrupts", GIC_PPI, VIRT_PPI_SECURE - 16, f, GIC_PPI,
               VIRT_PPI_PHYS - 16, f, GIC_PPI, VIRT_PPI_VIRT - 16, f, GIC_PPI, VIRT_PPI_HYP - 16, f);
    if (!v->cpu.pmu || v->version->no_pmu)
        return;
    tree_node(t, "/pmu");
    tree_str(t, "/pmu", "compatible", "arm,armv8-pmuv3");
    TREE_CELLS(t, "/pmu", "interrupts", GIC_PPI, VIRT_PPI_PMU - 16, ppi_flags(v, IRQ_LEVEL));
}

/* SMCCC's numbers of PSCI 0.1 functions; newer systems know them by heart. */
static void add_psci(struct virt *v, struct tree *t)
{
    static const char names[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";

    if (v->cpu.psci == A64_PSCI_OFF)
        return;
    tree_node(t, "/psci");
    tree_bytes(t, "/psci", "compatible", names, sizeof(names));
    tree_str(t, "/psci", "method", v->cpu.psci == A64_PSCI_SMC ? "smc" : "hvc");
    tree_u32(t, "/psci", "cpu_suspend", 0xc4000000 | PSCI_CPU_SUSPEND);
    tree_u32(t, "/psci", "cpu_off", 0x84000000 | PSCI_CPU_OFF);
    tree_u32(t, "/psci", "cpu_on", 0xc4000000 | PSCI_CPU_ON);
    tree_u32(t, "/psci", "migrate", 0xc4000000 | PSCI_MIGRATE);
}

static void add_its(struct tree *t, const char *gic, struct handles *h)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/its@%x", gic, VIRT_ITS);
    tree_node(t, path);
    tree_str(t, path, "compatible", "arm,gic-v3-its");
    tree_flag(t, path, "msi-controller");
    tree_u32(t, path, "#msi-cells", 1);
    TREE_WIDE(t, path, "reg", VIRT_ITS, 0x20000);
    h->msi = tree_phandle(t, path);
}

static void add_v2m(struct tree *t, const char *gic, struct handles *h)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/v2m@%x", gic, VIRT_GICV2M);
    tree_node(t, path);
    tree_str(t, path, "compatible", "arm,gic-v2m-frame");
    tree_flag(t, path, "msi-controller");
    TREE_WIDE(t, path, "reg", VIRT_GICV2M, 0x1000);
    h->msi = tree_phandle(t, path);
}

static void add_gic_regs(struct virt *v, struct tree *t, const char *path)
{
    if (v->gic_version == 2) {
        tree_str(t, path, "compatible", "arm,cortex-a15-gic");
        if (v->p->virtualization)
            TREE_WIDE(t, path, "reg", VIRT_GIC_DIST, 0x10000, VIRT_GIC_CPU, 0x10000, VIRT_GIC_HYP,
                      0x10000, VIRT_GIC_VCPU, 0x10000);
        else
            TREE_WIDE(t, path, "reg", VIRT_GIC_DIST, 0x10000, VIRT_GIC_CPU, 0x10000);
        return;
    }
    tree_str(t, path, "compatible", "arm,gic-v3");
    tree_u32(t, path, "#redistributor-regions", v->redist2.size ? 2 : 1);
    if (v->redist2.size)
        TREE_WIDE(t, path, "reg", VIRT_GIC_DIST, 0x10000, VIRT_REDIST, VIRT_REDIST_SIZE,
                  v->redist2.base, v->redist2.size);
    else
        TREE_WIDE(t, path, "reg", VIRT_GIC_DIST, 0x10000, VIRT_REDIST, VIRT_REDIST_SIZE);
}

static void add_gic(struct virt *v, struct tree *t, struct handles *h)
{
    char path[64];

    snprintf(path, sizeof(path), "/intc@%x", VIRT_GIC_DIST);
    tree_node(t, path);
    add_gic_regs(v, t, path);
    tree_u32(t, path, "#interrupt-cells", 3);
    tree_flag(t, path, "interrupt-controller");
    tree_u32(t, path, "#address-cells", 2);
    tree_u32(t, path, "#size-cells", 2);
    tree_flag(t, path, "ranges");
    if (v->p->virtualization)
        TREE_CELLS(t, path, "interrupts", GIC_PPI, VIRT_PPI_MAINTENANCE - 16, IRQ_LEVEL);
    h->gic = tree_phandle(t, path);
    tree_u32(t, "/", "interrupt-parent", h->gic);
    if (v->gic_version == 2)
        add_v2m(t, path, h);
    else if (v->its)
        add_its(t, path, h);
}

/* A PrimeCell: @names are clocks, each the same 24 MHz. */
static void add_primecell(struct tree *t, const char *path, const char *compatible, size_t len,
                          uint64_t base, uint32_t spi, const struct handles *h)
{
    tree_node(t, path);
    tree_bytes(t, path, "compatible", compatible, len);
    TREE_WIDE(t, path, "reg", base, 0x1000);
    TREE_CELLS(t, path, "interrupts", GIC_SPI, spi, IRQ_LEVEL);
    tree_u32(t, path, "clocks", h->clock);
    tree_str(t, path, "clock-names", "apb_pclk");
}

static void add_uart_and_rtc(struct tree *t, const struct handles *h)
{
    static const char pl011[] = "arm,pl011\0arm,primecell", pl031[] = "arm,pl031\0arm,primecell",
                      clocks[] = "uartclk\0apb_pclk";

    add_primecell(t, "/pl011@9000000", pl011, sizeof(pl011), VIRT_UART, VIRT_SPI_UART, h);
    TREE_CELLS(t, "/pl011@9000000", "clocks", h->clock, h->clock);
    tree_bytes(t, "/pl011@9000000", "clock-names", clocks, sizeof(clocks));
    tree_str(t, "/chosen", "stdout-path", "/pl011@9000000");
    add_primecell(t, "/pl031@9010000", pl031, sizeof(pl031), VIRT_RTC, VIRT_SPI_RTC, h);
}

static void add_gpio(struct tree *t, struct handles *h)
{
    static const char pl061[] = "arm,pl061\0arm,primecell";
    const char *key = "/gpio-keys/poweroff";

    add_primecell(t, "/pl061@9030000", pl061, sizeof(pl061), VIRT_GPIO, VIRT_SPI_GPIO, h);
    tree_u32(t, "/pl061@9030000", "#gpio-cells", 2);
    tree_flag(t, "/pl061@9030000", "gpio-controller");
    h->gpio = tree_phandle(t, "/pl061@9030000");
    tree_node(t, "/gpio-keys");
    tree_str(t, "/gpio-keys", "compatible", "gpio-keys");
    tree_node(t, key);
    tree_str(t, key, "label", "GPIO Key Poweroff");
    tree_u32(t, key, "linux,code", 116); /* KEY_POWER */
    TREE_CELLS(t, key, "gpios", h->gpio, VIRT_POWER_PIN, 0);
}

/* Where the four pins of four devices go; the rest repeats. */
static void add_interrupt_map(struct tree *t, const char *path, const struct handles *h)
{
    uint32_t map[16 * 10], *p = map;

    for (unsigned slot = 0; slot < 4; slot++)
        for (unsigned pin = 0; pin < 4; pin++, p += 10)
            memcpy(p,
                   (uint32_t[10]){slot << 11, 0, 0, pin + 1, h->gic, 0, 0, GIC_SPI,
                                  VIRT_SPI_PCIE + (slot + pin) % 4, IRQ_LEVEL},
                   40);
    tree_cells(t, path, "interrupt-map", map, ARRAY_LEN(map));
    TREE_CELLS(t, path, "interrupt-map-mask", 3 << 11, 0, 0, 7);
}

static void add_pcie(struct virt *v, struct tree *t, const struct handles *h)
{
    enum { IO = 1 << 24, MEM32 = 2 << 24, MEM64 = 3 << 24 }; /* phys.hi of a PCI address */
    uint64_t hi = v->mmio64.base, size = v->mmio64.size;
    const char *path = "/pcie@10000000";
    uint32_t ranges[21] = {
        IO,    0, 0, 0, VIRT_PCIE_PIO, 0, VIRT_PCIE_PIO_SIZE,
        MEM32, 0, VIRT_PCIE_MMIO, 0, VIRT_PCIE_MMIO, 0, VIRT_PCIE_MMIO_SIZE,
        MEM64, hi >> 32, hi, hi >> 32, hi, size >> 32, size,
    };

    tree_node(t, path);
    tree_str(t, path, "compatible", "pci-host-ecam-generic");
    tree_str(t, path, "device_type", "pci");
    tree_u32(t, path, "#address-cells", 3);
    tree_u32(t, path, "#size-cells", 2);
    tree_u32(t, path, "#interrupt-cells", 1);
    tree_u32(t, path, "linux,pci-domain", 0);
    TREE_CELLS(t, path, "bus-range", 0, (v->ecam.size >> 20) - 1);
    tree_flag(t, path, "dma-coherent");
    if (h->msi)
        TREE_CELLS(t, path, "msi-map", 0, h->msi, 0, 0x10000);
    TREE_WIDE(t, path, "reg", v->ecam.base, v->ecam.size);
    tree_cells(t, path, "ranges", ranges, size ? 21 : 14);
    add_interrupt_map(t, path, h);
}

static void add_slots(struct tree *t)
{
    char path[64];

    for (unsigned i = VIRT_SLOTS; i-- > 0;) { /* the tree's first node is the one added last */
        unsigned at = VIRT_MMIO + i * VIRT_MMIO_SIZE;

        snprintf(path, sizeof(path), "/virtio_mmio@%x", at);
        tree_node(t, path);
        tree_str(t, path, "compatible", "virtio,mmio");
        TREE_WIDE(t, path, "reg", at, VIRT_MMIO_SIZE);
        TREE_CELLS(t, path, "interrupts", GIC_SPI, VIRT_SPI_MMIO + i, IRQ_EDGE);
        tree_flag(t, path, "dma-coherent");
    }
}

static void add_flash_and_fw_cfg(struct tree *t)
{
    tree_node(t, "/flash@0");
    tree_str(t, "/flash@0", "compatible", "cfi-flash");
    TREE_WIDE(t, "/flash@0", "reg", VIRT_FLASH0, VIRT_FLASH_SIZE, VIRT_FLASH1, VIRT_FLASH_SIZE);
    tree_u32(t, "/flash@0", "bank-width", 4);
    tree_node(t, "/fw-cfg@9020000");
    tree_str(t, "/fw-cfg@9020000", "compatible", "qemu,fw-cfg-mmio");
    TREE_WIDE(t, "/fw-cfg@9020000", "reg", VIRT_FW_CFG, 0x18);
    tree_flag(t, "/fw-cfg@9020000", "dma-coherent");
}

/* Where devices would go that we have none of yet. */
static void add_platform_bus(struct tree *t, const struct handles *h)
{
    static const char names[] = "qemu,platform\0simple-bus";
    const char *path = "/platform-bus@c000000";

    tree_node(t, path);
    tree_bytes(t, path, "compatible", names, sizeof(names));
    tree_u32(t, path, "#size-cells", 1);
    tree_u32(t, path, "#address-cells", 1);
    TREE_CELLS(t, path, "ranges", 0, 0, VIRT_PLATFORM, VIRT_PLATFORM_SIZE);
    tree_u32(t, path, "interrupt-parent", h->gic);
}

static void add_root(struct virt *v, struct tree *t, struct handles *h)
{
    const char *name = v->p->dt_compatible ? v->p->dt_compatible : "linux,dummy-virt";

    tree_str(t, "/", "compatible", name);
    tree_str(t, "/", "model", "linux,dummy-virt");
    tree_u32(t, "/", "#address-cells", 2);
    tree_u32(t, "/", "#size-cells", 2);
    tree_node(t, "/chosen");
    tree_node(t, "/apb-pclk");
    tree_str(t, "/apb-pclk", "compatible", "fixed-clock");
    tree_u32(t, "/apb-pclk", "#clock-cells", 0);
    tree_u32(t, "/apb-pclk", "clock-frequency", 24000000);
    tree_str(t, "/apb-pclk", "clock-output-names", "clk24mhz");
    h->clock = tree_phandle(t, "/apb-pclk");
}

struct tree *virt_tree(struct virt *v)
{
    struct tree *t = tree_new();
    struct handles h = {0};

    add_root(v, t, &h);
    add_cpus(v, t);
    add_cpu_map(v, t);
    add_flash_and_fw_cfg(t);
    add_gic(v, t, &h);
    add_timer_and_pmu(v, t);
    add_uart_and_rtc(t, &h);
    add_pcie(v, t, &h);
    add_gpio(t, &h);
    add_slots(t);
    add_platform_bus(t, &h);
    add_memory(v, t);
    add_psci(v, t);
    return t;
}
