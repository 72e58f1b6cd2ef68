import { join } from "node:path";
import { ensureEnvironment, programOf, pythonEnvironment } from "../../test/fixtures/python-environment.ts";
import { type LineProcess, openLineProcess } from "./line-process.ts";

/** The CPU's build alone: PyPI's own for Linux brings gigabytes of GPU libraries. Where no index has it, pip says so at once. */
const environment = pythonEnvironment("venv-torch", ["torch==2.13.0+cpu", "numpy==2.4.6"]);

/** A Python that has PyTorch: the one that PARSE3D_BENCH_TORCH names, or an environment in .cache. */
function pythonWithTorch(): { readonly python: string } | { readonly missing: string } {
  const named = process.env.PARSE3D_BENCH_TORCH;
  if (named) return { python: named };
  const failure = ensureEnvironment(environment);
  if (failure === undefined) return { python: programOf(environment, "python") };
  return {
    missing: `there is no CPU build of PyTorch (${failure.split("\n")[0]}). Install one (pip install torch, from PyTorch's own index of CPU builds) and name its Python in PARSE3D_BENCH_TORCH.`,
  };
}

/** torch_resize.py with these arguments; it greets with PyTorch's version. @returns why not, where there is no PyTorch */
export async function openTorch(...parameters: readonly string[]): Promise<LineProcess | { readonly missing: string }> {
  const found = pythonWithTorch();
  if ("missing" in found) return found;
  return openLineProcess(found.python, [join(import.meta.dirname, "torch_resize.py"), ...parameters]);
}
