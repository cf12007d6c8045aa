/** The named texts of one message, as they stand on the wire. */
export type Fields = Readonly<Record<string, string>>;

/** Those of the named fields that are there and not empty. */
export function pick(fields: Fields, ...names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (fields[name] ? [[name, fields[name]]] : [])));
}
