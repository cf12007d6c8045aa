import type { RefundForgery } from './faults.js';
import type { PaymentDesk } from './payment-desk.js';
import type { RefundDesk, Refunded } from './refund-desk.js';
import type { RefundStatus } from './refunds.js';

/** What a command was given does not have the shape that it needs. The message says which member. */
export class CommandFormatError extends Error {
  override readonly name = 'CommandFormatError';
}

export interface Desks {
  readonly desk: PaymentDesk;
  readonly refundDesk: RefundDesk;
}

/** The members of the JSON object that was posted. */
type Given = Readonly<Record<string, unknown>>;
type Command = (given: Given, desks: Desks) => Promise<object>;

const COMMANDS = new Map<string, Command>(
  Object.entries({
    async pay(given, { desk }) {
      const { order, told } = desk.pay(required(given, 'outTradeNo'));
      return { order, attempts: await told };
    },
    async cancel(given, { desk }) {
      return { order: desk.cancel(required(given, 'outTradeNo')) };
    },
    async notify(given, { desk, refundDesk }) {
      const outTradeNo = required(given, 'outTradeNo');
      const outRefundNo = text(given, 'outRefundNo');
      const copies = number(given, 'copies');
      if (outRefundNo === undefined) return { attempts: await desk.sendAgain(outTradeNo, copies) };
      return { attempts: await refundDesk.sendAgain(outTradeNo, outRefundNo, copies) };
    },
    async forge(given, { desk }) {
      return { attempts: [await desk.forge(required(given, 'outTradeNo'), { fields: fieldsOf(given) })] };
    },
    async refund(given, { refundDesk }) {
      const choice = {
        outRefundNo: text(given, 'outRefundNo'),
        refundFee: number(given, 'refundFee'),
        status: text(given, 'status') as RefundStatus | undefined,
        notifyUrl: text(given, 'notifyUrl'),
      };
      return settled(refundDesk.refund(required(given, 'outTradeNo'), withoutAbsent(choice)));
    },
    async 'settle-refund'(given, { refundDesk }) {
      const status = text(given, 'status') as RefundStatus | undefined;
      return settled(refundDesk.settle(required(given, 'outRefundNo'), status));
    },
    async 'forge-refund'(given, { refundDesk }) {
      return { attempts: [await refundDesk.forge(required(given, 'outRefundNo'), forgeryOf(given))] };
    },
  } satisfies Record<string, Command>),
);

export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

export function commandNamed(name: string): Command | undefined {
  return COMMANDS.get(name);
}

/** @throws {CommandFormatError} unless it is a JSON object */
export function parseGiven(body: Buffer): Given {
  let given: unknown;
  try {
    given = JSON.parse(body.toString('utf8'));
  } catch {
    throw new CommandFormatError('send a JSON object');
  }
  if (typeof given !== 'object' || given === null) throw new CommandFormatError('send a JSON object');
  return given as Given;
}

async function settled({ refund, told }: Refunded): Promise<object> {
  return { refund, attempts: await told };
}

function forgeryOf(given: Given): RefundForgery {
  const spliceWith = text(given, 'spliceWith');
  if (spliceWith !== undefined) return { spliceWith };
  return given['replay'] === true ? { replay: true } : { fields: fieldsOf(given) };
}

function required(given: Given, name: string): string {
  const value = text(given, name);
  if (value !== undefined) return value;
  throw new CommandFormatError(`${name} is missing`);
}

function text(given: Given, name: string): string | undefined {
  const value = given[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new CommandFormatError(`${name} must be a string`);
}

function number(given: Given, name: string): number | undefined {
  const value = given[name];
  if (value === undefined || typeof value === 'number') return value;
  throw new CommandFormatError(`${name} must be a number`);
}

function fieldsOf(given: Given): Readonly<Record<string, string>> {
  const { fields = {} } = given;
  const isRecord =
    typeof fields === 'object' && fields !== null && Object.values(fields).every((value) => typeof value === 'string');
  if (isRecord) return fields as Readonly<Record<string, string>>;
  throw new CommandFormatError('fields must be an object of strings');
}

/** A choice that nobody made is left to its default. */
function withoutAbsent<Choice extends object>(choice: Choice): { [Key in keyof Choice]?: NonNullable<Choice[Key]> } {
  const made = Object.entries(choice).filter(([, value]) => value !== undefined);
  return Object.fromEntries(made) as { [Key in keyof Choice]?: NonNullable<Choice[Key]> };
}
