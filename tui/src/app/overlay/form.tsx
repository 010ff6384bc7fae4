import { Box } from 'ink';
import { useState, type ReactNode } from 'react';
import { Panel } from '../component/panel.tsx';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useRoom } from '../store/context.tsx';
import { hasLineEnd, withoutLineEnds } from '../text/line-end.ts';
import { FormFieldLine, type FormField } from './form-field.tsx';

/** What was entered, by field name. */
export type FormValues = { readonly [name: string]: string };

/** A form's widest reasonable width, cells. */
const WIDEST = 96;

/**
 * Questions one after the other: enter goes on and at the last one submits, up and shift-tab go back, esc leaves.
 * A wrong answer keeps the cursor where it is and says what is expected.
 */
export function Form(props: {
  readonly title: string;
  readonly intro?: string;
  readonly fields: readonly FormField[];
  readonly verb: string;
  readonly onSubmit: (values: FormValues) => void;
  readonly onCancel: () => void;
}): ReactNode {
  const { fields } = props;
  const { columns } = useRoom();
  const [values, setValues] = useState<FormValues>(() =>
    Object.fromEntries(fields.map((field) => [field.name, field.initial ?? ''])),
  );
  const [at, setAt] = useState(0);
  const [problem, setProblem] = useState<string>();
  // An input that took a line end into its text is made anew with the text alone.
  const [round, setRound] = useState(0);

  const isRight = (index: number, entered: FormValues): boolean => {
    const field = fields[index];
    const wrong = field?.check?.(entered[field.name] ?? '');
    setProblem(wrong);
    if (wrong !== undefined) setAt(index);
    return wrong === undefined;
  };
  const done = (name: string, text: string): void => {
    const entered = { ...values, [name]: withoutLineEnds(text) };
    setValues(entered);
    if (!isRight(at, entered)) return;
    if (at + 1 < fields.length) setAt(at + 1);
    else if (fields.every((_, index) => isRight(index, entered))) props.onSubmit(entered);
  };
  const change = (name: string, text: string): void => {
    setValues((before) => ({ ...before, [name]: withoutLineEnds(text) }));
    if (!hasLineEnd(text)) return;
    setRound(round + 1);
    done(name, text);
  };
  useKeys((_input, key) => {
    if (key.escape) return props.onCancel();
    const isChoice = fields[at]?.kind === 'choice';
    const isBack = (key.tab && key.shift) || (key.upArrow && !isChoice);
    if (isBack && at > 0) {
      setProblem(undefined);
      setAt(at - 1);
    }
    const isOn = (key.tab && !key.shift) || (key.downArrow && !isChoice);
    if (isOn && at + 1 < fields.length && isRight(at, values)) setAt(at + 1);
  });

  return (
    <Box paddingX={2} paddingTop={1} flexDirection="column">
      <Panel title={props.title} width={Math.min(WIDEST, columns - 4)} isAccented>
        {props.intro !== undefined && (
          <Box marginBottom={1}>
            <Styled role="muted" wrap="wrap">
              {props.intro}
            </Styled>
          </Box>
        )}
        {fields.map((field, index) => (
          <FormFieldLine
            key={`${field.name} ${round}`}
            field={field}
            value={values[field.name] ?? ''}
            isActive={index === at}
            problem={index === at ? problem : undefined}
            onChange={(text) => change(field.name, text)}
            onDone={(text) => done(field.name, text)}
          />
        ))}
        <Box marginTop={1}>
          <Styled role="accent">enter</Styled>
          <Styled role="muted">{` ${at + 1 < fields.length ? 'next' : props.verb}   `}</Styled>
          <Styled role="accent">↑</Styled>
          <Styled role="muted"> back </Styled>
          <Styled role="accent"> esc</Styled>
          <Styled role="muted"> leave it</Styled>
        </Box>
      </Panel>
    </Box>
  );
}
