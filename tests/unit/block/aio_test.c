/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "block/aio.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

enum { N = 150, PIECE = 512 }; /* more than two batches */

static int file_of(const char *bytes, size_t len)
{
    char name[] = "/tmp/emu-aio-XXXXXX";
    int fd = mkstemp(name);

    unlink(name);
    if (write(fd, bytes, len) != (ssize_t)len)
        return -1;
    return fd;
}

static bool usable(enum aio_kind kind)
{
    struct err e = {0};

    if (aio_begin(kind, &e) >= 0)
        return true;
    SKIP(e.msg);
    return false;
}

static void write_and_read(enum aio_kind kind)
{
    static char out[N][PIECE], in[N][PIECE];
    static struct iovec iov[N];
    static struct aio_request q[N];
    int fd = file_of("", 0);

    for (int i = 0; i < N; i++) {
        memset(out[i], i + 1, PIECE);
        iov[i] = (struct iovec){out[i], PIECE};
        q[i] = (struct aio_request){.op = AIO_WRITE, .fd = fd, .iov = &iov[i], .n = 1, .off = (uint64_t)(N - 1 - i) * PIECE};
    }
    aio_run(kind, q, N);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(q[i].done, PIECE);
        iov[i].iov_base = in[i];
        q[i].op = AIO_READ;
    }
    aio_run(kind, q, N);
    CHECK_MEM(in, out, sizeof(in));
    close(fd);
}

static void answers(enum aio_kind kind)
{
    char a[8] = "", b[8] = "";
    struct iovec two[2] = {{a, 4}, {b, 8}};
    int fd = file_of("0123456789", 10), folder = open("/tmp", O_RDONLY), only_read = open("/dev/zero", O_RDONLY);
    struct aio_request q[] = {
        {.op = AIO_READ, .fd = fd, .iov = two, .n = 2, .off = 2},            /* the end comes first */
        {.op = AIO_READ, .fd = fd, .iov = two, .n = 1, .off = 10},           /* nothing is there */
        {.op = AIO_READ, .fd = folder, .iov = two, .n = 1},
        {.op = AIO_READ, .fd = -1, .iov = two, .n = 1},
        {.op = AIO_WRITE, .fd = only_read, .iov = two, .n = 1},
        {.op = AIO_READ, .fd = fd, .iov = &(struct iovec){(void *)8, 4}, .n = 1},
    };

    aio_run(kind, q, 1);
    CHECK_EQ(q[0].done, 8);
    CHECK_MEM(a, "2345", 4);
    CHECK_MEM(b, "6789\0", 5);
    aio_run(kind, q + 1, 5);
    CHECK_EQ(q[1].done, 0);
    CHECK(q[2].done == -EISDIR || q[2].done == -EINVAL);
    CHECK_EQ(q[3].done, -EBADF);
    CHECK_EQ(q[4].done, -EBADF);
    CHECK_EQ(q[5].done, -EFAULT);
    close(fd);
    close(folder);
    close(only_read);
}

TEST(aio, rings_write_and_read) { if (usable(AIO_URING)) write_and_read(AIO_URING); }
TEST(aio, contexts_write_and_read) { if (usable(AIO_NATIVE)) write_and_read(AIO_NATIVE); }
TEST(aio, plain_requests_write_and_read) { write_and_read(AIO_THREADS); }
TEST(aio, answers_of_rings) { if (usable(AIO_URING)) answers(AIO_URING); }
TEST(aio, answers_of_contexts) { if (usable(AIO_NATIVE)) answers(AIO_NATIVE); }
TEST(aio, answers_of_plain_requests) { answers(AIO_THREADS); }

static void *sync_only(void *opaque)
{
    struct aio_request q = {.op = AIO_SYNC, .fd = *(int *)opaque};

    aio_run(AIO_URING, &q, 1);
    CHECK_EQ(q.done, 0);
    CHECK(aio_begin(AIO_URING, ERR_IGNORE) < 0);
    return NULL;
}

/* A thread that gets no descriptor for a ring of its own does the work all the same. */
TEST(aio, a_thread_without_a_ring)
{
    int fd = file_of("x", 1);
    struct rlimit none = {0};
    pthread_t thread;

    if (!usable(AIO_URING))
        return;
    setrlimit(RLIMIT_NOFILE, &none);
    pthread_create(&thread, NULL, sync_only, &fd);
    pthread_join(thread, NULL);
}

TEST(aio, a_child_has_rings_of_its_own)
{
    if (!usable(AIO_URING))
        return;
    write_and_read(AIO_URING);
    pid_t child = fork();

    if (!child) {
        write_and_read(AIO_URING);
        _exit(0);
    }
    write_and_read(AIO_URING);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK_EQ(status, 0);
}

static const struct test tests[] = {
    CASE(aio, rings_write_and_read),
    CASE(aio, contexts_write_and_read),
    CASE(aio, plain_requests_write_and_read),
    CASE(aio, answers_of_rings),
    CASE(aio, answers_of_contexts),
    CASE(aio, answers_of_plain_requests),
    CASE(aio, a_thread_without_a_ring),
    CASE(aio, a_child_has_rings_of_its_own),
};
TEST_MAIN(tests)
