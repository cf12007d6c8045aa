import type { Command } from './command.js';
import { bill } from './bill.js';
import { close } from './close.js';
import { doctor } from './doctor.js';
import { explain } from './explain.js';
import { query } from './query.js';
import { refund } from './refund.js';
import { sign } from './sign.js';
import { verify } from './verify.js';

/** By the word that is typed, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  doctor,
  query,
  close,
  refund,
  bill,
  sign,
  verify,
  explain,
};
