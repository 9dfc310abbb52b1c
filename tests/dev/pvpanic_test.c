/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest says of itself: pvpanic on ISA and PCI; vmcoreinfo; vmgenid. */
#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "dev/misc/vmgenid.h"
#include "dev/pc/south.h"
#include "tests/dev/isa_rig.h"
#include "tests/dev/pc_rig.h"

#include <json-c/json.h>

static unsigned asks(struct rig *r)
{
    const char *why;

    return machine_take_asks(r->m, &why);
}

static char last_event[64];

static void event(void *opaque, const char *name, struct json_object *data)
{
    snprintf(last_event, sizeof(last_event), "%s", name);
}

TEST(pvpanic, a_panic_asks_a_crash_kernel_tells)
{
    struct rig *r = isa_new("pvpanic", NULL);

    machine_on_event(r->m, event, NULL);
    CHECK_EQ(inb(r, 0x505), 3);
    outb(r, 0x505, 4); /* a bit that it does not know */
    CHECK_EQ(asks(r), 0);
    outb(r, 0x505, 2);
    CHECK_EQ(asks(r), 0);
    CHECK_STR(last_event, "GUEST_CRASHLOADED");
    outb(r, 0x505, 1);
    CHECK_EQ(asks(r), ASK_PANIC);
    rig_save_load(r);
    CHECK_EQ(inb(r, 0x505), 3);
    rig_free(r);
    r = isa_new("pvpanic", "ioport=0x600,events=2");
    CHECK_EQ(inb(r, 0x600), 2);
    outb(r, 0x600, 1);
    CHECK_EQ(asks(r), 0);
    rig_free(r);
    CHECK_STR(rig_refused("pvpanic-pci", "events=8"), "No 'PCI' bus found for device 'pvpanic-pci'");
}

TEST(pvpanic, by_pci)
{
    struct rig *r = rig_with("pvpanic-pci", "addr=3", pc_rig_before);

    CHECK_EQ(pc_cfg_read(r, 3 << 3, 0, 4), 0x00111b36);
    CHECK_EQ(pc_cfg_read(r, 3 << 3, 8, 4), 0x08800001);
    pc_cfg_write(r, 3 << 3, 0x10, 0xe0000000, 4);
    pc_cfg_write(r, 3 << 3, 4, 2, 2);
    CHECK_EQ(rig_load(r, 0xe0000000, 1), 3);
    rig_store(r, 0xe0000001, 1, 1);
    CHECK_EQ(asks(r), 0);
    rig_save_load(r);
    rig_store(r, 0xe0000000, 1, 1);
    CHECK_EQ(asks(r), ASK_PANIC);
    rig_hostile(r);
    rig_free(r);
}

/* --- Files of fw_cfg that the guest writes -------------------------------------------------- */

static void with_pm(struct rig *r)
{
    struct err e = {0};

    pc_rig_before(r);
    machine_lock(r->m);
    if (!dev_add(r->m, "fw_cfg_io", NULL, NULL, &e) || !dev_add(r->m, "PIIX4_PM", NULL, "addr=1.3", &e)) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
    machine_unlock(r->m);
}

/* Through the DMA interface: @data goes to file @name. */
static void write_file(struct rig *r, const char *name, const void *data, uint32_t len)
{
    uint8_t entry[64], dma[16];
    uint32_t n = 0;

    pc_out(r, 0x510, FW_CFG_FILE_DIR, 2);
    for (unsigned i = 0; i < 4; i++)
        n = n << 8 | pc_in(r, 0x511, 1);
    while (n--) {
        for (unsigned i = 0; i < sizeof(entry); i++)
            entry[i] = pc_in(r, 0x511, 1);
        if (strcmp((char *)entry + 8, name) != 0)
            continue;
        put_be32(dma, (uint32_t)get_be16(entry + 4) << 16 | 8 | 16); /* select, write */
        put_be32(dma + 4, len);
        put_be64(dma + 8, 0x2000);
        space_write(machine_space(r->m), 0x2000, data, len, (struct access){0});
        space_write(machine_space(r->m), 0x1000, dma, sizeof(dma), (struct access){0});
        pc_out(r, 0x514, 0, 4);
        pc_out(r, 0x518, __builtin_bswap32(0x1000), 4);
        CHECK_EQ(rig_load(r, 0x1000, 4), 0);
        return;
    }
    CHECK(!"the file is there");
}

TEST(vmcoreinfo, what_the_guest_wrote_is_kept)
{
    uint8_t info[16] = {9, 9, 1, 0, 0x40, 0, 0, 0, 0, 0x50};
    struct rig *r = rig_with("vmcoreinfo", NULL, with_pm);
    uint32_t len;

    CHECK_EQ(get_le16(fw_cfg_file(fw_cfg_find(r->m), "etc/vmcoreinfo", &len)), 1);
    CHECK_EQ(len, 16);
    write_file(r, "etc/vmcoreinfo", info, sizeof(info));
    rig_save_load(r);
    CHECK_MEM(fw_cfg_file(fw_cfg_find(r->m), "etc/vmcoreinfo", &len) + 2, info + 2, 14);
    rig_reset(r);
    CHECK_EQ(get_le64(fw_cfg_file(fw_cfg_find(r->m), "etc/vmcoreinfo", &len)), 1);
    rig_free(r);
    CHECK_STR(rig_refused("vmcoreinfo", NULL), "vmcoreinfo device requires fw_cfg with DMA");
}

TEST(vmgenid, a_guest_that_is_loaded_learns_its_new_number)
{
    struct rig *r = rig_with("vmgenid", "guid=00112233-4455-6677-8899-aabbccddeeff", with_pm);
    uint8_t addr[8] = {0, 0x80};
    struct err e = {0};
    char text[37];
    uint8_t *buf;
    size_t len;

    vmgenid_text(r->dev, text);
    CHECK_STR(text, "00112233-4455-6677-8899-aabbccddeeff");
    CHECK(!strcmp(vmgenid_of(r->m)->type->name, "vmgenid"));
    write_file(r, "etc/vmgenid_addr", addr, sizeof(addr));
    CHECK_EQ(pc_in(r, 0xafe0, 1), 0);
    machine_lock(r->m);
    CHECK_EQ(machine_save(r->m, &buf, &len, &e), 0);
    CHECK_EQ(machine_load(r->m, buf, len, &e), 0);
    machine_unlock(r->m);
    free(buf);
    CHECK_EQ(rig_load(r, 0x8028, 8), 0x6677445500112233);
    CHECK_EQ(pc_in(r, 0xafe0, 1), 1 << 5); /* GPE 5 */
    rig_hostile(r);
    rig_free(r);
    r = rig_with("vmgenid", NULL, with_pm);
    CHECK(vmgenid_of(r->m));
    rig_free(r);
}

static const struct test tests[] = {
    CASE(pvpanic, a_panic_asks_a_crash_kernel_tells),
    CASE(pvpanic, by_pci),
    CASE(vmcoreinfo, what_the_guest_wrote_is_kept),
    CASE(vmgenid, a_guest_that_is_loaded_learns_its_new_number),
};
TEST_MAIN(tests)
