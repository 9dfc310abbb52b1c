#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Expect-like driver for emulator consoles.  Python 3 standard library only.

Three ways to use it

1. One-shot from a shell:
     console.py --cpu 1 -t 120 -e 'GUEST-READY' -- qemu-system-aarch64 -M virt ...
   -e REGEX waits for REGEX on the ANSI-stripped console, -s TEXT sends keys,
   -v REGEX waits for REGEX on the VGA text screen (read through the monitor),
   -k KEY sends a key with the monitor's sendkey; the options are executed in
   the order given, each -t changes the timeout for the steps after it.
   Exit status: 0 all steps passed, 1 a step timed out or matched a --fail
   pattern, 2 emulator exited too early, 3 emulator could not be started.

2. With a recipe file (JSON list of guests, see aarch64.json):
     console.py --recipes aarch64.json --dir IMAGES --list
     console.py --recipes aarch64.json --dir IMAGES --bin ../build/ NAME [NAME...]
     console.py --recipes aarch64.json --dir IMAGES --report out.jsonl 'arm*'
   --bin is a prefix put in front of the emulator's name; '{d}' in a recipe is
   replaced by --dir.  --extra adds arguments to each emulator command.

3. As a module:
     from console import Console
     with Console(['qemu-system-x86_64', ...], cpu=1) as c:
         c.expect(r'login:', 300); c.send('root\n'); c.expect(r'# ', 20)
         print(c.elapsed())
"""
import argparse, fnmatch, json, os, re, resource, select, shlex, signal, socket
import subprocess, sys, tempfile, time

ANSI = re.compile(r'\x1b\[[0-9;:<=>?]*[ -/]*[@-~]'      # CSI
                  r'|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)'  # OSC
                  r'|\x1b[PX^_][^\x1b]*\x1b\\'           # DCS and friends
                  r'|\x1b[ -/]+[0-~]'                    # charset selection
                  r'|\x1b[0-~]'                          # two-byte escapes
                  r'|[\x00\x07\x0e\x0f]')
PARTIAL = re.compile(r'\x1b(?:\[[0-9;:<=>?]*[ -/]*|\][^\x07\x1b]*|[ -/]*)?$')


def strip_ansi(text):
    return ANSI.sub('', text)


class Timeout(Exception):
    pass


class Died(Exception):
    pass


class Failed(Exception):
    pass


class Screen:
    """Just enough of a VT100 to see what a full-screen program has drawn."""

    def __init__(self, rows=25, cols=80):
        self.rows, self.cols = rows, cols
        self.clear()
        self.pending = ''

    def clear(self):
        self.cells = [[' '] * self.cols for _ in range(self.rows)]
        self.y = self.x = 0

    def _scroll(self):
        if self.y >= self.rows:
            for _ in range(self.y - self.rows + 1):
                self.cells.pop(0)
                self.cells.append([' '] * self.cols)
            self.y = self.rows - 1

    def feed(self, text):
        text = self.pending + text
        m = PARTIAL.search(text)
        self.pending = ''
        if m:
            self.pending = text[m.start():]
            text = text[:m.start()]
        i = 0
        while i < len(text):
            c = text[i]
            if c == '\x1b':
                m = ANSI.match(text, i)
                if m:
                    self._escape(m.group())
                    i = m.end()
                    continue
            elif c == '\n':
                self.y += 1
                self._scroll()
            elif c == '\r':
                self.x = 0
            elif c == '\b':
                self.x = max(0, self.x - 1)
            elif c == '\t':
                self.x = min(self.cols - 1, (self.x // 8 + 1) * 8)
            elif c >= ' ':
                if self.x >= self.cols:
                    self.x = 0
                    self.y += 1
                    self._scroll()
                self.cells[self.y][self.x] = c
                self.x += 1
            i += 1

    def _escape(self, seq):
        if not seq.startswith('\x1b['):
            if seq == '\x1bc':
                self.clear()
            return
        last, body = seq[-1], seq[2:-1].lstrip('?<=>')
        try:
            arg = [int(a) if a else 0 for a in body.split(';')]
        except ValueError:
            return
        n = max(1, arg[0])
        if last in 'Hf':
            self.y = min(self.rows, n) - 1
            self.x = min(self.cols, max(1, arg[1] if len(arg) > 1 else 1)) - 1
        elif last == 'A':
            self.y = max(0, self.y - n)
        elif last == 'B':
            self.y = min(self.rows - 1, self.y + n)
        elif last == 'C':
            self.x = min(self.cols - 1, self.x + n)
        elif last == 'D':
            self.x = max(0, self.x - n)
        elif last == 'G':
            self.x = min(self.cols, n) - 1
        elif last == 'd':
            self.y = min(self.rows, n) - 1
        elif last == 'J':
            if arg[0] == 2:
                y, x = self.y, self.x
                self.clear()
                self.y, self.x = y, x
            elif arg[0] == 0:
                self._escape('\x1b[K')
                for r in range(self.y + 1, self.rows):
                    self.cells[r] = [' '] * self.cols
        elif last == 'K':
            row = self.cells[self.y]
            lo, hi = {0: (self.x, self.cols), 1: (0, self.x + 1)}.get(
                arg[0], (0, self.cols))
            for x in range(lo, min(hi, self.cols)):
                row[x] = ' '

    def text(self):
        return '\n'.join(''.join(r).rstrip() for r in self.cells)


class Console:
    """argv's standard input and output are the guest's console.

    cpu: pin the emulator to this host CPU.  monitor: also give the emulator
    '-monitor unix:...' so that vga(), sendkey() and hmp() work.  log: file
    that receives the raw console bytes.  fail: regexes that abort a wait.
    """

    def __init__(self, argv, cpu=None, monitor=False, log=None, echo=False,
                 fail=(), cwd=None, env=None, mem_limit=None):
        self.tmp = None
        self.mon = None
        argv = list(argv)
        if monitor:
            self.tmp = tempfile.mkdtemp(prefix='console-')
            self.monpath = os.path.join(self.tmp, 'hmp')
            argv += ['-monitor', 'unix:%s,server=on,wait=off' % self.monpath]
        self.argv = argv
        self.raw = ''           # everything, with escapes
        self.text = ''          # everything, without escapes
        self.pos = 0            # where the next expect() starts in self.text
        self.screen = Screen()
        self.pending = ''
        self.echo = echo
        self.fail = [re.compile(f) for f in fail]
        self.log = open(log, 'wb') if log else None
        self.match = None

        def setup():
            os.setsid()
            if cpu is not None:
                try:
                    os.sched_setaffinity(0, {cpu})
                except OSError:
                    pass
            if mem_limit:
                resource.setrlimit(resource.RLIMIT_AS, (mem_limit, mem_limit))

        self.start = time.monotonic()
        self.stop_time = None
        self.last_cpu = self.last_rss = None
        self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, cwd=cwd,
                                     env=env, preexec_fn=setup)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.eof = False

    # -- plumbing ---------------------------------------------------------
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def elapsed(self):
        return (self.stop_time or time.monotonic()) - self.start

    def cpu_seconds(self):
        """user+system CPU seconds the emulator has used so far."""
        try:
            with open('/proc/%d/stat' % self.proc.pid) as f:
                v = f.read().rsplit(')', 1)[1].split()
            return (int(v[11]) + int(v[12])) / os.sysconf('SC_CLK_TCK')
        except (OSError, IndexError, ValueError):
            return None

    def rss_mib(self):
        try:
            with open('/proc/%d/status' % self.proc.pid) as f:
                for line in f:
                    if line.startswith('VmHWM'):
                        self.last_rss = int(line.split()[1]) // 1024
        except OSError:
            pass
        return self.last_rss

    def pump(self, wait):
        """Read what is there, waiting at most `wait` seconds."""
        if self.eof:
            return False
        r, _, _ = select.select([self.proc.stdout], [], [], max(0, wait))
        if not r:
            return False
        try:
            data = os.read(self.proc.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self.eof = True
            return False
        if self.log:
            self.log.write(data)
            self.log.flush()
        t = data.decode('utf-8', 'replace')
        self.raw += t
        self.screen.feed(t)
        t = self.pending + t
        m = PARTIAL.search(t)
        self.pending = ''
        if m and len(t) - m.start() < 64:
            self.pending = t[m.start():]
            t = t[:m.start()]
        t = strip_ansi(t).replace('\r\n', '\n').replace('\r', '\n')
        self.text += t
        if self.echo:
            sys.stdout.write(t)
            sys.stdout.flush()
        return True

    # -- steps ------------------------------------------------------------
    def expect(self, regex, timeout=60, screen=False):
        """Wait for regex; returns the match.  The text up to the match's end
        is consumed.  screen=True matches the drawn 80x25 screen instead."""
        rx = re.compile(regex) if isinstance(regex, str) else regex
        end = time.monotonic() + timeout
        while True:
            if screen:
                m = rx.search(self.screen.text())
            else:
                m = rx.search(self.text, self.pos)
            if m:
                if not screen:
                    self.pos = m.end()
                self.match = m
                return m
            for f in self.fail:
                m = f.search(self.text, self.pos)
                if m:
                    raise Failed('saw %r while waiting for %r'
                                 % (m.group(), rx.pattern))
            left = end - time.monotonic()
            if left <= 0:
                raise Timeout('no %r within %gs' % (rx.pattern, timeout))
            if not self.pump(min(left, 0.25)) and self.eof:
                raise Died('emulator ended (status %s) before %r'
                           % (self._status(), rx.pattern))

    def send(self, text, delay=0.0):
        """Send characters to the console; delay between each if > 0."""
        data = text.encode() if isinstance(text, str) else text
        try:
            if delay:
                for b in data:
                    self.proc.stdin.write(bytes([b]))
                    self.proc.stdin.flush()
                    t = time.monotonic() + delay
                    while time.monotonic() < t:
                        if not self.pump(t - time.monotonic()) and self.eof:
                            break
            else:
                self.proc.stdin.write(data)
                self.proc.stdin.flush()
        except BrokenPipeError:
            raise Died('emulator ended (status %s)' % self._status())

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.pump(end - time.monotonic()) and self.eof:
                break

    # -- monitor ----------------------------------------------------------
    def hmp(self, command, timeout=10):
        if self.mon is None:
            end = time.monotonic() + timeout
            while True:
                try:
                    self.mon = socket.socket(socket.AF_UNIX)
                    self.mon.connect(self.monpath)
                    break
                except OSError:
                    self.mon.close()
                    self.mon = None
                    if time.monotonic() > end or self.proc.poll() is not None:
                        raise Died('no monitor')
                    time.sleep(0.05)
            self._monread(timeout)
        self.mon.sendall(command.encode() + b'\n')
        return self._monread(timeout)

    def _monread(self, timeout):
        buf = b''
        self.mon.settimeout(timeout)
        while not buf.rstrip().endswith(b'(qemu)'):
            try:
                d = self.mon.recv(65536)
            except socket.timeout:
                break
            except OSError:
                d = b''
            if not d:
                break
            buf += d
        return strip_ansi(buf.decode('utf-8', 'replace'))

    def vga_text(self, addr=0xb8000, cols=80, rows=25):
        """The VGA text screen, read out of guest memory."""
        path = os.path.join(self.tmp, 'vga')
        if os.path.exists(path):
            os.unlink(path)
        self.hmp('pmemsave %#x %d "%s"' % (addr, cols * rows * 2, path))
        try:
            with open(path, 'rb') as f:
                b = f.read()
        except OSError:
            return ''
        chars = b[0::2].decode('cp437').replace('\0', ' ')
        return '\n'.join(chars[i:i + cols].rstrip()
                         for i in range(0, len(chars), cols))

    def vga(self, regex, timeout=60):
        rx = re.compile(regex)
        end = time.monotonic() + timeout
        while True:
            t = self.vga_text()
            m = rx.search(t)
            if m:
                self.match = m
                return m
            if self.proc.poll() is not None:
                raise Died('emulator ended (status %s)' % self._status())
            if time.monotonic() > end:
                raise Timeout('no %r on the VGA screen within %gs'
                              % (regex, timeout))
            self.drain(0.25)

    def sendkey(self, key):
        self.hmp('sendkey ' + key)

    def screendump(self, path):
        self.hmp('screendump "%s"' % path)

    # -- the end ----------------------------------------------------------
    def _status(self):
        try:
            return self.proc.wait(2)
        except subprocess.TimeoutExpired:
            return None

    def wait_exit(self, timeout=60):
        end = time.monotonic() + timeout
        while not self.eof and time.monotonic() < end:
            self.pump(min(0.25, end - time.monotonic()))
        try:
            return self.proc.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Timeout('emulator did not exit within %gs' % timeout)

    def close(self):
        if self.stop_time is None:
            self.stop_time = time.monotonic()
        if self.proc.poll() is None:
            for sig in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(self.proc.pid, sig)
                except OSError:
                    pass
                try:
                    self.proc.wait(3)
                    break
                except subprocess.TimeoutExpired:
                    pass
        if self.mon:
            self.mon.close()
        for f in (self.proc.stdin, self.proc.stdout, self.log):
            try:
                f and f.close()
            except OSError:
                pass
        if self.tmp:
            for n in os.listdir(self.tmp):
                os.unlink(os.path.join(self.tmp, n))
            os.rmdir(self.tmp)


def run_steps(con, steps, timeout, say):
    """steps: list of {"expect"|"screen"|"vga"|"send"|"key"|"sleep"|"hmp"|
    "exit": value, "t": timeout, "delay": s}.  Returns per-step seconds."""
    out = []
    for st in steps:
        t = st.get('t', timeout)
        if 'expect' in st:
            m = con.expect(st['expect'], t)
            what = 'expect %r' % st['expect']
        elif 'screen' in st:
            con.expect(st['screen'], t, screen=True)
            what = 'screen %r' % st['screen']
        elif 'vga' in st:
            con.vga(st['vga'], t)
            what = 'vga %r' % st['vga']
        elif 'send' in st:
            con.send(st['send'], st.get('delay', 0))
            what = 'send %r' % st['send']
        elif 'key' in st:
            con.sendkey(st['key'])
            what = 'key %s' % st['key']
        elif 'hmp' in st:
            what = 'hmp %s: %s' % (st['hmp'], con.hmp(st['hmp']).strip())
        elif 'sleep' in st:
            con.drain(st['sleep'])
            what = 'sleep %g' % st['sleep']
        elif 'exit' in st:
            rc = con.wait_exit(t)
            what = 'exit status %s' % rc
            if st['exit'] is not True and rc != st['exit']:
                raise Failed('exit status %s, wanted %s' % (rc, st['exit']))
        else:
            raise ValueError('unknown step %r' % st)
        cpu = con.cpu_seconds()
        con.rss_mib()
        out.append((what, con.elapsed(), cpu))
        say('%8.2fs %s %s' % (con.elapsed(),
                              '(cpu %7.2f)' % cpu if cpu is not None
                              else '             ', what))
    return out


def run_one(name, argv, steps, a, fail=(), monitor=False):
    say = (lambda s: None) if a.quiet else (lambda s: print(s, flush=True))
    log = os.path.join(a.logdir, name + '.log') if a.logdir else None
    say('== %s: %s' % (name, ' '.join(shlex.quote(x) for x in argv)))
    res = {'name': name, 'ok': False}
    try:
        con = Console(argv, cpu=a.cpu, monitor=monitor, log=log, echo=a.echo,
                      fail=fail)
    except OSError as e:
        res['error'] = str(e)
        print('%-28s CANNOT START: %s' % (name, e))
        return 3, res
    rc = 0
    try:
        done = run_steps(con, steps, a.timeout, say)
        res['ok'] = True
        res['steps'] = [[w, round(t, 2), c] for w, t, c in done]
    except (Timeout, Failed, Died) as e:
        rc = 2 if isinstance(e, Died) else 1
        res['error'] = '%s: %s' % (type(e).__name__, e)
        if not a.quiet:
            print('---- last console output ----')
            print(con.text[-1500:])
            if monitor and con.proc.poll() is None:
                try:
                    print('---- VGA text ----')
                    print(re.sub(r'\n\s*\n+', '\n', con.vga_text()))
                except Exception:
                    pass
    res['cpu'] = con.cpu_seconds()
    res['rss_mib'] = con.rss_mib()
    con.close()
    res['seconds'] = round(con.elapsed(), 2)
    print('%-28s %-4s %8.2fs  cpu %s  rss %s MiB  %s'
          % (name, 'PASS' if res['ok'] else 'FAIL', res['seconds'],
             res['cpu'], res['rss_mib'], res.get('error', '')), flush=True)
    return rc, res


class _Step(argparse.Action):
    def __call__(self, p, ns, value, opt=None):
        ns.steps = (ns.steps or []) + [(self.dest, value)]


def main():
    p = argparse.ArgumentParser(formatter_class=argparse.RawTextHelpFormatter,
                                description=__doc__)
    p.set_defaults(steps=None)
    p.add_argument('-e', '--expect', action=_Step, metavar='REGEX')
    p.add_argument('-S', '--screen', action=_Step, metavar='REGEX')
    p.add_argument('-v', '--vga', action=_Step, metavar='REGEX')
    p.add_argument('-s', '--send', action=_Step, metavar='TEXT',
                   help='python escapes such as \\n are understood')
    p.add_argument('-k', '--key', action=_Step, metavar='KEY')
    p.add_argument('-w', '--sleep', action=_Step, type=float, metavar='SEC')
    p.add_argument('-H', '--hmp', action=_Step, metavar='CMD')
    p.add_argument('-X', '--exit', action=_Step, type=int, metavar='STATUS')
    p.add_argument('-t', '--step-timeout', dest='t', action=_Step, type=float)
    p.add_argument('--timeout', type=float, default=120)
    p.add_argument('--cpu', type=int)
    p.add_argument('--fail', action='append', default=[])
    p.add_argument('--echo', action='store_true')
    p.add_argument('--quiet', action='store_true')
    p.add_argument('--logdir')
    p.add_argument('--name', default='guest')
    p.add_argument('--recipes')
    p.add_argument('--dir', default='.')
    p.add_argument('--bin', default='')
    p.add_argument('--extra', default='')
    p.add_argument('--scale', type=float, default=1.0,
                   help="multiply the recipes' timeouts")
    p.add_argument('--report')
    p.add_argument('--list', action='store_true')
    p.add_argument('--show', action='store_true',
                   help='print the commands instead of running them')
    p.add_argument('rest', nargs='*')
    a = p.parse_args()
    if a.logdir:
        os.makedirs(a.logdir, exist_ok=True)
    if not a.recipes:
        steps, t = [], a.timeout
        for kind, val in a.steps or []:
            if kind == 't':
                t = val
                continue
            if kind == 'send':
                val = val.encode().decode('unicode_escape')
            steps.append({kind: val, 't': t})
        mon = any(set(s) & {'vga', 'key', 'hmp'} for s in steps)
        return run_one(a.name, a.rest, steps, a, a.fail, mon)[0]
    with open(a.recipes) as f:
        recipes = json.load(f)
    worst, chosen = 0, []
    for r in recipes:
        if not a.rest or any(fnmatch.fnmatch(r['name'], g) for g in a.rest):
            chosen.append(r)
    for r in chosen:
        argv = [x.replace('{d}', a.dir) for x in
                (r['cmd'] if isinstance(r['cmd'], list)
                 else shlex.split(r['cmd']))]
        argv[0] = a.bin + argv[0]
        argv += shlex.split(a.extra)
        if a.list:
            print('%-28s ref %7ss  mem %5s  %s' % (
                r['name'], r.get('ref', '?'), r.get('mem', '?'),
                r.get('what', '')))
            continue
        if a.show:
            print('# %s\n%s' % (r['name'],
                                ' '.join(shlex.quote(x) for x in argv)))
            continue
        steps = [dict(s) for s in r['steps']]
        for s in steps:
            if 't' in s:
                s['t'] *= a.scale
        for pre in r.get('pre', []):    # shell commands, e.g. a fresh overlay
            subprocess.run(pre.replace('{d}', shlex.quote(a.dir)), shell=True,
                           check=True, stdout=subprocess.DEVNULL)
        mon = any(set(s) & {'vga', 'key', 'hmp'} for s in steps)
        rc, res = run_one(r['name'], argv, steps, a,
                          a.fail + r.get('fail', []), mon)
        worst = max(worst, rc)
        if a.report:
            with open(a.report, 'a') as f:
                f.write(json.dumps(res) + '\n')
    return worst


if __name__ == '__main__':
    sys.exit(main())
