/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "gpio-key": a push button, closed for 100 ms at a time, longer than drivers wait for it to stop bouncing. */
#include "dev/gpio/gpio_key.h"

enum { PRESSED_NS = 100000000 };

struct gpio_key {
    struct dev dev;
    struct timer release;
};

static struct gpio_key *gpio_key_of(struct dev *d)
{
    return (struct gpio_key *)d;
}

/* Pressed while the timer runs: there is no other state. */
static void update(struct gpio_key *k)
{
    irq_set(&k->dev.irq[0], timer_armed(&k->release));
}

static void released(void *opaque)
{
    update(opaque);
}

void gpio_key_press(struct dev *d)
{
    struct gpio_key *k = gpio_key_of(d);

    timer_at(&k->release, clock_now(d->m, CLK_VIRT) + PRESSED_NS);
    update(k);
}

static void gpio_key_reset(struct dev *d)
{
    struct gpio_key *k = gpio_key_of(d);

    timer_cancel(&k->release);
    update(k);
}

static int gpio_key_init(struct dev *d, struct err *e)
{
    struct gpio_key *k = gpio_key_of(d);

    timer_init(&k->release, d->m, CLK_VIRT, released, k);
    return 0;
}

static void gpio_key_fini(struct dev *d)
{
    timer_cancel(&gpio_key_of(d)->release);
}

static int gpio_key_loaded(struct dev *d, int version, struct err *e)
{
    update(gpio_key_of(d));
    return 0;
}

static const struct state gpio_key_state[] = {
    STATE_TIMER(gpio_key, release, 1, "when the button is let go"),
    STATE_END,
};

const struct dev_type dev_gpio_key = {
    .name = "gpio-key",
    .help = "push button on a GPIO pin",
    .class = DEV_BOARD,
    .size = sizeof(struct gpio_key),
    .state = gpio_key_state,
    .state_version = 1,
    .init = gpio_key_init,
    .reset = gpio_key_reset,
    .fini = gpio_key_fini,
    .loaded = gpio_key_loaded,
};
