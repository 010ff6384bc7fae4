import { PasswordInput, Select, TextInput } from '@inkjs/ui';
import { Box } from 'ink';
import { useState, type ReactNode } from 'react';
import { Styled } from '../component/styled.tsx';
import { useStable } from '../component/use-stable.ts';
import { clean } from '../text/clean.ts';
import { fit } from '../text/width.ts';

/** One question of a form. */
export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'password' | 'choice';
  readonly initial?: string;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly options?: readonly string[];
  /** What is wrong with the entered text, or nothing. */
  readonly check?: (text: string) => string | undefined;
}

const LABEL_WIDTH = 18;

function Input(props: {
  readonly field: FormField;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly onDone: (text: string) => void;
}): ReactNode {
  const { field, value } = props;
  const onChange = useStable(props.onChange);
  const onDone = useStable(props.onDone);
  // Select says nothing when its chosen option is confirmed again: the current one goes first instead of being chosen.
  const [options] = useState(() =>
    [value, ...(field.options ?? []).filter((option) => option !== value)]
      .filter((option) => option !== '')
      .map((option) => ({ label: clean(option), value: option })),
  );
  const placeholder = field.placeholder === undefined ? {} : { placeholder: field.placeholder };
  if (field.kind === 'choice') return <Select options={options} onChange={onDone} />;
  if (field.kind === 'password')
    return <PasswordInput {...placeholder} onChange={onChange} onSubmit={onDone} />;
  return <TextInput {...placeholder} defaultValue={value} onChange={onChange} onSubmit={onDone} />;
}

/** A question with its answer, or with the input for it while `isActive`. */
export function FormFieldLine(props: {
  readonly field: FormField;
  readonly value: string;
  readonly isActive: boolean;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
  readonly onDone: (text: string) => void;
}): ReactNode {
  const { field, value, isActive, problem } = props;
  const shown = field.kind === 'password' ? '•'.repeat(value.length) : clean(value);
  return (
    <Box flexDirection="column">
      <Box>
        <Box flexShrink={0}>
          <Styled role="accent">{isActive ? '▸ ' : '  '}</Styled>
          <Styled isBold={isActive}>{fit(field.label, LABEL_WIDTH)}</Styled>
        </Box>
        {isActive ? (
          <Input field={field} value={value} onChange={props.onChange} onDone={props.onDone} />
        ) : (
          <Styled role={value === '' ? 'muted' : 'normal'}>
            {value === '' ? (field.placeholder ?? '–') : shown}
          </Styled>
        )}
      </Box>
      {(problem !== undefined || (isActive && field.hint !== undefined && field.hint !== '')) && (
        <Box paddingLeft={LABEL_WIDTH + 2}>
          <Styled role={problem === undefined ? 'muted' : 'bad'}>{problem ?? clean(field.hint ?? '')}</Styled>
        </Box>
      )}
    </Box>
  );
}
