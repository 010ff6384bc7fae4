import type { CommandName, Commands } from '@awl/api';
import { Type, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

const strict = { additionalProperties: false };
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(schema);

const Peer = text(128);
const Ticket = text(8192);
const Target = text(300);
const Protocol = Type.Enum(['tcp', 'udp']);
const How = {
  password: optional(text(256)),
  strategies: optional(Type.Array(text(64), { maxItems: 32 })),
  transport: optional(Type.Enum(['any', 'udp', 'tcp'])),
};
const object = (properties: Record<string, TSchema>) => Type.Object(properties, strict);
const plugin = text(214);

/** The parameters of each command, as a client of the control socket may send them. */
const SCHEMAS: { readonly [Name in CommandName]: TSchema } = {
  'peer.connect': object({ peer: optional(Peer), ticket: optional(Ticket), ...How }),
  'peer.disconnect': object({ peer: Peer }),
  'peer.forget': object({ peer: Peer }),
  'peer.ping': object({ peer: Peer }),
  'attempt.cancel': object({ attempt: text(128) }),
  'share.add': object({
    target: Target,
    protocol: optional(Protocol),
    expiresS: optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
    uses: optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    store: optional(Type.Boolean()),
  }),
  'share.remove': object({ share: text(128) }),
  'forward.add': object({
    peer: optional(Peer),
    ticket: optional(Ticket),
    ...How,
    listen: Target,
    target: optional(Target),
    protocol: optional(Protocol),
    store: optional(Type.Boolean()),
  }),
  'forward.remove': object({ forward: text(128) }),
  'nat.measure': object({ full: optional(Type.Boolean()) }),
  'plugin.enable': object({ plugin }),
  'plugin.disable': object({ plugin, force: optional(Type.Boolean()) }),
  'plugin.install': object({ from: text(4096), confirmed: Type.Boolean() }),
  'plugin.uninstall': object({ plugin }),
  'plugin.reload': object({ plugin }),
  'command.run': object({ command: text(128), argument: optional(Type.Unknown()) }),
  'config.get': object({ key: optional(text(256)) }),
  'config.set': object({ key: text(256), value: Type.Unknown() }),
  'rendezvous.set': object({ url: Type.String({ maxLength: 512 }) }),
  'node.stop': object({}),
};

const CommandSchema = Type.Object({ name: text(64), params: Type.Unknown() }, strict);
const HelloSchema = Type.Object({ token: text(128), version: text(32) }, strict);
const command = Compile(CommandSchema);
const hello = Compile(HelloSchema);
const params = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [name, Compile(schema)]));

export type CommandRequest = {
  [Name in CommandName]: { readonly name: Name; readonly params: Commands[Name]['params'] };
}[CommandName];

/** The request if it is a known command with parameters that fit, or what is wrong with it. */
export function parseCommand(value: unknown): CommandRequest | { readonly wrong: string } {
  if (!command.Check(value)) return { wrong: 'a command has a name and params' };
  const validator = params.get(value.name);
  if (!validator) return { wrong: `there is no command ${JSON.stringify(value.name)}` };
  if (validator.Check(value.params)) return value as CommandRequest;
  const [error] = validator.Errors(value.params);
  return { wrong: `${value.name}: ${error?.instancePath || '/'} ${error?.message}` };
}

export function parseHello(value: unknown): { readonly token: string; readonly version: string } | undefined {
  return hello.Check(value) ? value : undefined;
}
