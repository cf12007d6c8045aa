import { parseSync } from '@swc/core';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readText, ROOT } from './workspace.js';

/** What was installed, what was built, and what stands for a user's own project. */
const NOT_OURS = ['node_modules', 'dist', 'consumer'];

/** The TypeScript files below a folder, relative to the top. */
export function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.includes(name))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? sourceFiles(path) : /\.[cm]?tsx?$/.test(path) ? [path] : [];
    });
}

/** Whether a file is there for tests only. */
export function isTestFile(path: string): boolean {
  return /\.(test|fixture)\.[cm]?tsx?$/.test(path);
}

/** Every module that a piece of TypeScript names: imports, re-exports, `import()`, `require()`, types among them. */
export function importsOf(code: string): readonly string[] {
  const specifiers = new Set<string>();
  visit(parseSync(code, { syntax: 'typescript', decorators: true }), (node) => {
    const source = node['source'] ?? (node['type'] === 'TsImportType' ? node['argument'] : undefined);
    if (isNode(source) && source['type'] === 'StringLiteral') specifiers.add(String(source['value']));
    if (node['type'] === 'CallExpression' && callsForModule(node)) {
      const [first] = node['arguments'] as [{ expression: SyntaxNode }?];
      if (first?.expression['type'] === 'StringLiteral') specifiers.add(String(first.expression['value']));
    }
  });
  return [...specifiers];
}

export interface ExportedNames {
  /** Names that exist when the program runs. */
  readonly values: readonly string[];
  /** Names that only TypeScript sees. */
  readonly types: readonly string[];
  /** `export *` and `export default`: names nobody wrote down. */
  readonly unnamed: readonly string[];
}

/** What a module exports, as its own text says. */
export function exportsOf(path: string): ExportedNames {
  const values: string[] = [];
  const types: string[] = [];
  const unnamed: string[] = [];
  for (const item of parseSync(readText(path), { syntax: 'typescript', decorators: true })
    .body as unknown as SyntaxNode[]) {
    if (item['type'] === 'ExportNamedDeclaration') {
      for (const specifier of item['specifiers'] as SyntaxNode[]) {
        const name = (specifier['exported'] ?? specifier['orig'] ?? specifier['name']) as { value: string };
        (item['typeOnly'] === true || specifier['isTypeOnly'] === true ? types : values).push(name.value);
      }
    } else if (item['type'] === 'ExportDeclaration') {
      const declaration = item['declaration'] as SyntaxNode;
      const isType = /^Ts(Interface|TypeAlias)Declaration$/.test(String(declaration['type']));
      const named = (declaration['declarations'] as SyntaxNode[] | undefined)?.map(({ id }) => id) ?? [
        declaration['identifier'] ?? declaration['id'],
      ];
      (isType ? types : values).push(...named.map((id) => (id as { value: string }).value));
    } else if (/^Export(All|Default)/.test(String(item['type']))) {
      unnamed.push(String(item['type']));
    }
  }
  return { values: values.sort(), types: types.sort(), unnamed };
}

type SyntaxNode = Record<string, unknown>;

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function callsForModule(call: SyntaxNode): boolean {
  const callee = call['callee'] as SyntaxNode;
  return callee['type'] === 'Import' || (callee['type'] === 'Identifier' && callee['value'] === 'require');
}

function visit(value: unknown, see: (node: SyntaxNode) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value)) see(value);
  for (const child of Object.values(value)) visit(child, see);
}
