import { AwlError } from '@awl/wire';
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
  if (fits) return value as NodeConfig;
  throw new AwlError('ERR_CONFIG_INVALID', `${source}: ${describeErrors(validator.Errors(value))}.`);
}
