/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The AHCI controller: registers (ahci.c) and commands (ahci_cmd.c).  Serial ATA AHCI 1.3.1.
 *
 * Threads: all under the machine's lock, but for ata_run(), which a port's own thread calls without it.  h->lock is
 * inner: it guards kicked, in_io and gone, on which threads wait.  A command whose thread comes back after a reset, or
 * while the machine stands still, is not completed: the reset has forgotten it, or it is done again.  So is one that the host's
 * disk could not do, when the machine stops for that.
 */
#ifndef DEV_IDE_AHCI_PRIV_H
#define DEV_IDE_AHCI_PRIV_H

#include "base/trace.h"
#include "dev/ide/ata.h"
#include "dev/pci/pci.h"

#include <pthread.h>

enum { AHCI_PORTS = 6, AHCI_SLOTS = 32, AHCI_MAX_IOV = 1024 };

struct ahci;
struct ahci_port {
    struct ide_bus bus; /* first: a bus's port */
    struct ahci *h;
    uint32_t clb, clbu, fb, fbu, is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci;
    bool failed;     /* until the guest clears PxCMD.ST */
    bool soft_reset; /* SRST is set */
    uint32_t epoch;  /* of resets */
    pthread_t thread;
    bool has_thread, kicked, in_io;
    bool waits; /* for the machine to stop and run on: the host's disk failed */
    struct iovec iov[AHCI_MAX_IOV];
};

struct ahci {
    struct pci_dev pci;
    struct mem regs, index;
    uint32_t ghc, is, index_at;
    struct ahci_port port[AHCI_PORTS];
    pthread_mutex_t lock;
    pthread_cond_t wake, calm;
    bool gone, stopped;
    unsigned resumes; /* how often the machine has begun to run */
};

enum {
    PORT_DHRS = 1 << 0,
    PORT_PSS = 1 << 1,
    PORT_SDBS = 1 << 3,
    PORT_PCS = 1 << 6,
    PORT_TFES = 1 << 30,
    CMD_ST = 1 << 0,
    CMD_CLO = 1 << 3,
    CMD_FRE = 1 << 4,
    CMD_CCS = 0x1f << 8,
    CMD_FR = 1 << 14,
    CMD_CR = 1 << 15,
};

extern struct trace_point ahci_trace[];
enum { AHCI_TP_COMMAND, AHCI_TP_DONE, AHCI_TP_RESET };

void ahci_update_irq(struct ahci *h);
/** ahci_kick - the port's thread looks for commands.  ahci_forget - what it does is told to nobody.
 * ahci_drain - it is in no disk when this returns. */
void ahci_kick(struct ahci_port *p);
void ahci_forget(struct ahci_port *p);
void ahci_drain(struct ahci_port *p);
void ahci_join(struct ahci *h);
/** ahci_signature - the disk tells that it is there. */
void ahci_signature(struct ahci_port *p);

#endif
