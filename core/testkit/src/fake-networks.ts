import { type BehaviourVector, type Evidence, type TransportBehaviour } from '@awl/api';

const conePorts: TransportBehaviour = {
  blocked: false,
  natted: true,
  mapping: 'EIM',
  filtering: 'APDF',
  allocation: 'preserving',
  pooling: 'paired',
  hairpin: false,
  unsolicited: 'drop',
  lifetimeS: 180,
  external: { address: '203.0.113.11', port: 40031 },
  confidence: {
    blocked: 1,
    natted: 1,
    mapping: 0.98,
    filtering: 0.98,
    allocation: 0.9,
    pooling: 0.8,
    hairpin: 0.9,
    unsolicited: 0.95,
  },
};
/** A home: one port for everyone, strangers dropped. */
export const home: BehaviourVector = {
  udp: conePorts,
  tcp: { ...conePorts, confidence: { ...conePorts.confidence, mapping: 0.95, filtering: 0.95 } },
  layers: 1,
  ipv6: false,
};
/** A carrier: another port for each destination. */
export const random: BehaviourVector = {
  udp: {
    ...conePorts,
    mapping: 'APDM',
    allocation: 'random',
    external: { address: '198.51.100.12', port: 51877 },
  },
  tcp: {
    ...conePorts,
    mapping: 'APDM',
    allocation: 'random',
    external: { address: '198.51.100.12', port: 9034 },
  },
  layers: 1,
  ipv6: false,
};

/** What led to the verdict on {@link home}. */
export function evidence(): readonly Evidence[] {
  const port = 40031;
  return [
    {
      protocol: 'udp',
      field: 'mapping',
      value: 'EIM',
      weight: 0.9,
      observation: `203.0.113.2:7777 saw port ${port}, :7778 saw ${port}, 203.0.113.3:7777 saw ${port}`,
      source: 'stun',
    },
    {
      protocol: 'udp',
      field: 'filtering',
      value: 'APDF',
      weight: 0.9,
      observation: 'nothing came from 203.0.113.2:7778, which had not been written to',
      source: 'stun',
    },
    {
      protocol: 'udp',
      field: 'allocation',
      value: 'preserving',
      weight: 0.6,
      observation: '8 of 8 sockets kept their local port',
      source: 'stun',
    },
    {
      protocol: 'tcp',
      field: 'mapping',
      value: 'EIM',
      weight: 0.9,
      observation: `both ports of the rendezvous saw ${port}`,
      source: 'stun',
    },
    {
      protocol: 'tcp',
      field: 'unsolicited',
      value: 'drop',
      weight: 0.7,
      observation: 'a SYN from 203.0.113.3 met silence',
      source: 'stun',
    },
  ];
}
