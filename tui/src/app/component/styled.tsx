import { Text, type TextProps } from 'ink';
import type { ReactNode } from 'react';
import { useTheme } from '../store/context.tsx';
import type { TextRole } from '../theme.ts';

/** Text whose look follows from its role: `<Styled role="bad">no path</Styled>`. Cut at the end where it does not fit. */
export function Styled(props: {
  readonly role?: TextRole;
  readonly isBold?: boolean;
  readonly children?: ReactNode;
  readonly wrap?: TextProps['wrap'];
  readonly label?: string;
  readonly isHidden?: boolean;
}): ReactNode {
  const look = useTheme()[props.role ?? 'normal'];
  return (
    <Text
      {...look}
      bold={props.isBold ?? look.bold ?? false}
      wrap={props.wrap ?? 'truncate-end'}
      {...(props.label === undefined ? {} : { 'aria-label': props.label })}
      aria-hidden={props.isHidden ?? false}
    >
      {props.children}
    </Text>
  );
}
