import { RENDEZVOUS_ALT_PORT, RENDEZVOUS_PORT } from '@awl/wire';
import type { CommandSpec, OptionSpec } from './spec.ts';

const rendezvous: OptionSpec = {
  flags: '--rendezvous <url>',
  text: 'awl://host[:port][#fingerprint]; default: the one in the configuration',
};
const transport: OptionSpec = {
  flags: '--transport <kind>',
  text: 'which transports may carry the connection',
  choices: ['any', 'udp', 'tcp'],
};
const ticketFile: OptionSpec = {
  flags: '--ticket-file <file>',
  text: 'read the ticket from this file; waits for it to appear',
};
const passwordFile: OptionSpec = {
  flags: '--password-file <file>',
  text: "the other node's password, first line of this file; also AWL_PASSWORD",
};
const protocol: OptionSpec = {
  flags: '--protocol <protocol>',
  text: 'of the service',
  choices: ['tcp', 'udp'],
};
const listen: OptionSpec = {
  flags: '--listen <address>',
  text: '[ADDR]:PORT; `:8585` is this machine only, `*:8585` everyone; default: a free port',
};
const strategies: OptionSpec = {
  flags: '--strategies <names>',
  text: 'only these ways of getting through, by name, with commas',
};

/** Every command of awl. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'share',
    arguments: [{ name: '<target>', text: 'port or host:port of the service' }],
    summary: 'offer a service; prints a ticket and waits',
    more: 'Whoever has the ticket can use the service until the ticket expires. Uses the running node of this AWL_HOME, or is one until it ends.',
    options: [
      { flags: '--name <name>', text: 'name of this node at the rendezvous, for `awl connect NAME`' },
      rendezvous,
      { flags: '--ticket-file <file>', text: 'also write the ticket to this file' },
      transport,
      protocol,
      { flags: '--expires <time>', text: 'how long the ticket is good: 30m, 12h, 7d', default: '24h' },
      { flags: '--uses <count>', text: 'how many peers may use the ticket' },
      { flags: '--store', text: 'keep the share in the configuration' },
    ],
    examples: ['awl share 8080', 'awl share 192.168.1.45:80 --name office --rendezvous awl://rv.example.org'],
    load: () => import('./command/share.ts'),
  },
  {
    name: 'connect',
    arguments: [
      {
        name: '[ticket-or-name]',
        text: 'a ticket, `-` to read one from standard input, or the name of a peer',
      },
    ],
    summary: 'use a service that another node shares',
    more: 'Listens on this machine and leads each connection to the other side. Uses the running node of this AWL_HOME, or is one until it ends.',
    options: [
      listen,
      rendezvous,
      transport,
      strategies,
      ticketFile,
      passwordFile,
      { flags: '--target <target>', text: "which of the peer's shares, where it has several" },
      protocol,
      { flags: '--stdio', text: 'connect standard input and output instead of listening (ssh ProxyCommand)' },
    ],
    examples: [
      'awl connect awl1… --listen :8585',
      'awl connect office --listen :8585',
      "ssh -o ProxyCommand='awl connect --stdio office' user@office",
    ],
    load: () => import('./command/connect.ts'),
  },
  {
    name: 'rendezvous',
    summary: 'run the rendezvous server',
    more: `Needs TCP and UDP ${RENDEZVOUS_PORT} and ${RENDEZVOUS_ALT_PORT} open; at the least one TCP and both UDP ports.`,
    options: [
      { flags: '--host <address>', text: 'address to listen at', default: '0.0.0.0' },
      {
        flags: '--port <port>',
        text: 'control over TLS, STUN over TCP and UDP',
        default: String(RENDEZVOUS_PORT),
      },
      { flags: '--alt-port <port>', text: 'STUN on a second port', default: String(RENDEZVOUS_ALT_PORT) },
      { flags: '--alt-address <ip>', text: 'a second address of this machine, for full NAT discovery' },
      { flags: '--advertise <host>', text: 'how others reach this server where its ports are forwarded' },
      { flags: '--key <key>', text: 'peers must have this key; also AWL_RENDEZVOUS_KEY; `new` makes one' },
    ],
    examples: ['awl rendezvous', 'awl rendezvous --host 203.0.113.5 --alt-address 203.0.113.6'],
    load: () => import('./command/rendezvous.ts'),
  },
  {
    name: 'doctor',
    summary: 'what the NAT of this network does, which peers it reaches directly, and what to change',
    options: [rendezvous],
    examples: ['awl doctor --rendezvous awl://rv.example.org', 'awl doctor --json'],
    load: () => import('./command/doctor.ts'),
  },
  {
    name: 'demo',
    summary: 'a rendezvous and two peers on this machine, real sockets, a real transfer',
    more: 'With --nat two simulated peers race for a path in real time, each behind a kind of NAT of docs/nat-matrix.md, the watched one first.',
    options: [
      { flags: '--plain', text: 'a log instead of the terminal UI' },
      { flags: '--mib <count>', text: 'size of the transfer', default: '64' },
      { flags: '--nat <pair>', text: 'two peers over simulated NATs instead, such as P:X' },
    ],
    examples: ['awl demo', 'awl demo --plain', 'awl demo --nat P:X'],
    load: () => import('./command/demo.ts'),
  },
  {
    name: 'up',
    summary: 'run the node in the foreground, without UI',
    options: [rendezvous, { flags: '--name <name>', text: 'name of this node at the rendezvous' }],
    examples: ['awl up', 'AWL_HOME=/srv/awl awl up --json'],
    load: () => import('./command/up.ts'),
  },
  {
    name: 'stop',
    summary: 'stop the running node',
    examples: ['awl stop'],
    load: () => import('./command/stop.ts'),
  },
  {
    name: 'forward add',
    arguments: [{ name: '<ticket-or-name>', text: 'a ticket, or the name of a peer' }],
    summary: 'add a forward to the running node; it comes back after a restart',
    options: [
      listen,
      { flags: '--target <target>', text: "which of the peer's shares, where it has several" },
      protocol,
      transport,
      strategies,
      passwordFile,
    ],
    examples: [
      'awl forward add office --listen :8585',
      'awl forward add office --listen :5353 --target 53 --protocol udp',
    ],
    load: () => import('./command/forward-add.ts'),
  },
  {
    name: 'forward ls',
    summary: 'list shares and forwards of the running node',
    examples: ['awl forward ls'],
    load: () => import('./command/forward-ls.ts'),
  },
  {
    name: 'forward rm',
    arguments: [{ name: '<id>', text: 'id of a forward or share, from `awl forward ls`' }],
    summary: 'remove a forward or share of the running node',
    examples: ['awl forward rm f1'],
    load: () => import('./command/forward-rm.ts'),
  },
  {
    name: 'peers',
    summary: 'who is there, how they are reached, how fast',
    examples: ['awl peers', 'awl peers --json'],
    load: () => import('./command/peers.ts'),
  },
  {
    name: 'peers forget',
    arguments: [{ name: '<peer>', text: 'name or id' }],
    summary: 'forget the key of a peer, and that it may connect',
    examples: ['awl peers forget office'],
    load: () => import('./command/peers-forget.ts'),
  },
  {
    name: 'status',
    arguments: [{ name: '[peer]', text: 'name or id; shows how its last connection was decided' }],
    summary: 'state of the running node, or the decision trace of one peer',
    examples: ['awl status', 'awl status office'],
    load: () => import('./command/status.ts'),
  },
  {
    name: 'ping',
    arguments: [{ name: '<peer>', text: 'name or id' }],
    summary: 'round-trip time to a peer over its path',
    options: [{ flags: '--count <count>', text: 'how many times', default: '4' }],
    examples: ['awl ping office --count 10'],
    load: () => import('./command/ping.ts'),
  },
  {
    name: 'config get',
    arguments: [{ name: '<key>', text: 'such as name, password, rendezvous.url' }],
    summary: 'print one value of the configuration',
    examples: ['awl config get password'],
    load: () => import('./command/config-get.ts'),
  },
  {
    name: 'config set',
    arguments: [
      { name: '<key>', text: 'such as name, password, rendezvous.url' },
      { name: '<value>', text: 'text, number or JSON; null removes it' },
    ],
    summary: 'change the configuration; a running node follows at once',
    examples: ['awl config set rendezvous.url awl://rv.example.org', 'awl config set limits.sockets 2048'],
    load: () => import('./command/config-set.ts'),
  },
  {
    name: 'config ls',
    summary: 'list the configuration and where it comes from',
    examples: ['awl config ls'],
    load: () => import('./command/config-ls.ts'),
  },
  {
    name: 'config edit',
    summary: 'open the configuration in $EDITOR and check it',
    examples: ['EDITOR=nano awl config edit'],
    load: () => import('./command/config-edit.ts'),
  },
  {
    name: 'config forget-rendezvous',
    arguments: [{ name: '<url>', text: 'of the rendezvous whose key changed' }],
    summary: 'forget the remembered key of a rendezvous',
    examples: ['awl config forget-rendezvous awl://rv.example.org'],
    load: () => import('./command/config-forget-rendezvous.ts'),
  },
  {
    name: 'plugin ls',
    summary: 'list plugins: state, version, what they may touch, failures',
    examples: ['awl plugin ls'],
    load: () => import('./command/plugin-ls.ts'),
  },
  ...pluginCommands(),
  {
    name: 'completion',
    arguments: [{ name: '<shell>', text: 'bash, zsh or fish' }],
    summary: 'print the completion script of a shell',
    examples: ['source <(awl completion bash)', 'awl completion fish > ~/.config/fish/completions/awl.fish'],
    load: () => import('./command/completion.ts'),
  },
  {
    name: 'service install',
    summary: 'run the node with your session, as a hardened systemd user unit',
    options: [{ flags: '--no-start', text: 'only write the unit' }],
    examples: ['awl service install'],
    load: () => import('./command/service-install.ts'),
  },
  {
    name: 'service uninstall',
    summary: 'stop and remove the systemd user unit',
    examples: ['awl service uninstall'],
    load: () => import('./command/service-uninstall.ts'),
  },
];

function pluginCommands(): readonly CommandSpec[] {
  const id = { name: '<id>', text: 'from `awl plugin ls`' };
  return [
    {
      name: 'plugin enable',
      arguments: [id],
      summary: 'enable a plugin, now and at every start',
      examples: ['awl plugin enable upnp'],
      load: () => import('./command/plugin-enable.ts'),
    },
    {
      name: 'plugin disable',
      arguments: [id],
      summary: 'disable a plugin; running sessions stay',
      options: [{ flags: '--force', text: 'also where sessions use its transport' }],
      examples: ['awl plugin disable udp-kcp'],
      load: () => import('./command/plugin-disable.ts'),
    },
    {
      name: 'plugin install',
      arguments: [{ name: '<from>', text: 'a package name with version, a directory, or a .tgz' }],
      summary: 'install a plugin; shows what it may touch and asks',
      options: [{ flags: '--yes', text: 'do not ask' }],
      examples: ['awl plugin install ./lucky-ports', 'awl plugin install awl-plugin-lucky-ports@1.0.0'],
      load: () => import('./command/plugin-install.ts'),
    },
    {
      name: 'plugin uninstall',
      arguments: [id],
      summary: 'remove an installed plugin',
      examples: ['awl plugin uninstall lucky-ports'],
      load: () => import('./command/plugin-uninstall.ts'),
    },
    {
      name: 'plugin explain',
      arguments: [id],
      summary: 'what a plugin contributes, its settings and the last lines of its log',
      examples: ['awl plugin explain upnp'],
      load: () => import('./command/plugin-explain.ts'),
    },
    {
      name: 'plugin new',
      arguments: [{ name: '<name>', text: 'of the plugin and its directory' }],
      summary: 'begin a plugin of your own: a working copy of the template',
      examples: ['awl plugin new lucky-ports'],
      load: () => import('./command/plugin-new.ts'),
    },
    {
      name: 'plugin dev',
      arguments: [{ name: '<directory>', text: 'of the plugin' }],
      summary: 'run a plugin from its directory: reload on change, show its log',
      examples: ['awl plugin dev ./lucky-ports'],
      load: () => import('./command/plugin-dev.ts'),
    },
  ];
}
