#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random instruction sequences, made from the decode rows (src/guest/aarch64/insn*.def), run on
every engine and on the reference emulator; the complete final states must be equal.

A sequence is up to 20 instructions with forward branches, every third one inside a loop, so that
hot code is covered, too.  Loads and stores find a pointer to the data page in their base register.
A signal (undefined instruction, fault) does not end a sequence: the exact state at it is part of
what is compared.  What differs is cut down to the instructions that matter, and printed with
inputs in the form of an instruction test.

usage: random_sequences.py [-n INSTRUCTIONS] [--seconds S] [--seed N] [--row NAME] [--emu PROGRAM]
"""
import argparse
import collections
import os
import random
import re
import struct
import sys
import tempfile
import time

import a64
from rows import decode, find, read_rows

# Rows that are left out, each with its reason.
EXCLUDED = {
    'svc': 'a system call, not an instruction test',
    'hvc': 'undefined but in the vDSO',
    'brk': 'the harness could not tell it from a failure of its own',
    'wfe': 'waits for other CPUs', 'wfi': 'waits for interrupts',
    'br': 'goes anywhere', 'blr': 'goes anywhere', 'ret': 'goes anywhere',
    'braaz': 'goes anywhere', 'blraaz': 'goes anywhere', 'retaa': 'goes anywhere',
    'braa': 'goes anywhere', 'blraa': 'goes anywhere',
    'mrs_cntvct': 'a clock', 'mrs_cntvctss': 'a clock', 'mrs_cntfrq': "the host clock's frequency",
    'mrs_rndr': 'a random number',
    'mrs_id': 'models differ in what they have', 'mrs_ctr': 'models differ',
    'mrs_dczid': 'models differ', 'mrs_tpidrro': 'reserved for the kernel',
    'mrs_tpidr': 'used by the harness', 'msr_tpidr': 'used by the harness',
    'msr_ssbs': 'stays set for the next case: the reference cannot clear it', 'msr_ssbs_imm': 'the same',
    'msr_fpcr': 'random values set reserved bits', 'msr_fpsr': 'random values set reserved bits',
    'pac_1716': 'keys are random', 'pac_sp': 'keys are random', 'pac_reg': 'keys are random',
    'pac_zero': 'keys are random', 'pacga': 'keys are random', 'ldraa': 'keys are random',
}
# Rows and extensions where only our own engines are compared with each other.
REFERENCE_DIFFERS = {
    'CSSC': 'it does not have this', 'HBC': 'it does not have this', 'LOR': 'versions of it differ',
    'mrs_ssbs': 'it refuses this',
    'dc_cvap': 'it checks the address', 'dc_cvadp': 'it checks the address',
    'dc_zva': 'its program counter is wrong when this faults',
    'fjcvtzs': 'it sets Z for a denormal flushed to zero (DDI 0487, FPToFixedJS: it is clear)',
}

PC_RELATIVE = ('b', 'bl', 'b_cond', 'bc_cond', 'cbz', 'cbnz', 'tbz', 'tbnz')
ADDRESS_IN_T = re.compile(r'^(dc_|ic_)')
# Words where the reference is wrong, (mask, value, how): left out.
ODD_WORDS = [
    (0xbff8fc00, 0x2f00fc00, 'unallocated: modified immediate with op and o2 set'),
    (0xdff0fc00, 0x5f10fc00, 'fcvtzs of a half writes 32 bits there'),
]
# Misaligned, these fault or not, depending on FEAT_LSE2, which the reference lacks.
ORDERED = re.compile('^(stl|ldl|lda|stl?xr|stxp|ldax|ldxr|ldxp|cas|swp|ld(add|clr|eor|set|[su](max|min)))')
# Across the end of the page, these may load some registers before they fault.
STRUCTURE = re.compile('^(ld|st)([1234]|n?p_v)')
EXCLUSIVE = re.compile('^(ld|st)x[rp]$')
CLREX = 0xd5033f5f
VECTOR = re.compile('^ldst_v')
PAIR = re.compile('^(ld|st)n?p')
FPCRS = [0] * 8 + [1 << 22, 2 << 22, 3 << 22, 1 << 24, 1 << 25, 3 << 24, 1 << 24 | 1 << 22, 1 << 19,
                   1 << 19 | 1 << 25, 1 << 26]
MAX_OFFSET = 0x3c0


class Values:
    """Pools of telling register contents, to be drawn from quickly."""

    def __init__(self, rng):
        self.rng = rng
        self.x = [self.integer().to_bytes(8, 'little') for _ in range(4096)]
        self.v = [self.vector() for _ in range(4096)]

    def integer(self):
        r = self.rng
        kind = r.randrange(6)
        if kind == 0:
            return r.randrange(-64, 64) & a64.M64
        if kind == 1:
            return (1 << r.randrange(64)) + r.randrange(-1, 2) & a64.M64
        if kind == 2:
            return r.getrandbits(32)
        if kind == 3:
            return -r.getrandbits(r.randrange(1, 33)) & a64.M64
        return r.getrandbits(r.choice((8, 16, 63, 64, 64)))

    def lane(self, bits):
        """A floating-point number or an integer of that width, near an edge more often than not."""
        r = self.rng
        exponent, fraction = {16: (5, 10), 32: (8, 23), 64: (11, 52)}[bits]
        top = (1 << exponent) - 1
        kind = r.randrange(8)
        if kind == 0:       # 0, infinity, quiet and signalling NaN, greatest, least
            e, f = r.choice(((0, 0), (top, 0), (top, 1 << fraction - 1), (top, 1),
                             (top - 1, (1 << fraction) - 1), (1, 0), (0, 1), (top // 2, 0)))
        elif kind == 1:     # denormal, NaN
            e, f = r.choice((0, top)), r.getrandbits(fraction)
        elif kind <= 3:     # small integers, halves
            e, f = top // 2 + r.randrange(-2, 8), r.getrandbits(4) << fraction - 4
        elif kind <= 5:     # near one
            e, f = top // 2 + r.randrange(-3, 4), r.getrandbits(fraction)
        else:
            return self.integer() & (1 << bits) - 1
        return r.getrandbits(1) << bits - 1 | e << fraction | f

    def vector(self):
        bits = self.rng.choice((16, 32, 32, 64, 64))
        if self.rng.random() < .2:
            return self.rng.randbytes(16)
        lanes = [self.lane(bits) for _ in range(128 // bits)]
        if self.rng.random() < .2:
            lanes = lanes[:1] * len(lanes)
        return b''.join(v.to_bytes(bits // 8, 'little') for v in lanes)

    def state(self):
        r = self.rng
        x = b''.join(r.choices(self.x, k=31))
        v = b''.join(r.choices(self.v, k=32))
        fields = struct.pack('<9Q', a64.MEM_ADDR + 2048, 0, r.getrandbits(4) << 28, 0,
                             r.choice(FPCRS), 0, 0, 0, 0)
        mem = b''.join(r.choices(self.x, k=16)) + b''.join(r.choices(self.v, k=8))
        return x + fields + v + mem


class Sequence:
    """Builds one sequence.  @known: registers that hold a pointer into the data page."""

    def __init__(self, rng, rows):
        self.rng, self.rows = rng, rows
        self.words, self.units = [], []     # units: where each instruction's set-up begins
        self.known, self.pending = {31}, []
        self.loop = self.exclusive = None
        self.near = rng.sample(range(31), 6)

    def emit(self, word):
        self.words.append(word)

    def settle(self):
        """Branches that end here: from now on only what they knew, too, is known."""
        for p in [p for p in self.pending if p[0] <= 0]:
            self.patch(*p[1:3])
            self.known &= p[3]
            self.pending.remove(p)
        for p in self.pending:
            p[0] -= 1

    def patch(self, at, row):
        self.words[at] = row.put(self.words[at], 'i', len(self.words) - at)

    def movz(self, reg, value, half=0):
        self.emit(0xd2800000 | half << 21 | value << 5 | reg)

    def point(self, reg, aligned=False):
        """Makes @reg a pointer into the data page: mostly aligned, sometimes near its end."""
        r = self.rng
        offset = r.randrange(0, a64.MEM_SIZE - 64, 32)
        if r.random() < .25 and not aligned:
            offset = r.choice((0, a64.MEM_SIZE - 16, r.randrange(a64.MEM_SIZE)))
        self.movz(reg, a64.MEM_ADDR >> 16, 1)
        if offset:
            self.emit(0xf2800000 | offset << 5 | reg)   # movk
        self.known.add(reg)

    def word_of(self, row):
        """A random word of @row that is that row, with its registers often among a few."""
        r = self.rng
        while True:
            word = row.value | row.ones | r.getrandbits(32) & row.free
            if r.random() < .8:
                for at, _ in row.regs:
                    if r.random() < .7:
                        word = word & ~(31 << at) | r.choice(self.near) << at
            if any(word & m == v for m, v, _ in ODD_WORDS):
                continue
            if decode(row, word) is row and self.keeps_loop(row, word):
                return word

    def keeps_loop(self, row, word):
        c = self.loop
        return c is None or all((word >> at & 31) not in (c, c - 1) for at, _ in row.dests)

    def forget(self, row, word):
        for at, _ in row.dests:
            self.known.discard(word >> at & 31)
            self.known.discard((word >> at & 31) + 1)
        if row.name in ('bl', 'xpaclri'):
            self.known.discard(30)

    def free_registers(self):
        return [x for x in range(30) if self.loop is None or x not in (self.loop, self.loop - 1)]

    def base(self):
        usable = sorted(self.known)
        if usable and self.rng.random() < .8:
            return self.rng.choice(usable)
        reg = self.rng.choice(self.free_registers())
        self.point(reg)
        return reg

    def pair_exclusives(self, row, word):
        """Whether a store exclusive works after a load of another size is the implementation's choice."""
        if EXCLUSIVE.match(row.name):
            kind = word >> 30, row.name[-1]
            if row.name.startswith('st') and (kind != self.exclusive or self.pending):
                self.emit(CLREX)
            self.exclusive = kind if row.name.startswith('ld') and not self.pending else None

    def memory(self, row):
        r = self.rng
        letter = 't' if ADDRESS_IN_T.match(row.name) else 'n'
        if any(p.match(row.name) for p in (ORDERED, STRUCTURE, PAIR, VECTOR)):
            n = self.rng.choice(self.free_registers())
            self.point(n, True)
        else:
            n = self.base()
        if letter == 't' and n == 31:
            n = r.choice(self.free_registers())
            self.point(n)
        for _ in range(50):
            word = row.put(self.word_of(row), letter, n)
            regs = {f: row.get(word, f) for f in 'tusm' if row.field.get(f, (0, 0))[1] == 31}
            if letter == 't':
                regs.pop('t')
            plain = [v for f, v in regs.items() if f != 'm']
            # The architecture leaves it open what happens when registers coincide.
            if n in regs.values() or len(set(plain)) < len(plain):
                continue
            if decode(row, word) is row and self.keeps_loop(row, word):
                break
        else:
            return
        if ORDERED.match(row.name) and 'i' in row.field:
            word = row.put(word, 'i', row.get(word, 'i') & ~15)
        if PAIR.match(row.name):
            word = row.put(word, 'i', row.get(word, 'i') & ~1)
        if 'i' in row.field and row.field['i'][1] == 0xfff and r.random() < .95:
            word = row.put(word, 'i', row.get(word, 'i') & 15)
        # Across the end of the page, these may store their first half before they fault.
        wide = VECTOR.match(row.name) and word >> 30 == 0 and word >> 23 & 1
        if wide and row.field.get('i', (0, 0))[1] == 0x1ff:
            word = row.put(word, 'i', row.get(word, 'i') & ~15)
        m = regs.get('m')
        if m is not None and m != 31:
            if m == self.loop:
                return
            offset = r.choice((r.randrange(64), r.randrange(64), r.randrange(MAX_OFFSET)))
            self.movz(m, offset & ~15 if wide else offset)
            self.known.discard(m)
        self.pair_exclusives(row, word)
        self.emit(word)
        for f, v in regs.items():
            if f != 'm':
                self.known.discard(v)
                self.known.discard(v + 1)

    def one(self):
        self.units.append(len(self.words))
        row = self.rng.choice(self.rows)
        if row.memory or ADDRESS_IN_T.match(row.name):
            self.memory(row)
            return
        word = self.word_of(row)
        if row.name in PC_RELATIVE:
            self.pending.append([self.rng.randrange(1, 4), len(self.words), row, set(self.known)])
        elif row.literal:
            word = row.put(word, 'i', self.rng.randrange(-2, 3))
        self.emit(word)
        self.forget(row, word)

    def build(self, length):
        start = None
        if self.rng.random() < .35:
            self.loop = self.rng.randrange(19, 29)
            self.movz(self.loop, self.rng.choice((2, 3, 20, 70)))
            start = len(self.words)
            self.known = set()
        for _ in range(length):
            self.settle()
            self.one()
        for p in self.pending:
            self.patch(*p[1:3])
        self.pending = []
        self.units.append(len(self.words))
        if start is not None:
            c = self.loop
            self.emit(0xd1000400 | c << 5 | c)                                      # sub c, c, #1
            self.emit(0xb5000000 | (start - len(self.words) & 0x7ffff) << 5 | c)    # cbnz
        return pack(self.words)


def pack(words):
    return struct.pack(f'<{len(words)}I', *words)


class Comparison:
    """Runs batches on all engines and cuts down what differs."""

    def __init__(self, engines, folder, rows):
        self.engines, self.folder, self.rows = engines, folder, rows
        self.harness, self.finish = a64.build_harness(folder)
        self.seen = collections.Counter()
        self.by_value = {}

    def run(self, command, cases, limit=60):
        path = f'{self.folder}/batch'
        a64.write_cases(path, cases, self.finish, True, command.runs,
                        not command.exact)
        return a64.run_harness(command, self.harness, path, limit)

    def batch(self, full, names):
        """Compares every engine with the first; reports at most a few of each kind.
        @full: (state, code, units) of each case."""
        cases = [c[:2] for c in full]
        (first, command), *others = names.items()
        want, wrong = self.run(command, cases)
        if wrong:
            self.died(first, command, cases, len(want), wrong)
        for name, command in others:
            got, wrong = self.run(command, cases)
            if wrong:
                self.died(name, command, cases, len(got), wrong)
            for i, (g, w) in enumerate(zip(got, want)):
                if not self.alike(command, g, w) and not self.shrink_and_report(first, name, full[i]):
                    self.seen['only at its address'] += 1
                    print(*a64.disassemble(full[i][1], 0, self.folder), sep='\n')
                    self.report_states(first, w, name, g)
                    print(f'fail random, {first} and {name} agree on case {i}', flush=True)
                if sum(self.seen.values()) > 40:
                    return

    def alike(self, engine, a, b):
        return engine.visible(a) == engine.visible(b)

    def died(self, name, command, cases, i, wrong):
        if i < len(cases):
            state, code = cases[i]
            print(*a64.disassemble(code, 0, self.folder), sep='\n')
        print(f'{wrong}\nfail random, {name} ended in case {i}', flush=True)
        self.seen['ended'] += 1

    def differs(self, first, second, cases):
        """For each case, whether the two engines differ."""
        a, _ = self.run(self.engines[first], cases)
        b, _ = self.run(self.engines[second], cases)
        return [i >= len(a) or i >= len(b) or not self.alike(self.engines[second], a[i], b[i])
                for i in range(len(cases))]

    def shrink_and_report(self, first, second, case):
        """Leaves out one unit after the other, as long as the engines still differ."""
        state, code, units = case
        words = list(struct.unpack(f'<{len(code) // 4}I', code))
        if not self.differs(first, second, [(state, code)])[0]:
            return False
        removable = list(zip(units, units[1:]))
        if units[-1] < len(words):      # the loop: only its branch, then it runs once
            removable.append((len(words) - 1, len(words)))
        shrunk = True
        while shrunk:
            tries = [words[:a] + [a64.NOP] * (b - a) + words[b:] for a, b in removable]
            bad = self.differs(first, second, [(state, pack(t)) for t in tries]) if tries else []
            shrunk = any(bad)
            if shrunk:
                words = tries[bad.index(True)]
                del removable[bad.index(True)]
        self.report(first, second, state, words)
        return True

    def name_of(self, word):
        row = find(self.rows, word)
        return row.name if row else '?'

    def report(self, first, second, state, words):
        live = [w for w in words if w != a64.NOP]
        kind = ' '.join(n for n in map(self.name_of, live) if n not in ('movz', 'movk'))
        self.seen[kind] += 1
        if self.seen[kind] > 2:
            return
        code = pack(words)
        a = self.run(self.engines[first], [(state, code)])[0]
        b = self.run(self.engines[second], [(state, code)])[0]
        print(*(l for l in a64.disassemble(code, 0, self.folder) if not l.endswith('nop')), sep='\n')
        given = a64.State.unpack(bytes(state))
        used = sorted({k for w in live for at in (0, 5, 10, 16) for k in (f'x{w >> at & 31}', f'v{w >> at & 31}')
                       if k in given})
        print('# in: ', *(f'{k}={given[k]:#x}' for k in used if k[0] == 'x'),
              f'nzcv={given["nzcv"]:#x} fpcr={given["fpcr"]:#x}')
        print('# in: ', *(f'{k}={given[k]:#x}' for k in used if k[0] == 'v'))
        if a and b:
            self.report_states(first, a[0], second, b[0])
        else:
            print(f'{first} ended' if not a else f'{second} ended')
        print(f'fail random, {first} and {second} agree on: {kind}', flush=True)


    def report_states(self, first, want, second, got):
        run = a64.State.unpack(got)['code']
        if run < a64.CODE_ADDR:
            print(f'{second} itself differs in run {run}')
        print(f'{second} (got) and {first} (want) differ in',
              *a64.differences(a64.State.unpack(got), a64.State.unpack(want)), sep='\n  ')


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument('-n', type=int, default=100000, help='instructions')
    ap.add_argument('--seconds', type=float, default=1e9, help='stop after this time')
    ap.add_argument('--seed', type=int, default=None)
    ap.add_argument('--row', action='append', help='only rows whose name matches')
    ap.add_argument('--length', type=int, default=20, help='instructions in a sequence, at most')
    ap.add_argument('--engine', action='append', help='interp, cold, flat, lifted, hot, plain, reference: only these')
    ap.add_argument('--emu', default=f'{a64.TOP}/build/qemu-aarch64')
    args = ap.parse_args()

    seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
    rng = random.Random(seed)
    rows = read_rows()
    usable = [r for r in rows if r.name not in EXCLUDED and
              (not args.row or any(re.search(p, r.name) for p in args.row))]
    common = [r for r in usable if not REFERENCE_DIFFERS.keys() & {r.name, r.feature}]
    engines = {k: v for k, v in a64.engines(args.emu).items()
               if not args.engine or k in args.engine}
    values = Values(rng)
    print(f'seed {seed}, {len(usable)} of {len(rows)} rows, engines {", ".join(engines)}')

    with tempfile.TemporaryDirectory(prefix='emu-random-') as folder:
        comparison = Comparison(engines, folder, rows)
        names = {}
        for name, command in engines.items():
            _, wrong = comparison.run(command, [(values.state(), b'')], 10)
            if wrong:
                print(f'{wrong}\nfail random {name}, the harness runs')
            else:
                names[name] = command
        if 'reference' in names:    # it goes first: the others are compared with it
            names = {'reference': names.pop('reference'), **names}
        if len(names) < 2:
            print('there are not two engines to compare\nskip random, runs')
            return
        if 'reference' not in names and not args.engine:
            print('qemu-aarch64 (package qemu-user) is not installed\nskip random, reference')
        done, start, batches = 0, time.monotonic(), 0
        while done < args.n and time.monotonic() - start < args.seconds:
            batches += 1
            own = {k: v for k, v in names.items() if k != 'reference'}
            alone = batches % 4 == 0 and len(own) > 1
            cases = []
            for _ in range(2000 if args.n > 50000 else 500):
                s = Sequence(rng, usable if alone else common or usable)
                length = rng.randrange(1, args.length + 1)
                cases.append((values.state(), s.build(length), s.units))
                done += length
            comparison.batch(cases, own if alone else names)
            if sum(comparison.seen.values()) > 40:
                print('too many differences: stopping')
                break
        print(f'{done} random instructions, {time.monotonic() - start:.0f} s')
        if not comparison.seen:
            print('pass random, all engines agree')
        for kind, n in comparison.seen.most_common():
            print(f'    {n:4d}  {kind}')


if __name__ == '__main__':
    sys.exit(main())
