import { isIPv4 } from 'node:net';

/** Whether `hostname` (as `URL` spells it) can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    host === '::1' ||
    (isIPv4(host) && host.startsWith('127.'))
  );
}

/** Reads an absolute http or https URL; `undefined` for anything else. */
export function parseHttpUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  return new URL(text);
}
