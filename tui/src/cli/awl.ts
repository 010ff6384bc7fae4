import { main } from './main.ts';

// A reader that goes away (`awl peers | head -1`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});
// No top-level await: the bundler may put what several chunks share into this file, and a chunk that is loaded while this module waits for
// it would wait for this module.
void run();

async function run(): Promise<void> {
  process.exitCode = await main(process.argv.slice(2));
  // Whatever a command left open must not keep it: streams are flushed by then.
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}
