import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BELIEVED_MISTAKES, NAMED_MISTAKES } from './mistakes.js';
import { RIGHT_SET_UPS } from './right-set-ups.js';
import type { SetUp } from './set-up.js';
import { SHAPE_NAMES } from './shapes.js';
import { expectedOutcomes, table, type Row } from './table.js';

const FOLDER = join(__dirname, '..');
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

test('the README prints the matrix that is tested', () => {
  const row = (setUp: SetUp & { readonly guideSample?: number }): Row => ({
    setUp,
    outcomes: expectedOutcomes(setUp),
    guideSample: setUp.guideSample,
  });
  const expected = table({
    Right: RIGHT_SET_UPS.map(row),
    'Wrong, named at once': NAMED_MISTAKES.map(row),
    'Wrong, and believed': BELIEVED_MISTAKES.map(row),
  });
  const printed = /<!-- matrix -->\s*```text\n(.*?)\n```\s*<!-- \/matrix -->/s.exec(readme)?.[1];
  expect(printed).toBe(expected);
});

test('every configuration is run, and every right one is in the README', () => {
  const used = new Set(
    [...RIGHT_SET_UPS, ...NAMED_MISTAKES, ...BELIEVED_MISTAKES].flatMap(({ hops }) => hops.map(({ file }) => file)),
  );
  const folders = ['nginx', 'apache', 'haproxy', 'caddy', 'broken'];
  const files = folders.flatMap((folder) => readdirSync(join(FOLDER, folder)).map((file) => `${folder}/${file}`));
  expect(files.filter((file) => !used.has(file))).toEqual([]);
  expect(files.filter((file) => !file.startsWith('broken/') && !readme.includes(`(${file})`))).toEqual([]);
});

test.each(['docs/trusted-proxies.md', 'docs/trusted-proxies.zh-CN.md'])('%s counts as the matrix does', (path) => {
  const sampleOf = (wanted: string) => RIGHT_SET_UPS.find(({ name }) => name === wanted)?.guideSample;
  expect([sampleOf("nginx, the guide's lines"), SHAPE_NAMES.length]).toEqual([7, 21]);
  expect(sampleOf('nginx → nginx, both append')).toBe(0);
  expect(readFileSync(join(FOLDER, '../..', path), 'utf8')).toMatch(/right for 7 of 21 requests|21 种请求中只对 7 种/);
});
