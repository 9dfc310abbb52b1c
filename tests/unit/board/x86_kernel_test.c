/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -kernel on PCs: what fw_cfg says of Linux's parts, and kernels that are refused. */
#include "tests/unit/board/pc_built.h"

enum { SETUP = 5 * 512, KERNEL = 10000 };

/* A bzImage of protocol 2.12 with four sectors of setup code, then KERNEL bytes 0x77. */
static uint8_t image[SETUP + KERNEL];

static void make_image(void)
{
    memset(image, 0, sizeof(image));
    memset(image + SETUP, 0x77, KERNEL);
    image[0x1f1] = 4;
    put_le16(image + 0x1fe, 0xaa55);
    memcpy(image + 0x202, "HdrS", 4);
    put_le16(image + 0x206, 0x20c);
    image[0x211] = 1;
    put_le32(image + 0x22c, 0x7fffffff);
    put_le32(image + 0x238, 2047);
}

static const char *write_file(const void *data, size_t len)
{
    static char path[2][32];
    static unsigned n;
    char *p = path[n++ % 2];

    file_of(p, data, len);
    return p;
}

static uint32_t item32(struct built *b, unsigned key)
{
    uint32_t v = 0;

    out(b, 0x510, key, 2);
    for (unsigned i = 0; i < 4; i++)
        v |= in(b, 0x511, 1) << 8 * i;
    return v;
}

static void item(struct built *b, unsigned key, uint8_t *to, size_t len)
{
    out(b, 0x510, key, 2);
    while (len--)
        *to++ = in(b, 0x511, 1);
}

TEST(x86_kernel, linux_in_parts)
{
    struct built b;
    uint8_t h[SETUP];
    char text[16];
    uint32_t len;

    make_image();
    asked.kernel = write_file(image, sizeof(image));
    asked.initrd = write_file("ramdisk", 7);
    asked.append = "quiet vga=0x301";
    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(item32(&b, FW_CFG_SETUP_ADDR), 0x10000);
    CHECK_EQ(item32(&b, FW_CFG_SETUP_SIZE), SETUP);
    CHECK_EQ(item32(&b, FW_CFG_KERNEL_ADDR), 0x100000);
    CHECK_EQ(item32(&b, FW_CFG_KERNEL_SIZE), KERNEL);
    CHECK_EQ(item32(&b, FW_CFG_KERNEL_DATA), 0x77777777);
    CHECK_EQ(item32(&b, FW_CFG_INITRD_ADDR), 63 * MiB - 4096); /* firmware has the last MiB */
    CHECK_EQ(item32(&b, FW_CFG_INITRD_SIZE), 7);
    CHECK_EQ(item32(&b, FW_CFG_CMDLINE_ADDR), 0x20000);
    CHECK_EQ(item32(&b, FW_CFG_CMDLINE_SIZE), 16);
    item(&b, FW_CFG_CMDLINE_DATA, (uint8_t *)text, 16);
    CHECK_STR(text, "quiet vga=0x301");
    item(&b, FW_CFG_SETUP_DATA, h, sizeof(h));
    CHECK_EQ(h[0x210], 0xb0);
    CHECK_EQ(h[0x211], 0x81);
    CHECK_EQ(get_le16(h + 0x1fa), 0x301);
    CHECK_EQ(get_le32(h + 0x228), 0x20000);
    CHECK_EQ(get_le32(h + 0x218), 63 * MiB - 4096);
    CHECK_EQ(get_le32(h + 0x21c), 7);
    CHECK_EQ(get_le16(h + 0x224), 0xfdfe);
    CHECK_STR((const char *)fw_cfg_file(b.fw_cfg, "bootorder", &len), "/rom@genroms/linuxboot_dma.bin");
    end(&b);
    asked.kernel = asked.initrd = asked.append = NULL;
}

TEST(x86_kernel, rom_adds_up_and_has_a_boot_entry)
{
    struct built b;
    const uint8_t *rom, *pnp;
    uint32_t len;
    uint8_t sum = 0;

    make_image();
    asked.kernel = write_file(image, sizeof(image));
    CHECK(!build(&b, "q35", "", 64 * MiB, NULL, NULL));
    rom = fw_cfg_file(b.fw_cfg, "genroms/linuxboot_dma.bin", &len);
    CHECK_EQ(get_le16(rom), 0xaa55);
    CHECK_EQ(rom[2] * 512u, len);
    for (uint32_t i = 0; i < len; i++)
        sum += rom[i];
    CHECK_EQ(sum, 0);
    pnp = rom + get_le16(rom + 0x1a);
    CHECK_MEM(pnp, "$PnP", 4);
    CHECK_EQ(rom[get_le16(pnp + 26)], 0xfc); /* the boot entry begins with cld */
    end(&b);
    asked.kernel = NULL;
}

static void refused(const void *data, size_t len, const char *want)
{
    struct built b;
    const char *r;
    char text[400];

    asked.kernel = write_file(data, len);
    snprintf(text, sizeof(text), want, asked.kernel);
    r = build(&b, "pc", "", 16 * MiB, NULL, NULL);
    CHECK_STR(r ? r : "built", text);
    end(&b);
    asked.kernel = NULL;
}

TEST(x86_kernel, what_cannot_be_is_refused)
{
    make_image();
    refused("hello", 5, "could not load kernel '%s': it is no kernel for PCs (want bzImage, multiboot, or ELF with a PVH entry)");
    image[0x1f1] = 64;
    refused(image, sizeof(image), "could not load kernel '%s': it is cut short");
    image[0x1f1] = 4;
    put_le16(image + 0x206, 0x105);
    refused(image, sizeof(image), "could not load kernel '%s': boot protocol 1.05 is too old, want 2.00 or newer");
    put_le16(image + 0x206, 0x20c);
    put_le32(image + 0x238, 4);
    asked.append = "hello";
    refused(image, sizeof(image), "-append: 5 characters, kernel '%s' takes 4");
    asked.append = NULL;
}

/* Without ACPI, microvm's kernel is told where devices are. */
TEST(x86_kernel, devices_on_the_command_line)
{
    struct built b;
    char text[64] = "";
    struct err e = {0};

    make_image();
    asked.kernel = write_file(image, sizeof(image));
    asked.append = "quiet";
    CHECK(!build(&b, "microvm", "acpi=off", 64 * MiB, NULL, NULL));
    machine_lock(b.m);
    CHECK(dev_add(b.m, "virtio-rng-device", NULL, NULL, &e));
    machine_reset(b.m);
    machine_unlock(b.m);
    CHECK_EQ(item32(&b, FW_CFG_CMDLINE_SIZE), 43);
    item(&b, FW_CFG_CMDLINE_DATA, (uint8_t *)text, 43);
    CHECK_STR(text, "quiet virtio_mmio.device=512@0xfeb00e00:12");
    end(&b);
    asked.kernel = asked.append = NULL;
}

/* A kernel of before 2.02 has its command line where the old way says. */
TEST(x86_kernel, old_protocols)
{
    struct built b;
    uint8_t h[SETUP];

    make_image();
    put_le16(image + 0x206, 0x201);
    asked.kernel = write_file(image, sizeof(image));
    asked.append = "quiet";
    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    CHECK_EQ(item32(&b, FW_CFG_SETUP_ADDR), 0x90000);
    CHECK_EQ(item32(&b, FW_CFG_CMDLINE_ADDR), 0x99ff0);
    item(&b, FW_CFG_SETUP_DATA, h, sizeof(h));
    CHECK_EQ(get_le16(h + 0x20), 0xa33f);
    CHECK_EQ(get_le16(h + 0x22), 0x9ff0);
    end(&b);
    asked.kernel = asked.append = NULL;
}

static const struct test tests[] = {
    CASE(x86_kernel, linux_in_parts),
    CASE(x86_kernel, rom_adds_up_and_has_a_boot_entry),
    CASE(x86_kernel, what_cannot_be_is_refused),
    CASE(x86_kernel, old_protocols),
    CASE(x86_kernel, devices_on_the_command_line),
};
TEST_MAIN(tests)
