import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { workerPool } from '../worker-pool.ts';
import { batchSizes, type Rows, type Task, type ThreadName, type Workload } from './measure.ts';
import { torchScript } from './torch-script.ts';

/** Something that trains: it answers with the seconds that a task took. */
export interface Contestant {
  run(task: Task): Promise<number>;
  close(): Promise<void>;
}

export type Data = Readonly<Record<Workload, Rows>>;

/** A thread with a TensorFlow.js of its own. */
export async function thread(name: ThreadName, data: Data): Promise<Contestant> {
  const pool = workerPool('speed', 1, { isolate: false });
  try {
    await pool.run({ start: name, data });
  } catch (error) {
    await pool.destroy();
    throw error;
  }
  return { run: (task) => pool.run(task) as Promise<number>, close: () => pool.destroy() };
}

/** A process of Python, which sends one line when it is ready and one for each task. 0 threads: as many as it likes. */
export async function pytorch(threads: number): Promise<Contestant & { readonly version: string }> {
  const command = process.env.ESPALIER_PYTHON || 'python3';
  const child = spawn(command, ['-c', torchScript, JSON.stringify(batchSizes), String(threads)]);
  let problem = '';
  child.stderr.on('data', (text) => {
    problem += text;
  });
  child.on('error', (error) => {
    problem += error.message;
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(problem.trim().split('\n').at(-1) || `${command} ended`);
    return value as string;
  };
  const version = await next();
  return {
    version,
    run: async (task) => {
      child.stdin.write(`${JSON.stringify(task)}\n`);
      return Number(await next());
    },
    close: async () => {
      child.stdin.end();
      child.kill();
    },
  };
}
