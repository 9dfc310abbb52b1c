#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One HTTP request on standard input, answered with the file below FOLDER that it names: for guestfwd=...-cmd:.
usage: http_file.py FOLDER"""
import os
import sys

words = sys.stdin.buffer.readline().split()
while sys.stdin.buffer.readline().strip():
    pass
path = os.path.join(sys.argv[1], os.path.basename(words[1].decode())) if len(words) > 1 else ''
out = sys.stdout.buffer
if os.path.isfile(path):
    data = open(path, 'rb').read()
    out.write(b'HTTP/1.0 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % len(data))
    if words[0] == b'GET':
        out.write(data)
else:
    out.write(b'HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
out.flush()
