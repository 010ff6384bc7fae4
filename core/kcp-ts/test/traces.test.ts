import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Kcp } from '../src/index.ts';

const folder = join(import.meta.dirname, 'traces');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.trace.gz'))) {
  test(`the bytes are those of the C original: ${file.replace('.trace.gz', '')}`, () => {
    const lines = gunzipSync(readFileSync(join(folder, file)))
      .toString()
      .trimEnd()
      .split('\n');
    const [mtu, stream, sndwnd, rcvwnd, nodelay, interval, resend, nc, firstSn] = lines[0]!
      .split(' ')
      .slice(1)
      .map(Number);
    const out: string[] = [];
    const kcp = new Kcp({
      conv: 0x11223344,
      output: (buffer, length) =>
        out.push(Buffer.from(buffer.buffer, buffer.byteOffset, length).toString('hex')),
      mtuBytes: mtu!,
      stream: stream === 1,
      sendWindow: sndwnd!,
      receiveWindow: rcvwnd!,
      firstSn: firstSn!,
      classic: {
        noDelay: nodelay as 0 | 1 | 2,
        intervalMs: interval!,
        fastResend: resend!,
        congestionWindow: nc === 0,
      },
    });
    const into = new Uint8Array(65_536);
    let counter = 0;
    let now = 0;
    let outputs = 0;
    for (const [index, line] of lines.entries()) {
      const [kind, value = ''] = line.split(' ');
      const where = `line ${index + 1}: ${line.slice(0, 60)}`;
      if (kind === 'U') kcp.update((now = Number(value)));
      else if (kind === 'K') assert.equal(kcp.check(now) >>> 0, Number(value), where);
      else if (kind === 'I') assert.equal(kcp.input(Buffer.from(value, 'hex'), now), 'ok', where);
      else if (kind === 'S') kcp.send(Uint8Array.from({ length: Number(value) }, () => counter++));
      else if (kind === 'R') {
        const length = kcp.recv(into);
        assert.equal(Buffer.from(into.subarray(0, Math.max(0, length))).toString('hex'), value, where);
      } else if (kind === 'O') {
        assert.equal(out.shift(), value, where);
        outputs++;
      }
    }
    assert.deepEqual(out, [], 'nothing more came out');
    assert.ok(outputs > 30);
    assert.equal(kcp.dead, lines.at(-1)!.split(' ')[3] !== '0');
  });
}
