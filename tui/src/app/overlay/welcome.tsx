import type { EngineState } from '@awl/api';
import type { ReactNode } from 'react';
import { checkName, checkRendezvous } from '../model/endpoints.ts';
import { useServices, useUi } from '../store/context.tsx';
import { Form, type FormValues } from './form.tsx';

/** The first start: two questions, each with an answer already there. */
export function Welcome(props: { readonly engine: EngineState }): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const { node, rendezvous } = props.engine;
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });
  const submit = async (values: FormValues): Promise<void> => {
    close();
    const name = (values['name'] ?? '').trim();
    const url = (values['rendezvous'] ?? '').trim();
    if (
      name !== node.name &&
      (await commander.run({
        name: 'config.set',
        params: { key: 'name', value: name },
        doing: 'Setting the name',
      })) === undefined
    )
      return;
    if (
      url !== '' &&
      url !== rendezvous.url &&
      (await commander.run({ name: 'rendezvous.set', params: { url }, doing: `Connecting to ${url}` })) ===
        undefined
    )
      return;
    commander.say({ kind: 'ok', text: 'Ready. ? shows the keys of each screen' });
  };
  return (
    <Form
      title="Welcome to awl"
      intro="Direct connections between machines behind NAT. Two questions; enter takes what is there."
      verb="start"
      fields={[
        {
          name: 'rendezvous',
          label: 'Rendezvous',
          kind: 'text',
          initial: rendezvous.url,
          placeholder: 'none: tickets only',
          hint: 'where your machines find each other; awl rendezvous runs one',
          check: checkRendezvous,
        },
        {
          name: 'name',
          label: 'This machine',
          kind: 'text',
          initial: node.name,
          hint: 'how others see it',
          check: checkName,
        },
      ]}
      onSubmit={(values) => void submit(values)}
      onCancel={close}
    />
  );
}
