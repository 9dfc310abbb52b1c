/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TPMs, with a real swtpm at the other end: tpm-tis and tpm-crb hand over commands, and go on after reset and with saved state. */
#include "base/bytes.h"
#include "dev/tpm/tpm.h"
#include "tests/dev/isa_rig.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static struct tpm *tpm;
static char dir[] = "/tmp/emu-test-tpm-XXXXXX";

static const uint8_t startup[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0}, get_random[] = {0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 16};

/* swtpm on one end of a pair; false: it is not there. */
static bool have_tpm(struct machine *m)
{
    int pair[2];
    char state[64], ctrl[32];
    struct err e = {0};

    if (!tpm) {
        if (!child)
            CHECK(mkdtemp(dir));
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        snprintf(state, sizeof(state), "dir=%s", dir);
        snprintf(ctrl, sizeof(ctrl), "type=unixio,clientfd=%d", pair[1]);
        if (!(child = fork())) {
            close(pair[0]);
            execlp("swtpm", "swtpm", "socket", "--tpmstate", state, "--ctrl", ctrl, "--tpm2", NULL);
            _exit(1);
        }
        close(pair[1]);
        if (!(tpm = tpm_open(m, pair[0], &e)))
            printf("%s\n", e.msg);
    }
    return tpm;
}

static void before(struct rig *r)
{
    isa_rig_before(r);
    machine_lock(r->m);
    if (have_tpm(r->m))
        machine_add_backend(r->m, "tpmdev", "t0", tpm, ERR_IGNORE);
    machine_unlock(r->m);
}

static bool installed(void)
{
    if (system("which swtpm >/dev/null 2>&1") == 0)
        return true;
    SKIP("no swtpm");
    return false;
}

static void done(void)
{
    char rm[64];

    tpm_close(tpm);
    waitpid(child, NULL, 0);
    snprintf(rm, sizeof(rm), "rm -r %s", dir);
    CHECK_EQ(system(rm), 0);
}

static uint32_t get(struct rig *r, unsigned reg, unsigned size)
{
    return rig_load(r, TPM_BASE + reg, size);
}

static void set(struct rig *r, unsigned reg, uint32_t v, unsigned size)
{
    rig_store(r, TPM_BASE + reg, v, size);
}

/* --- FIFO ----------------------------------------------------------------------------------- */

/* Returns the answer's length. */
static unsigned tis_run(struct rig *r, const uint8_t *cmd, unsigned len, uint8_t *answer)
{
    unsigned n = 0;

    set(r, 0x18, 0x40, 1);
    CHECK_EQ(get(r, 0x18, 1) & 0xc0, 0xc0); /* valid, ready */
    for (unsigned i = 0; i < len; i++) {
        set(r, 0x24, cmd[i], 1);
        CHECK_EQ(get(r, 0x18, 1) & 8, i + 1 < len ? 8 : 0); /* expects more */
    }
    set(r, 0x18, 0x20, 1);
    while (get(r, 0x18, 1) & 0x10)
        answer[n++] = get(r, 0x24, 1);
    return n;
}

TEST(tpm_tis, commands_by_the_fifo)
{
    struct rig *r;
    uint8_t a[TPM_BUFFER], b[TPM_BUFFER];

    if (!installed())
        return;
    r = rig_with("tpm-tis", "tpmdev=t0", before);
    CHECK_EQ(get(r, 0xf00, 4), 0x00011014);
    CHECK_EQ(get(r, 0, 1), 0x81);
    CHECK_EQ(get(r, 0x18, 4), 0xffffffff); /* of no active locality */
    set(r, 0, 2, 1);
    CHECK_EQ(get(r, 0, 1), 0xa1);
    CHECK_EQ(tis_run(r, startup, sizeof(startup), a), 10);
    CHECK_EQ(get_be32(a + 6), 0);
    CHECK_EQ(tis_run(r, get_random, sizeof(get_random), a), 28);
    CHECK_EQ(get_be16(a + 10), 16);
    set(r, 0x18, 2, 1); /* again */
    CHECK_EQ(get(r, 0x18, 1) & 0x10, 0x10);
    CHECK_EQ(get(r, 0x24, 4), get_le32(a));
    rig_save_load(r);
    CHECK_EQ(get(r, 0x24, 4), get_le32(a + 4));
    set(r, 0x18, 0x40, 1);
    CHECK_EQ(tis_run(r, get_random, sizeof(get_random), b) == 10, 1); /* the TPM was started anew with the machine: Startup first */
    CHECK_EQ(get_be32(b + 6), 0x100);
    rig_free(r);
    done();
}

TEST(tpm_tis, localities_ask_and_seize)
{
    struct rig *r;

    if (!installed())
        return;
    r = rig_with("tpm-tis", "tpmdev=t0", before);
    set(r, 0, 2, 1);
    set(r, 0x1000, 2, 1);
    CHECK_EQ(get(r, 0x1000, 1), 0x83); /* asks */
    CHECK_EQ(get(r, 0, 1), 0xa5);      /* somebody does */
    set(r, 0, 0x20, 1);
    CHECK_EQ(get(r, 0x1000, 1), 0xa1);
    set(r, 0x2000, 8, 1);
    CHECK_EQ(get(r, 0x2000, 1), 0xa1);
    CHECK_EQ(get(r, 0x1000, 1), 0x91); /* was seized */
    set(r, 0x1000, 0x10, 1);
    CHECK_EQ(get(r, 0x1000, 1), 0x81);
    rig_hostile(r);
    rig_free(r);
    done();
    CHECK_STR(rig_refused("tpm-crb", "tpmdev=none"), "Property 'tpm-crb.tpmdev' can't find value 'none'");
    CHECK_STR(rig_refused("tpm-crb", NULL), "tpm-crb: 'tpmdev' property is required");
}

/* --- Buffer --------------------------------------------------------------------------------- */

static void crb_run(struct rig *r, const uint8_t *cmd, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        set(r, 0x80 + i, cmd[i], 1);
    set(r, 0x4c, 1, 4);
    CHECK_EQ(get(r, 0x4c, 4), 0);
}

TEST(tpm_crb, commands_in_a_buffer)
{
    struct rig *r;
    uint32_t first;

    if (!installed())
        return;
    r = rig_with("tpm-crb", "tpmdev=t0", before);
    CHECK_EQ(get(r, 0x30, 4) & 0xff, 0x11);
    CHECK_EQ(get(r, 0x44, 4), 2); /* idle */
    crb_run(r, startup, sizeof(startup)); /* nobody has it yet */
    CHECK_EQ(get(r, 0x86, 4), 0x44010000);
    set(r, 8, 1, 4);
    CHECK_EQ(get(r, 0xc, 4), 1);
    CHECK_EQ(get(r, 0, 4), 0x83);
    set(r, 0x40, 1, 4);
    CHECK_EQ(get(r, 0x44, 4), 0);
    crb_run(r, startup, sizeof(startup));
    CHECK_EQ(get(r, 0x86, 4), 0);
    crb_run(r, get_random, sizeof(get_random));
    CHECK_EQ(get(r, 0x8a, 2), 0x1000); /* 16 bytes, big endian */
    first = get(r, 0x8c, 4);
    crb_run(r, get_random, sizeof(get_random));
    CHECK(get(r, 0x8c, 4) != first);
    set(r, 0x82, 0xffffffff, 4); /* a length that makes no sense */
    set(r, 0x4c, 1, 4);
    CHECK(get(r, 0x86, 4) != 0);
    rig_save_load(r);
    CHECK_EQ(get(r, 0xc, 4), 1);
    rig_reset(r);
    CHECK_EQ(get(r, 0x44, 4), 2);
    rig_free(r);
    done();
}

static const struct test tests[] = {
    CASE_SLOW(tpm_tis, commands_by_the_fifo, 30),
    CASE_SLOW(tpm_tis, localities_ask_and_seize, 30),
    CASE_SLOW(tpm_crb, commands_in_a_buffer, 30),
};
TEST_MAIN(tests)
