/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "board/board.h"
#include "cpu/vcpu.h"
#include "dev/devices.h"
#include "dev/firmware/fw_cfg.h"
#include "schema/keyval.h"
#include "tests/test.h"

#include <errno.h>

/* The virt machine as firmware finds it, not running. */
struct built {
    struct machine *m;
    struct conf c;
    struct dev *fw_cfg;
};

static bool is_fw_cfg(void *opaque, struct dev *d)
{
    if (strcmp(d->type->name, "fw_cfg_mem") == 0)
        *(struct dev **)opaque = d;
    return true;
}

static const char *options; /* -smbios, as JSON; or NULL */
static const char *user_tables; /* -acpitable, in the same way */

/* @props as of -machine; the message when it is refused, else NULL. */
static const char *build(struct built *b, const char *name, const char *props, unsigned cpus)
{
    static struct err e;
    struct json_object *o = keyval_parse(props, NULL, ERR_IGNORE);
    int r;

    *b = (struct built){.m = machine_new(dev_types(), NULL)};
    e = (struct err){0};
    b->c = (struct conf){.board = board_find("aarch64", name, &e),
                         .cpus = cpus,
                         .max_cpus = cpus,
                         .sockets = 1,
                         .dies = 1,
                         .clusters = 1,
                         .cores = cpus,
                         .threads = 1,
                         .smbios = options ? json_parse(options, ERR_IGNORE) : NULL,
                         .acpi_tables = user_tables ? json_parse(user_tables, ERR_IGNORE) : NULL,
                         .ram = 64 * MiB,
                         .max_ram = 64 * MiB};
    if (!b->c.board)
        return e.msg;
    b->c.board_props = calloc(1, b->c.board->props_size);
    r = fields_take(b->c.board->props, o, b->c.board_props, &e);
    json_object_put(o);
    machine_lock(b->m);
    if (r == 0)
        r = b->c.board->build(b->m, &b->c, &e);
    if (r == 0)
        r = machine_ready(b->m, &e);
    machine_unlock(b->m);
    machine_each_dev(b->m, is_fw_cfg, &b->fw_cfg);
    return r < 0 ? e.msg : NULL;
}

static void end(struct built *b)
{
    vcpu_free_all(b->m);
    machine_free(b->m);
    json_object_put(b->c.smbios);
    json_object_put(b->c.acpi_tables);
    if (b->c.board_props)
        fields_free(b->c.board->props, b->c.board_props);
    free(b->c.board_props);
}

/* What firmware makes of the files by the script: tables at @BASE. */
enum { BASE = 0x10000000 };

static bool sums_to_zero(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len--)
        sum += *p++;
    return sum == 0;
}

static void run_script(const uint8_t *x, uint32_t len, uint8_t *tables, uint8_t *rsdp)
{
    for (; len >= 128; x += 128, len -= 128) {
        uint8_t *in = strcmp((char *)x + 4, "etc/acpi/rsdp") == 0 ? rsdp : tables;
        uint32_t cmd = get_le32(x), off, start, n;
        uint8_t sum = 0;

        if (cmd == 2) {
            off = get_le32(x + 116);
            CHECK_STR((char *)x + 60, "etc/acpi/tables");
            CHECK_EQ(x[120], 8);
            put_le64(in + off, get_le64(in + off) + BASE);
        } else if (cmd == 3) {
            off = get_le32(x + 60);
            start = get_le32(x + 64);
            n = get_le32(x + 68);
            for (uint32_t i = 0; i < n; i++)
                sum += in[start + i];
            in[off] -= sum;
        } else {
            CHECK_EQ(cmd, 1);
        }
    }
}

/* iasl takes the table apart, and what it wrote is a program again. */
static void disassemble(const char *dir, const uint8_t *t, uint32_t len)
{
    char cmd[640], path[64];
    FILE *f;

    snprintf(path, sizeof(path), "%s/virt_test.aml", dir);
    f = fopen(path, "w");

    fwrite(t, len, 1, f);
    fclose(f);
    snprintf(cmd, sizeof(cmd),
             "cd %s && iasl -d virt_test.aml >virt_test.log 2>&1 && grep -qi 'decoded\\|disassembly completed' virt_test.log && "
             "iasl -p virt_again virt_test.dsl >virt_test.log 2>&1 && grep -q '0 Errors' virt_test.log && ! grep Unknown virt_test.dsl || "
             "{ cat virt_test.log; false; }",
             dir);
    if (!CHECK_EQ(system(cmd), 0))
        printf("table %.4s\n", (const char *)t);
}

static void check_tables(const char *props, unsigned cpus, const char *want)
{
    struct built b;
    uint32_t tables_len, rsdp_len, script_len, off;
    uint8_t *tables, *rsdp;
    const uint8_t *xsdt, *script;
    char have[200] = "", dir[] = "/tmp/virt_test.XXXXXX", rm[64];

    if (!CHECK(mkdtemp(dir)))
        return;
    CHECK(!build(&b, "virt", props, cpus));
    tables = (uint8_t *)fw_cfg_file(b.fw_cfg, "etc/acpi/tables", &tables_len);
    rsdp = (uint8_t *)fw_cfg_file(b.fw_cfg, "etc/acpi/rsdp", &rsdp_len);
    script = fw_cfg_file(b.fw_cfg, "etc/table-loader", &script_len);
    run_script(script, script_len, tables, rsdp);
    CHECK(sums_to_zero(rsdp, 20) && sums_to_zero(rsdp, rsdp_len));
    off = get_le64(rsdp + 24) - BASE;
    xsdt = tables + off;
    CHECK_MEM(xsdt, "XSDT", 4);
    CHECK(sums_to_zero(xsdt, get_le32(xsdt + 4)));
    for (uint32_t i = 36; i < get_le32(xsdt + 4); i += 8) {
        const uint8_t *t = tables + (get_le64(xsdt + i) - BASE);

        CHECK(sums_to_zero(t, get_le32(t + 4)));
        snprintf(have + strlen(have), 6, "%.4s ", (const char *)t);
        disassemble(dir, t, get_le32(t + 4));
        if (memcmp(t, "FACP", 4) == 0) {
            const uint8_t *dsdt = tables + (get_le64(t + 140) - BASE);

            CHECK(sums_to_zero(dsdt, get_le32(dsdt + 4)));
            disassemble(dir, dsdt, get_le32(dsdt + 4));
        }
    }
    CHECK_STR(have, want);
    snprintf(rm, sizeof(rm), "rm -r %s", dir);
    CHECK_EQ(system(rm), 0);
    end(&b);
}

/* -acpitable: a definition block of the user's, and one that is not there. */
TEST(virt, acpi_tables_of_the_users)
{
    static const char aml[] = "\x08TEST"; /* Name (TEST, Zero), with the zero at the end */
    char path[] = "/tmp/virt_test.XXXXXX", json[128];
    struct built b;
    int fd = mkstemp(path);

    CHECK_EQ(write(fd, aml, sizeof(aml)), sizeof(aml));
    close(fd);
    snprintf(json, sizeof(json), "[{\"sig\":\"SSDT\",\"rev\":\"2\",\"oem_id\":\"ACME\",\"data\":\"%s\"}]", path);
    user_tables = json;
    if (system("which iasl >/dev/null") == 0)
        check_tables("", 1, "FACP APIC PPTT GTDT MCFG SPCR DBG2 SSDT ");
    unlink(path);
    CHECK(strstr(build(&b, "virt", "", 1), "-acpitable: "));
    end(&b);
    user_tables = NULL;
}

TEST(virt, acpi_tables_are_taken_apart_by_iasl)
{
    if (system("which iasl >/dev/null") != 0) {
        SKIP("no iasl");
        return;
    }
    check_tables("", 1, "FACP APIC PPTT GTDT MCFG SPCR DBG2 ");
    check_tables("gic-version=3,virtualization=on", 4, "FACP APIC PPTT GTDT MCFG SPCR DBG2 IORT ");
}

static void refused(const char *props, unsigned cpus, const char *want)
{
    struct built b;

    CHECK_STR(build(&b, "virt", props, cpus), want);
    end(&b);
}

TEST(virt, what_is_not_there_is_refused_by_name)
{
    refused("secure=on", 1, "secure=on: TrustZone (EL3) is not supported");
    refused("gic-version=host", 1, "gic-version=host requires KVM");
    refused("gic-version=5", 1, "Invalid gic-version value '5': valid values are 2, 3, host, max");
    refused("iommu=smmuv3", 1, "iommu=smmuv3 is not supported: valid values are none");
    refused("x-oem-id=1234567", 1, "User specified oem-id value is bigger than 6 bytes in size");
    refused("", 9,
            "Number of SMP CPUs requested (9) exceeds max CPUs supported by machine 'mach-virt' (8); "
            "gic-version=3 has more");
}

/* The structures by type: formatted part, then strings until two NULs. */
static const uint8_t *structure(const uint8_t *p, uint32_t len, unsigned type)
{
    const uint8_t *end = p + len;

    while (end - p >= 4 && p[0] != type) {
        for (p += p[1]; end - p >= 2 && (p[0] || p[1]); p++)
            ;
        p += 2;
    }
    return end - p >= 4 ? p : NULL;
}

static const char *string(const uint8_t *p, unsigned at)
{
    const char *text = (const char *)p + p[1];

    for (unsigned n = p[at]; n > 1; n--)
        text += strlen(text) + 1;
    return p[at] ? text : "";
}

TEST(virt, smbios_says_what_it_is_and_what_it_was_told)
{
    static const uint8_t uuid[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                     0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    struct built b;
    uint32_t len, anchor_len;
    const uint8_t *t, *anchor, *p;

    options = "[{\"type\": \"1\", \"serial\": \"s42\", \"uuid\": \"00112233-4455-6677-8899-aabbccddeeff\"},"
              " {\"type\": \"11\", \"value\": \"one\"}, {\"type\": \"11\", \"value\": \"two\"}]";
    CHECK(!build(&b, "virt", "", 2));
    t = fw_cfg_file(b.fw_cfg, "etc/smbios/smbios-tables", &len);
    anchor = fw_cfg_file(b.fw_cfg, "etc/smbios/smbios-anchor", &anchor_len);
    CHECK_MEM(anchor, "_SM3_", 5);
    CHECK(sums_to_zero(anchor, anchor_len));
    CHECK_EQ(get_le32(anchor + 12), len);
    p = structure(t, len, 1);
    CHECK_STR(string(p, 4), "QEMU");
    CHECK_STR(string(p, 6), "virt-7.2");
    CHECK_STR(string(p, 7), "s42");
    CHECK_MEM(p + 8, uuid, 16);
    p = structure(t, len, 11);
    CHECK_EQ(p[4], 2);
    CHECK_STR((const char *)p + p[1] + 4, "two");
    CHECK_EQ(get_le16(structure(t, len, 17) + 12), 64); /* MiB */
    CHECK_EQ(structure(t, len, 4)[35], 2);              /* cores */
    p = structure(t, len, 127);
    CHECK_EQ(p + 6 - t, len);
    end(&b);
}

TEST(virt, smbios_options_are_checked)
{
    options = "[{\"type\": \"7\"}]";
    refused("", 1, "-smbios type=7: 0, 1, 2, 3, 4, 8, 11, 17 and 41 can be set");
    options = "[{\"type\": \"1\", \"serail\": \"x\"}]";
    refused("", 1, "-smbios type=1: Invalid parameter 'serail'");
    options = "[{\"type\": \"1\", \"uuid\": \"xyz\"}]";
    refused("", 1, "-smbios type=1: Invalid UUID 'xyz'");
    options = "[{\"file\": \"/nowhere\"}]";
    refused("", 1, "-smbios: could not load '/nowhere': No such file or directory");
}

static void plug(struct built *b, const char *type, const char *props)
{
    struct err e = {0};

    if (!dev_add(b->m, type, NULL, props, &e)) {
        printf("%s\n", e.msg);
        CHECK(!"the device is there");
    }
}

TEST(virt, boot_order_is_that_of_bootindex)
{
    struct built b;
    uint32_t len;
    const uint8_t *f;

    CHECK(!build(&b, "virt", "", 1));
    machine_lock(b.m);
    plug(&b, "e1000", "bootindex=7");
    plug(&b, "e1000", NULL);
    plug(&b, "pcie-root-port", "id=rp");
    plug(&b, "e1000e", "bus=rp,bootindex=1");
    plug(&b, "virtio-net-device", "bootindex=2");
    machine_reset(b.m);
    machine_unlock(b.m);
    f = fw_cfg_file(b.fw_cfg, "bootorder", &len);
    CHECK_STR((const char *)f, "/pci@ffffffffffffffff/pci-bridge@3/ethernet@0/ethernet-phy@0\n"
                               "/virtio-mmio@000000000a003e00/ethernet-phy@0\n"
                               "/pci@ffffffffffffffff/ethernet@1/ethernet-phy@0");
    CHECK_EQ(len, strlen((const char *)f) + 1);
    end(&b);
}

static const struct test tests[] = {
    CASE_SLOW(virt, acpi_tables_of_the_users, 60),
    CASE_SLOW(virt, acpi_tables_are_taken_apart_by_iasl, 60),
    CASE(virt, what_is_not_there_is_refused_by_name),
    CASE(virt, smbios_says_what_it_is_and_what_it_was_told),
    CASE(virt, smbios_options_are_checked),
    CASE(virt, boot_order_is_that_of_bootindex),
};
TEST_MAIN(tests)
