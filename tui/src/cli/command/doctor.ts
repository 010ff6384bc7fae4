import type { BehaviourVector } from '@awl/api';
import { AwlError } from '@awl/wire';
import { summarizeReach } from '../../app/model/reach-summary.ts';
import { natWords } from '../../app/model/nat-words.ts';
import { useNode } from '../node-access.ts';
import { safe } from '../output.ts';
import { rendezvousConfig } from '../rendezvous-option.ts';
import type { CommandModule } from '../spec.ts';
import { given } from '../values.ts';
import { untilRegistered } from '../wait.ts';

export const run: CommandModule['run'] = async (context, _args, options) => {
  const { output, signal } = context;
  await using node = await useNode(context, { overrides: given({ rendezvous: rendezvousConfig(options) }) });
  const { client } = node;
  const step = await output.step('Asking the rendezvous what this network does');
  try {
    await untilRegistered(node, signal);
    if ((await client.snapshot()).state.rendezvous.status === 'none') {
      throw new AwlError('ERR_NAT_UNREACHABLE', 'There is no rendezvous to ask.', {
        remedy: 'Name one: `awl doctor --rendezvous awl://HOST`.',
      });
    }
    await client.command('nat.measure', { full: true }, signal);
  } catch (error) {
    step.failed('Nothing was learned');
    throw error;
  }
  step.done('Measured');
  const { state } = await client.snapshot();
  const { behaviour, publicAddresses, gateway, mappings, measuredAt, evidence } = state.nat;
  const reach = summarizeReach(state, Date.now());
  output.object({
    behaviour,
    rendezvous: { url: state.rendezvous.url, rttMs: state.rendezvous.rttMs },
    publicAddresses,
    gateway,
    mappings,
    measuredAt,
    reaches: { direct: reach.direct, total: reach.total, types: reach.rows },
    evidence: evidence.map(({ protocol, field, value, observation }) => ({
      protocol,
      field,
      value,
      observation,
    })),
  });
  const { udp, tcp } = behaviour;
  for (const [name, one] of [
    ['UDP', udp],
    ['TCP', tcp],
  ] as const) {
    const { text, confidence, alias } = natWords(one);
    output.line(safe(`${name}  ${text} ${confidence && `· ${confidence} sure`} · also known as ${alias}`));
  }
  if (publicAddresses.length > 0) output.line(safe(`Seen from outside as ${publicAddresses.join(', ')}`));
  for (const mapping of reach.mappings) output.line(safe(mapping));
  if (reach.isKnown) output.line(`Reaches ${reach.direct} of ${reach.total} NAT types directly.`);
  for (const advice of adviceFor(state.plugins['upnp']?.status === 'disabled', behaviour)) {
    output.line(`${output.paint('warn', '→')} ${advice}`);
  }
};

/** What the user could change, most helpful first. */
function adviceFor(canMap: boolean, { udp, tcp, ipv6 }: BehaviourVector): readonly string[] {
  const advice: string[] = [];
  const isHard = udp.blocked === true || (udp.natted === true && udp.mapping !== 'EIM');
  if (isHard && canMap) advice.push('Let the router map a port: `awl plugin enable upnp`.');
  if (udp.blocked === true) advice.push('A firewall drops UDP: allow it outward, for the widest reach.');
  if (tcp.blocked === true)
    advice.push('Nothing of TCP came back: check that the rendezvous has its second TCP port open.');
  if (isHard && ipv6 !== true) advice.push('Turn on IPv6 at the router: with it no NAT is in the way.');
  return advice;
}
