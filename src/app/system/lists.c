/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "-device help" and its like print on standard output. */
#include "app/system/objects.h"
#include "block/driver.h"
#include "dev/devices.h"
#include "guest/aarch64/aarch64.h"
#include "guest/x86/system.h"
#include "schema/keyval.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void list_fields(const char *name, const struct field *table)
{
    printf(table && table->name ? "%s options:\n" : "There are no options for %s.\n", name);
    for (const struct field *f = table; f && f->name; f++) {
        char type[32], left[64];

        snprintf(type, sizeof(type), "%s", field_type_name(f));
        type[strcspn(type, " ")] = 0;
        snprintf(left, sizeof(left), "%s=<%s>", f->name, type);
        if (f->help || f->def)
            printf("  %-22s - %s", left, f->help ? f->help : "");
        else
            printf("  %s", left);
        printf(f->def ? "%s(default: %s)\n" : "\n", f->help ? " " : "", f->def);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct dev_type *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void list_class(struct machine *m, const struct dev_type *const *types, unsigned n,
                       enum dev_class class, const char *title)
{
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        const struct dev_type *t = types[i];
        char bus[32];

        if (t->class != class)
            continue;
        if (!any)
            printf("%s%s devices:\n", class == DEV_BRIDGE ? "" : "\n", title);
        any = true;
        printf("name \"%s\"", t->name);
        if (t->bus) {
            bool shout = !strcmp(t->bus, "pci") || !strcmp(t->bus, "scsi") || !strcmp(t->bus, "isa") ||
                         !strcmp(t->bus, "ide");

            snprintf(bus, sizeof(bus), "%s", t->bus);
            for (char *p = bus; shout && *p; p++)
                *p = (char)toupper((unsigned char)*p);
            printf(", bus %s", bus);
        }
        if (t->alias)
            printf(", alias \"%s\"", t->alias);
        if (t->help)
            printf(", desc \"%s\"", t->help);
        printf("\n");
    }
}

static void list_devices(struct sys *s)
{
    static const char *const titles[] = {
        [DEV_BRIDGE] = "Controller/Bridge/Hub", [DEV_USB] = "USB",     [DEV_STORAGE] = "Storage",
        [DEV_NETWORK] = "Network",              [DEV_INPUT] = "Input", [DEV_DISPLAY] = "Display",
        [DEV_SOUND] = "Sound",                  [DEV_MISC] = "Misc",   [DEV_CPU] = "CPU",
        [DEV_WATCHDOG] = "Watchdog",
    };
    const struct dev_type *const *types = dev_types();
    const struct dev_type **sorted;
    unsigned n = 0;

    while (types[n])
        n++;
    if (!(sorted = malloc((n + 1) * sizeof(*sorted))))
        fatal("out of memory");
    memcpy(sorted, types, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (unsigned c = 0; c < DEV_BOARD; c++)
        list_class(s->m, (const struct dev_type *const *)sorted, n, (enum dev_class)c, titles[c]);
    free(sorted);
}

static int list_device(struct sys *s, const char *name, struct err *e)
{
    const struct dev_type *t = dev_type_find(s->m, name);

    if (!t)
        return dev_new(s->m, name, NULL, NULL, NULL, e) ? 0 : e->code; /* says what is near */
    list_fields(t->name, t->props);
    return 0;
}

/* How much of a machine's name is its family: "pc-q35" of "pc-q35-7.2". */
static int family(const char *name)
{
    const char *dash = strrchr(name, '-');

    return dash && dash[1] >= '0' && dash[1] <= '9' ? (int)(dash - name) : (int)strlen(name);
}

/* As QEMU has them: PCs by families, in each the newest first as far as strings tell ("2.9", "2.12", "2.10"); the others by name. */
static int by_family(const void *x, const void *y)
{
    const struct board *a = *(const struct board *const *)x, *b = *(const struct board *const *)y;
    bool pc_a = a->arch && !strcmp(a->arch, "x86"), pc_b = b->arch && !strcmp(b->arch, "x86");
    int m = family(a->name), n = family(b->name), r = strncmp(a->name, b->name, m < n ? m : n);

    if (pc_a != pc_b)
        return pc_a ? -1 : 1;
    if (!pc_a)
        return strcmp(a->name, b->name);
    if (r || m != n)
        return r ? r : m - n;
    return strcmp(b->name, a->name);
}

static void list_machines(struct sys *s)
{
    const struct board **sorted;
    size_t n = 0;

    for (const struct board *const *b = boards; *b; b++)
        n++;
    if (!(sorted = calloc(n, sizeof(*sorted))))
        fatal("out of memory");
    memcpy(sorted, boards, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_family);
    printf("Supported machines are:\n");
    for (size_t i = 0; i < n; i++) {
        const struct board *b = sorted[i];

        if (!board_is_of(b, s->arch))
            continue;
        if (b->alias)
            printf("%-20s %s (alias of %s)\n", b->alias, b->help, b->name);
        printf("%-20s %s%s%s\n", b->name, b->help, b->is_default ? " (default)" : "", b->deprecated ? " (deprecated)" : "");
    }
    free(sorted);
}

static void list_x86_cpus(void)
{
    printf("Available CPUs:\n");
    x86_print_models(stdout);
}

static void list_cpus(void)
{
    printf("Available CPUs:\n");
    for (int i = 0; a64_model_name(i); i++)
        printf("  %s\n", a64_model_name(i));
}

static void list_chardevs(void)
{
    printf("Available chardev backend types: \n");
    for (const char *const *t = chr_type_names(); *t; t++)
        printf("  %s\n", *t);
}

static void list_words(const char *title, const char *const *words)
{
    printf("%s\n", title);
    for (; *words; words++)
        printf("%s\n", *words);
}

static bool wants_models(const char *text)
{
    const char *m = strncmp(text, "model=", 6) == 0 ? text : strstr(text, ",model=");

    return m && (m = strchr(m, '=') + 1) && (*m == '?' || strncmp(m, "help", 4) == 0);
}

/* model=help of -nic and -net. */
static void list_nics(void)
{
    printf("Supported NIC models:\n");
    for (const struct dev_type *const *t = dev_types(); *t; t++)
        if ((*t)->class == DEV_NETWORK && (*t)->bus && !strcmp((*t)->bus, "pci"))
            printf("%s\n", (*t)->name);
    printf("virtio\n");
}

static bool wants(const char *word)
{
    return word && (!strcmp(word, "help") || !strcmp(word, "?"));
}

/* "-drive format=help": in the words of qemu-img -h. */
static void list_formats(void)
{
    printf("Supported formats:");
    for (const struct blk_driver *const *d = blk_drivers; *d; d++)
        printf(" %s", (*d)->name);
    printf("\n");
}

/* "-device help", "-device NAME,help": the first word, and the rest. */
static bool list_of(struct sys *s, const struct entry *x, struct err *e)
{
    static const char *const accels[] = {"tcg", NULL}, *const displays[] = {"none",
#ifdef HAVE_LIBVNCSERVER
        "vnc",
#endif
        NULL};
    const struct group *g = x->group;
    const char *first = g->implied ? keyval_string(x->opts, g->implied) : NULL;
    bool more = json_object_object_get_ex(x->opts, "help", NULL);

    if ((g == &group_nic || g == &group_net) && x->text && wants_models(x->text)) {
        list_nics();
        return true;
    }
    if (g == &group_drive && wants(keyval_string(x->opts, "format"))) {
        list_formats();
        return true;
    }
    if (!wants(first) && !more)
        return false;
    if (g == &group_device && more && first)
        list_device(s, first, e);
    else if (g == &group_device)
        list_devices(s);
    else if (g == &group_machine && more && first && board_find(s->arch, first, e))
        list_fields(board_find(s->arch, first, e)->name, board_find(s->arch, first, e)->props);
    else if (g == &group_machine)
        list_machines(s);
    else if (g == &group_cpu)
        strcmp(s->arch, "aarch64") == 0 ? list_cpus() : list_x86_cpus();
    else if (g == &group_accel)
        list_words("Accelerators supported in QEMU binary:", accels);
    else if (g == &group_display)
        list_words("Available display backend types:", displays);
    else if (g == &group_object && more && first && object_fields(first))
        list_fields(first, object_fields(first));
    else if (g == &group_object)
        objects_list();
    else if (g == &group_chardev)
        list_chardevs();
    else if (g == &group_netdev)
        list_words("Available netdev backend types:", net_type_names());
    else if (g->keys && g != &group_trace && wants(first)) {
        printf("%s options:\n", g->name);
        for (const char *const *k = g->keys; *k; k++)
            printf("  %s=<str>\n", *k);
    } else
        return false;
    return true;
}

bool lists_print(struct sys *s, struct err *e)
{
    if (firmware_list(&s->cli))
        return true;
    for (struct entry *x = s->cli.entries; x; x = x->next)
        if (list_of(s, x, e)) {
            if (e->code)
                entry_fail(x, e);
            return true;
        }
    return false;
}
