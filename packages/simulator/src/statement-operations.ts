import { bill, type BillType } from './bill.js';
import { checkFields, COMMON_FIELDS, oneOf, type FieldRule } from './field-rules.js';
import { fundFlow, type FundAccount } from './fund-flow.js';
import type { Answer, Operation, OperationContext, Refusal } from './operation.js';
import { isOfDay, movementsOf } from './statement.js';
import { statementAge } from './statement-day.js';
import type { Fields } from './wire-fields.js';

const NO_BILL: Refusal = { code: '20002', description: 'No Bill Exist' };
const BILL_CREATING: Refusal = { code: '20003', description: 'Bill Creating' };
const INVALID_DATE = wrong('invalid bill_date');
const NO_FLOW: Refusal = { code: 'NO_BILL_EXIST', description: '账单不存在' };
const FLOW_CREATING: Refusal = { code: 'BILL_CREATING', description: '账单未生成' };
const FLOW_FIELDS: Readonly<Record<string, FieldRule>> = {
  ...COMMON_FIELDS,
  bill_date: { required: true, max: 8 },
  account_type: { required: true, max: 16, check: oneOf('Basic', 'Operation', 'Fees') },
  tar_type: { max: 8, check: oneOf('GZIP') },
};

/** Orders and refunds of one day in Beijing. What it refuses has a number and an English text. */
export const downloadBill: Operation = (fields, context) => {
  const { bill_date: day = '', bill_type: type = '', tar_type: archive = '' } = fields;
  if (!day) return wrong('missing parameter');
  if (type && !isBillType(type)) return wrong('invalid bill_type');
  if (archive && archive !== 'GZIP') return wrong('invalid tar_type: Only GZIP supported');
  const age = statementAge(day, context.now);
  if (age === 'being made') return BILL_CREATING;
  if (age !== 'there') return INVALID_DATE;
  const { merchant, billColumns: columns } = context;
  const movements = movementsUntilNow(context).filter((movement) => isOfDay(movement, day));
  const text = bill(movements, { type: (type || 'ALL') as BillType, columns, merchant });
  return text === undefined ? NO_BILL : statement(text, fields);
};

/** What came in and went out of one account on one day in Beijing. */
export const downloadFundFlow: Operation = (fields, context) => {
  const missing = checkFields(FLOW_FIELDS, fields, context);
  if (missing) return { ...missing, code: 'PARAM_ERROR' };
  // The one operation that does not take MD5.
  if (context.signType !== 'HMAC-SHA256') return { code: 'PARAM_ERROR', description: 'sign_type参数格式错误' };
  const day = fields['bill_date'] ?? '';
  const age = statementAge(day, context.now);
  if (age === 'being made') return FLOW_CREATING;
  // Unlike bills, flows are kept from June 2017 on.
  if (age !== 'there' && age !== 'too old') return { code: 'PARAM_ERROR', description: 'bill_date参数格式错误' };
  const text = fundFlow(movementsUntilNow(context), day, fields['account_type'] as FundAccount);
  return text === undefined ? NO_FLOW : statement(text, fields);
};

function wrong(description: string): Refusal {
  return { code: '20001', description };
}

function isBillType(type: string): type is BillType {
  return ['ALL', 'SUCCESS', 'REFUND', 'RECHARGE_REFUND'].includes(type);
}

function movementsUntilNow({ orders, refunds }: OperationContext) {
  return movementsOf(orders.list(), refunds.list());
}

function statement(text: string, fields: Fields): Answer {
  return { code: 'SUCCESS', text, gzip: fields['tar_type'] === 'GZIP' };
}
