import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launcher, Placeholders } from './launcher.js';

/** nginx reads no environment: its placeholders are filled in first, as `envsubst` in its Docker image does. */
export const nginx: Launcher = {
  binary: 'nginx',
  package: 'nginx',
  versionArgument: '-v',
  prepare({ file, folder, listen, placeholders }) {
    mkdirSync(join(folder, 'temp'));
    const site = join(folder, 'site.conf');
    writeFileSync(site, fill(readFileSync(file, 'utf8'), placeholders));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const isUnix = placeholders.SHOP.startsWith('/');
    const main = join(folder, 'nginx.conf');
    writeFileSync(
      main,
      `
daemon off;
# One process, with the rights of whoever runs the tests.
master_process off;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
    access_log off;
    ${temporary.map((name) => `${name}_temp_path ${folder}/temp/${name};`).join('\n    ')}
    ${isUnix ? '' : `proxy_bind ${listen.host};`}
    include ${site};
}
`,
    );
    return ['-p', folder, '-c', main, '-e', 'stderr'];
  },
};

function fill(text: string, placeholders: Placeholders): string {
  return text.replace(/\$\{([A-Z_]+)\}/g, (_whole, name: string) => {
    const value = new Map(Object.entries(placeholders)).get(name);
    if (value === undefined) throw new Error(`The configuration asks for ${name}, which is not given`);
    return value;
  });
}
