import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AwlError } from '@awl/wire';

export const UNIT = 'awl.service';

/** Where the user's units are. */
export function unitPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd', 'user', UNIT);
}

export interface UnitOptions {
  readonly node: string;
  readonly script: string;
  readonly home: string;
}

/** A unit that may write to AWL_HOME only, and gets nothing else that a node does not need. */
export function unitText({ node, script, home }: UnitOptions): string {
  return `[Unit]
Description=awl node: direct connections between machines behind NAT
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=${quoteWord(node)} ${quoteWord(script)} up
Environment=${quote(`AWL_HOME=${home}`)}
Restart=on-failure
RestartSec=5
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${quote(home)}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
`;
}

/** Rejects what failed with what to do by hand. */
export function systemctl(...args: readonly string[]): void {
  const { status, error, stderr } = spawnSync('systemctl', ['--user', ...args], { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n')[0];
  throw new AwlError('ERR_STORAGE', `systemctl --user ${args.join(' ')} failed: ${why}`, {
    remedy: 'Run it by hand in your session, or use --no-start.',
  });
}

/** systemd's own quoting: backslash and double quotes escaped, % doubled. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/** In a command line $ stands for a variable unless doubled. */
function quoteWord(text: string): string {
  return quote(text).replaceAll('$', '$$$$');
}
