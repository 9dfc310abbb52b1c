/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of conf_fill: each takes some options into struct conf. */
#ifndef APP_SYSTEM_CONF_PRIV_H
#define APP_SYSTEM_CONF_PRIV_H

#include "app/system/sys.h"

int conf_smp(struct sys *s, struct err *e);
int conf_memory(struct sys *s, struct err *e);
int conf_numa(struct sys *s, struct err *e); /* after conf_smp, conf_memory */
int conf_accel(struct sys *s, struct err *e);
int conf_rtc(struct sys *s, struct err *e);
int conf_boot(struct sys *s, struct err *e);
int conf_actions(struct sys *s, struct err *e);
int conf_globals(struct sys *s, struct err *e);
int conf_identity(struct sys *s, struct err *e); /* -name, -uuid */

char *conf_copy(const char *text); /* NULL stays NULL */

#endif
