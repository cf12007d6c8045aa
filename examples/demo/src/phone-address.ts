import { createServer } from 'node:net';

const OWN_ADDRESS = '127.0.0.5';
const SERVER_ADDRESS = '127.0.0.1';

/**
 * The address from which the phone connects: another one than the servers', so that it can be told from theirs.
 * Where the system has no second loopback address, as on macOS, theirs.
 */
export async function phoneAddress(): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(SERVER_ADDRESS));
    probe.listen(0, OWN_ADDRESS, () => probe.close(() => resolve(OWN_ADDRESS)));
  });
}
