import { AwlError, isPeerName, parseRendezvousUrl } from '@awl/wire';
import { Compile } from 'typebox/compile';
import { describeErrors } from '../storage/describe-errors.ts';
import { ConfigSchema, type NodeConfig } from './schema.ts';

const validator = Compile(ConfigSchema);

/** The value as a configuration. Throws `ERR_CONFIG_INVALID`, naming the source and the path in it. */
export function checkConfig(value: unknown, source: string): NodeConfig {
  let fits: boolean;
  try {
    fits = validator.Check(value);
  } catch (cause) {
    throw new AwlError('ERR_CONFIG_INVALID', `${source}: too deep.`, { cause });
  }
  if (!fits)
    throw new AwlError('ERR_CONFIG_INVALID', `${source}: ${describeErrors(validator.Errors(value))}.`);
  const config = value as NodeConfig;
  const fault = faultOf(config);
  if (fault !== undefined) throw new AwlError('ERR_CONFIG_INVALID', `${source}: ${fault}.`);
  return config;
}

/** What no schema says. */
function faultOf({ name, rendezvous }: NodeConfig): string | undefined {
  if (name !== undefined && !isPeerName(name)) {
    return '/name must be letters, digits, hyphens and underscores';
  }
  if (rendezvous?.url && !parseRendezvousUrl(rendezvous.url)) {
    return '/rendezvous/url must be awl://host[:port][#fingerprint]';
  }
  return undefined;
}
