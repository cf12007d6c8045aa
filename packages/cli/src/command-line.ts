import { parseArguments, type Arguments } from './arguments.js';
import { COMMANDS } from './commands.js';
import type { Command, Context } from './command.js';
import { apiKeysOf, readEnvironment } from './configuration.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { describe, usage } from './failure.js';
import { commandHelp, generalHelp, GLOBAL_OPTIONS } from './help.js';
import { languageOf, type Language, type Text } from './language.js';
import { nearest } from './nearest.js';
import { refuseSecrets } from './secret-arguments.js';
import { painter, printable, type Terminal } from './terminal.js';
import { VERSION } from './version.js';

/**
 * Runs one command to its end.
 * @param args without the program's name
 * @returns what the process should end with; never rejects
 */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  // The language and the form of an error are wanted before the arguments are known to be right.
  const manner = { json: args.includes('--json'), language: languageGiven(args) ?? languageOf(terminal.env) };
  try {
    return await dispatch(args, terminal, manner);
  } catch (error) {
    return report(error, terminal, manner);
  }
}

interface Manner {
  readonly json: boolean;
  readonly language: Language;
}

async function dispatch(args: readonly string[], terminal: Terminal, manner: Manner): Promise<ExitCode> {
  const { language, json } = manner;
  const at = commandIndex(args);
  const name = nameAt(args, at);
  const command = name === undefined || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name];
  refuseSecrets(args, { takesNumbers: command?.takesNumbers === true, apiKeys: [] });

  if (name === undefined) return withoutCommand(parseArguments(args, GLOBAL_OPTIONS, 0), terminal, language);
  if (name === 'help') return help(nameAt(args, at + 1), terminal, language);
  if (command === undefined && isGroup(name) && args.includes('--help')) return help(name, terminal, language);
  if (command === undefined) throw unknownCommand(name);
  const rest = args.toSpliced(at, name.split(' ').length);
  if (rest.includes('--help')) return help(name, terminal, language);
  const parsed = parseArguments(rest, { ...command.options, ...GLOBAL_OPTIONS }, command.maxPositionals);
  const lang = parsed.text('lang');
  if (lang !== undefined && lang !== 'en' && lang !== 'zh') {
    throw usage({ en: '--lang is neither en nor zh', zh: '--lang 只能是 en 或 zh' });
  }
  const env = readEnvironment(terminal.env, parsed.text('env'));
  refuseSecrets(args, { takesNumbers: command.takesNumbers, apiKeys: apiKeysOf(env) });
  return command.run(parsed, contextOf(terminal, env, { language, json }));
}

function contextOf({ stdin, stdout, stderr }: Terminal, env: NodeJS.ProcessEnv, { language, json }: Manner): Context {
  return {
    stdin,
    stdout,
    stderr,
    env,
    language,
    json,
    say: (text) => text[language],
    print: (line) => void stdout.write(`${line}\n`),
    printJson: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
  };
}

/** Options that go with every command may stand in front of it. */
function commandIndex(args: readonly string[]): number {
  let at = 0;
  while (at < args.length && (args[at] as string).startsWith('-')) {
    const name = (args[at] as string).slice(2);
    at += Object.hasOwn(GLOBAL_OPTIONS, name) && GLOBAL_OPTIONS[name]?.type === 'string' ? 2 : 1;
  }
  return at;
}

/** The word there, with the next one where only both name a command: `orders list`. */
function nameAt(args: readonly string[], at: number): string | undefined {
  const [word, next] = args.slice(at, at + 2);
  return word === undefined || !isGroup(word) || next === undefined || next.startsWith('-') ? word : `${word} ${next}`;
}

function isGroup(word: string): boolean {
  return Object.keys(COMMANDS).some((name) => name.startsWith(`${word} `));
}

function languageGiven(args: readonly string[]): Language | undefined {
  const at = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='));
  const given = at === -1 ? undefined : args[at] === '--lang' ? args[at + 1] : args[at]?.slice('--lang='.length);
  return given === 'en' || given === 'zh' ? given : undefined;
}

function withoutCommand(parsed: Arguments, terminal: Terminal, language: Language): ExitCode {
  if (parsed.has('version')) {
    terminal.stdout.write(`${VERSION}\n`);
    return EXIT.OK;
  }
  if (parsed.has('help')) return help(undefined, terminal, language);
  terminal.stderr.write(generalHelp(COMMANDS, language));
  return EXIT.USAGE;
}

function help(name: string | undefined, { stdout }: Terminal, language: Language): ExitCode {
  if (name === undefined || name.startsWith('-')) {
    stdout.write(generalHelp(COMMANDS, language));
    return EXIT.OK;
  }
  if (isGroup(name)) {
    const group = Object.entries(COMMANDS).filter(([each]) => each.startsWith(`${name} `));
    stdout.write(generalHelp(Object.fromEntries(group), language));
    return EXIT.OK;
  }
  const command: Command | undefined = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) throw unknownCommand(name);
  stdout.write(commandHelp(name, command, language));
  return EXIT.OK;
}

function unknownCommand(name: string): Error {
  const all = Object.keys(COMMANDS);
  const [group = ''] = name.split(' ');
  const names = isGroup(group) ? all.filter((each) => each.startsWith(`${group} `)) : all;
  const meant = name === group && isGroup(group) ? undefined : nearest(name, names);
  const shown = JSON.stringify(name.slice(0, 40));
  const hint: Text =
    meant === undefined
      ? { en: `There are: ${names.join(', ')}.`, zh: `可用命令：${names.join('、')}。` }
      : { en: `Did you mean ${meant}?`, zh: `是否想用 ${meant}？` };
  return usage({ en: `There is no command ${shown}`, zh: `没有命令 ${shown}` }, hint);
}

/** For people a line and a hint on stderr; for machines an object on stdout, where the result would have been. */
function report(error: unknown, { stdout, stderr, env }: Terminal, { json, language }: Manner): ExitCode {
  const { exitCode, text, hint, code, details } = describe(error);
  if (json) {
    const told = { code, message: text[language], hint: hint[language], ...details };
    stdout.write(`${JSON.stringify({ error: told })}\n`);
    return exitCode;
  }
  const paint = painter(stderr, env);
  stderr.write(`${paint('red', 'wechat-h5:')} ${printable(text[language])}\n`);
  if (hint[language] !== '') stderr.write(`  ${printable(hint[language])}\n`);
  return exitCode;
}
