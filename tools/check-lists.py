#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks the .def lists: their order, that no name comes twice, that everything with the form of a
row's function has a row, that rows have their tests, and that somebody makes each IR operation.
The decode rows have more rules of their own: tests/insn/check_rows.py."""
import glob
import os
import re

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROW = re.compile(r'^([A-Z][A-Z0-9_]*)\((.*)\)\s*$', re.M)
COMMENT = re.compile(r'/\*.*?\*/', re.S)
# Where a row's name is not in its first column.
NAME_COLUMN = {f'src/user/{f}.def': 1 for f in ('arm64/syscalls', 'x86_64/syscalls', 'i386/syscalls')}
# x86 has an instruction's name once for each of its encodings: there these columns are what must differ.
ENCODED = 'src/guest/x86/insn'

# list, its macros, where the functions of its rows are, what they look like
FUNCTIONS = (
    ('src/ir/passes.def', 'PASS', 'src/ir/pass_*.c', r'^void pass_(\w+)\(struct ir \*ir\)$'),
    ('src/ir/ops.def', 'OP', 'src/ir/eval_*.c', r'^EVAL\((\w+)\)$'),
    ('src/guest/aarch64/insn*.def', 'INSN INSN_END', 'src/guest/aarch64/*.c', r'^void tr_(\w+)\('),
    ('src/guest/aarch64/*helpers.def', 'HELPER', 'src/guest/aarch64/*.c',
     r'^uint64_t help_(\w+)\('),
    ('src/user/*/syscalls.def', 'CALL', 'src/user/**/*.c', r'^long sys_(\w+)\(struct task \*t, const uint64_t \*a\)$'),
)
# list, macro, the file or folder of tests that a row of that name must have
TESTS = (
    ('src/ir/passes.def', 'PASS', 'tests/ir/pass_{}.txt'),
    ('src/guest/guests.def', 'GUEST', 'tests/insn/{}/'),
)
# Who makes IR operations: lifting code, the builder and the passes.
MAKERS = ('src/guest/**/*.[ch]', 'src/ir/build.[ch]', 'src/ir/finish.c', 'src/ir/fold*.c',
          'src/ir/pass_*.c', 'src/ir/rebuild.c')


def files(pattern):
    found = sorted(glob.glob(pattern, recursive=True))
    assert found, f'no file is {pattern}'
    return found


def code(*patterns):
    """All that text without comments."""
    return '\n'.join(COMMENT.sub('', open(f).read()) for p in patterns for f in files(p))


def columns(text):
    """The first few columns of a row; a string is one column whatever is in it."""
    return [c.strip() for c in re.findall(r'"(?:[^"\\]|\\.)*"|\'.\'|[^,"\']+', text) if c.strip()]


def rows(path):
    """(line, macro, columns) of each row."""
    text = open(path).read()
    text = COMMENT.sub(lambda m: '\n' * m[0].count('\n'), text)
    for m in ROW.finditer(text):
        yield text.count('\n', 0, m.start()) + 1, m[1], columns(m[2])


def names(pattern, macros):
    return [c[NAME_COLUMN.get(f, 0)] for f in files(pattern) for _, macro, c in rows(f)
            if macro in macros.split()]


def number(text):
    """What a first column sorts by."""
    if re.fullmatch(r"'.'", text):
        return ord(text[1])
    return int(text, 0) if re.fullmatch(r"0x[0-9a-fA-F]+|\d+", text) else text


def bad_order():
    """A list is sorted by its first column, or its head says what its order means."""
    for path in files('src/**/*.def'):
        head = re.match(r'(/\*.*?\*/\s*)+', open(path).read(), re.S)
        if not head or not re.search(r'\b(sorted|in the order)\b', head[0]):
            yield f'{path}: its head does not say "sorted" or "in the order" of what'
        elif 'sorted' in head[0]:
            key = [(number(c[0]), line) for line, _, c in rows(path)]
            yield from (f'{path}:{line}: {b} comes after {a}: keep rows sorted'
                        for (a, _), (b, line) in zip(key, key[1:]) if b < a)


def twice():
    """Rows of a list have names of their own; lists of one folder that begin with the same macro are
    one list in parts.  So have the numbers before the names, where there are any."""
    seen = {}
    for path in files('src/**/*.def'):
        for line, first, c in rows(path):
            if path.startswith(ENCODED):
                c = [' '.join(c[:3])]
            for i in {0, NAME_COLUMN.get(path, 0)}:
                key = os.path.dirname(path), first, i, c[i]
                if key in seen:
                    yield f'{path}:{line}: {c[i]} is already in {seen[key]}'
                seen[key] = f'{path}:{line}'


def strangers():
    """Functions that look like a row's but have no row.  (A row without one does not link.)"""
    for list_, macros, where, form in FUNCTIONS:
        known = set(names(list_, macros))
        for path in files(where):
            for name in re.findall(form, open(path).read(), re.M):
                if name not in known:
                    yield f'{path}: {name} has no row in {list_}'
    known = set(names('src/guest/guests.def', 'GUEST'))
    for folder in files('src/guest/*/'):
        if os.path.basename(folder[:-1]) not in known:
            yield f'{folder}: has no row in src/guest/guests.def'
    for target in files('fuzz/fuzz_*.c'):
        corpus = f'fuzz/corpus/{target[len("fuzz/fuzz_"):-2]}/'
        if not glob.glob(corpus + '*'):
            yield f'{target}: has no corpus in {corpus}'


def untested():
    for list_, macro, form in TESTS:
        for name in names(list_, macro):
            if not os.path.exists(form.format(name)):
                yield f'{list_}: {name} has no {form.format(name)}'


def untested_ops():
    """What is computed has rows of operands and results; what acts is at least in a test."""
    tests, text = code('tests/unit/**/*.[ch]', 'tests/ir/*.[ch]'), code('tests/ir/*.txt')
    computed = {a or b for a, b in
                re.findall(r'\{[A-Z]\w*\((\w+)[,)]|\bir_eval_(\w+)', tests)}
    met = set(re.findall(r'\bIRO_(\w+)', tests)) | set(re.findall(r'(?:= |^ +)(\w+)', text, re.M))
    for _, _, (name, _, _, effects, *_) in rows('src/ir/ops.def'):
        if name in computed:
            continue
        if effects in ('PURE', 'FP') and name not in ('vconst', 'get', 'phi'):
            yield f'src/ir/ops.def: {name} has no row in tests/unit/ir/eval_*_test.c'
        elif name not in met:
            yield f'src/ir/ops.def: {name} is in no test of tests/unit/ or tests/ir/'


def unmade_ops():
    made = set(re.findall(r'\bIRO_(\w+)', code(*MAKERS)))
    for name in names('src/ir/ops.def', 'OP'):
        if name not in made:
            yield f'src/ir/ops.def: nobody makes {name}: {", ".join(MAKERS)}'


for what, faults in (('every list is in order', bad_order()), ('no name comes twice', twice()),
                     ('what belongs to a list has a row', strangers()),
                     ('rows have their tests', untested()),
                     ('every IR operation has a test', untested_ops()),
                     ('every IR operation is made by somebody', unmade_ops())):
    bad = list(faults)
    print(*bad[:20], f'{"fail" if bad else "pass"} lists, {what}', sep='\n')
