import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { delay } from '@awl/api';
import { SeededRandom, shiftedClock, VirtualClock } from '@awl/testkit';

describe('the virtual clock', () => {
  it('runs tasks by time, and in the order of their making where times are equal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 })), async (delays) => {
        const clock = new VirtualClock();
        const ran: (readonly [number, number])[] = [];
        for (const [index, ms] of delays.entries()) clock.schedule(ms, () => ran.push([clock.now(), index]));
        await clock.run();
        const expected = delays
          .map((ms, index) => [ms, index] as const)
          .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        assert.deepEqual(ran, expected);
      }),
    );
  });

  it('lets chains of promises, ticks and streams end before time goes on', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.schedule(10, () => {
      void (async () => {
        for (let index = 0; index < 1000; index++) await Promise.resolve();
        await new Promise((resolve) => process.nextTick(resolve));
        for await (const chunk of Readable.from(['a', 'b'])) seen.push(`${String(chunk)} at ${clock.now()}`);
      })();
    });
    clock.schedule(10.5, () => seen.push('later'));
    await clock.run();
    assert.deepEqual(seen, ['a at 10', 'b at 10', 'later']);
  });

  it('stops at a time, and stands there', async () => {
    const clock = new VirtualClock();
    let ran = 0;
    for (const ms of [5, 10, 11]) clock.schedule(ms, () => ran++);
    await clock.run({ untilMs: 10 });
    assert.deepEqual([ran, clock.now()], [2, 10]);
  });

  it('does not run what was cancelled, however much', async () => {
    const clock = new VirtualClock();
    let ran = 0;
    const timers = Array.from({ length: 20_000 }, () => clock.schedule(1000, () => ran++));
    for (const timer of timers.slice(1)) timer[Symbol.dispose]();
    await clock.run();
    assert.equal(ran, 1);
  });

  it('says when what is waited for does not come', async () => {
    const clock = new VirtualClock();
    await assert.rejects(clock.complete(new Promise(() => {}), 50), /did not come true within 50 virtual ms/);
    await assert.rejects(clock.complete(delay(clock, 10).then(() => assert.fail('passed on'))), /passed on/);
  });

  it('has views with another origin', async () => {
    const clock = new VirtualClock();
    const other = shiftedClock(clock, 500);
    await clock.complete(delay(other, 20));
    assert.equal(other.now(), 520);
  });
});

describe('seeded randomness', () => {
  it('gives the same numbers from the same seed, and others from another', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 5 }, () => random.integer(1_000_000));
    };
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
  });

  it('has sub-streams that do not depend on what was drawn before', () => {
    const [one, two] = [new SeededRandom(9), new SeededRandom(9)];
    one.bytes(100);
    assert.equal(one.fork('x').next(), two.fork('x').next());
    assert.notEqual(one.fork('x').next(), one.fork('y').next());
  });

  it('is uniform', () => {
    const random = new SeededRandom(3);
    const counts = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 64_000; index++) counts[random.integer(16)]!++;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0);
    // 15 degrees of freedom: beyond 37.7 in 1 of 1000 cases.
    assert.ok(chiSquared < 37.7, String(chiSquared));
  });
});
