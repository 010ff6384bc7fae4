import { main } from './main.ts';

// A reader that goes away (`awl peers | head -1`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});
process.exitCode = await main(process.argv.slice(2));
// Whatever a command left open must not keep it: streams are flushed by then.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
