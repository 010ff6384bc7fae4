import type { EngineState } from '@awl/api';
import type { ReactNode } from 'react';
import { useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import type { FormField } from './form-field.tsx';
import { Form, type FormValues } from './form.tsx';

/** Asks for whom to connect to, and for the peer's password, masked. A ticket does instead of both. */
export function ConnectForm(props: {
  readonly engine: EngineState;
  readonly peer: string | undefined;
  readonly ticket: string | undefined;
}): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const peer = props.engine.peers[props.peer ?? ''];
  const fields: readonly FormField[] = [
    {
      name: 'who',
      label: 'Peer',
      kind: 'text',
      initial: peer?.name ?? props.ticket ?? '',
      placeholder: 'name, or a ticket: awl1…',
      check: (text) => (text.trim() === '' ? 'the name of a peer, or a ticket' : undefined),
    },
    {
      name: 'password',
      label: 'Its password',
      kind: 'password',
      placeholder: peer?.remembered ? 'not needed: remembered' : 'not needed with a ticket',
      hint: 'awl config get password shows it on the other machine',
    },
  ];
  const connect = ({ who = '', password = '' }: FormValues): void => {
    dispatch({ type: 'overlay', overlay: { kind: 'none' } });
    const entered = who.trim();
    const isTicket = /^awl1/i.test(entered);
    // The name as shown may have been cleaned, or be shared by two peers: the id is sure.
    const target = isTicket
      ? { ticket: entered }
      : { peer: peer && entered === peer.name ? peer.id : entered };
    void commander
      .run({
        name: 'peer.connect',
        params: { ...target, ...(password === '' ? {} : { password }) },
        doing: `Connecting to ${isTicket ? 'the ticket’s peer' : clean(entered)}`,
        done: 'Connecting',
      })
      .then((result) => result && dispatch({ type: 'open-peer', peer: result.peer }));
  };
  return (
    <Form
      title="Connect"
      fields={fields}
      verb="connect"
      onSubmit={connect}
      onCancel={() => dispatch({ type: 'overlay', overlay: { kind: 'none' } })}
    />
  );
}
