/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Arm "virt" machine, for the files aarch64_virt*.c: its memory map, interrupts, and what the user has chosen. */
#ifndef BOARD_AARCH64_VIRT_PRIV_H
#define BOARD_AARCH64_VIRT_PRIV_H

#include "base/bytes.h"
#include "board/arm_boot.h"
#include "board/board.h"
#include "dev/firmware/image.h"
#include "guest/aarch64/system.h"

/* What is where.  These addresses are a contract with people's guests. */
enum virt_map {
    VIRT_FLASH0 = 0x00000000,
    VIRT_FLASH1 = 0x04000000,
    VIRT_FLASH_SIZE = 0x04000000,
    VIRT_GIC_DIST = 0x08000000,
    VIRT_GIC_CPU = 0x08010000,
    VIRT_GICV2M = 0x08020000,
    VIRT_GIC_HYP = 0x08030000,
    VIRT_GIC_VCPU = 0x08040000,
    VIRT_ITS = 0x08080000,
    VIRT_REDIST = 0x080a0000,
    VIRT_REDIST_SIZE = 0x00f60000,
    VIRT_UART = 0x09000000,
    VIRT_RTC = 0x09010000,
    VIRT_FW_CFG = 0x09020000,
    VIRT_GPIO = 0x09030000,
    VIRT_MMIO = 0x0a000000,
    VIRT_MMIO_SIZE = 0x200,
    VIRT_PLATFORM = 0x0c000000,
    VIRT_PLATFORM_SIZE = 0x02000000,
    VIRT_PCIE_MMIO = 0x10000000,
    VIRT_PCIE_MMIO_SIZE = 0x2eff0000,
    VIRT_PCIE_PIO = 0x3eff0000,
    VIRT_PCIE_PIO_SIZE = 0x10000,
    VIRT_PCIE_ECAM = 0x3f000000,
    VIRT_PCIE_ECAM_SIZE = 0x01000000,
    VIRT_RAM = 0x40000000,
};

/* Shared interrupts, counted from 0, and private ones, by INTID. */
enum virt_irq {
    VIRT_SPI_UART = 1,
    VIRT_SPI_RTC = 2,
    VIRT_SPI_PCIE = 3, /* four */
    VIRT_SPI_GPIO = 7,
    VIRT_SPI_MMIO = 16, /* one for each slot */
    VIRT_SPI_GICV2M = 48,
    VIRT_NUM_GICV2M = 64,
    VIRT_NUM_IRQS = 288,
    VIRT_PPI_PMU = 23,
    VIRT_PPI_MAINTENANCE = 25,
    VIRT_PPI_HYP = 26,
    VIRT_PPI_VIRT = 27,
    VIRT_PPI_HYPVIRT = 28,
    VIRT_PPI_SECURE = 29,
    VIRT_PPI_PHYS = 30,
};

enum { VIRT_SLOTS = 32, VIRT_POWER_PIN = 3, VIRT_REDIST_EACH = 0x20000 };

/* Where what does not fit below 4 GiB goes; size 0: it is not there. */
struct virt_window {
    uint64_t base, size;
};

struct virt_props {
    char *gic_version, *iommu, *oem_id, *oem_table_id, *dt_compatible;
    bool virtualization, secure, highmem, highmem_redists, highmem_ecam, highmem_mmio, its, ras, mte,
        dtb_randomness, dtb_kaslr_seed;
    int acpi; /* enum on_off_auto */
};

/* What older versions of the machine lack. */
struct virt_version {
    const char *name;
    bool no_its, no_cpu_map, no_high_ecam, edge_timers, no_pmu, no_lpa2;
};

struct virt {
    struct machine *m;
    const struct conf *c;
    const struct virt_props *p;
    const struct virt_version *version;
    struct a64_conf cpu; /* that of all CPUs, but for mpidr */
    struct cpu **cpus;
    struct irq_hooks { /* GICv3's registers of each CPU */
        struct cpu *cpu;
        void *icc;
    } *icc;
    int gic_version; /* 2, 3 */
    bool its, acpi;
    struct virt_window redist2, ecam, mmio64;
    struct dev *gic, *gpio, *key, *fw_cfg, *pci, *uart, *flash[2];
    struct ram *ram;
    struct mem ram_mem;
    struct arm_boot boot;
    struct boot_cpus boot_cpus;
};

/** virt_mpidr - affinity of CPU @n: clusters of what one SGI reaches. */
uint64_t virt_mpidr(const struct virt *v, unsigned n);
/** virt_tree - describe the machine. */
struct tree *virt_tree(struct virt *v);
/** virt_acpi - the same as ACPI tables, offered through fw_cfg. */
int virt_acpi(struct virt *v, struct err *e);

#endif
