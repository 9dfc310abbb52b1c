/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target on every file of a folder, and on random changes of each until the time is
 * over: the bounded form of fuzzing in make check, with any compiler.
 * usage: fuzz_NAME FOLDER SECONDS [SEED], or fuzz_NAME FILE */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { MAX_FILES = 4096, MAX_LEN = 1 << 16 };

static struct input {
    uint8_t *data;
    size_t len;
} inputs[MAX_FILES];
static size_t n_inputs;

/* What is being run, for the message when it crashes. */
static const uint8_t *volatile current;
static volatile size_t current_len;
static uint64_t state = 1;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void add_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct input *in = &inputs[n_inputs];

    if (!f || n_inputs == MAX_FILES)
        return;
    in->data = malloc(MAX_LEN);
    in->len = fread(in->data, 1, MAX_LEN, f);
    fclose(f);
    n_inputs++;
}

static void add_folder(const char *path)
{
    DIR *d = opendir(path);
    char name[4096];

    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            add_file(name);
    }
    if (d)
        closedir(d);
}

/* Keeps the input of a crash, so that it can be looked at and become a corpus file. */
static void on_crash(int sig)
{
    static const char path[] = "/tmp/emu-fuzz-crash";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);

    signal(sig, SIG_DFL);
    if (fd >= 0 && write(fd, (const void *)current, current_len) >= 0)
        dprintf(1, "signal %d; the input is in %s\n", sig, path);
    raise(sig);
}

static void run(const uint8_t *data, size_t len)
{
    current = data;
    current_len = len;
    fuzz_one(data, len);
}

static size_t change(uint8_t *buf, size_t len)
{
    for (unsigned n = next_random() % 6 + 1; n && len; n--) {
        size_t at = next_random() % len;
        switch (next_random() % 6) {
        case 0: buf[at] ^= 1 << next_random() % 8; break;
        case 1: buf[at] = next_random(); break;
        case 2: len = at + 1; break;
        case 3: memset(buf + at, next_random() & 1 ? 0xff : 0, len - at < 8 ? len - at : 8); break;
        case 4: memmove(buf + at, buf + next_random() % (at + 1), 1); break;
        case 5: {
            const struct input *other = &inputs[next_random() % n_inputs];
            size_t k = other->len < len ? other->len : len;
            if (k > at)
                memcpy(buf + at, other->data + at, k - at);
            break;
        }
        }
    }
    return len;
}

int main(int argc, char **argv)
{
    static uint8_t buf[MAX_LEN];
    struct stat st;
    time_t end;
    unsigned long n = 0;

    if (argc < 2 || stat(argv[1], &st)) {
        fprintf(stderr, "usage: %s FOLDER SECONDS [SEED], or %s FILE\n", argv[0], argv[0]);
        return 2;
    }
    for (int sig = 1; sig < 32; sig++)
        if (sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS || sig == SIGILL || sig == SIGFPE ||
            sig == SIGALRM)
            signal(sig, on_crash);
    if (S_ISDIR(st.st_mode))
        add_folder(argv[1]);
    else
        add_file(argv[1]);
    if (n_inputs == 0)
        return 2;
    for (size_t i = 0; i < n_inputs; i++)
        run(inputs[i].data, inputs[i].len);
    end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 0);
    state = argc > 3 ? strtoull(argv[3], NULL, 0) * 2 + 1 : 1;
    for (; time(NULL) < end; n++) {
        const struct input *in = &inputs[next_random() % n_inputs];
        memcpy(buf, in->data, in->len);
        alarm(10); /* one input must not take that long */
        run(buf, change(buf, in->len));
    }
    printf("%zu files, %lu changed inputs\n", n_inputs, n);
    return 0;
}
