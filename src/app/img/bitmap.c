/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img bitmap: add, remove, clear, enable, disable and merge persistent dirty bitmaps. */
#include "app/img/img.h"

#include <stdio.h>

enum { OPT_ADD = OPT_OWN, OPT_REMOVE, OPT_CLEAR, OPT_ENABLE, OPT_DISABLE, OPT_MERGE };
enum { ACTIONS_MAX = 256 };

static const struct option longs[] = {
    {"add", no_argument, NULL, OPT_ADD},
    {"clear", no_argument, NULL, OPT_CLEAR},
    {"disable", no_argument, NULL, OPT_DISABLE},
    {"enable", no_argument, NULL, OPT_ENABLE},
    {"granularity", required_argument, NULL, 'g'},
    {"help", no_argument, NULL, 'h'},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"merge", required_argument, NULL, OPT_MERGE},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"remove", no_argument, NULL, OPT_REMOVE},
    {"source-file", required_argument, NULL, 'b'},
    {"source-format", required_argument, NULL, 'F'},
    {NULL, 0, NULL, 0},
};

/* struct action - one step; they are done in the order they were given. */
struct action {
    int what;
    const char *source; /* --merge */
};

struct work {
    struct action actions[ACTIONS_MAX];
    int n;
    bool adds, merges;
    uint64_t granularity;
    const char *source_file, *source_format;
};

static const char *word(int what)
{
    switch (what) {
    case OPT_ADD: return "add";
    case OPT_REMOVE: return "remove";
    case OPT_CLEAR: return "clear";
    case OPT_ENABLE: return "enable";
    case OPT_DISABLE: return "disable";
    }
    return "merge";
}

static int act(struct blk *b, struct blk *source, const char *name, const struct work *w,
               const struct action *a, struct err *e)
{
    switch (a->what) {
    case OPT_ADD: return blk_bitmap_add(b, name, w->granularity, true, e);
    case OPT_REMOVE: return blk_bitmap_remove(b, name, e);
    case OPT_CLEAR: return blk_bitmap_clear(b, name, e);
    case OPT_ENABLE: return blk_bitmap_enable(b, name, true, e);
    case OPT_DISABLE: return blk_bitmap_enable(b, name, false, e);
    }
    return blk_bitmap_merge(b, name, source ? source : b, a->source, e);
}

static int act_all(struct blk *b, struct blk *source, const char *name, const struct work *w)
{
    struct err e = {0};

    for (int i = 0; i < w->n; i++)
        if (act(b, source, name, w, &w->actions[i], &e) < 0)
            return img_error("Operation %s on bitmap %s failed: %s", word(w->actions[i].what), name,
                             e.msg);
    return 0;
}

static int add_action(struct work *w, int what)
{
    if (w->n == ACTIONS_MAX)
        return img_error("more than %d actions", ACTIONS_MAX);
    w->actions[w->n++] = (struct action){what, what == OPT_MERGE ? optarg : NULL};
    w->adds |= what == OPT_ADD;
    w->merges |= what == OPT_MERGE;
    return 0;
}

static int parse(struct img_args *a, struct work *w, int argc, char **argv)
{
    int key;

    while ((key = img_next(a, argc, argv, ":b:f:F:g:h", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: return 1;
        case 'b': w->source_file = optarg; break;
        case 'F': w->source_format = optarg; break;
        case 'g':
            if (img_size(optarg, "granularity", &w->granularity))
                return 1;
            break;
        default:
            if (add_action(w, key))
                return 1;
        }
    }
    if (!w->n)
        return img_error("Need at least one of --add, --remove, --clear, --enable, --disable, or "
                         "--merge");
    if (optind != argc - 2)
        return img_error("Expecting filename and bitmap name");
    if (w->granularity && !w->adds)
        return img_error("granularity only supported with --add");
    if (w->source_format && !w->source_file)
        return img_error("-F only supported with -b");
    if (w->source_file && !w->merges)
        return img_error("Merge bitmap source file only supported with --merge");
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env}, as = {.env = env};
    struct blk *b, *source = NULL;
    struct work w = {.n = 0};
    int status = 1;

    if (parse(&a, &w, argc, argv))
        return 1;
    /* Without the backing file: bitmaps are of this layer. */
    if (!(b = img_open(&a, argv[optind], a.format, NULL, BLK_RDWR | BLK_NO_BACKING)))
        return 1;
    if (!w.source_file || (source = img_open(&as, w.source_file, w.source_format, NULL,
                                             BLK_NO_BACKING | BLK_PROBE_RAW_OK)))
        status = act_all(b, source, argv[optind + 1], &w);
    blk_close(source, ERR_IGNORE);
    return img_close(b, status);
}

const struct img_command img_bitmap = {
    .name = "bitmap",
    .usage = "(--merge SOURCE | --add | --remove | --clear | --enable | --disable)... "
             "[-b source_file [-F source_fmt]] [-g granularity] [--object objectdef] "
             "[--image-opts | -f fmt] filename bitmap",
    .notes = "  actions are done in the order they are given\n"
             "  '-g granularity' bytes that a bit of an added bitmap stands for\n"
             "  '-b source_file' and '-F source_fmt': where '--merge' finds the other bitmap\n",
    .run = run,
};
