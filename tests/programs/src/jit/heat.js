// SPDX-License-Identifier: GPL-2.0-or-later
// Many functions that get hot, are thrown away by the collector and are compiled again elsewhere.
function make(n) {
    return eval('(function f' + n + '(o, i) { let s = 0; for (let k = 0; k < i; k++) {' +
        's = (s + o.a * ' + n + ' + (o.b | 0) + k) | 0; if (k % 97 == 0) o.b = k / 2; } return s; })');
}
let total = 0;
for (let r = 0; r < 4; r++) {
    const fs = [];
    for (let n = 0; n < 40; n++) fs.push(make(n + r * 100));
    for (const f of fs) {
        for (let j = 0; j < 30; j++) total = (total + f({ a: j, b: j }, 200)) | 0;
        total = (total + f({ b: 1, c: 2, a: 1.5 }, 300)) | 0;
    }
    gc();
}
console.log(total);
const shapes = [];
for (let i = 0; i < 12; i++) {
    const o = {};
    for (let k = 0; k < i; k++) o['p' + k] = k;
    o.x = i;
    o.y = i * 2;
    shapes.push(o);
}
const sum = (o) => o.x + o.y;
let p = 0;
for (let i = 0; i < 200000; i++) p = (p + sum(shapes[i % 12])) | 0;
console.log(p);
const weak = new WeakMap(), kept = new Map();
for (let i = 0; i < 50000; i++) {
    const key = { i };
    weak.set(key, i);
    if (i % 100 == 0) kept.set(key, i);
}
let q = 0;
for (const [key] of kept) q += weak.get(key);
console.log(q);
