# SPDX-License-Identifier: GPL-2.0-or-later
"""What this folder's Python tests share: failing, comparing, cases that run in folders of their own."""

import os
import re
import subprocess
import sys
import tempfile


class Failed(Exception):
    pass


def must(condition, *what):
    if not condition:
        raise Failed(' '.join(str(w) for w in what))


def same(got, want, what=''):
    must(got == want, f'{what}:\n got  {got!r}\n want {want!r}')


def report(title, function, *args, also=()):
    """Runs it where we are, and says how it went; @also: exceptions that are failures, too."""
    here = os.getcwd()
    try:
        function(*args)
        print(f'pass {title}', flush=True)
    except (Failed, subprocess.SubprocessError, OSError, *also) as e:
        print(f'{type(e).__name__}: {e}\nfail {title}', flush=True)
    os.chdir(here)


def case(title, function, *args, also=()):
    """report, in an empty folder."""
    with tempfile.TemporaryDirectory(prefix='emu-image-') as folder:
        os.chdir(folder)
        report(title, function, *args, also=also)
        os.chdir('/')


def run_tests(subject, namespace, also=()):
    """All test_* functions, or those that the command line names without their prefix."""
    for name, function in list(namespace.items()):
        if name.startswith('test_') and (not sys.argv[1:] or name[5:] in sys.argv[1:]):
            case(f'{subject}, {name[5:].replace("_", " ")}', function, also=also)


def preload(program, library):
    """LD_PRELOAD for @library; the sanitizers' own, when @program has them, must come first."""
    needs = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
    return ' '.join(re.findall(r'=> (\S*/lib[at]san\.so\S*)', needs) + [library])
