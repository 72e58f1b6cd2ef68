import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensureEnvironment, programOf, pythonEnvironment } from "../../test/fixtures/python-environment.ts";

/** The CPU's build alone: PyPI's own for Linux brings gigabytes of GPU libraries. Where no index has it, pip says so at once. */
const environment = pythonEnvironment("venv-torch", ["torch==2.13.0+cpu", "numpy==2.4.6"]);

export interface TorchProcess extends AsyncDisposable {
  readonly version: string;
  /** @returns the program's answer to one line */
  ask(line: string): Promise<string>;
}

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

/** torch_resize.py with these arguments. @returns why not, where there is no PyTorch */
export async function openTorch(
  ...parameters: readonly string[]
): Promise<TorchProcess | { readonly missing: string }> {
  const found = pythonWithTorch();
  if ("missing" in found) return found;
  const child = spawn(found.python, [join(import.meta.dirname, "torch_resize.py"), ...parameters], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch's process ended");
    return value;
  };
  return {
    version: await line(),
    async ask(text) {
      child.stdin.write(`${text}\n`);
      return line();
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
