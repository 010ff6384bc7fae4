/** The app on a made-up engine in a real terminal: sizes, colours, and that the terminal is as before afterwards. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import stringWidth from 'string-width';
import { fakeApp, NO_TMUX, Terminal } from './tmux.ts';

const before = 'echo before the app; ';

describe('the app in a terminal', { skip: NO_TMUX }, () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [300, 50],
  ] as const) {
    test(`${columns}×${rows}: header, panels, peers, key bar`, async () => {
      using terminal = new Terminal({ command: fakeApp('--still'), columns, rows });
      const screen = await terminal.sees('q quit');
      for (const expected of [
        'home-pc',
        'rv.example.org ● 12 ms',
        'This network',
        'laptop-mia',
        'udp-birthday 41 %',
        '? help',
      ])
        assert.ok(screen.includes(expected), `${expected}\n${screen}`);
      for (const line of screen.split('\n')) assert.ok(stringWidth(line) <= columns);
    });
  }

  test('40×12 says that it is too small; larger, the app is there', async () => {
    using terminal = new Terminal({ command: fakeApp('--still'), columns: 40, rows: 12 });
    await terminal.sees('Too small');
    terminal.resize(100, 30);
    await terminal.sees('laptop-mia');
    terminal.resize(70, 20);
    const screen = await terminal.until(
      (text) => text.includes('q quit') && !text.includes('Last minute'),
      'the narrow screen',
    );
    assert.ok(screen.includes('office'), screen);
    terminal.resize(100, 30);
    await terminal.sees('Last minute');
  });

  test('NO_COLOR: no colour is written', async () => {
    using terminal = new Terminal({
      command: fakeApp('--still'),
      env: { NO_COLOR: '1', COLORTERM: 'truecolor' },
    });
    await terminal.sees('laptop-mia');
    const colours = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*\\b(3[0-8]|4[0-8]|9[0-7])[;m]`);
    assert.doesNotMatch(terminal.screen(true), colours);
    terminal.press('3', 'a');
    await terminal.sees('Add a forward');
    assert.doesNotMatch(terminal.screen(true), colours);
  });

  test('hostile names: the title stays, the screen stands', async () => {
    using terminal = new Terminal({ command: fakeApp('--still --hostile'), columns: 120 });
    const screen = await terminal.sees('日本語のサーバー');
    assert.ok(screen.includes('q quit') && !screen.includes('owned\u0007'));
  });

  test('TERM=dumb is not drawn on', async () => {
    using terminal = new Terminal({ command: `TERM=dumb ${fakeApp('--still')}` });
    await terminal.sees('no terminal');
    await terminal.sees('ended with 1');
  });

  const ends: readonly (readonly [string, string, (terminal: Terminal) => void, RegExp])[] = [
    ['q', '', (terminal) => terminal.press('q'), /ended with 0/],
    ['Ctrl-C', '', (terminal) => terminal.press('C-c'), /ended with 0/],
    ['SIGTERM', '', (terminal) => process.kill(terminal.pids()[1] ?? 0, 'SIGTERM'), /ended with (143|0)/],
    ['SIGHUP', '', (terminal) => process.kill(terminal.pids()[1] ?? 0, 'SIGHUP'), /ended with (129|0)/],
    [
      'a crash',
      '--crash event',
      (terminal) => process.kill(terminal.pids()[1] ?? 0, 'SIGUSR2'),
      /ended with [17]/,
    ],
    [
      'a crash in a component',
      '--crash render',
      (terminal) => process.kill(terminal.pids()[1] ?? 0, 'SIGUSR2'),
      /ended with [17]/,
    ],
  ];
  for (const [name, options, end, expected] of ends) {
    test(`the terminal is as before after ${name}`, async () => {
      using terminal = new Terminal({ command: before + fakeApp(`--still ${options}`), rows: 50 });
      await terminal.sees('laptop-mia');
      assert.deepEqual(terminal.modes(), { isAlternate: true, hasCursor: false });
      end(terminal);
      const screen = await terminal.sees(expected);
      assert.match(screen, /before the app/);
      assert.deepEqual(terminal.modes(), { isAlternate: false, hasCursor: true });
      if (options.includes('event')) assert.match(screen, /crashed on purpose/);
    });
  }

  test('Ctrl-Z suspends, fg resumes', async () => {
    using terminal = new Terminal({ command: `bash --norc -i`, env: { PS1: 'shell$ ' } });
    await terminal.sees('shell$');
    terminal.press(fakeApp('--still'), 'Enter');
    await terminal.sees('laptop-mia');
    terminal.press('C-z');
    await terminal.sees('Stopped');
    assert.deepEqual(terminal.modes(), { isAlternate: false, hasCursor: true });
    terminal.press('fg', 'Enter');
    await terminal.sees('laptop-mia');
    terminal.press('3');
    await terminal.sees('127.0.0.1:2222');
    terminal.press('q');
    await terminal.until((screen) => screen.trimEnd().endsWith('shell$'), 'the shell');
  });
});
