/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, descriptors and sockets: flags and structures that differ between architectures. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <mqueue.h>
#include <termios.h>

static char dir[] = "/tmp/emu-calls-XXXXXX";

static void enter_dir(void)
{
    CHECK(mkdtemp(dir) && chdir(dir) == 0);
}

static void leave_dir(void)
{
    char cmd[64];

    snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
    CHECK_EQ(system(cmd), 0);
}

TEST(files, stat_fields)
{
    struct statx sx;
    struct stat st, lst;
    struct timespec ts[2] = {{1000000001, 5}, {1000000002, 123456789}};
    int fd;

    enter_dir();
    fd = open("file", O_CREAT | O_RDWR | O_EXCL, 0640);
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(futimens(fd, ts), 0);
    CHECK_EQ(link("file", "second"), 0);
    CHECK_EQ(symlink("file", "sym"), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_EQ(st.st_size, 10);
    CHECK_EQ(st.st_nlink, 2);
    CHECK_EQ(st.st_uid, getuid());
    CHECK_EQ(st.st_mtim.tv_sec, 1000000002);
    CHECK_EQ(st.st_mtim.tv_nsec, 123456789);
    CHECK_EQ(st.st_atim.tv_nsec, 5);
    CHECK(st.st_blksize >= 512);
    CHECK_EQ(lstat("sym", &lst), 0);
    CHECK(S_ISLNK(lst.st_mode) && lst.st_size == 4);
    CHECK_EQ(statx(AT_FDCWD, "sym", 0, STATX_ALL, &sx), 0);
    CHECK_EQ(sx.stx_ino, st.st_ino);
    CHECK_EQ(stat("/dev/null", &st), 0);
    CHECK_EQ(st.st_rdev, 0x103);
    CHECK(fstat(999, &st) < 0 && errno == EBADF);
    CHECK(stat((char *)8, &st) < 0 && errno == EFAULT);
    CHECK(stat("file", (struct stat *)8) < 0 && errno == EFAULT);
    leave_dir();
}

TEST(files, open_flags_differ_between_architectures)
{
    int fd;

    enter_dir();
    CHECK(open("none", O_RDONLY) < 0 && errno == ENOENT);
    fd = open(".", O_DIRECTORY | O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_DIRECTORY | O_NOFOLLOW | O_DIRECT), O_DIRECTORY);
    close(creat("file", 0600));
    CHECK(open("file", O_DIRECTORY) < 0 && errno == ENOTDIR);
    CHECK_EQ(symlink("file", "sym"), 0);
    CHECK(open("sym", O_NOFOLLOW) < 0 && errno == ELOOP);
    fd = open("file", O_RDWR | O_APPEND | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECT),
             O_RDWR | O_APPEND | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_NONBLOCK);
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0 || errno == EOPNOTSUPP);
    leave_dir();
}

TEST(files, the_link_to_the_program)
{
    char link[PATH_MAX] = "", own[PATH_MAX] = "";
    int fd;

    CHECK(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW) < 0 && errno == ELOOP);
    fd = open("/proc/self/exe", O_RDONLY);
    CHECK(fd >= 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    CHECK(readlink(link, own, sizeof(own) - 1) > 0);
    memset(link, 0, sizeof(link));
    CHECK(readlink("/proc/self/exe", link, sizeof(link) - 1) > 0);
    CHECK_STR(link, own);
}

/* Structures may be larger than those we know, as long as the rest is zero. */
TEST(files, openat2_takes_larger_structures)
{
    uint64_t how[8] = {O_RDONLY};

    CHECK(syscall(437, AT_FDCWD, "/", how, 24) >= 0 || errno == ENOSYS);
    CHECK(syscall(437, AT_FDCWD, "/", how, 64) >= 0 || errno == ENOSYS);
    how[7] = 1;
    CHECK(syscall(437, AT_FDCWD, "/", how, 64) < 0 && (errno == E2BIG || errno == ENOSYS));
    CHECK(syscall(437, AT_FDCWD, "/", how, 16) < 0 && (errno == EINVAL || errno == ENOSYS));
}

TEST(files, descriptors)
{
    int p[2], fd;

    CHECK_EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(fcntl(p[0], F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQ(fcntl(p[0], F_DUPFD, 50), 50);
    CHECK_EQ(dup2(p[1], 60), 60);
    CHECK_EQ(dup3(p[1], 61, O_CLOEXEC), 61);
    CHECK(dup3(61, 61, 0) < 0 && errno == EINVAL);
    CHECK_EQ(syscall(436, 50, 61, 0), 0);
    CHECK(fcntl(60, F_GETFD) < 0 && errno == EBADF);
    CHECK_EQ(syscall(436, 3, ~0u, 0), 0);
    CHECK(fcntl(p[0], F_GETFD) < 0);
    CHECK((fd = open("/dev/null", O_RDONLY)) >= 3);
    CHECK(system("exit 0") == 0); /* programs can still be started */
}

TEST(files, vectors_offsets_and_locks)
{
    char a[4] = "", b[4] = "";
    struct iovec iov[2] = {{a, 3}, {b, 3}};
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3};
    int fd = memfd_create("m", MFD_CLOEXEC | MFD_ALLOW_SEALING), status;
    pid_t pid;

    CHECK_EQ(pwrite(fd, "abcdef", 6, 10), 6);
    CHECK_EQ(preadv(fd, iov, 2, 10), 6);
    CHECK_STR(a, "abc");
    CHECK_STR(b, "def");
    CHECK_EQ(lseek(fd, 0, SEEK_END), 16);
    CHECK_EQ(lseek(fd, 1ll << 33, SEEK_SET), 1ll << 33);
    CHECK_EQ(fcntl(fd, F_SETLK, &fl), 0);
    if ((pid = fork()) == 0) {
        struct flock q = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

        fcntl(fd, F_GETLK, &q);
        _exit(q.l_start == 2 && q.l_len == 3 && q.l_pid == getppid() ? 1 : 2);
    }
    waitpid(pid, &status, 0);
    CHECK_EQ(WEXITSTATUS(status), 1);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    CHECK(ftruncate(fd, 0) < 0 && errno == EPERM);
}

TEST(files, epoll_events_are_not_packed_here)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x1122334455667788}, got[4];
    int ep = epoll_create1(EPOLL_CLOEXEC), fd[3];

    for (int i = 0; i < 3; i++) {
        fd[i] = eventfd(1, EFD_NONBLOCK);
        ev.data.u64 += (uint64_t)i;
        CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd[i], &ev), 0);
    }
    CHECK_EQ(epoll_wait(ep, got, 4, 1000), 3);
    CHECK_EQ(got[0].data.u64, 0x1122334455667788);
    CHECK_EQ(got[1].data.u64, 0x1122334455667789);
    CHECK_EQ(got[2].data.u64, 0x112233445566778b);
    CHECK_EQ(got[2].events, EPOLLIN);
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_DEL, fd[0], NULL), 0);
    CHECK_EQ(epoll_wait(ep, got, 1, 0), 1);
    CHECK(epoll_wait(ep, got, 0, 0) < 0 && errno == EINVAL);
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], &ev) < 0 && errno == EEXIST);
}

TEST(files, eventfd_timerfd_inotify)
{
    struct itimerspec it = {{0, 0}, {0, 2000000}};
    char buf[512] __attribute__((aligned(8)));
    struct inotify_event *ie = (void *)buf;
    uint64_t v = 5;
    int fd = eventfd(0, EFD_SEMAPHORE);

    CHECK_EQ(write(fd, &v, 8), 8);
    CHECK_EQ(read(fd, &v, 8), 8);
    CHECK_EQ(v, 1);
    fd = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK_EQ(timerfd_settime(fd, 0, &it, NULL), 0);
    CHECK_EQ(read(fd, &v, 8), 8);
    CHECK_EQ(v, 1);
    enter_dir();
    fd = inotify_init1(IN_CLOEXEC);
    CHECK(inotify_add_watch(fd, dir, IN_CREATE) > 0);
    close(creat("made", 0600));
    CHECK(read(fd, buf, sizeof(buf)) > 0);
    CHECK_STR(ie->name, "made");
    leave_dir();
}

TEST(files, folders_and_file_systems)
{
    struct statfs sf;
    struct dirent *e;
    int seen = 0;
    char cwd[256];
    DIR *d;

    enter_dir();
    CHECK_EQ(mkdir("one", 0700), 0);
    close(creat("two", 0600));
    d = opendir(".");
    while ((e = readdir(d)))
        seen += !strcmp(e->d_name, "one") ? (e->d_type == DT_DIR) : !strcmp(e->d_name, "two") ? 10 : 0;
    CHECK_EQ(seen, 11);
    closedir(d);
    CHECK_EQ(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE), 0);
    CHECK_EQ(access("two/.", X_OK), 0);
    CHECK(faccessat(AT_FDCWD, "nope", F_OK, AT_EACCESS) < 0 && errno == ENOENT);
    CHECK_STR(getcwd(cwd, sizeof(cwd)), dir);
    CHECK_EQ(statfs("/proc", &sf), 0);
    CHECK_EQ(sf.f_type, 0x9fa0);
    CHECK_EQ(unlinkat(AT_FDCWD, "two", AT_REMOVEDIR), 0);
    leave_dir();
}

TEST(files, descriptors_pass_through_sockets)
{
    union {
        struct cmsghdr h;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char c = 'x', got[8];
    struct iovec iov = {&c, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    int sv[2], p[2], fd;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
    CHECK_EQ(pipe(p), 0);
    control.h.cmsg_len = CMSG_LEN(sizeof(int));
    control.h.cmsg_level = SOL_SOCKET;
    control.h.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.h), &p[1], sizeof(int));
    CHECK_EQ(sendmsg(sv[0], &m, 0), 1);
    memset(&control, 0, sizeof(control));
    CHECK_EQ(recvmsg(sv[1], &m, MSG_CMSG_CLOEXEC), 1);
    CHECK_EQ(control.h.cmsg_type, SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(&control.h), sizeof(int));
    CHECK_EQ(write(fd, "through", 7), 7);
    CHECK_EQ(read(p[0], got, 7), 7);
    CHECK_MEM(got, "through", 7);
}

TEST(files, internet_sockets)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, b;
    struct mmsghdr mm[2] = {{{0}}};
    struct iovec iov[2] = {{"one", 3}, {"three", 5}};
    socklen_t len = sizeof(a);
    struct ucred cred;
    char buf[16];
    int s, c, l, on = 1, n = 0;

    l = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    CHECK_EQ(bind(l, (void *)&a, sizeof(a)), 0);
    CHECK_EQ(listen(l, 5), 0);
    CHECK_EQ(getsockname(l, (void *)&a, &len), 0);
    c = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(connect(c, (void *)&a, sizeof(a)), 0);
    len = sizeof(b);
    s = accept4(l, (void *)&b, &len, SOCK_NONBLOCK);
    CHECK(s >= 0 && b.sin_family == AF_INET && len == sizeof(b));
    CHECK_EQ(send(c, "hello", 5, MSG_NOSIGNAL), 5);
    CHECK_EQ(poll(&(struct pollfd){.fd = s, .events = POLLIN}, 1, 1000), 1);
    CHECK_EQ(ioctl(s, FIONREAD, &n), 0);
    CHECK_EQ(n, 5);
    CHECK_EQ(recv(s, buf, sizeof(buf), 0), 5);
    CHECK(recv(s, buf, sizeof(buf), 0) < 0 && errno == EAGAIN);
    s = socket(AF_INET, SOCK_DGRAM, 0);
    a.sin_port = 0;
    CHECK_EQ(bind(s, (void *)&a, sizeof(a)), 0);
    len = sizeof(a);
    getsockname(s, (void *)&a, &len);
    CHECK_EQ(connect(s, (void *)&a, sizeof(a)), 0);
    for (int i = 0; i < 2; i++)
        mm[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    CHECK_EQ(sendmmsg(s, mm, 2, 0), 2);
    CHECK_EQ(mm[1].msg_len, 5);
    CHECK_EQ(recv(s, buf, sizeof(buf), 0), 3);
    CHECK_EQ(recvfrom(s, buf, sizeof(buf), 0, (void *)&b, &len), 5);
    CHECK_EQ(b.sin_port, a.sin_port);
    len = sizeof(cred);
    CHECK(getsockopt(s, SOL_SOCKET, SO_TYPE, &n, &(socklen_t){sizeof(n)}) == 0 && n == SOCK_DGRAM);
    CHECK(socket(77, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT);
}

TEST(files, system_v_ipc)
{
    union semun {
        int val;
        struct semid_ds *buf;
        unsigned short *array;
    } u;
    struct { long type; char text[8]; } msg = {3, "queue"};
    struct sembuf op = {0, -1, IPC_NOWAIT};
    unsigned short values[2] = {4, 6}, got[2];
    struct semid_ds ds;
    struct msqid_ds mds;
    struct shmid_ds sds;
    int id = semget(IPC_PRIVATE, 2, 0600);
    char *p;

    CHECK(id >= 0);
    u.array = values;
    CHECK_EQ(semctl(id, 0, SETALL, u), 0);
    u.buf = &ds;
    CHECK_EQ(semctl(id, 0, IPC_STAT, u), 0);
    CHECK_EQ(ds.sem_nsems, 2);
    CHECK(ds.sem_ctime > 1000000000 && (ds.sem_perm.mode & 0777) == 0600);
    CHECK_EQ(semop(id, &op, 1), 0);
    u.array = got;
    CHECK_EQ(semctl(id, 0, GETALL, u), 0);
    CHECK_EQ(got[0], 3);
    CHECK_EQ(got[1], 6);
    CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
    id = msgget(IPC_PRIVATE, 0600);
    CHECK_EQ(msgsnd(id, &msg, 6, 0), 0);
    CHECK_EQ(msgctl(id, IPC_STAT, &mds), 0);
    CHECK_EQ(mds.msg_qnum, 1);
    CHECK_EQ(msgrcv(id, &msg, 8, 3, 0), 6);
    msgctl(id, IPC_RMID, NULL);
    id = shmget(IPC_PRIVATE, 8192, 0600);
    p = shmat(id, NULL, 0);
    CHECK(p != (void *)-1);
    strcpy(p, "shared");
    CHECK_EQ(shmctl(id, IPC_STAT, &sds), 0);
    CHECK(sds.shm_segsz == 8192 && sds.shm_nattch == 1);
    CHECK_EQ(shmdt(p), 0);
    shmctl(id, IPC_RMID, NULL);
}

TEST(files, message_queues)
{
    struct mq_attr attr = {.mq_maxmsg = 3, .mq_msgsize = 16};
    char name[32], buf[16];
    unsigned prio;
    mqd_t q;

    snprintf(name, sizeof(name), "/emu-%d", getpid());
    q = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attr);
    if (q < 0)
        SKIP("no message queues here");
    CHECK_EQ(mq_send(q, "m", 2, 7), 0);
    CHECK_EQ(mq_receive(q, buf, sizeof(buf), &prio), 2);
    CHECK_EQ(prio, 7);
    CHECK(mq_receive(q, buf, sizeof(buf), &prio) < 0 && errno == EAGAIN);
    mq_unlink(name);
}

TEST(files, terminals_and_unknown_ioctls)
{
    struct winsize ws = {24, 80, 0, 0}, got;
    struct termios t;
    int m = posix_openpt(O_RDWR | O_NOCTTY), s;

    if (m < 0)
        SKIP("no /dev/ptmx here");
    CHECK(grantpt(m) == 0 && unlockpt(m) == 0);
    s = open(ptsname(m), O_RDWR | O_NOCTTY);
    CHECK_EQ(ioctl(m, TIOCSWINSZ, &ws), 0);
    CHECK_EQ(ioctl(s, TIOCGWINSZ, &got), 0);
    CHECK_EQ(got.ws_col, 80);
    CHECK_EQ(tcgetattr(s, &t), 0);
    t.c_lflag &= ~(tcflag_t)ECHO;
    CHECK_EQ(tcsetattr(s, TCSANOW, &t), 0);
    CHECK_EQ(isatty(s), 1);
    CHECK(ioctl(s, 0xae01) < 0 && errno == ENOTTY);
}

TEST(files, copies)
{
    int a = memfd_create("a", 0), b = memfd_create("b", 0), p[2];
    char buf[8] = "";
    off_t off = 0;
    off64_t from = 2;

    CHECK_EQ(write(a, "12345678", 8), 8);
    CHECK_EQ(sendfile(b, a, &off, 5), 5);
    CHECK_EQ(off, 5);
    CHECK_EQ(pread(b, buf, 8, 0), 5);
    CHECK_STR(buf, "12345");
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(splice(a, &from, p[1], NULL, 3, 0), 3);
    CHECK_EQ(read(p[0], buf, 8), 3);
    CHECK_MEM(buf, "345", 3);
}

TEST(files, memory_calls_fail_as_they_should)
{
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;

    CHECK(p != MAP_FAILED);
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0) == MAP_FAILED &&
          errno == EEXIST);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mprotect(p + 1, 4096, PROT_READ) < 0 && errno == EINVAL);
    strcpy(p, "kept");
    q = mremap(p, 3 * 4096, 10 * 4096, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED);
    CHECK_STR(q, "kept");
    q[9 * 4096] = 1;
    CHECK_EQ(munmap(q, 10 * 4096), 0);
    CHECK(mprotect(q, 4096, PROT_READ) < 0 && errno == ENOMEM);
    CHECK(msync(q, 4096, MS_SYNC) < 0 && errno == ENOMEM);
}

static const struct test tests[] = {
    CASE(files, stat_fields),
    CASE(files, open_flags_differ_between_architectures),
    CASE(files, the_link_to_the_program),
    CASE(files, openat2_takes_larger_structures),
    CASE(files, descriptors),
    CASE(files, vectors_offsets_and_locks),
    CASE(files, epoll_events_are_not_packed_here),
    CASE(files, eventfd_timerfd_inotify),
    CASE(files, folders_and_file_systems),
    CASE(files, descriptors_pass_through_sockets),
    CASE(files, internet_sockets),
    CASE(files, system_v_ipc),
    CASE(files, message_queues),
    CASE(files, terminals_and_unknown_ioctls),
    CASE(files, copies),
    CASE(files, memory_calls_fail_as_they_should),
};
TEST_MAIN(tests)
