/** Injects the {@link ShopOptions}, which are an interface and so no token themselves. */
export const SHOP_OPTIONS = Symbol('shop options');
