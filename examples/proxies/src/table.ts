import type { Outcome, SetUp } from './set-up.js';
import { SHAPE_NAMES, type ShapeName } from './shapes.js';

/** One line of the matrix. */
export interface Row {
  readonly setUp: SetUp;
  readonly outcomes: Readonly<Record<ShapeName, Outcome>>;
  /** For how many shapes the guide's sample code would have sent the right address, where that was counted. */
  readonly guideSample?: number | undefined;
}

/** What every shape should come to. */
export function expectedOutcomes({ outcomes }: SetUp): Record<ShapeName, Outcome> {
  return Object.fromEntries(SHAPE_NAMES.map((name) => [name, outcomes?.[name] ?? 'right'])) as Record<
    ShapeName,
    Outcome
  >;
}

const MARKS: Readonly<Partial<Record<Outcome, string>>> = {
  right: '·',
  HEADER_MISSING: 'H',
  ITEM_INVALID: 'I',
  NOT_PUBLIC: 'N',
  ALL_TRUSTED: 'A',
  CHAIN_TOO_SHORT: 'C',
};

/** The matrix as text: a line for each deployment, a column for each shape. */
export function table(sections: Readonly<Record<string, readonly Row[]>>): string {
  const rows = Object.values(sections).flat();
  const width = Math.max(...rows.map(({ setUp }) => setUp.name.length));
  const numbers = SHAPE_NAMES.map((_name, index) => String(index + 1).padStart(3)).join('');
  const lines: string[] = [];
  for (const [title, section] of Object.entries(sections)) {
    const hasSample = section.some(({ guideSample }) => guideSample !== undefined);
    lines.push(`${title.padEnd(width)} ${numbers}${hasSample ? '   sample' : ''}`);
    for (const { setUp, outcomes, guideSample } of section) {
      const cells = SHAPE_NAMES.map((name) => markOf(outcomes[name]).padStart(3)).join('');
      lines.push(
        `${setUp.name.padEnd(width)} ${cells}${guideSample === undefined ? '' : String(guideSample).padStart(9)}`,
      );
    }
    lines.push('');
  }
  const used = new Set(rows.flatMap(({ outcomes }) => Object.values(outcomes)));
  const codes = Object.entries(MARKS).filter(([outcome]) => outcome !== 'right' && used.has(outcome as Outcome));
  lines.push(
    "· the address sent is the visitor's    ! another address was sent: believed",
    codes.map(([code, mark]) => `${mark} ${code}`).join('    '),
    '4 HTTP 400 or 431 from a server, before the library',
    `sample: for how many of the ${SHAPE_NAMES.length} the guide's sample code would have sent the visitor's address`,
    '',
    ...SHAPE_NAMES.map((name, index) => `${String(index + 1).padStart(2)} ${name}`),
  );
  return lines.join('\n');
}

function markOf(outcome: Outcome): string {
  if (outcome.startsWith('sent ')) return '!';
  return MARKS[outcome] ?? (outcome.startsWith('HTTP 4') ? '4' : outcome);
}
