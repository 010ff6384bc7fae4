import { useLayoutEffect, useRef, useState } from 'react';
import { useUi } from '../store/context.tsx';
import { useKeys } from './use-keys.ts';

/** The visible part of a list, and the row the cursor is on. */
export interface ListWindow<T> {
  readonly visible: readonly T[];
  readonly selected: T | undefined;
  /** Index of the first visible row, and of the selected one; -1 in an empty list. */
  readonly top: number;
  readonly index: number;
  readonly total: number;
}

/**
 * A list with a cursor, of which `height` rows are visible. The cursor stays on its row's id when rows come, go or move.
 * With `isFollowing`, no chosen row means the last one, which stays in view as rows come.
 * Keys: arrows, j and k, page up and down, home and end, g and G.
 */
export function useList<T extends { readonly id: string }>(
  name: string,
  items: readonly T[],
  height: number,
  isActive: boolean,
  isFollowing = false,
): ListWindow<T> {
  const [ui, dispatch] = useUi();
  const [place, setPlace] = useState({ top: 0, index: 0 });
  const cursor = ui.cursors[name];
  const found = cursor === undefined ? -1 : items.findIndex((item) => item.id === cursor);
  const rows = Math.max(1, height);
  const kept = isFollowing && !cursor ? items.length - 1 : Math.min(place.index, items.length - 1);
  const index = found >= 0 ? found : kept;
  let top = Math.min(place.top, Math.max(0, items.length - rows));
  if (index >= 0 && index < top) top = index;
  if (index >= top + rows) top = index - rows + 1;
  if (top !== place.top || (index >= 0 && index !== place.index))
    setPlace({ top, index: Math.max(0, index) });

  // Several keys may come before the next render.
  const at = useRef(index);
  useLayoutEffect(() => {
    at.current = index;
  });
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(items.length - 1, to));
    const item = items[next];
    if (!item) return;
    at.current = next;
    const isAtEnd = isFollowing && next === items.length - 1;
    dispatch({ type: 'cursor', list: name, id: isAtEnd ? '' : item.id });
  };
  useKeys((input, key) => {
    if (key.downArrow || input === 'j') move(at.current + 1);
    else if (key.upArrow || input === 'k') move(at.current - 1);
    else if (key.pageDown) move(at.current + rows);
    else if (key.pageUp) move(at.current - rows);
    else if (key.home || input === 'g') move(0);
    else if (key.end || input === 'G') move(items.length - 1);
  }, isActive);
  return { visible: items.slice(top, top + rows), selected: items[index], top, index, total: items.length };
}
