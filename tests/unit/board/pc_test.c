/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCs as firmware finds them, not running: memory map, chips in their places, what fw_cfg and CMOS say. */
#include "tests/unit/board/pc_built.h"

static void firmware_is_at_both_ends(struct built *b)
{
    CHECK_EQ(mem(b, 0xfffe0000, 4), 0x21776f6c);
    CHECK_EQ(mem(b, 0xfffffff0, 1), 0x5a); /* where CPUs begin */
    CHECK_EQ(mem(b, 0xe0000, 4), 0x21776f6c);
    CHECK_EQ(mem(b, 0xffff0, 1), 0x5a);
    set_mem(b, 0xe0000, 0, 4);
    CHECK_EQ(mem(b, 0xe0000, 4), 0x21776f6c);
    CHECK_EQ(mem(b, 0xa0000, 4), 0xffffffff); /* no card */
}

TEST(pc, chips_of_i440fx)
{
    struct built b;

    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(cfg(&b, 0, 0, 0), 0x12378086);
    CHECK_EQ(cfg(&b, 1, 0, 0), 0x70008086);
    CHECK_EQ(cfg(&b, 1, 1, 0), 0x70108086);
    CHECK_EQ(cfg(&b, 1, 3, 0), 0x71138086);
    CHECK_EQ(cfg(&b, 2, 0, 0), 0x11111234); /* the screen */
    firmware_is_at_both_ends(&b);
    CHECK_EQ(in(&b, 0x21, 1) & ~0xffu, 0); /* the PIC answers */
    CHECK_EQ(mem(&b, 0xfed00000, 4) & 0xffff0000, 0x80860000);
    end(&b);
}

TEST(pc, chips_of_q35)
{
    struct built b;

    CHECK(!build(&b, "q35", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(cfg(&b, 0, 0, 0), 0x29c08086);
    CHECK_EQ(cfg(&b, 31, 0, 0), 0x29188086);
    CHECK_EQ(cfg(&b, 31, 2, 0), 0x29228086);
    CHECK_EQ(cfg(&b, 31, 3, 0), 0x29308086);
    firmware_is_at_both_ends(&b);
    CHECK_EQ(mem(&b, 0xb0000000, 4), UINT64_MAX);
    set_cfg(&b, 0, 0, 0x64, 0);
    set_cfg(&b, 0, 0, 0x60, 0xb0000001);
    CHECK_EQ(mem(&b, 0xb0000000, 4), 0x29c08086);
    CHECK_EQ(mem(&b, 0xb0000000 + (31 << 15), 4), 0x29188086);
    set_cfg(&b, 31, 0, 0x40, 0x601);
    set_cfg(&b, 31, 0, 0x44, 0x80);
    CHECK(in(&b, 0x608, 4) != UINT32_MAX);
    end(&b);
}

TEST(pc, memory_goes_around_the_hole)
{
    struct built b;
    const uint8_t *e820;
    uint32_t len;

    CHECK(!build(&b, "pc", "max-ram-below-4g=16M", 48 * MiB, NULL, NULL));
    set_mem(&b, 16 * MiB - 4, 1, 4);
    CHECK_EQ(mem(&b, 16 * MiB - 4, 4), 1);
    CHECK_EQ(mem(&b, 16 * MiB, 4), UINT64_MAX);
    CHECK_EQ(mem(&b, UINT64_C(0x100000000), 4), 0);
    CHECK_EQ(mem(&b, UINT64_C(0x100000000) + 32 * MiB, 4), UINT64_MAX);
    e820 = fw_cfg_file(b.fw_cfg, "etc/e820", &len);
    CHECK_EQ(len, 60);
    CHECK_EQ(get_le64(e820), UINT64_C(0xfd00000000)); /* HyperTransport's, reserved */
    CHECK_EQ(get_le32(e820 + 16), 2);
    CHECK_EQ(get_le64(e820 + 20), 0);
    CHECK_EQ(get_le64(e820 + 28), 16 * MiB);
    CHECK_EQ(get_le32(e820 + 36), 1);
    CHECK_EQ(get_le64(e820 + 40), UINT64_C(0x100000000));
    CHECK_EQ(get_le64(e820 + 48), 32 * MiB);
    CHECK_EQ(cmos(&b, 0x15) | cmos(&b, 0x16) << 8, 640);
    CHECK_EQ(cmos(&b, 0x17) | cmos(&b, 0x18) << 8, 15 * 1024);
    CHECK_EQ(cmos(&b, 0x5b) | cmos(&b, 0x5c) << 8, 32 * 16);
    end(&b);
}

/* A byte of the module in slot @n, by the SMBus controller; -1: nobody answers. */
static int spd(struct built *b, unsigned n, uint8_t at)
{
    enum { SMB = 0xb100 };

    out(b, SMB + 0, 0x1e, 1);
    out(b, SMB + 4, (0x50 + n) << 1 | 1, 1);
    out(b, SMB + 3, at, 1);
    out(b, SMB + 2, 0x48, 1);
    return in(b, SMB, 1) == 2 ? (int)in(b, SMB + 5, 1) : -1;
}

TEST(pc, memory_modules_describe_themselves)
{
    struct built b;
    uint8_t sum = 0;

    CHECK(!build(&b, "pc", "", 96 * MiB, NULL, NULL));
    CHECK_EQ(spd(&b, 0, 2), 4); /* SDRAM */
    CHECK_EQ(spd(&b, 0, 31), 64 / 4);
    CHECK_EQ(spd(&b, 1, 31), 32 / 4);
    CHECK_EQ(spd(&b, 2, 31), -1);
    for (unsigned i = 0; i < 63; i++)
        sum += spd(&b, 0, i);
    CHECK_EQ(spd(&b, 0, 63), sum);
    end(&b);
}

TEST(pc, order_of_booting)
{
    struct built b;

    CHECK(!build(&b, "pc", "", 16 * MiB, "dc", "n"));
    CHECK_EQ(cmos(&b, 0x3d), 0x04);
    machine_lock(b.m);
    machine_reset(b.m);
    machine_unlock(b.m);
    CHECK_EQ(cmos(&b, 0x3d), 0x23);
    CHECK_EQ(cmos(&b, 0x38), 0);
    end(&b);
    CHECK(!build(&b, "pc", "fd-bootchk=off", 16 * MiB, NULL, NULL));
    CHECK_EQ(cmos(&b, 0x3d), 0x12); /* hard disk, floppy disk, CD */
    CHECK_EQ(cmos(&b, 0x38), 0x31);
    end(&b);
}

TEST(pc, what_is_wrong_is_refused)
{
    struct built b;

    CHECK_STR(build(&b, "pc", "vmport=on", 16 * MiB, NULL, NULL), "vmport=on: VMware's port is not supported");
    end(&b);
    CHECK_STR(build(&b, "pc", "max-ram-below-4g=5G", 16 * MiB, NULL, NULL),
              "max-ram-below-4g=5368709120: want 1 MiB to 4 GiB, a multiple of 4 KiB");
    end(&b);
    CHECK(strstr(build(&b, "pc-i440fx-9.9", "", 16 * MiB, NULL, NULL), "unsupported machine type"));
    end(&b);
}

TEST(pc, microvm_has_slots_and_events)
{
    struct built b;
    uint32_t len;

    CHECK(!build(&b, "microvm", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(mem(&b, 0xfeb00000, 4), 0x74726976); /* "virt" */
    CHECK_EQ(mem(&b, 0xfeb02e00, 4), 0x74726976);
    CHECK_EQ(mem(&b, 0xfffe0000, 4), 0x21776f6c);
    CHECK_EQ(mem(&b, 0xfea00000, 4), 0);
    CHECK(fw_cfg_file(b.fw_cfg, "etc/acpi/tables", &len));
    CHECK_EQ(in(&b, 0xcf8, 4), UINT32_MAX); /* no PCI */
    end(&b);
    CHECK(!build(&b, "microvm", "acpi=off,ioapic2=off", 64 * MiB, NULL, NULL));
    CHECK_EQ(mem(&b, 0xfeb00e00, 4), 0x74726976);
    CHECK_EQ(mem(&b, 0xfeb01000, 4), UINT64_MAX);
    CHECK(!fw_cfg_file(b.fw_cfg, "etc/acpi/tables", &len));
    end(&b);
}

TEST(pc, microvm_has_pci_express_when_asked)
{
    struct built b;

    asked.devices[0] = "virtio-rng-pci,addr=3,disable-legacy=on";
    CHECK(!build(&b, "microvm", "pcie=on", 64 * MiB, NULL, NULL));
    CHECK_EQ(mem(&b, 0xe0000000, 4), 0x00081b36); /* the bridge */
    CHECK_EQ(mem(&b, 0xe0000000 + (3 << 15), 4), 0x10441af4);
    CHECK_EQ(mem(&b, 0xc0000000, 4), UINT32_MAX);
    end(&b);
    asked.devices[0] = NULL;
    CHECK(!build(&b, "microvm", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(mem(&b, 0xe0000000, 4), UINT64_MAX);
    end(&b);
}

static uint8_t sum_of(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum += *p++;
    return sum;
}

/* DSP0134, 5.2.1 and 5.2.2. */
TEST(pc, smbios_has_the_entry_point_that_is_asked_for)
{
    struct built b;
    uint32_t len, tables;
    const uint8_t *a, *t;

    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    a = fw_cfg_file(b.fw_cfg, "etc/smbios/smbios-anchor", &len);
    t = fw_cfg_file(b.fw_cfg, "etc/smbios/smbios-tables", &tables);
    CHECK_EQ(len, 31);
    CHECK(!memcmp(a, "_SM_", 4) && !memcmp(a + 16, "_DMI_", 5));
    CHECK_EQ(a[5], 31);
    CHECK_EQ(a[6] << 8 | a[7], 0x208);
    CHECK_EQ(sum_of(a, 31), 0);
    CHECK_EQ(sum_of(a + 16, 15), 0);
    CHECK_EQ(get_le16(a + 22), tables);
    CHECK_EQ(get_le16(a + 28), 8); /* 1, 3, 4, 16, 17, 19, 32, 127 */
    CHECK(get_le16(a + 8) > t[1] && get_le16(a + 8) < tables);
    end(&b);
    CHECK(!build(&b, "q35", "smbios-entry-point-type=64", 64 * MiB, NULL, NULL));
    a = fw_cfg_file(b.fw_cfg, "etc/smbios/smbios-anchor", &len);
    CHECK_EQ(len, 24);
    CHECK(!memcmp(a, "_SM3_", 5));
    CHECK_EQ(sum_of(a, 24), 0);
    end(&b);
}

/* Every row builds. */
TEST(pc, all_versions)
{
    for (const struct board *const *x = boards; *x; x++) {
        struct built b;
        const char *r;

        if (!(*x)->arch || strcmp((*x)->arch, "x86") != 0)
            continue;
        r = build(&b, (*x)->name, "", 16 * MiB, NULL, NULL);
        if (r)
            printf("%s: %s\n", (*x)->name, r);
        CHECK(!r);
        end(&b);
    }
}

static const struct test tests[] = {
    CASE(pc, chips_of_i440fx),
    CASE(pc, chips_of_q35),
    CASE(pc, memory_goes_around_the_hole),
    CASE(pc, memory_modules_describe_themselves),
    CASE(pc, order_of_booting),
    CASE(pc, what_is_wrong_is_refused),
    CASE(pc, microvm_has_slots_and_events),
    CASE(pc, microvm_has_pci_express_when_asked),
    CASE(pc, smbios_has_the_entry_point_that_is_asked_for),
    CASE(pc, all_versions),
};
TEST_MAIN(tests)
