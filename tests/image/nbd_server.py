#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""qemu-nbd: what its clients see is what they see of Debian's; libnbd, nbdinfo, nbdcopy and fio as
clients; TLS; sockets handed over; broken clients.  Names on the command line choose tests."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from suite import Failed, must, run_tests, same

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import LONG, listening, until  # noqa: E402

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build')) + '/qemu-nbd'
THEIRS, THEIRS_IMG, THEIRS_IO = (shutil.which(p, path='/usr/bin:/bin') for p in ('qemu-nbd', 'qemu-img', 'qemu-io'))
KB, MB = 1 << 10, 1 << 20
LIMIT = 120


def raises(code, call, *args):
    """The libnbd call fails with this errno."""
    try:
        call(*args)
    except nbd.Error as e:
        same(e.errnum, code, f'{call.__name__}{args[:2]}')
        return
    raise Failed(f'{call.__name__}{args} did not fail')


def run(*argv, status=0):
    r = subprocess.run(argv, text=True, capture_output=True, timeout=LIMIT)
    must(status is None or r.returncode == status, argv, 'ends with', r.returncode, r.stdout, r.stderr)
    return r.stdout + r.stderr


@contextlib.contextmanager
def server(*argv, program=OURS, sock='s', check=True):
    """The server on a Unix socket in the working folder; it must end well, if it is killed by us."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(sock)
    p = subprocess.Popen([program, '-k', os.path.abspath(sock), *argv], stderr=subprocess.PIPE,
                         text=True)
    try:
        until(lambda: p.poll() is not None or listening(sock))
        must(p.poll() is None, 'server ended:', p.stderr.read() if p.poll() is not None else '')
        yield p
    finally:
        p.terminate()
        try:
            p.wait(10)
        except subprocess.TimeoutExpired:
            os.system(f'gdb -p {p.pid} -batch -ex "thread apply all bt 8" 2>&1 | grep -A8 ^Thread')
            p.kill()
            raise Failed(program, 'does not end')
        text = p.stderr.read()
        p.stderr.close()
    if check:
        must(p.returncode == 0, 'server ended with', p.returncode, text)
        must(program != OURS or not os.path.exists(sock), 'the socket is left over')


def meets(uri):
    with contextlib.suppress(nbd.Error):
        return client(uri=uri)
    return None


def client(sock='s', uri=None, export='', structured=True, contexts=()):
    h = nbd.NBD()
    h.set_request_structured_replies(structured)
    h.set_strict_mode(0)
    for c in contexts:
        h.add_meta_context(c)
    if uri:
        h.connect_uri(uri)
    else:
        h.set_export_name(export)
        h.connect_unix(sock)
    return h


def sparse(path, size, seed=1, pieces=12):
    """A file with data here and there; also its content."""
    rng = random.Random(seed)
    data = bytearray(size)
    with open(path, 'wb') as f:
        f.truncate(size)
        for _ in range(pieces):
            n = min(size, rng.randrange(1, 64) * 4 * KB)
            off = rng.randrange(0, size - n + 1) // (4 * KB) * (4 * KB)
            piece = rng.randbytes(n)
            data[off:off + n] = piece
            f.seek(off)
            f.write(piece)
    return data


# What clients see, beside the reference ---------------------------------------------------------

VARIANTS = [[], ['-r'], ['-x', 'name'], ['-x', 'name', '-D', 'what it is'], ['-A'], ['-e', '4'],
            ['-e', '0', '-r'], ['-o', '4096']]


def beside(*argv, ask):
    answers = []
    for program in (OURS, THEIRS):
        with server('-f', 'raw', *argv, 'a.raw', program=program, check=False):
            answers.append(ask())
    return answers


def test_list_is_the_reference_s():
    sparse('a.raw', 3 * MB)
    for v in VARIANTS:
        got, want = beside('-t', *v, ask=lambda: run(THEIRS, '-L', '-k', os.path.abspath('s')))
        same(got, want, v)
        got, want = beside('-t', *v, ask=lambda: run(OURS, '-L', '-k', os.path.abspath('s')))
        same(got, want, v)


def test_nbdinfo_is_the_reference_s():
    sparse('a.raw', 3 * MB)
    for v in VARIANTS:
        got, want = beside('-t', *v, ask=lambda: json.loads(
            run('nbdinfo', '--json', '--list', 'nbd+unix:///?socket=s')))
        same(got, want, v)


def test_map_is_the_reference_s():
    sparse('a.raw', 30 * MB, seed=5, pieces=40)
    for v in [], ['-o', '12800']:
        got, want = beside('-t', *v, ask=lambda: run('nbdinfo', '--map', '--json', 'nbd+unix:///?socket=s'))
        same(got, want, 'base:allocation')
    got, want = beside('-t', '-A', ask=lambda: run('nbdinfo', '--map=qemu:allocation-depth', '--json',
                                                   'nbd+unix:///?socket=s'))
    same(got, want, 'qemu:allocation-depth')


# Handshake bytes, beside the reference ----------------------------------------------------------

HELLO = struct.pack('>QQH', 0x4e42444d41474943, 0x49484156454f5054, 3)
EXPORT_NAME, ABORT, LIST, STARTTLS, INFO, GO, STRUCTURED, LIST_META, SET_META = 1, 2, 3, 5, 6, 7, 8, 9, 10


def option(kind, data=b'', length=None):
    return struct.pack('>QII', 0x49484156454f5054, kind, len(data) if length is None else length) + data


def text(s):
    return struct.pack('>I', len(s)) + s.encode()


def info(name, *wanted):
    return text(name) + struct.pack('>H', len(wanted)) + b''.join(struct.pack('>H', w) for w in wanted)


def meta(name, *queries):
    return text(name) + struct.pack('>I', len(queries)) + b''.join(text(q) for q in queries)


CONVERSATIONS = {
    'list': [option(LIST)],
    'list with data': [option(LIST, b'xyz')],
    'unknown option': [option(77), option(99, b'abc'), option(LIST)],
    'abort': [option(ABORT)],
    'info, unknown name': [option(INFO, info('nosuch')), option(INFO, info('name'))],
    'info, all': [option(INFO, info('name', 0, 1, 2, 3, 77))],
    'info, bad counts': [option(INFO, text('name') + struct.pack('>H', 3) + b'\0\0')],
    'info, name past the end': [option(INFO, struct.pack('>I', 400) + b'name\0\0')],
    'info, too short': [option(INFO, b'\0')],
    'go twice': [option(GO, info('nosuch')), option(GO, info('name'))],
    'TLS that is not there': [option(STARTTLS), option(STARTTLS, b'x')],
    'structured twice': [option(STRUCTURED), option(STRUCTURED), option(STRUCTURED, b'x')],
    'contexts before structured': [option(SET_META, meta('name', 'base:allocation'))],
    'contexts': [option(STRUCTURED), option(LIST_META, meta('name')),
                 option(LIST_META, meta('name', 'base:', 'qemu:', 'x:y')),
                 option(LIST_META, meta('nosuch', 'base:')),
                 option(SET_META, meta('name', 'base:allocation', 'qemu:allocation-depth', 'foo:bar')),
                 option(SET_META, meta('name', 'base:', 'qemu:')),
                 option(SET_META, meta('name')), option(GO, info('name'))],
    'bitmap contexts': [option(STRUCTURED), option(LIST_META, meta('name', 'qemu:dirty-bitmap:')),
                        option(SET_META, meta('name', 'qemu:dirty-bitmap:b0', 'base:allocation'))],
    'contexts, broken': [option(STRUCTURED), option(SET_META, meta('name', 'base:allocation')[:-3]),
                         option(LIST)],
    'old style name': [option(EXPORT_NAME, b'name')],
    'old style, unknown name': [option(EXPORT_NAME, b'nosuch')],
}


def receive(s, n):
    data = b''
    while len(data) < n:
        try:
            piece = s.recv(n - len(data))
        except ConnectionResetError:  # it left with something of ours unread
            return None
        if not piece:
            return None
        data += piece
    return data


def converse(options):
    """What comes back: (option, type, data) of each reply; error texts are each server's own."""
    answers = []
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect('s')
        receive(s, 18)
        s.sendall(struct.pack('>I', 3))
        s.sendall(b''.join(options))
        s.shutdown(socket.SHUT_WR)
        if options[0][11] == EXPORT_NAME:
            return receive(s, 10)
        while head := receive(s, 20):
            magic, opt, kind, length = struct.unpack('>QIII', head)
            same(magic, 0x3e889045565a9, 'reply magic')
            data = receive(s, length)
            answers.append((opt, hex(kind), b'' if kind >> 31 else data))
            if opt == GO and kind == 1:
                break
    return answers


def test_handshake_is_the_reference_s():
    sparse('a.raw', 3 * MB)

    def ask():
        return {name: converse(options) for name, options in CONVERSATIONS.items()}
    got, want = beside('-t', '-A', '-x', 'name', '-D', 'it is a disk', ask=ask)
    for name in CONVERSATIONS:
        same(got[name], want[name], name)


def test_broken_clients():
    """None of them takes the server down."""
    rng = random.Random(3)
    request = struct.pack('>IHHQQI', 0x25609513, 0, 0, 1, 0, 512)
    go = option(GO, info(''))
    sparse('a.raw', 3 * MB)
    with server('-f', 'raw', '-t', '-e', '0', 'a.raw') as p:
        streams = [b'', b'\0' * 100, b'GET / HTTP/1.0\r\n\r\n', option(LIST, length=0xffffffff),
                   option(GO, length=1 << 20) + b'x' * 100, go, go + request[:10], go + b'x' * 28,
                   go + struct.pack('>IHHQQI', 0x25609513, 0, 1, 1, 0, 1 << 31),
                   go + struct.pack('>IHHQQI', 0x25609513, 0, 1, 1, 0, 1 << 20) + b'part',
                   go + request * 1000]
        for _ in range(100):
            s = bytearray(rng.choice(streams) + go + request * 3)
            for _ in range(rng.randrange(1, 6)):
                s[rng.randrange(len(s))] = rng.randrange(256)
            streams.append(bytes(s))
        for stream in streams:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect('s')
                s.settimeout(.02)
                with contextlib.suppress(OSError):
                    s.sendall(struct.pack('>I', rng.choice([3, 3, 3, 1, 0, 0xffffffff])) + stream)
                    if rng.random() < .5:
                        s.shutdown(socket.SHUT_WR)
                        s.recv(10000)
        must(p.poll() is None, 'the server died')
        same(client().get_size(), 3 * MB, 'size')


# Requests ---------------------------------------------------------------------------------------

def test_requests():
    for structured in True, False:
        data = sparse('a.raw', 4 * MB)
        with server('-f', 'raw', 'a.raw', '--discard=unmap'):
            h = client(structured=structured)
            same(h.get_size(), 4 * MB, 'size')
            same(h.pread(4 * MB, 0), bytes(data), 'everything')
            same(h.pread(0, 4 * MB), b'', 'nothing, at the end')
            for off, n in (0, 1), (511, 3), (4 * MB - 1, 1), (1 * MB + 17, 70001):
                piece = random.Random(off).randbytes(n)
                h.pwrite(piece, off, nbd.CMD_FLAG_FUA if n == 3 else 0)
                data[off:off + n] = piece
            for call, off, n, flags in (h.zero, 5000, 100000, 0), (h.trim, 1 * MB, 64 * KB, 0), \
                    (h.zero, 2 * MB, 1 * MB, nbd.CMD_FLAG_NO_HOLE), \
                    (h.zero, 3 * MB, 4096, nbd.CMD_FLAG_FAST_ZERO | nbd.CMD_FLAG_FUA), \
                    (h.trim, 3 * MB, 64 * KB, nbd.CMD_FLAG_FUA):
                call(n, off, flags)
                data[off:off + n] = bytes(n)
            h.cache(1 * MB, 0)
            h.flush()
            same(h.pread(4 * MB, 0), bytes(data), 'after writing')
            if structured:
                same(h.pread_structured(2 * MB, 1 * MB, lambda *a: 0, nbd.CMD_FLAG_DF),
                     bytes(data[1 * MB:3 * MB]), 'in one chunk')
            h.shutdown()
        with open('a.raw', 'rb') as f:
            same(f.read(), bytes(data), 'the file')


def test_a_part_from_any_byte():
    data = sparse('a.raw', 1 * MB + 512)
    with server('-f', 'raw', '-o', '1001', 'a.raw'):
        h = client()
        same(h.get_size(), len(data) - 1001, 'size')
        h.pwrite(b'abc', 5)
        data[1006:1009] = b'abc'
        same(h.pread(h.get_size(), 0), bytes(data[1001:]), 'everything')
        h.shutdown()
    with open('a.raw', 'rb') as f:
        same(f.read(), bytes(data), 'the file')


def test_refusals():
    sparse('a.raw', 1 * MB)
    for structured in True, False:
        with server('-f', 'raw', '-t', 'a.raw'):
            h = client(structured=structured)
            raises(22, h.pread, 512, 1 * MB)
            raises(22, h.pread, 512, 2**63 - 100)
            raises(28, h.pwrite, b'abc', 1 * MB - 2)
            raises(28, h.zero, 1 * MB, 512)
            raises(22, h.trim, 1 * MB, 512)
            raises(22, h.block_status, 512, 0, lambda *a: 0)
            same(h.pread(3, 7), open('a.raw', 'rb').read(10)[7:], 'goes on')
        with server('-f', 'raw', '-r', 'a.raw'):
            h = client(structured=structured)
            must(h.is_read_only(), 'is read-only')
            raises(1, h.pwrite, b'abc', 0)
            raises(1, h.zero, 512, 0)
            raises(1, h.trim, 512, 0)
            h.flush()


def test_block_status():
    with open('a.raw', 'wb') as f:
        f.truncate(16 * MB)
        f.seek(4 * MB)
        f.write(b'x' * MB)
    with server('-f', 'raw', '-A', 'a.raw'):
        h = client(contexts=['base:allocation', 'qemu:allocation-depth'])
        seen = {}

        def extents(name, off, entries, error):
            seen[name] = entries
        h.block_status(8 * MB, 0, extents)
        same(seen, {'base:allocation': [4 * MB, 3, MB, 0, 3 * MB, 3],
                    'qemu:allocation-depth': [4 * MB, 0, MB, 1, 3 * MB, 0]}
             if seen['qemu:allocation-depth'][1] == 0 else
             {'base:allocation': [4 * MB, 3, MB, 0, 3 * MB, 3],
              'qemu:allocation-depth': [8 * MB, 1]}, 'extents')
        h.block_status(8 * MB, 0, extents, nbd.CMD_FLAG_REQ_ONE)
        same(seen['base:allocation'], [4 * MB, 3], 'one extent')


def test_many_requests_at_once():
    """Order between requests is free, each answer is right."""
    data = sparse('a.raw', 8 * MB, pieces=200)
    rng = random.Random(9)
    with server('-f', 'raw', '-e', '3', 'a.raw'):
        for h in [client() for _ in range(3)]:
            waiting = []
            for _ in range(400):
                n = rng.choice([1, 512, 4096, 65536, 2 * MB])
                off = rng.randrange(0, len(data) - n)
                buf = nbd.Buffer(n)
                waiting.append((h.aio_pread(buf, off), buf, off, n))
            while h.aio_in_flight():
                h.poll(-1)
            for cookie, buf, off, n in waiting:
                must(h.aio_command_completed(cookie), 'completed')
                same(bytes(buf.to_bytearray()), bytes(data[off:off + n]), f'{n} bytes at {off}')
            h.shutdown()


def test_a_client_with_several_requests_is_left_to_send_them():
    sparse('p.raw', MB)
    with server('-f', 'raw', '-t', 'p.raw') as p:
        def policies():
            return {os.sched_getscheduler(int(t)) for t in os.listdir(f'/proc/{p.pid}/task')}

        def ask(several):
            for _ in range(40):
                raw.sendall(b''.join(struct.pack('>IHHQQI', 0x25609513, 0, 0, i, i * 4096, 4096)
                                     for i in range(several)))
                receive(raw, several * (16 + 4096))

        raw = socket.socket(socket.AF_UNIX)
        raw.connect('s')
        receive(raw, 18)
        raw.sendall(struct.pack('>I', 3) + option(1))   # fixed newstyle, no zeroes; EXPORT_NAME
        receive(raw, 10)
        ask(1)
        same(policies(), {os.SCHED_OTHER}, 'one request after the other')
        ask(8)
        must(os.SCHED_BATCH in policies(), 'eight at a time:', policies())
        ask(1)
        same(policies(), {os.SCHED_OTHER}, 'one by one again')
        raw.close()


def test_fio_verifies():
    with open('a.raw', 'wb') as f:
        f.truncate(64 * MB)
    with server('-f', 'raw', '-t', '-e', '0', 'a.raw'):
        run('fio', '--name=v', '--ioengine=nbd', f'--uri=nbd+unix:///?socket={os.path.abspath("s")}',
            '--rw=randwrite', '--bsrange=1k-256k', '--iodepth=16', '--size=64m', '--verify=crc32c',
            '--do_verify=1', '--verify_fatal=1', '--randseed=7')


def test_nbdcopy_both_ways():
    data = sparse('a.raw', 20 * MB + 512, pieces=30)
    with server('-f', 'raw', '-e', '0', '-t', 'a.raw'), open('b.raw', 'wb') as f:
        run('nbdcopy', 'nbd+unix:///?socket=s', 'b.raw')
        f.truncate(len(data))
    same(open('b.raw', 'rb').read() == data, True, 'copied out')
    with open('c.raw', 'wb') as f:
        f.truncate(len(data))
    with server('-f', 'raw', '-e', '0', '-t', 'c.raw'):
        run('nbdcopy', '--flush', 'b.raw', 'nbd+unix:///?socket=s')
    same(open('c.raw', 'rb').read() == data, True, 'copied in')


def test_a_file_system_survives():
    """mke2fs on one image, through two servers into another; e2fsck is content."""
    for name in 'fs.raw', 'copy.raw':
        with open(name, 'wb') as f:
            f.truncate(32 * MB)
    os.mkdir('tree')
    for i in range(50):
        with open(f'tree/{i}', 'wb') as f:
            f.write(random.Random(i).randbytes(i * 3000))
    run('/sbin/mke2fs', '-q', '-t', 'ext4', '-d', 'tree', 'fs.raw')
    with server('-f', 'raw', '-r', 'fs.raw'), server('-f', 'raw', 'copy.raw', sock='t'):
        run('nbdcopy', '--connections=1', '--destination-is-zero', 'nbd+unix:///?socket=s',
            'nbd+unix:///?socket=t')
    run('/sbin/e2fsck', '-f', '-n', 'copy.raw')
    same(open('copy.raw', 'rb').read() == open('fs.raw', 'rb').read(), True, 'the copy')


# Connections ------------------------------------------------------------------------------------

def test_tcp():
    data = sparse('a.raw', 1 * MB)
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    p = subprocess.Popen([OURS, '-f', 'raw', '-t', '-b', '127.0.0.1', '-p', str(port), 'a.raw'])
    try:
        h = until(lambda: meets(f'nbd://127.0.0.1:{port}/'))
        same(h.pread(1 * MB, 0), bytes(data), 'everything')
        out = run(OURS, '-f', 'raw', '-b', '127.0.0.1', '-p', str(port), 'a.raw', status=1)
        must('Address already in use' in out or 'lock' in out, out)
    finally:
        p.terminate()
    same(p.wait(LONG), 0, 'status')


def test_the_last_client_ends_it():
    sparse('a.raw', 1 * MB)
    with server('-f', 'raw', 'a.raw') as p:
        with socket.socket(socket.AF_UNIX) as s:  # one that only looked does not count
            s.connect('s')
        h = client()
        h.shutdown()
        same(p.wait(LONG), 0, 'status')
    with server('-f', 'raw', '-t', 'a.raw') as p:
        for _ in range(3):
            client().shutdown()
        time.sleep(.1)
        must(p.poll() is None, '-t ended')


def test_the_number_of_clients():
    """The one too many waits until there is room."""
    sparse('a.raw', 1 * MB)
    with server('-f', 'raw', '-t', '-e', '2', 'a.raw'):
        a, b = client(), client()
        got = []
        t = threading.Thread(target=lambda: got.append(client().get_size()))
        t.start()
        t.join(.3)
        same(got, [], 'a third client')
        a.shutdown()
        t.join(LONG)
        same(got, [1 * MB], 'a third client, later')
        b.shutdown()


def test_fork_and_pid_file():
    sparse('a.raw', 1 * MB)
    run(OURS, '-f', 'raw', '--fork', '--pid-file=pid', '-t', '-k', os.path.abspath('s'), 'a.raw')
    pid = int(open('pid').read())
    same(client().get_size(), 1 * MB, 'size')  # it listens when the parent has left
    os.kill(pid, signal.SIGTERM)
    must(until(lambda: not os.path.exists('s') and not os.path.exists('pid')), 'files are left over')
    out = run(OURS, '-f', 'raw', '--fork', '-k', os.path.abspath('s'), 'nosuch', status=1)
    must('nosuch' in out, out)


def test_socket_activation():
    data = sparse('a.raw', 1 * MB)
    h = nbd.NBD()
    h.connect_systemd_socket_activation([OURS, '-f', 'raw', 'a.raw'])
    same(h.pread(1 * MB, 0), bytes(data), 'everything')
    h.shutdown()


def test_what_was_asked_is_done():
    """SIGTERM: requests that have arrived are answered, and the data is in the file."""
    with open('a.raw', 'wb') as f:
        f.truncate(32 * MB)
    with server('-f', 'raw', '-t', 'a.raw') as p:
        h = client()
        piece = nbd.Buffer.from_bytearray(bytearray(b'y' * MB))
        cookies = [h.aio_pwrite(piece, i * MB) for i in range(32)]
        while h.aio_in_flight() > 16:
            h.poll(-1)
        p.terminate()
        with contextlib.suppress(nbd.Error):
            while h.aio_in_flight():
                h.poll(-1)
        done = []
        for i, c in enumerate(cookies):
            with contextlib.suppress(nbd.Error):
                if h.aio_command_completed(c):
                    done.append(i)
        p.wait(10)
    must(len(done) >= 16, 'only', len(done), 'were answered')
    with open('a.raw', 'rb') as f:
        for i in done:
            f.seek(i * MB)
            must(f.read(MB) == b'y' * MB, f'answered write {i} is lost')


# qcow2 ------------------------------------------------------------------------------------------

IMG = os.path.dirname(OURS) + '/qemu-img'


def test_bitmaps_are_the_reference_s():
    run(THEIRS_IMG, 'create', '-q', '-f', 'qcow2', 'a.qcow2', '20M')
    run(THEIRS_IMG, 'bitmap', '--add', '-g', '64k', 'a.qcow2', 'b0')
    run(THEIRS_IO, '-c', 'write 1M 200k', '-c', 'write 10M 1', '-c', 'write -z 15M 1M', 'a.qcow2')
    run(THEIRS_IMG, 'bitmap', '--add', 'a.qcow2', 'b1')
    run(THEIRS_IMG, 'bitmap', '--disable', 'a.qcow2', 'b0')
    for context in 'qemu:dirty-bitmap:b0', 'qemu:dirty-bitmap:b1', 'base:allocation', 'qemu:allocation-depth':
        answers = []
        for program in OURS, THEIRS:
            with server('-f', 'qcow2', '-r', '-t', '-A', '-B', 'b0', '-B', 'b1', 'a.qcow2', program=program, check=False):
                answers.append(run('nbdinfo', f'--map={context}', '--json', 'nbd+unix:///?socket=s'))
        same(*answers, context)


def test_an_internal_snapshot():
    run(IMG, 'create', '-q', '-f', 'qcow2', 'a.qcow2', '4M')
    run(THEIRS_IO, '-c', 'write -P 1 0 1M', 'a.qcow2')
    run(IMG, 'snapshot', '-c', 'then', 'a.qcow2')
    run(THEIRS_IO, '-c', 'write -P 2 0 1M', 'a.qcow2')
    for which in 'then', '1', 'snapshot.id=1', 'snapshot.name=then', 'snapshot.id=1,snapshot.name=then':
        with server('-f', 'qcow2', '-l', which, 'a.qcow2'):
            h = client()
            must(h.is_read_only(), 'is read-only')
            same(h.pread(1 * MB, 0), b'\1' * MB, which)
            h.shutdown()
    with server('-f', 'qcow2', 'a.qcow2'):
        same(client().pread(1 * MB, 0), b'\2' * MB, 'the present')
    run(OURS, '-f', 'qcow2', '-l', 'nosuch', 'a.qcow2', status=1)


def test_a_temporary_overlay():
    data = sparse('a.raw', 4 * MB)
    with server('-f', 'raw', '-s', 'a.raw', '-t'):
        h = client()
        h.pwrite(b'x' * 100000, 12345)
        same(h.pread(100000, 12345), b'x' * 100000, 'written')
        same(h.pread(12345, 0), bytes(data[:12345]), 'below')
        h.shutdown()
    with open('a.raw', 'rb') as f:
        same(f.read(), bytes(data), 'the file')


def test_many_writers_of_one_qcow2():
    """Four connections write disjoint parts; the image holds them all and is sound."""
    run(IMG, 'create', '-q', '-f', 'qcow2', 'a.qcow2', '64M')
    with server('-f', 'qcow2', '-e', '4', 'a.qcow2'):
        def write(k):
            h = client()
            rng = random.Random(k)
            for i in rng.sample(range(256), 256):
                h.pwrite(bytes([k + 1]) * 32768, (i * 4 + k) * 65536 // 2)
            h.flush()
            h.shutdown()
        threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    run(THEIRS_IMG, 'check', 'a.qcow2')
    run(THEIRS_IO, '-f', 'qcow2', *[a for i in range(0, 1024, 37) for a in
        ('-c', f'read -P {i % 4 + 1} {i * 32768} 32768')], 'a.qcow2')


# TLS --------------------------------------------------------------------------------------------

def certificates(folder):
    """A CA, a server "localhost" and a client "somebody"."""
    def certtool(*argv, template=None):
        if template:
            with open(f'{folder}/template', 'w') as f:
                f.write(template)
            argv += '--template', f'{folder}/template'
        run('certtool', '--no-text', *argv)
    os.mkdir(folder)
    for who in 'ca', 'server', 'client':
        certtool('--generate-privkey', '--key-type=ecdsa', '--outfile', f'{folder}/{who}-key.pem')
    certtool('--generate-self-signed', '--load-privkey', f'{folder}/ca-key.pem', '--outfile',
             f'{folder}/ca-cert.pem', template='cn = CA\nca\ncert_signing_key\nexpiration_days = 30\n')
    for who, t in ('server', 'cn = localhost\ndns_name = localhost\nip_address = 127.0.0.1\ntls_www_server\n'), \
            ('client', 'cn = somebody\ntls_www_client\n'):
        certtool('--generate-certificate', '--load-ca-certificate', f'{folder}/ca-cert.pem',
                 '--load-ca-privkey', f'{folder}/ca-key.pem', '--load-privkey', f'{folder}/{who}-key.pem',
                 '--outfile', f'{folder}/{who}-cert.pem',
                 template=t + 'signing_key\nexpiration_days = 30\n')


def test_tls_with_certificates():
    data = sparse('a.raw', 1 * MB)
    certificates('pki')
    creds = 'tls-creds-x509,id=t,endpoint=server,dir=pki'

    def secure(verify=True):
        h = nbd.NBD()
        h.set_tls(nbd.TLS_REQUIRE)
        h.set_tls_certificates('pki')
        h.set_tls_verify_peer(verify)
        h.connect_unix('s')
        return h
    with server('-f', 'raw', '-t', '-e', '0', '--object', creds, '--tls-creds', 't', 'a.raw'):
        try:
            client()
            raise Failed('plain text was accepted')
        except nbd.Error:
            pass
        h = secure(False)
        same(h.get_tls_negotiated(), True, 'TLS')
        same(h.pread(1 * MB, 0), bytes(data), 'everything')
        h.pwrite(b'z' * 100000, 1000)
        h.flush()
        same(h.pread(100000, 1000), b'z' * 100000, 'written')
        got = run(OURS, '-L', '-k', os.path.abspath('s'), '--tls-hostname=localhost', '--object',
                  'tls-creds-x509,id=c,endpoint=client,dir=pki', '--tls-creds', 'c')
        must('exports available: 1' in got, got)
    with server('-f', 'raw', '-t', '--object', creds, '--tls-creds', 't', '--object',
                'authz-simple,id=a,identity=CN=nobody', '--tls-authz', 'a', 'a.raw'):
        try:
            secure(False).get_size()
            raise Failed('a client with another name was accepted')
        except nbd.Error:
            pass
    with server('-f', 'raw', '-t', '--object', creds, '--tls-creds', 't', '--object',
                'authz-simple,id=a,identity=CN=somebody', '--tls-authz', 'a', 'a.raw'):
        same(secure(False).get_size(), 1 * MB, 'the right name')


def test_tls_with_a_shared_key():
    data = sparse('a.raw', 1 * MB)
    os.mkdir('psk')
    run('psktool', '-u', 'alice', '-p', 'psk/keys.psk')
    creds = 'tls-creds-psk,id=t,endpoint=server,dir=psk'
    with server('-f', 'raw', '-t', '--object', creds, '--tls-creds', 't', 'a.raw'):
        h = nbd.NBD()
        h.set_tls(nbd.TLS_REQUIRE)
        h.set_tls_psk_file('psk/keys.psk')
        h.set_tls_username('alice')
        h.connect_unix('s')
        same(h.pread(1 * MB, 0), bytes(data), 'everything')
        h = nbd.NBD()
        h.set_tls(nbd.TLS_REQUIRE)
        h.set_tls_psk_file('psk/keys.psk')
        h.set_tls_username('mallory')
        try:
            h.connect_unix('s')
            raise Failed('an unknown user was accepted')
        except nbd.Error:
            pass


# Command line -----------------------------------------------------------------------------------

def test_one_clear_line():
    sparse('a.raw', 1 * MB)
    for argv, part in (['nosuch.raw'], 'nosuch.raw'), (['-f', 'nosuch', 'a.raw'], 'nosuch'), \
            (['-o', '2M', 'a.raw'], ''), (['-e', '-1', 'a.raw'], '-1'), (['--cache=x', 'a.raw'], 'x'), \
            (['--aio=x', 'a.raw'], 'x'), (['--discard=x', 'a.raw'], 'x'), ([], ''), \
            (['a.raw', 'b.raw'], ''), (['-p', '99999', 'a.raw'], '99999'), \
            (['--tls-creds', 'x', 'a.raw'], 'x'), (['-B', 'b0', 'a.raw'], 'b0'), \
            (['-l', 'snap', '-f', 'raw', 'a.raw'], 'snapshot'), (['--nosuch'], 'nosuch'), \
            (['-k', '/nosuch/s', '-f', 'raw', 'a.raw'], '/nosuch/s'), \
            (['-c', '/dev/null', '-f', 'raw', 'a.raw'], '/dev/null'):
        out = run(OURS, *argv, status=1)
        lines = [s for s in out.splitlines() if not re.match(r"(qemu-nbd: )?Try|See|WARNING|  ", s) and 'detected as raw' not in s
                 and not s.startswith('         ')]
        must(len(lines) == 1 and part in out, argv, 'says', repr(out))
        must('/' + os.path.basename(OURS) not in out.split(':')[0], out)


def test_help_and_version():
    for o in '--help', '-h', '--version', '-V':
        out = run(OURS, o)
        must('qemu-nbd' in out, out)
    theirs = set(re.findall(r'--?[a-z][a-z-]*', re.sub('http.*', '', run(THEIRS, '--help')), re.I))
    ours = set(re.findall(r'--?[a-z][a-z-]*', run(OURS, '--help'), re.I))
    missing = {o for o in theirs - ours if not re.match(r'-[a-z]{2}', o)}
    same(missing, set(), 'options that help does not name')


try:
    import nbd
except ImportError:
    print('needs python3-libnbd\nskip nbd_server, runs')
    sys.exit(0)
if not THEIRS:
    print("needs Debian's qemu-nbd\nskip nbd_server, runs")
    sys.exit(0)
run_tests('nbd_server', globals(), also=(nbd.Error,))
