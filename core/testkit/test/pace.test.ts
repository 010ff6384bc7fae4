import assert from 'node:assert/strict';
import { it } from 'node:test';
import { delay } from '@awl/api';
import { pace, VirtualClock } from '@awl/testkit';

it('a paced clock runs with real time, and takes in what comes from outside', async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const startedAt = performance.now();
  const paced = pace(clock, { signal: stop.signal, speed: 10 });
  await delay(clock, 200);
  await new Promise((resolve) => setImmediate(resolve));
  await delay(clock, 200);
  // A slow machine may take longer, never less.
  assert.ok(performance.now() - startedAt >= 39);
  stop.abort();
  await paced;
});
