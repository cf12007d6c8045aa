/** What the shop sells. The price is the server's: no form carries it. */
export interface Product {
  readonly name: string;
  readonly englishName: string;
  /** In fen. */
  readonly price: number;
}

export const PRODUCT: Product = {
  name: '西湖夜游船票',
  englishName: 'West Lake night cruise, one ticket',
  price: 1990,
};

/** `¥19.90` for 1990 fen. */
export function priceText(fen: number): string {
  const digits = String(fen).padStart(3, '0');
  return `¥${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
