/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds vDSOs: one segment, a dynamic section, symbols with versions, a hash table of one bucket (System V ABI, chapter 5). */
#include "user/vdso.h"

#include "base/bytes.h"

#include <elf.h>
#include <string.h>

enum { MAX_FUNCS = 12, MAX_VERSIONS = 3, N_DYN = 10 };

/* The page as it grows. */
struct page {
    uint8_t *out;
    uint32_t at;
    const struct vdso *v;
    uint32_t str, sym, hash, versym, verdef, dyn, code; /* where things are */
    uint32_t str_len;
    const char *version[MAX_VERSIONS];
    unsigned n_versions;
};

static uint32_t take(struct page *p, uint32_t len, uint32_t align)
{
    uint32_t at = (p->at + align - 1) / align * align;

    p->at = at + len;
    if (p->at > VDSO_SIZE)
        bug("a vDSO of more than a page");
    return at;
}

static void put(struct page *p, uint32_t *at, uint64_t v, unsigned len)
{
    memcpy(p->out + *at, &v, len); /* little-endian, like all guests that have one, and the host */
    *at += len;
}

/* The place of @text in the string table, where it is put when it is not there. */
static uint32_t string(struct page *p, const char *text)
{
    uint32_t len = (uint32_t)strlen(text) + 1;

    for (uint32_t at = 1; at + len <= p->str_len; at++)
        if (!memcmp(p->out + p->str + at, text, len))
            return at;
    memcpy(p->out + p->str + p->str_len, text, len);
    p->str_len += len;
    return p->str_len - len;
}

/* The System V ABI's hash function. */
static uint32_t elf_hash(const char *name)
{
    uint32_t h = 0, g;

    for (; *name; name++) {
        h = (h << 4) + (uint8_t)*name;
        if ((g = h & 0xf0000000))
            h ^= g >> 24;
        h &= ~g;
    }
    return h;
}

static unsigned version_of(const struct page *p, unsigned func)
{
    unsigned n = 0;

    while (strcmp(p->version[n], p->v->funcs[func].version) != 0)
        n++;
    return n + 2; /* 1 is the object itself */
}

static void collect(struct page *p)
{
    const struct vdso *v = p->v;

    if (v->n_funcs > MAX_FUNCS)
        bug("%u functions in a vDSO", v->n_funcs);
    for (unsigned i = 0; i < v->n_funcs; i++)
        if (!i || strcmp(v->funcs[i].version, v->funcs[i - 1].version) != 0)
            p->version[p->n_versions++] = v->funcs[i].version;
}

static void lay_out(struct page *p)
{
    const struct vdso *v = p->v;
    bool wide = v->word == 8;
    uint32_t names = 1 + (uint32_t)strlen(v->soname) + 1;

    for (unsigned i = 0; i < v->n_funcs; i++)
        names += (uint32_t)strlen(v->funcs[i].name) + 1;
    for (unsigned i = 0; i < p->n_versions; i++)
        names += (uint32_t)strlen(p->version[i]) + 1;
    take(p, wide ? sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) : sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr), 8);
    p->dyn = take(p, N_DYN * 2 * v->word, 8);
    p->sym = take(p, (1 + v->n_funcs) * (wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym)), 8);
    p->hash = take(p, (4 + v->n_funcs) * 4, 4);
    p->versym = take(p, (1 + v->n_funcs) * 2, 2);
    p->verdef = take(p, (1 + p->n_versions) * (sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux)), 4);
    p->str = take(p, names, 1);
    p->str_len = 1;
    p->code = take(p, v->n_funcs * VDSO_CODE, VDSO_CODE);
}

static void put_versions(struct page *p)
{
    enum { STEP = sizeof(Elf64_Verdef) + sizeof(Elf64_Verdaux) };

    for (unsigned i = 0; i <= p->n_versions; i++) {
        const char *name = i ? p->version[i - 1] : p->v->soname;
        Elf64_Verdef def = {VER_DEF_CURRENT, i ? 0 : VER_FLG_BASE, (Elf64_Half)(i + 1), 1, elf_hash(name),
                            sizeof(def), i < p->n_versions ? STEP : 0};
        Elf64_Verdaux aux = {string(p, name), 0};

        memcpy(p->out + p->verdef + i * STEP, &def, sizeof(def));
        memcpy(p->out + p->verdef + i * STEP + sizeof(def), &aux, sizeof(aux));
    }
}

static void put_symbol(struct page *p, unsigned i, uint32_t addr)
{
    const struct vdso_func *f = &p->v->funcs[i];
    Elf64_Sym wide = {string(p, f->name), STB_GLOBAL << 4 | STT_FUNC, 0, 1, addr, (Elf64_Xword)(f->len - f->skip)};
    Elf32_Sym narrow = {wide.st_name, addr, (Elf32_Word)wide.st_size, wide.st_info, 0, 1};

    if (p->v->word == 8)
        memcpy(p->out + p->sym + (1 + i) * sizeof(wide), &wide, sizeof(wide));
    else
        memcpy(p->out + p->sym + (1 + i) * sizeof(narrow), &narrow, sizeof(narrow));
}

/* One bucket, whose chain has everything: 1, 2, ... */
static void put_hash(struct page *p)
{
    unsigned n = p->v->n_funcs;
    uint32_t at = p->hash;

    put(p, &at, 1, 4);
    put(p, &at, 1 + n, 4);
    put(p, &at, 1, 4);
    put(p, &at, 0, 4);
    for (unsigned i = 1; i <= n; i++)
        put(p, &at, i < n ? i + 1 : 0, 4);
}

static void put_dynamic(struct page *p)
{
    bool wide = p->v->word == 8;
    const uint64_t dyn[N_DYN][2] = {
        {DT_SONAME, string(p, p->v->soname)}, {DT_HASH, p->hash}, {DT_STRTAB, p->str}, {DT_SYMTAB, p->sym}, {DT_STRSZ, p->str_len},
        {DT_SYMENT, wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym)}, {DT_VERSYM, p->versym}, {DT_VERDEF, p->verdef},
        {DT_VERDEFNUM, p->n_versions + 1}, {DT_NULL, 0},
    };
    uint32_t at = p->dyn;

    for (unsigned i = 0; i < N_DYN; i++) {
        put(p, &at, dyn[i][0], p->v->word);
        put(p, &at, dyn[i][1], p->v->word);
    }
}

static void put_headers(struct page *p)
{
    const struct vdso *v = p->v;
    uint8_t ident[EI_NIDENT] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, v->word == 8 ? ELFCLASS64 : ELFCLASS32, ELFDATA2LSB, EV_CURRENT};
    uint32_t dyn_len = N_DYN * 2 * v->word;
    Elf64_Ehdr e64 = {.e_type = ET_DYN, .e_machine = v->machine, .e_version = EV_CURRENT, .e_phoff = sizeof(e64),
                      .e_ehsize = sizeof(e64), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2, .e_shentsize = sizeof(Elf64_Shdr)};
    Elf32_Ehdr e32 = {.e_type = ET_DYN, .e_machine = v->machine, .e_version = EV_CURRENT, .e_phoff = sizeof(e32),
                      .e_ehsize = sizeof(e32), .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 2, .e_shentsize = sizeof(Elf32_Shdr)};
    Elf64_Phdr p64[2] = {{PT_LOAD, PF_R | PF_X, 0, 0, 0, p->at, p->at, VDSO_SIZE},
                         {PT_DYNAMIC, PF_R, p->dyn, p->dyn, p->dyn, dyn_len, dyn_len, 8}};
    Elf32_Phdr p32[2] = {{PT_LOAD, 0, 0, 0, p->at, p->at, PF_R | PF_X, VDSO_SIZE},
                         {PT_DYNAMIC, p->dyn, p->dyn, p->dyn, dyn_len, dyn_len, PF_R, 4}};

    if (v->word == 8) {
        memcpy(p->out, &e64, sizeof(e64));
        memcpy(p->out + sizeof(e64), p64, sizeof(p64));
    } else {
        memcpy(p->out, &e32, sizeof(e32));
        memcpy(p->out + sizeof(e32), p32, sizeof(p32));
    }
    memcpy(p->out, ident, sizeof(ident));
}

void vdso_build(const struct vdso *v, uint8_t out[VDSO_SIZE], uint32_t *at)
{
    struct page p = {.out = out, .v = v};
    uint32_t versym;

    memset(out, 0, VDSO_SIZE);
    collect(&p);
    lay_out(&p);
    put_versions(&p);
    versym = p.versym + 2;
    for (unsigned i = 0; i < v->n_funcs; i++) {
        const struct vdso_func *f = &v->funcs[i];

        at[i] = p.code + i * VDSO_CODE + f->skip;
        memcpy(out + p.code + i * VDSO_CODE, f->code, f->len);
        put_symbol(&p, i, at[i]);
        put(&p, &versym, version_of(&p, i), 2);
    }
    put_hash(&p);
    put_dynamic(&p);
    put_headers(&p);
}
