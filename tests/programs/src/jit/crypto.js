// SPDX-License-Identifier: GPL-2.0-or-later
// OpenSSL's and zlib's own vector code, reached from JavaScript.
const crypto = require('crypto'), zlib = require('zlib');
const data = Buffer.alloc(200000).map((_, i) => (i * i * 7 + (i >> 5)) & 255);
const digest = (name, bytes) => crypto.createHash(name).update(bytes).digest('hex');
for (const name of ['md5', 'sha1', 'sha256', 'sha512', 'sha3-256', 'blake2b512', 'sm3'])
    console.log(name, digest(name, data));
const key = Buffer.alloc(32, 7);
for (const name of ['aes-256-cbc', 'aes-256-ctr', 'aes-256-gcm', 'chacha20-poly1305']) {
    const options = { authTagLength: 16 }, iv = Buffer.alloc(/gcm|poly/.test(name) ? 12 : 16, 9);
    const to = crypto.createCipheriv(name, key, iv, options);
    const secret = Buffer.concat([to.update(data), to.final()]);
    const from = crypto.createDecipheriv(name, key, iv, options);
    if (/gcm|poly/.test(name)) from.setAuthTag(to.getAuthTag());
    console.log(name, digest('sha1', secret), Buffer.concat([from.update(secret), from.final()]).equals(data));
}
console.log(crypto.pbkdf2Sync('pw', 'salt', 500, 32, 'sha512').toString('hex'));
for (const type of ['ed25519', 'x25519']) console.log(crypto.generateKeyPairSync(type).publicKey.type);
const ec = crypto.generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
console.log(crypto.verify('sha256', data, ec.publicKey, crypto.sign('sha256', data, ec.privateKey)));
console.log(zlib.gunzipSync(zlib.gzipSync(data)).equals(data),
    zlib.brotliDecompressSync(zlib.brotliCompressSync(data)).equals(data));
