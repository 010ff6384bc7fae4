import type { NodeConfig } from '@awl/node';
import { AwlError, parseRendezvousUrl } from '@awl/wire';
import type { OptionValues } from './spec.ts';
import { textOf } from './values.ts';

/** What --rendezvous and AWL_RENDEZVOUS_KEY say; undefined where they say nothing. */
export function rendezvousConfig(options: OptionValues): NodeConfig['rendezvous'] {
  const url = textOf(options, 'rendezvous');
  const key = process.env['AWL_RENDEZVOUS_KEY'];
  if (url !== undefined && !parseRendezvousUrl(url)) {
    throw new AwlError('ERR_USAGE', `${url} is not the URL of a rendezvous.`, {
      remedy: 'Write awl://host, awl://host:port or awl://host:port#fingerprint.',
    });
  }
  if (url === undefined && !key) return undefined;
  return { ...(url === undefined ? {} : { url }), ...(key ? { key } : {}) };
}
