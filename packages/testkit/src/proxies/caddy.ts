import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher } from './launcher.js';

export const caddy: Launcher = {
  binary: 'caddy',
  package: 'caddy',
  versionArgument: 'version',
  // The kernel's choice: Debian's Caddy 2.6 has no option for it.
  fixedAddress: '127.0.0.1',
  prepare({ file, folder, listen }) {
    const main = join(folder, 'Caddyfile');
    writeFileSync(
      main,
      `
{
	admin off
	auto_https off
	storage file_system ${folder}
	http_port ${listen.port}
	default_bind ${listen.host}
	log {
		level ERROR
	}
}
import ${file}
`,
    );
    return ['run', '--config', main, '--adapter', 'caddyfile'];
  },
};
