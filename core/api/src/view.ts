/** What a view can be: data, never components. */
export type ViewKind = 'table' | 'keyvalue' | 'log' | 'sparkline' | 'text';

/** What a view shows. Re-sent on change, at most four times a second. */
export type ViewData =
  | {
      readonly kind: 'table';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | {
      readonly kind: 'keyvalue';
      readonly entries: readonly { readonly key: string; readonly value: string }[];
    }
  | { readonly kind: 'log'; readonly lines: readonly string[] }
  | { readonly kind: 'sparkline'; readonly values: readonly number[]; readonly unit?: string }
  | { readonly kind: 'text'; readonly text: string };
