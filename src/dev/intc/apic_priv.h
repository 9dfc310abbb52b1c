/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APICs' state, for apic.c and apic_timer.c. */
#ifndef DEV_INTC_APIC_PRIV_H
#define DEV_INTC_APIC_PRIV_H

#include "dev/intc/apic.h"

#include "bus/machine.h"

#include <pthread.h>

enum { BASE_BSP = 1 << 8, BASE_X2 = 1 << 10, BASE_ON = 1 << 11, BASE_ADDRESS = 0xfee00000u >> 12 };
enum { SVR_ON = 1 << 8 };
enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVT };
enum { L_VECTOR = 0xff, L_MODE = 7 << 8, L_LEVEL = 1 << 15, L_MASK = 1 << 16, L_PERIODIC = 1 << 17, L_DEADLINE = 2 << 17, L_TMODE = 3 << 17 };
enum { MODE_FIXED, MODE_LOWEST, MODE_SMI, MODE_NMI = 4, MODE_INIT, MODE_SIPI, MODE_EXTINT };
enum { ESR_SEND_ILLEGAL = 1 << 5, ESR_RECEIVE_ILLEGAL = 1 << 6, ESR_REGISTER = 1 << 7 };
enum { VERSION = 0x14 | (N_LVT - 1) << 16 };
enum { MAX_CPUS = 288 };

/* Register numbers: offset / 16, or MSR less 800h. */
enum {
    R_ID = 2, R_VERSION = 3, R_TPR = 8, R_APR = 9, R_PPR = 10, R_EOI = 11, R_LDR = 13, R_DFR = 14, R_SVR = 15, R_ISR = 16, R_TMR = 24,
    R_IRR = 32, R_ESR = 40, R_ICR = 48, R_ICR2 = 49, R_LVT = 50, R_INITIAL = 56, R_CURRENT = 57, R_DIVIDE = 62, R_SELF = 63,
};

struct apics;

/* [lock of all] but for what says otherwise */
struct apic {
    struct apics *all;
    struct apic_cpu cpu; /* constant */
    uint32_t index, id;  /* constant */
    bool there;          /* its CPU is */
    bool intr;           /* as the CPU was told */
    uint64_t base, icr, deadline;
    int64_t started;     /* when the count began, ns */
    uint32_t tpr, ldr, dfr, svr, esr, esr_new, initial, divide;
    uint32_t isr[8], tmr[8], irr[8], lvt[N_LVT];
    struct timer timer;
};

struct apics {
    struct dev dev;
    uint64_t max_cpus; /* property */
    uint32_t n;        /* = max_cpus, for saved state */
    struct apic *a;
    pthread_mutex_t lock;
    bool pic; /* INT is up */
    unsigned turn; /* lowest priority: who was last */
    int (*pic_ack)(void *opaque);
    void *pic_opaque;
    void (*eoi)(void *opaque, uint8_t vector);
    void *eoi_opaque;
};

void apic_pend(struct apic *a, uint8_t vector, bool level); /* [lock] a vector waits */

/* apic_timer.c [lock].  apic_start - the count begins now.  apic_arm - when it fires next.  apic_fire - of the timer; takes the lock. */
int64_t apic_now(const struct apic *a);
uint32_t apic_count(const struct apic *a);
void apic_start(struct apic *a);
void apic_arm(struct apic *a);
void apic_fire(void *opaque);

#endif
