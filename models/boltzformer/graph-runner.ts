/** Values of an input or output of a graph, in C order. */
export type GraphTensor =
  | { readonly dtype: "float32"; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: "int64"; readonly dims: readonly number[]; readonly data: BigInt64Array };

/**
 * Runs a graph file once: inputs by name to outputs by name. Whoever installs or verifies a model brings it, since an
 * inference runtime is none of this folder's business; a process of its own keeps a network's memory out of the caller's.
 */
export type GraphRunner = (
  graphFile: string,
  inputs: Readonly<Record<string, GraphTensor>>,
) => Promise<Readonly<Record<string, GraphTensor>>>;
