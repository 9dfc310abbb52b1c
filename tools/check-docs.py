#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents name files: checks that every path in backticks and every relative link exists."""
import os
import re
import subprocess

os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOPS = ('src/', 'tests/', 'tools/', 'bench/', 'fuzz/', 'docs/')
PATH = re.compile(r'`((?:[\w.-]+/)*[\w.-]+\.(?:c|h|S|def|py|sh|md)|(?:[\w.-]+/)+)`')
LINK = re.compile(r'\]\((?!https?:|#)([^)#]+)')


def exists(path, folder):
    return any(os.path.exists(os.path.join(d, path)) for d in ('.', folder, 'src'))


bad = []
for doc in subprocess.run(['git', 'ls-files', '*.md'], capture_output=True, text=True).stdout.split():
    text, folder = open(doc).read(), os.path.dirname(doc) or '.'
    for path in LINK.findall(text):
        if not os.path.exists(os.path.join(folder, path)):
            bad.append(f'{doc}: no {path}')
    for path in PATH.findall(text):
        if path.startswith(TOPS) and '*' not in path and not exists(path, folder):
            bad.append(f'{doc}: no {path}')
print(*bad, f'{"fail" if bad else "pass"} docs, every path in a document exists', sep='\n')
