import { parseArgs } from 'node:util';
import { usage } from './failure.js';
import type { Text } from './language.js';
import { nearest } from './nearest.js';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help: `<file>`. */
  readonly value?: string;
  readonly text: Text;
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** The value of an option that was given. */
  text(name: string): string | undefined;
  has(name: string): boolean;
}

/**
 * Reads the arguments behind a command's name.
 * @throws {Failure} of usage, for an unknown option (with the nearest one), a missing value, one too many
 */
export function parseArguments(
  args: readonly string[],
  specs: Readonly<Record<string, OptionSpec>>,
  maxPositionals: number,
): Arguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(specs).map(([name, { type }]) => [name, { type }])),
    allowPositionals: true,
    // Strict mode writes its messages itself, in English and with the arguments in them.
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const values = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw unknownOption(rawName, Object.keys(specs));
    if (values.has(name)) throw usage({ en: `${rawName} is given twice`, zh: `${rawName} 重复` });
    if (spec.type === 'boolean') {
      if (value !== undefined) throw usage({ en: `${rawName} takes no value`, zh: `${rawName} 不需要值` });
      values.set(name, true);
    } else {
      const taken = value !== undefined && value !== '' && (inlineValue === true || !/^-./.test(value));
      if (!taken) throw usage({ en: `${rawName} needs ${spec.value}`, zh: `${rawName} 需要 ${spec.value}` });
      values.set(name, value);
    }
  }
  if (positionals.length > maxPositionals) {
    const extra = JSON.stringify(positionals[maxPositionals]);
    throw usage({ en: `One argument too many: ${extra}`, zh: `多余的参数：${extra}` });
  }
  return {
    positionals,
    text: (name) => values.get(name) as string | undefined,
    has: (name) => values.has(name),
  };
}

function unknownOption(rawName: string, names: readonly string[]): Error {
  const meant = nearest(rawName.replace(/^-+/, ''), names);
  return usage(
    { en: `There is no option ${rawName}`, zh: `没有选项 ${rawName}` },
    meant === undefined
      ? { en: '--help lists them.', zh: '--help 列出所有选项。' }
      : { en: `Did you mean --${meant}?`, zh: `是否想用 --${meant}？` },
  );
}
