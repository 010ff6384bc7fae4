import type { Transport } from '@awl/api';
import { KcpStream } from 'kcp-ts';

/** One conversation per path: both sides are told apart by the tokens that the engine puts before each datagram. */
const CONVERSATION = 1;

/** KCP over a punched UDP socket. */
export const kcpTransport: Transport = {
  id: 'kcp',
  attach(channel, { clock, random }) {
    const stream = new KcpStream(channel, { conv: CONVERSATION, clock, random });
    return {
      duplex: stream,
      stats: () => {
        const { rttMs, recentLossRatio, retransmits } = stream.stats();
        return { rttMs, lossRatio: recentLossRatio, retransmits };
      },
      [Symbol.dispose]: () => void stream.destroy(),
    };
  },
};
