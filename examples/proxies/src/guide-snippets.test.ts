import { createSimulator } from '@wechat-h5/simulator';
import { runnable } from '@wechat-h5/testkit/proxies';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTER } from './addresses.js';
import { deploy } from './deployment.js';
import { apache, nginx, softwareOf, type SetUp } from './set-up.js';

const PRINTED: readonly (SetUp & { readonly complaint: RegExp })[] = [
  {
    name: 'nginx refuses what is printed under nginx',
    hops: [nginx('guide/under-nginx', OUTER)],
    clientIp: {},
    complaint: /\[emerg\]/,
  },
  {
    name: 'Apache refuses what is printed under Apache',
    hops: [apache('guide/under-apache', OUTER)],
    clientIp: {},
    complaint: /Invalid command 'proxy_set_header'/,
  },
];

describe("the guide's two snippets stand under each other's heading", () => {
  for (const setUp of runnable(PRINTED, softwareOf)) {
    test(`${setUp.name}`, async () => {
      const simulator = await createSimulator();
      await expect(deploy(setUp, simulator)).rejects.toThrow(setUp.complaint);
      await simulator.stop();
    });
  }

  test("what is printed under Apache is nginx's, and runs in nginx/append.conf", () => {
    const lines = directivesOf('guide/under-apache.conf');
    expect(lines).toHaveLength(4);
    expect(directivesOf('nginx/append.conf')).toEqual(expect.arrayContaining(lines));
  });

  test("what is printed under nginx is Apache's, and runs in apache/behind-load-balancer.conf", () => {
    const lines = directivesOf('guide/under-nginx.conf');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['LoadModule', 'RemoteIPHeader', 'RemoteIPinternalProxy']);
    // Debian loads the module by a2enmod, and the address is the load balancer's, which 127.0.0.1 seldom is.
    expect(directivesOf('apache/behind-load-balancer.conf')).toEqual(
      expect.arrayContaining([lines[1], 'RemoteIPInternalProxy ${LOAD_BALANCER}']),
    );
  });
});

function directivesOf(file: string): string[] {
  const lines = readFileSync(join(__dirname, '..', file), 'utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}
