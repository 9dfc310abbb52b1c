/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NVMe controller: registers, admin commands, I/O by PRPs and SGLs, interrupts, saved state. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"

enum { DISK = 8 << 20, FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, TABLE = BAR + 0x2000 };
enum {
    ASQ = RIG_RAM + 0x1000,
    ACQ = RIG_RAM + 0x2000,
    SQ = RIG_RAM + 0x3000,
    CQ = RIG_RAM + 0x4000,
    LIST = RIG_RAM + 0x5000,
    DATA = RIG_RAM + 0x10000,
    ENTRIES = 16
};

static uint8_t *bytes;
static struct drive drive;
static unsigned open_flags = BLK_RDWR;

static void add_drive(struct rig *r)
{
    struct err e = {0};

    if (!drive.blk) {
        bytes = calloc(1, DISK);
        for (unsigned i = 0; i < DISK; i += 512)
            put_le32(bytes + i, i / 512);
        drive.id = "d0";
        drive.blk = blk_open_bytes(blk_env_new(NULL, NULL), "raw", bytes, DISK, open_flags, &e);
    }
    drive.used = false;
    if (!drive.blk || machine_add_backend(r->m, "drive", "d0", &drive, &e) < 0) {
        printf("drive: %s\n", e.msg);
        exit(TEST_FAILED);
    }
}

static void before(struct rig *r)
{
    pci_rig_before(r);
    add_drive(r);
}

/* The driver of the test: where its queues stand. */
static struct {
    unsigned tail, head;
    bool phase;
} queue[2];

static void enable(struct rig *r)
{
    cfg_write(r, FN, PCI_BAR0, BAR, 4);
    cfg_enable(r, FN);
    rig_store(r, BAR + 0x24, (ENTRIES - 1) << 16 | (ENTRIES - 1), 4);
    rig_store(r, BAR + 0x28, ASQ, 8);
    rig_store(r, BAR + 0x30, ACQ, 8);
    rig_store(r, BAR + 0x14, 0x00460001, 4);
    memset(queue, 0, sizeof(queue));
    queue[0].phase = queue[1].phase = true;
    CHECK_EQ(rig_load(r, BAR + 0x1c, 4), 1);
}

static struct rig *nvme(const char *props)
{
    struct rig *r = rig_with("nvme", props, before);

    enable(r);
    return r;
}

struct cmd {
    uint8_t opcode, flags;
    uint32_t nsid;
    uint64_t prp1, prp2;
    uint32_t cdw10, cdw11, cdw12;
};

static void submit(struct rig *r, unsigned q, uint16_t cid, struct cmd c)
{
    uint8_t e[64] = {c.opcode, c.flags};

    put_le16(e + 2, cid);
    put_le32(e + 4, c.nsid);
    put_le64(e + 24, c.prp1);
    put_le64(e + 32, c.prp2);
    put_le32(e + 40, c.cdw10);
    put_le32(e + 44, c.cdw11);
    put_le32(e + 48, c.cdw12);
    memcpy(r->ram->host + (q ? SQ : ASQ) - RIG_RAM + 64 * queue[q].tail, e, sizeof(e));
    queue[q].tail = (queue[q].tail + 1) % ENTRIES;
    rig_store(r, BAR + 0x1000 + 8 * q, queue[q].tail, 4);
}

/* The next answer: its status, or -1 when none comes. */
static int answer(struct rig *r, unsigned q, uint16_t *cid, uint32_t *result)
{
    const uint8_t *e = r->ram->host + (q ? CQ : ACQ) - RIG_RAM + 16 * queue[q].head;
    unsigned status;
    uint32_t last;

    for (unsigned i = 0;; i++) {
        last = le32toh(__atomic_load_n((const uint32_t *)(e + 12), __ATOMIC_ACQUIRE));
        if ((last >> 16 & 1) == queue[q].phase)
            break;
        if (i == 60000)
            return -1;
        usleep(1000);
    }
    status = last >> 17;
    if (cid)
        *cid = last;
    if (result)
        *result = get_le32(e);
    queue[q].head = (queue[q].head + 1) % ENTRIES;
    queue[q].phase ^= !queue[q].head;
    rig_store(r, BAR + 0x1004 + 8 * q, queue[q].head, 4);
    return status;
}

static int run(struct rig *r, unsigned q, struct cmd c)
{
    submit(r, q, 7, c);
    return answer(r, q, NULL, NULL);
}

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static void make_queues(struct rig *r)
{
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 5, .prp1 = CQ, .cdw10 = 15 << 16 | 1, .cdw11 = 3}),
             0);
    CHECK_EQ(
        run(r, 0,
            (struct cmd){.opcode = 1, .prp1 = SQ, .cdw10 = 15 << 16 | 1, .cdw11 = 1 << 16 | 1}),
        0);
}

TEST(nvme, properties_are_checked)
{
    CHECK_STR(rig_refused("nvme", NULL), "No 'PCI' bus found for device 'nvme'");
    struct rig *r = rig_machine();
    struct err e = {0};

    before(r);
    machine_lock(r->m);
    CHECK(!dev_add(r->m, "nvme", NULL, "drive=d0", &e));
    CHECK_STR(e.msg, "serial property not set");
    e = (struct err){0};
    CHECK(!dev_add(r->m, "nvme", NULL, "serial=a,drive=nope", &e));
    CHECK_STR(e.msg, "Property 'nvme.drive' can't find value 'nope'");
    e = (struct err){0};
    CHECK(!dev_add(r->m, "nvme", NULL, "serial=a,drive=d0,logical_block_size=8192", &e));
    CHECK(!dev_add(r->m, "nvme", NULL, "serial=a,max_ioqpairs=0", ERR_IGNORE));
    CHECK(!dev_add(r->m, "nvme-ns", NULL, "drive=d0", ERR_IGNORE));
    CHECK(dev_add(r->m, "nvme", "n", "serial=a", &e));
    CHECK(dev_add(r->m, "nvme-ns", "n5", "drive=d0,nsid=5,bus=n", ERR_IGNORE));
    e = (struct err){0};
    CHECK(!dev_add(r->m, "nvme-ns", NULL, "drive=d0,nsid=5,bus=n", &e));
    CHECK_STR(e.msg, "namespace id '5' already allocated");
    machine_unlock(r->m);
    rig_free(r);
}

TEST(nvme, identifies_itself_and_its_namespace)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    CHECK_EQ(rig_load(r, BAR, 8), 0x004000200f0107ff);
    CHECK_EQ(rig_load(r, BAR + 8, 4), 0x10400);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .prp1 = DATA, .cdw10 = 1}), 0);
    CHECK_EQ(get_le16(ram(r, DATA)), 0x1b36);
    CHECK_MEM(ram(r, DATA + 4), "abc                 QEMU NVMe Ctrl  ", 36);
    CHECK_EQ(ram(r, DATA)[77], 7);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .nsid = 1, .prp1 = DATA}), 0);
    CHECK_EQ(get_le64(ram(r, DATA)), DISK / 512);
    CHECK_EQ(ram(r, DATA)[130], 9);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .prp1 = DATA, .cdw10 = 2}), 0);
    CHECK_EQ(get_le64(ram(r, DATA)), 1);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .nsid = 300, .prp1 = DATA}), 0x400b);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .prp1 = DATA, .cdw10 = 0x77}), 0x4002);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0x99}), 0x4001);
    rig_free(r);
}

TEST(nvme, reads_and_writes_by_prps)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");
    enum { LEN = 40 * 1024 };

    make_queues(r);
    /* one block, at an offset in a page */
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA + 0x200, .cdw10 = 5}), 0);
    CHECK_EQ(get_le32(ram(r, DATA + 0x200)), 5);
    /* two pages */
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2,
                              .nsid = 1,
                              .prp1 = DATA + 0xe00,
                              .prp2 = DATA + 0x8000,
                              .cdw10 = 100,
                              .cdw12 = 1}),
             0);
    CHECK_EQ(get_le32(ram(r, DATA + 0xe00)), 100);
    CHECK_EQ(get_le32(ram(r, DATA + 0x8000)), 101);
    /* a list of ten pages, backwards */
    for (unsigned i = 0; i < 9; i++)
        put_le64(ram(r, LIST + 8 * i), DATA + 0x20000 - 0x1000 * i);
    memset(ram(r, DATA), 0x5a, 0x30000);
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 1,
                              .nsid = 1,
                              .prp1 = DATA + 0x21000,
                              .prp2 = LIST,
                              .cdw10 = 1000,
                              .cdw12 = LEN / 512 - 1}),
             0);
    memset(ram(r, DATA), 0, 0x30000);
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2,
                              .nsid = 1,
                              .prp1 = DATA + 0x21000,
                              .prp2 = LIST,
                              .cdw10 = 1000,
                              .cdw12 = LEN / 512 - 1}),
             0);
    for (unsigned i = 0; i < LEN; i += 512)
        CHECK_EQ(ram(r, DATA + 0x18000)[i], 0x5a);
    CHECK_EQ(ram(r, DATA + 0x17fff)[0], 0);
    CHECK_EQ(ram(r, DATA + 0x22000)[0], 0);
    rig_free(r);
}

TEST(nvme, lists_of_prps_go_on_in_the_next_page)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0,mdts=0");
    enum { PAGES = 20, FIRST = LIST + 0x1000 - 8 * 4 };

    make_queues(r);
    for (unsigned i = 0; i < 3; i++)
        put_le64(ram(r, FIRST + 8 * i), DATA + 0x1000 * (i + 1));
    put_le64(ram(r, FIRST + 24), LIST + 0x2000);
    for (unsigned i = 3; i < PAGES - 1; i++)
        put_le64(ram(r, LIST + 0x2000 + 8 * (i - 3)), DATA + 0x1000 * (i + 1));
    CHECK_EQ(run(r, 1,
                 (struct cmd){
                     .opcode = 2, .nsid = 1, .prp1 = DATA, .prp2 = FIRST, .cdw12 = PAGES * 8 - 1}),
             0);
    for (unsigned i = 0; i < PAGES * 8; i++)
        CHECK_EQ(get_le32(ram(r, DATA + 512 * i)), i);
    rig_free(r);
}

static void descriptor(struct rig *r, uint32_t at, uint64_t addr, uint32_t len, uint8_t type)
{
    memset(ram(r, at), 0, 16);
    put_le64(ram(r, at), addr);
    put_le32(ram(r, at + 8), len);
    ram(r, at)[15] = type << 4;
}

TEST(nvme, reads_by_sgls)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");
    uint64_t size_and_type = 32 | (uint64_t)2 << 60;

    make_queues(r);
    descriptor(r, LIST, DATA + 0x100, 512, 0);
    descriptor(r, LIST + 16, LIST + 0x100, 32, 3);
    descriptor(r, LIST + 0x100, DATA + 0x1000, 1000, 0);
    descriptor(r, LIST + 0x110, DATA + 0x2000, 24, 0);
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2,
                              .flags = 1 << 6,
                              .nsid = 1,
                              .prp1 = LIST,
                              .prp2 = size_and_type,
                              .cdw10 = 50,
                              .cdw12 = 2}),
             0);
    CHECK_EQ(get_le32(ram(r, DATA + 0x100)), 50);
    CHECK_EQ(get_le32(ram(r, DATA + 0x1000)), 51);
    CHECK_EQ(get_le32(ram(r, DATA + 0x1200)), 52);
    descriptor(r, LIST + 0x110, DATA + 0x2000, 8, 0); /* too short */
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2,
                              .flags = 1 << 6,
                              .nsid = 1,
                              .prp1 = LIST,
                              .prp2 = size_and_type,
                              .cdw12 = 2}),
             0x400f);
    descriptor(r, LIST + 16, LIST, 32, 2); /* in a circle */
    descriptor(r, LIST, DATA, 1, 0);
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2,
                              .flags = 1 << 6,
                              .nsid = 1,
                              .prp1 = LIST,
                              .prp2 = size_and_type,
                              .cdw12 = 200}),
             0x400e);
    rig_free(r);
}

TEST(nvme, wrong_commands_are_answered_with_what_is_wrong)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    make_queues(r);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = DISK / 512}),
             0x4080);
    CHECK_EQ(
        run(r, 1,
            (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = 1, .cdw11 = 0xffffffff}),
        0x4080);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 2, .prp1 = DATA}), 0x4002);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 0, .prp1 = DATA}), 0x400b);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = 0x100000}), 0x4004);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA + 2}), 0x4013);
    CHECK_EQ(run(r, 1,
                 (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .prp2 = DATA + 8, .cdw12 = 15}),
             0x4013);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw12 = 2047}), 0x4002);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 0x7f, .nsid = 1}), 0x4001);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 5, .prp1 = CQ, .cdw10 = 15 << 16 | 1, .cdw11 = 1}),
             0x101);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 1, .prp1 = SQ, .cdw10 = 15 << 16 | 2, .cdw11 = 1}),
             0x100);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 4, .cdw10 = 1}), 0x10c);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0, .cdw10 = 1}), 0);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 4, .cdw10 = 1}), 0);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0, .cdw10 = 1}), 0x101);
    rig_free(r);
}

TEST(nvme, compares_zeroes_discards_verifies_and_flushes)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");
    uint8_t block[512] = {0};

    make_queues(r);
    put_le32(ram(r, DATA), 9);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 5, .nsid = 1, .prp1 = DATA, .cdw10 = 9}), 0);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 5, .nsid = 1, .prp1 = DATA, .cdw10 = 8}), 0x4285);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 8, .nsid = 1, .cdw10 = 8, .cdw12 = 1 << 25 | 1}), 0);
    CHECK_EQ(blk_read(drive.blk, 9 * 512, 512, block, ERR_IGNORE), 0);
    CHECK_EQ(get_le32(block), 0);
    CHECK_EQ(blk_read(drive.blk, 10 * 512, 512, block, ERR_IGNORE), 0);
    CHECK_EQ(get_le32(block), 10);
    memset(ram(r, DATA), 0, 32);
    put_le32(ram(r, DATA + 4), 4);
    put_le64(ram(r, DATA + 8), 100);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 9, .nsid = 1, .prp1 = DATA, .cdw11 = 4}), 0);
    put_le64(ram(r, DATA + 8), DISK);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 9, .nsid = 1, .prp1 = DATA, .cdw11 = 4}), 0x4080);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 0xc, .nsid = 1, .cdw12 = 0xffff >> 3}), 0);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 0, .nsid = 1}), 0);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 0, .nsid = 0xffffffff}), 0);
    rig_free(r);
}

TEST(nvme, a_read_only_drive_cannot_be_written)
{
    struct rig *r;

    open_flags = 0;
    r = nvme("addr=3,serial=abc,drive=d0");
    make_queues(r);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 1, .nsid = 1, .prp1 = DATA}), 0x4020);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = 3}), 0);
    CHECK_EQ(get_le32(ram(r, DATA)), 3);
    rig_free(r);
}

TEST(nvme, answers_wait_for_room_in_their_queue)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");
    unsigned seen = 0;
    uint16_t cid;

    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 5, .prp1 = CQ, .cdw10 = 3 << 16 | 1, .cdw11 = 3}), 0);
    CHECK_EQ(
        run(r, 0,
            (struct cmd){.opcode = 1, .prp1 = SQ, .cdw10 = 15 << 16 | 1, .cdw11 = 1 << 16 | 1}),
        0);
    for (unsigned i = 0; i < 10; i++)
        submit(r, 1, i, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA + 512 * i, .cdw10 = i});
    for (unsigned i = 0; i < 10; i++) { /* a completion queue of four, three at a time */
        if (!CHECK_EQ(answer(r, 1, &cid, NULL), 0))
            break;
        seen |= 1 << cid;
        if (queue[1].head == 4) {
            queue[1].head = 0;
            queue[1].phase = !queue[1].phase;
        }
        rig_store(r, BAR + 0x1004 + 8, queue[1].head, 4);
    }
    CHECK_EQ(seen, 0x3ff);
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(get_le32(ram(r, DATA + 512 * i)), i);
    rig_free(r);
}

static bool wait_for_messages(unsigned n)
{
    for (unsigned i = 0; i < 60000 && __atomic_load_n(&pci_rig.messages, __ATOMIC_SEQ_CST) < n; i++)
        usleep(1000);
    return __atomic_load_n(&pci_rig.messages, __ATOMIC_SEQ_CST) >= n;
}

TEST(nvme, completions_interrupt_by_their_vector)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .prp1 = DATA, .cdw10 = 1}), 0);
    CHECK(!pci_rig.line[3].level); /* up with the answer, down with the doorbell */
    CHECK_EQ(pci_rig.line[3].rose, 1);
    cfg_write(r, FN, 0x42, PCI_MSIX_ENABLE, 2);
    for (unsigned v = 0; v < 4; v++) {
        rig_store(r, TABLE + 16 * v, RIG_DOORBELL, 8);
        rig_store(r, TABLE + 16 * v + 8, 0x50 + v, 8);
    }
    CHECK_EQ(
        run(r, 0,
            (struct cmd){.opcode = 5, .prp1 = CQ, .cdw10 = 15 << 16 | 1, .cdw11 = 3 << 16 | 3}),
        0);
    CHECK_EQ(
        run(r, 0,
            (struct cmd){.opcode = 1, .prp1 = SQ, .cdw10 = 15 << 16 | 1, .cdw11 = 1 << 16 | 1}),
        0);
    CHECK(wait_for_messages(2));
    CHECK_EQ(pci_rig.message[1].data, 0x50);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA}), 0);
    CHECK(wait_for_messages(3));
    CHECK_EQ(pci_rig.message[2].data, 0x53);
    CHECK_EQ(pci_rig.message[2].who, BUS_PCI(3 << 3));
    rig_free(r);
}

TEST(nvme, features_logs_and_events)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");
    uint32_t result;
    uint16_t cid;

    submit(r, 0, 1, (struct cmd){.opcode = 9, .cdw10 = 7, .cdw11 = 0x30003});
    CHECK_EQ(answer(r, 0, NULL, &result), 0);
    CHECK_EQ(result, 63 << 16 | 63);
    submit(r, 0, 1, (struct cmd){.opcode = 0xa, .cdw10 = 6});
    CHECK_EQ(answer(r, 0, NULL, &result), 0);
    CHECK_EQ(result, 1);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 9, .cdw10 = 6, .cdw11 = 0}), 0);
    submit(r, 0, 1, (struct cmd){.opcode = 0xa, .cdw10 = 6});
    CHECK_EQ(answer(r, 0, NULL, &result), 0);
    CHECK_EQ(result, 0);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0xa, .cdw10 = 0xff}), 0x4002);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 2, .prp1 = DATA, .cdw10 = 127 << 16 | 2}), 0);
    CHECK_EQ(get_le16(ram(r, DATA + 1)), 0x143);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 2, .prp1 = DATA, .cdw10 = 0x66}), 0x4109);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 9, .cdw10 = 0xb, .cdw11 = 1 << 8}), 0);
    submit(r, 0, 0x33, (struct cmd){.opcode = 0xc});
    machine_lock(r->m);
    drive.changed(drive.owner, &drive);
    machine_unlock(r->m);
    CHECK_EQ(answer(r, 0, &cid, &result), 0);
    CHECK_EQ(cid, 0x33);
    CHECK_EQ(result, 0x040002);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 2, .prp1 = DATA, .cdw10 = 1023 << 16 | 4}), 0);
    CHECK_EQ(get_le64(ram(r, DATA)), 1);
    submit(r, 0, 0x34, (struct cmd){.opcode = 0xc});
    rig_store(r, BAR + 0x1000 + 8 * 9, 1, 4); /* the doorbell of a queue that is not there */
    CHECK_EQ(answer(r, 0, &cid, &result), 0);
    CHECK_EQ(cid, 0x34);
    CHECK_EQ(result, 0x010100);
    rig_free(r);
}

TEST(nvme, disabling_and_wrong_settings)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    make_queues(r);
    rig_store(r, BAR + 0x14, 0x00460000, 4);
    CHECK_EQ(rig_load(r, BAR + 0x1c, 4), 0);
    rig_store(r, BAR + 0x14, 0x00460071, 4); /* a command set that is not there */
    CHECK_EQ(rig_load(r, BAR + 0x1c, 4), 2);
    rig_store(r, BAR + 0x14, 0, 4);
    memset(ram(r, ACQ), 0, 4096);
    enable(r);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0, .cdw10 = 1}), 0x101); /* queues are gone */
    rig_store(r, BAR + 0x14, 0x00464001, 4);
    CHECK_EQ(rig_load(r, BAR + 0x1c, 4), 9); /* shut down */
    rig_free(r);
}

TEST(nvme, saved_state_goes_on_with_its_queues)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    make_queues(r);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = 6}), 0);
    rig_save_load(r);
    CHECK_EQ(run(r, 1, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = 7}), 0);
    CHECK_EQ(get_le32(ram(r, DATA)), 7);
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 6, .prp1 = DATA, .cdw10 = 1}), 0);
    rig_free(r);
}

static struct rig *full_disk(enum drive_error werror, bool always)
{
    struct rig *r;

    drive.id = "d0";
    drive.blk = rig_full_disk(DISK, always);
    drive.werror = werror;
    r = nvme("addr=3,serial=abc,drive=d0");
    rig_run(r, true);
    make_queues(r);
    return r;
}

static const struct cmd write_one = {.opcode = 1, .nsid = 1, .prp1 = DATA, .cdw10 = 3};

TEST(nvme, a_write_without_room_does_what_werror_says)
{
    struct rig *r = full_disk(DRIVE_ENOSPC, false);
    uint16_t cid = 0;

    submit(r, 1, 9, write_one);
    CHECK(rig_await_stop(r));
    rig_save_load(r); /* it waits in the state, too */
    rig_run(r, true);
    CHECK_EQ(answer(r, 1, &cid, NULL), 0);
    CHECK_EQ(cid, 9);
    CHECK_EQ(run(r, 1, write_one), 0);
    rig_free(r);
    r = full_disk(DRIVE_STOP, true);
    submit(r, 1, 9, write_one);
    CHECK(rig_await_stop(r));
    rig_run(r, true); /* still no room */
    CHECK(rig_await_stop(r));
    rig_run(r, true);
    CHECK(rig_await_stop(r));
    CHECK_EQ(run(r, 0, (struct cmd){.opcode = 0, .cdw10 = 1}), 0); /* the queue is deleted, the command with it */
    rig_free(r);
    r = full_disk(DRIVE_STOP, true);
    submit(r, 1, 9, write_one);
    CHECK(rig_await_stop(r));
    rig_hostile(r);
    rig_free(r);
    r = full_disk(DRIVE_IGNORE, true);
    CHECK_EQ(run(r, 1, write_one), 0);
    rig_free(r);
    r = full_disk(DRIVE_REPORT, true);
    CHECK_EQ(run(r, 1, write_one), 0x280);
    rig_free(r);
}

/* On a conventional bus configuration space is short. */
static void before_behind_bridge(struct rig *r)
{
    before(r);
    machine_lock(r->m);
    CHECK(dev_add(r->m, "pci-bridge", "b", "chassis_nr=1", ERR_IGNORE));
    machine_unlock(r->m);
}

TEST(nvme, hostile_saved_state_breaks_nothing)
{
    struct rig *r = rig_with("nvme", "bus=b,serial=abc,drive=d0,max_ioqpairs=1,msix_qsize=1",
                             before_behind_bridge);

    rig_hostile(r);
    rig_free(r);
}

TEST(nvme, it_can_be_taken_away_while_it_works)
{
    struct rig *r = nvme("addr=3,serial=abc,drive=d0");

    make_queues(r);
    for (unsigned i = 0; i < 12; i++)
        submit(r, 1, i, (struct cmd){.opcode = 2, .nsid = 1, .prp1 = DATA, .cdw10 = i});
    machine_lock(r->m);
    dev_free(r->dev);
    machine_unlock(r->m);
    CHECK(!drive.used);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(nvme, properties_are_checked),
    CASE(nvme, identifies_itself_and_its_namespace),
    CASE(nvme, reads_and_writes_by_prps),
    CASE(nvme, lists_of_prps_go_on_in_the_next_page),
    CASE(nvme, reads_by_sgls),
    CASE(nvme, wrong_commands_are_answered_with_what_is_wrong),
    CASE(nvme, compares_zeroes_discards_verifies_and_flushes),
    CASE(nvme, a_read_only_drive_cannot_be_written),
    CASE(nvme, answers_wait_for_room_in_their_queue),
    CASE(nvme, completions_interrupt_by_their_vector),
    CASE(nvme, features_logs_and_events),
    CASE(nvme, disabling_and_wrong_settings),
    CASE(nvme, saved_state_goes_on_with_its_queues),
    CASE(nvme, a_write_without_room_does_what_werror_says),
    CASE_SLOW(nvme, hostile_saved_state_breaks_nothing, 60),
    CASE(nvme, it_can_be_taken_away_while_it_works),
};
TEST_MAIN(tests)
