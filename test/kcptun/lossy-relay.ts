import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A UDP relay that loses datagrams: what comes from anyone goes to `targetPort`, and back. */
export interface LossyRelay extends Disposable {
  readonly port: number;
  readonly lost: () => number;
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  const listening = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await listening;
  socket.setRecvBufferSize(4_194_304);
  return socket;
}

/** Opens a relay that loses `loss` (0 to 1) of the datagrams each way, as `random` says. */
export async function lossyRelay(
  targetPort: number,
  loss: number,
  random: () => number,
): Promise<LossyRelay> {
  const front = await bound();
  const back = await bound();
  let clientPort = 0;
  let lost = 0;
  const passes = (): boolean => {
    if (random() >= loss) return true;
    lost++;
    return false;
  };
  front.on('message', (datagram, from) => {
    clientPort = from.port;
    if (passes()) back.send(datagram, targetPort, '127.0.0.1');
  });
  back.on('message', (datagram) => {
    if (clientPort > 0 && passes()) front.send(datagram, clientPort, '127.0.0.1');
  });
  return {
    port: front.address().port,
    lost: () => lost,
    [Symbol.dispose]: () => {
      front.close();
      back.close();
    },
  };
}
