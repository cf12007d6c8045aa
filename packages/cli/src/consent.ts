import type { Arguments, OptionSpec } from './arguments.js';
import type { Context } from './command.js';
import { usage } from './failure.js';
import type { Text } from './language.js';
import { confirmed, isInteractive, printable } from './terminal.js';

export const YES: OptionSpec = {
  type: 'boolean',
  text: { en: 'do not ask; needed where nobody can be asked', zh: '不再询问；非交互环境必须指定' },
};

/** Refuses at once, before anything is asked of WeChat Pay, if consent could not be had. */
export function requireConsentPossible(args: Arguments, context: Context): void {
  if (args.has('yes') || isInteractive(context)) return;
  throw usage(
    { en: 'This cannot be undone, and there is no terminal to ask on', zh: '该操作不可撤销，且当前没有可供确认的终端' },
    { en: 'Add --yes if it is meant.', zh: '确认执行请加 --yes。' },
  );
}

/** Whether the operator wants what `question` describes: by `--yes`, or by saying so. */
export async function hasConsent(args: Arguments, context: Context, question: Text): Promise<boolean> {
  if (args.has('yes')) return true;
  if (await confirmed(context, `${printable(context.say(question))} [y/N] `)) return true;
  context.stderr.write(context.say({ en: 'Nothing was done.\n', zh: '未执行任何操作。\n' }));
  return false;
}
