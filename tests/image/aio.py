#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""aio=threads, io_uring and native: data, flushes, ends of files and refusals.  That requests really take the way they
were told to is seen by forbidding the other ways (seccomp(2) filters that answer with an error)."""

import ctypes
import errno
import os
import resource
import signal
import struct
import subprocess
import sys

from suite import must, run_tests, same

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
NR = {'pwrite64': 18, 'preadv': 295, 'pwritev': 296, 'fdatasync': 75, 'io_setup': 206, 'io_getevents': 208,
      'io_submit': 209, 'io_uring_setup': 425, 'io_uring_enter': 426}  # x86-64
PLAIN = ('pwrite64', 'preadv', 'pwritev')  # pread64 is the dynamic linker's, too
libc = ctypes.CDLL(None, use_errno=True)


def refusing(calls, error):
    """For preexec_fn: system calls named by @calls answer @error."""
    def code(op, value, yes=0, no=0):
        return struct.pack('=HBBI', op, yes, no, value)
    text = code(0x20, 0)  # the number of the call
    for i, call in enumerate(calls):
        text += code(0x15, NR[call], len(calls) - i)  # equal: to the last line
    text += code(0x06, 0x7fff0000) + code(0x06, 0x50000 | error)
    program = ctypes.create_string_buffer(text)
    head = ctypes.create_string_buffer(struct.pack('@HP', len(text) // 8, ctypes.addressof(program)))

    def install():
        libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
        if libc.prctl(22, 2, head, 0, 0):  # PR_SET_SECCOMP
            raise OSError(ctypes.get_errno(), 'seccomp')
    install.keep = program
    return install


def io(*argv, ours=True, refuse=(), error=errno.EPERM, before=None, stdin=None):
    r = subprocess.run([f'{OURS}/qemu-io' if ours else 'qemu-io', *argv], input=stdin, capture_output=True, text=True, timeout=60,
                       preexec_fn=refusing(refuse, error) if refuse else before)
    return r.returncode, r.stdout + r.stderr


def image(size=4 << 20):
    with open('a.raw', 'wb') as f:
        f.truncate(size)


# -n: cache=none, which native wants
WAYS = {'threads': ['-i', 'threads'], 'io_uring': ['-i', 'io_uring'], 'io_uring, direct': ['-n', '-i', 'io_uring'],
        'native': ['-n', '-i', 'native']}


def each_way(function):
    for name, options in WAYS.items():
        function(name, options)


def test_data_comes_back():
    def one(name, options):
        image()
        code, out = io('-f', 'raw', *options, '-c', 'write -q -P 5 0 1M', '-c', 'writev -q -P 6 1M 4k 512 8k', '-c', 'write -q -P 7 1000 3000',
                       '-c', 'aio_write -q -P 8 2M 64k', '-c', 'aio_write -q -P 9 3M 64k', '-c', 'aio_flush', '-c', 'flush', 'a.raw')
        same((code, out), (0, ''), name)
        want = bytearray(4 << 20)
        for at, n, value in ((0, 1 << 20, 5), (1 << 20, 12800, 6), (1000, 3000, 7), (2 << 20, 65536, 8), (3 << 20, 65536, 9)):
            want[at:at + n] = bytes([value]) * n
        with open('a.raw', 'rb') as f:
            must(f.read() == want, name, 'the file holds something else')
        code, out = io('-f', 'raw', *options, '-c', 'read -q -P 5 0 1000', '-c', 'readv -q -P 6 1M 4k 512 8k', '-c', 'read -q -P 7 1000 3000',
                       '-c', 'aio_read -q -P 8 2M 64k', '-c', 'aio_read -q -P 9 3M 64k', '-c', 'aio_flush', 'a.raw')
        same((code, out), (0, ''), name)
    each_way(one)


def test_the_way_is_the_one_that_was_told():
    image()
    for options, forbidden in ((['-i', 'io_uring'], PLAIN + ('fdatasync', 'io_submit')), (['-n', '-i', 'native'], PLAIN + ('io_uring_enter',)),
                               (['-i', 'threads'], ('io_submit', 'io_uring_setup'))):
        code, out = io('-f', 'raw', *options, '-c', 'write -q -P 5 0 64k', '-c', 'flush', '-c', 'readv -q -P 5 0 16k 48k', 'a.raw',
                       refuse=forbidden)
        same((code, out), (0, ''), f'{options} without {forbidden}')
    code, out = io('-f', 'raw', '-i', 'threads', '-c', 'write -q 0 64k', 'a.raw', refuse=PLAIN)
    must(code == 1 and 'Operation not permitted' in out, 'threads without pwrite:', out)
    code, out = io('-f', 'raw', '-i', 'threads', '-c', 'readv -q 0 4k 4k', 'a.raw', refuse=PLAIN)
    must(code == 1 and 'Operation not permitted' in out, 'threads without preadv:', out)
    code, out = io('-f', 'raw', '-i', 'io_uring', '-c', 'write -q 0 4k', '-c', 'flush', 'a.raw', refuse=('fdatasync',))
    same((code, out), (0, ''), 'a flush through the ring')


def test_a_kernel_that_refuses():
    """The reference's words, and the kernel's reason behind them."""
    image()
    for options, call, error in ((['-i', 'io_uring'], 'io_uring_setup', errno.ENOSYS), (['-i', 'io_uring'], 'io_uring_setup', errno.EPERM),
                                 (['-i', 'io_uring'], 'io_uring_enter', errno.EPERM), (['-n', '-i', 'native'], 'io_setup', errno.ENOSYS),
                                 (['-n', '-i', 'native'], 'io_setup', errno.EAGAIN), (['-n', '-i', 'native'], 'io_submit', errno.EPERM)):
        argv = ['-f', 'raw', *options, '-c', 'read 0 4k', 'a.raw']
        code, out = io(*argv, refuse=(call,), error=error)
        want = 'Unable to use io_uring: failed to init linux io_uring ring' if 'io_uring' in options else \
            'Unable to use native AIO: failed to create linux AIO context'
        must(code == 1 and out.startswith(f"qemu-io: can't open device a.raw: {want}: {os.strerror(error)}") and out.count('\n') == 1,
             options, call, out)
        if call.endswith('setup'):
            code, out = io(*argv, ours=False, refuse=(call,), error=error)
            must(code == 1 and want in out, 'the reference:', out)
    code, out = io('-f', 'raw', '-i', 'native', '-c', 'read 0 4k', 'a.raw')
    must(code == 1 and 'aio=native was specified, but it requires cache.direct=on' in out, out)


def test_a_file_that_became_shorter():
    def one(name, options):
        image()
        p = subprocess.Popen([f'{OURS}/qemu-io', '-f', 'raw', *options, 'a.raw'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        p.stdin.write('write -P 5 0 64k\n')
        p.stdin.flush()
        while 'wrote' not in p.stdout.readline():
            pass
        os.truncate('a.raw', 10000)
        p.stdin.write('read -P 5 0 8k\nread -P 5 0 10000\nread -P 0 12k 20k\n')
        out, _ = p.communicate(timeout=60)
        must(p.returncode == 0 and 'failed' not in out and out.count('read ') == 3, name, out)
    each_way(one)


def limited():
    """Files of at most 1 MiB: as a full disk, for who may not mount one."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))


def test_a_write_that_fails():
    def one(name, options):
        image()
        code, out = io('-f', 'raw', *options, '-c', 'write -q 2M 64k', '-c', 'write -q -P 5 0 64k', '-c', 'read -q -P 5 0 64k', 'a.raw',
                       before=limited)
        same((code, out), (1, 'write failed: File too large\n'), name)
        code, out = io('-f', 'raw', *options, '-c', 'write -q -P 5 960k 128k', 'a.raw', before=limited)
        must(code == 1 and out == 'write failed: File too large\n', name, 'half a write:', out)
    each_way(one)


def test_a_scattered_image():
    """Clusters in any order: one request becomes many, which the host gets together."""
    order = sorted(range(64), key=lambda i: i * 37 % 64)
    subprocess.run([f'{OURS}/qemu-img', 'create', '-q', '-f', 'qcow2', 'a.qcow2', '5M'], check=True)
    code, out = io('-f', 'qcow2', 'a.qcow2', stdin=''.join(f'write -q -P {i + 1} {i * 64}k 64k\n' for i in order))
    must(code == 0, out)
    checks = [f'read -P {i + 1} -s {i * 64}k -l 64k 0 5M' for i in range(64)] + ['read -P 0 -s 4M -l 1M 0 5M', 'read -P 2 -l 1k 127k 400k']
    for name, options in [*WAYS.items(), ('threads without a ring', ['-i', 'threads'])]:
        code, out = io('-f', 'qcow2', *options, *(x for c in checks for x in ('-c', c)), 'a.qcow2',
                       refuse=('io_uring_setup',) if 'without' in name else ())
        must(code == 0 and 'fail' not in out, name, out)


def test_many_at_once():
    for options in (['-i', 'io_uring', '-t', 'none'], ['-i', 'native', '-t', 'none'], ['-i', 'io_uring']):
        image()
        for more in (['-w', '--pattern=90', '-d', '100'], ['-d', '100']):
            r = subprocess.run([f'{OURS}/qemu-img', 'bench', '-f', 'raw', '-c', '4000', '-s', '4096', *options, *more, 'a.raw'],
                               capture_output=True, text=True, timeout=60)
            must(r.returncode == 0, options, more, r.stderr)
        code, out = io('-f', 'raw', '-c', 'read -q -P 90 0 4M', 'a.raw')
        same((code, out), (0, ''), options)


def allowed():
    fd = libc.syscall(NR['io_uring_setup'], 1, ctypes.create_string_buffer(120))
    if fd >= 0:
        os.close(fd)
    return fd >= 0


if __name__ == '__main__':
    if os.uname().machine != 'x86_64' or not allowed():
        print('needs a kernel that allows io_uring\nskip aio, runs')
        sys.exit()
    run_tests('aio', globals())
