# SPDX-License-Identifier: GPL-2.0-or-later
"""AArch64 register states, the harness's files, and the engines that run them (see README.md)."""
import os
import re
import resource
import shutil
import signal
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CROSS = 'aarch64-linux-gnu-'

# The same numbers as aarch64/harness.h.
CODE_ADDR, MEM_ADDR, MEM_SIZE, MEM_BYTES = 0x04000000, 0x30010000, 4096, 256
STATE = struct.Struct(f'<31Q9Q64Q{MEM_BYTES}s')
FIELDS = ('sp', 'pc', 'nzcv', 'fpsr', 'fpcr', 'signal', 'fault', 'hash', 'code')
HEADER = struct.Struct('<6Q')
PAGE = 0x10000
M64 = (1 << 64) - 1

NOP = 0xd503201f
BRANCH = 0x14000000
LOAD_X30 = 0x5800001e  # ldr x30, <literal>


class State(dict):
    """x0..x30, v0..v31 (128-bit), mem (bytes) and FIELDS; what is not set has a telling value."""

    def __init__(self, *args, **kw):
        for i in range(31):
            self[f'x{i}'] = 0x0101010101010101 * (0x80 + i)
        for i in range(32):
            self[f'v{i}'] = int.from_bytes(bytes(0x40 + i for _ in range(16)), 'little')
        self.update(dict.fromkeys(FIELDS, 0))
        self['sp'] = MEM_ADDR + 2048
        self['mem'] = b''.join(((i + 1) * 0x9e3779b97f4a7c15 & M64).to_bytes(8, 'little')
                               for i in range(MEM_BYTES // 8))
        self.update(*args, **kw)

    def pack(self):
        v = []
        for i in range(32):
            v += [self[f'v{i}'] & M64, self[f'v{i}'] >> 64]
        return STATE.pack(*(self[f'x{i}'] for i in range(31)), *(self[f] for f in FIELDS), *v,
                          self['mem'])

    @classmethod
    def unpack(cls, data):
        w = STATE.unpack(data)
        s = cls({f'x{i}': w[i] for i in range(31)})
        s.update(zip(FIELDS, w[31:40]))
        s.update({f'v{i}': w[40 + 2 * i] | w[41 + 2 * i] << 64 for i in range(32)})
        s['mem'] = w[104]
        return s


def build_harness(folder):
    """Compiles the harness into @folder; returns (program, address of finish_case)."""
    out = f'{folder}/harness'
    subprocess.run([CROSS + 'gcc', '-O1', '-g', '-Wall', '-Wextra', '-ffreestanding',
                    '-fno-builtin', '-fno-stack-protector', '-fno-pic', '-mgeneral-regs-only',
                    '-nostdlib', '-static', '-Wl,-Ttext-segment=0x400000,--build-id=none',
                    '-o', out, f'{HERE}/aarch64/harness.c', f'{HERE}/aarch64/harness_asm.S'],
                   check=True)
    nm = subprocess.run([CROSS + 'nm', out], check=True, capture_output=True, text=True).stdout
    return out, next(int(l.split()[0], 16) for l in nm.splitlines() if l.endswith(' finish_case'))


def piece_size(body):
    """Bytes that a case takes in the code part: load of x30, body, branch, x30."""
    return (4 + len(body) + 4 + 7 & ~7) + 8


def code_addresses(bodies):
    """Where write_cases puts the first instruction of each body."""
    at = CODE_ADDR
    for body in bodies:
        yield at + 4
        at += piece_size(body)


def write_cases(path, cases, finish, go_on=False, runs=1, loose=False):
    """@cases: list of (State or packed state, code bytes).  Fills in the addresses of the code:
    each piece is preceded by the load of its own x30 and followed by a branch to @finish.
    @go_on: signals do not end a case; @runs of each case; @loose: harness.h."""
    code, states = bytearray(), []
    for state, body in cases:
        packed = bytearray(state if isinstance(state, (bytes, bytearray)) else state.pack())
        at = len(code)
        size = 4 + len(body) + 4
        literal = (size + 7) & ~7
        code += struct.pack('<I', LOAD_X30 | (literal // 4) << 5) + body
        away = (finish - (CODE_ADDR + at + size - 4)) // 4
        code += struct.pack('<I', BRANCH | away & 0x3ffffff)
        code += bytes(literal - size) + packed[30 * 8:31 * 8]
        struct.pack_into('<Q', packed, 39 * 8, CODE_ADDR + at)
        states.append(packed)
    offset = (HEADER.size + len(states) * STATE.size + PAGE - 1) // PAGE * PAGE
    size = (len(code) + PAGE - 1) // PAGE * PAGE
    with open(path, 'wb') as f:
        f.write(HEADER.pack(len(states), offset, size, go_on, runs, loose))
        f.write(b''.join(states))
        f.seek(offset)
        f.write(code + bytes(size - len(code)))


def run_harness(command, harness, path, limit):
    """Runs the cases of the file at @path for at most @limit seconds of CPU time; returns (packed
    results, what went wrong or '').  There are fewer results than cases when the engine ended early."""
    def bound():
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))

    try:
        p = subprocess.run([*command, harness, path], capture_output=True, timeout=10 * limit,
                           preexec_fn=bound)
        out, status, err = p.stdout, p.returncode, p.stderr
    except subprocess.TimeoutExpired as e:
        out, status, err = e.stdout or b'', f'none: still running after {10 * limit} s', b''
    if status == -signal.SIGXCPU:
        status = f'none: still running after {limit} s of CPU time'
    n = len(out) // STATE.size
    text = err.decode(errors='replace').strip()[-300:]
    return ([out[i * STATE.size:(i + 1) * STATE.size] for i in range(n)],
            f'status {status}; {text}' if status else '')


class Engine(list):
    """A command, how often it runs each case (hot regions come after some runs), and whether the
    flags at a signal count: without --exact-flags, those that nobody can read need not be right."""

    def __init__(self, *command, runs=1, exact=True):
        super().__init__(command)
        self.runs, self.exact = runs, exact

    def visible(self, packed):
        """What must be equal on this engine and others."""
        return packed if self.exact else packed[:289] + packed[296:]


def engines(emu):
    """name -> Engine, of every one that is there."""
    found = {}
    if emu and os.path.exists(emu):
        found['interp'] = Engine(emu, '--engine=interp')
        found['cold'] = Engine(emu, '--hot-after=never', '--exact-flags=on')
        found['lifted'] = Engine(emu, '--hot-after=never', '--passes-off=flat', '--exact-flags=on')
        found['flat'] = Engine(emu, '--hot-after=never', exact=False)
        found['hot'] = Engine(emu, '--hot-after=1', runs=3, exact=False)
        found['plain'] = Engine(emu, '--hot-after=1', '--host-off=avx,bmi,fma,crypto', '--exact-flags=on',
                                runs=3)
    ref = os.environ.get('REFERENCE') or shutil.which('qemu-aarch64', path='/usr/bin:/bin')
    if ref:
        found['reference'] = Engine(ref, '-cpu', 'max')
    return found


def disassemble(code, addr, folder):
    """One line of text for each instruction word of @code."""
    path = f'{folder}/disassemble.bin'
    with open(path, 'wb') as f:
        f.write(code)
    out = subprocess.run([CROSS + 'objdump', '-b', 'binary', '-m', 'aarch64', '-D',
                          f'--adjust-vma={addr:#x}', path], capture_output=True, text=True).stdout
    return [l.expandtabs() for l in out.splitlines() if re.match(r'\s*[0-9a-f]+:\t', l)]


def differences(got, want):
    """Lines naming every part of two States that differs."""
    lines = []
    for k in want:
        if got[k] == want[k] or k == 'code':
            continue
        if k == 'mem':
            for i, (g, w) in enumerate(zip(got[k], want[k])):
                if g != w:
                    lines.append(f'mem+{i}: got {g:#04x}, want {w:#04x}')
        else:
            lines.append(f'{k}: got {got[k]:#x}, want {want[k]:#x}')
    return lines
