import type { CommandModule } from '../spec.ts';
import { AwlError, parseRendezvousUrl } from '@awl/wire';

export const run: CommandModule['run'] = async ({ output, home }, [url = '']) => {
  const parsed = parseRendezvousUrl(url);
  if (!parsed) throw new AwlError('ERR_USAGE', `${url} is not the URL of a rendezvous.`);
  const { diskFiles, homeOf, KnownRendezvous } = await import('@awl/node');
  const known = new KnownRendezvous(homeOf(home).rendezvousFile, diskFiles);
  const forgotten = await known.forget(parsed);
  output.object({ url, forgotten });
  output.line(forgotten ? `The key of ${url} is forgotten.` : `No key of ${url} was remembered.`);
};
