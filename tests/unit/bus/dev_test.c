/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices and buses: how they are born, refused, found, saved and unplugged. */
#include "bus/machine.h"
#include "schema/keyval.h"
#include "tests/test.h"

#include <errno.h>

static char said[512];

static void say(const char *what, const struct dev *d)
{
    size_t n = strlen(said);

    snprintf(said + n, sizeof(said) - n, "%s:%s ", what, d->id ? d->id : d->type->name);
}

/* A bridge that offers a bus of two places, and cards with an address on it. */
struct bridge {
    struct dev dev;
    struct bus bus;
};

struct card {
    struct dev dev;
    uint64_t place; /* 0: any */
    bool fails;
    char *text;
    uint32_t reg, limit;
    uint8_t fifo[4];
    struct timer timer;
    uint32_t room;
    uint8_t *buf;
};

static struct card *card(struct dev *d)
{
    return (struct card *)d;
}

static int plug(struct bus *b, struct dev *d, struct err *e)
{
    for (struct dev *o = b->devs; o; o = o->next_on_bus)
        if (o != d && card(o)->place == card(d)->place)
            return err_set(e, -EBUSY, "place %u is taken", (unsigned)card(d)->place);
    say("plug", d);
    return 0;
}

static int placed(struct bus *b, struct dev *d, struct err *e)
{
    say("placed", d);
    return card(d)->place == 13 ? err_set(e, -EINVAL, "13 is unlucky") : 0;
}

static void unplug(struct bus *b, struct dev *d)
{
    say("unplug", d);
}

static int unplug_request(struct bus *b, struct dev *d, struct err *e)
{
    return card(d)->place == 2 ? 0 : 1;
}

static bool full(const struct bus *b)
{
    return b->devs && b->devs->next_on_bus;
}

static int bridge_init(struct dev *d, struct err *e)
{
    struct bridge *b = (struct bridge *)d;

    b->bus = (struct bus){.kind = "pci", .plug = plug, .placed = placed, .unplug = unplug,
                          .unplug_request = unplug_request, .full = full};
    bus_add(d, &b->bus, d->id ? d->id : "pci.0");
    return 0;
}

static void fires(void *opaque)
{
    say("timer", opaque);
}

static int card_init(struct dev *d, struct err *e)
{
    if (card(d)->fails)
        return err_set(e, -EIO, "init fails");
    timer_init(&card(d)->timer, d->m, CLK_VIRT, fires, d);
    card(d)->room = 3;
    card(d)->buf = calloc(1, 3);
    say("init", d);
    return 0;
}

static void card_reset(struct dev *d)
{
    say("reset", d);
    card(d)->reg = 0;
}

static void card_fini(struct dev *d)
{
    say("fini", d);
    timer_cancel(&card(d)->timer);
    free(card(d)->buf);
}

static int card_loaded(struct dev *d, int version, struct err *e)
{
    if (card(d)->limit > 4)
        return err_set(e, -EILSEQ, "limit %u, at most 4", card(d)->limit);
    irq_set(&d->irq[0], card(d)->reg != 0);
    return 0;
}

static const struct field card_props[] = {
    FIELD(card, place, F_U64, "place", NULL, "where"),
    FIELD(card, fails, F_BOOL, "fails", "off", NULL),
    FIELD(card, text, F_STR, "text", "none", NULL),
    FIELD_END,
};

static const struct state card_state[] = {
    STATE(card, reg, S_U32, 1, NULL),
    STATE(card, limit, S_U32, 1, NULL),
    STATE(card, fifo, S_U8, 1, NULL),
    STATE_TIMER(card, timer, 1, NULL),
    STATE_BYTES(card, buf, room, 16, 1, NULL),
    STATE_END,
};

static const struct dev_type bridge_type = {
    .name = "bridge", .class = DEV_BRIDGE, .size = sizeof(struct bridge), .init = bridge_init};
static const struct dev_type card_type = {
    .name = "card",
    .alias = "old-card",
    .bus = "pci",
    .size = sizeof(struct card),
    .props = card_props,
    .state = card_state,
    .state_version = 2,
    .init = card_init,
    .reset = card_reset,
    .fini = card_fini,
    .loaded = card_loaded,
};
static const struct dev_type drum_type = {.name = "drum", .bus = "scsi", .size = sizeof(struct dev)};
static const struct dev_type *const types[] = {&bridge_type, &card_type, &drum_type, NULL};

static struct machine *with_bridge(void)
{
    struct machine *m = machine_new(types, NULL);
    struct err e = {0};

    CHECK(dev_add(m, "bridge", NULL, NULL, &e));
    said[0] = 0;
    return m;
}

static void check_refused(struct machine *m, const char *type, const char *props, const char *why)
{
    struct err e = {0};

    CHECK(!dev_add(m, type, NULL, props, &e));
    CHECK_STR(e.msg, why);
}

TEST(dev, is_born_plugged_made_placed_and_ends_in_reverse)
{
    struct machine *m = with_bridge();
    struct err e = {0};
    struct dev *d = dev_add(m, "old-card", NULL, "id=a,place=1,text=hi", &e);

    CHECK_STR(said, "plug:a init:a placed:a ");
    CHECK(d && !d->hotplugged && dev_find(m, "a") == d && d->parent == bus_find(m, "pci.0"));
    CHECK_STR(card(d)->text, "hi");
    machine_reset(m);
    said[0] = 0;
    CHECK(dev_add(m, "card", "b", "place=3,bus=pci.0", &e)->hotplugged);
    CHECK_STR(said, "plug:b init:b reset:b placed:b ");
    said[0] = 0;
    machine_free(m);
    CHECK_STR(said, "unplug:b fini:b unplug:a fini:a ");
}

TEST(dev, a_bridge_takes_with_it_what_is_plugged_into_it)
{
    struct machine *m = with_bridge();
    struct err e = {0};

    dev_add(m, "bridge", "two", NULL, &e);
    CHECK(dev_add(m, "card", "a", "bus=two", &e));
    said[0] = 0;
    dev_free(dev_find(m, "two"));
    CHECK_STR(said, "unplug:a fini:a ");
    CHECK(!dev_find(m, "a") && !bus_find(m, "two"));
    machine_free(m);
}

TEST(dev, mistakes_are_refused_with_the_name_that_was_meant)
{
    struct machine *m = with_bridge();

    check_refused(m, "carb", NULL, "'carb' is not a valid device model name; did you mean 'card'?");
    check_refused(m, "card", "plaze=1", "Property 'card.plaze' not found; did you mean 'place'?");
    check_refused(m, "card", "fails=maybe", "Parameter 'fails' expects 'on' or 'off'");
    check_refused(m, "card", "bus=nix", "Bus 'nix' not found");
    check_refused(m, "bridge", "bus=pci.0", "Device 'bridge' can't go on PCI bus");
    check_refused(m, "drum", NULL, "No 'SCSI' bus found for device 'drum'");
    check_refused(m, "card", "id=1a",
                  "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', starting "
                  "with a letter");
    CHECK_STR(said, "");
    check_refused(m, "card", "fails=on", "init fails");
    check_refused(m, "card", "place=13,id=x", "13 is unlucky");
    CHECK_STR(said, "plug:card plug:x init:x placed:x fini:x ");
    CHECK(!dev_find(m, "x") && !bus_find(m, "pci.0")->devs);
    machine_free(m);
}

TEST(dev, ids_and_places_are_had_once)
{
    struct machine *m = with_bridge();
    struct err e = {0};

    CHECK(dev_add(m, "card", NULL, "id=a,place=1", &e));
    check_refused(m, "card", "id=a,place=2", "Duplicate ID 'a' for device");
    check_refused(m, "card", "id=b,place=1", "place 1 is taken");
    CHECK(dev_add(m, "card", NULL, "id=b,place=2", &e));
    check_refused(m, "card", "id=c,place=3", "No 'PCI' bus has room for device 'card'");
    CHECK(dev_add(m, "bridge", "two", NULL, &e));
    CHECK(dev_add(m, "card", "c", NULL, &e)->parent == bus_find(m, "two"));
    machine_free(m);
}

TEST(dev, globals_count_where_the_user_says_nothing)
{
    struct machine *m = with_bridge();
    struct err e = {0};

    dev_set_global(m, "card", "text", "first");
    dev_set_global(m, "card", "text", "second");
    dev_set_global(m, "drum", "nonsense", "1");
    CHECK_STR(card(dev_add(m, "card", NULL, "place=1", &e))->text, "second");
    CHECK_STR(card(dev_add(m, "card", NULL, "place=2,text=mine", &e))->text, "mine");
    dev_set_global(m, "card", "texd", "1");
    check_refused(m, "card", "bus=pci.0",
                  "can't apply global card.texd=1: Property 'card.texd' not found; did you mean "
                  "'text'?");
    machine_free(m);
}

TEST(dev, unplug_is_asked_for_or_done)
{
    struct machine *m = with_bridge();
    struct err e = {0};
    struct dev *a = dev_add(m, "card", "a", "place=1", &e), *b;

    CHECK_EQ(dev_unplug(a, &e), 0);
    CHECK(!dev_find(m, "a"));
    b = dev_add(m, "card", "b", "place=2", &e);
    CHECK_EQ(dev_unplug(b, &e), 0);
    CHECK(dev_find(m, "b") == b && b->going);
    CHECK_EQ(dev_unplug(b, &e), -EBUSY);
    CHECK_EQ(dev_unplug(b->parent->owner, &e), -ENOTSUP);
    CHECK_STR(e.msg, "Device 'bridge' does not support hotplugging");
    machine_free(m);
}

/* State --------------------------------------------------------------------------------------------- */

static struct machine *with_cards(void)
{
    struct machine *m = with_bridge();
    struct err e = {0};

    dev_add(m, "card", "a", "place=1", &e);
    dev_add(m, "card", NULL, "place=2", &e);
    machine_reset(m);
    return m;
}

static uint8_t *saved(size_t *len)
{
    struct machine *m = with_cards();
    struct card *a = card(dev_find(m, "a"));
    struct err e = {0};
    uint8_t *buf = NULL;

    a->reg = 0x12345678;
    irq_set(&a->dev.irq[0], true);
    a->fifo[3] = 9;
    a->buf[2] = 77;
    clock_step(m, 1000);
    timer_at(&a->timer, 1500);
    CHECK_EQ(machine_save(m, &buf, len, &e), 0);
    machine_free(m);
    return buf;
}

static unsigned edges;

static void edge(void *opaque, int n, bool level)
{
    edges++;
}

TEST(state, a_machine_made_anew_goes_on_where_the_other_was)
{
    size_t len;
    uint8_t *buf = saved(&len);
    struct machine *m = with_cards();
    struct card *a = card(dev_find(m, "a"));
    struct err e = {0};

    irq_connect(&a->dev.irq[0], (struct irq_in){.set = edge});
    edges = 0;
    CHECK_EQ(machine_load(m, buf, len, &e), 0);
    CHECK_EQ(edges, 0); /* the other end of the line has saved what it saw */
    CHECK(a->dev.irq[0].level);
    CHECK_EQ(a->reg, 0x12345678);
    CHECK_EQ(a->fifo[3], 9);
    CHECK_EQ(a->buf[2], 77);
    CHECK_EQ(clock_now(m, CLK_VIRT), 1000);
    said[0] = 0;
    clock_step(m, 499);
    CHECK_STR(said, "");
    clock_step(m, 1);
    CHECK_STR(said, "timer:a ");
    machine_free(m);
    free(buf);
}

TEST(state, what_does_not_fit_the_machine_is_refused)
{
    size_t len;
    uint8_t *buf = saved(&len);
    struct machine *m = with_bridge();
    struct err e = {0};

    dev_add(m, "card", "b", "place=1", &e);
    CHECK_EQ(machine_load(m, buf, len, &e), -ENOENT);
    CHECK_STR(e.msg, "state of 'a card': this machine has no such device");
    machine_free(m);
    m = with_cards();
    dev_add(m, "bridge", "more", NULL, &e);
    CHECK_EQ(machine_load(m, buf, len, &e), -EILSEQ);
    CHECK_STR(e.msg, "state of 'more bridge' is missing");
    machine_free(m);
    free(buf);
}

static void change(uint8_t *buf, size_t len, const char *what, size_t n, const char *to)
{
    uint8_t *at = memmem(buf, len, what, n);

    if (CHECK(at))
        memcpy(at, to, n);
}

TEST(state, what_a_device_does_not_believe_is_refused)
{
    size_t len;
    uint8_t *buf = saved(&len);
    struct machine *m = with_cards();
    struct err e = {0};

    change(buf, len, "limit\2\4\0\0\0\0", 11, "limit\2\4\0\0\0\5");
    CHECK_EQ(machine_load(m, buf, len, &e), -EILSEQ);
    CHECK_STR(e.msg, "state of 'a card': limit 5, at most 4");
    machine_free(m);
    free(buf);
}

TEST(state, damaged_streams_are_refused_and_break_nothing)
{
    size_t len;
    uint8_t *buf = saved(&len);

    for (size_t cut = 0; cut < len; cut++) {
        struct machine *m = with_cards();

        CHECK(machine_load(m, buf, cut, ERR_IGNORE) < 0);
        machine_free(m);
    }
    for (size_t at = 0; at < len; at++) {
        struct machine *m = with_cards();

        buf[at] ^= 0xff;
        machine_load(m, buf, len, ERR_IGNORE);
        buf[at] ^= 0xff;
        machine_free(m);
    }
    free(buf);
}

static void add_log(void *opaque, const char *text)
{
    ++*(unsigned *)opaque;
    snprintf(said, sizeof(said), "%s", text);
}

TEST(dev, reports_cannot_flood)
{
    struct machine *m = with_bridge();
    unsigned n = 0;

    machine_on_log(m, add_log, &n);
    for (int i = 0; i < 1000; i++)
        guest_error(bus_find(m, "pci.0")->owner, "bad offset %#x", i);
    CHECK_EQ(n, 11);
    CHECK_STR(said, "bridge: further reports are left out");
    machine_free(m);
}

TEST(machine, back_ends_are_found_by_kind_and_name)
{
    struct machine *m = with_bridge();
    struct err e = {0};

    CHECK_EQ(machine_add_backend(m, "drive", "a", "da", &e), 0);
    CHECK_EQ(machine_add_backend(m, "rng", "a", "ra", &e), 0);
    CHECK_EQ(machine_add_backend(m, "drive", "a", "x", &e), -EEXIST);
    CHECK_STR(e.msg, "Duplicate ID 'a' for drive");
    CHECK_STR(machine_backend(m, "rng", "a"), "ra");
    machine_del_backend(m, "drive", "a");
    CHECK(!machine_backend(m, "drive", "a"));
    machine_free(m);
}

TEST(machine, wishes_are_taken_once)
{
    struct machine *m = with_bridge();
    const char *why;

    machine_ask(m, ASK_RESET, "guest-reset");
    machine_ask(m, ASK_SHUTDOWN, "guest-shutdown");
    CHECK_EQ(machine_take_asks(m, &why), ASK_RESET | ASK_SHUTDOWN);
    CHECK_STR(why, "guest-shutdown");
    CHECK_EQ(machine_take_asks(m, &why), 0);
    machine_free(m);
}

static const struct test tests[] = {
    CASE(dev, is_born_plugged_made_placed_and_ends_in_reverse),
    CASE(dev, a_bridge_takes_with_it_what_is_plugged_into_it),
    CASE(dev, mistakes_are_refused_with_the_name_that_was_meant),
    CASE(dev, ids_and_places_are_had_once),
    CASE(dev, globals_count_where_the_user_says_nothing),
    CASE(dev, unplug_is_asked_for_or_done),
    CASE(state, a_machine_made_anew_goes_on_where_the_other_was),
    CASE(state, what_does_not_fit_the_machine_is_refused),
    CASE(state, what_a_device_does_not_believe_is_refused),
    CASE(state, damaged_streams_are_refused_and_break_nothing),
    CASE(dev, reports_cannot_flood),
    CASE(machine, back_ends_are_found_by_kind_and_name),
    CASE(machine, wishes_are_taken_once),
};
TEST_MAIN(tests)
