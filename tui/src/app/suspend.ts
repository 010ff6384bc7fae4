/** Time after which a stop that never came is given up: without a shell that controls jobs, SIGTSTP does nothing. Milliseconds. */
const STOP_MS = 200;

/** Stops this process's job, as the terminal does for Ctrl-Z; resolves once it was resumed (`fg`). */
export function suspendProcess(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(done, STOP_MS);
  function done(): void {
    clearTimeout(timer);
    process.off('SIGCONT', done);
    resolve();
  }
  process.once('SIGCONT', done);
  // Process group 0 is this one's own: the shell must see the whole job stop, the shim that started this Node included.
  process.kill(0, 'SIGTSTP');
  return promise;
}
