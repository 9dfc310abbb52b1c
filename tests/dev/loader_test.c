/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "dev/firmware/image.h"
#include "tests/dev/rig.h"

#include <elf.h>
#include <errno.h>
#include <zlib.h>

static char path[] = "/tmp/loader_test.XXXXXX";

/* A file of @len bytes; its name is good until the next one. */
static const char *file(const void *bytes, size_t len)
{
    int fd;

    strcpy(path + strlen(path) - 6, "XXXXXX");
    fd = mkstemp(path);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        exit(TEST_FAILED);
    close(fd);
    return path;
}

static const char *props(const char *more)
{
    static char text[256];

    snprintf(text, sizeof(text), "file=%s%s", path, more);
    return text;
}

/* An arm64 executable: one segment of @filesz bytes, @memsz in memory. */
static size_t elf(uint8_t *b, uint64_t filesz, uint64_t memsz)
{
    Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
                    .e_type = ET_EXEC,
                    .e_machine = EM_AARCH64,
                    .e_entry = RIG_RAM + 0x2004,
                    .e_phoff = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 1};
    Elf64_Phdr p = {.p_type = PT_LOAD,
                    .p_offset = 120,
                    .p_paddr = RIG_RAM + 0x2000,
                    .p_vaddr = 0xffff000000000000,
                    .p_filesz = filesz,
                    .p_memsz = memsz};

    memcpy(b, &h, sizeof(h));
    memcpy(b + 64, &p, sizeof(p));
    memcpy(b + 120, "code", 4);
    return 124;
}

TEST(loader, file_is_there_again_after_each_reset)
{
    struct rig *r;

    file("hello, world", 12);
    r = rig_new("loader", props(",addr=0x40001000"));
    unlink(path);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x1000, 8), get_le64("hello, w"));
    rig_store(r, RIG_RAM + 0x1000, 0, 8);
    rig_reset(r);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x1000, 8), get_le64("hello, w"));
    rig_free(r);
}

TEST(loader, number_is_stored)
{
    struct rig *r = rig_new("loader", "addr=0x40000010,data=0x1122334455667788,data-len=4");

    CHECK_EQ(rig_load(r, RIG_RAM + 0x10, 8), 0x55667788);
    rig_free(r);
    r = rig_new("loader", "addr=0x40000010,data=0x55667788,data-len=4,data-be=on");
    CHECK_EQ(rig_load(r, RIG_RAM + 0x10, 8), 0x88776655);
    rig_free(r);
}

static unsigned started;
static uint64_t started_at;

static void start_at(void *opaque, unsigned cpu, uint64_t pc)
{
    started = cpu;
    started_at = pc;
}

static void with_cpus(struct rig *r)
{
    static struct boot_cpus cpus = {2, start_at, NULL};

    machine_add_backend(r->m, "boot", "cpus", &cpus, ERR_IGNORE);
}

TEST(loader, cpu_starts_at_an_elf_files_entry)
{
    uint8_t b[200];
    struct rig *r;

    file(b, elf(b, 4, 8));
    r = rig_machine();
    rig_store(r, RIG_RAM + 0x2004, 0xffffffff, 4);
    with_cpus(r);
    rig_plug(r, "loader", props(",cpu-num=1"));
    unlink(path);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x2000, 8), get_le32("code")); /* the rest of the segment is zero */
    CHECK_EQ(started, 1);
    CHECK_EQ(started_at, RIG_RAM + 0x2004);
    rig_free(r);
}

TEST(loader, nonsense_is_refused)
{
    uint8_t b[200];

    CHECK_STR(rig_refused("loader", "addr=1"), "neither file=, nor data=, nor cpu-num=");
    CHECK_STR(rig_refused("loader", "addr=0x40000000,data=1,data-len=3"),
              "data-len=3: want 1, 2, 4 or 8");
    CHECK_STR(rig_refused("loader", "addr=0x40000000,cpu-num=0"), "cpu-num=0: the machine has 0 CPUs");
    CHECK_STR(rig_refused("loader", "addr=0x1000,data=1,data-len=4"),
              "loader: 0x1000 to 0x1004 is not all memory");
    CHECK_STR(rig_refused("loader", "file=/nowhere/x"),
              "could not load '/nowhere/x': No such file or directory");
    file(b, elf(b, 100, 200));
    CHECK(strstr(rig_refused("loader", props("")),
                 "ELF segment of 100 bytes at 0x78 of the file, 200 in memory: the file has 124"));
    unlink(path);
    file(b, 40);
    CHECK(strstr(rig_refused("loader", props("")), "not a little-endian ELF file"));
    unlink(path);
}

/* gzip, whole and cut at every length. */
TEST(image, gzip_is_unpacked_or_refused)
{
    uint8_t packed[512], text[4000];
    z_stream z = {.next_in = text, .avail_in = sizeof(text), .next_out = packed, .avail_out = 512};
    struct image img;

    memset(text, 'x', sizeof(text));
    CHECK_EQ(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    for (size_t len = 19; len <= z.total_out; len++) {
        struct err e = {0};

        image_open(&img, file(packed, len), ERR_IGNORE);
        unlink(path);
        CHECK_EQ(image_unpack(&img, &e), len == z.total_out ? 0 : -EILSEQ);
        if (len == z.total_out) {
            CHECK_EQ(img.len, sizeof(text));
            CHECK_MEM(img.data, text, sizeof(text));
        } else {
            CHECK_EQ(img.len, len);
        }
        image_free(&img);
    }
}

TEST(image, elf_file_for_another_machine_is_refused)
{
    struct rig *r = rig_machine();
    struct image img = {.data = calloc(1, 200)};
    struct elf_image head;
    struct err e = {0};

    img.len = elf(img.data, 4, 4);
    CHECK_EQ(image_place_elf(r->m, "x", EM_X86_64, &img, &head, &e), -EINVAL);
    CHECK_STR(e.msg, "x: ELF file for AArch64, not for the machine's CPU");
    rig_free(r);
}

TEST(image, zboot_payload_is_checked)
{
    uint8_t b[128] = "MZ\0\0zimg";
    struct image img = {.data = b, .len = sizeof(b)};
    struct err e = {0};

    put_le32(b + 8, 100);
    put_le32(b + 12, 29);
    memcpy(b + 24, "gzip", 4);
    CHECK_EQ(image_unzboot(&img, &e), -EILSEQ);
    CHECK_STR(e.msg, "EFI zboot image: payload of 29 bytes at 100: the file has 128");
    put_le32(b + 12, 28);
    memcpy(b + 24, "xzkern", 6);
    CHECK_EQ(image_unzboot(&img, &e), -ENOTSUP);
    CHECK_STR(e.msg, "EFI zboot image: compression 'xzkern': gzip and zstd are understood");
}

static const struct test tests[] = {
    CASE(loader, file_is_there_again_after_each_reset),
    CASE(loader, number_is_stored),
    CASE(loader, cpu_starts_at_an_elf_files_entry),
    CASE(loader, nonsense_is_refused),
    CASE(image, gzip_is_unpacked_or_refused),
    CASE(image, elf_file_for_another_machine_is_refused),
    CASE(image, zboot_payload_is_checked),
};
TEST_MAIN(tests)
