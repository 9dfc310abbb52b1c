/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a guest program: #! lines, the program's segments, its interpreter, the vDSO
 * (execve(2); System V ABI chapter 5).  elf.c checks the headers first.
 */
#include "cpu/tcache.h"
#include "user/elf.h"
#include "user/mm.h"
#include "user/path.h"
#include "user/script.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 4096 };

/* struct program - a file being loaded. */
struct program {
    int fd;
    const char *path; /* for messages and as opened */
    uint64_t size;
    struct elf elf;
    uint64_t bias;
};

/* --- reading -----------------------------------------------------------------------------------*/

static int check_file(struct program *g, struct err *e)
{
    struct stat st;

    if (fstat(g->fd, &st) < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(e, -EISDIR, "is a directory");
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EACCES, "not a regular file");
    if (!(st.st_mode & 0111))
        return err_set(e, -EACCES, "permission denied (no execute permission)");
    g->size = (uint64_t)st.st_size;
    return 0;
}

static int open_program(struct program *g, struct err *e)
{
    if (g->fd < 0)
        g->fd = open(g->path, O_RDONLY | O_CLOEXEC);
    if (g->fd < 0)
        return err_set(e, -errno, "%s", strerror(errno));
    return check_file(g, e);
}

/* Read the headers, more than @head when the program headers are further in the file. */
static int read_headers(struct program *g, const uint8_t *head, size_t len, const struct user_abi *abi,
                        struct err *e)
{
    long want = elf_parse(head, len, g->size, abi->machine, &g->elf, e);
    uint8_t *more;
    ssize_t got;

    if (want <= 0)
        return (int)want;
    more = malloc((size_t)want);
    if (!more)
        return err_set(e, -ENOMEM, "out of memory");
    got = pread(g->fd, more, (size_t)want, 0);
    want = elf_parse(more, got < 0 ? 0 : (size_t)got, g->size, abi->machine, &g->elf, e);
    free(more);
    if (want > 0)
        return err_set(e, -EIO, "the file is cut short");
    return (int)want;
}

/* Whether the file wants branch targets checked. */
static void read_property(struct program *g)
{
    uint8_t note[1024];
    ssize_t n = 0;

    if (g->elf.property_len && g->elf.machine == EM_AARCH64)
        n = pread(g->fd, note, g->elf.property_len, (off_t)g->elf.property_off);
    if (n > 0)
        elf_property(&g->elf, note, (size_t)n);
}

/* --- mapping -----------------------------------------------------------------------------------*/

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The part of a segment that is not in the file: zeros. */
static int64_t map_bss(struct process *p, const struct elf_segment *s, uint64_t start, int prot)
{
    uint64_t zero = start + s->filesz, end = start + s->memsz, from = page_up(zero);

    /* Up to the end of the page, past the end of the segment too: ld.so allocates from there. */
    if (s->filesz && from > zero && (prot & PROT_WRITE))
        memset(mm_host(p, zero), 0, from - zero);
    if (!s->filesz)
        from = start & PAGE_MASK;
    if (page_up(end) <= from)
        return 0;
    return mm_mmap(p, from, page_up(end) - from, prot, ANON | MAP_FIXED, -1, 0);
}

static int64_t map_segment(struct process *p, const struct program *g, const struct elf_segment *s)
{
    uint64_t start = s->vaddr + g->bias, in_page = s->vaddr & ~PAGE_MASK;
    int prot = s->prot;
    int64_t r = 0;

    if (g->elf.bti && (prot & PROT_EXEC))
        prot |= GUEST_PROT_BTI;
    if (s->filesz)
        r = mm_mmap(p, start - in_page, s->filesz + in_page, prot, MAP_PRIVATE | MAP_FIXED, g->fd,
                    s->offset - in_page);
    if (r >= 0 && s->memsz > s->filesz)
        r = map_bss(p, s, start, prot);
    return r < 0 ? r : 0;
}

static int64_t map_at(struct process *p, struct program *g, uint64_t base)
{
    int64_t r = 0;

    g->bias = base - g->elf.low;
    for (unsigned i = 0; i < g->elf.n && r == 0; i++)
        r = map_segment(p, g, &g->elf.seg[i]);
    if (r < 0)
        mm_munmap(p, base, page_up(g->elf.high - g->elf.low));
    return r;
}

/* A position-independent program: at the PIE base, or above it when something is there. */
static int64_t map_pie(struct process *p, struct program *g)
{
    uint64_t base = p->mm->pie_base & -g->elf.align;
    int64_t r = -ENOMEM;

    for (int tries = 0; r == -ENOMEM && tries < 8; tries++, base += p->mm->zone_end / 64 & -g->elf.align)
        r = map_at(p, g, base);
    return r;
}

static int64_t map_interp(struct process *p, struct program *g)
{
    uint64_t len = page_up(g->elf.high - g->elf.low);
    int64_t base = mm_place(p, 0, len, g->elf.align);

    if (base < 0)
        return base;
    munmap(mm_host(p, (uint64_t)base), len);
    return map_at(p, g, (uint64_t)base);
}

/* Where its first process was put, if there is a translation cache. */
static void choose_place(struct process *p)
{
    uint64_t place[2];

    if (!p->tcache)
        return;
    if (tcache_place(p->tcache, place))
        mm_set_place(p, place);
    else
        mm_make_place(p);
    mm_get_place(p, place);
    tcache_set_place(p->tcache, place);
}

/* A program linked to fixed addresses: when ours or the host's forbidden low pages are in the way,
 * the whole guest moves up by guest_base. */
static int64_t map_fixed_program(struct process *p, struct program *g)
{
    static const uint64_t bases[] = {UINT64_C(1) << 32, UINT64_C(1) << 36, UINT64_C(1) << 40,
                                     UINT64_C(1) << 43};
    int64_t r = map_at(p, g, g->elf.low);

    if (p->opts.have_guest_base)
        return r;
    for (size_t i = 0; r < 0 && i < sizeof(bases) / sizeof(bases[0]); i++) {
        p->guest_base = bases[i];
        mm_layout(p, p->stack_size, &p->random[2]);
        choose_place(p);
        r = map_at(p, g, g->elf.low);
    }
    return r;
}

static int map_program(struct process *p, struct program *g, struct err *e)
{
    int64_t r = g->elf.pie ? map_pie(p, g) : map_fixed_program(p, g);

    if (r < 0)
        return err_set(e, (int)r, "cannot map its segments at %#llx-%#llx: %s",
                       (unsigned long long)g->elf.low, (unsigned long long)g->elf.high,
                       strerror((int)-r));
    return 0;
}

/* --- the interpreter ---------------------------------------------------------------------------*/

static int read_interp_name(const struct program *g, char name[ELF_MAX_INTERP], struct err *e)
{
    size_t len = g->elf.interp_len;

    if (pread(g->fd, name, len, (off_t)g->elf.interp_off) != (ssize_t)len)
        return err_set(e, -EIO, "cannot read the interpreter's name");
    if (name[len - 1] != 0 || name[0] == 0)
        return err_set(e, -ENOEXEC, "the interpreter's name is empty or not ended");
    return 0;
}

static int load_interp_file(struct process *p, struct program *g, struct err *e)
{
    uint8_t head[HEAD];
    ssize_t n;
    int64_t r;

    r = open_program(g, e);
    if (r < 0)
        return (int)r;
    n = pread(g->fd, head, sizeof(head), 0);
    r = n < 0 ? err_set(e, -errno, "%s", strerror(errno)) : read_headers(g, head, (size_t)n, p->abi, e);
    if (r < 0)
        return (int)r;
    read_property(g);
    r = g->elf.pie ? map_interp(p, g) : map_at(p, g, g->elf.low);
    return r < 0 ? err_set(e, (int)r, "cannot map it: %s", strerror((int)-r)) : 0;
}

static int load_interp(struct process *p, const struct program *g, struct err *e)
{
    char name[ELF_MAX_INTERP], buf[PATH_MAX];
    struct program interp = {.fd = -1};
    int r = read_interp_name(g, name, e);

    if (r < 0)
        return r;
    interp.path = path_resolve_follow(p, name, buf);
    r = load_interp_file(p, &interp, e);
    if (interp.fd >= 0)
        close(interp.fd);
    if (r == -ENOENT)
        return err_set(e, r, "its interpreter '%s' is not there: give the folder that holds it "
                       "with -L or QEMU_LD_PREFIX", name);
    if (r < 0)
        return err_wrap(e, r, "its interpreter '%s'", interp.path);
    p->at_base = interp.bias + interp.elf.low;
    p->entry = interp.elf.entry + interp.bias;
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------------*/

static void note_ranges(struct process *p, const struct program *g)
{
    p->start_code = p->start_data = ~UINT64_C(0);
    for (unsigned i = 0; i < g->elf.n; i++) {
        const struct elf_segment *s = &g->elf.seg[i];
        uint64_t start = s->vaddr + g->bias, end = start + s->filesz;

        if (start < p->start_code)
            p->start_code = start;
        if (start > p->start_data || p->start_data == ~UINT64_C(0))
            p->start_data = start;
        if ((s->prot & PROT_EXEC) && end > p->end_code)
            p->end_code = end;
        if (end > p->end_data)
            p->end_data = end;
    }
}

static uint64_t default_stack(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_STACK, &r) < 0)
        return UINT64_C(8) << 20;
    return r.rlim_cur > (UINT64_C(1) << 30) ? UINT64_C(1) << 30 : r.rlim_cur;
}

/* splitmix64: spreads -seed's number over what would be the kernel's random bytes. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* The translation cache of a program whose file begins with @head: there the linker has put its id. */
static void open_tcache(struct process *p, const struct program *g, const uint8_t *head, size_t len,
                        bool fixed)
{
    const struct user_opts *o = &p->opts;
    const char *cpu = o->cpu ? o->cpu : "";
    uint64_t id[2] = {p->abi->machine, 0};
    uint64_t how[] = {g->size, o->hot_after, o->passes_off, o->host_off, o->exact_flags, fixed,
                      o->have_seed ? o->seed : 0, o->have_seed, o->have_guest_base, o->guest_base,
                      o->reserved_va};

    if (!o->tcache || o->engine != ENGINE_JIT || o->gdb || o->one_insn || (o->log & ~(LOG_STRACE | LOG_TCACHE)))
        return;
    tcache_mix(id, head, len);
    tcache_mix(id, how, sizeof(how));
    tcache_mix(id, cpu, strlen(cpu));
    p->tcache = tcache_open(o->tcache, id, o->host_off);
}

static void choose_layout(struct process *p, const struct program *g, const uint8_t *head,
                          size_t len)
{
    int persona = personality(0xffffffff);

    if (p->opts.have_seed) {
        uint64_t state = p->opts.seed;

        for (int i = 0; i < 5; i++)
            p->random[i] = next_random(&state);
    } else if (getrandom(p->random, sizeof(p->random), GRND_NONBLOCK) < 0) {
        memset(p->random, 0x5a, sizeof(p->random));
    }
    if (persona != -1 && (persona & ADDR_NO_RANDOMIZE))
        memset(&p->random[2], 0, 3 * sizeof(p->random[0]));
    p->stack_size = p->opts.stack_size ? p->opts.stack_size : default_stack();
    if (p->stack_size < UINT64_C(256) << 10)
        p->stack_size = UINT64_C(256) << 10;
    p->stack_size = page_up(p->stack_size);
    if (p->opts.have_guest_base)
        p->guest_base = p->opts.guest_base & PAGE_MASK;
    mm_layout(p, p->stack_size, &p->random[2]);
    open_tcache(p, g, head, len, persona != -1 && (persona & ADDR_NO_RANDOMIZE));
    choose_place(p);
}

/* The program's own name, through /proc so that links are resolved, or as it was given. */
static char *exe_name(const struct program *g)
{
    char link[40], buf[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", g->fd);
    n = readlink(link, buf, sizeof(buf) - 1);
    if (n > 0) {
        buf[n] = 0;
        return strdup(buf);
    }
    return realpath(g->path, NULL);
}

static int load(struct process *p, struct program *g, const uint8_t *head, size_t len, struct err *e)
{
    int r;

    choose_layout(p, g, head, len);
    if (!g->elf.interp_len)
        read_property(g);
    r = map_program(p, g, e);
    if (r < 0)
        return r;
    note_ranges(p, g);
    p->at_phdr = g->elf.phdr ? g->elf.phdr + g->bias : 0;
    p->at_phnum = g->elf.phnum;
    p->at_phent = g->elf.phentsize;
    p->program_entry = p->entry = g->elf.entry + g->bias;
    p->exec_stack = g->elf.exec_stack;
    p->mm->brk_start = page_up(g->elf.high + g->bias) + (p->random[4] & 0xfff000);
    p->mm->brk = p->mm->brk_start;
    if (g->elf.interp_len) {
        r = load_interp(p, g, e);
        if (r < 0)
            return r;
    }
    r = p->abi->vdso_map(p);
    return r < 0 ? err_set(e, r, "cannot map the vDSO: %s", strerror(-r)) : 0;
}

/* By the program, unless somebody has said it. */
static int choose_abi(struct process *p, const uint8_t *head, size_t n, struct err *e)
{
    if (!p->abi)
        p->abi = abi_of_file(head, n);
    if (p->abi)
        return 0;
    return elf_other(head, n, EM_NONE, e);
}

int exec_image(struct process *p, int fd, const char *path, char **argv, struct err *e)
{
    uint8_t head[HEAD];
    char buf[PATH_MAX];
    struct script script = {.argv = argv};
    struct program g = {.fd = fd, .path = path};
    const char *shown = path;
    ssize_t n;
    int r;

    for (;;) {
        r = open_program(&g, e);
        if (r < 0)
            break;
        n = pread(g.fd, head, sizeof(head), 0);
        if (n < 0) {
            r = err_set(e, -errno, "%s", strerror(errno));
            break;
        }
        r = script_line(&script, head, (size_t)n, shown, e);
        if (r <= 0)
            break;
        close(g.fd);
        shown = script.interp;
        g = (struct program){.fd = -1, .path = path_resolve_follow(p, script.interp, buf)};
    }
    if (r == 0)
        r = choose_abi(p, head, (size_t)n, e);
    if (r == 0)
        r = read_headers(&g, head, (size_t)n, p->abi, e);
    if (r == 0)
        r = load(p, &g, head, (size_t)n, e);
    if (r == 0) {
        p->exe = exe_name(&g);
        p->argv = script.argv;
    }
    if (g.fd >= 0)
        close(g.fd);
    if (r < 0 && shown != path)
        err_wrap(e, r, "its interpreter '%s'", shown);
    return r < 0 ? err_wrap(e, r, "%s", path) : 0;
}
