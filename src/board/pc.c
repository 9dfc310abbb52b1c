/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCs that -machine names: "pc" (i440FX and PIIX) and "q35" (Q35 and ICH9), in all their versions. */
#include "board/pc.h"

#include "dev/pc/pc_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const on_off_auto[] = {"on", "off", "auto", NULL};

static const struct field pc_props[] = {
    FIELD_ENUM(pc_props, acpi, on_off_auto, "acpi", "auto", "Enable ACPI"),
    FIELD(pc_props, fd_bootchk, F_BOOL, "fd-bootchk", "on", "Floppy disks without a boot signature are not booted"),
    FIELD(pc_props, hpet, F_BOOL, "hpet", "on", "Enable/disable high precision event timer emulation"),
    FIELD(pc_props, i8042, F_BOOL, "i8042", "on", "Enable/disable the keyboard controller"),
    FIELD(pc_props, max_fw, F_SIZE, "max-fw-size", "8M", "Maximum combined firmware size"),
    FIELD(pc_props, max_low, F_SIZE, "max-ram-below-4g", "0",
          "Maximum ram below the 4G boundary (32bit boundary)"),
    FIELD_ENUM(pc_props, pic, on_off_auto, "pic", "auto", "Enable i8259 PIC"),
    FIELD_ENUM(pc_props, pit, on_off_auto, "pit", "auto", "Enable i8254 PIT"),
    FIELD(pc_props, sata, F_BOOL, "sata", "on", "Enable/disable Serial ATA bus"),
    FIELD(pc_props, smbios_entry, F_STR, "smbios-entry-point-type", NULL, "SMBIOS Entry Point type [32, 64]"),
    FIELD(pc_props, smbus, F_BOOL, "smbus", "on", "Enable/disable system management bus"),
    FIELD_ENUM(pc_props, smm, on_off_auto, "smm", "auto", "Enable SMM"),
    FIELD_ENUM(pc_props, vmport, on_off_auto, "vmport", "auto", "Enable vmport (pc & q35)"),
    FIELD(pc_props, oem_id, F_STR, "x-oem-id", NULL, "Override the default value of field OEMID in ACPI table header"),
    FIELD(pc_props, oem_table_id, F_STR, "x-oem-table-id", NULL,
          "Override the default value of field OEM Table ID in ACPI table header"),
    FIELD_END,
};

/* What we have not got is refused by name. */
static int check_props(struct pc *p, struct err *e)
{
    const struct pc_props *o = p->p;

    if (o->vmport == PC_ON)
        return err_set(e, -ENOTSUP, "vmport=on: VMware's port is not supported");
    if (p->c->usb)
        return err_set(e, -ENOTSUP, "usb=on: USB is not supported yet");
    if (o->smbios_entry && strcmp(o->smbios_entry, "32") != 0 && strcmp(o->smbios_entry, "64") != 0)
        return err_set(e, -EINVAL, "smbios-entry-point-type=%s: want 32 or 64", o->smbios_entry);
    if (o->oem_id && strlen(o->oem_id) > 6)
        return err_set(e, -EINVAL, "User specified oem-id value is bigger than 6 bytes in size");
    if (o->oem_table_id && strlen(o->oem_table_id) > 8)
        return err_set(e, -EINVAL, "User specified oem-table-id value is bigger than 8 bytes in size");
    if (o->max_fw < 64 * KiB || o->max_fw > PC_ROM_MAX)
        return err_set(e, -EINVAL, "max-fw-size: want 64 KiB to 16 MiB");
    p->acpi = o->acpi != PC_OFF;
    p->smm = o->smm != PC_OFF;
    return 0;
}

static void pc_end(void *opaque)
{
    struct pc *p = opaque;

    free(p->cpus);
    free(p->slots);
    free(p->cpu);
    free(p);
}

static void press_power(void *opaque)
{
    acpi_pm_power_button(opaque);
}

int pc_add_host(struct pc *p, const char *type, struct err *e)
{
    struct pc_host *h;

    if (!(p->host = dev_add(p->m, type, NULL, NULL, e)))
        return e->code;
    h = pc_host_of(p->host);
    p->pci = &h->bus;
    p->pci_mem = &h->mem;
    if (pc_host_start(p->host, p->ram, p->low, e) < 0)
        return e->code;
    p->smm_space = h->pam.smm;
    return 0;
}

static int build(struct pc *p, struct err *e)
{
    if (check_props(p, e) < 0 || pc_add_memory(p, e) < 0)
        return e->code;
    if ((p->q35 ? pc_add_q35(p, e) : pc_add_i440fx(p, e)) < 0)
        return e->code;
    if (pc_add_firmware(p, e) < 0 || pc_add_isa(p, e) < 0 || pc_add_cpus(p, e) < 0 ||
        (p->acpi && pc_add_plugs(p, e) < 0) || pc_add_cards(p, e) < 0)
        return e->code;
    if (p->smbus && pc_add_modules(p, e) < 0)
        return e->code;
    if (p->acpi_pm)
        machine_on_power_button(p->m, press_power, p->acpi_pm);
    return pc_tell_firmware(p, e);
}

/* "pc-i440fx-2.12" -> 212, "pc-q35-4.0.1" -> 400. */
static unsigned version_of(const char *name)
{
    unsigned major = 0, minor = 0;

    sscanf(strrchr(name, '-') + 1, "%u.%u", &major, &minor);
    return major * 100 + minor;
}

static int pc_build(struct machine *m, struct conf *c, struct err *e)
{
    struct pc *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(e, -ENOMEM, "out of memory");
    p->m = m;
    p->c = c;
    p->p = c->board_props;
    p->firmware = "bios-256k.bin";
    p->q35 = strncmp(c->board->name, "pc-q35", 6) == 0;
    p->version = version_of(c->board->name);
    machine_on_end(m, pc_end, p);
    return build(p, e);
}

/* --- Rows --- */

#define I440FX(id, version, ...)                                                                   \
    const struct board board_x86_pc_i440fx_##id = {                                                \
        .arch = "x86",                                                                             \
        .name = "pc-i440fx-" version,                                                              \
        .help = "Standard PC (i440FX + PIIX, 1996)",                                               \
        .props = pc_props,                                                                         \
        .props_size = sizeof(struct pc_props),                                                     \
        .default_cpu = "qemu64",                                                                   \
        .max_cpus = 255,                                                                           \
        .dies = true,                                                                              \
        .default_ram = 128 * MiB,                                                                  \
        .default_if = IF_IDE,                                                                      \
        .default_nic = "e1000",                                                                    \
        .build = pc_build,                                                                         \
        __VA_ARGS__}

I440FX(7_2, "7.2", .alias = "pc", .is_default = true);
I440FX(7_1, "7.1");
I440FX(7_0, "7.0");
I440FX(6_2, "6.2");
I440FX(6_1, "6.1");
I440FX(6_0, "6.0");
I440FX(5_2, "5.2");
I440FX(5_1, "5.1");
I440FX(5_0, "5.0");
I440FX(4_2, "4.2");
I440FX(4_1, "4.1");
I440FX(4_0, "4.0");
I440FX(3_1, "3.1");
I440FX(3_0, "3.0");
I440FX(2_12, "2.12");
I440FX(2_11, "2.11");
I440FX(2_10, "2.10");
I440FX(2_9, "2.9");
I440FX(2_8, "2.8");
I440FX(2_7, "2.7");
I440FX(2_6, "2.6");
I440FX(2_5, "2.5");
I440FX(2_4, "2.4");
I440FX(2_3, "2.3");
I440FX(2_2, "2.2");
I440FX(2_1, "2.1");
I440FX(2_0, "2.0");
I440FX(1_7, "1.7", .deprecated = true);
I440FX(1_6, "1.6", .deprecated = true);
I440FX(1_5, "1.5", .deprecated = true);
I440FX(1_4, "1.4", .deprecated = true);

#define Q35(id, version, ...)                                                                      \
    const struct board board_x86_pc_q35_##id = {                                                   \
        .arch = "x86",                                                                             \
        .name = "pc-q35-" version,                                                                 \
        .help = "Standard PC (Q35 + ICH9, 2009)",                                                  \
        .props = pc_props,                                                                         \
        .props_size = sizeof(struct pc_props),                                                     \
        .default_cpu = "qemu64",                                                                   \
        .max_cpus = 288,                                                                           \
        .dies = true,                                                                              \
        .default_ram = 128 * MiB,                                                                  \
        .default_if = IF_IDE,                                                                      \
        .ide_units = 1,                                                                            \
        .default_nic = "e1000e",                                                                   \
        .build = pc_build,                                                                         \
        __VA_ARGS__}

Q35(7_2, "7.2", .alias = "q35");
Q35(7_1, "7.1");
Q35(7_0, "7.0");
Q35(6_2, "6.2");
Q35(6_1, "6.1");
Q35(6_0, "6.0");
Q35(5_2, "5.2");
Q35(5_1, "5.1");
Q35(5_0, "5.0");
Q35(4_2, "4.2");
Q35(4_1, "4.1");
Q35(4_0_1, "4.0.1");
Q35(4_0, "4.0");
Q35(3_1, "3.1");
Q35(3_0, "3.0");
Q35(2_12, "2.12");
Q35(2_11, "2.11");
Q35(2_10, "2.10");
Q35(2_9, "2.9");
Q35(2_8, "2.8");
Q35(2_7, "2.7");
Q35(2_6, "2.6");
Q35(2_5, "2.5");
Q35(2_4, "2.4");
