import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launcher.js';

/** Where Debian keeps them. */
const MODULES = '/usr/lib/apache2/modules';

export const apache: Launcher = {
  binary: 'apache2',
  package: 'apache2',
  versionArgument: '-v',
  prepare({ file, folder, listen }) {
    const modules = ['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http', 'remoteip'];
    const main = join(folder, 'apache2.conf');
    writeFileSync(
      main,
      `
ServerRoot "${folder}"
ServerName shop.example
PidFile "${folder}/apache2.pid"
ErrorLog "${folder}/error.log"
Mutex file:${folder}
${modules.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
# Apache will not serve as root; for anybody else these two lines do nothing.
User nobody
Group nogroup


ThreadsPerChild 25

Listen \${LISTEN}
ProxySourceAddress ${listen.host}
Include "${file}"
`,
    );
    return ['-d', folder, '-f', main, '-X', '-E', '/dev/stderr'];
  },
};
