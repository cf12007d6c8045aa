/** The visitor's true address, and that of a second one. */
export const VISITOR = '127.0.0.5';
export const SECOND_VISITOR = '127.0.0.6';

/** Where proxies listen and connect from, from the outside in. */
export const OUTER = '127.0.0.21';
export const INNER = '127.0.0.22';
export const INNERMOST = '127.0.0.23';

/** Exactly the three of them, and 127.0.0.20. */
export const ALL_PROXIES = '127.0.0.20/30';

/** Debian's Caddy 2.6 cannot choose the address that it connects from. */
export const CADDY = '127.0.0.1';

/** The application's. */
export const SHOP = '127.0.0.30';
