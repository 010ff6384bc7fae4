import { join } from 'node:path';
import { formatEndpoint } from '@awl/api';
import { startRendezvous } from '@awl/rendezvous';
import { makeAccessKey } from '@awl/wire';
import { untilStopped } from '../signals.ts';
import type { CommandModule } from '../spec.ts';
import { given, numberOf, textOf } from '../values.ts';

export const run: CommandModule['run'] = async ({ output, signal, home }, _args, options) => {
  const named = textOf(options, 'key') ?? process.env['AWL_RENDEZVOUS_KEY'];
  const key = named === 'new' ? makeAccessKey() : named || undefined;
  const advertise = textOf(options, 'advertise');
  const server = await startRendezvous(
    given({
      host: textOf(options, 'host'),
      port: numberOf(options, 'port', 0, 65_535),
      altPort: numberOf(options, 'altPort', 0, 65_535),
      altAddress: textOf(options, 'altAddress'),
      advertise: advertise === undefined ? undefined : { host: advertise },
      key,
      dataDir: join(home, 'rendezvous'),
    }),
  );
  const { fingerprint, urls } = server;
  const addresses = server.addresses.map(formatEndpoint);
  const made = named === 'new' ? { key } : {};
  output.event('rendezvous.ready', { addresses, fingerprint, urls, ...made });
  output.line(`Rendezvous ready at ${addresses.join(', ')}`);
  output.line(`Others use: --rendezvous ${server.url}`);
  if (named === 'new') output.line(`with AWL_RENDEZVOUS_KEY=${key}`);
  await untilStopped(signal);
  await server.stop();
};
