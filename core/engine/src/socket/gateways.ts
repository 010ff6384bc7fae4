import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Gateway } from '@awl/api';
import { parseArp, parseNetstat } from './darwin-gateways.ts';
import { linuxGateways } from './host.ts';
import { parseIpv6Routes } from './ipv6-routes.ts';
import { parseWindows, WINDOWS_SCRIPT } from './windows-gateways.ts';

const COMMAND_MS = 5000;
const OUTPUT_BYTES = 1 << 20;
/** A process is too dear to start for each question. */
const FRESH_MS = 10_000;

let asked: { readonly atMs: number; readonly answer: Promise<readonly Gateway[]> } | undefined;

/** The default gateways of this host, IPv4 first; none where the system cannot be asked. */
export function hostGateways(): Promise<readonly Gateway[]> {
  if (process.platform === 'linux') return ofLinux();
  if (process.platform !== 'darwin' && process.platform !== 'win32') return Promise.resolve([]);
  const nowMs = performance.now();
  if (!asked || nowMs - asked.atMs > FRESH_MS)
    asked = { atMs: nowMs, answer: process.platform === 'darwin' ? ofDarwin() : ofWindows() };
  return asked.answer;
}

async function ofLinux(): Promise<readonly Gateway[]> {
  const [v4, v6] = await Promise.all([
    linuxGateways(),
    readFile('/proc/net/ipv6_route', 'utf8').catch(() => ''),
  ]);
  return [...v4, ...parseIpv6Routes(v6)];
}

async function ofDarwin(): Promise<readonly Gateway[]> {
  const [routes, neighbours] = await Promise.all([
    output('/usr/sbin/netstat', ['-rn']),
    output('/usr/sbin/arp', ['-an']),
  ]);
  const macs = parseArp(neighbours);
  return parseNetstat(routes).map((gateway) => {
    const mac = macs.get(gateway.address);
    return mac === undefined ? gateway : { ...gateway, mac };
  });
}

async function ofWindows(): Promise<readonly Gateway[]> {
  const flags = ['-NoProfile', '-NonInteractive', '-Command', WINDOWS_SCRIPT];
  const root = process.env['SystemRoot'] ?? 'C:\\Windows';
  return parseWindows(await output(`${root}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`, flags));
}

/** What a command prints; empty when it fails or takes too long. */
function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      { timeout: COMMAND_MS, maxBuffer: OUTPUT_BYTES, windowsHide: true },
      (error, stdout) => resolve(error ? '' : stdout),
    );
  });
}
