/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generation of a virtual machine (vmgenid.h). */
#include "dev/misc/vmgenid.h"

#include "base/bytes.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/pc/acpi_pm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

struct vmgenid {
    struct dev dev;
    char *guid;
    uint8_t id[16];      /* as memory has it: the first three numbers are little endian */
    uint8_t *addr; /* fw_cfg's bytes */
    uint8_t at[8];       /* what they say, where the guest has the page: 0: nowhere yet */
};

static void tell(struct vmgenid *v)
{
    struct acpi_pm *pm = acpi_pm_of(v->dev.m);
    uint64_t at = get_le64(v->at);

    if (!at)
        return;
    if (space_write(machine_space(v->dev.m), at + VMGENID_AT, v->id, sizeof(v->id), (struct access){.who = BUS_NOBODY}) == 0 && pm)
        acpi_pm_gpe(pm, GPE_GENERATION);
}

static void written(void *opaque)
{
    struct vmgenid *v = opaque;

    memcpy(v->at, v->addr, sizeof(v->at));
}

/* Text is big endian: 00112233-4455-6677-8899-aabbccddeeff. */
static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static bool parse(const char *text, uint8_t id[16])
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned v;

        if (i == 4 || i == 6 || i == 8 || i == 10)
            if (*text++ != '-')
                return false;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) || sscanf(text, "%2x", &v) != 1)
            return false;
        id[place[i]] = v;
        text += 2;
    }
    return !*text;
}

void vmgenid_text(struct dev *d, char text[static 37])
{
    const struct vmgenid *v = (const struct vmgenid *)d;
    char *p = text;

    for (unsigned i = 0; i < 16; i++)
        p += sprintf(p, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", v->id[place[i]]);
}

static bool is_vmgenid(void *opaque, struct dev *d)
{
    if (d->type == &dev_vmgenid)
        *(struct dev **)opaque = d;
    return true;
}

struct dev *vmgenid_of(struct machine *m)
{
    struct dev *d = NULL;

    machine_each_dev(m, is_vmgenid, &d);
    return d;
}

static int take_guid(struct vmgenid *v, struct err *e)
{
    if (!v->guid || !strcmp(v->guid, "auto"))
        return getrandom(v->id, sizeof(v->id), 0) == sizeof(v->id) ? 0 : err_set(e, -EIO, "no random number to be had");
    return parse(v->guid, v->id) ? 0
                                 : err_set(e, -EINVAL, "guid='%s': want a UUID (00112233-4455-6677-8899-aabbccddeeff), or auto", v->guid);
}

static int init(struct dev *d, struct err *e)
{
    struct vmgenid *v = (struct vmgenid *)d;
    struct dev *fw_cfg = fw_cfg_find(d->m);
    uint8_t page[VMGENID_PAGE] = {0}, none[8] = {0};

    if (!fw_cfg || !acpi_pm_of(d->m))
        return err_set(e, -ENODEV, "vmgenid requires a machine with ACPI and with fw_cfg that can be written");
    if (fw_cfg_file(fw_cfg, VMGENID_GUID, &(uint32_t){0}))
        return err_set(e, -EBUSY, "at most one vmgenid device is permitted");
    if (take_guid(v, e) < 0)
        return e->code;
    memcpy(page + VMGENID_AT, v->id, sizeof(v->id));
    if (fw_cfg_set_file(fw_cfg, VMGENID_GUID, page, sizeof(page), e) < 0)
        return e->code;
    return fw_cfg_add_writable(fw_cfg, VMGENID_ADDR, none, sizeof(none), written, v, &v->addr, e);
}

static void reset(struct dev *d)
{
    struct vmgenid *v = (struct vmgenid *)d;

    if (machine_wakes(d->m))
        return;
    memset(v->at, 0, sizeof(v->at));
    memset(v->addr, 0, sizeof(v->at));
}

/* The number is this process's, the address the stream's: the guest learns that it is another one now. */
static int loaded(struct dev *d, int version, struct err *e)
{
    struct vmgenid *v = (struct vmgenid *)d;

    memcpy(v->addr, v->at, sizeof(v->at));
    tell(v);
    return 0;
}

static const struct field props[] = {
    FIELD(vmgenid, guid, F_STR, "guid", "auto", "the number, or auto: a random one"),
    FIELD_END,
};

static const struct state state[] = {
    STATE(vmgenid, at, S_U8, 1, "address of the page"),
    STATE_END,
};

const struct dev_type dev_vmgenid = {
    .name = "vmgenid",
    .help = "a number that differs in each copy of the guest",
    .class = DEV_MISC,
    .size = sizeof(struct vmgenid),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
};
