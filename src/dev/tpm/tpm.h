/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TPM that another program is: swtpm, at the other end of a UNIX socket (-tpmdev emulator). Devices (tpm-tis, tpm-crb) hand it commands.
 * Sources: swtpm_ioctls(3), control channel; TCG TPM 2.0 Library, Part 1 (command header); TCG TPM Main 1.2, Part 2.
 *
 * Under the machine's lock.  Answers come on the main loop; without one (tests) at once.
 */
#ifndef DEV_TPM_TPM_H
#define DEV_TPM_TPM_H

#include "bus/dev.h"

#define TPM_BASE 0xfed40000u /* where PCs have it */
enum { TPM_BUFFER = 4096, TPM_HEADER = 10, TPM_LOG = 65536 };

struct tpm;

/** tpm_open - @control (owned from now on, also after a failure) leads to the control channel.  NULL with a message: nobody answers in time,
 * refuses, or is no TPM. */
struct tpm *tpm_open(struct machine *m, int control, struct err *e);
void tpm_close(struct tpm *t);
/** tpm_is_2 - TPM 2.0, not 1.2. */
bool tpm_is_2(const struct tpm *t);
/** tpm_start - as at power-on, with buffers of @size bytes: what was under way is forgotten. */
int tpm_start(struct tpm *t, uint32_t size, struct err *e);
/**
 * tpm_run - the command in @buf, of @len bytes (at least TPM_HEADER), as from @locality.  @done(opaque, n) once the answer of @n bytes, at most
 * TPM_BUFFER, is in @buf, which stays where it is.  One at a time.  When the other end is gone the answer is a failure.
 */
void tpm_run(struct tpm *t, unsigned locality, uint8_t *buf, size_t len, void (*done)(void *opaque, size_t n), void *opaque);
bool tpm_busy(const struct tpm *t);
/** tpm_cancel - the command that runs: its answer comes early. */
void tpm_cancel(struct tpm *t);

/** struct tpm_dev - a device with registers at TPM_BASE; its structure begins with this one. */
struct tpm_dev {
    struct dev dev;
    struct tpm *tpm;
    struct mem regs;
    char *tpmdev; /* properties: TPM_FIELDS */
    bool ppi;
};
#define TPM_FIELDS(type, m)                                                                        \
    FIELD(type, m.tpmdev, F_STR, "tpmdev", NULL, "ID of the back end (-tpmdev)"),                  \
        FIELD(type, m.ppi, F_BOOL, "ppi", "off", "physical presence interface")

static inline struct tpm_dev *tpm_of(const struct dev *d)
{
    return (struct tpm_dev *)d;
}

/** tpm_dev_init - takes the back end that tpmdev= names, which no other device has, and shows @size bytes of registers.  -EINVAL, -ENOENT, -EBUSY
 * with a message.  tpm_dev_reset - the TPM starts anew, with buffers of @size bytes, unless the machine only wakes. */
int tpm_dev_init(struct tpm_dev *t, const char *name, uint64_t size, const struct mmio_ops *ops, struct err *e);
void tpm_dev_reset(struct tpm_dev *t, uint32_t size);
void tpm_dev_fini(struct dev *d);

#endif
