/** A port from 1 to 65535. */
function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}

/** A host name or address without a port; an IPv6 address stands in brackets. */
function isHost(text: string): boolean {
  return (
    /^\[[0-9a-fA-F:.%]{2,}\]$/.test(text) || /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(text)
  );
}

/** What is wrong with a listener such as `:8585`, `8585` or `127.0.0.1:8585`; undefined where nothing is. */
export function checkListen(text: string): string | undefined {
  const entered = text.trim();
  const match = /^(?:(.*):)?([^:]*)$/.exec(entered);
  const [host, port] = [match?.[1] ?? '', match?.[2] ?? ''];
  if (!isPort(port)) return 'a port from 1 to 65535, such as :8585';
  if (host !== '' && !isHost(host)) return 'an address and a port, such as 127.0.0.1:8585';
  return undefined;
}

/** What is wrong with a target such as `192.168.1.45:80`; undefined where nothing is. */
export function checkTarget(text: string): string | undefined {
  const match = /^(.+):([^:]+)$/.exec(text.trim());
  if (!match || !isHost(match[1] ?? '')) return 'a host and a port, such as 192.168.1.45:80';
  return isPort(match[2] ?? '') ? undefined : 'a port from 1 to 65535';
}

/** `127.0.0.1:8585` of `8585` or `:8585`: a listener is for this machine only unless its address says otherwise. */
export function completeListen(text: string): string {
  const entered = text.trim();
  if (/^:?\d+$/.test(entered)) return `127.0.0.1:${entered.replace(':', '')}`;
  return entered;
}

/** `127.0.0.1:22` of `127.0.0.1:22/tcp`: the protocol has a column of its own. */
export function bareTarget(target: string): string {
  return target.replace(/\/(tcp|udp)$/, '');
}

/** What is wrong with a peer's name; undefined where nothing is. */
export function checkName(text: string): string | undefined {
  return /^[A-Za-z0-9_-]{1,63}$/.test(text.trim())
    ? undefined
    : '1 to 63 letters, digits, hyphens or underscores';
}

/** What is wrong with a rendezvous address; undefined where nothing is. */
export function checkRendezvous(text: string): string | undefined {
  const entered = text.trim();
  if (entered === '') return undefined;
  const rest = entered.replace(/^[a-z]+:\/\//, '');
  return /\s/.test(rest) ||
    !isHost(
      rest
        .replace(/[/?#].*$/, '')
        .replace(/^[^@]*@/, '')
        .replace(/:\d+$/, ''),
    )
    ? 'a host, such as rv.example.org or rv.example.org:7777'
    : undefined;
}
