import type { TLocalizedValidationError } from 'typebox/error';

/** At most so many faults are named in one message. */
const FAULTS_NAMED = 5;

function lookUp(schema: unknown, pointer: string): unknown {
  let at: unknown = schema;
  for (const part of pointer.replace(/^#\/?/, '').split('/')) {
    if (part === '') continue;
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    at = (at as { readonly [key: string]: unknown } | undefined)?.[key];
  }
  return at;
}

function describe(error: TLocalizedValidationError, schema: unknown): string | undefined {
  const where = error.instancePath === '' ? '/' : error.instancePath;
  switch (error.keyword) {
    case 'boolean':
      return undefined; // said by additionalProperties
    case 'additionalProperties': {
      const parent = lookUp(schema, error.schemaPath) as { readonly properties?: object } | undefined;
      const known = Object.keys(parent?.properties ?? {}).join(', ');
      return error.params.additionalProperties
        .map((key) => `${where === '/' ? '' : where}/${key} is not known here; known: ${known}`)
        .join('; ');
    }
    case 'enum':
      return `${where} must be one of ${error.params.allowedValues.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'required':
      return error.params.requiredProperties
        .map((key) => `${where === '/' ? '' : where}/${key} is missing`)
        .join('; ');
    default:
      return `${where} ${error.message}`;
  }
}

/** The faults of a value as text: path, what is wrong, what is allowed. */
export function describeErrors(errors: readonly TLocalizedValidationError[], schema: unknown): string {
  const faults = [
    ...new Set(errors.map((error) => describe(error, schema)).filter((text) => text !== undefined)),
  ];
  const rest = faults.length - FAULTS_NAMED;
  return faults.slice(0, FAULTS_NAMED).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
