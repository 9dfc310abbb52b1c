/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCs, for the files pc*.c: what both kinds of board have (i440FX with PIIX, Q35 with ICH9), and what the user has chosen.
 *
 *     pc_build() makes it in order: memory, CPUs, chips, firmware, ISA devices, PCI devices, what firmware is told, kernel.
 */
#ifndef BOARD_PC_H
#define BOARD_PC_H

#include "base/bytes.h"
#include "board/board.h"
#include "dev/isa/isa.h"
#include "dev/pc/south.h"
#include "dev/pci/pci.h"

struct x86_conf;

enum { PC_GSIS = 24, PC_SCI = 9 };
enum { FW_CFG_IRQ0_OVERRIDE = 0x8002 }; /* 1: the timer, IRQ 0, is at input 2 of the I/O APIC */

/* What is where. */
#define PC_IOAPIC   0xfec00000u
#define PC_HPET     0xfed00000u
#define PC_APIC     0xfee00000u
#define PC_4G       UINT64_C(0x100000000)
#define PC_ROM_MAX  (UINT32_C(16) << 20) /* firmware, below 4 GiB */

enum { PC_ON, PC_OFF, PC_AUTO };

struct pc_props {
    int acpi, smm, pic, pit, vmport; /* enum on_off_auto */
    bool hpet, i8042, fd_bootchk, sata, smbus;
    bool no_rtc, bare; /* microvm: no clock; no keyboard ports, no DMA */
    uint64_t max_low, max_fw;
    char *oem_id, *oem_table_id, *smbios_entry;
};

struct pc {
    struct machine *m;
    struct conf *c;
    const struct pc_props *p;
    unsigned version; /* 702: 7.2 */
    bool q35, acpi, smm;
    uint64_t low, high; /* bytes of RAM below and from 4 GiB on */
    struct ram *ram;
    struct mem low_mem, high_mem, bios_mem, isa_bios_mem;
    struct dev *host, *isa_dev, *pm, *fw_cfg, *pic, *pit, *rtc, *hpet, *ioapic, *ioapic2, *apic, *i8042, *flash[2], *disks, *fdc;
    struct isa_bus *isa;
    struct pci_bus *pci;
    struct mem *pci_mem;
    struct acpi_pm *acpi_pm; /* NULL: acpi=off */
    struct irq_line *smi;
    struct smbus *smbus;
    struct space *smm_space; /* what CPUs in SMM see */
    const char *firmware; /* the file that -bios takes the place of */
    struct x86_conf *cpu; /* what all CPUs are like */
    struct engine *engine;
    struct cpu **cpus;       /* as many as there may be; NULL: it has never been there */
    struct cpu_slot *slots;  /* the same number: which CPUs there are now */
    struct dev *cpu_plug;    /* NULL: CPUs neither come nor go */
    struct dev_type cpu_type;
    char cpu_type_name[64];  /* "qemu64-x86_64-cpu" */
    struct dev *pci_plug;    /* NULL: no ACPI; PCI Express ports have slots of their own */
    struct dev *mem_plug;    /* NULL: no ACPI */
    uint64_t plug_at, plug_size; /* where memory may come; size 0: nowhere */
    struct mem ferr; /* port F0h */
    struct irq_or pin2;       /* the I/O APIC's input 2: the old timer's interrupt, and HPET's */
    struct irq_or pci_pin[8]; /* and 16 to 23: PCI's (0) and HPET's (1) */
    struct irq_or a20;        /* of port 92h (0) and the keyboard controller (1) */
};

/** pc_add_memory - RAM below and above the hole.  -EINVAL when it cannot be where it is asked for. */
int pc_add_memory(struct pc *p, struct err *e);
/** pc_add_firmware - -bios, flash drives or the file SeaBIOS is in, at the end of the 32-bit world and at its beginning. */
int pc_add_firmware(struct pc *p, struct err *e);

/** pc_add_host - the host bridge, a device of type @type. */
int pc_add_host(struct pc *p, const char *type, struct err *e);
/** pc_add_i440fx, pc_add_q35 - the chips: host bridge, ISA bridge, power management, disk controller. */
int pc_add_i440fx(struct pc *p, struct err *e);
int pc_add_q35(struct pc *p, struct err *e);
/** pc_gsi - input @n of the interrupt controllers: 0 to 15 reach both, 16 to 23 the I/O APIC only. */
struct irq_in pc_gsi(struct pc *p, unsigned n);
/** pc_add_isa - what is on the ISA bus, from interrupt controllers to serial ports. */
int pc_add_isa(struct pc *p, struct err *e);
/** pc_add_cards - network cards, disks of the board's own controllers. */
int pc_add_cards(struct pc *p, struct err *e);

/** pc_add_cpus - with their local APICs, and all their pins. */
int pc_add_cpus(struct pc *p, struct err *e);
/** pc_start_cpu - CPU @i, which is not there, with its local APIC and pins. */
int pc_start_cpu(struct pc *p, unsigned i, struct err *e);
/** pc_has_cpu - is it there now?  pc_count_cpus - how many are. */
bool pc_has_cpu(const struct pc *p, unsigned i);
unsigned pc_count_cpus(const struct pc *p);
/** pc_add_modules - the memory modules' own descriptions, on the SMBus that there is. */
int pc_add_modules(struct pc *p, struct err *e);
/** pc_add_plugs - by which CPUs, PCI devices and memory come and go, for machines with ACPI: registers, kinds of device. */
int pc_add_plugs(struct pc *p, struct err *e);
enum { PC_CPU_PLUG = 0xaf00, PC_CPU_PLUG_Q35 = 0xcd8, PC_PCI_PLUG = 0xae00, PC_PCI_PLUG_Q35 = 0xcc0, PC_MEM_PLUG = 0xa00 }; /* ports */
/** pc_ram_end - the first address behind all memory that there is or may be, from 4 GiB on. */
uint64_t pc_ram_end(const struct pc *p);
/** pc_apic_id_limit - one more than the highest identifier of a local APIC. */
unsigned pc_apic_id_limit(const struct pc *p);
/** pc_apic_id - of CPU @i. */
uint32_t pc_apic_id(const struct pc *p, unsigned i);
/** pc_tell_memory - etc/e820. */
int pc_tell_memory(struct pc *p, struct err *e);
/** pc_tell_cmos - memory, drives, chips.  pc_tell_cmos_memory - memory alone. */
void pc_tell_cmos(struct pc *p);
void pc_tell_cmos_memory(struct pc *p);
/** pc_tell_firmware - fw_cfg's items and files. */
int pc_tell_firmware(struct pc *p, struct err *e);

#endif
