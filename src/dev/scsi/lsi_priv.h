/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LSI53C895A in three parts: registers and interrupts (lsi53c895a.c), the SCRIPTS processor (lsi_scripts.c), the SCSI bus with its
 * phases, as the chip sees it (lsi_target.c).
 * Source: LSI Logic, "LSI53C895A PCI to Ultra2 SCSI Controller Technical Manual", version 2.2: chapter 4, registers; chapter 5, SCRIPTS.
 *
 * Everything is under the machine's lock; commands run on threads (scsi_jobs.h).
 */
#ifndef DEV_SCSI_LSI_PRIV_H
#define DEV_SCSI_LSI_PRIV_H

#include "base/bytes.h"
#include "base/trace.h"
#include "dev/pci/pci.h"
#include "dev/scsi/scsi_jobs.h"

/* Registers, chapter 4.2. */
enum {
    SCNTL0 = 0x00, SCNTL1, SCNTL2, SCNTL3, SCID, SXFER, SDID, GPREG, SFBR, SOCL, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2,
    DSA = 0x10, ISTAT0 = 0x14, ISTAT1, MBOX0, MBOX1, CTEST0, CTEST1, CTEST2, CTEST3, TEMP = 0x1c, DFIFO = 0x20, CTEST4, CTEST5, CTEST6,
    DBC = 0x24, DCMD = 0x27, DNAD = 0x28, DSP = 0x2c, DSPS = 0x30, SCRATCHA = 0x34, DMODE = 0x38, DIEN, SBR, DCNTL, ADDER = 0x3c,
    SIEN0 = 0x40, SIEN1, SIST0, SIST1, SLPAR, SWIDE, MACNTL, GPCNTL, STIME0, STIME1, RESPID0, RESPID1, STEST0, STEST1, STEST2, STEST3,
    STEST4 = 0x52, CCNTL0 = 0x56, CCNTL1, SBDL = 0x58, SCRATCHB = 0x5c, SCRATCHC = 0x60,
    MMRS = 0xa0, MMWS = 0xa4, SFS = 0xa8, DRS = 0xac, SBMS = 0xb0, DBMS = 0xb4, DNAD64 = 0xb8,
    PMJAD1 = 0xc0, PMJAD2 = 0xc4, RBC = 0xc8, UA = 0xcc, ESA = 0xd0, IA = 0xd4, SBC = 0xd8, CSBC = 0xdc, LSI_REGS = 0x100
};
enum { SCNTL1_RST = 8, SCNTL1_CON = 0x10, SCNTL2_SDU = 0x80 };
enum { DSTAT_IID = 1, DSTAT_SIR = 4, DSTAT_SSI = 8, DSTAT_ABRT = 0x10, DSTAT_BF = 0x20, DSTAT_DFE = 0x80 };
enum { SIST0_RST = 2, SIST0_UDC = 4, SIST0_CMP = 0x40, SIST0_MA = 0x80, SIST1_GEN = 2, SIST1_STO = 4 };
enum { ISTAT_DIP = 1, ISTAT_SIP = 2, ISTAT_INTF = 4, ISTAT_CON = 8, ISTAT_SEM = 0x10, ISTAT_SIGP = 0x20, ISTAT_SRST = 0x40, ISTAT_ABRT = 0x80 };
enum { DMODE_MAN = 1, DCNTL_IRQD = 2, DCNTL_STD = 4, DCNTL_SSM = 0x10 };
enum { CCNTL0_PMJCTL = 0x40, CCNTL0_ENPMJ = 0x80, CCNTL1_EN64DBMV = 1, CCNTL1_EN64TIBMV = 2, CCNTL1_64TIMOD = 4 };
/* Phases, as MSG, C/D and I/O say them. */
enum { PHASE_DATA_OUT, PHASE_DATA_IN, PHASE_COMMAND, PHASE_STATUS, PHASE_MSG_OUT = 6, PHASE_MSG_IN = 7 };

enum lsi_run { LSI_STOPPED, LSI_RUNNING, LSI_WAITS_RESELECT, LSI_WAITS_TARGET };
/* What comes when the initiator has taken the message. */
enum lsi_after { LSI_BACK, LSI_BUS_FREE };

enum { LSI_RAM = 8192, LSI_MSG = 32, LSI_CDB = 16, LSI_DATA_MAX = 64 << 20, LSI_STATE_MAX = LSI_DATA_MAX };

/* What is connected: a target that has been selected. */
struct lsi_link {
    bool connected, atn;
    bool busy;   /* the target works: it requests nothing */
    bool taken;  /* the message has been read, and ACK is still asserted */
    bool again;  /* the command begins anew when the machine runs */
    uint8_t target, lun, phase, back, after;
    uint8_t out_n, cdb_n, msg_n, msg_at, status;
    uint8_t out[LSI_MSG], cdb[LSI_CDB], msg[LSI_MSG];
    bool to_target; /* the direction of data */
    uint32_t at;    /* data that has been moved, of */
    uint32_t len;
};

struct lsi {
    struct pci_dev pci;
    struct scsi_bus bus;
    struct mem io, mmio, ram_mem;
    struct timer gen;    /* general purpose timer */
    struct timer resume; /* SCRIPTS go on: they ran for long, or were held */
    uint8_t reg[LSI_REGS];
    uint8_t ram[LSI_RAM];
    uint8_t run; /* enum lsi_run */
    bool carry;
    bool selecting;    /* a target that is not there */
    uint32_t waits_in; /* the instruction that waits */
    struct lsi_link link;
    struct state_blob data; /* of the command: as much as link.len says, or less than that when it is saved */

    /* Not saved. */
    bool executing, held;
    bool reset_chip, reset_bus; /* by SCRIPTS themselves: when the instruction is done */
    uint32_t pause; /* ns */
    struct scsi_jobs jobs;
    struct scsi_job job;
    struct iovec iov;
};

enum { TP_LSI_INSN, TP_LSI_COMMAND, TP_LSI_IRQ };
extern struct trace_point lsi_trace[];

static inline uint32_t lsi_get(const struct lsi *s, unsigned reg)
{
    return get_le32(s->reg + reg);
}
static inline void lsi_set(struct lsi *s, unsigned reg, uint32_t v)
{
    put_le32(s->reg + reg, v);
}

/* lsi53c895a.c.  A register of one byte, with its effects. */
uint8_t lsi_reg_read(struct lsi *s, uint8_t reg);
void lsi_reg_write(struct lsi *s, uint8_t reg, uint8_t v);
/** lsi_dma_irq, lsi_scsi_irq - bits of DSTAT; of SIST0 and SIST1 << 8.  What is fatal stops SCRIPTS. */
void lsi_dma_irq(struct lsi *s, uint8_t bits);
void lsi_scsi_irq(struct lsi *s, uint16_t bits);
void lsi_update_irq(struct lsi *s);
/** lsi_resets - those that SCRIPTS have asked for. */
void lsi_resets(struct lsi *s);
/** lsi_read, lsi_write - memory as the chip sees it, itself included; false: a bus fault, which has been told. */
bool lsi_read(struct lsi *s, uint64_t at, void *buf, uint32_t len);
bool lsi_write(struct lsi *s, uint64_t at, const void *buf, uint32_t len);

/* lsi_scripts.c.  lsi_execute - go on from DSP, for a while.  lsi_go_on - from the instruction that has waited. */
void lsi_execute(struct lsi *s);
void lsi_go_on(struct lsi *s);

/* lsi_target.c.  lsi_select - false: nobody answers. */
bool lsi_select(struct lsi *s, uint8_t target, bool atn);
/** lsi_hear - the initiator is about to send a message. */
void lsi_hear(struct lsi *s);
/** lsi_wants - how many bytes the target takes or gives in this phase.  lsi_move - @n of them (at most that) from or to guest memory;
 * *@first: the first one. */
uint32_t lsi_wants(const struct lsi *s);
bool lsi_move(struct lsi *s, uint64_t at, uint32_t n, uint8_t *first);
/** lsi_out_ends - the initiator has nothing more to say in this phase. */
void lsi_out_ends(struct lsi *s);
/** lsi_ack - ACK is deasserted: what follows a message comes. */
void lsi_ack(struct lsi *s);
/** lsi_drop - nobody is connected any more, and nothing is told. */
void lsi_drop(struct lsi *s);
/** lsi_command - the job, from the CDB in s->link. */
void lsi_command(struct lsi *s);

#endif
