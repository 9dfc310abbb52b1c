/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI commands for a disk and a CD: any command ends with a status, and touches only its buffers.  Input: records of unit
 * (bit 0), length of the answer's buffer (16 bits), the command (16 bytes), length of its data (8 bits), data.
 */
#include "block/drive.h"
#include "block/env.h"
#include "bus/machine.h"
#include "dev/devices.h"
#include "dev/scsi/scsi.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { DISK = 1 << 18, HEAD = 20, MAX_IN = 1 << 16 };

static struct machine *m;
static struct drive drives[2] = {{.id = "d0", .serial = "S"}, {.id = "d1"}};

static void make(void)
{
    struct blk_env *env = blk_env_new(NULL, NULL);
    uint8_t *bytes = calloc(1, DISK);
    struct err e = {0};

    m = machine_new(dev_types(), NULL);
    for (int i = 0; i < 2; i++) {
        drives[i].blk = blk_open_bytes(env, "raw", bytes, DISK, i ? 0 : BLK_RDWR | BLK_UNMAP, &e);
        if (!drives[i].blk || machine_add_backend(m, "drive", drives[i].id, &drives[i], &e) < 0)
            bug("%s", e.msg);
    }
    machine_lock(m);
    if (!dev_add(m, "virtio-mmio", "slot", NULL, &e) ||
        !dev_add(m, "virtio-scsi-device", "s", NULL, &e) ||
        !dev_add(m, "scsi-hd", "hd", "drive=d0,wwn=81985529216486895", &e) ||
        !dev_add(m, "scsi-cd", "cd", "drive=d1", &e))
        bug("%s", e.msg);
    machine_unlock(m);
    free(bytes);
}

static void one(const uint8_t *r, const uint8_t *out, size_t out_len)
{
    size_t in_len = (size_t)(r[1] | r[2] << 8);
    uint8_t *in = malloc(in_len + 1), *copy = malloc(out_len + 1);
    struct iovec to[2] = {{in, in_len / 2}, {in + in_len / 2, in_len - in_len / 2}};
    struct iovec from = {copy, out_len};
    struct scsi_cmd c = {.out = &from,
                         .n_out = out_len > 0,
                         .out_len = out_len,
                         .in = to,
                         .n_in = 2,
                         .in_len = in_len};

    if (!in || !copy)
        abort();
    memcpy(copy, out, out_len); /* of its exact size: sanitizers see what is read behind it */
    memcpy(c.cdb, r + 3, 16);
    if (scsi_bus_run((struct scsi_bus *)bus_find(m, "s.0"), 0, r[0] & 1, r[0] >> 6, &c) &&
        (c.moved > in_len + out_len || (c.status != SCSI_GOOD && c.status != SCSI_CHECK_CONDITION)))
        bug("status %u, %zu bytes moved", c.status, (size_t)c.moved);
    free(in);
    free(copy);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    if (!m)
        make();
    while (len >= HEAD) {
        size_t k = data[HEAD - 1];

        k = k < len - HEAD ? k : len - HEAD;
        one(data, data + HEAD, k);
        data += HEAD + k;
        len -= HEAD + k;
    }
    return 0;
}
