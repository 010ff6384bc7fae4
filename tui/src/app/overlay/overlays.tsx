import type { ReactNode } from 'react';
export function Overlays(_props: object): ReactNode { return null; }
