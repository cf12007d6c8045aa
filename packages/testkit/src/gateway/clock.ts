/** Sets the clock of this process wrong, before anything else is loaded. Timers and `performance.now()` are left alone. */
const offset = Number(process.env['CLOCK_OFFSET'] ?? 0);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now() + offset] : args, newTarget) as object,
  get: (target, name, receiver) =>
    name === 'now' ? () => RealDate.now() + offset : (Reflect.get(target, name, receiver) as unknown),
});
