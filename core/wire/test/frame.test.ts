import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { encodeFrame, FRAME_MAX_BYTES, FrameReader, type Parsed } from '@awl/wire';

const SEED = Number(process.env['AWL_TEST_SEED'] ?? 20261121);

function read(...chunks: readonly Buffer[]): Parsed<unknown>[] {
  const reader = new FrameReader();
  const values: Parsed<unknown>[] = [];
  for (const chunk of chunks) {
    reader.push(chunk, (value) => values.push(value));
    assert.ok(reader.pendingBytes <= 4 + FRAME_MAX_BYTES);
  }
  return values;
}

function frame(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

test('frames cut anywhere give the same values', () => {
  const value = fc.object({ maxDepth: 4 }).map((object) => JSON.parse(JSON.stringify(object)) as object);
  fc.assert(
    fc.property(
      fc.array(value, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (values, cuts) => {
        const stream = Buffer.concat(values.map(encodeFrame));
        const chunks: Buffer[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn++) {
          const end = offset + cuts[turn % cuts.length]!;
          chunks.push(stream.subarray(offset, end));
          offset = end;
        }
        assert.deepEqual(
          read(...chunks),
          values.map((value) => ({ ok: true, value })),
        );
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});

const REFUSED: readonly (readonly [name: string, bytes: Buffer, code: string])[] = [
  ['a length of 4 GiB', Buffer.from('ffffffff', 'hex'), 'ERR_WIRE_TOO_LARGE'],
  ['one byte too many', Buffer.from('00010001', 'hex'), 'ERR_WIRE_TOO_LARGE'],
  ['no JSON', frame('hello'), 'ERR_WIRE_MALFORMED'],
  ['nothing', frame(''), 'ERR_WIRE_MALFORMED'],
  ['half a JSON', frame('{"a":'), 'ERR_WIRE_MALFORMED'],
  ['bytes that are no UTF-8', frame(Buffer.from([0x22, 0xff, 0xfe, 0x22])), 'ERR_WIRE_MALFORMED'],
  ['20 000 levels', frame('['.repeat(20_000) + ']'.repeat(20_000)), 'ERR_WIRE_MALFORMED'],
  [
    '17 levels behind a string with a bracket',
    frame(`{"]\\"]":${'['.repeat(16)}${']'.repeat(16)}}`),
    'ERR_WIRE_MALFORMED',
  ],
];
for (const [name, bytes, code] of REFUSED)
  test(`refused: ${name}; nothing is read after it`, () => {
    const values = read(bytes, frame('{}'));
    assert.equal(values.length, 1);
    assert.equal(values[0]!.ok, false);
    assert.equal(!values[0]!.ok && values[0]!.code, code);
  });

test('brackets in strings do not count as levels', () => {
  const value = { text: '[[[[[[[[[[[[[[[[[[[[[[{{{{{"\\[[' };
  assert.deepEqual(read(encodeFrame(value)), [{ ok: true, value }]);
});

test('the largest frame passes, a larger one is not made', () => {
  const value = { text: 'x'.repeat(FRAME_MAX_BYTES - 11) };
  assert.equal(encodeFrame(value).length, FRAME_MAX_BYTES + 4);
  assert.deepEqual(read(encodeFrame(value)), [{ ok: true, value }]);
  assert.throws(() => encodeFrame({ text: `${value.text}x` }), RangeError);
});

test('memory for a frame is taken only for a length that is accepted', () => {
  const reader = new FrameReader();
  reader.push(Buffer.from('00010000', 'hex'), () => {});
  assert.equal(reader.pendingBytes, 4);
});
