import { beijingTime } from './beijing-time.js';

/**
 * The payment currencies of the Global parameter page, each with a made-up price in CNY that never changes, times 10⁸
 * as on the wire: 6.5 is 650000000.
 */
const RATES: Readonly<Record<string, number>> = {
  CNY: 100_000_000,
  HKD: 92_000_000,
  GBP: 910_000_000,
  USD: 720_000_000,
  JPY: 4_800_000,
  CAD: 520_000_000,
  AUD: 470_000_000,
  EUR: 780_000_000,
  NZD: 430_000_000,
  KRW: 520_000,
  THB: 20_000_000,
  SGD: 540_000_000,
  RUB: 8_000_000,
  CHF: 820_000_000,
  SEK: 68_000_000,
  DKK: 105_000_000,
  NOK: 67_000_000,
  AED: 196_000_000,
  TRY: 21_000_000,
  MOP: 90_000_000,
  TWD: 22_000_000,
  CZK: 31_000_000,
  MYR: 160_000_000,
  PHP: 12_500_000,
  IDR: 45_000,
  MNT: 210_000,
  QAR: 197_000_000,
  HUF: 2_000_000,
  KHR: 180_000,
  ISK: 5_200_000,
};

/** Those whose smallest unit is the whole one, by ISO 4217. The others have hundredths. */
const WITHOUT_HUNDREDTHS = new Set(['JPY', 'KRW', 'ISK']);

export const CURRENCIES: readonly string[] = Object.keys(RATES);

/** What one unit costs in CNY, times 10⁸. */
export function rateOf(currency: string): number {
  return RATES[currency] ?? RATES['CNY'] ?? 0;
}

/** What the payer's wallet is charged for an amount in the currency's smallest unit: fen, at least one. */
export function inFen(amount: number, currency: string): number {
  const fenPerUnit = (rateOf(currency) / 1e8) * (WITHOUT_HUNDREDTHS.has(currency) ? 100 : 1);
  return Math.max(1, Math.round(amount * fenPerUnit));
}

/** The rate of a day is there from 10:00 in Beijing on. */
export function rateExists(day: string, now: Date): boolean {
  const [today, hour] = [beijingTime(now).slice(0, 8), Number(beijingTime(now).slice(8, 10))];
  return day < today || (day === today && hour >= 10);
}
