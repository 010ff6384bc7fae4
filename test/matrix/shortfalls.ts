/** Cells that do not meet their goal, and why. A cell that meets it again must leave this list. */
export const SHORTFALLS: { readonly [cell: string]: string } = {};
