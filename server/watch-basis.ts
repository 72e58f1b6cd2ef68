import { sopInstanceUidOf } from "#server/dicomweb/index.ts";
import { type AnswerBasis, nameOfInstances, type Ports, presentEdition } from "#server/domain/index.ts";

/**
 * The same ports for one run, and what its answer follows from.
 * @returns `basis`: undefined as long as nothing was read, or no model was chosen
 */
export function watchBasis(ports: Ports): { readonly ports: Ports; basis(): AnswerBasis | undefined } {
  const { source, models } = ports;
  const revisionOf = source.revision?.bind(source);
  const read = new Set<string>();
  const seen: { revision?: string; modality?: string; model?: AnswerBasis["model"] } = {};
  return {
    ports: {
      ...ports,
      source: {
        describe: async (series, options) => {
          const description = await source.describe(series, options);
          seen.modality = description.modality;
          return description;
        },
        async *instances(series, options) {
          for await (const instance of source.instances(series, options)) {
            const uid = sopInstanceUidOf(instance);
            if (uid !== undefined) read.add(uid);
            yield instance;
          }
        },
        ...(revisionOf && {
          revision: async (series, options) => {
            seen.revision = await revisionOf(series, options);
            return seen.revision;
          },
        }),
      },
      models: {
        cards: () => models.cards(),
        choose: async (query) => {
          const model = await models.choose(query);
          const { name, sha256 } = model.card;
          seen.model = { name, sha256 };
          return model;
        },
        // The models themselves are their owner's to close.
        [Symbol.asyncDispose]: async () => {},
      },
    },
    basis: () => {
      const { modality, model, revision } = seen;
      // Of a series that is still there, decoded, no instance is read.
      const instances = read.size > 0 ? nameOfInstances(read) : revision;
      if (instances === undefined || modality === undefined || model === undefined) return undefined;
      return { instances, modality, model, edition: presentEdition };
    },
  };
}
