/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character back ends that need no peer: options, texts, front ends, ring buffer, files, log. */
#include "tests/unit/ui/front.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static struct chr_env env;

static void make_env(void)
{
    env.loop = loop_new();
}

static char *folder(void)
{
    static char name[] = "/tmp/emu-chr-XXXXXX";

    if (!mkdtemp(name))
        SKIP("no folder in /tmp");
    return name;
}

static void file_is(const char *path, const char *want)
{
    char buf[256] = "";
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0);
    close(fd);
    CHECK_STR(buf, want);
}

/* What @text of -serial becomes, as JSON in one line. */
static void text_is(const char *text, const char *want)
{
    struct err e = {0};
    struct json_object *o = chr_text_opts("s", text, &e);
    char *got = o ? json_print(o, true) : NULL;

    CHECK_STR(got ? got : e.msg, want);
    free(got);
    json_object_put(o);
}

TEST(text, devices_of_serial_become_options)
{
    struct err e = {0};

    text_is("stdio", "{\"id\": \"s\", \"backend\": \"stdio\"}");
    text_is("mon:stdio",
            "{\"id\": \"s\", \"mux\": \"on\", \"backend\": \"stdio\", \"signal\": \"off\"}");
    text_is("file:a,b", "{\"id\": \"s\", \"backend\": \"file\", \"path\": \"a,b\"}");
    text_is("tcp:h:99,server,nowait",
            "{\"id\": \"s\", \"backend\": \"socket\", \"port\": \"99\", \"host\": \"h\", "
            "\"server\": \"on\", \"nowait\": \"on\"}");
    text_is("tcp:[::1]:99,server=on,wait=off",
            "{\"id\": \"s\", \"backend\": \"socket\", \"port\": \"99\", \"host\": \"::1\", "
            "\"server\": \"on\", \"wait\": \"off\"}");
    text_is("telnet::4444,server", "{\"id\": \"s\", \"backend\": \"socket\", \"telnet\": \"on\", "
                                   "\"port\": \"4444\", \"host\": \"\", \"server\": \"on\"}");
    text_is("unix:/x,server",
            "{\"id\": \"s\", \"backend\": \"socket\", \"path\": \"/x\", \"server\": \"on\"}");
    text_is("udp:h:99@:98",
            "{\"id\": \"s\", \"backend\": \"udp\", \"port\": \"99\", \"host\": \"h\", "
            "\"localport\": \"98\", \"localaddr\": \"\"}");
    text_is("vc:80Cx24C",
            "{\"id\": \"s\", \"backend\": \"vc\", \"cols\": \"80\", \"rows\": \"24\"}");
    text_is("vc:800x600",
            "{\"id\": \"s\", \"backend\": \"vc\", \"width\": \"800\", \"height\": \"600\"}");
    text_is("/dev/ttyS3", "{\"id\": \"s\", \"backend\": \"serial\", \"path\": \"/dev/ttyS3\"}");
    text_is("/dev/parport0",
            "{\"id\": \"s\", \"backend\": \"parallel\", \"path\": \"/dev/parport0\"}");
    text_is("con:", "con: is a console of Windows; stdio is the terminal here");
    text_is("pipe:", "chardev: pipe: no path given");
    CHECK(!chr_text_opts("s", "none", &e) && !e.code);
    CHECK(!chr_text_opts("s", "stdoi", &e) &&
          strstr(e.msg, "'stdoi' is no character device: want stdio"));
}

TEST(options, faults_are_named)
{
    make_env();
    refused(&env, "foo,id=a", "'foo' is not a valid char driver name");
    refused(&env, "stdoi,id=a", "'stdoi' is not a valid char driver name; did you mean 'stdio'?");
    refused(&env, "null", "chardev: no id specified");
    refused(&env, "null,id=1a",
            "Parameter 'id' expects an identifier, not '1a': letters, digits, '-', '.', '_', "
            "starting with a letter");
    refused(&env, "null,id=a,foo=1", "Invalid parameter 'foo'");
    refused(&env, "file,id=a", "chardev: file: no filename given");
    refused(&env, "file,id=a,path=/nonexistent/x",
            "Could not open '/nonexistent/x': No such file or directory");
    refused(&env, "ringbuf,id=a,size=1000",
            "size of ringbuf chardev must be power of two, not 1000");
    refused(&env, "pipe,id=a,path=/nonexistent",
            "Could not open '/nonexistent': No such file or directory (nor '/nonexistent.in' and "
            "'/nonexistent.out')");
    refused(&env, "mux,id=a", "chardev: mux: no chardev given");
    refused(&env, "msmouse,id=a",
            "chardev 'msmouse' is not supported: it is a mouse on a serial line, and there is "
            "no pointer without a display");
    refused(&env, "parallel,id=a,path=/dev/null",
            "not a parallel port: Inappropriate ioctl for device");
    refused(&env, "socket,id=a,host=h", "chardev: socket: no port given");
    refused(&env, "socket,id=a,path=/tmp/x,host=h,port=1",
            "None or one of 'path', 'fd' or 'host' option required.");
    refused(&env, "socket,id=a,host=127.0.0.1,port=1",
            "Failed to connect to '127.0.0.1:1': Connection refused");
    refused(&env, "socket,id=a,host=127.0.0.1,port=99999,server=on,wait=off",
            "port '99999': want a number from 0 to 65535 or a service");
    refused(&env, "socket,id=a,path=/x,wait=off",
            "'wait' option is incompatible with socket in client connect mode");
    refused(&env, "socket,id=a,path=/x,server=on,reconnect=1",
            "'reconnect' option is incompatible with socket in server listen mode");
    refused(&env, "socket,id=a,path=/x,websocket=on", "Websocket client is not implemented");
    refused(&env, "socket,id=a,path=/x,server=on,tls-creds=t", "No TLS credentials with id 't'");
    refused(&env, "socket,id=a,fd=77", "File descriptor '77' is not a socket");
    refused(&env, "socket,id=a,path=/x,tn3270=on",
            "tn3270 is not supported: it is the console of s390x machines, and there are none");
    refused(&env, "udp,id=a", "chardev: udp: remote port not specified");
}

TEST(front, one_at_a_time)
{
    static struct front a, b;
    struct err e = {0};
    struct chr *c;

    make_env();
    c = open_chardev(&env, "null,id=n");
    front_attach(&a, c);
    CHECK_STR(a.events, "O");
    CHECK_EQ(chr_attach(c, &front_type, &b, &e), -EBUSY);
    CHECK_STR(e.msg, "Device 'n' is in use");
    chr_detach(c, &a);
    front_attach(&b, c);
    CHECK_STR(chr_describe(c), "null");
    chr_close(c);
}

TEST(ringbuf, keeps_the_newest)
{
    uint8_t buf[16] = "";
    struct err e = {0};
    struct chr *c;

    make_env();
    c = open_chardev(&env, "ringbuf,id=r,size=8");
    CHECK_EQ(chr_write(c, NULL, (const uint8_t *)"0123456789", 10), 10);
    CHECK_EQ(chr_ringbuf_read(c, buf, 3, &e), 3);
    CHECK_MEM(buf, "234", 3);
    CHECK_EQ(chr_ringbuf_write(c, (const uint8_t *)"ab", 2, &e), 0);
    CHECK_EQ(chr_ringbuf_read(c, buf, 16, &e), 7);
    CHECK_MEM(buf, "56789ab", 7);
    CHECK_EQ(chr_ringbuf_read(c, buf, 16, &e), 0);
    chr_close(c);
    c = open_chardev(&env, "null,id=n");
    CHECK_EQ(chr_ringbuf_read(c, buf, 1, &e), -EINVAL);
    CHECK_STR(e.msg, "n is not a ringbuf device");
    chr_close(c);
}

TEST(memory, input_waits_for_room)
{
    static struct front f;
    struct chr *c = chr_memory();
    size_t len;

    front_attach(&f, c);
    f.room = 0;
    chr_memory_input(c, "abc", 3);
    CHECK_STR(f.got, "");
    f.room = 2;
    chr_wake(c, &f);
    CHECK_STR(f.got, "abc");
    front_say(&f, "out");
    CHECK_MEM(chr_memory_output(c, &len), "out", 3);
    CHECK_EQ(len, 3);
    chr_close(c);
}

TEST(file, output_input_append_and_log)
{
    static struct front f;
    char path[128], log[128], opts[512];
    const char *dir = folder();
    struct chr *c;

    make_env();
    snprintf(path, sizeof(path), "%s/o", dir);
    snprintf(log, sizeof(log), "%s/l", dir);
    snprintf(opts, sizeof(opts), "file,id=f,path=%s,logfile=%s", path, log);
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    front_say(&f, "one\n");
    chr_close(c);
    snprintf(opts, sizeof(opts),
             "file,id=f,path=%s,append=on,input-path=%s,logfile=%s,logappend=on", path, path, log);
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    RUN_UNTIL(env.loop, f.len == 4);
    CHECK_STR(f.got, "one\n");
    front_say(&f, "two\n");
    chr_close(c);
    file_is(path, "one\ntwo\n");
    file_is(log, "one\ntwo\n");
    snprintf(opts, sizeof(opts), "file,id=f,path=%s", path);
    c = open_chardev(&env, opts);
    chr_close(c);
    file_is(path, "");
    unlink(path);
    unlink(log);
    rmdir(dir);
}

TEST(file, a_full_disk_does_not_stop_the_guest)
{
    static struct front f;
    struct chr *c;

    make_env();
    c = open_chardev(&env, "file,id=f,path=/dev/full");
    front_attach(&f, c);
    CHECK_EQ(chr_write(c, &f, (const uint8_t *)"abc", 3), 3);
    chr_close(c);
}

TEST(pipe, two_named_pipes)
{
    static struct front f;
    char in[128], out[128], opts[256], buf[16] = "";
    const char *dir = folder();
    struct chr *c;
    int i, o;

    make_env();
    snprintf(in, sizeof(in), "%s/p.in", dir);
    snprintf(out, sizeof(out), "%s/p.out", dir);
    CHECK(!mkfifo(in, 0600) && !mkfifo(out, 0600));
    snprintf(opts, sizeof(opts), "pipe,id=p,path=%s/p", dir);
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    i = open(in, O_WRONLY | O_NONBLOCK);
    o = open(out, O_RDONLY | O_NONBLOCK);
    CHECK_EQ(write(i, "hello", 5), 5);
    RUN_UNTIL(env.loop, f.len == 5);
    front_say(&f, "back");
    CHECK_EQ(read(o, buf, sizeof(buf)), 4);
    CHECK_STR(buf, "back");

    /* Full: what is not taken comes with the call that there is room. */
    static uint8_t lots[1 << 20];
    size_t n = chr_write(c, &f, lots, sizeof(lots));

    CHECK(n < sizeof(lots));
    chr_on_room(c, &f, front_on_room);
    loop_once(env.loop, 0);
    CHECK_EQ(f.rooms, 0);
    while (n)
        n -= (size_t)read(o, lots, sizeof(lots));
    RUN_UNTIL(env.loop, f.rooms == 1);
    chr_close(c);
    unlink(in);
    unlink(out);
    rmdir(dir);
}

static int exit_status = -1;

static void on_exit_asked(void *opaque, int status)
{
    exit_status = status;
}

TEST(testdev, the_guest_ends_the_program)
{
    struct chr *c;

    make_env();
    env.exit = on_exit_asked;
    c = open_chardev(&env, "testdev,id=t");
    chr_write_all(c, NULL, (const uint8_t *)"3", 1);
    CHECK_EQ(exit_status, -1);
    chr_write_all(c, NULL, (const uint8_t *)"q", 1);
    CHECK_EQ(exit_status, 7);
    chr_close(c);
}

static const struct test tests[] = {
    CASE(text, devices_of_serial_become_options),
    CASE(options, faults_are_named),
    CASE(front, one_at_a_time),
    CASE(ringbuf, keeps_the_newest),
    CASE(memory, input_waits_for_room),
    CASE(file, output_input_append_and_log),
    CASE(file, a_full_disk_does_not_stop_the_guest),
    CASE(pipe, two_named_pipes),
    CASE(testdev, the_guest_ends_the_program),
};
TEST_MAIN(tests)
