/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC tells its firmware: fw_cfg's items and files, CMOS.
 * Sources: SeaBIOS, docs/Runtime_config.md and Memory_Model.md; coreboot and OVMF documentation of the same files; CMOS: IBM PC/AT
 * Technical Reference, and R. Brown's CMOS list.
 */
#include "board/pc.h"

#include "board/aml.h"
#include "board/asked.h"
#include "board/boot_order.h"
#include "board/pc_acpi.h"
#include "board/smbios.h"
#include "board/x86_kernel.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/firmware/image.h"
#include "dev/pc/ich9.h"
#include "dev/rtc/mc146818.h"
#include "guest/x86/models.h"

#include <errno.h>
#include <stdlib.h>

enum { SHUTDOWN_S3 = 0xfe };
/* Items of PCs. */
enum { FW_CFG_HPET = FW_CFG_ARCH_LOCAL + 4 };

/* --- Memory --------------------------------------------------------------------------------- */

enum { E820_RAM = 1, E820_RESERVED = 2, E820_LEN = 20 };

static void put_range(struct bytes *b, uint64_t at, uint64_t len, uint32_t type)
{
    bytes_le(b, at, 8);
    bytes_le(b, len, 8);
    bytes_le(b, type, 4);
}

/* AMD's CPUs keep the last 12 GiB below 1 TiB for HyperTransport (I/O Virtualization Technology Specification, 48882, "Special Address Controls"). */
#define HT_START UINT64_C(0xfd00000000)
#define HT_SIZE  UINT64_C(0x0300000000)

static bool has_hypertransport(const struct pc *p)
{
    return !p->p->bare && p->version >= 701 && !strcmp(p->cpu->vendor, "AuthenticAMD") && p->cpu->phys_bits >= 40;
}

int pc_tell_memory(struct pc *p, struct err *e)
{
    struct bytes b = {0};
    uint8_t end[8];
    int r;

    if (has_hypertransport(p))
        put_range(&b, HT_START, HT_SIZE, E820_RESERVED);
    put_range(&b, 0, p->low, E820_RAM);
    if (p->high)
        put_range(&b, PC_4G, p->high, E820_RAM);
    r = fw_cfg_set_file(p->fw_cfg, "etc/e820", b.data, b.len, e);
    free(b.data);
    put_le64(end, pc_ram_end(p)); /* above it firmware may place 64-bit BARs */
    if (r == 0 && p->plug_size)
        r = fw_cfg_set_file(p->fw_cfg, "etc/reserved-memory-end", end, sizeof(end), e);
    return r;
}

/* --- The order of booting ------------------------------------------------------------------- */

struct boot {
    struct pc *p;
    bool again; /* the first start is over: once= has had its turn */
};

/* A digit for each letter: floppy disk, hard disk, CD, network. */
static unsigned boot_digit(char c)
{
    return c == 'a' || c == 'b' ? 1 : c == 'c' ? 2 : c == 'd' ? 3 : c >= 'n' && c <= 'p' ? 4 : 0;
}

static void set_order(void *opaque)
{
    struct boot *b = opaque;
    const struct conf *c = b->p->c;
    const char *order = c->boot_order ? c->boot_order : "cad";
    unsigned digit[3] = {0};

    if (c->boot_once && !b->again)
        order = c->boot_once;
    b->again = true;
    for (unsigned i = 0; i < 3 && order[i]; i++)
        digit[i] = boot_digit(order[i]);
    mc146818_set(b->p->rtc, 0x3d, digit[1] << 4 | digit[0]);
    mc146818_set(b->p->rtc, 0x38, digit[2] << 4 | !b->p->p->fd_bootchk);
}

static int tell_splash(struct pc *p, struct err *e)
{
    const struct conf *c = p->c;
    struct image img;
    uint8_t le[2];
    int r;

    if (c->splash_ms >= 0) {
        put_le16(le, c->splash_ms);
        if (fw_cfg_set_file(p->fw_cfg, "etc/boot-menu-wait", le, sizeof(le), e) < 0)
            return e->code;
    }
    if (!c->boot_splash)
        return 0;
    if (asked_firmware(c, c->boot_splash, &img, e) < 0)
        return err_wrap(e, e->code, "-boot splash=");
    r = img.len > 2 && img.data[0] == 0xff && img.data[1] == 0xd8
            ? fw_cfg_set_file(p->fw_cfg, "bootsplash.jpg", img.data, img.len, e)
        : img.len > 2 && img.data[0] == 'B' && img.data[1] == 'M'
            ? fw_cfg_set_file(p->fw_cfg, "bootsplash.bmp", img.data, img.len, e)
            : err_set(e, -EINVAL, "-boot splash=%s: want a JPEG or BMP picture", c->boot_splash);
    image_free(&img);
    return r;
}

static int tell_boot(struct pc *p, const char *first, struct err *e)
{
    struct boot *b = calloc(1, sizeof(*b));
    uint8_t le[4];

    if (!b)
        fatal("out of memory");
    b->p = p;
    machine_on_end(p->m, free, b);
    machine_on_reset(p->m, set_order, b);
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_BOOT_MENU, p->c->boot_menu);
    boot_order_offer(p->m, p->c, p->fw_cfg, first);
    put_le32(le, (uint32_t)p->c->reboot_ms);
    if (fw_cfg_set_file(p->fw_cfg, "etc/boot-fail-wait", le, sizeof(le), e) < 0)
        return e->code;
    return tell_splash(p, e);
}

/* --- Everything else ------------------------------------------------------------------------ */

/* How many, then for each: id of the block, address, shortest period, page protection. */
static void tell_hpet(struct pc *p)
{
    uint8_t item[121] = {1};

    if (!p->hpet)
        item[0] = 0;
    put_le32(item + 1, 0x8086a201);
    put_le64(item + 5, PC_HPET);
    fw_cfg_set(p->fw_cfg, FW_CFG_HPET, item, sizeof(item));
}

/* Those that are there when firmware starts. */
static void tell_cpus(void *opaque)
{
    struct pc *p = opaque;

    fw_cfg_set_u16(p->fw_cfg, FW_CFG_NB_CPUS, pc_count_cpus(p));
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_MAX_CPUS, pc_apic_id_limit(p));
    mc146818_set(p->rtc, 0x5f, pc_count_cpus(p) - 1);
}

/* Bit 7: there is such a state; below: what to write into SLP_TYP. */
static int tell_states(struct pc *p, struct err *e)
{
    const struct acpi_pm *pm = p->acpi_pm;
    const uint8_t states[6] = {0x80, 0, 0, pm->no_s3 ? PM_S3 : 0x80 | PM_S3, pm->no_s4 ? PM_S4 : 0x80 | PM_S4, 0x80 | PM_S5};

    return fw_cfg_set_file(p->fw_cfg, "etc/system-states", states, sizeof(states), e);
}

/* The shutdown status byte: firmware that finds FEh there resumes what slept (SeaBIOS, docs/Execution_and_code_flow.md). */
static void slept(void *opaque, bool wakes)
{
    struct pc *p = opaque;

    if (!wakes)
        mc146818_set(p->rtc, CMOS_SHUTDOWN, SHUTDOWN_S3);
}

static void forget_sleep(void *opaque)
{
    struct pc *p = opaque;

    if (!machine_wakes(p->m) && mc146818_get(p->rtc, CMOS_SHUTDOWN) == SHUTDOWN_S3)
        mc146818_set(p->rtc, CMOS_SHUTDOWN, 0);
}

static int tell_smbios(void *opaque, struct err *e)
{
    enum { HTT = 1 << 28 };
    static const struct x86_cpuid_env env = {.cpus = 1, .apic_on = true};
    const struct pc *p = opaque;
    struct smbios_machine self = {
        "QEMU", p->q35 ? "Standard PC (Q35 + ICH9, 2009)" : "Standard PC (i440FX + PIIX, 1996)", p->c->board->name,
        .area = {{0, p->low}, {PC_4G, p->high}}, .entry32 = !p->p->smbios_entry || strcmp(p->p->smbios_entry, "64") != 0};
    uint32_t id[4];

    x86_cpuid(p->cpu, &env, 1, 0, id);
    self.processor_id = id[0] | (uint64_t)(id[3] & ~HTT) << 32; /* of the model, however many there are */
    return smbios_publish(p->m, p->c, &self, p->fw_cfg, e);
}

int pc_tell_firmware(struct pc *p, struct err *e)
{
    struct x86_kernel kernel;

    if (!(p->fw_cfg = dev_add(p->m, "fw_cfg_io", NULL, NULL, e)))
        return e->code;
    kernel = (struct x86_kernel){.m = p->m, .c = p->c, .fw_cfg = p->fw_cfg, .low = p->low};
    if (x86_kernel_load(&kernel, e) < 0)
        return e->code;
    fw_cfg_set(p->fw_cfg, FW_CFG_UUID, p->c->uuid, 16);
    fw_cfg_set_u64(p->fw_cfg, FW_CFG_RAM_SIZE, p->c->ram);
    fw_cfg_set_u16(p->fw_cfg, FW_CFG_NOGRAPHIC, !p->c->graphics);
    fw_cfg_set_u32(p->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1);
    tell_hpet(p);
    tell_cpus(p);
    pc_tell_numa(p);
    pc_tell_cmos(p);
    machine_on_sleep(p->m, slept, p);
    machine_on_reset(p->m, forget_sleep, p);
    machine_on_reset(p->m, tell_cpus, p);
    machine_on_ready(p->m, tell_smbios, p);
    if (pc_tell_memory(p, e) < 0 || tell_boot(p, kernel.rom, e) < 0 || (p->acpi && (tell_states(p, e) < 0 || pc_acpi(p, e) < 0)))
        return e->code;
    if (p->q35 && ich9_offer_smi(p->isa_dev, p->fw_cfg, e) < 0)
        return e->code;
    return asked_files(p->c, p->fw_cfg, e);
}
