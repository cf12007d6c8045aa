import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launcher.js';

export const haproxy: Launcher = {
  binary: 'haproxy',
  package: 'haproxy',
  versionArgument: '-v',
  prepare({ file, folder, listen }) {
    const defaults = join(folder, 'defaults.cfg');
    writeFileSync(
      defaults,
      `
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    source ${listen.host}
`,
    );
    return ['-db', '-f', defaults, '-f', file];
  },
};
