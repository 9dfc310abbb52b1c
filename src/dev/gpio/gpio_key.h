/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "gpio-key": a push button on a GPIO pin.  dev->irq[0] is high while it is pressed. */
#ifndef DEV_GPIO_GPIO_KEY_H
#define DEV_GPIO_GPIO_KEY_H

#include "bus/dev.h"

/** gpio_key_press - a short push. */
void gpio_key_press(struct dev *d);

#endif
