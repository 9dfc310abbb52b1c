#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every option that the reference's help lists: our help lists it, too, a test tries it, and it does there what it does here.
qemu-img's are tried by img/*.test and transcripts/*.txt; those of qemu-io, its commands and qemu-nbd by the tables below,
beside the reference.  An option that has no row fails."""

import contextlib
import glob
import json
import os
import re
import subprocess
import sys

from suite import Failed, must, run_tests, same

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from wait import listening, until  # noqa: E402

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
HERE = os.path.dirname(os.path.abspath(__file__))
SIDES = ('/usr/bin', OURS)
LIMIT = 120

OPTION = re.compile(r'(?<![\w-])(--?[A-Za-z][\w-]*|(?:bs|count|skip|if|of)=)')


def run(*argv, **more):
    return subprocess.run(argv, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=LIMIT, errors='replace', **more)


def img_options(tools):
    text = run(f'{tools}/qemu-img', '--help').stdout
    text = re.sub(r'\n {4,}(?=[\[<-])', ' ', text.partition('Command syntax:')[2])
    found = {}
    for line in text.splitlines()[1:]:
        m = re.match(r' {2}(\w+) (.*)', line)
        if not m:
            break
        found[m[1]] = set(OPTION.findall(m[2]))
    return found


def test_our_help_lists_qemu_imgs_options():
    want, got = (img_options(s) for s in SIDES)
    same(len(want), 15, 'commands of the reference')
    for command, options in want.items():
        must(command in got, 'no', command)
        must(options <= got[command], command, 'has no', options - got[command])


def test_qemu_imgs_options_are_tried():
    text = ''.join(re.sub(r'\\\n\s*', '', open(f).read())
                   for f in glob.glob(f'{HERE}/img/*.test') + glob.glob(f'{HERE}/transcripts/*.txt'))
    for command, options in img_options(SIDES[0]).items():
        lines = re.findall(rf'qemu-img {command}\b([^|;\n]*)', text)
        tried = {m[1] for line in lines for w in line.split() if (m := re.match(OPTION, w))}
        must(options <= tried, command, options - tried, 'is tried nowhere')


# qemu-io ------------------------------------------------------------------------------------------

# Command: lines, each for the options it has in it.
IO = {
    'abort': ['abort'], 'aio_flush': ['aio_flush'], 'close': ['close'], 'flush': ['flush'], 'info': ['info'],
    'length': ['length'], 'map': ['write 0 64k', 'map'], 'quit': ['quit'], 'sleep': ['sleep 1'],
    'help': ['help', 'help nosuch'], 'alloc': ['alloc 0', 'alloc 0 1M'],
    'aio_read': ['write -P 3 0 64k', *(x for o in ('-C', '-i', '-q', '-v', '-P 3', '-P 4', '-qP3') for x in
                                      (f'aio_read {o} 0 16 32', 'aio_flush'))],
    'aio_write': [x for o in ('-C', '-f', '-i', '-q', '-u', '-z', '-zu', '-zuf', '-P 9', '-qf') for x in
                  (f'aio_write {o} 0 64k', 'aio_flush', 'read -v 0 16')],
    'break': ['break write_aio a', 'break nosuch a'], 'remove_break': ['remove_break a'], 'resume': ['resume a'],
    'discard': ['write -P 1 0 256k', 'discard -C 0 64k', 'discard -q 64k 64k', 'discard -Cq 128k 64k', 'map'],
    'open': ['close', 'open -r b', 'write 0 512', 'close', 'open -s b', 'write 0 512', 'close', 'open -C b', 'close',
             'open -n b', 'close', 'open -k b', 'close', 'open -n -k b', 'close', 'open -U b', 'close', 'open -t unsafe b', 'close',
             'open -d unmap b', 'close', 'open -i threads b', 'close', 'open -o driver=raw b', 'close', 'open -t x b', 'open -x b',
             'open -d x b', 'open -i x b', 'open', 'open b b', 'open -o driver=qcow2,file.filename=b', 'length'],
    'read': ['write -P 3 0 64k', 'read -a 0 64k', 'read -b 0 64k', 'read -C 0 64k', 'read -q 0 64k', 'read -v 0 16', 'read -P 3 0 64k',
             'read -P 4 0 64k', 'read -P 3 -s 512 0 64k', 'read -P 3 -l 512 0 64k', 'read -P 3 -s 512 -l 512 0 64k',
             'read -p 0 512', 'read -s 1 0 512', 'read -x 0 512'],
    'readv': ['write -P 3 0 64k', 'readv -C 0 16 16', 'readv -q 0 16', 'readv -v 0 16 32', 'readv -P 3 0 512 512', 'readv -P 4 0 512'],
    'reopen': ['reopen -r', 'write 0 512', 'reopen -w', 'write 0 512', 'reopen -c none', 'reopen -c writethrough', 'reopen -c x',
               'reopen -o lazy-refcounts=on', 'reopen -o nosuch=1', 'reopen -o driver=raw', 'reopen -o file.filename=b',
               'reopen -o file.locking=off', 'reopen -r -w', 'info'],
    'sigraise': ['sigraise 0', 'sigraise x'],
    'truncate': ['truncate 2M', 'truncate -m falloc 3M', 'truncate -m off 1M', 'truncate -m full 2M', 'truncate -m x 2M', 'length'],
    'wait_break': ['help wait_break'],
    'write': ['write -b 0 512', 'read -b -v 0 16', 'read -bv 0 512', 'read -bq 1 512', 'write -c 64k 64k', 'write -C 0 512', 'write -f 0 512', 'write -z -n 0 64k', 'write -q 0 512',
              'write -u 0 512', 'write -z -u 0 64k', 'write -P 7 0 512', 'write -s pattern 0 512', 'read -v 0 16', 'write -p 0 512',
              'write -zP1 0 512', 'write -cf 0 64k', 'write -cz 0 64k', 'write -n 0 512', 'write -sx 0 512', 'map'],
    'writev': ['writev -C 0 512 512', 'writev -f 0 512', 'writev -q 0 512', 'writev -P 5 0 512 1k', 'read -P 5 0 1536'],
}

# Help texts and some refusals are in our own words; times differ.
IO_DIFFER = [(r'ops; .*', 'TIME'), (r'(?m)^(\d+),(\d+),.*', r'\1,\2,NUMBERS'), (r'[\d:.]+,[\d.,]+', 'NUMBERS'),
             (r'parse error, .*', 'parse error'), (r"; did you mean '.*'\?", ''), (r'(?m) +$', '')]


def io_commands(tools):
    text = run(f'{tools}/qemu-io', '-c', 'help').stdout
    found = {}
    for line in text.splitlines():
        m = re.match(r'(\w+) (.*?)-- ', line)
        if m:
            found[m[1]] = {c for w in re.findall(r'-(\w+)', m[2]) for c in (w if len(w) > 1 else [w])}
    return found


def normal(text):
    for what, by in IO_DIFFER:
        text = re.sub(what, by, text)
    return text


def pieces(image):
    """Its map; zeros that the host knows to be a hole inside of a cluster are data here."""
    found = []
    for m in json.loads(run('/usr/bin/qemu-img', 'map', '--output=json', image).stdout):
        what = m['present'], m['zero'] and not m['data'], m['data']
        found += [] if found and found[-1][1] == what else [(m['start'], what)]
    return found


def io_both(argv):
    """What each side prints and leaves."""
    said = []
    for tools in SIDES:
        for name, size in ('a', '1M'), ('b', '1M'):
            run('/usr/bin/qemu-img', 'create', '-q', '-f', 'qcow2', name, size)
        with open('pattern', 'w') as f:
            f.write('pattern ' * 7)
        r = run('prlimit', '--core=0', f'{tools}/qemu-io', *argv)
        said.append((r.returncode, normal(r.stdout), pieces('a'), pieces('b')))
    same(said[1], said[0], argv)


def test_reopen_keeps_a_temporary_overlay():
    """The reference removes the file when it is open, and fails when an option wants it opened again."""
    def lines(*argv):
        r = run('env', f'TMPDIR={os.getcwd()}', f'{SIDES[1]}/qemu-io', *argv)
        must(not [n for n in os.listdir() if n.startswith('qemu-io.')], os.listdir())
        return [x for x in r.stdout.splitlines() if ', 1 ops;' not in x]
    run('/usr/bin/qemu-img', 'create', '-q', '-f', 'qcow2', 'b', '1M')
    wrote, read, refused = 'wrote 65536/65536 bytes at offset 0', 'read 65536/65536 bytes at offset 0', 'qemu-io: Block node is read-only'
    write, look = ('-c', 'write -P 5 0 64k'), ('-c', 'read -P 5 0 64k')
    said = lines('-c', 'open -s b', *write, '-c', 'reopen -r', *look, *write, '-c', 'reopen -w', *look, *write)
    must(said == [wrote, read, refused, read, wrote], said)
    for options in '-c none', '-o lazy-refcounts=on', '-o cache.direct=on', '':
        said = lines('-s', 'b', *write, '-c', 'reopen ' + options, *look)
        must(said == [wrote, read], options, said)
    for option in 'driver=raw', 'backing=', 'nosuch=1', 'file.filename=b', 'file.locking=off':
        said = lines('-s', 'b', *write, '-c', 'reopen -o ' + option, *look)
        word = option.split('=')[0].split('.')[-1]
        must(said == [f"qemu-io: Cannot change the option '{word}'", wrote, read] or
             said == [wrote, f"qemu-io: Cannot change the option '{word}'", read], option, said)
    # The image below is one that no plain name says.
    said = lines('-s', '--image-opts', 'driver=qcow2,file.driver=blkdebug,file.align=512,file.image.filename=b', *write, '-c', 'reopen -r', *look)
    must(said == [wrote, read], said)
    must(not any(data for _, (_, _, data) in pieces('b')), 'the image itself was written')


def test_commands_of_qemu_io():
    want, got = (io_commands(s) for s in SIDES)
    same(got, want, 'commands and options in the help')
    for command, options in want.items():
        must(command in IO, f'no row tries {command}')
        tried = {c for line in IO[command] if line.startswith(command) for w in re.findall(r' -(\w+)', line) for c in w}
        must(options <= tried, command, options - tried, 'is tried nowhere')
    for lines in IO.values():
        io_both([*(x for line in lines for x in ('-c', line)), 'a'])


# Option, as the help has it: the command lines that it is tried with.
IO_OWN = {
    '--object': [['--object', 'secret,id=s,data=x', '-c', 'length', 'a'], ['--object', 'nosuch,id=s', 'a']],
    '--image-opts': [['--image-opts', '-c', 'length', 'driver=qcow2,file.filename=a']],
    '-c': [['-c', 'length', 'a']], '--cmd': [['--cmd', 'length', 'a'], ['--cmd=length', 'a']],
    '-f': [['-f', 'raw', '-c', 'length', 'a']], '--format': [['--format=qcow2', '-c', 'length', 'a']],
    '-r': [['-r', '-c', 'write 0 512', 'a']], '--read-only': [['--read-only', '-c', 'write 0 512', 'a']],
    '-s': [['-s', '-c', 'write 0 512', 'a']], '--snapshot': [['--snapshot', '-c', 'write 0 512', 'a']],
    '-n': [['-n', '-c', 'write 0 512', 'a']], '--nocache': [['--nocache', '-c', 'write 0 512', 'a']],
    '-C': [['-C', '-c', 'write 0 64k', '-c', 'read 0 512', 'a']], '--copy-on-read': [['--copy-on-read', '-c', 'write 0 64k', '-c', 'read 0 512', 'a']],
    '-m': [['-m', '-c', 'write 0 512', 'a']], '--misalign': [['--misalign', '-c', 'write 0 512', 'a']],
    '-k': [['-k', '-n', '-c', 'write 0 512', 'a'], ['-k', '-c', 'write 0 512', 'a']], '--native-aio': [['--native-aio', '-n', '-c', 'write 0 512', 'a']],
    '-i': [['-i', 'threads', '-c', 'write 0 512', 'a']], '--aio': [['--aio=io_uring', '-c', 'write 0 512', 'a'], ['--aio=x', 'a']],
    '-t': [['-t', 'writethrough', '-c', 'write 0 512', 'a']], '--cache': [['--cache=directsync', '-c', 'write 0 512', 'a'], ['--cache=x', 'a']],
    '-d': [['-d', 'unmap', '-c', 'write 0 512', '-c', 'discard 0 64k', 'a']], '--discard': [['--discard=off', '-c', 'length', 'a'], ['--discard=x', 'a']],
    '-T': [['-T', 'file=trace', '-c', 'length', 'a']], '--trace': [['--trace', 'file=trace', '-c', 'length', 'a']],
    '-U': [['-U', '-r', '-c', 'length', 'a'], ['-U', '-c', 'length', 'a']], '--force-share': [['--force-share', '-r', '-c', 'length', 'a']],
    '-h': [], '--help': [], '-V': [], '--version': [],  # transcripts, and the tests here
}


def listed(text):
    """Options at the beginnings of lines of a help text."""
    return {o for line in text.splitlines() if re.match(r' +-', line)
            for o in re.findall(r'(?<![\w-])--?[A-Za-z][\w-]*', re.split(r' {2,}(?=[^ -])', line.strip())[0])}


def test_options_of_qemu_io():
    want, got = (listed(run(f'{s}/qemu-io', '--help').stdout) for s in SIDES)
    must(want <= got, 'our help has no', want - got)
    must(want <= set(IO_OWN), 'no row tries', want - set(IO_OWN))
    for rows in IO_OWN.values():
        for argv in rows:
            io_both(argv)


# qemu-nbd -----------------------------------------------------------------------------------------

# Option: arguments of a server that is asked from outside, or None: tried by the test named beside it.
NBD = {
    '-x': ['-x', 'name'], '--export-name': ['--export-name=name'], '-D': ['-D', 'what', '-x', 'n'], '--description': ['--description=it', '-x', 'n'],
    '-e': ['-e', '3'], '--shared': ['--shared=0', '-r'], '-t': ['-t'], '--persistent': ['--persistent'], '-v': ['-v'], '--verbose': ['--verbose'],
    '-o': ['-f', 'raw', '-o', '4096'], '--offset': ['-f', 'raw', '--offset=8192'], '-A': ['-A'], '--allocation-depth': ['--allocation-depth'],
    '-B': ['-B', 'b0'], '--bitmap': ['--bitmap=b0'], '--object': ['--object', 'secret,id=s,data=x'],
    '-f': ['-f', 'raw'], '--format': ['--format=qcow2'], '-r': ['-r'], '--read-only': ['--read-only'], '-s': ['-s'], '--snapshot': ['--snapshot'],
    '-l': ['-l', 'one'], '--load-snapshot': ['--load-snapshot=snapshot.name=one'], '-n': ['-n'], '--nocache': ['--nocache'],
    '--cache': ['--cache=directsync'], '--aio': ['--aio=io_uring'], '--discard': ['--discard=unmap'],
    '--detect-zeroes': ['--discard=unmap', '--detect-zeroes=unmap'], '--image-opts': ['--image-opts'], '-T': ['-T', 'file=trace'], '--trace': ['--trace', 'file=trace'],
    '--selinux-label': None,  # tried below: only its refusal or acceptance can be seen without SELinux
    '-k': [], '--socket': ['SOCKET'], '-p': None, '--port': None, '-b': None, '--bind': None, '-L': None, '--list': None, '--fork': None, '--pid-file': None,
    '--tls-creds': None, '--tls-authz': None,   # nbd_server.py: TLS, processes and ports
    '-c': None, '--connect': None, '-d': None, '--disconnect': None,  # nbd_kernel.py
    '-h': None, '--help': None, '-V': None, '--version': None,  # transcripts
}
ELSEWHERE = {'--port': '-p', '--bind': '-b', '--connect': '-c', '--disconnect': '-d', '--list': '-L'}


@contextlib.contextmanager
def server(tools, *argv):
    sock = os.path.abspath('s')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(sock)
    named = [f'--socket={sock}'] if 'SOCKET' in argv else ['-k', sock]
    image = 'driver=qcow2,file.filename=a' if '--image-opts' in argv else 'a'
    with open('log', 'w') as log:
        p = subprocess.Popen([f'{tools}/qemu-nbd', '-t', *named, *(a for a in argv if a != 'SOCKET'), image], stderr=log, stdout=log)
    try:
        until(lambda: p.poll() is not None or listening(sock))
        must(p.poll() is None, tools, argv, 'server ended:', open('log').read())
        yield sock
    finally:
        p.terminate()
        p.wait(LIMIT)


def asked(tools, argv):
    run('/usr/bin/qemu-img', 'create', '-q', '-f', 'qcow2', 'a', '1M')
    run('/usr/bin/qemu-io', '-c', 'write -P 1 128k 100k', 'a')
    run('/usr/bin/qemu-img', 'snapshot', '-c', 'one', 'a')
    run('/usr/bin/qemu-img', 'bitmap', '--add', 'a', 'b0')
    run('/usr/bin/qemu-io', '-c', 'write -P 2 512k 64k', '-c', 'write -z 256k 64k', 'a')
    with server(tools, *argv) as sock:
        name = next((a.partition('=')[2] or argv[i + 1] for i, a in enumerate(argv) if a.startswith(('-x', '--export-name'))), '')
        uri = f'nbd+unix:///{name}?socket={sock}'
        info = json.loads(run('nbdinfo', '--json', uri).stdout)
        maps = [run('nbdinfo', f'--map={c}', uri).stdout for e in info['exports'] for c in e['contexts']]
        size = info['exports'][0]['export-size']
        r = run('/usr/bin/qemu-io', '-f', 'raw', *([] if info['exports'][0]['is_read_only'] else ['-c', 'write -q -z -u 512k 64k', '-c', 'write -q -P 0 128k 4k']),
                '-c', f'read -v {size - 32} 32', '-c', 'read -q -P 9 520k 16', *(['-r'] if info['exports'][0]['is_read_only'] else []), uri)
    return info, maps, normal(r.stdout), pieces('a')


def test_options_of_qemu_nbd():
    want, got = (listed(run(f'{s}/qemu-nbd', '--help').stdout) for s in SIDES)
    must(want <= got, 'our help has no', want - got)
    must(want <= set(NBD), 'no row tries', want - set(NBD))
    others = ''.join(open(f).read() for f in glob.glob(f'{HERE}/nbd_*.*') + glob.glob(f'{HERE}/transcripts/*.txt'))
    for option, argv in NBD.items():
        if argv is None:
            must(option in ('--selinux-label', '-h', '-V', '--version') or re.search(rf'[\' "]{ELSEWHERE.get(option, option)}\b', others),
                 option, 'is tried nowhere')
            continue
        want, got = (asked(s, argv) for s in SIDES)
        same(got, want, f'qemu-nbd {" ".join(argv)}')


def test_long_names_of_connections():
    """--port, --bind, --list, as their short ones."""
    for tools in SIDES:
        run('/usr/bin/qemu-img', 'create', '-q', '-f', 'raw', 'a', '1M')
        for port in range(20809, 20900):
            p = subprocess.Popen([f'{tools}/qemu-nbd', '--persistent', '--format=raw', f'--port={port}', '--bind=127.0.0.1', 'a'], stderr=subprocess.DEVNULL)
            until(lambda: not run(f'{OURS}/qemu-nbd', '--list', f'--port={port}', '--bind=127.0.0.1').returncode or p.poll() is not None)
            r = run(f'{OURS}/qemu-nbd', '--list', f'--port={port}', '--bind=127.0.0.1')
            p.terminate()
            p.wait(LIMIT)
            if not r.returncode:
                break
        must('exports available: 1' in r.stdout, tools, r.stdout)


if __name__ == '__main__':
    if os.path.exists('/usr/bin/qemu-img'):
        run_tests('options', globals(), also=(KeyError, ValueError, StopIteration))
    else:
        print('needs qemu-img\nskip options, runs')
