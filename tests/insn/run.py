#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the instruction tests of tests/insn/aarch64/*.S on every engine; see README.md for their
form.  usage: run.py [--emu PROGRAM] [--engine NAME] [-v] [FILE.S ...]"""
import argparse
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import a64

SIGNALS = {'none': 0, 'sigill': 4, 'sigtrap': 5, 'sigbus': 7, 'sigfpe': 8, 'sigsegv': 11}
FLOATS = {'h': '<e', 's': '<f', 'd': '<d'}
LANES = {'b': 8, 'h': 16, 's': 32, 'd': 64}


class Bad(Exception):
    pass


class Case:
    def __init__(self, path, line):
        self.path, self.line = path, line
        self.title = None
        self.inputs, self.outputs, self.text, self.skip = [], [], [], {}
        self.code = b''

    def name(self):
        return f'{os.path.basename(self.path)}:{self.line} {self.title or ""}'.strip()


class Address(int):
    """An offset from the first instruction of the case, whose address is not yet known."""


def number(text, float_form=None):
    """An integer, a float when @float_form says how it is kept, or mem+N, code+N."""
    m = re.fullmatch(r'(mem|code)(?:([+-])(\w+))?', text)
    if m:
        n = int(m[2] + m[3], 0) if m[2] else 0
        return a64.MEM_ADDR + n if m[1] == 'mem' else Address(n)
    if float_form and not text.lower().startswith('0x') and re.search(r'[.n]|\de', text.lower()):
        return int.from_bytes(struct.pack(float_form, float(text)), 'little')
    return int(text, 0)


def flags(text):
    if re.fullmatch('[nN][zZ][cC][vV]', text):
        return sum(1 << 31 - i for i in range(4) if text[i].isupper())
    return int(text, 0)


def vector(key, text):
    """v1=0x..., v1.4s=a,b,c,d (lane 0 first), d1=1.5: value of the whole register."""
    m = re.fullmatch(r'[vq](\d+)(?:\.(\d+)([bhsd]))?', key)
    if m and not m[2]:
        return f'v{m[1]}', int(text, 0) & (1 << 128) - 1
    if m:
        width = LANES[m[3]]
        lanes = [number(t, FLOATS.get(m[3])) for t in text.split(',')]
        if len(lanes) != int(m[2]):
            raise Bad(f'{key} wants {m[2]} lanes, got {len(lanes)}')
        return f'v{m[1]}', sum((v & (1 << width) - 1) << i * width for i, v in enumerate(lanes))
    return f'v{key[1:]}', number(text, FLOATS.get(key[0])) & (1 << LANES[key[0]]) - 1


def assign(state, word):
    """Applies one "name=value" of an in: or out: line to @state."""
    key, eq, text = word.partition('=')
    if not eq:
        if key not in SIGNALS:
            raise Bad(f'want name=value, got {word!r}')
        state['signal'] = SIGNALS[key]
    elif re.fullmatch(r'x([12]?\d|30)', key) or key in ('sp', 'pc', 'fault'):
        value = number(text)
        state[key] = value if isinstance(value, Address) else value & a64.M64
    elif re.fullmatch(r'w([12]?\d|30)', key):
        state['x' + key[1:]] = number(text) & 0xffffffff
    elif re.fullmatch(r'[vqdshb]([12]?\d|3[01])(\.\d+[bhsd])?', key):
        name, value = vector(key, text)
        state[name] = value
    elif key == 'nzcv':
        state['nzcv'] = flags(text)
    elif key in ('fpsr', 'fpcr'):
        state[key] = int(text, 0)
    elif key.startswith('mem'):
        at = int(key[4:] or '0', 0)
        data = bytes.fromhex(text)
        state['mem'] = state['mem'][:at] + data + state['mem'][at + len(data):]
        if len(state['mem']) != a64.MEM_BYTES:
            raise Bad(f'{word!r}: only the first {a64.MEM_BYTES} bytes of mem can be named')
    else:
        raise Bad(f'unknown name {key!r}')


def parse(path):
    """The cases of a file: comment lines, then the instructions they are about."""
    cases, case, in_head = [], None, False
    for number_, line in enumerate(open(path), 1):
        text = line.strip()
        if not text:
            in_head = False     # a comment by itself is about the file
            continue
        if not text.startswith('#'):
            if not case:
                raise Bad(f'{path}:{number_}: instructions before the first "# in:" or title')
            case.text.append(line)
            in_head = False
            continue
        text = text[1:].strip()
        if not in_head:
            case, in_head = Case(path, number_), True
            cases.append(case)
        m = re.match(r'(in|out|skip):\s*(.*)$', text)
        if m and m[1] == 'skip':
            engine, _, reason = m[2].partition(' ')
            case.skip[engine] = reason
        elif m:
            (case.inputs if m[1] == 'in' else case.outputs).extend(m[2].split())
        elif not case.title:
            case.title = text
    return [c for c in cases if c.text]


def states(case):
    """(state to load, state to find)."""
    try:
        given = a64.State()
        for word in case.inputs:
            assign(given, word)
        want = a64.State(given)
        for word in case.outputs:
            assign(want, word)
    except (Bad, ValueError, struct.error) as e:
        raise Bad(f'{case.path}:{case.line}: {e}') from e
    return given, want


def place(state, addr):
    """@state with every code+N turned into an address."""
    return a64.State({k: v + addr if isinstance(v, Address) else v for k, v in state.items()})


def assemble(cases, folder):
    """Assembles all cases as one object and gives each its code."""
    source, obj, binary = (f'{folder}/cases.{x}' for x in ('s', 'o', 'bin'))
    with open(source, 'w') as f:
        f.write('    .arch armv8.6-a+fp16+sve2+sha3+sm4+crypto+rng+memtag+flagm+pauth+i8mm+bf16\n')
        for i, c in enumerate(cases):
            f.write(f'    .balign 4\ncase_{i}:\n# {c.line} "{c.path}"\n{"".join(c.text)}')
        f.write('    .balign 4\ncase_end:\n')
    subprocess.run([a64.CROSS + 'as', '-o', obj, source], check=True)
    subprocess.run([a64.CROSS + 'objcopy', '-O', 'binary', '-j', '.text', obj, binary], check=True)
    nm = subprocess.run([a64.CROSS + 'nm', obj], check=True, capture_output=True, text=True).stdout
    where = {l.split()[2]: int(l.split()[0], 16) for l in nm.splitlines()}
    code = open(binary, 'rb').read()
    ends = [where[f'case_{i}'] for i in range(len(cases))] + [where['case_end']]
    for c, a, b in zip(cases, ends, ends[1:]):
        c.code = code[a:b]


def compare(case, want, packed):
    """Lines of difference; only a signal makes pc and fault interesting, only mem= the page."""
    got = a64.State.unpack(packed)
    lines = [f'run {got["code"]} differs from the first'] if got['code'] < a64.CODE_ADDR else []
    named = {w.partition('=')[0] for w in case.outputs}
    for k in ('pc', 'fault', 'hash'):
        if k not in named:
            got[k] = want[k]
    return lines + a64.differences(got, want)


class Runner:
    def __init__(self, folder, verbose):
        self.folder, self.verbose = folder, verbose
        self.harness, self.finish = a64.build_harness(folder)

    def starts(self, engine, command):
        """False, with one failure reported, when the engine cannot even run an empty case."""
        path = f'{self.folder}/{engine}.cases'
        a64.write_cases(path, [(a64.State(), b'')], self.finish)
        _, wrong = a64.run_harness(command, self.harness, path, 10)
        if wrong:
            print(f'{wrong}\nfail insn {engine}, the harness runs')
        return not wrong

    def run(self, engine, command, cases):
        """Runs all cases; when the engine itself dies in one, goes on behind it."""
        while cases:
            path = f'{self.folder}/{engine}.cases'
            addresses = list(a64.code_addresses([c.code for c, _, _ in cases]))
            a64.write_cases(path, [(place(given, at), c.code)
                                   for (c, given, _), at in zip(cases, addresses)], self.finish,
                            runs=command.runs)
            results, wrong = a64.run_harness(command, self.harness, path, 60)
            for (case, _, want), at, packed in zip(cases, addresses, results):
                self.report(engine, case, compare(case, place(want, at), packed))
            if len(results) < len(cases):
                self.report(engine, cases[len(results)][0], [f'engine ended: {wrong}'])
            cases = cases[len(results) + 1:]

    def report(self, engine, case, lines):
        if lines and engine in case.skip:
            print(f'    {case.skip[engine]}\nskip insn {engine}, {case.name()}')
            return
        if lines or self.verbose:
            print(*a64.disassemble(case.code, 0, self.folder)[:8], *lines, sep='\n')
        print(f'{"fail" if lines else "pass"} insn {engine}, {case.name()}', flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('--emu', default=f'{a64.TOP}/build/qemu-aarch64')
    ap.add_argument('--engine', help='only this one: interp, cold, hot, plain or reference')
    ap.add_argument('-v', '--verbose', action='store_true')
    ap.add_argument('file', nargs='*')
    args = ap.parse_args()

    if not shutil.which(a64.CROSS + 'gcc'):
        print(f'{a64.CROSS}gcc is not installed\nskip insn, runs')
        return
    files = args.file or sorted(glob.glob(f'{a64.HERE}/aarch64/*.S'))
    try:
        cases = [c for f in files if 'harness' not in f for c in parse(f)]
        cases = [(c, *states(c)) for c in cases]
    except Bad as e:
        print(f'{e}\nfail insn, tests can be read')
        return
    with tempfile.TemporaryDirectory(prefix='emu-insn-') as folder:
        try:
            assemble([c for c, _, _ in cases], folder)
        except subprocess.CalledProcessError as e:
            print(f'{e}\nfail insn, tests assemble')
            return
        runner = Runner(folder, args.verbose)
        engines = a64.engines(args.emu)
        if 'reference' not in engines:
            print('qemu-aarch64 (package qemu-user) is not installed\nskip insn reference, runs')
        for name, command in engines.items():
            if args.engine in (None, name) and runner.starts(name, command):
                runner.run(name, command, cases)


if __name__ == '__main__':
    sys.exit(main())
