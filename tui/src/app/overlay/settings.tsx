import type { EngineState } from '@awl/api';
import type { ReactNode } from 'react';
import { settingFields } from '../model/settings.ts';
import { useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { Form, type FormValues } from './form.tsx';

/** A plugin's settings, asked for by its JSON Schema; only what was changed is set. */
export function SettingsForm(props: { readonly engine: EngineState; readonly plugin: string }): ReactNode {
  const [, dispatch] = useUi();
  const { commander } = useServices();
  const plugin = props.engine.plugins[props.plugin];
  const close = (): void => dispatch({ type: 'overlay', overlay: { kind: 'none' } });
  if (!plugin) return null;
  const fields = settingFields(plugin.settings);
  const submit = async (values: FormValues): Promise<void> => {
    close();
    const changed = fields.filter((field) => values[field.name] !== field.initial);
    for (const field of changed) {
      const result = await commander.run({
        name: 'config.set',
        params: { key: field.name, value: field.parse(values[field.name] ?? '') },
        doing: `Setting ${clean(field.name)}`,
      });
      if (result === undefined) return;
    }
    commander.say({
      kind: 'ok',
      text:
        changed.length === 0
          ? 'Nothing was changed'
          : `${clean(plugin.displayName)}: ${changed.length === 1 ? 'one setting' : `${changed.length} settings`} changed`,
    });
  };
  return (
    <Form
      title={`Settings of ${clean(plugin.displayName)}`}
      verb="save"
      fields={fields.map(({ name, label, kind, initial, hint, options, check }) => ({
        name,
        label: clean(label),
        kind: kind === 'choice' ? ('choice' as const) : ('text' as const),
        initial,
        hint,
        options,
        check,
      }))}
      onSubmit={(values) => void submit(values)}
      onCancel={close}
    />
  );
}
