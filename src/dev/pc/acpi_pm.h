/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI's fixed hardware, as Intel's south bridges have it: PM1 events and control, the power management timer, general
 * purpose events, and the interrupt (SCI) that these make.
 * Sources: ACPI Specification 6.3, 4.8; Intel 82371AB data sheet 7.2; ICH9 data sheet 13.8.3.
 */
#ifndef DEV_PC_ACPI_PM_H
#define DEV_PC_ACPI_PM_H

#include "bus/machine.h"
#include "schema/state.h"

enum { PM_GPE_MAX = 8 /* bytes of status */ };
enum { PM_S5 = 0, PM_S3 = 1, PM_S4 = 2 /* SLP_TYP, which the board's tables tell */ };
/* General purpose events, which the board's tables name. */
enum { GPE_PCI = 1, GPE_CPU = 2, GPE_MEMORY = 3, GPE_GENERATION = 5 };

/** struct acpi_pm - embedded in the bridge.  Offsets from PMBASE: events 0, control 4, timer 8. */
struct acpi_pm {
    struct machine *m;
    uint16_t sts, en, cnt; /* PM1_STS, PM1_EN, PM1_CNT */
    uint64_t overflow;     /* the timer's ticks when TMR_STS is set next */
    uint8_t gpe_sts[PM_GPE_MAX], gpe_en[PM_GPE_MAX];
    uint8_t gpe_len;
    bool no_s3, no_s4;
    struct timer timer;
    struct irq_line sci;
    struct mem evt, ctl, tmr, gpe;
};

/** acpi_pm_init - @gpe_len: bytes of status, and as many to enable.  The registers' struct mem are made: the bridge maps them. */
void acpi_pm_init(struct acpi_pm *p, struct machine *m, unsigned gpe_len);
void acpi_pm_fini(struct acpi_pm *p);
/** acpi_pm_of - the machine's; NULL: it has none. */
struct acpi_pm *acpi_pm_of(struct machine *m);
void acpi_pm_reset(struct acpi_pm *p);
/** acpi_pm_loaded - state has arrived: the interrupt and the timer are what they say. */
void acpi_pm_loaded(struct acpi_pm *p);
/** acpi_pm_enable - firmware (the port of SMI commands) hands the hardware over to the system, or takes it back: SCI_EN. */
void acpi_pm_enable(struct acpi_pm *p, bool on);
/** acpi_pm_power_button - it is pressed.  acpi_pm_gpe - event @n happens. */
void acpi_pm_power_button(struct acpi_pm *p);
void acpi_pm_gpe(struct acpi_pm *p, unsigned n);

extern const struct state acpi_pm_state[];
#define ACPI_PM_STATE(type, m)                                                                     \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(struct acpi_pm), .since = 1, .table = acpi_pm_state                         \
    }

#endif
