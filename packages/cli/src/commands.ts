import type { Command } from './command.js';
import { bill } from './bill.js';
import { close } from './close.js';
import { doctor } from './doctor.js';
import { explain } from './explain.js';
import { ordersCompare } from './orders-compare.js';
import { ordersList } from './orders-list.js';
import { ordersRedrive } from './orders-redrive.js';
import { ordersResolve } from './orders-resolve.js';
import { ordersShow } from './orders-show.js';
import { query } from './query.js';
import { refund } from './refund.js';
import { sign } from './sign.js';
import { verify } from './verify.js';

/** By the words that are typed, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  doctor,
  query,
  close,
  refund,
  bill,
  'orders list': ordersList,
  'orders show': ordersShow,
  'orders redrive': ordersRedrive,
  'orders resolve': ordersResolve,
  'orders compare': ordersCompare,
  sign,
  verify,
  explain,
};
