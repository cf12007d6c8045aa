import { chownSync, readFileSync } from 'node:fs';

/** As `node:child_process` takes it. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Whom to run servers as that refuse to run as root: nobody else when the tests do not run as root, else the
 * first of these accounts that the machine has.
 */
export function unprivilegedUser(names: readonly string[]): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of names) {
    const account = accounts.find(([login]) => login === name);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error(`This server refuses to run as root, and there is no account named ${names.join(' or ')}`);
}

/** Makes a file or folder that account's own. */
export function giveTo(user: SystemUser | undefined, path: string): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}
