import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UNKNOWN_BEHAVIOUR, type UdpLease } from '@awl/api';
import { gatherCandidates } from '../../src/candidate/gather.ts';

it('a port that is mapped is told as such, also where the NAT shows the socket at the same place', () => {
  const lease = {
    id: 'l1',
    protocol: 'udp',
    local: { address: '0.0.0.0', port: 4000 },
  } as UdpLease;
  const place = { address: '203.0.113.7', port: 4000 };
  const candidates = gatherCandidates({
    leases: [{ lease, reflexive: place, mapped: place }],
    interfaces: [],
    behaviour: { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR },
  });
  assert.deepEqual(
    candidates.map(({ type, endpoint }) => [type, endpoint]),
    [['mapped', place]],
  );
});
