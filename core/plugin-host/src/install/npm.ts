import { spawn } from 'node:child_process';
import { AwlError } from '@awl/wire';

const TIMEOUT_MS = 120_000;
const OUTPUT_LENGTH = 64 * 1024;

/** Runs npm and resolves with what it printed. Rejects with `ERR_PLUGIN_INSTALL` and its last words. */
export function npm(args: readonly string[], directory: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn('npm', args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    env: { ...process.env, NO_COLOR: '1', npm_config_update_notifier: 'false' },
  });
  let output = '';
  let errors = '';
  child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => (output = (output + text).slice(-OUTPUT_LENGTH)));
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (errors = (errors + text).slice(-OUTPUT_LENGTH)));
  child.on('error', (error) =>
    reject(new AwlError('ERR_PLUGIN_INSTALL', `npm could not be run: ${error.message}`)),
  );
  child.on('close', (code) => {
    if (code === 0) return resolve(output);
    const said = errors
      .split('\n')
      .filter((line) => /^npm (error|ERR!)/.test(line) && !line.includes('complete log'));
    const words = said.slice(0, 3).map((line) => line.replace(/^npm (error|ERR!)\s*/, ''));
    reject(new AwlError('ERR_PLUGIN_INSTALL', `npm failed: ${words.join('; ') || `exit code ${code}`}`));
  });
  return promise;
}
