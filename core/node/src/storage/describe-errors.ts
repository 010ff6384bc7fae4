interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** The first thing that is wrong, with its path: "/limits/sockets must be >= 1". */
export function describeErrors(errors: Iterable<SchemaError>): string {
  const all = [...errors];
  // An unknown key is reported three times; the report of the object that holds it names it best.
  const error = all.find(({ keyword }) => keyword === 'additionalProperties') ?? all[0];
  if (!error) return 'it does not fit its schema';
  const path = error.instancePath || '/';
  const params = error.params as {
    additionalProperties?: readonly string[];
    allowedValues?: readonly unknown[];
  };
  if (params.additionalProperties) return `${path} has the unknown key "${params.additionalProperties[0]}"`;
  if (params.allowedValues) return `${path} must be one of ${params.allowedValues.join(', ')}`;
  return `${path} ${error.message}`;
}
