#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""VNC servers: what a viewer meets (RFC 6143, spoken here), passwords, WebSocket ports; and the viewers that people use."""
import array
import fcntl
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from rfb import FONT, Refused, Viewer, font, read_text  # noqa: E402
from wait import LONG, until  # noqa: E402

BIN = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
SYSTEM = os.path.join(BIN, 'qemu-system-aarch64')
PROMPT = '(qemu) '
TMP = tempfile.mkdtemp(prefix='emu-vnc-')
RUNNING = []
SHIFT, CTRL, ALT, RETURN = 0xffe1, 0xffe3, 0xffe9, 0xff0d


class Machine:
    """A machine with a monitor on its standard streams and a VNC server at self.path."""
    def __init__(self, *args, vnc=''):
        self.path = os.path.join(TMP, 'sock')
        self.p = subprocess.Popen([SYSTEM, '-nodefaults', '-S', '-monitor', 'stdio', *args, '-vnc', f'unix:{self.path}{vnc}'],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = ''
        RUNNING.append(self.p)
        self.greeting = self.until(PROMPT)

    def until(self, what, seconds=LONG):
        end = time.monotonic() + seconds
        while what not in self.text:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.p.stdout], [], [], left)[0]:
                raise TimeoutError(f'{what!r} does not come: {self.text!r}')
            data = os.read(self.p.stdout.fileno(), 65536)
            if not data:
                raise EOFError(self.text)
            self.text += data.decode(errors='replace')
        got, _, self.text = self.text.partition(what)
        return got

    def ask(self, command):
        self.p.stdin.write(command.encode() + b'\r')
        self.p.stdin.flush()
        return self.until(PROMPT).replace('\r\n', '\n').partition('\n')[2]

    def end(self):
        self.p.stdin.write(b'quit\r')
        self.p.stdin.flush()
        self.p.stdout.read()
        return self.p.wait(LONG)


def verdict(name, ok, detail=''):
    if not ok:
        print(detail)
    print('pass' if ok else 'fail', f'system_vnc, {name}', flush=True)


SCREEN = ('-M', 'virt', '-cpu', 'cortex-a57', '-device', 'ramfb')


def taken_display():
    """A socket on the first display's port that can be had."""
    for display in range(80):
        s = socket.socket()
        try:
            s.bind(('127.0.0.1', 5900 + display))
            s.listen()
            return s
        except OSError:
            s.close()
    raise RuntimeError('no VNC port is free')


def pictures():
    taken = taken_display()
    m = Machine(*SCREEN, '-name', 'monty', '-vnc', f'127.0.0.1:{taken.getsockname()[1] - 5900},to=99,websocket=on,id=tcp')
    taken.close()
    v = Viewer(m.path)
    verdict('it speaks version 3.8 and says its name', v.version == b'RFB 003.008\n' and v.name == 'QEMU (monty)', (v.version, v.name))
    v.whole()
    verdict('the picture comes', (-258, 0) in v.told and (v.w, v.h) == (640, 480), (v.w, v.h, v.told))
    verdict('the pointer is relative without a tablet', (-257, 0) in v.told, v.told)
    info = m.ask('info vnc')
    verdict('info vnc says who is there', re.fullmatch(
        r'default:\n  Server: :\S+/sock \(unix\)\n    Auth: none \(Sub: none\)\n'
        r'  Client: : \(unix\)\n    x509_dname: none\n    sasl_username: none\n'
        r'tcp:\n  Server: 127.0.0.1:57\d\d \(ipv4 \(Websocket\)\)\n    Auth: none \(Sub: none\)\n'
        r'  Server: 127.0.0.1:59\d\d \(ipv4\)\n    Auth: none \(Sub: none\)\n', info), info)
    verdict('to= says where it runs', m.greeting.startswith('VNC server running on 127.0.0.1:59'), m.greeting)
    ports = [int(p) for p in re.findall(r'127\.0\.0\.1:(\d+)', info)]
    websocket(ports[0])
    people(ports[1])
    others = [Viewer(m.path) for _ in range(8)]
    for o in others:
        o.whole()
        o.s.sendall(os.urandom(64))  # nonsense
        o.close()
    v.whole()
    verdict('viewers that talk nonsense disturb nobody', m.p.poll() is None)
    v.close()
    verdict('it ends well', m.end() == 0)


def websocket(port):
    with socket.create_connection(('127.0.0.1', port), LONG) as s:
        greet_websocket(s, 'browsers connect by WebSocket')


def greet_websocket(s, name):
    s.sendall(b'GET /websockify HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://x\r\n'
              b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n')
    got = b''
    while b'RFB 003.008\n' not in got:
        more = s.recv(4096)
        if not more:
            break
        got += more
    verdict(name, b's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' in got and b'RFB 003.008\n' in got, got)


def people(port):
    for name, args in (('vncsnapshot', []), ('gvnccapture', [f'127.0.0.1:{port - 5900}'])):
        if not shutil.which(name):
            print(f'skip system_vnc, {name} takes a picture: it is not installed')
            continue
        out = os.path.join(TMP, name + ('.jpg' if name == 'vncsnapshot' else '.png'))
        if name == 'vncsnapshot':
            args = ['-quiet', '-allowblank', f'127.0.0.1:{port - 5900}']
        r = subprocess.run([name, *args, out], capture_output=True, text=True, timeout=LONG)
        verdict(f'{name} takes a picture', r.returncode == 0 and os.path.getsize(out) > 500, r.stderr + r.stdout)


def enters(path, password):
    try:
        Viewer(path, password).close()
        return True
    except (Refused, ConnectionError):
        return False


def waiting(s):
    """Bytes that have come and were not read."""
    n = array.array('i', [0])
    fcntl.ioctl(s, termios.FIONREAD, n)
    return n[0]


def slow():
    """Viewers that do not read, or stop in the middle of a message, are alone with that."""
    m = Machine(*SCREEN)
    good, stopped, halfway = Viewer(m.path), Viewer(m.path), Viewer(m.path)
    silent = socket.socket(socket.AF_UNIX)
    silent.connect(m.path)
    for v in good, stopped, halfway:
        v.whole()
    stopped.ask()
    halfway.s.sendall(b'\4\1\0')  # three bytes of eight
    until(lambda: waiting(stopped.s) > 65536)  # less than a picture, which does not fit in there
    good.whole()
    end = time.monotonic() + 7
    while time.monotonic() < end:
        good.whole()
        time.sleep(0.2)
    halfway.s.sendall(b'\0\0\0\0a')
    verdict('a viewer that stops in the middle of a message disturbs nobody, and may go on', alive(halfway))
    before = stopped.frames
    verdict('neither does one that does not read', alive(stopped) and alive(stopped) and stopped.frames >= before + 2)
    stopped.ask()
    stopped.ask()
    verdict('it ends well while viewers do not read', m.end() == 0)
    silent.close()


def fixed_size():
    """Viewers that know no other size than the first are sent nothing beyond it."""
    m = Machine(*SCREEN, '-chardev', 'vc,id=b,cols=40,rows=10')
    v = Viewer(m.path)
    v.whole()
    large = Viewer(m.path, resizes=False)
    large.whole((0xffff, 0xffff))
    v.tap(CTRL, ALT, ord('2'))
    v.wait(lambda: (v.w, v.h) == (320, 160))
    small = Viewer(m.path, resizes=False)
    verdict('a viewer is told the size that there is', (small.w, small.h) == (320, 160), (small.w, small.h))
    for _ in range(2):
        small.whole((0xffff, 0xffff))
        large.whole((0xffff, 0xffff))
    outside = any(large.pixels[160 * 640 * 4:])
    verdict('a picture that has become smaller leaves the rest black', not outside and (large.w, large.h) == (640, 480))
    v.tap(CTRL, ALT, ord('1'))
    v.wait(lambda: (v.w, v.h) == (640, 480))
    for _ in range(2):  # Viewer refuses what is beyond
        small.whole((0xffff, 0xffff))
        large.whole((0xffff, 0xffff))
    verdict('a picture that has become larger is cut', (small.w, small.h) == (320, 160) and alive(small))
    m.end()


def passwords():
    m = Machine(*SCREEN, vnc=',password=on')
    verdict('nobody enters before there is a password', not enters(m.path, ''))
    m.ask('set_password vnc sesame')
    verdict('the password opens', enters(m.path, 'sesame'))
    verdict('another does not', not enters(m.path, 'sesam'))
    m.ask('change vnc password other')
    verdict('it can be changed', enters(m.path, 'other') and not enters(m.path, 'sesame'))
    m.ask('expire_password vnc now')
    verdict('and expires', not enters(m.path, 'other'))
    m.ask('expire_password vnc never')
    verdict('or does not', enters(m.path, 'other'))
    verdict('the monitor says what is wrong', m.ask('set_password foo x') == 'Error: invalid parameter value: foo\n')
    m.end()
    m = Machine(*SCREEN, '-object', 'secret,id=s,data=mellon', vnc=',password-secret=s')
    verdict('a secret object has the password', enters(m.path, 'mellon') and not enters(m.path, 'x'))
    m.end()
    m = Machine(*SCREEN)
    verdict('without password=on there is none to set', m.ask('set_password vnc x') == 'Error: Could not set password\n')
    m.end()


def typing():
    if not os.path.exists(FONT):
        print(f'skip system_vnc, what is typed appears: {FONT} is not there')
        return
    glyphs = font()
    m = Machine(*SCREEN, '-chardev', 'vc,id=a', '-mon', 'a', '-chardev', 'vc,id=b,cols=40,rows=10', '-mon', 'b')
    v = Viewer(m.path)
    v.whole()
    v.tap(CTRL, ALT, ord('2'))
    verdict('Ctrl-Alt-2 shows the first text console', v.wait(lambda: (v.w, v.h) == (640, 384) and '(qemu)' in read_text(v, glyphs)), (v.w, v.h))
    for c in 'info versiom':
        v.tap(ord(c))
    v.tap(0xff08)
    v.key(ord('n'), 1, 0x31)  # by its code, too
    v.key(ord('n'), 0, 0x31)
    v.tap(RETURN)
    verdict('what is typed appears, and is answered', v.wait(lambda: 'info version\n7.2.22' in read_text(v, glyphs)), read_text(v, glyphs))
    v.tap(CTRL, ALT, ord('3'))
    verdict('another console has a size of its own', v.wait(lambda: (v.w, v.h) == (320, 160) and '(qemu)' in read_text(v, glyphs)), (v.w, v.h))
    verdict('and its own text', '7.2.22Emu' not in read_text(v, glyphs))
    v.tap(CTRL, ALT, ord('1'))
    verdict('Ctrl-Alt-1 shows the graphics again', v.wait(lambda: (v.w, v.h) == (640, 480)), (v.w, v.h))
    late = Viewer(m.path, between=lambda: (v.tap(CTRL, ALT, ord('3')), v.wait(lambda: v.w == 320), v.close()))
    late.whole()
    verdict('who comes while the size changes is told', late.wait(lambda: (late.w, late.h) == (320, 160)), (late.w, late.h))
    v = late
    v.tap(CTRL, ALT, ord('1'))
    out = os.path.join(TMP, 'a.ppm')
    m.ask(f'screendump {out} a')
    verdict('screendump takes text consoles, too', open(out, 'rb').read(14) == b'P6\n640 384\n255')
    v.close()
    verdict('a machine with text consoles ends well', m.end() == 0)


def refusals():
    for vnc, want in ((':abc', "can't convert to a number: abc"), ('foo', 'no vnc port specified'),
                      ('localhost:99999', 'port 99999 out of range'), (':1,foo=1', "Invalid parameter 'foo'"),
                      (':1,share=x', "unknown vnc share= option 'x': want allow-exclusive, force-shared or ignore"),
                      (':1,tls-creds=x', "No TLS credentials with id 'x'"),
                      (':1,tls-authz=x', "'tls-authz' provided but TLS is not enabled"),
                      (':1,sasl=on', 'sasl: not supported (libvncserver has no such security type)'),
                      (':1,password=on,password-secret=s', "'password' flag is redundant with 'password-secret'"),
                      (':1,password-secret=s', "No secret with id 's'"), (':1,connections=0', 'connections=0: want 1 to 64'),
                      (':3,to=1', 'to=1 is below the display, 3'), (':1,display=nix', "Device 'nix' not found"),
                      ('unix:', 'no path after unix:')):
        r = subprocess.run([SYSTEM, '-M', 'none', '-vnc', vnc], capture_output=True, text=True, timeout=LONG)
        want = f'qemu-system-aarch64: -vnc {vnc}: {want}\n'
        verdict(f'-vnc {vnc}', r.returncode == 1 and r.stderr == want, f'got  {r.stderr!r}\nwant {want!r}')


def exclusive(path):
    """A viewer that wants the screen for itself: it gets in."""
    v = Viewer(path, shared=False)
    v.whole()
    return v


def alive(v):
    try:
        v.whole()
        return True
    except (Refused, ConnectionError):
        return False


def sharing():
    for share, enters_, stays in ('allow-exclusive', True, False), ('force-shared', False, True), ('ignore', True, True):
        m = Machine(*SCREEN, vnc=f',share={share}')
        first = Viewer(m.path)
        first.whole()
        try:
            exclusive(m.path)
            entered = True
        except (Refused, ConnectionError):  # at once, that is; not after a time without an answer
            entered = False
        verdict(f'share={share}', (entered, alive(first)) == (enters_, stays), (entered, enters_, stays))
        m.end()


def places():
    m = Machine(*SCREEN, '-chardev', 'vc,id=other', '-vnc', ':0,to=90,id=all', vnc=',connections=1,display=other')
    info = m.ask('info vnc')
    ports = re.findall(r'Server: (\S+):(59\d\d) \((ipv[46])\)', info)
    families = {f for _, _, f in ports}
    verdict('without a host it listens on all addresses, at one port',
            families >= {'ipv4'} and len({p for _, p, _ in ports}) == 1 and all(h in ('0.0.0.0', '::') for h, _, _ in ports), info)
    if not os.path.exists('/proc/net/if_inet6'):
        print('skip system_vnc, it listens on IPv6, too: the host has none')
    else:
        verdict('it listens on IPv6, too', 'ipv6' in families, info)
    first = Viewer(m.path)
    first.whole()
    verdict('connections=1 lets one in', alive(first) and not enters(m.path, None))
    verdict('display= names the screen', first.wait(lambda: (first.w, first.h) == (640, 384)), (first.w, first.h))
    first.close()
    m.end()


PEOPLE = 'ca', 'server', 'friend', 'stranger'


def certificates(folder):
    """A CA, a server "localhost", and two clients."""
    def certtool(*args, template):
        with open(os.path.join(TMP, 'template'), 'w') as f:
            f.write(template + 'expiration_days = 30\n')
        subprocess.run(['certtool', '--no-text', '--template', os.path.join(TMP, 'template'), *args], check=True, capture_output=True)
    os.mkdir(folder)
    key, cert = (lambda w: f'{folder}/{w}-key.pem'), (lambda w: f'{folder}/{w}-cert.pem')
    for who in PEOPLE:
        certtool('--generate-privkey', '--key-type=ecdsa', '--outfile', key(who), template='')
    certtool('--generate-self-signed', '--load-privkey', key('ca'), '--outfile', cert('ca'), template='cn = CA\nca\ncert_signing_key\n')
    for who in PEOPLE[1:]:
        kind = 'dns_name = localhost\ntls_www_server\n' if who == 'server' else 'tls_www_client\n'
        certtool('--generate-certificate', '--load-ca-certificate', cert('ca'), '--load-ca-privkey', key('ca'), '--load-privkey', key(who),
                 '--outfile', cert(who), template=f'cn = {who}\n{kind}signing_key\n')


def context(folder, who=None):
    c = ssl.create_default_context(cafile=f'{folder}/ca-cert.pem')
    if who:
        c.load_cert_chain(f'{folder}/{who}-cert.pem', f'{folder}/{who}-key.pem')
    return c


def anonymous():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode, c.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
    c.set_ciphers('ADH:AECDH:@SECLEVEL=0')
    return c


def meets(path, **how):
    """The viewer, or None: it was not let in."""
    try:
        v = Viewer(path, **how)
        v.whole()
        return v
    except (Refused, OSError):
        return None


def meets_later(path, **how):
    """A busy server may not have noticed yet that others have left."""
    return until(lambda: meets(path, **how))


def tls():
    m = Machine(*SCREEN, '-object', 'tls-creds-anon,id=t,endpoint=server', '-vnc', '127.0.0.1:0,to=90,tls-creds=t,id=tcp', vnc=',tls-creds=t')
    v = meets(m.path, tls=anonymous())
    verdict('anonymous TLS', v and v.subtype == 257)
    info = m.ask('info vnc')
    verdict('info vnc says so', 'Auth: vencrypt (Sub: tls-none)\n  Client: : (unix)\n    x509_dname: none\n' in info, info)
    old = meets(m.path, tls=anonymous(), version=b'RFB 003.007\n')
    verdict('version 3.7 inside TLS', old)
    display = int(re.search(r'127\.0\.0\.1:(\d+)', info).group(1)) - 5900
    if shutil.which('gvnccapture'):
        out = os.path.join(TMP, 'tls.png')
        r = subprocess.run(['gvnccapture', f'127.0.0.1:{display}', out], capture_output=True, text=True, timeout=LONG)
        verdict('gvnccapture takes a picture inside TLS', r.returncode == 0 and os.path.getsize(out) > 500, r.stderr + r.stdout)
    else:
        print('skip system_vnc, gvnccapture takes a picture inside TLS: it is not installed')
    hostile_tls(m, v)
    v.close()
    verdict('it ends well with TLS', m.end() == 0)


def hostile_tls(m, good):
    """Viewers that break off or talk nonsense before and inside the handshake, and some that say nothing at all."""
    hello = [b'RFB 003.008\n', b'\x13', b'\0\2', b'\0\0\1\1']
    bad = [b'', b'\0' * 40, b'\xff' * 40, b'RFB 003.003\n', b'\x16\3\1\xff\xff' + b'\1' * 300, b'\x15\3\1\0\2\2\x28']
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for s in silent:
        s.connect(m.path)
    for stage in range(len(hello) + 1):
        for text in bad:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(m.path)
                s.settimeout(0.1)
                try:
                    for part in hello[:stage]:
                        s.recv(4096)
                        s.sendall(part)
                    s.sendall(text)
                    s.recv(4096)
                except OSError:
                    pass
    verdict('hostile viewers do no harm to TLS', m.p.poll() is None and alive(good) and meets_later(m.path, tls=anonymous()))
    for s in silent:
        s.close()


def tls_x509():
    if not shutil.which('certtool'):
        print('skip system_vnc, certificates: certtool is not installed')
        return
    pki = os.path.join(TMP, 'pki')
    certificates(pki)
    m = Machine(*SCREEN, '-object', f'tls-creds-x509,id=t,dir={pki},endpoint=server,verify-peer=off', '-object', 'secret,id=s,data=mellon',
                '-vnc', '127.0.0.1:0,to=90,websocket=on,tls-creds=t,id=tcp', vnc=',tls-creds=t,password-secret=s')
    v = meets(m.path, tls=context(pki), password='mellon')
    verdict('certificates and a password', v and v.subtype == 261)
    verdict('a wrong password does not open', meets(m.path, tls=context(pki), password='x') is None)
    info = m.ask('info vnc')
    verdict('info vnc has the ways in', 'Auth: vencrypt (Sub: x509-none)' in info and 'Auth: vencrypt (Sub: x509-vnc)' in info and
            '(Websocket))\n    Auth: none' in info, info)
    plain = meets_plain(m.path)
    verdict('nobody enters without TLS', plain == [19], plain)
    secure_websocket(pki, int(re.search(r'127\.0\.0\.1:(\d+) \(ipv4 \(Web', info).group(1)))
    m.end()
    m = Machine(*SCREEN, '-object', f'tls-creds-x509,id=t,dir={pki},endpoint=server', '-object', 'authz-simple,id=a,identity=CN=friend',
                vnc=',tls-creds=t,tls-authz=a')
    verdict('who shows no certificate stays outside', meets(m.path, tls=context(pki)) is None)
    verdict('who is not named in tls-authz, too', meets(m.path, tls=context(pki, 'stranger')) is None)
    friend = meets(m.path, tls=context(pki, 'friend'))
    verdict('who is named gets in', friend)
    info = m.ask('info vnc')
    verdict('info vnc has the name', 'x509_dname: CN=friend\n' in info, info)
    m.end()


def meets_plain(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(LONG)
        s.connect(path)
        s.recv(12)
        s.sendall(b'RFB 003.008\n')
        n = s.recv(1)[0]
        return list(s.recv(n))


def secure_websocket(pki, port):
    with context(pki).wrap_socket(socket.create_connection(('127.0.0.1', port), LONG), server_hostname='localhost') as s:
        greet_websocket(s, 'browsers connect by WebSocket inside TLS')


def reverse():
    with socket.create_server(('127.0.0.1', 0)) as s:
        s.settimeout(LONG)
        p = subprocess.Popen([SYSTEM, '-nodefaults', '-S', '-M', 'none', '-vnc', f'127.0.0.1:{s.getsockname()[1]},reverse=on'],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        RUNNING.append(p)
        c, _ = s.accept()
        c.settimeout(LONG)
        verdict('reverse=on calls a viewer', c.recv(12) == b'RFB 003.008\n')
        c.close()
        p.kill()
    with socket.create_server(('127.0.0.1', 0)) as s:
        port = s.getsockname()[1]
    r = subprocess.run([SYSTEM, '-M', 'none', '-vnc', f'127.0.0.1:{port},reverse=on'], capture_output=True, text=True, timeout=LONG)
    verdict('nobody there to be called', r.returncode == 1 and len(r.stderr.splitlines()) == 1 and 'refused' in r.stderr, r.stderr)


def hostile():
    """Viewers that break off or talk nonsense at each stage of the protocol, and huge or impossible messages."""
    m = Machine(*SCREEN)
    hello = [b'RFB 003.008\n', b'\1', b'\1', bytes([0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])]
    bad = [b'', b'\0' * 40, b'\xff' * 40, b'RFB 999.999\n', bytes(range(256)), b'\2\0\xff\xff' + b'\0' * 64, b'\6\0\0\0\x7f\xff\xff\xff',
           b'\3\0' + b'\xff' * 8, b'\5\xff\xff\xff\xff\xff', b'\xff\0\0\1' + b'\xff' * 8, b'\0\0\0\0' + bytes([255] * 16),
           b'\xfb\0\xff\xff\xff\xff\xff\0', b'\x96\1' + b'\xff' * 8, b'\7\1' + b'\xff' * 10]
    for stage in range(len(hello) + 1):
        for text in bad:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(m.path)
                s.settimeout(0.05)
                try:
                    s.sendall(b''.join(hello[:stage]) + text)
                    s.recv(4096)
                except OSError:
                    pass
    v = meets_later(m.path)
    verdict('hostile viewers do no harm', v and m.p.poll() is None)
    v.close()
    verdict('and it ends well after them', m.end() == 0)


def layouts():
    for args in (['-vnc', ':1'], ['-vnc', 'none'], ['-display', 'vnc=none']):
        r = subprocess.run([SYSTEM, '-M', 'none', '-k', 'nix', *args], capture_output=True, text=True, timeout=LONG)
        want = f"qemu-system-{SYSTEM.rpartition('-')[2]}: {' '.join(args)}: could not read keymap file: 'nix'\n"
        verdict(f"an unknown layout, {' '.join(args)}", (r.returncode, r.stderr) == (1, want), r.stderr)


def main():
    if 'vnc' not in subprocess.run([SYSTEM, '-display', 'help'], capture_output=True, text=True).stdout:
        print('skip system_vnc: the program was built without libvncserver')
        return
    pictures()
    slow()
    fixed_size()
    typing()
    passwords()
    sharing()
    places()
    tls()
    tls_x509()
    reverse()
    hostile()
    refusals()
    layouts()


try:
    main()
finally:
    for p in RUNNING:
        p.kill()
    shutil.rmtree(TMP, ignore_errors=True)
sys.exit(0)
