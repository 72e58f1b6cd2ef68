/**
 * Runs every contestant once per round, in turns, so that what else the machine does hits all of them alike; the first
 * round, which warms caches, is not counted.
 */
export async function interleave<Name extends string, Sample>(
  rounds: number,
  contestants: Readonly<Record<Name, () => Promise<Sample>>>,
): Promise<Readonly<Record<Name, readonly Sample[]>>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? names : names.toReversed();
    for (const name of order) {
      const sample = await contestants[name]();
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}
