import type { NodeClient, NodeEvent } from '@awl/node/client';
import { formatDuration } from '../app/text/format.ts';
import { natWords } from '../app/model/nat-words.ts';
import { safe, type Output } from './output.ts';

/**
 * Passes a node's events to scripts, and what a person wants to know of them to people.
 * @param except events that the command reports itself
 */
export function relayEvents(
  output: Output,
  client: NodeClient,
  except: readonly NodeEvent['event'][] = [],
): Disposable {
  return client.onEvent((seen) => {
    const { event, time, ...data } = seen;
    if (except.includes(event)) return;
    output.event(event, data, time);
    const line = describeEvent(output, seen);
    if (line !== undefined) output.line(line);
  });
}

function describeEvent(output: Output, seen: NodeEvent): string | undefined {
  switch (seen.event) {
    case 'nat.behaviour':
      return output.paint('muted', `NAT  UDP ${natWords(seen.udp).text} · TCP ${natWords(seen.tcp).text}`);
    case 'attempt.ended':
      return output.paint(
        'muted',
        safe(
          `     ${seen.strategy} ${seen.outcome} after ${formatDuration(seen.ms)}, ${seen.probes} probes${seen.reason ? `: ${seen.reason}` : ''}`,
        ),
      );
    case 'path.selected':
      return (
        `${output.paint('ok', '✔')} ` +
        safe(
          `${shortPeer(seen.peer)} reached: ${seen.kind}, ${seen.strategy} over ${seen.transport}, ${seen.remote}, ${formatDuration(seen.rttMs)}`,
        )
      );
    case 'path.lost':
      return (
        `${output.paint('warn', '!')} ` +
        safe(`${shortPeer(seen.peer)}: path lost, ${seen.reason} (${seen.code})`)
      );
    case 'session.closed':
      return `${output.paint('warn', '!')} ` + safe(`${shortPeer(seen.peer)}: session closed (${seen.code})`);
    case 'forward.failed':
      return `${output.paint('bad', '✘')} ` + safe(`forward ${seen.forward}: ${seen.reason} (${seen.code})`);
    default:
      return undefined;
  }
}

/** The beginning of a peer id: for the eye only. */
export function shortPeer(id: string): string {
  return id.length > 20 ? id.slice(0, 9) : id;
}
