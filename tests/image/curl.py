#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""driver=http, https, ftp: servers of our own, well-behaved and not; messages are Debian's qemu-img's."""

import base64
import http.server
import os
import random
import re
import socketserver
import ssl
import subprocess
import threading
import time

from suite import Failed, run_tests, same

OURS = os.path.abspath(os.environ.get('EMU_BIN', 'build'))
DATA = random.Random(4).randbytes(3_000_000) + bytes(500_000)
DATA += bytes(-len(DATA) % 512)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    seen = []

    def log_message(self, *a):
        pass

    def answer(self, body):
        path, data = self.path, DATA
        self.seen.append((self.command, path, dict(self.headers)))
        if path == '/moved':
            self.send_response(302)
            self.send_header('Location', '/good')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if path == '/loop':
            self.send_response(302)
            self.send_header('Location', '/loop')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if path == '/tofile':
            self.send_response(302)
            self.send_header('Location', 'file:///etc/passwd')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if path == '/secret' and self.headers.get('Authorization') != \
                'Basic ' + base64.b64encode(b'me:swordfish').decode():
            self.send_response(401)
            self.send_header('WWW-Authenticate', 'Basic realm="x"')
            self.send_header('Content-Length', '0')
            return self.end_headers()
        if path == '/nosuch':
            return self.send_error(404)
        if path == '/cookie' and self.headers.get('Cookie') != 'a=b':
            return self.send_error(403)
        if path == '/silent' and body:
            time.sleep(5)
            return self.connection.close()
        m = re.match(r'bytes=(\d+)-(\d+)', self.headers.get('Range', ''))
        if m and path != '/whole':
            a, b = int(m[1]), min(int(m[2]) + 1, len(data))
            self.send_response(206)
            self.send_header('Content-Range', f'bytes {a}-{b - 1}/{len(data)}')
            data = data[a:b]
        else:
            self.send_response(200)
        if path != '/noranges':
            self.send_header('Accept-Ranges', 'bytes')
        if path != '/nosize':
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if path == '/short':
            data = data[:1000]
        if body:
            self.wfile.write(data)
        if path in ('/short', '/nosize'):
            self.close_connection = True

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)


class Ftp(socketserver.StreamRequestHandler):
    """As much of RFC 959 and 3659 as a reader needs."""

    def say(self, text):
        self.wfile.write((text + '\r\n').encode())

    def handle(self):
        rest, listener = 0, None
        self.say('220 hello')
        for line in self.rfile:
            word, _, arg = line.decode().strip().partition(' ')
            if word == 'SIZE':
                self.say(f'213 {len(DATA)}')
            elif word == 'REST':
                rest = int(arg)
                self.say('350 ok')
            elif word == 'EPSV':
                listener = socketserver.socket.create_server(('127.0.0.1', 0))
                self.say(f'229 ok (|||{listener.getsockname()[1]}|)')
            elif word == 'RETR':
                self.say('150 comes')
                s, _ = listener.accept()
                try:
                    s.sendall(DATA[rest:])
                    text = '226 done'
                except OSError:
                    text = '426 aborted'
                s.close()
                rest = 0
                self.say(text)
            elif word == 'QUIT':
                return self.say('221 bye')
            else:
                self.say({'USER': '331 password', 'PASS': '230 in', 'PWD': '257 "/"', 'TYPE': '200 ok',
                          'MDTM': '213 20200101000000'}.get(word, '502 no'))


def serve(handler, tls=None):
    s = socketserver.ThreadingTCPServer(('127.0.0.1', 0), handler)
    s.daemon_threads = True
    s.handle_error = lambda *a: None  # clients may leave in the middle
    if tls:
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(tls)
        s.socket = c.wrap_socket(s.socket, server_side=True)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


def run(program, *argv, status=0):
    r = subprocess.run([program, *argv], text=True, capture_output=True, timeout=60)
    out = r.stdout + r.stderr
    if r.returncode != status:
        raise Failed(f'{program} {argv}: status {r.returncode}\n{out}')
    return out


def img(*argv, status=0):
    return run(f'{OURS}/qemu-img', *argv, status=status)


def copy_is_right(*source):
    img('convert', '-O', 'raw', *source, 'copy')
    with open('copy', 'rb') as f:
        if f.read() != DATA:
            raise Failed(f'{source}: the copy is wrong')


def beside(*argv, status=0):
    """Both say the same, and GLib's complaints are the reference's own."""
    want = run('/usr/bin/qemu-img', *argv, status=status)
    want = ''.join(s for s in want.splitlines(True) if 'GLib' not in s)
    same(re.sub(r'after \d+ ms', '', img(*argv, status=status)), re.sub(r'after \d+ ms', '', want), argv)


def test_information():
    beside('info', f'{H}/good')
    beside('info', '--output=json', f'{H}/good')
    beside('map', '--output=json', f'{H}/good')


def test_reading():
    copy_is_right(f'{H}/good')
    copy_is_right(f'{H}/moved')
    copy_is_right('--image-opts', f'driver=raw,file.driver=http,file.url={H}/good,file.readahead=64k')
    out = run(f'{OURS}/qemu-io', '-r', '-f', 'raw', '-c', 'read -P 0 3000000 4096', '-c', 'read 511 3', '-c',
              f'read {len(DATA) - 512} 512', '-c', 'aio_read 0 1M', '-c', 'aio_read 2M 64k', '-c', 'aio_flush',
              f'{H}/good')
    if 'fail' in out.lower():
        raise Failed(out)


def test_few_requests():
    """Small reads are served from what was fetched."""
    Handler.seen.clear()
    run(f'{OURS}/qemu-io', '-r', '-f', 'raw', *[a for i in range(100) for a in ('-c', f'read -q {i * 512} 512')],
        f'{H}/good')
    n = len(Handler.seen)
    if n > 6:
        raise Failed(f'{n} requests for 100 small reads')


def test_refusals():
    for path in 'nosuch', 'noranges', 'nosize':
        beside('info', f'{H}/{path}', status=1)
    beside('info', 'http://127.0.0.1:1/x', status=1)
    beside('info', '--image-opts', 'driver=http', status=1)
    beside('info', '--image-opts', 'driver=http,url=ftp://a/b', status=1)
    beside('info', '--image-opts', f'driver=http,url={H}/good,readahead=1000', status=1)
    beside('info', '--image-opts', f'driver=http,url={H}/good,timeout=1000000', status=1)
    beside('info', '--image-opts', f'driver=http,url={H}/good,cookie=x,cookie-secret=y', status=1)
    img('create', '-f', 'raw', f'{H}/good', '1M', status=1)
    out = run(f'{OURS}/qemu-io', '-f', 'raw', '-c', 'write 0 512', f'{H}/good', status=1)
    if 'does not support writes' not in out:
        raise Failed(out)


def test_bad_servers():
    """One clear line, nothing read from where the server must not send us."""
    for path in 'loop', 'tofile', 'short', 'whole', 'silent':
        t = time.monotonic()
        out = img('convert', '-O', 'raw', '--image-opts', f'driver=raw,file.driver=http,file.url={H}/{path},file.timeout=2',
                  'copy', status=1)
        if len(out.splitlines()) != 1 or time.monotonic() - t > 30:
            raise Failed(f'{path}: {out}')


def test_passwords_and_cookies():
    img('info', f'{H}/secret', status=1)
    copy_is_right('--object', 'secret,id=s,data=swordfish', '--image-opts',
                  f'driver=raw,file.driver=http,file.url={H}/secret,file.username=me,file.password-secret=s')
    copy_is_right('--image-opts', f'driver=raw,file.driver=http,file.url={H}/cookie,file.cookie=a=b')
    copy_is_right('--object', 'secret,id=s,data=a=b', '--image-opts',
                  f'driver=raw,file.driver=http,file.url={H}/cookie,file.cookie-secret=s')


def test_tls():
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
                    '/CN=localhost', '-keyout', 'k', '-out', 'c'], check=True, capture_output=True)
    with open('pem', 'w') as f:
        f.write(open('k').read() + open('c').read())
    url = f'https://localhost:{serve(Handler, "pem")}/good'
    img('info', url, status=1)  # nobody knows who signed it
    copy_is_right('--image-opts', f'driver=raw,file.driver=https,file.url={url},file.sslverify=off')


def test_ftp():
    url = f'ftp://127.0.0.1:{serve(Ftp)}/good'
    beside('info', url)
    copy_is_right(url)


H = f'http://127.0.0.1:{serve(Handler)}'
run_tests('curl', globals())
