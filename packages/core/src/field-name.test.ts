import { documentedName, DOCUMENTED_NAMES, UNDOCUMENTED } from './field-name.js';

const find = (name: string): number => documentedName(Buffer.from(`<${name}>`), 1, 1 + name.length);

test('the documented names ascend byte by byte, which the scanner relies on', () => {
  const bytes = DOCUMENTED_NAMES.map((name) => Buffer.from(name));
  expect([...bytes].sort(Buffer.compare)).toEqual(bytes);
  expect(new Set(DOCUMENTED_NAMES).size).toBe(DOCUMENTED_NAMES.length);
});

test.each(DOCUMENTED_NAMES.map((name, index) => [name, index]))('%s has a slot of its own', (name, index) => {
  expect(find(name as string)).toBe(index);
});

const LETTERS = '_0123456789abcdefghijklmnopqrstuvwxyz';

test('a name that only resembles a documented one is not it', () => {
  for (const name of DOCUMENTED_NAMES) {
    for (let at = 0; at < name.length; at++) {
      const other = `${name.slice(0, at)}~${name.slice(at + 1)}`;
      expect(find(other)).toBe(UNDOCUMENTED);
    }
    // Enough of them that some share the slot of the name.
    for (const first of LETTERS) {
      for (const second of LETTERS) {
        const longer = name + first + second;
        if (!DOCUMENTED_NAMES.includes(longer)) expect(find(longer)).toBe(UNDOCUMENTED);
      }
    }
  }
});
