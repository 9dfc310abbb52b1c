#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sqlite, openssl and the compressors: results equal to the native ones, round trips closed.
. "$(dirname "$0")/../lib.sh"
need_roots
python3 -c '
import random
random.seed(11)
words = [bytes(random.choices(b"abcdefghijklmnop", k=random.randint(2, 9))) for _ in range(999)]
out = b" ".join(random.choices(words, k=60000)) + random.randbytes(50000)
open("'"$work"'/data", "wb").write(out)'
cp "$TOP/bench/user/scripts/db.sql" "$work"

same "sqlite" /usr/bin/sqlite3 :memory: '.read /share/db.sql' 'pragma integrity_check;'
works "sqlite on a file, with a journal" guest /bin/sh -c '
    cd /tmp && sqlite3 t.db "pragma journal_mode=wal; create table t(a unique, b); with recursive g(i) as (select 1 union all select i+1 from g where i<5000) insert into t select i, hex(randomblob(20)) from g;" &&
    [ "$(sqlite3 t.db "select count(*) from t; pragma integrity_check;" | tr "\n" " ")" = "5000 ok " ]'

for tool in "xz -6 -T1" "xz -0 -T2" "zstd -3 -T1" "zstd -19 -T2" "gzip -6" "bzip2 -9"; do
    same "$tool writes the same bytes" /bin/sh -c "$tool -c </share/data | md5sum"
    works "$tool round trip" guest /bin/bash -c "set -o pipefail; $tool -c </share/data | ${tool%% *} -dc | cmp - /share/data"
done

for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512 sm3; do
    same "openssl $digest" /usr/bin/openssl dgst -$digest /share/data
done
for cipher in aes-128-ctr aes-256-cbc aes-128-ecb chacha20 camellia-128-cbc sm4-ctr; do
    same "openssl $cipher" /bin/sh -c "openssl enc -$cipher -K 000102030405060708090a0b0c0d0e0f -iv 00112233445566778899aabbccddeeff -in /share/data 2>/dev/null | sha256sum"
done
same "openssl primes and modular arithmetic" /bin/sh -c 'openssl prime -hex 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF; openssl prime 1000000007'
works "openssl RSA and ECDSA signatures" guest /bin/sh -c '
    cd /tmp && for alg in "RSA -pkeyopt rsa_keygen_bits:1024" "EC -pkeyopt ec_paramgen_curve:P-256" ED25519; do
    openssl genpkey -quiet -algorithm $alg -out key && openssl pkey -in key -pubout -out pub || exit 1
    openssl pkeyutl -sign -rawin -inkey key -in /etc/debian_version -out sig 2>/dev/null || exit 2
    openssl pkeyutl -verify -rawin -pubin -inkey pub -in /etc/debian_version -sigfile sig || exit 3
    done'
works "openssl speed" guest /usr/bin/openssl speed -seconds 1 -bytes 4096 -evp aes-128-gcm
works "an aead round trip with authentication" guest /usr/bin/python3 -c '
import hashlib, hmac
assert hmac.new(b"key", b"The quick brown fox jumps over the lazy dog", "sha256").hexdigest() == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
assert hashlib.pbkdf2_hmac("sha512", b"password", b"salt", 1000).hex().startswith("afe6c5530785b6cc")
assert hashlib.scrypt(b"password", salt=b"NaCl", n=1024, r=8, p=16, dklen=8).hex() == "fdbabe1c9d347200"'
