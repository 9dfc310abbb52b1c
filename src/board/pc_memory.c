/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's memory: RAM on both sides of the hole below 4 GiB, firmware at its end.  The hole begins where guests have always met it:
 * i440FX at 3 or 3.5 GiB, Q35 at 2 or 2.75 GiB (configuration space is at 0xb0000000). */
#include "board/pc.h"

#include "board/asked.h"
#include "dev/firmware/image.h"
#include "dev/flash/cfi_pflash01.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static const char ram_name[] = "pc.ram";

static uint64_t low_end(const struct pc *p)
{
    uint64_t ram = p->c->ram, most = p->q35 ? 0xb0000000 : 0xe0000000,
             whole = p->q35 ? 0x80000000 : 0xc0000000, end = ram >= most ? whole : most;

    if (p->p->max_low && end > p->p->max_low)
        end = p->p->max_low;
    return ram < end ? ram : end;
}

static int take_ram(struct pc *p, struct err *e)
{
    const struct conf *c = p->c;

    if (!c->ram_backend)
        return (p->ram = ram_new(p->m, ram_name, c->ram, e)) ? 0 : e->code;
    p->ram = machine_backend(p->m, "memory-backend", c->ram_backend);
    if (!p->ram)
        return err_set(e, -ENOENT, "Memory backend '%s' not found", c->ram_backend);
    if (p->ram->size != c->ram)
        return err_set(e, -EINVAL, "Machine memory size does not match the size of memory backend '%s'",
                       c->ram_backend);
    p->ram->used = true;
    return 0;
}

int pc_add_memory(struct pc *p, struct err *e)
{
    if (p->p->max_low && (p->p->max_low < MiB || p->p->max_low > PC_4G || p->p->max_low % 4096))
        return err_set(e, -EINVAL,
                       "max-ram-below-4g=%" PRIu64 ": want 1 MiB to 4 GiB, a multiple of 4 KiB",
                       p->p->max_low);
    if (p->c->ram < MiB)
        return err_set(e, -EINVAL, "-m: a PC has at least 1 MiB of memory");
    if (take_ram(p, e) < 0)
        return e->code;
    p->low = low_end(p);
    p->high = p->c->ram - p->low;
    mem_init_ram(&p->low_mem, "ram-below-4g", p->ram, 0, p->low);
    mem_add(machine_mem(p->m), 0, &p->low_mem, 0);
    if (p->high) {
        mem_init_ram(&p->high_mem, "ram-above-4g", p->ram, p->low, p->high);
        mem_add(machine_mem(p->m), PC_4G, &p->high_mem, 0);
    }
    return 0;
}

/* --- Firmware ------------------------------------------------------------------------------- */

/* The last 128 KiB are seen below 1 MiB, too. */
static void show_low(struct pc *p, struct mem *of)
{
    uint64_t size = min_u64(of->size, 128 * KiB);

    mem_init_alias(&p->isa_bios_mem, "isa-bios", of, of->size - size, size);
    mem_add(p->pci_mem, MiB - size, &p->isa_bios_mem, 1);
}

static int add_bios(struct pc *p, const char *name, struct err *e)
{
    struct image img;
    struct ram *rom;

    if (asked_firmware(p->c, name, &img, e) < 0)
        return e->code;
    if (!img.len || img.len % (64 * KiB) || img.len > PC_ROM_MAX) {
        err_set(e, -EINVAL, "could not load PC BIOS '%s': %zu bytes, want a multiple of 64 KiB up to 16 MiB", name,
                img.len);
    } else if ((rom = ram_new(p->m, "pc.bios", img.len, e))) {
        rom->rom = !p->p->bare;
        memcpy(rom->host, img.data, img.len);
        mem_init_ram(&p->bios_mem, "pc.bios", rom, 0, img.len);
        mem_add(p->pci_mem, PC_4G - img.len, &p->bios_mem, 0);
        show_low(p, &p->bios_mem);
        if (p->p->bare) /* its firmware keeps its variables there (qboot): it begins anew with each reset */
            image_place(p->m, name, PC_4G - img.len, &img, e);
    }
    image_free(&img);
    return e->code;
}

/* A bank as large as its image, ending at @end; its start, or 0: it is not there. */
static uint64_t add_flash(struct pc *p, int n, uint64_t end, struct err *e)
{
    struct drive *drive = asked_drive(p->m, IF_PFLASH, 0, n);
    char props[256];
    uint64_t size;

    if (!drive)
        return 0;
    size = drive->blk ? blk_size(drive->blk) : 0;
    if (!size || size % 4096 || size > p->p->max_fw || end - size < PC_4G - p->p->max_fw) {
        err_set(e, -EINVAL,
                "system firmware '%s' has %" PRIu64 " bytes: want a multiple of 4 KiB, all of it up to %" PRIu64
                " (max-fw-size=)",
                drive->id, size, p->p->max_fw);
        return 0;
    }
    snprintf(props, sizeof(props),
             "name=system.flash%d,num-blocks=%" PRIu64 ",sector-length=4096,width=1,device-width=1,"
             "max-device-width=1,id0=0x89,id1=0x18,drive=%s",
             n, size / 4096, drive->id);
    if (!(p->flash[n] = dev_add(p->m, "cfi.pflash01", NULL, props, e)))
        return 0;
    mem_add(machine_mem(p->m), end - size, &p->flash[n]->mmio, 0);
    return end - size;
}

int pc_add_firmware(struct pc *p, struct err *e)
{
    uint64_t at = add_flash(p, 0, PC_4G, e);

    if (e->code)
        return e->code;
    if (!at)
        return add_bios(p, p->c->bios ? p->c->bios : p->firmware, e);
    if (p->c->bios)
        return err_set(e, -EINVAL, "-bios and -drive if=pflash cannot both be the firmware");
    show_low(p, &p->flash[0]->mmio);
    add_flash(p, 1, at, e);
    return e->code;
}
