import { conformanceCases } from './index.js';

/** Every combination that has to pass every case: one that did not run is one that failed. */
export const COMBINATIONS = [
  'express 5',
  'express 4',
  'koa 3',
  'koa 2',
  'nest 12 express',
  'nest 12 fastify',
  'nest 11 express',
  'nest 11 fastify',
] as const;

/** The part of Jest's `--json` that matters here. */
export interface JestResults {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

export interface ResultTable {
  readonly text: string;
  /** Whether every case passed in every combination. */
  readonly complete: boolean;
}

const COLUMN = 9;
const MARKS = { passed: '✓', failed: '✗', missing: '–' } as const;

/** Rows: cases, columns: combinations. A dash is a test that did not run. */
export function resultTable(results: JestResults): ResultTable {
  const marks = new Map<string, keyof typeof MARKS>();
  for (const { ancestorTitles, title, status } of results.testResults.flatMap((file) => file.assertionResults)) {
    marks.set(
      `${ancestorTitles[0]} ${title}`,
      status === 'passed' ? 'passed' : status === 'failed' ? 'failed' : 'missing',
    );
  }
  const markOf = (combination: string, id: string, title: string) =>
    marks.get(`${combination} ${id} ${title}`) ?? 'missing';
  const rows = conformanceCases.map(({ id, title }) => {
    const cells = COMBINATIONS.map((combination) => MARKS[markOf(combination, id, title)]);
    return line([id, ...cells], title);
  });
  const passed = COMBINATIONS.map(
    (combination) => conformanceCases.filter(({ id, title }) => markOf(combination, id, title) === 'passed').length,
  );
  const total = passed.reduce((sum, count) => sum + count, 0);
  const expected = conformanceCases.length * COMBINATIONS.length;
  const text = [
    ...headings().map((cells) => line(['', ...cells], '')),
    ...rows,
    line(['', ...passed.map(String)], `passed, of ${conformanceCases.length}`),
    `${total} of ${expected}: ${conformanceCases.length} cases in ${COMBINATIONS.length} combinations`,
  ].join('\n');
  return { text, complete: total === expected };
}

/** `nest 12 fastify` → `nest 12` above `fastify`. */
function headings(): readonly (readonly string[])[] {
  const split = COMBINATIONS.map((name) => [
    name.slice(0, name.lastIndexOf(' ')),
    name.slice(name.lastIndexOf(' ') + 1),
  ]);
  return [0, 1].map((part) => split.map((parts) => parts[part] ?? ''));
}

function line([id = '', ...cells]: readonly string[], title: string): string {
  return `${id.padEnd(4)}${cells.map((cell) => cell.padEnd(COLUMN)).join('')}${title}`.trimEnd();
}
