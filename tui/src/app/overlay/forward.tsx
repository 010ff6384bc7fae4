import type { Commands, EngineState, ForwardState } from '@awl/api';
import { ConfirmInput } from '@inkjs/ui';
import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { bareTarget, checkListen, checkTarget, completeListen } from '../model/endpoints.ts';
import type { Commander } from '../store/commander.ts';
import { useRoom, useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { Form, type FormValues } from './form.tsx';

type AddParams = Commands['forward.add']['params'];

function paramsOf(forward: ForwardState): AddParams {
  return {
    peer: forward.peer,
    listen: forward.listen,
    protocol: forward.protocol,
    store: true,
    ...(forward.target === undefined ? {} : { target: bareTarget(forward.target) }),
  };
}

/** Puts a forward in the place of another. The old one goes first, since both may want one port; it comes back when the new one fails. */
async function replaceForward(commander: Commander, old: ForwardState, next: AddParams): Promise<void> {
  const removed = await commander.run({
    name: 'forward.remove',
    params: { forward: old.id },
    doing: 'Changing the forward',
  });
  if (removed === undefined) return;
  const added = await commander.run({
    name: 'forward.add',
    params: next,
    doing: 'Changing the forward',
    done: ({ listen }) => `Listening on ${clean(listen)}`,
  });
  if (added !== undefined) return;
  const failure = commander.notice();
  await commander.run({ name: 'forward.add', params: paramsOf(old), doing: 'Restoring the forward' });
  if (failure) commander.say({ ...failure, text: `${failure.text} The forward is as it was.` });
}

/** Adds or edits a forward: a local port that leads to a service of a peer. */
export function ForwardForm(props: {
  readonly engine: EngineState;
  readonly id?: string;
  readonly peer?: string;
}): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const { peers, forwards } = props.engine;
  const old = forwards[props.id ?? ''];
  const peer = peers[old?.peer ?? props.peer ?? ''];
  const isTaken = (listen: string, protocol?: string): boolean =>
    Object.values(forwards).some(
      (each) =>
        each.id !== old?.id &&
        each.listen === completeListen(listen) &&
        (protocol === undefined || each.protocol === protocol),
    );
  const submit = (values: FormValues): void => {
    dispatch({ type: 'overlay', overlay: { kind: 'none' } });
    const who = (values['peer'] ?? '').trim();
    const target = (values['target'] ?? '').trim();
    const next: AddParams = {
      peer: peer && who === peer.name ? peer.id : who,
      listen: completeListen(values['listen'] ?? ''),
      protocol: values['protocol'] === 'udp' ? 'udp' : 'tcp',
      store: true,
      ...(target === '' ? {} : { target }),
      ...(values['password'] ? { password: values['password'] } : {}),
    };
    if (old) void replaceForward(commander, old, next);
    else
      void commander.run({
        name: 'forward.add',
        params: next,
        doing: 'Adding the forward',
        done: ({ listen }) => `Listening on ${clean(listen)}`,
      });
  };
  return (
    <Form
      title={old ? 'Edit the forward' : 'Add a forward'}
      intro="A port on this machine that leads to a service of a peer."
      verb={old ? 'change' : 'add'}
      fields={[
        {
          name: 'peer',
          label: 'Peer',
          kind: 'text',
          initial: peer?.name ?? '',
          placeholder: 'name',
          check: (text) => (text.trim() === '' ? 'the name of a peer' : undefined),
        },
        {
          name: 'listen',
          label: 'Listen here on',
          kind: 'text',
          initial: old?.listen ?? '',
          placeholder: ':8585',
          check: (text) => checkListen(text) ?? (isTaken(text) ? 'another forward listens there' : undefined),
        },
        {
          name: 'target',
          label: 'Target there',
          kind: 'text',
          initial: bareTarget(old?.target ?? ''),
          placeholder: 'what the peer shares',
          hint: 'as seen from the peer, such as 127.0.0.1:22',
          check: (text) => (text.trim() === '' ? undefined : checkTarget(text)),
        },
        {
          name: 'protocol',
          label: 'Protocol',
          kind: 'choice',
          initial: old?.protocol ?? 'tcp',
          options: ['tcp', 'udp'],
        },
        ...(peer && !peer.remembered
          ? [
              {
                name: 'password',
                label: 'Its password',
                kind: 'password' as const,
                placeholder: 'empty if not needed',
              },
            ]
          : []),
      ]}
      onSubmit={submit}
      onCancel={() => dispatch({ type: 'overlay', overlay: { kind: 'none' } })}
    />
  );
}

/** Offers a service of this machine or its network to others. */
export function ShareForm(): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });
  const submit = (values: FormValues): void => {
    close();
    const adding = commander.run({
      name: 'share.add',
      params: {
        target: (values['target'] ?? '').trim(),
        protocol: values['protocol'] === 'udp' ? 'udp' : 'tcp',
        store: true,
      },
      doing: 'Sharing',
      done: 'Shared; its ticket is below',
    });
    // The new row is chosen, since its ticket shows with it, whole.
    void adding.then((result) => {
      if (!result) return;
      dispatch({ type: 'screen', screen: 'forwards' });
      dispatch({ type: 'cursor', list: 'forwards', id: `s:${result.share}` });
    });
  };
  return (
    <Form
      title="Share a service"
      intro="Others may use it with a ticket, or by this machine's name and password."
      verb="share"
      fields={[
        {
          name: 'target',
          label: 'Service',
          kind: 'text',
          placeholder: '192.168.1.45:80',
          check: checkTarget,
        },
        { name: 'protocol', label: 'Protocol', kind: 'choice', initial: 'tcp', options: ['tcp', 'udp'] },
      ]}
      onSubmit={submit}
      onCancel={close}
    />
  );
}

/** Asks before a forward or share is removed. */
export function RemoveConfirm(props: {
  readonly what: 'forward' | 'share';
  readonly id: string;
  readonly label: string;
}): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const { columns } = useRoom();
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });
  const remove = (): void => {
    close();
    const words = { doing: `Removing ${props.label}`, done: `${props.label} was removed` };
    if (props.what === 'forward')
      void commander.run({ name: 'forward.remove', params: { forward: props.id }, ...words });
    else void commander.run({ name: 'share.remove', params: { share: props.id }, ...words });
  };
  useKeys((_input, key) => {
    if (key.escape) close();
  });
  return (
    <Box paddingX={2} paddingTop={1}>
      <Panel title={`Remove this ${props.what}?`} width={Math.min(70, columns - 4)} isAccented>
        <Box>
          <Styled>{`${props.label}: its open connections end.  `}</Styled>
          <ConfirmInput submitOnEnter={false} onConfirm={remove} onCancel={close} />
        </Box>
      </Panel>
    </Box>
  );
}
