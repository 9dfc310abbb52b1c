#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The recorded sessions in transcripts/*.txt, typed again: our tools print what the reference printed, to the letter, and
end with the same status.

Each file is one session in one folder, from an empty one on.  "$ LINE" is typed by bash; below it stands what the reference
printed (standard output and standard error together), then [exit N] unless the status was 0.  "! LINE" is done unseen, to
bring about what the next lines show; there ref-img and ref-io are the reference, which is also asked, where it is installed,
so that a record that is wrong, or of another version, is found out.

What may differ is in DIFFER, each with its reason."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.path.abspath(os.environ.get('EMU_BIN', os.path.join(TOP, 'build')))
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'transcripts')
REFERENCE = '/usr/bin'
LIMIT = 60
TRIES = {'reference': 3, 'ours': 1}     # the reference's measuring of passwords gives up on a busy machine now and then

# (what, by what, why) is done to both texts before they are compared.
DIFFER = [
    (r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'DATE', 'snapshots are made now'),
    (r'"date-(n?sec)": \d+', r'"date-\1": 0', 'snapshots are made now'),
    (r'\d+\.\d+ sec \(.*? ops/sec\)', 'TIME', 'how fast it was'),
    (r'in \d+\.\d+ seconds', 'in TIME seconds', 'how fast it was'),
    (r'(master key iters|iters|"master-key-iters"|"iters"): \d+', r'\1: N', 'measured on this processor'),
    (r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'UUID', 'random'),
    (r'(?m)^    cid: \d+', '    cid: N', 'random'),
    (r'(?m)^disk size: .*', 'disk size: N', "the host's file system says what a file takes"),
    (r'"actual-size": \d+', '"actual-size": 0', "the host's file system says what a file takes"),
    (r"(?m)^Did you mean '.*'\?\n|; did you mean '.*'\?", '', 'we say the nearest right word'),
]


def entries(file):
    """(hidden, command, text, status, what differs)"""
    found, differ = [], []
    for line in open(file):
        if line.startswith('~ '):
            pattern, mark, _ = line[2:].partition(' # ')
            if not mark:
                sys.exit(f'{file}: "{line}" has no reason')
            differ.append(pattern)
        elif line.startswith(('$ ', '! ')):
            found.append([line[0] == '!', line[2:].rstrip('\n'), '', 0, differ])
            differ = []
        elif line.startswith('# == '):
            continue
        elif found:
            m = re.search(r'\[exit (\d+)\]\n$', line)
            found[-1][2] += line[:m.start()] if m else line
            found[-1][3] = int(m[1]) if m else found[-1][3]
    return found


def without_order(text):
    """JSON objects' names come in the order of the reference's hash table."""
    start = re.search(r'(?m)^[\[{]$', text)
    if not start:
        return text
    try:
        value, end = json.JSONDecoder().raw_decode(text[start.start():])
    except ValueError:
        return text
    return text[:start.start()] + json.dumps(value, sort_keys=True, indent=1) + text[start.start() + end:]


def sorted_name(m):
    try:
        return 'json:' + json.dumps(json.loads(m[1]), sort_keys=True)
    except ValueError:
        return m[0]


def normal(text, differ):
    for what, by, _ in DIFFER:
        text = re.sub(what, by, text)
    for what in differ:
        text = re.sub('(?m)' + what, '', text)
    return re.sub(r'json:(\{.*\})', sorted_name, without_order(text)).rstrip('\n')


class Session:
    def __init__(self, work, name, tools):
        self.folder, binary = os.path.join(work, name), os.path.join(work, name + '-bin')
        os.mkdir(self.folder)
        os.mkdir(binary)
        for tool in ('img', 'io', 'nbd'):
            for prefix, where in (('qemu', tools), ('ref', REFERENCE)):
                with open(os.path.join(binary, f'{prefix}-{tool}'), 'w') as f:
                    f.write(f'#!/bin/bash\nexec -a qemu-{tool} {shlex.quote(where)}/qemu-{tool} "$@"\n')
                os.chmod(f.name, 0o755)
        self.env = dict(os.environ, PATH=binary + ':' + os.environ['PATH'], TZ='UTC')

    def type(self, line):
        try:
            r = subprocess.run(['bash', '-o', 'pipefail', '-c', line], cwd=self.folder, env=self.env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors='replace', timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return '', 'no end'
        return r.stdout, r.returncode


def play(file, session, who):
    """What is not as recorded."""
    wrong = []
    for hidden, line, text, status, differ in entries(file):
        got, code = session.type(line)
        if hidden:
            if code:
                wrong.append(f'! {line}: status {code}\n{got}')
            continue
        want, got = normal(text, differ), normal(got, differ)
        if not hidden and (got, code) != (want, status):
            wrong.append(f'$ {line}\nrecorded, status {status}:\n{want}\n{who}, status {code}:\n{got}')
    return wrong


def main():
    if not os.path.exists(os.path.join(REFERENCE, 'qemu-img')):
        print('needs qemu-img\nskip transcripts, runs')
        return
    for file in sorted(os.listdir(HERE)):
        for who, tools in (('reference', REFERENCE), ('ours', OURS)):
            for left in reversed(range(TRIES[who])):
                work = tempfile.mkdtemp(prefix='emu-transcripts-')
                wrong = play(os.path.join(HERE, file), Session(work, who, tools), who)
                shutil.rmtree(work)
                for w in wrong:
                    print(w)
                if not wrong:
                    break
                if left:
                    print(f'{file[:-4]}, {who}: once more')
            print(f'{"fail" if wrong else "pass"} transcripts {file[:-4]}, {who}', flush=True)


if __name__ == '__main__':
    main()
