import type { BehaviourVector, TransportBehaviour } from '@awl/api';
import { AwlError, type ErrorCode } from '@awl/wire';

/** Why there is no path, in the order in which causes are looked for. */
const CAUSES: readonly {
  readonly code: ErrorCode;
  readonly applies: (a: BehaviourVector, b: BehaviourVector) => string | undefined;
}[] = [
  {
    code: 'ERR_PATH_UDP_BLOCKED',
    applies: (a, b) => {
      const blocked = [a, b].filter(({ udp }) => udp.blocked === true);
      const tcpHard = [a, b].every(
        ({ tcp }) => tcp.mapping === 'APDM' || tcp.mapping === 'ADM' || tcp.blocked === true,
      );
      if (blocked.length === 0) return undefined;
      const who =
        blocked.length === 2
          ? 'Both sides block UDP'
          : a.udp.blocked === true
            ? 'This side blocks UDP'
            : 'The other side blocks UDP';
      return tcpHard
        ? `${who}, and both sides take an unpredictable TCP port for each destination.`
        : `${who}, and TCP did not get through either.`;
    },
  },
  {
    code: 'ERR_PATH_BOTH_RANDOM',
    applies: ({ udp: a }, { udp: b }) =>
      isHard(a) && isHard(b)
        ? 'Both routers take another port for each destination, so neither side knows where to send.'
        : undefined,
  },
];

/** Where packets to a new destination will come from is not known beforehand. */
function isHard({ mapping, natted }: TransportBehaviour): boolean {
  return natted !== false && (mapping === 'APDM' || mapping === 'ADM');
}

/** The failure of an attempt: its cause by the behaviour of both sides, in a sentence, with the one remedy of its code. */
export function verdict(local: BehaviourVector, remote: BehaviourVector, tried: number): AwlError {
  for (const { code, applies } of CAUSES) {
    const sentence = applies(local, remote);
    if (sentence) return new AwlError(code, sentence);
  }
  if (tried === 0) return new AwlError('ERR_PATH_NO_STRATEGY');
  return new AwlError(
    'ERR_PATH_NO_ANSWER',
    `${tried} ${tried === 1 ? 'strategy was' : 'strategies were'} tried and nothing came back.`,
  );
}
