import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { clean } from '../../src/app/text/clean.ts';
import {
  formatAge,
  formatBytes,
  formatDuration,
  formatOffset,
  formatRatio,
  shortId,
  strategyName,
} from '../../src/app/text/format.ts';
import { chart, sparkline } from '../../src/app/text/sparkline.ts';
import { cut, fit, wrapText } from '../../src/app/text/width.ts';
import { COLOURS } from '../../src/app/theme.ts';

test('cleaning keeps what can be read and nothing that moves the cursor', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['plain', 'home-pc', 'home-pc'],
    ['letters of the world', 'бюро 日本 é ñ', 'бюро 日本 é ñ'],
    ['emoji', 'pi 🍓', 'pi 🍓'],
    ['colours', '\u001B[31mred\u001B[0m', '�[31mred�[0m'],
    ['a title', '\u001B]0;x\u0007', '�]0;x�'],
    ['C1 controls', 'a\u009B31mb', 'a�31mb'],
    ['line ends and tabs', 'a\r\nb\tc', 'a  b c'],
    ['right-to-left override', 'of\u202Efice', 'of�fice'],
    ['isolates', 'a\u2066b\u2069', 'a�b�'],
    ['zero width', 'off\u200Bice', 'off�ice'],
    ['joiners', '👨\u200D👩', '👨�👩'],
    ['variation selectors', '❤\uFE0F', '❤�'],
    ['fillers that are letters', 'a\u3164b\u115F', 'a�b�'],
    ['the blank Braille cell', 'a\u2800b', 'a�b'],
    ['lone surrogates', 'a\uD800b', 'a�b'],
    ['private use', 'a\uE000b', 'a�b'],
    ['heaps of marks', `a${'\u0301'.repeat(9)}b`, 'a\u0301\u0301b'],
    ['wide spaces', 'a\u3000b\u00A0c', 'a b c'],
  ];
  for (const [name, input, expected] of table) assert.equal(clean(input), expected, name);
});

test('no cleaned text has a character that is invisible or controls the terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const cleaned = clean(text);
      assert.doesNotMatch(cleaned, /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
      assert.equal(clean(cleaned), cleaned, 'cleaning twice changes nothing');
    }),
    { seed: 7, numRuns: 2000 },
  );
});

test('fit makes exactly the width, whatever is in it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.integer({ min: 1, max: 20 }),
      (text, width) => {
        assert.equal(stringWidth(fit(clean(text), width)), width);
      },
    ),
    { seed: 7, numRuns: 1000 },
  );
  assert.equal(fit('日本語', 4), '日… ');
  assert.equal(fit('7', 3, 'right'), '  7');
  assert.equal(cut('abcdef', 4), 'abc…');
});

test('wrapping breaks at spaces and cuts the last line', () => {
  assert.deepEqual(wrapText('one two three four', 8), ['one two', 'three', 'four']);
  assert.deepEqual(wrapText('one two three four', 8, 2), ['one two', 'three f…']);
});

test('figures', () => {
  const table: readonly (readonly [string, string])[] = [
    [formatBytes(0), '0 B'],
    [formatBytes(999), '999 B'],
    [formatBytes(1500), '1.5 kB'],
    [formatBytes(999_950), '1.0 MB'],
    [formatBytes(18_000_000), '18.0 MB'],
    [formatBytes(123_400_000_000), '123 GB'],
    [formatDuration(0.4), '0.4 ms'],
    [formatDuration(41.2), '41 ms'],
    [formatDuration(1234), '1.2 s'],
    [formatDuration(58 * 60_000), '58 min'],
    [formatDuration(3 * 3_600_000), '3 h'],
    [formatDuration(5 * 86_400_000), '5 d'],
    [formatAge(1000, 500), 'now'],
    [formatAge(0, 120_000), '2 min ago'],
    [formatRatio(0.002), '0.2 %'],
    [formatRatio(0.9999), '99 %'],
    [formatRatio(1), '100 %'],
    [formatRatio(0), '0 %'],
    [formatOffset(-1.24), '-1.2 ms'],
    [formatOffset(3.1), '+3.1 ms'],
    [shortId('k3vd9qemh0mepc'), 'k3vd-9qem'],
    [strategyName('udp-predict@1'), 'udp-predict'],
  ];
  for (const [actual, expected] of table) assert.equal(actual, expected);
});

test('sparklines and charts', () => {
  assert.equal(sparkline([0, 1, 2, 4, 8], 5), '▁▂▃▅█');
  assert.equal(sparkline([1, 1, 9, 9], 2, 2), '▂█');
  assert.equal(sparkline([], 5), '');
  assert.equal(sparkline([0, 0], 5), '▁▁');
  assert.deepEqual(chart([0, 8, 16], 3, 2), ['  █', '▁██']);
});

/** WCAG 2.1: relative luminance of `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test('every colour stands out on black and on white', () => {
  for (const [role, colour] of Object.entries(COLOURS)) {
    const light = luminance(colour);
    assert.ok((light + 0.05) / 0.05 >= 3.5, `${role} on black`);
    assert.ok(1.05 / (light + 0.05) >= 3.5, `${role} on white`);
  }
});
