import { join } from 'node:path';
import { readText, ROOT } from './workspace.js';

const LANGUAGES = [
  ['Seen: ', 'Why: ', 'Change: '],
  ['看到：', '原因：', '处理：'],
];
const HAN = /\p{Script=Han}/u;

const entries = readText('docs/errors.md')
  .split(/^### /m)
  .slice(1)
  .map((text) => {
    const [code = '', ...lines] = text.split('\n');
    return { code, items: lines.filter((line) => line.startsWith('- ')).map((line) => line.slice('- '.length)) };
  });

test('docs/errors.md has one entry for each code, in the order of the codes', async () => {
  const { ERROR_CODES } = (await import(join(ROOT, 'packages/core/src/errors.ts'))) as {
    ERROR_CODES: readonly string[];
  };
  expect(ERROR_CODES.length).toBeGreaterThan(50);
  expect(entries.map(({ code }) => code)).toEqual([...ERROR_CODES]);
});

test.each(entries)('$code: what was seen, why, what to change, in both languages', ({ items }) => {
  const [english = [], chinese = []] = LANGUAGES;
  expect(items).toEqual(
    [...english, ...chinese].map((label) => expect.stringMatching(new RegExp(`^${label}\\S.{3,}`))),
  );
  expect(items.slice(3).every((item) => HAN.test(item.slice('看到：'.length)))).toBe(true);
});
