/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rtl8139 card: EEPROM, buffers, ring, filters, interrupts, saved state. */
#include "tests/dev/rtl8139_rig.h"

static struct rig *nic(void)
{
    struct rig *r = rig_with("rtl8139", "addr=3,mac=52:54:00:12:34:56,netdev=n0,romfile=", before);

    cfg_write(r, FN, PCI_BAR0 + 4, BAR, 4);
    cfg_enable(r, FN);
    set(r, CR, 0x10, 1);
    set(r, RBSTART, RING, 4);
    set(r, CR, 0x0c, 1);
    set(r, RCR, 0x0a, 4); /* 8 KiB, ours and broadcasts */
    set(r, IMR, 0xffff, 2);
    return r;
}

static const uint8_t ours[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56}, all[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t other[6] = {0x52, 0x54, 0, 1, 1, 1}, group[6] = {1, 0, 0x5e, 0, 0, 1};

/* As drivers read it, bit by bit. */
static uint16_t eeprom(struct rig *r, unsigned word)
{
    unsigned command = 6 << 6 | word;
    uint16_t v = 0;

    set(r, 0x50, 0x80, 1);
    set(r, 0x50, 0x88, 1);
    for (int i = 10; i >= 0; i--) {
        uint8_t bit = command >> i & 1 ? 0x8a : 0x88;

        set(r, 0x50, bit, 1);
        set(r, 0x50, bit | 4, 1);
    }
    set(r, 0x50, 0x88, 1);
    for (int i = 0; i < 16; i++) {
        set(r, 0x50, 0x8c, 1);
        v = v << 1 | (get(r, 0x50, 1) & 1);
        set(r, 0x50, 0x88, 1);
    }
    set(r, 0x50, 0, 1);
    return v;
}

TEST(rtl8139, says_what_it_is)
{
    struct rig *r = nic();

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x813910ec);
    CHECK_EQ(cfg_read(r, FN, 8, 1), 0x20);
    CHECK_EQ(get(r, 0, 4), 0x12005452);
    CHECK_EQ(get(r, 4, 2), 0x5634);
    CHECK_EQ(eeprom(r, 0), 0x8129);
    CHECK_EQ(eeprom(r, 7), 0x5452);
    CHECK_EQ(eeprom(r, 9), 0x5634);
    CHECK_EQ(get(r, TCR, 4) & 0x7cc00000, 0x74800000);
    set(r, 0xda, 0x5f6, 2); /* not there: it is no RTL8169 */
    CHECK_EQ(get(r, 0xda, 2), 0);
    CHECK_EQ(get(r, 0x58, 1), 0);
    CHECK_EQ(get(r, 0x64, 2), 0x782d);
    CHECK_EQ(get(r, CR, 1), 0x0d);
    rig_free(r);
}

TEST(rtl8139, sends)
{
    struct rig *r = nic();

    peer->got = 0;
    for (unsigned i = 0; i < 6; i++) {
        memset(ram(r, DATA), 'a' + i, 100);
        set(r, TSAD0 + 4 * (i % 4), DATA, 4);
        set(r, TSD + 4 * (i % 4), 100, 4);
        CHECK_EQ(get(r, TSD + 4 * (i % 4), 4), 0xa064);
    }
    CHECK_EQ(peer->got, 6);
    CHECK_EQ(peer->at[5].len, 100);
    CHECK_EQ(peer->at[5].data[99], 'f');
    CHECK_EQ(get(r, ISR, 2), 4);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    set(r, ISR, 4, 2);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    set(r, TSD + 8, 20, 4);
    CHECK_EQ(peer->at[6].len, 60);
    set(r, TSD + 12, 0x1fff, 4); /* more than it can */
    CHECK_EQ(peer->got, 7);
    peer->room = 0; /* the other end is full: on a hub packets are lost, or wait */
    set(r, TSD, 100, 4);
    peer->room = 1000;
    rig_free(r);
}

TEST(rtl8139, receives_into_its_ring)
{
    struct rig *r = nic();
    uint8_t *ring = ram(r, RING);

    arrive(ours, 100, 0x11);
    CHECK_EQ(get_le16(ring), 0x4001);
    CHECK_EQ(get_le16(ring + 2), 104);
    CHECK_MEM(ring + 4, ours, 6);
    CHECK_EQ(get(r, CBR, 2), 108);
    CHECK_EQ(get(r, CR, 1), 0x0c);
    CHECK_EQ(get(r, ISR, 2), 1);
    set(r, CAPR, 108 - 16, 2);
    CHECK_EQ(get(r, CR, 1), 0x0d);
    arrive(all, 61, 0x22);
    CHECK_EQ(get_le16(ring + 108), 0x2001);
    CHECK_EQ(get(r, CBR, 2), 108 + 72);
    arrive(other, 100, 0);
    arrive(group, 100, 0);
    CHECK_EQ(get(r, CBR, 2), 180);
    set(r, RCR, 0x0e, 4);
    set(r, 8, 0xffffffff, 4);
    set(r, 12, 0xffffffff, 4);
    arrive(group, 60, 0);
    CHECK_EQ(get_le16(ring + 180), 0x8001);
    rig_free(r);
}

TEST(rtl8139, ring_goes_around_and_is_full)
{
    struct rig *r = nic();
    uint8_t *ring = ram(r, RING);

    for (unsigned i = 0; i < 5; i++)
        arrive(ours, 1500, 0x40 + i);
    CHECK_EQ(get(r, ISR, 2), 1);
    arrive(ours, 1500, 0x60);
    clock_step(r->m, 90 * 1000000ll);
    CHECK_EQ(get(r, ISR, 2), 1); /* it waits */
    clock_step(r->m, 20 * 1000000ll);
    CHECK_EQ(get(r, ISR, 2), 0x11);
    CHECK_EQ(get(r, 0x4c, 4), 1);
    set(r, ISR, 0xffff, 2);
    set(r, CAPR, get(r, CBR, 2) - 16, 2);
    arrive(ours, 1500, 0x77);
    CHECK_EQ(get(r, CBR, 2), 6 * 1508 - 8192);
    CHECK_EQ(ring[6 * 1508 - 8192 - 5], 0x77);
    CHECK_EQ(ring[8191], 0x77);
    set(r, CAPR, get(r, CBR, 2) - 16, 2);
    for (unsigned i = 0; i < 4; i++)
        arrive(ours, 1500, 0x50);
    set(r, RCR, 0x8a, 4); /* the last one goes on behind the end */
    set(r, CAPR, get(r, CBR, 2) - 16, 2);
    arrive(ours, 1500, 0x66);
    CHECK_EQ(ring[8192], 0x66);
    rig_free(r);
}

TEST(rtl8139, timer_loop_and_link)
{
    struct rig *r = nic();

    set(r, 0x48, 0, 4);
    set(r, 0x54, 33333, 4);
    rig_step(r, 999000);
    CHECK_EQ(get(r, ISR, 2), 0);
    rig_step(r, 2000);
    CHECK_EQ(get(r, ISR, 2), 0x4000);
    set(r, ISR, 0xffff, 2);
    set(r, TCR, 0x60000, 4);
    memcpy(ram(r, DATA), ours, 6);
    set(r, TSAD0, DATA, 4);
    set(r, TSD, 64, 4);
    CHECK_EQ(get(r, ISR, 2), 5);
    net_set_link(ends[0], false);
    CHECK_EQ(get(r, 0x58, 1), 4);
    CHECK_EQ(get(r, ISR, 2) & 0x20, 0x20);
    net_set_link(ends[0], true);
    rig_free(r);
}

TEST(rtl8139, state_survives)
{
    struct rig *r = nic();

    arrive(ours, 100, 0x11);
    set(r, TSAD0, DATA, 4);
    rig_save_load(r);
    CHECK_EQ(get(r, CBR, 2), 108);
    CHECK_EQ(get(r, TSAD0, 4), DATA);
    CHECK_EQ(get(r, ISR, 2), 1);
    arrive(ours, 100, 0x12);
    CHECK_EQ(get(r, CBR, 2), 216);
    rig_hostile(r);
    rig_free(r);
    CHECK_STR(rig_refused("rtl8139", NULL), "No 'PCI' bus found for device 'rtl8139'");
}

/* A folder of firmware with the file that each card looks for. */
static void with_roms(struct rig *r)
{
    static const char *const files[] = {"efi-rtl8139.rom", "efi-e1000.rom", "efi-e1000e.rom", "efi-virtio.rom"};
    static char dir[] = "/tmp/emu-roms-XXXXXX", *dirs[] = {dir, NULL};
    char path[80], bytes[4096] = {0x55, (char)0xaa, 8};

    before(r);
    if (!mkdtemp(dir))
        exit(TEST_FAILED);
    for (unsigned i = 0; i < 4; i++) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        if (!(f = fopen(path, "w")) || fwrite(bytes, 1, sizeof(bytes), f) != sizeof(bytes))
            exit(TEST_FAILED);
        fclose(f);
    }
    machine_add_backend(r->m, "firmware", "dirs", dirs, ERR_IGNORE);
    for (unsigned i = 1; i < 4; i++) {
        static const char *const types[] = {"", "e1000", "e1000e", "virtio-net-pci"};
        char props[32];

        snprintf(props, sizeof(props), "addr=%u", 3 + i);
        CHECK(dev_add(r->m, types[i], NULL, props, ERR_IGNORE));
    }
    for (unsigned i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

TEST(rtl8139, cards_bring_their_boot_programs)
{
    struct rig *r = rig_with("rtl8139", "addr=3,netdev=n0,romfile=", with_roms);

    for (unsigned slot = 3; slot < 7; slot++) {
        uint32_t fn = RIG_FN(0, slot, 0);

        cfg_write(r, fn, 0x30, 0xfffff800, 4);
        CHECK_EQ(cfg_read(r, fn, 0x30, 4) & 0xfffff800, slot == 3 ? 0 : 0xfffff000);
    }
    rig_free(r);
}

static const struct test tests[] = {
    CASE(rtl8139, cards_bring_their_boot_programs),
    CASE(rtl8139, says_what_it_is),
    CASE(rtl8139, sends),
    CASE(rtl8139, receives_into_its_ring),
    CASE(rtl8139, ring_goes_around_and_is_full),
    CASE(rtl8139, timer_loop_and_link),
    CASE_SLOW(rtl8139, state_survives, 30),
};
TEST_MAIN(tests)
