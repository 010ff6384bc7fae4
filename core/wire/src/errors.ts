/**
 * The one table of error codes: what each means and what a person can do about it. docs/errors.md is generated from it.
 * Codes are stable; texts are not.
 */
export const ERRORS = {
  // Usage and configuration
  ERR_USAGE: {
    meaning: 'The command line is not understood.',
    remedy: 'See `awl help` or `awl COMMAND --help`.',
  },
  ERR_CONFIG_INVALID: {
    meaning: 'A configuration file has an unknown key or a value of the wrong kind.',
    remedy: 'Correct the key that the message names.',
  },
  ERR_CONFIG_UNSAFE: {
    meaning: 'A configuration file in the working directory names something that only AWL_HOME may hold.',
    remedy: 'Move it to the configuration in AWL_HOME, or name the file with --config.',
  },
  ERR_STORAGE: {
    meaning: 'A file of the node could not be read or written.',
    remedy: 'Check free space and permissions of the directory in the message.',
  },
  ERR_KEY_FILE: {
    meaning: 'The key file is damaged or readable by others.',
    remedy: 'Restore it from a backup, `chmod 600` it, or remove it to start with a new identity.',
  },
  ERR_NODE_RUNNING: {
    meaning: 'Another node already runs with this AWL_HOME.',
    remedy: 'Use it (awl status), stop it, or set another AWL_HOME.',
  },
  ERR_NODE_NOT_RUNNING: { meaning: 'No node runs with this AWL_HOME.', remedy: 'Start one with `awl up`.' },
  ERR_CONTROL_REFUSED: {
    meaning: 'The control socket refused this client.',
    remedy: 'Run the command as the user who runs the node.',
  },

  // Listening and targets
  ERR_PORT_BUSY: {
    meaning: 'The local port is already in use.',
    remedy: 'Choose another port, or stop the program that has it.',
  },
  ERR_SOCKET_BIND: {
    meaning: 'A socket could not be bound.',
    remedy: 'Check that the address belongs to this machine.',
  },
  ERR_TARGET_REFUSED: {
    meaning: 'The shared service refused the connection.',
    remedy: 'Start the service, or correct the target of the share.',
  },
  ERR_TARGET_UNREACHABLE: {
    meaning: 'The shared service could not be reached.',
    remedy: 'Check the host and port of the share on the sharing machine.',
  },
  ERR_FORWARD_DENIED: {
    meaning: 'The other side does not offer this target.',
    remedy: 'Ask its owner to share it.',
  },

  // Wire
  ERR_WIRE_TOO_LARGE: {
    meaning: 'A message is larger than the protocol allows.',
    remedy: 'Update both sides to the same version.',
  },
  ERR_WIRE_MALFORMED: {
    meaning: 'A message could not be parsed.',
    remedy: 'Update both sides to the same version.',
  },
  ERR_WIRE_SCHEMA: {
    meaning: 'A message has a field that is missing or wrong.',
    remedy: 'Update both sides to the same version.',
  },
  ERR_WIRE_VERSION: {
    meaning: 'The other side speaks another version of the protocol.',
    remedy: 'Update the older side; both versions are in the message.',
  },

  // Rendezvous
  ERR_RENDEZVOUS_UNREACHABLE: {
    meaning: 'The rendezvous did not answer.',
    remedy: 'Check its address and port, and that a firewall lets TCP and UDP to it through.',
  },
  ERR_RENDEZVOUS_KEY_CHANGED: {
    meaning: 'The rendezvous shows another key than the one remembered.',
    remedy: 'If its owner really changed the key, forget the old one: `awl config forget-rendezvous URL`.',
  },
  ERR_RENDEZVOUS_KEY_MISMATCH: {
    meaning: 'The rendezvous does not have the key named in its URL.',
    remedy: 'Check the fingerprint in the URL.',
  },
  ERR_RENDEZVOUS_ACCESS: {
    meaning: 'The rendezvous wants its access key.',
    remedy: 'Set it with `awl config set rendezvous.key KEY` or AWL_RENDEZVOUS_KEY.',
  },
  ERR_RENDEZVOUS_LIMIT: {
    meaning: 'The rendezvous limits this peer for a while.',
    remedy: 'Wait as long as the message says.',
  },
  ERR_RENDEZVOUS_STOPPING: { meaning: 'The rendezvous is stopping.', remedy: 'awl reconnects by itself.' },
  ERR_NAME_TAKEN: {
    meaning: 'This name belongs to another key.',
    remedy: 'Choose another: `awl config set name NAME`.',
  },
  ERR_NAME_INVALID: {
    meaning: 'A name has 1 to 63 letters, digits, hyphens or underscores.',
    remedy: 'Choose another: `awl config set name NAME`.',
  },
  ERR_PEER_UNKNOWN: {
    meaning: 'Nobody of this name or id is known.',
    remedy: 'Check the spelling; `awl peers` lists who is there.',
  },
  ERR_PEER_OFFLINE: { meaning: 'The peer is not online.', remedy: 'Start awl on the other machine.' },

  // Identity, pairing
  ERR_TICKET_MALFORMED: {
    meaning: 'The ticket is damaged or incomplete.',
    remedy: 'Copy the whole line that begins with awl1.',
  },
  ERR_TICKET_CHECKSUM: { meaning: 'The ticket has a typing or copying error.', remedy: 'Copy it again.' },
  ERR_TICKET_EXPIRED: {
    meaning: 'The ticket has expired.',
    remedy: 'Ask for a new one (`awl share` makes them).',
  },
  ERR_TICKET_REVOKED: { meaning: 'The ticket was revoked or used up.', remedy: 'Ask for a new one.' },
  ERR_AUTH_PASSWORD: {
    meaning: 'The password is wrong.',
    remedy: 'Ask the other side: `awl config get password` shows it there.',
  },
  ERR_AUTH_REFUSED: {
    meaning: 'The other side does not allow this peer.',
    remedy: 'Use a ticket or the password of the other side.',
  },
  ERR_AUTH_RATE_LIMITED: {
    meaning: 'Too many wrong passwords.',
    remedy: 'Wait as long as the message says.',
  },
  ERR_PEER_KEY_CHANGED: {
    meaning: 'This name now has another key than the one remembered: someone may be posing as it.',
    remedy: 'If the other machine was really set up anew, forget the old key: `awl peers forget NAME`.',
  },
  ERR_SIGNAL_INVALID: {
    meaning: 'A signalling message was forged, replayed or mixed up.',
    remedy: 'Try again; if it stays, do not trust the rendezvous.',
  },
  ERR_SIGNAL_TIMEOUT: {
    meaning: 'The other side did not answer in time.',
    remedy: 'Check that awl runs there and reaches the rendezvous.',
  },

  // NAT, sockets, paths
  ERR_NAT_UNREACHABLE: {
    meaning: 'No STUN server answered.',
    remedy: 'A firewall may block this protocol; see `awl doctor`.',
  },
  ERR_BUDGET_SOCKETS: {
    meaning: 'The budget of sockets is spent.',
    remedy: 'Wait for other attempts to end, or raise `limits.sockets`.',
  },
  ERR_BUDGET_PROBES: {
    meaning: 'The budget of probes is spent.',
    remedy: 'Wait for other attempts to end, or raise `limits.probesPerSecond`.',
  },
  ERR_DESTINATION_DENIED: {
    meaning: 'A packet was aimed at an address that is no candidate of an authorized attempt.',
    remedy: 'A plugin may be at fault; see `awl plugin ls`.',
  },
  ERR_PATH_NONE: {
    meaning: 'No way through was found.',
    remedy: 'See the decision trace: `awl status PEER`.',
  },
  ERR_PATH_UDP_BLOCKED: {
    meaning: 'A side blocks UDP and its TCP mappings cannot be predicted.',
    remedy: 'Turn on port mapping (`awl plugin enable upnp`) or IPv6 at one side.',
  },
  ERR_PATH_BOTH_RANDOM: {
    meaning: 'Both sides take another port for each destination.',
    remedy:
      'Turn on port mapping at one side, or allow the long search: `awl config set probing.exhaustive true`.',
  },
  ERR_PATH_NO_STRATEGY: {
    meaning: 'No enabled strategy fits this pair of networks.',
    remedy: 'Enable more strategies: `awl plugin ls`.',
  },
  ERR_PATH_NO_ANSWER: {
    meaning: 'Every strategy that fitted was tried and nothing came back.',
    remedy: 'A firewall on one of the machines may drop the packets; turn on port mapping at one side.',
  },
  ERR_PATH_LOST: { meaning: 'The path to the peer broke.', remedy: 'awl looks for another by itself.' },
  ERR_ATTEMPT_CANCELLED: { meaning: 'The attempt was cancelled.', remedy: 'Connect again when you like.' },

  // Session
  ERR_TLS_PEER: {
    meaning: 'The other end of the path did not prove the expected identity.',
    remedy: 'Try again; if it stays, someone answers in the place of the peer.',
  },
  ERR_SESSION_PROTOCOL: {
    meaning: 'The peer broke the session protocol.',
    remedy: 'Update both sides to the same version.',
  },
  ERR_SESSION_RESUME: {
    meaning: 'The peer could not resume the session.',
    remedy: 'awl opens a new session by itself.',
  },
  ERR_SESSION_LOST: {
    meaning: 'No path to the peer came back in time.',
    remedy: 'Check the network on both sides and connect again.',
  },
  ERR_SESSION_CLOSED: { meaning: 'The session was closed.', remedy: 'Connect again when you like.' },
  ERR_STREAM_RESET: { meaning: 'The other side reset the stream.', remedy: 'Connect to the service again.' },
  ERR_STREAM_LIMIT: {
    meaning: 'Too many streams are open.',
    remedy: 'Close some connections, or raise `limits.streams`.',
  },

  // Plugins
  ERR_PLUGIN_MANIFEST: {
    meaning: 'A plugin manifest is not valid.',
    remedy: 'Correct the path that the message names.',
  },
  ERR_PLUGIN_ENGINE: {
    meaning: 'The plugin is made for another version of awl.',
    remedy: 'Install a version of the plugin that fits.',
  },
  ERR_PLUGIN_CONFLICT: {
    meaning: 'Two plugins contribute the same id.',
    remedy: 'Disable one of the two that the message names.',
  },
  ERR_PLUGIN_NOT_CONTRIBUTED: {
    meaning: 'A plugin registered something that its manifest does not name.',
    remedy: 'Tell the author; add it to `contributes`.',
  },
  ERR_PLUGIN_CAPABILITY: {
    meaning: 'A plugin used something that its manifest does not ask for.',
    remedy: 'Tell the author; add it to `capabilities`.',
  },
  ERR_PLUGIN_UNKNOWN: {
    meaning: 'No plugin of this id is installed.',
    remedy: '`awl plugin ls` lists what is there.',
  },
  ERR_PLUGIN_CRASHED: {
    meaning: 'The plugin process ended.',
    remedy: 'Tell the author; `awl plugin explain ID` shows the last lines of its log.',
  },
  ERR_PLUGIN_UNRESPONSIVE: {
    meaning: 'The plugin process does not answer.',
    remedy: 'Tell the author; `awl plugin explain ID` shows the last lines of its log.',
  },
  ERR_PLUGIN_QUARANTINED: {
    meaning: 'The plugin failed too often and is quarantined.',
    remedy: '`awl plugin enable ID` gives it another chance.',
  },
  ERR_PLUGIN_IN_USE: {
    meaning: 'Open sessions use a transport of this plugin.',
    remedy: 'Close them, or disable it with --force.',
  },
  ERR_PLUGIN_INSTALL: { meaning: 'The plugin could not be installed.', remedy: 'See the message.' },
  ERR_LAN_HTTP_SIZE: {
    meaning: 'The router answered with too much.',
    remedy: 'Port mapping does not work with this router; map a port by hand.',
  },
  ERR_LAN_HTTP_DENIED: {
    meaning: 'A plugin asked for an address that is not the gateway.',
    remedy: 'Tell the author of the plugin.',
  },
  ERR_INTERNAL: { meaning: 'A bug in awl.', remedy: 'Please report it with the log.' },
} as const satisfies { readonly [code: string]: { readonly meaning: string; readonly remedy: string } };

/** A stable code from {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS;

/** An expected failure: a code, what happened in one sentence, and what to do about it. */
export class AwlError extends Error {
  override readonly name = 'AwlError';
  readonly code: ErrorCode;
  readonly remedy: string;

  /**
   * @param code the stable code
   * @param detail what happened, in this instance; default: the code's meaning
   */
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions & { readonly remedy?: string }) {
    super(detail ?? ERRORS[code].meaning, options);
    this.code = code;
    this.remedy = options?.remedy ?? ERRORS[code].remedy;
  }
}

/** True for a code of this table. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** Any thrown value as an {@link AwlError}: itself, or `ERR_INTERNAL` with its message. */
export function toAwlError(error: unknown): AwlError {
  if (error instanceof AwlError) return error;
  return new AwlError('ERR_INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}
