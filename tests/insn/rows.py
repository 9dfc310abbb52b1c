# SPDX-License-Identifier: GPL-2.0-or-later
"""The decode rows (src/guest/aarch64/insn*.def; their form: decode.h), read from the source."""
import os
import re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = [f'{TOP}/src/guest/aarch64/{name}' for name in ('insn.def', 'insn_simd.def')]
ROW = re.compile(r'^INSN(?:_END)?\(\s*(\w+)\s*,\s*"([^"]+)"\s*,\s*(\w+)', re.M)


class Row:
    """One INSN row: its fixed bits, and where its fields are."""

    def __init__(self, name, pattern, feature):
        bits = pattern.replace(' ', '')
        if len(bits) != 32:
            raise ValueError(f'{name}: {len(bits)} bits in its pattern, want 32')
        self.name, self.feature, self.pattern = name, feature, pattern
        self.mask = int(''.join('1' if b in '01' else '0' for b in bits), 2)
        self.value = int(re.sub('[^01]', '0', bits), 2)
        self.fixed = bin(self.mask).count('1')
        # Dots are bits that should be one: the architecture leaves open what zeros there do.
        self.ones = int(''.join('1' if b == '.' else '0' for b in bits), 2)
        self.free = ~self.mask & ~self.ones & 0xffffffff
        self.field = {}
        for letter in set(re.findall('[a-z]', bits)):
            at = [31 - i for i, b in enumerate(bits) if b == letter]
            if at == list(range(at[0], at[0] - len(at), -1)):
                self.field[letter] = (at[-1], (1 << len(at)) - 1)
        self.regs = [self.field[f] for f in 'dnmatus' if self.field.get(f, (0, 0))[1] == 31]
        self.dests = [self.field[f] for f in 'dtusn' if self.field.get(f, (0, 0))[1] == 31]
        self.memory = (self.value >> 27 & 1 and not self.value >> 25 & 1 and
                       (self.mask >> 27 & 1) and (self.mask >> 25 & 1) and 'n' in self.field)
        self.literal = self.memory is False and name.endswith(('_lit', '_lit_v'))
        self.stricter = []

    def get(self, word, letter):
        at, mask = self.field[letter]
        return word >> at & mask

    def put(self, word, letter, value):
        at, mask = self.field[letter]
        return word & ~(mask << at) & 0xffffffff | (value & mask) << at

    def matches(self, word):
        return word & self.mask == self.value

    def overlaps(self, other):
        both = self.mask & other.mask
        return self.value & both == other.value & both

    def inside(self, other):
        """Every word of this row matches the other, too."""
        return self.overlaps(other) and self.mask & other.mask == other.mask


def read_rows():
    rows = []
    for path in FILES:
        text = re.sub(r'/\*.*?\*/', '', open(path).read(), flags=re.S)
        rows += [Row(*m.groups()) for m in ROW.finditer(text)]
    for r in rows:
        r.stricter = [o for o in rows if o is not r and r.overlaps(o) and o.fixed >= r.fixed]
    return rows


def decode(row, word):
    """The row that @word of @row really is: a stricter one may claim it."""
    return max([o for o in row.stricter if o.matches(word)] + [row], key=lambda r: r.fixed)


def find(rows, word):
    """The row of any word, or None."""
    return max((r for r in rows if r.matches(word)), key=lambda r: r.fixed, default=None)
