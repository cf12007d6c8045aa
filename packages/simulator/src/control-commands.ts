import type { Faults, GatewayFault, GatewayOperation, RefundForgery } from './faults.js';
import type { Desks } from './out-of-order.js';
import type { Refunded } from './refund-desk.js';
import type { RefundStatus } from './refunds.js';
import { ROUTES } from './routes.js';
import type { SimulatedMerchant } from './simulated-merchant.js';

/** What a command was given does not have the shape that it needs. The message says which member. */
export class CommandFormatError extends Error {
  override readonly name = 'CommandFormatError';
}

/** What commands work with: the same that a program has. */
export interface Instruments extends Desks {
  readonly merchant: SimulatedMerchant;
  readonly faults: Faults;
  readonly advance: (milliseconds: number) => void;
}

/** The members of the JSON object that was posted. */
type Given = Readonly<Record<string, unknown>>;
type Command = (given: Given, instruments: Instruments) => Promise<object>;

const SCRIPTED = { scripted: true };

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
    async forge(given, { desk, merchant }) {
      // A leaked key, which nobody has to send us for that.
      const key = given['signed'] === true ? { apiKey: merchant.apiKey } : {};
      return { attempts: [await desk.forge(required(given, 'outTradeNo'), { fields: fieldsOf(given), ...key })] };
    },
    async 'out-of-order'(given, { faults }) {
      return { attempts: await faults.notifyOutOfOrder(required(given, 'outTradeNo')) };
    },
    async lose(given, { faults }) {
      faults.loseNotification(targetOf(given));
      return SCRIPTED;
    },
    async delay(given, { faults }) {
      faults.delayNotification((number(given, 'seconds') ?? NaN) * 1000, targetOf(given));
      return SCRIPTED;
    },
    async duplicate(given, { faults }) {
      faults.duplicateNotification(number(given, 'copies') ?? NaN, targetOf(given));
      return SCRIPTED;
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
    async fault(given, { faults }) {
      const operation = required(given, 'operation');
      if (!isOperation(operation)) throw new CommandFormatError('operation must be one of the gateway');
      faults.nextCall(operation, faultOf(given), targetOf(given));
      return SCRIPTED;
    },
    async 'next-refund'(given, { faults }) {
      faults.nextRefund(required(given, 'status') as RefundStatus, targetOf(given));
      return SCRIPTED;
    },
    async 'clear-faults'(_given, { faults }) {
      faults.clear();
      return { scripted: false };
    },
    async advance(given, { advance }) {
      const seconds = number(given, 'seconds');
      if (seconds === undefined) throw new CommandFormatError('seconds is missing');
      advance(seconds * 1000);
      return { advanced: seconds };
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

function isOperation(name: string): name is GatewayOperation {
  return Object.hasOwn(ROUTES, name);
}

function targetOf(given: Given): { readonly outTradeNo?: string } {
  const outTradeNo = text(given, 'outTradeNo');
  return outTradeNo === undefined ? {} : { outTradeNo };
}

/** The one that the members of a fault name; two of them in one call are none. */
function faultOf(given: Given): GatewayFault {
  const kinds = ['errCode', 'fields', 'returnMsg', 'signType', 'status', 'drop'].filter((kind) => kind in given);
  if (kinds.length !== 1) {
    throw new CommandFormatError('name one of errCode, fields, returnMsg, signType, status and drop');
  }
  const status = number(given, 'status');
  if (status !== undefined) return { status, ...withoutAbsent({ body: text(given, 'body') }) };
  if ('fields' in given) return { fields: fieldsOf(given) };
  const returnMsg = text(given, 'returnMsg');
  if (returnMsg !== undefined) return { returnMsg };
  if ('drop' in given) return { drop: oneOf(given, 'drop', ['apply', 'ignore']) };
  if ('signType' in given) return { signType: oneOf(given, 'signType', ['MD5', 'HMAC-SHA256']) };
  const errCodeDes = text(given, 'errCodeDes');
  const apply = given['apply'] === true;
  return { errCode: required(given, 'errCode'), apply, ...(errCodeDes !== undefined && { errCodeDes }) };
}

function oneOf<const Value extends string>(given: Given, name: string, allowed: readonly Value[]): Value {
  const value = allowed.find((one) => one === given[name]);
  if (value !== undefined) return value;
  throw new CommandFormatError(`${name} must be ${allowed.join(' or ')}`);
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
