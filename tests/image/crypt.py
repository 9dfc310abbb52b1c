#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Encrypted images, both ways: luks, qcow2 with luks or aes; key slots; secrets in all their forms.
cryptsetup reads what we write, where it is there."""

import base64
import os
import random
import re
import shutil
import subprocess

from suite import Failed, run_tests, same

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
MB = 1 << 20
S0 = ['--object', 'secret,id=s0,data=swordfish']


def tool(side, name):
    return f'{OURS}/{name}' if side == 'ours' else f'/usr/bin/{name}'


def run(side, name, *argv, status=0):
    r = subprocess.run([tool(side, name), *argv], text=True, capture_output=True, timeout=120)
    if status is not None and r.returncode != status:
        raise Failed(f'{side} {name} {argv}: status {r.returncode}\n{r.stdout}{r.stderr}')
    return r.stdout + r.stderr


def qemu_io(side, opts, commands, secrets=S0, status=0):
    out = run(side, 'qemu-io', *secrets, *[a for c in commands for a in ('-c', c)], '--image-opts', opts,
              status=status)
    if not status and re.search('fail|error', out, re.I):
        raise Failed(f'{side} qemu-io {opts} {commands}:\n{out}')
    return out


def take_turns(opts, key, seed):
    """Each side writes, the other reads all of it."""
    rng = random.Random(seed)
    sectors = bytearray(4 * MB // 512)
    for turn in range(4):
        writer, reader = ('ours', 'theirs') if turn % 2 == 0 else ('theirs', 'ours')
        commands = []
        for _ in range(6):
            off = rng.randrange(0, len(sectors) - 600)
            n, value = rng.randrange(1, 600), rng.randrange(1, 256)
            commands.append(f'write -P {value} {off * 512} {n * 512}')
            sectors[off:off + n] = bytes([value]) * n
        off = rng.randrange(0, len(sectors) - 4)  # within sectors
        commands.append(f'write -P 77 {off * 512} 1024')
        sectors[off:off + 2] = b'MM'
        commands += [f'write -P 78 {off * 512 + 100} 700', f'write -P 77 {off * 512 + 100} 700']
        qemu_io(writer, f'{opts},{key}', commands)
        reads, at = [], 0
        while at < len(sectors):
            end = at + 1
            while end < len(sectors) and sectors[end] == sectors[at]:
                end += 1
            if sectors[at]:  # what was never written is noise in luks
                reads.append(f'read -q -P {sectors[at]} {at * 512} {(end - at) * 512}')
            at = end
        qemu_io(reader, f'{opts},{key}', reads)
        qemu_io(writer, f'{opts},{key}', reads)


CIPHERS = ['', 'cipher-alg=aes-128', 'cipher-alg=aes-192', 'cipher-alg=aes-256,cipher-mode=cbc',
           'cipher-alg=aes-128,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256', 'ivgen-alg=essiv',
           'cipher-alg=serpent-256', 'cipher-alg=serpent-128,cipher-mode=cbc,ivgen-alg=plain',
           'cipher-alg=twofish-256', 'cipher-alg=twofish-128,cipher-mode=cbc', 'cipher-mode=ecb',
           'cipher-alg=aes-256,cipher-mode=ctr', 'cipher-alg=cast5-128,cipher-mode=cbc', 'hash-alg=sha1',
           'hash-alg=sha512', 'hash-alg=ripemd160', 'cipher-alg=serpent-192,hash-alg=sha384']


def test_luks_ciphers():
    for i, c in enumerate(CIPHERS):
        # Making one takes the reference seconds: it measures the machine for long.
        for maker in ('ours', 'theirs') if i in (0, 4, 9) else ('ours',):
            run(maker, 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o',
                'key-secret=s0,iter-time=10' + (',' + c if c else ''), 'x', '4M')
            same(run('ours', 'qemu-img', 'info', 'x'), run('theirs', 'qemu-img', 'info', 'x'), f'info, {c}')
            take_turns('driver=luks,file.filename=x', 'key-secret=s0', i)
            os.unlink('x')


def test_luks_json_info():
    run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o', 'key-secret=s0,iter-time=10', 'x', '4M')
    a = 'info', '--output=json', 'x'
    same(run('ours', 'qemu-img', *a), run('theirs', 'qemu-img', *a), 'info')


def test_cryptsetup_reads_ours():
    if not shutil.which('cryptsetup'):
        raise Failed('needs cryptsetup')
    for c in CIPHERS:
        if 'ecb' in c or 'ctr' in c or 'cast5' in c or 'xts' not in c and 'essiv' in c and 'cbc' not in c:
            continue  # the kernel's crypto, which cryptsetup asks, may not have them
        run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o',
            'key-secret=s0,iter-time=10' + (',' + c if c else ''), 'x', '4M')
        dump = subprocess.run(['cryptsetup', 'luksDump', 'x'], text=True, capture_output=True)
        if dump.returncode or 'Key Slot 0: ENABLED' not in dump.stdout:
            raise Failed(f'luksDump, {c}: {dump.stdout}{dump.stderr}')
        os.unlink('x')


def test_qcow2():
    for i, fmt in enumerate(['luks', 'aes', 'luks,encrypt.cipher-alg=aes-128,encrypt.cipher-mode=cbc']):
        extra = '' if fmt == 'aes' else ',encrypt.iter-time=10'
        for maker in 'ours', 'theirs':
            run(maker, 'qemu-img', 'create', '-q', *S0, '-f', 'qcow2', '-o',
                f'encrypt.format={fmt},encrypt.key-secret=s0{extra}', 'x', '4M')
            same(run('ours', 'qemu-img', 'info', 'x'), run('theirs', 'qemu-img', 'info', 'x'), f'info, {fmt}')
            take_turns('driver=qcow2,file.filename=x', 'encrypt.key-secret=s0', i)
            for side in 'ours', 'theirs':
                run(side, 'qemu-img', 'check', *S0, '--image-opts', 'driver=qcow2,file.filename=x,encrypt.key-secret=s0')
            os.unlink('x')


def test_wrong_passwords():
    run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o', 'key-secret=s0,iter-time=10', 'x', '4M')
    for secrets, opts in (['--object', 'secret,id=s0,data=sailfish'], ',key-secret=s0'), ([], ''), \
            ([], ',key-secret=nosuch'), (['--object', 'secret,id=s0,data='], ',key-secret=s0'):
        a = 'driver=luks,file.filename=x' + opts, ['read 0 512'], secrets
        got, want = (qemu_io(side, *a, status=1) for side in ('ours', 'theirs'))
        same(got.replace('can\'t open: ', ''), want.replace('can\'t open: ', ''), a)


def slots(side='ours'):
    """Which are active."""
    return re.findall(r'\[(\d)\]:\s+active: true', run(side, 'qemu-img', 'info', 'x'))


def test_key_slots():
    img = 'driver=luks,file.filename=x,key-secret=s0'
    s = [*S0, '--object', 'secret,id=s1,data=one', '--object', 'secret,id=s2,data=two']

    def amend(opts, side='ours', status=0, image=img):
        return run(side, 'qemu-img', 'amend', *s, *opts.split(), '--image-opts', image, status=status)
    run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o', 'key-secret=s0,iter-time=10', 'x', '1M')
    qemu_io('ours', img, ['write -P 3 0 1M'])
    amend('-o state=active,new-secret=s1,iter-time=10')
    amend('-o state=active,new-secret=s2,iter-time=10,keyslot=5')
    amend('-o state=active,new-secret=s2,iter-time=10', side='theirs')
    same(slots(), ['0', '1', '2', '5'], 'active slots')
    for side in 'ours', 'theirs':
        for key in 's0', 's1', 's2':
            qemu_io(side, f'driver=luks,file.filename=x,key-secret={key}', ['read -P 3 0 1M'], secrets=s)
    amend('-o state=inactive,old-secret=s2')
    same(slots('theirs'), ['0', '1'], 'after erasing by password')
    for bad in '-o state=inactive', '-o state=inactive,keyslot=9', '-o state=active', '-o state=inactive,old-secret=s2', \
            '-o state=inactive,keyslot=0,old-secret=s1', '-o state=active,new-secret=s1,keyslot=0', \
            '-o state=inactive,keyslot=1,new-secret=s1', '-o state=active,new-secret=s1,old-secret=s0', \
            '-o state=inactive,keyslot=4':
        for side in 'ours', 'theirs':
            out = amend(bad, side=side, status=1)
            if len(out.splitlines()) != 1:
                raise Failed(f'{side} {bad}: {out}')
    amend('-o state=inactive,keyslot=0')
    one = 'driver=luks,file.filename=x,key-secret=s1'
    amend('-o state=inactive,keyslot=1', status=1, image=one)  # the last one
    amend('-o state=inactive,old-secret=s1', status=1, image=one)
    same(slots(), ['1'], 'the last slot')
    qemu_io('theirs', one, ['read -P 3 0 1M'], secrets=s)
    qemu_io('ours', img, ['read 0 512'], secrets=s, status=1)
    amend('--force -o state=inactive,keyslot=1', image=one)
    same(slots(), [], 'by force')


def test_secrets():
    run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o', 'key-secret=s0,iter-time=10', 'x', '1M')
    img = 'driver=luks,file.filename=x,key-secret=s0'
    with open('pw', 'w') as f:
        f.write('swordfish')
    key, iv = bytes(range(32)), bytes(range(16))
    sealed = subprocess.run(['openssl', 'enc', '-aes-256-cbc', '-K', key.hex(), '-iv', iv.hex(), '-in', 'pw'],
                            capture_output=True, check=True).stdout
    with open('sealed', 'wb') as f:
        f.write(sealed)

    def b64(data):
        return base64.b64encode(data).decode()
    k = ['--object', f'secret,id=k,format=base64,data={b64(key)}']
    for good in (['--object', 'secret,id=s0,file=pw'],
                 ['--object', f'secret,id=s0,format=base64,data={b64(b"swordfish")}'],
                 [*k, '--object', f'secret,id=s0,format=base64,keyid=k,iv={b64(iv)},data={b64(sealed)}'],
                 [*k, '--object', f'secret,id=s0,keyid=k,iv={b64(iv)},file=sealed'],
                 ['--object', '{"qom-type": "secret", "id": "s0", "data": "swordfish"}']):
        for side in 'ours', 'theirs':
            qemu_io(side, img, ['read 0 512'], secrets=good)
    for bad in ('secret,id=s0', 'secret,id=s0,data=a,file=pw', 'secret,id=s0,file=nosuch', 'secret,id=s0,data=a,format=x',
                f'secret,id=s0,format=base64,keyid=nosuch,iv={b64(iv)},data={b64(sealed)}'):
        got, want = (run(side, 'qemu-io', '--object', bad, '-c', 'read 0 512', '--image-opts', img, status=1)
                     for side in ('ours', 'theirs'))
        same(len(got.splitlines()), 1, bad + got)
    for bad in (f'keyid=k,iv={b64(iv)},data={b64(sealed[:-1])}', f'keyid=k,iv={b64(iv[:3])},data={b64(sealed)}',
                f'keyid=k,data={b64(sealed)}'):
        for side in 'ours', 'theirs':
            run(side, 'qemu-io', *k, '--object', 'secret,id=s0,format=base64,' + bad, '-c', 'read 0 512',
                '--image-opts', img, status=1)


def test_broken_headers():
    """One clear line each."""
    run('ours', 'qemu-img', 'create', '-q', *S0, '-f', 'luks', '-o', 'key-secret=s0,iter-time=10', 'x', '1M')
    with open('x', 'rb') as f:
        good = f.read()

    def be32(n):
        return n.to_bytes(4, 'big')
    for what, at, data in (('version', 6, b'\0\2'), ('cipher', 8, b'nosuch\0'), ('mode', 40, b'xts\0'),
                           ('mode without an end', 40, b'x' * 32), ('hash', 72, b'nosuch\0'),
                           ('payload', 104, be32(0xffffffff)), ('key length', 108, be32(0xffffffff)),
                           ('iterations', 164, be32(0)), ('slot state', 208, be32(5)),
                           ('slot offset', 208 + 40, be32(0)), ('slot far away', 208 + 40, be32(0xfffffff0)),
                           ('overlapping slots', 208 + 48 + 40, be32(8)), ('stripes', 208 + 44, be32(1))):
        with open('x', 'wb') as f:
            f.write(good[:at] + data + good[at + len(data):])
        out = qemu_io('ours', 'driver=luks,file.filename=x,key-secret=s0', ['read 0 512'], status=1)
        if len(out.splitlines()) != 1:
            raise Failed(f'{what}: {out}')
    with open('x', 'wb') as f:
        f.write(good[:600])
    qemu_io('ours', 'driver=luks,file.filename=x,key-secret=s0', ['read 0 512'], status=1)


if os.path.exists('/usr/bin/qemu-img'):
    run_tests('crypt', globals())
else:
    print("needs Debian's qemu-img\nskip crypt, runs")
