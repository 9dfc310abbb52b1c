/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables of PCs, as firmware reads and places them: iasl takes them apart and puts them together again. */
#include "tests/unit/board/pc_built.h"

enum { BASE = 0x10000000 };

/* A file by the ports, as firmware reads it; free(). */
static uint8_t *file(struct built *b, const char *name, uint32_t *len)
{
    uint8_t entry[64], *data = NULL;
    uint32_t n = 0;

    out(b, 0x510, FW_CFG_FILE_DIR, 2);
    for (unsigned i = 0; i < 4; i++)
        n = n << 8 | in(b, 0x511, 1);
    while (n-- && !data) {
        for (unsigned i = 0; i < sizeof(entry); i++)
            entry[i] = in(b, 0x511, 1);
        if (strcmp((char *)entry + 8, name) != 0)
            continue;
        *len = get_be32(entry);
        data = malloc(*len + 1);
        out(b, 0x510, get_be16(entry + 4), 2);
        for (uint32_t i = 0; i < *len; i++)
            data[i] = in(b, 0x511, 1);
    }
    return data;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t s = 0;

    while (len--)
        s += *p++;
    return s;
}

struct tables {
    uint8_t *data, *rsdp, *script;
    uint32_t len, rsdp_len, script_len;
};

static void add_pointer(uint8_t *at, unsigned size)
{
    uint8_t le[8] = {0};

    memcpy(le, at, size);
    put_le64(le, get_le64(le) + BASE);
    memcpy(at, le, size);
}

/* What firmware makes of the files by the script: tables at BASE. */
static void run_script(struct tables *t)
{
    for (const uint8_t *x = t->script; x < t->script + t->script_len; x += 128) {
        uint8_t *to = strcmp((char *)x + 4, "etc/acpi/rsdp") == 0 ? t->rsdp : t->data;

        if (get_le32(x) == 2)
            add_pointer(to + get_le32(x + 116), x[120]);
        else if (get_le32(x) == 3)
            to[get_le32(x + 60)] = -sum(to + get_le32(x + 64), get_le32(x + 68));
        else
            CHECK(get_le32(x) <= 1 || get_le32(x) == 4);
    }
}

static struct tables read_tables(struct built *b)
{
    struct tables t;

    t.data = file(b, "etc/acpi/tables", &t.len);
    t.rsdp = file(b, "etc/acpi/rsdp", &t.rsdp_len);
    t.script = file(b, "etc/table-loader", &t.script_len);
    CHECK(t.data && t.rsdp && t.script);
    run_script(&t);
    CHECK_EQ(sum(t.rsdp, 20), 0);
    CHECK_EQ(sum(t.rsdp, t.rsdp_len), 0);
    return t;
}

static void free_tables(struct tables *t)
{
    free(t->data);
    free(t->rsdp);
    free(t->script);
}

/* By the XSDT. */
static const uint8_t *table(const struct tables *t, const char *signature)
{
    const uint8_t *xsdt = t->data + get_le64(t->rsdp + 24) - BASE;

    for (uint32_t i = 36; i < get_le32(xsdt + 4); i += 8) {
        const uint8_t *x = t->data + get_le64(xsdt + i) - BASE;

        if (memcmp(x, signature, 4) == 0)
            return x;
    }
    return NULL;
}

static void disassemble(const char *dir, const uint8_t *t)
{
    char cmd[700], path[64];
    FILE *f;

    CHECK_EQ(sum(t, get_le32(t + 4)), 0);
    snprintf(path, sizeof(path), "%s/t.aml", dir);
    f = fopen(path, "w");
    fwrite(t, get_le32(t + 4), 1, f);
    fclose(f);
    snprintf(cmd, sizeof(cmd),
             "cd %s && iasl -d t.aml >log 2>&1 && ! grep -qi 'error\\|warning\\|invalid\\|unresolved' log && "
             "sed -i s/QEMUVGID/QEMU00FF/ t.dsl && " /* which is not of the form that iasl wants of _HID; Linux and Windows know it by _CID */
             /* 3128: a descriptor's numbers of 64 bits are made of two halves */
             "iasl -vw 3128 -p again t.dsl >log 2>&1 && grep -q '0 Errors' log && ! grep -q '[1-9][0-9]* Warnings' log && "
             "! grep Unknown t.dsl || { cat log; false; }",
             dir);
    if (!CHECK_EQ(system(cmd), 0))
        printf("table %.4s\n", (const char *)t);
}

static void check_all(const char *board, uint64_t ram, const char *want)
{
    char have[200] = "", dir[] = "/tmp/emu-test-acpi-XXXXXX", rm[64];
    struct built b;
    struct tables t;
    const uint8_t *rsdt, *xsdt, *fadt;

    CHECK(mkdtemp(dir));
    CHECK(!build(&b, board, "", ram, NULL, NULL));
    set_cfg(&b, 0, 0, 0x60, 0xb0000001); /* q35's PCIEXBAR; nothing on i440FX */
    if (!strcmp(board, "pc"))
        set_cfg(&b, 1, 3, 0x40, 0x601); /* where firmware has power management's ports */
    else if (!strcmp(board, "q35"))
        set_cfg(&b, 31, 0, 0x40, 0x601);
    t = read_tables(&b);
    xsdt = t.data + get_le64(t.rsdp + 24) - BASE;
    CHECK_EQ(sum(xsdt, get_le32(xsdt + 4)), 0);
    if (get_le32(t.rsdp + 16)) { /* the same, for old systems */
        rsdt = t.data + get_le32(t.rsdp + 16) - BASE;
        CHECK_EQ(get_le32(xsdt + 4) - 36, 2 * (get_le32(rsdt + 4) - 36));
        CHECK_EQ(sum(rsdt, get_le32(rsdt + 4)), 0);
        for (uint32_t i = 0; i < (get_le32(rsdt + 4) - 36) / 4; i++)
            CHECK_EQ(get_le32(rsdt + 36 + 4 * i), get_le64(xsdt + 36 + 8 * i));
    }
    for (uint32_t i = 36; i < get_le32(xsdt + 4); i += 8) {
        const uint8_t *x = t.data + get_le64(xsdt + i) - BASE;

        snprintf(have + strlen(have), 6, "%.4s ", (const char *)x);
        disassemble(dir, x);
    }
    CHECK_STR(have, want);
    if (strcmp(board, "microvm") != 0) { /* as firmware was told before */
        CHECK_EQ(t.script_len, 16 * KiB);
        CHECK_EQ(t.len, 128 * KiB);
    }
    fadt = table(&t, "FACP");
    disassemble(dir, t.data + get_le64(fadt + 140) - BASE);
    if (get_le32(fadt + 36))
        CHECK_MEM(t.data + get_le32(fadt + 36) - BASE, "FACS", 4);
    free_tables(&t);
    end(&b);
    snprintf(rm, sizeof(rm), "rm -r %s", dir);
    CHECK_EQ(system(rm), 0);
}

TEST(pc_acpi, iasl_takes_them_apart)
{
    if (system("which iasl >/dev/null") != 0) {
        SKIP("no iasl");
        return;
    }
    asked.cpus = 2;
    asked.max_cpus = 4;
    check_all("pc", 64 * MiB, "FACP APIC HPET WAET ");
    check_all("q35", 64 * MiB, "FACP APIC HPET MCFG WAET ");
    check_all("microvm", 64 * MiB, "FACP APIC ");
    asked.cpus = asked.max_cpus = 0;
    asked.slots = 3; /* of memory that may come */
    asked.max_ram = 8 * GiB;
    check_all("pc", 64 * MiB, "FACP APIC HPET WAET ");
    check_all("q35", 64 * MiB, "FACP APIC HPET MCFG WAET ");
    asked.slots = asked.max_ram = 0;
}

TEST(pc_acpi, what_devices_add)
{
    if (system("which iasl >/dev/null") != 0) {
        SKIP("no iasl");
        return;
    }
    asked.devices[0] = "pvpanic,ioport=0x507";
    asked.devices[1] = "vmgenid,guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87";
    asked.devices[2] = "pci-bridge,id=b1,chassis_nr=1,addr=5"; /* with slots for devices that come */
    asked.devices[3] = "pci-bridge,id=b2,bus=b1,chassis_nr=2,addr=3";
    check_all("pc", 64 * MiB, "FACP APIC HPET WAET ");
    check_all("q35", 64 * MiB, "FACP APIC HPET MCFG WAET ");
    memset(asked.devices, 0, sizeof(asked.devices));
}

/* The script: a page for the number, whose address the byte code gets, and the device. */
TEST(pc_acpi, the_generation_is_where_firmware_puts_it)
{
    static const uint8_t id[16] = {0xaf, 0x6e, 0x4e, 0x32, 0xd1, 0xd1, 0xf6, 0x4b, 0xbf, 0x41, 0xb9, 0xbb, 0x6c, 0x91, 0xfb, 0x87};
    struct built b;
    struct tables t;
    uint32_t len;
    uint8_t *page;
    bool told = false;

    asked.devices[0] = "vmgenid,guid=324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87";
    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    page = file(&b, "etc/vmgenid_guid", &len);
    CHECK_EQ(len, 4096);
    CHECK_MEM(page + 40, id, 16);
    free(page);
    t = read_tables(&b);
    for (const uint8_t *x = t.script; x < t.script + t.script_len; x += 128) {
        if (get_le32(x) == 1 && !strcmp((char *)x + 4, "etc/vmgenid_guid"))
            CHECK_EQ(get_le32(x + 60), 4096);
        if (get_le32(x) == 2 && !strcmp((char *)x + 60, "etc/vmgenid_guid"))
            CHECK_EQ(t.data[get_le32(x + 116) - 1], 0x0c);
        if (get_le32(x) == 4) {
            CHECK_STR((char *)x + 4, "etc/vmgenid_addr");
            CHECK_STR((char *)x + 60, "etc/vmgenid_guid");
            CHECK_EQ(x[124], 8);
            told = true;
        }
    }
    CHECK(told);
    free_tables(&t);
    end(&b);
    asked.devices[0] = "vmgenid,guid=324e";
    CHECK(strstr(build(&b, "pc", "", 64 * MiB, NULL, NULL), "guid='324e': want a UUID"));
    end(&b);
    asked.devices[0] = NULL;
}

/* Firmware moves power management's ports before it reads the tables. */
TEST(pc_acpi, they_follow_what_firmware_did)
{
    struct built b;
    struct tables t;

    CHECK(!build(&b, "q35", "", 64 * MiB, NULL, NULL));
    set_cfg(&b, 31, 0, 0x40, 0x601);
    set_cfg(&b, 31, 0, 0x44, 0x80);
    set_cfg(&b, 0, 0, 0x60, 0xe0000003); /* 128 MiB */
    t = read_tables(&b);
    CHECK_EQ(get_le32(table(&t, "FACP") + 56), 0x600);
    CHECK_EQ(get_le32(table(&t, "FACP") + 80), 0x620);
    CHECK_EQ(get_le32(table(&t, "FACP") + 4), 244);
    CHECK_EQ(get_le64(table(&t, "FACP") + 152), 0x600); /* the long fields say the same */
    CHECK_EQ(get_le64(table(&t, "FACP") + 212), 0x608);
    CHECK_EQ(get_le64(table(&t, "FACP") + 224), 0x620);
    CHECK_EQ(get_le64(table(&t, "MCFG") + 44), 0xe0000000);
    CHECK_EQ(table(&t, "MCFG")[55], 0x7f);
    free_tables(&t);
    set_cfg(&b, 31, 0, 0x40, 0x701); /* too late, until the next reset */
    t = read_tables(&b);
    CHECK_EQ(get_le32(table(&t, "FACP") + 56), 0x600);
    free_tables(&t);
    machine_lock(b.m);
    machine_reset(b.m);
    machine_unlock(b.m);
    set_cfg(&b, 31, 0, 0x40, 0x701);
    t = read_tables(&b);
    CHECK_EQ(get_le32(table(&t, "FACP") + 56), 0x700);
    free_tables(&t);
    end(&b);
}

TEST(pc_acpi, cpus_that_may_come_are_there_but_off)
{
    struct built b;
    struct tables t;
    const uint8_t *x;

    asked.cpus = 2;
    asked.max_cpus = 3;
    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    t = read_tables(&b);
    x = table(&t, "APIC");
    CHECK_EQ(get_le32(x + 36), 0xfee00000);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(get_le16(x + 44 + 8 * i), 0x0800);
        CHECK_EQ(x[47 + 8 * i], i);
        CHECK_EQ(get_le32(x + 48 + 8 * i), i < 2);
    }
    CHECK_EQ(get_le16(x + 68), 0x0c01);
    free_tables(&t);
    end(&b);
    asked.cpus = asked.max_cpus = 0;
}

TEST(pc_acpi, the_users_own_table)
{
    struct built b;
    struct tables t;
    const uint8_t *x;
    char path[32], json[200];

    file_of(path, "hello", 5);
    snprintf(json, sizeof(json), "[{\"sig\":\"OEM1\",\"rev\":\"7\",\"oem_id\":\"ACME\",\"data\":\"%s\"}]", path);
    asked.acpi_tables = json;
    CHECK(!build(&b, "pc", "", 64 * MiB, NULL, NULL));
    t = read_tables(&b);
    x = table(&t, "OEM1");
    if (CHECK(x)) {
        CHECK_EQ(get_le32(x + 4), 41);
        CHECK_EQ(x[8], 7);
        CHECK_MEM(x + 10, "ACME", 5);
        CHECK_MEM(x + 36, "hello", 5);
        CHECK_EQ(sum(x, 41), 0);
    }
    free_tables(&t);
    end(&b);
    snprintf(json, sizeof(json), "[{\"sig\":\"TOOLONG\",\"data\":\"%s\"}]", path);
    CHECK_STR(build(&b, "pc", "", 64 * MiB, NULL, NULL), "-acpitable: sig=TOOLONG: at most 4 characters");
    end(&b);
    asked.acpi_tables = "[{\"sig\":\"OEM1\"}]";
    CHECK_STR(build(&b, "pc", "", 64 * MiB, NULL, NULL), "-acpitable: want either file= or data=");
    end(&b);
    asked.acpi_tables = NULL;
}

TEST(pc_acpi, off_is_off)
{
    struct built b;
    uint32_t len;

    CHECK(!build(&b, "pc", "acpi=off", 64 * MiB, NULL, NULL));
    CHECK(!fw_cfg_file(b.fw_cfg, "etc/acpi/tables", &len));
    CHECK_EQ(cfg(&b, 1, 3, 0), 0xffffffff);
    end(&b);
}

static const struct conf_numa two_nodes = {
    .n = 2, .there = {true, true}, .mem = {16 * MiB, 48 * MiB}, .cpu = {1, 1, 2, 2}, .distance = {{10, 21}, {21, 10}}};

TEST(pc_acpi, nodes_of_cpus_and_memory)
{
    struct built b;
    struct tables t;
    const uint8_t *x;
    uint32_t len;
    uint8_t item[8 * 7];

    asked.cpus = asked.max_cpus = 4;
    asked.numa = &two_nodes;
    CHECK(!build(&b, "pc", "max-ram-below-4g=32M", 64 * MiB, NULL, NULL));
    t = read_tables(&b);
    x = table(&t, "SLIT");
    CHECK_EQ(get_le64(x + 36), 2);
    CHECK_MEM(x + 44, "\x0a\x15\x15\x0a", 4);
    x = table(&t, "SRAT");
    len = get_le32(x + 4);
    CHECK_EQ(len, 48 + 4 * 16 + 4 * 40);
    CHECK_EQ(get_le32(x + 48 + 3 * 16), 0x03011000); /* CPU 3: node 1 */
    x += 48 + 4 * 16;
    CHECK_EQ(get_le64(x + 8), 0); /* node 0: below the hole, */
    CHECK_EQ(get_le64(x + 16), 640 * KiB);
    CHECK_EQ(get_le64(x + 40 + 8), MiB); /* above it; */
    CHECK_EQ(get_le64(x + 40 + 16), 15 * MiB);
    CHECK_EQ(get_le32(x + 80 + 2), 1); /* node 1: the rest below, */
    CHECK_EQ(get_le64(x + 80 + 8), 16 * MiB);
    CHECK_EQ(get_le64(x + 80 + 16), 16 * MiB);
    CHECK_EQ(get_le64(x + 120 + 8), UINT64_C(1) << 32); /* and what is above 4 GiB */
    CHECK_EQ(get_le64(x + 120 + 16), 32 * MiB);
    out(&b, 0x510, FW_CFG_NUMA, 2);
    for (unsigned i = 0; i < sizeof(item); i++)
        item[i] = in(&b, 0x511, 1);
    CHECK_EQ(get_le64(item), 2);
    CHECK_EQ(get_le64(item + 32), 1);
    CHECK_EQ(get_le64(item + 48), 48 * MiB);
    free_tables(&t);
    end(&b);
    if (system("which iasl >/dev/null") == 0) {
        asked.cpus = 2;
        check_all("q35", 64 * MiB, "FACP APIC HPET MCFG SRAT SLIT WAET ");
    }
    asked.cpus = asked.max_cpus = 0;
    asked.numa = NULL;
}

/* --- What a versioned machine shows does not change ------------------------------------------ */

static uint32_t digest(const uint8_t *p, size_t len) /* FNV-1a */
{
    uint32_t h = 0x811c9dc5;

    while (len--)
        h = (h ^ *p++) * 0x01000193;
    return h;
}

static void say_table(char *text, size_t room, const uint8_t *t)
{
    snprintf(text + strlen(text), room - strlen(text), "%.4s %08x ", (const char *)t, digest(t, get_le32(t + 4)));
}

/* "slot.function vendor:device class" of bus 0. */
static void say_devices(char *text, size_t room, struct built *b)
{
    for (unsigned i = 0; i < 256; i++)
        if (cfg(b, i >> 3, i & 7, 0) != 0xffffffff)
            snprintf(text + strlen(text), room - strlen(text), "%x.%u %08x %04x ", i >> 3, i & 7, cfg(b, i >> 3, i & 7, 0),
                     cfg(b, i >> 3, i & 7, 8) >> 16);
}

/* Two CPUs of four, 64 MiB.  Who changes this changes machines that people have installed systems on: a new version is the place for it. */
static void check_stable(const char *board, const char *want)
{
    char have[1000] = "";
    struct built b;
    struct tables t;
    const uint8_t *xsdt, *fadt;

    asked.cpus = 2;
    asked.max_cpus = 4;
    CHECK(!build(&b, board, "", 64 * MiB, NULL, NULL));
    say_devices(have, sizeof(have), &b);
    set_cfg(&b, 0, 0, 0x60, 0xb0000001);
    set_cfg(&b, strstr(board, "q35") ? 31 : 1, strstr(board, "q35") ? 0 : 3, 0x40, 0x601);
    t = read_tables(&b);
    xsdt = t.data + get_le64(t.rsdp + 24) - BASE;
    for (uint32_t i = 36; i < get_le32(xsdt + 4); i += 8)
        if (memcmp(t.data + get_le64(xsdt + i) - BASE, "FACP", 4) != 0) /* it has addresses of the others */
            say_table(have, sizeof(have), t.data + get_le64(xsdt + i) - BASE);
    fadt = table(&t, "FACP");
    say_table(have, sizeof(have), t.data + get_le64(fadt + 140) - BASE);
    snprintf(have + strlen(have), sizeof(have) - strlen(have), "FACP %08x", digest(fadt + 44, 96)); /* between FACS, DSDT and X_DSDT */
    CHECK_STR(have, want);
    free_tables(&t);
    end(&b);
    asked.cpus = asked.max_cpus = 0;
}

TEST(pc_acpi, versioned_machines_stay_as_they_are)
{
    check_stable("pc-i440fx-7.2", "0.0 12378086 0600 1.0 70008086 0601 1.1 70108086 0101 1.3 71138086 0680 2.0 11111234 0300 "
                 "APIC 44999e8b HPET 8670b045 WAET e0657adb DSDT edbb3139 FACP 4d8ed387");
    check_stable("pc-i440fx-2.4", "0.0 12378086 0600 1.0 70008086 0601 1.1 70108086 0101 1.3 71138086 0680 2.0 11111234 0300 "
                 "APIC 44999e8b HPET 8670b045 WAET e0657adb DSDT edbb3139 FACP 4d8ed387");
    check_stable("pc-q35-7.2", "0.0 29c08086 0600 1.0 11111234 0300 1f.0 29188086 0601 1f.2 29228086 0106 1f.3 29308086 0c05 "
                 "APIC 44999e8b HPET 8670b045 MCFG f3b9edc9 WAET e0657adb DSDT d06b4d5f FACP 8f6698f2");
    check_stable("pc-q35-4.2", "0.0 29c08086 0600 1.0 11111234 0300 1f.0 29188086 0601 1f.2 29228086 0106 1f.3 29308086 0c05 "
                 "APIC 44999e8b HPET 8670b045 MCFG f3b9edc9 WAET e0657adb DSDT d06b4d5f FACP 8f6698f2");
}

static const struct test tests[] = {
    CASE_SLOW(pc_acpi, iasl_takes_them_apart, 60),
    CASE_SLOW(pc_acpi, what_devices_add, 60),
    CASE(pc_acpi, the_generation_is_where_firmware_puts_it),
    CASE(pc_acpi, they_follow_what_firmware_did),
    CASE(pc_acpi, cpus_that_may_come_are_there_but_off),
    CASE(pc_acpi, the_users_own_table),
    CASE(pc_acpi, off_is_off),
    CASE_SLOW(pc_acpi, nodes_of_cpus_and_memory, 60),
    CASE(pc_acpi, versioned_machines_stay_as_they_are),
};
TEST_MAIN(tests)
