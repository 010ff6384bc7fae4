/** Monotonic time that means the same in every process of this machine, milliseconds. */
export function machineNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
